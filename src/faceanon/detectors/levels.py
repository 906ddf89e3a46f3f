"""How much work detection spends on a picture, as data."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Accuracy: TypeAlias = Literal["fast", "balanced", "thorough"]
ACCURACIES: tuple[str, ...] = get_args(Accuracy)


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of the network over a picture.

    Attributes:
        long_side: what the picture's longer side is scaled to, in pixels.
        smallest: faces smaller than this in the scaled picture are left to other
            passes, in pixels.
        largest: so are those that are larger.
        mirrored: whether the picture is mirrored left to right before.
    """

    long_side: int
    smallest: float = 0
    largest: float = float("inf")
    mirrored: bool = False


LEVELS: dict[str, tuple[Pass, ...]] = {
    "fast": (Pass(640),),
    "balanced": (Pass(640, smallest=20), Pass(1600, largest=100)),
    "thorough": tuple(
        Pass(*sizes, mirrored=mirrored)
        for sizes in ((640, 20), (1024, 16, 128), (1600, 0, 100))
        for mirrored in (False, True)
    ),
}
