"""faceanon for Python programs: picture in, picture out, and whole folders."""

import io
from collections.abc import Generator, Iterable
from contextlib import closing
from os import PathLike, fspath
from typing import Any, overload

import numpy as np
from PIL import Image as PillowImage

from faceanon import anonymizers
from faceanon.batch import runs
from faceanon.batch.planning.make_plan import check_name, make_plan
from faceanon.batch.planning.plan import LEFT_OUT
from faceanon.batch.run_options import RunOptions
from faceanon.errors import OptionError
from faceanon.media.picture import eight_bit
from faceanon.model import Face, Image
from faceanon.options import build, declared
from faceanon.pipeline.find import pseudonymized, select
from faceanon.pipeline.hide import hide_faces
from faceanon.pipeline.job import Job, Outcome
from faceanon.pipeline.process import random_for
from faceanon.pipeline.steps import Hide
from faceanon.requests.images import Channels, Picture, bgr_of, checked_faces, like
from faceanon.requests.people import with_people
from faceanon.requests.planning import names_folder
from faceanon.requests.settings import make_settings
from faceanon.settings import Settings
from faceanon.storage.places import place
from faceanon.vision import detection
from faceanon.vision.detection import DetectorOptions
from faceanon.vision.detection.levels import Accuracy

# The options that say whom to hide.
_SELECTING = {"only", "except_", "match"}


def detect(
    image: Picture,
    *,
    channels: Channels = "bgr",
    detector: str = "centerface",
    accuracy: Accuracy = "balanced",
    min_score: float | None = None,
) -> tuple[Face, ...]:
    """Find the faces in a picture.

    Args:
        image: an array of shape (H, W, 3), uint8 or uint16, upright; a picture of
            Pillow; or the path or URL of a file. Faces are told as those two are seen,
            turned by their EXIF orientation.
        channels: the order of an array's channels: "bgr", as OpenCV has it, or "rgb".
        detector: "centerface" or "haar".
        accuracy: "fast", "balanced" or "thorough".
        min_score: the least score of what is returned, 0.01 to 1; None for the
            detector's own.

    Returns:
        The faces that lie at least in part in the picture, the most certain first.

    Raises:
        TypeError: it is no picture.
        ValueError: the picture is not of that kind, or an option is wrong.
        PictureError: the file cannot be read, or holds several pictures.
    """
    how = DetectorOptions(detector, accuracy, min_score)
    return _found(bgr_of(image, channels, Settings().max_pixels), how)


@overload
def anonymize(
    image: PillowImage.Image,
    method: str,
    *,
    faces: Iterable[Face] | None = ...,
    channels: Channels = ...,
    **options: Any,
) -> PillowImage.Image: ...


@overload
def anonymize(
    image: Image | str | PathLike[str],
    method: str,
    *,
    faces: Iterable[Face] | None = ...,
    channels: Channels = ...,
    **options: Any,
) -> Image: ...


def anonymize(
    image: Picture,
    method: str,
    *,
    faces: Iterable[Face] | None = None,
    channels: Channels = "bgr",
    **options: Any,
) -> Image | PillowImage.Image:
    """Hide the faces in a picture.

    Args:
        image: an array of shape (H, W, 3), uint8 or uint16, upright; a picture of
            Pillow; or the path or URL of a file. It is not changed.
        method: the name of a method, such as "pixelate".
        faces: the faces to hide; None to detect them.
        channels: the order of an array's channels, given and returned: "bgr", as
            OpenCV has it, or "rgb".
        **options: those of the method and those of `Settings`, such as `cells=5`,
            `grow=1.5`, `min_score=0.1` or `seed=1`; `only` or `except_`, a folder or
            file of people, and `match`.

    Returns:
        A new picture. Of an array, one of the same shape and dtype; of a picture of
        Pillow, one in RGB, upright, without metadata; of a file, an array, upright.
        What is transparent in these two lies on white.

    Raises:
        TypeError: it is no picture, or what is to be hidden are no faces.
        ValueError: the picture is not of that kind, a face does not lie in it, or an
            option is wrong.
        PictureError: the file cannot be read, or holds several pictures; or the faces
            cannot be hidden in this way: `swap` needs two.
    """
    settings = _settings(method, options)
    bgr = bgr_of(image, channels, settings.max_pixels)
    told = None if faces is None else checked_faces(faces, bgr)
    return like(image, _anonymized(bgr, told, settings), channels)


