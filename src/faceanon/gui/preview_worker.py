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
from faceanon.boxes import Record, content_digest, faces_of
from faceanon.errors import FaceanonError
from faceanon.gui.choices import Values
from faceanon.gui.settings_from_form import settings_of_preview
from faceanon.media.clip import Still
from faceanon.media.frame_reader import FrameReader
from faceanon.media.picture import eight_bit
from faceanon.model import Box, Face, Image, Points
from faceanon.options import build
from faceanon.pipeline.find import find, pseudonymized
from faceanon.pipeline.hide import hide_faces
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.pipeline.process import random_for
from faceanon.pipeline.steps import Detect
from faceanon.requests.settings import make_settings
from faceanon.settings import Settings
from faceanon.storage.files import file_stamp, open_source
from faceanon.storage.places import Stamp, local_path

MOST_PICTURES = 5000
"""How many pictures of a folder are listed."""

LONGEST_FOLLOWED = 200
"""In films of more frames, the faces of one frame are looked for at a time."""

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
    """What was found in a picture, in all frames of a clip, or in one of a long one.

    Attributes:
        outcome: as `faceanon detect` has it.
        frames: how many there are.
        is_one_frame: whether only one of them was looked at.
    """

    outcome: Outcome
    frames: int
    is_one_frame: bool = False


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


def search(frame: FrameOf, method: str, values: Values) -> Searched:
    """Find the faces of a picture, as `faceanon detect` does.

    Of a long film, only the faces of the frame are looked for.
    """
    job = frame.job
    settings = _finding(method, tuple(sorted(values.items())))
    settings = replace(settings, also_detect=job.record is not None)
    if _is_long(job, settings.max_pixels):
        return _search_frame(frame, settings)
    outcome = do_picture(Task(job), Detect(settings), None).outcome
    frames = 1
    if outcome.record is not None:
        frames = _reader(job, settings.max_pixels).count
    return Searched(outcome, frames)


def _is_long(job: Job, max_pixels: int) -> bool:
    """Whether it is a film in which it would take long to look for all faces."""
    try:
        header = _reader(job, max_pixels).header
    except FaceanonError:
        return False  # it is told by who looks for faces
    return header.kind == "film" and header.count > LONGEST_FOLLOWED


def _search_frame(frame: FrameOf, settings: Settings) -> Searched:
    """Find the faces of a frame, beside what was corrected in the others."""
    job, number, source = frame.job, frame.number, frame.job.source
    assert isinstance(source, Path), "the window lists files of this computer"
    reader = _reader(job, settings.max_pixels)
    clip = Still(reader.read(number)[0].picture)
    corrected = job.record or Record(job.name, 0, 0)
    here = replace(
        corrected,
        content="",
        hidden=_alone(faces_of(corrected.hidden, number)),
        shown=_alone(faces_of(corrected.shown, number)),
        times=None,
        frame_count=None,
    )
    found = find(clip, job.name, "", here if job.record else None, settings).record
    record = replace(
        found,
        content=_content(source, file_stamp(source)),
        hidden=_with_others(corrected.hidden, found.hidden, number),
        shown=_with_others(corrected.shown, found.shown, number),
        unsure=_with_others((), found.unsure, number),
    )
    status = Status.FOUND if found.hidden else Status.NO_FACES
    return Searched(Outcome(job, status, record), reader.count, is_one_frame=True)


@lru_cache(maxsize=1)
def _content(source: Path, _: Stamp) -> str:
    # A large file takes seconds, and it is asked for with every frame.
    with open_source(source) as opened:
        return content_digest(opened.file)


def _alone(faces: Sequence[Face]) -> tuple[Face, ...]:
    """The faces of a frame as those of a still."""
    return tuple(replace(face, frame=None) for face in faces)


def _with_others(
    faces: Sequence[Face], here: Sequence[Face], number: int
) -> tuple[Face, ...]:
    """The faces of all frames, of which those of one are others."""
    others = (face for face in faces if face.frame not in (None, number))
    return (*others, *(replace(face, frame=number) for face in here))


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
