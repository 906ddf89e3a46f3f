"""faceanon for Python programs: arrays in, arrays out, and whole folders."""

import io
from collections.abc import Generator, Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np

from faceanon import anonymizers
from faceanon.batch import runs
from faceanon.batch.planning.make_plan import check_name, make_plan
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
from faceanon.requests.people import with_people
from faceanon.requests.planning import names_folder
from faceanon.requests.settings import make_settings
from faceanon.settings import Settings
from faceanon.storage.places import place
from faceanon.vision import detection
from faceanon.vision.detection.levels import Accuracy

# The options that say whom to hide.
_SELECTING = {"only", "except_", "match"}


def detect(
    image: Image,
    *,
    detector: str = "centerface",
    accuracy: Accuracy = "balanced",
    min_score: float | None = None,
) -> tuple[Face, ...]:
    """Find the faces in an image.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16, upright.
        detector: "centerface" or "haar".
        accuracy: "fast", "balanced" or "thorough".
        min_score: the least score of what is returned, 0 to 1; None for the detector's
            own.

    Returns:
        The faces, the most certain first.

    Raises:
        TypeError: the image is no array.
        ValueError: the image is not of that kind, or an option is wrong.
    """
    _check_image(image)
    detector_ = detection.make(detector, accuracy)
    return detector_([eight_bit(image)], min_score)[0]


def anonymize(
    image: Image,
    method: str,
    *,
    faces: Sequence[Face] | None = None,
    **options: Any,
) -> Image:
    """Hide the faces in an image.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16, upright. It is not changed.
        method: the name of a method, such as "pixelate".
        faces: the faces to hide; None to detect them.
        **options: those of the method and those of `Settings`, such as `cells=5`,
            `grow=1.5`, `min_score=0.1` or `seed=1`; `only` or `except_`, a folder or
            file of people, and `match`.

    Returns:
        A new array of the same shape and dtype.

    Raises:
        TypeError: the image is no array.
        ValueError: the image is not of that kind, or an option is wrong.
        PictureError: the faces cannot be hidden in this way; `swap` needs two.
    """
    _check_image(image)
    settings = _settings(method, options)
    is_told = faces is not None
    if faces is None:
        how = settings.finding
        faces = detect(
            image,
            detector=how.detector,
            accuracy=how.accuracy,
            min_score=how.min_score,
        )
    hidden, others = select(image, faces, settings, looks_before=not is_told)
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
    """Hide the faces in a folder of pictures, or in one picture.

    Workers do not import the program that calls this.

    Args:
        source: a folder or a file, or the URL of one, such as "s3://photos/2024/".
        target: the folder or file to write, or the URL of one.
        method: the name of a method.
        **options: those of the method, of `Settings` and of `RunOptions`; `only` or
            `except_`, a folder or file of people, and `match`.

    Yields:
        What came of each picture, as they are finished.

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
    yield from runs.run(plan, Hide(settings), run_options)


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


def _check_image(image: Image) -> None:
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f"an image is an array, not {type(image).__name__}; cv2.imread gives one"
        )
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"an image has the shape (H, W, 3), not {image.shape}")
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image is of uint8 or uint16, not {image.dtype}")