def _found(image: Image, how: DetectorOptions) -> tuple[Face, ...]:
    """See `detect`; the image is BGR."""
    make = detection.make(how.detector, how.accuracy)
    (found,) = make([eight_bit(image)], how.min_score)
    shape = image.shape[:2]
    return tuple(face for face in found if not face.box.clipped(*shape).is_empty)


def _anonymized(
    image: Image, told: tuple[Face, ...] | None, settings: Settings
) -> Image:
    """See `anonymize`; the image is BGR."""
    faces = _found(image, settings.finding) if told is None else told
    hidden, others = select(image, faces, settings, looks_before=told is None)
    if not hidden:
        return image.copy()
    if settings.pseudonyms:
        hidden = tuple(pseudonymized(image, hidden, settings))
    rng = _random_for(image, settings)
    return hide_faces(image, hidden, others, settings, rng).image


def _random_for(image: Image, settings: Settings) -> np.random.Generator:
    """See `faceanon.pipeline.process.random_for`."""
    assert settings.anonymizer is not None, "these settings are for hiding"
    source = None
    if settings.anonymizer.weakened_by_repetition:
        source = io.BytesIO(np.ascontiguousarray(image).tobytes())
    return random_for(Job("", None, None), settings, source)


def run(
    source: str | PathLike[str],
    target: str | PathLike[str],
    method: str,
    **options: Any,
) -> Generator[Outcome, None, None]:
    """Hide the faces in a folder of pictures, or in one file.

    Options are checked at once; the work is done while the outcomes are asked for. When
    they are no longer, as after a `break`, nothing half-done stays behind.

    Workers do not import the program that calls this: it needs no guard of
    `if __name__ == "__main__"`, may come from standard input, or be typed.

    Args:
        source: a folder or a file, or the URL of one, such as "s3://photos/2024/".
        target: the folder or file to write, or the URL of one.
        method: the name of a method.
        **options: those of the method, of `Settings` and of `RunOptions`; `only` or
            `except_`, a folder or file of people, and `match`.

    Returns:
        What comes of each picture, as they are finished.

    Raises:
        FaceanonError: it cannot be done without losing something.
        ValueError: an option is wrong.
    """
    names = {option.name for option in declared(RunOptions)}
    run_options = build(RunOptions, options)
    settings = _settings(
        method, {name: options[name] for name in options.keys() - names}
    )
    plan = make_plan(
        place(fspath(source)),
        place(fspath(target)),
        format_=settings.writing.format,
        input_filter=run_options.input_filter,
        renaming=settings.renaming,
        into_folder=names_folder(fspath(target)),
    )
    check_name(plan, settings.writing.format)
    return _not_left_out(runs.run(plan, Hide(settings), run_options))


def _not_left_out(
    outcomes: Generator[Outcome, None, None],
) -> Generator[Outcome, None, None]:
    """The outcomes but those of what the caller's own patterns leave out."""
    with closing(outcomes):
        for outcome in outcomes:
            if not (outcome.is_ignored and outcome.error == LEFT_OUT):
                yield outcome


def _settings(method: str, values: dict[str, Any]) -> Settings:
    """The settings that options stand for.

    Raises:
        OptionError: a method or an option is unknown, or a value is wrong.
        PeopleError: the people of `only` or `except_` cannot be used.
    """
    own = {option.name for option in declared(anonymizers.get(method))}
    common = {option.name for option in declared(Settings)}
    unknown = values.keys() - own - common - _SELECTING
    if unknown:
        raise OptionError(
            f"{method} has no option {', '.join(sorted(unknown))}; "
            f"it has {', '.join(sorted(own | common | _SELECTING))}"
        )
    return with_people(make_settings(method, values), values)[0]
