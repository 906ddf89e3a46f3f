"""Finding faces: `make()` gives a detector by name.

A new detector is a module here with a function `make(accuracy)` and an entry in
`_BUILT_IN`. Modules are imported when they are needed, as networks are slow to load.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import NamedTuple, Protocol

from faceanon import options
from faceanon.errors import OptionError
from faceanon.model import Face, Image
from faceanon.options import option
from faceanon.vision.detection.levels import ACCURACIES, Accuracy
from faceanon.vision.detection.threshold import Threshold


class BuiltIn(NamedTuple):
    """A detector of this package.

    Attributes:
        module: what makes it.
        has_points: whether it gives each face its five points.
    """

    module: str
    has_points: bool


_BUILT_IN = {
    "centerface": BuiltIn("faceanon.vision.detection.centerface", has_points=True),
    "haar": BuiltIn("faceanon.vision.detection.haar", has_points=False),
}


class Detector(Protocol):
    """Something that finds the faces in an image.

    Attributes:
        threshold: what counts as a face, when the user does not say.
        batch: how many images are worth looking at together.
    """

    threshold: Threshold
    batch: int

    def scale(self, height: int, width: int) -> float:
        """At which scale a picture of this size is looked at, at most; 1 is full size.

        It finds as much in one that was made smaller before, but not than that.
        """

    def smallest_face(self, height: int, width: int) -> int:
        """The width of a face, in pixels, from which on it is found in such a picture.

        Smaller ones are found now and then.
        """

    def __call__(
        self, images: Sequence[Image], min_score: float | None = None
    ) -> list[tuple[Face, ...]]:
        """Find the faces in images.

        Args:
            images: each of shape (H, W, 3), BGR, uint8, upright; of different sizes, if
                need be. They are not changed.
            min_score: the least score of what is returned, 0 to 1; None for what
                counts as a face by the detector's own threshold.

        Returns:
            The faces of each image, the most certain first. The same image gives the
            same faces, whichever others it comes with.
        """


def names() -> tuple[str, ...]:
    """The names of the detectors, the default one first."""
    return tuple(_BUILT_IN)


def has_points(name: str) -> bool:
    """Whether a detector finds the eyes of a face, by which people are recognised.

    Args:
        name: one of `names()`.
    """
    return _BUILT_IN[name].has_points


@dataclass(frozen=True, slots=True)
class DetectorOptions:
    """How faces are looked for."""

    detector: str = option("centerface", "The face detector.", choices=names())
    accuracy: Accuracy = option(
        "balanced",
        "How thoroughly to look for faces.",
        choices=ACCURACIES,
    )
    min_score: float | None = option(
        None,
        "Least score of what is hidden. A lower value hides more faces, but also more "
        "things that are not faces.",
        minimum=0.01,
        maximum=1,
        default_text="the detector's own",
    )

    def __post_init__(self) -> None:
        """Check the values against what is declared."""
        options.check(self)


@cache
def make(name: str, accuracy: Accuracy = "balanced") -> Detector:
    """Make a detector, once in a process.

    Args:
        name: one of `names()`.
        accuracy: how much work it spends on a picture; "haar" knows one way only.

    Raises:
        OptionError: there is no detector or no accuracy of this name.
    """
    if name not in _BUILT_IN:
        raise OptionError(
            f"there is no detector {name!r}; there are {', '.join(names())}"
        )
    if accuracy not in ACCURACIES:
        raise OptionError(
            f"accuracy must be one of {', '.join(ACCURACIES)}, not {accuracy!r}"
        )
    detector: Detector = import_module(_BUILT_IN[name].module).make(accuracy)
    return detector
