"""faceanon for Python programs: arrays in, arrays out, and whole folders."""

from collections.abc import Generator, Sequence
from os import PathLike, fspath
from typing import Any

import numpy as np

from faceanon import anonymizers
from faceanon.batch import runs as batch
from faceanon.batch.planning import folder as files
from faceanon.errors import OptionError
from faceanon.media.picture import eight_bit
from faceanon.model import Face, Image
from faceanon.options import declared
from faceanon.pipeline.hide import hide_faces
from faceanon.pipeline.job import Outcome
from faceanon.settings import RunOptions, Settings
from faceanon.storage.places import place
from faceanon.vision import detection as detectors
from faceanon.vision.detection.find import Found
from faceanon.vision.detection.levels import Accuracy
from faceanon.vision.recognition.enrolment import selecting
from faceanon.vision.recognition.identities import disguised_alone
from faceanon.vision.recognition.matching import select

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
        ValueError: the image is not of that kind, or an option is wrong.
    """
    _check_image(image)
    return detectors.make(detector, accuracy)(eight_bit(image), min_score)


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
        ValueError: the image is not of that kind, or an option is wrong.
        PictureError: the faces cannot be hidden in this way; `swap` needs two.
    """
    _check_image(image)
    settings = make_settings(method, options)
    if faces is None:
        faces = detect(
            image,
            detector=settings.detector,
            accuracy=settings.accuracy,
            min_score=settings.min_score,
        )
    found = Found(tuple(faces))
    if settings.selection is not None:
        found = select(image, found, settings)
    if not found.sure:
        return image.copy()
    hidden = found.sure
    if settings.disguises:
        hidden = disguised_alone(
            eight_bit(image), hidden, settings.disguises, settings.seed
        )
    rng = np.random.default_rng(settings.seed)
    return hide_faces(image, hidden, settings, rng)


def run(
    source: str | PathLike[str],
    target: str | PathLike[str],
    method: str,
    **options: Any,
) -> Generator[Outcome, None, None]:
    """Hide the faces in a folder of pictures, or in one picture.

    A program that uses more than one job must be guarded by
    `if __name__ == "__main__":`, as workers import it.

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
    run_options = RunOptions(
        **{name: options.pop(name) for name in names & options.keys()}
    )
    settings = make_settings(method, options)
    plan = files.plan(
        place(fspath(source)),
        place(fspath(target)),
        format_=settings.format,
        choice=run_options.choice,
        renaming=settings.renaming,
    )
    yield from batch.run(plan, settings, run_options)


def make_settings(method: str, options: dict[str, Any]) -> Settings:
    """Sort options into those of the method and those of every method.

    Raises:
        OptionError: a method or an option is unknown, or a value is wrong.
        PeopleError: the people of `only` or `except_` cannot be used.
    """
    anonymizer = anonymizers.get(method)
    own = {option.name for option in declared(anonymizer)}
    common = {option.name for option in declared(Settings)}
    unknown = options.keys() - own - common - _SELECTING
    if unknown:
        raise OptionError(
            f"{method} has no option {', '.join(sorted(unknown))}; "
            f"it has {', '.join(sorted(own | common | _SELECTING))}"
        )
    settings = Settings(
        method,
        anonymizer(**{name: options[name] for name in own & options.keys()}),
        **{name: options[name] for name in common & options.keys()},
    )
    only, except_ = options.get("only"), options.get("except_")
    match = options.get("match", "normal")
    return selecting(settings, only, except_, match)[0]


def _check_image(image: Image) -> None:
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"an image has the shape (H, W, 3), not {image.shape}")
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image is of uint8 or uint16, not {image.dtype}")
