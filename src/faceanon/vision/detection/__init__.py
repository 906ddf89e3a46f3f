"""Finding faces: `make()` gives a detector by name.

A new detector is a module here with a function `make(accuracy)` and a line in
`_MODULES`. Modules are imported when they are needed, as networks are slow to load.
"""

from functools import cache
from importlib import import_module
from typing import Protocol

from faceanon.errors import OptionError
from faceanon.model import Face, Image
from faceanon.vision.detection.levels import ACCURACIES, Accuracy

_MODULES = {
    "centerface": "faceanon.vision.detection.centerface",
    "haar": "faceanon.vision.detection.haar",
}


class Detector(Protocol):
    """Something that finds the faces in an image.

    Attributes:
        min_score: the least score that counts as a face, when the user does not say.
    """

    min_score: float

    def scale(self, height: int, width: int) -> float:
        """At which scale a picture of this size is looked at, at most; 1 is full size.

        It finds as much in one that was made smaller before, but not than that.
        """

    def __call__(
        self, image: Image, min_score: float | None = None
    ) -> tuple[Face, ...]:
        """Find the faces in an image.

        Args:
            image: shape (H, W, 3), BGR, uint8, upright. It is not changed.
            min_score: the least score of what is returned, 0 to 1; None for the
                detector's own.

        Returns:
            The faces, the most certain first. The same image gives the same faces.
        """


def names() -> tuple[str, ...]:
    """The names of the detectors, the default one first."""
    return tuple(_MODULES)


@cache
def make(name: str, accuracy: Accuracy = "balanced") -> Detector:
    """Make a detector, once in a process.

    Args:
        name: one of `names()`.
        accuracy: how much work it spends on a picture; "haar" knows one way only.

    Raises:
        OptionError: there is no detector or no accuracy of this name.
    """
    if name not in _MODULES:
        raise OptionError(
            f"there is no detector {name!r}; there are {', '.join(_MODULES)}"
        )
    if accuracy not in ACCURACIES:
        raise OptionError(
            f"accuracy must be one of {', '.join(ACCURACIES)}, not {accuracy!r}"
        )
    detector: Detector = import_module(_MODULES[name]).make(accuracy)
    return detector
