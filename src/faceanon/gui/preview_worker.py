"""What the preview's worker process does; the image work is that of the core.

All that is kept between calls is the last pictures, so that zooming does not read them
again.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

import cv2
import numpy as np

from faceanon.batch.planning import folder as files
from faceanon.commands.hide import make_settings
from faceanon.errors import FaceanonError
from faceanon.gui.choices import run_options_of
from faceanon.gui.settings_from_form import settings_of_look
from faceanon.media.picture import eight_bit
from faceanon.media.reading import decode
from faceanon.model import Box, Face, Image, Points
from faceanon.pipeline.hide import hide_faces
from faceanon.pipeline.job import Job, Outcome
from faceanon.pipeline.process import process, random_for
from faceanon.requests.options import Values
from faceanon.settings import Settings
from faceanon.storage.files import read_source
from faceanon.storage.places import local_path
from faceanon.vision.recognition.identities import disguised_alone

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
    """A part of a picture before and after.

    Attributes:
        before: as it is.
        after: with its faces hidden; None where that cannot be done.
        problem: why it cannot be done.
    """

    before: Pixmap
    after: Pixmap | None
    problem: str = ""


def listing(values: Values) -> Listing:
    """List the pictures of INPUT.

    Raises:
        FaceanonError: there is no such file or folder.
    """
    choice = replace(run_options_of(values).choice, datasets=False)
    plan = files.plan_reading(local_path(values["source"]), choice)
    jobs = list(islice(plan.jobs(), MOST_PICTURES))
    has_more = len(jobs) == MOST_PICTURES
    return Listing(tuple(sorted(jobs, key=lambda job: job.name)), has_more)


def look(job: Job, method: str, values: Values) -> Outcome:
    """Find the faces of a picture, as `faceanon detect` does."""
    settings = _finding(method, tuple(sorted(values.items())))
    return process(job, replace(settings, also_detect=job.record is not None))


def view(
    job: Job,
    method: str,
    values: Values,
    faces: tuple[Face, ...],
    part: Part,
) -> View:
    """Show a part of a picture before and after.

    Args:
        job: the picture.
        method: the method's name.
        values: of the method's command.
        faces: those to hide.
        part: what to show of it.

    Raises:
        FaceanonError: it cannot be read.
    """
    image = _image(job, values["max_pixels"])
    problem, after = "", None
    try:
        hidden = _hidden(job, method, tuple(sorted(values.items())), faces)
        after = _pixmap(hidden[part.box.slices], part.size)
    except FaceanonError as error:
        problem = str(error)
    return View(_pixmap(image[part.box.slices], part.size), after, problem)


def sample(
    job: Job,
    method: str,
    values: Values,
    faces: tuple[Face, ...],
    size: tuple[int, int],
) -> tuple[Pixmap, str]:
    """Show what a method makes of a picture's largest face.

    Returns:
        The surroundings of the face, and why the method cannot be shown; empty when it
        can.

    Raises:
        FaceanonError: the picture cannot be read.
    """
    image = _image(job, values["max_pixels"])
    scale = min(1.0, _SAMPLE_SIDE / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    faces = tuple(_scaled(face, scale) for face in faces)
    part = _around_largest(faces, small, size[0] / size[1])
    problem = ""
    try:
        if faces:
            settings = make_settings(method, values)
            small = _by_itself(small, faces, settings, job)
    except FaceanonError as error:
        problem = str(error)
    return _pixmap(small[part.slices], size), problem


@lru_cache(maxsize=2)
def _finding(method: str, values: tuple[tuple[str, object], ...]) -> Settings:
    # Kept, as getting to know people takes long.
    return settings_of_look(method, dict(values))


@lru_cache(maxsize=2)
def _image(job: Job, max_pixels: int) -> Image:
    data, _ = read_source(job)
    return eight_bit(decode(data, max_pixels).color)


@lru_cache(maxsize=1)
def _hidden(
    job: Job,
    method: str,
    values: tuple[tuple[str, object], ...],
    faces: tuple[Face, ...],
) -> Image:
    settings = make_settings(method, dict(values))
    image = _image(job, settings.max_pixels)
    if not faces:
        return image
    return _by_itself(image, faces, settings, job)


def _by_itself(
    image: Image, faces: tuple[Face, ...], settings: Settings, job: Job
) -> Image:
    """An image with these faces hidden, whoever is in the other pictures."""
    if settings.disguises:
        faces = disguised_alone(image, faces, settings.disguises, settings.seed)
    return hide_faces(image, faces, settings, random_for(job, settings))


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


def _around_largest(faces: tuple[Face, ...], image: Image, aspect: float) -> Box:
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
