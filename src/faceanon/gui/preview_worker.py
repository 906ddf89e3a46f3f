"""What the preview's worker process does; the image work is that of the core.

All that is kept between calls is the last pictures, so that zooming does not read them
again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from faceanon.batch.perform import do_picture
from faceanon.batch.planning.make_plan import make_reading_plan
from faceanon.batch.run_options import RunOptions
from faceanon.batch.work import Task
from faceanon.errors import FaceanonError
from faceanon.gui.choices import Values
from faceanon.gui.settings_from_form import settings_of_preview
from faceanon.media.frame_reader import FrameReader
from faceanon.media.picture import eight_bit
from faceanon.model import Box, Face, Image, Points
from faceanon.options import build
from faceanon.pipeline.find import pseudonymized
from faceanon.pipeline.hide import hide_faces
from faceanon.pipeline.job import Job, Outcome
from faceanon.pipeline.process import random_for
from faceanon.pipeline.steps import Detect
from faceanon.requests.settings import make_settings
from faceanon.settings import Settings
from faceanon.storage.places import local_path

MOST_PICTURES = 5000
"""How many pictures of a folder are listed."""

_SAMPLE_SIDE = 900

Pixmap: TypeAlias = bytes
"""A picture as PPM (binary, 8 bits), which Tk reads faster than any other format."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The pictures of INPUT.

    Attributes:
        jobs: the pictures, sorted by name.
        has_more: whether there are more than are listed.
    """

    jobs: tuple[Job, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a picture, as it is to be shown.

    Attributes:
        box: in pixels of the picture, inside of it.
        size: width and height of what is shown, in pixels.
    """

    box: Box
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class View:
    """A part of a frame before and after.

    Attributes:
        before: as it is.
        after: with its faces hidden; None where that cannot be done.
        seconds: when the frame is shown, from the beginning on.
        problem: why it cannot be hidden.
    """

    before: Pixmap
    after: Pixmap | None
    seconds: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FrameOf:
    """A frame of a picture, or of a clip.

    Attributes:
        job: the file.
        number: of the frame, counted from 0.
    """

    job: Job
    number: int


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found in a picture, or in all frames of a clip.

    Attributes:
        outcome: as `faceanon detect` has it.
        frames: how many there are.
    """

    outcome: Outcome
    frames: int


def listing(values: Values) -> Listing:
    """List the pictures of INPUT.

    Raises:
        FaceanonError: there is no such file or folder.
    """
    input_filter = build(RunOptions, values).input_filter
    input_filter = replace(input_filter, datasets=False)
    plan = make_reading_plan(local_path(values["source"]), input_filter)
    jobs = [job for job in islice(plan.jobs(), MOST_PICTURES) if isinstance(job, Job)]
    has_more = len(jobs) == MOST_PICTURES
    return Listing(tuple(sorted(jobs, key=lambda job: job.name)), has_more)


def search(job: Job, method: str, values: Values) -> Searched:
    """Find the faces of a picture, as `faceanon detect` does."""
    settings = _finding(method, tuple(sorted(values.items())))
    step = Detect(replace(settings, also_detect=job.record is not None))
    outcome = do_picture(Task(job), step, None).outcome
    frames = 1
    if outcome.record is not None:
        frames = _reader(job, values["max_pixels"]).header.count
    return Searched(outcome, frames)


def view(
    frame: FrameOf,
    method: str,
    values: Values,
    faces: Sequence[Face],
    part: Part,
) -> View:
    """Show a part of a frame before and after.

    Args:
        frame: the frame.
        method: the method's name.
        values: of the method's command.
        faces: those to hide in it.
        part: what to show of it.

    Raises:
        FaceanonError: it cannot be read.
    """
    image, seconds = _image(frame, values["max_pixels"])
    problem, after = "", None
    try:
        hidden = _hidden(frame, method, tuple(sorted(values.items())), faces)
        after = _pixmap(hidden[part.box.slices], part.size)
    except FaceanonError as error:
        problem = str(error)
    before = _pixmap(image[part.box.slices], part.size)
    return View(before, after, seconds, problem)


def sample(
    frame: FrameOf,
    method: str,
    values: Values,
    faces: Sequence[Face],
    size: tuple[int, int],
) -> tuple[Pixmap, str]:
    """Show what a method makes of a frame's largest face.

    Returns:
        The surroundings of the face, and why the method cannot be shown; empty when it
        can.

    Raises:
        FaceanonError: the picture cannot be read.
    """
    image, _ = _image(frame, values["max_pixels"])
    scale = min(1.0, _SAMPLE_SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    faces = tuple(_scaled(face, scale) for face in faces)
    part = _around_largest(faces, small, size[0] / size[1])
    problem = ""
    try:
        if faces:
            settings = make_settings(method, values)
            small = _by_itself(small, faces, settings, frame.job)
    except FaceanonError as error:
        problem = str(error)
    return _pixmap(small[part.slices], size), problem


@lru_cache(maxsize=2)
def _finding(method: str, values: tuple[tuple[str, object], ...]) -> Settings:
    # Kept, as getting to know people takes long.
    return settings_of_preview(method, dict(values))


_last_reader: tuple[tuple[Path, int], FrameReader] | None = None


def _reader(job: Job, max_pixels: int) -> FrameReader:
    """The file of a job, open; the last one stays so."""
    global _last_reader  # noqa: PLW0603  one file at a time
    assert isinstance(job.source, Path), "the window lists files of this computer"
    if _last_reader is not None:
        if _last_reader[0] == (job.source, max_pixels):
            return _last_reader[1]
        _last_reader[1].close()
        _last_reader = None
    reader = FrameReader(job.source, max_pixels)
    _last_reader = (job.source, max_pixels), reader
    return reader


@lru_cache(maxsize=2)
def _image(frame: FrameOf, max_pixels: int) -> tuple[Image, float]:
    read, seconds = _reader(frame.job, max_pixels).read(frame.number)
    return eight_bit(read.picture.color), seconds


@lru_cache(maxsize=1)
def _hidden(
    frame: FrameOf,
    method: str,
    values: tuple[tuple[str, object], ...],
    faces: Sequence[Face],
) -> Image:
    settings = make_settings(method, dict(values))
    image, _ = _image(frame, settings.max_pixels)
    if not faces:
        return image
    return _by_itself(image, faces, settings, frame.job)


def _by_itself(
    image: Image, faces: Sequence[Face], settings: Settings, job: Job
) -> Image:
    """An image with these faces hidden, whoever is in the other pictures."""
    if settings.pseudonyms:
        faces = pseudonymized(image, faces, settings)
    rng = random_for(job, settings)
    return hide_faces(image, faces, (), settings, rng).image


def _scaled(face: Face, scale: float) -> Face:
    box = face.box
    sides = (box.left, box.top, box.right, box.bottom)
    left, top, right, bottom = (round(side * scale) for side in sides)
    points: Points | None = None
    if face.points is not None:
        a, b, c, d, e = ((x * scale, y * scale) for x, y in face.points)
        points = a, b, c, d, e
    return replace(
        face,
        box=Box(left, top, max(right, left + 1), max(bottom, top + 1)),
        points=points,
    )


def _around_largest(faces: Sequence[Face], image: Image, aspect: float) -> Box:
    """A part of an image, of this width by height, around its largest face."""
    height, width = image.shape[:2]
    tall = min(height, width / aspect)
    center = width / 2, height / 2
    if faces:
        box = max(faces, key=lambda face: face.box.height).box
        tall = min(max(1.9 * box.height, 8), tall)
        center = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    wide = tall * aspect
    left = round(min(max(center[0] - wide / 2, 0), width - wide))
    top = round(min(max(center[1] - tall / 2, 0), height - tall))
    box = Box(left, top, left + max(round(wide), 1), top + max(round(tall), 1))
    return box.clipped(height, width)


def _pixmap(image: Image, size: tuple[int, int]) -> Pixmap:
    shrinks = image.shape[1] >= size[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    image = cv2.cvtColor(cv2.resize(image, size, interpolation=how), cv2.COLOR_BGR2RGB)
    return b"P6 %d %d 255\n" % size + np.ascontiguousarray(image).tobytes()
