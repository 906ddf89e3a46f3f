"""How much work detection spends on a picture, as data.

The figures behind the choices are in `docs/accuracy.md`.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from faceanon.vision.detection.threshold import Threshold

Accuracy: TypeAlias = Literal["fast", "balanced", "thorough"]
ACCURACIES: tuple[str, ...] = get_args(Accuracy)


@dataclass(frozen=True, slots=True)
class ScalePass:
    """One pass of the network over a picture, shown at one size.

    Attributes:
        long_side: the size at which the picture is shown, in pixels: that of the longer
            side, were the picture 3:2. Others are shown with the same area. Infinity
            shows it as large as it is.
        smallest: faces that appear smaller are left to other passes, in shown pixels.
        largest: so are those that appear larger.
        mirrored: whether the picture is mirrored left to right.
        everywhere: whether all of the picture is shown, or only the part in which the
            first pass saw a hint of small faces.
        turned: quarter turns clockwise before the picture is shown.
        least_scale: shown pixels to a pixel of a large picture, at least: however large
            it is, it is shown no smaller.
        large_only: whether it is made in large pictures only.
    """

    long_side: float
    smallest: float = 0
    largest: float = float("inf")
    mirrored: bool = False
    everywhere: bool = True
    turned: int = 0
    least_scale: float = 0
    large_only: bool = False

    @property
    def name(self) -> str:
        """What the pass is called in reports, such as "640" or "1024 mirrored"."""
        size = "full size" if math.isinf(self.long_side) else f"{self.long_side:g}"
        turned = f" turned {90 * self.turned}" if self.turned else ""
        return size + " mirrored" * self.mirrored + turned


@dataclass(frozen=True, slots=True)
class Level:
    """The passes over a picture.

    Attributes:
        first: the pass made first.
        others: the passes made then, those over all of the picture first.
        hint_score: from which score on a small face in the first pass is a hint; in a
            large picture, in any pass over all of it.
        hint_size: up to which size, in shown pixels, a face is a small one.
        visible: the width, in pixels as shown by the largest pass over all of a
            picture, from which on a face is found or leaves a hint (measured by
            `benchmarks/large_pictures.py`).
        threshold: what counts as a face, unless the user says otherwise.
        large: how many pixels a picture has, at most, that is not large: small faces
            appear in its first pass.
        if_uncertain: passes made when no face was certain until then.
        turned_score: from which score on a place in a pass over all of the picture is
            looked at again, turned, when no certain face lies there.
        most_turned: how many such places are looked at in a million pixels, at most.
    """

    first: ScalePass
    others: tuple[ScalePass, ...]
    hint_score: float
    hint_size: float
    visible: float
    threshold: Threshold
    large: int = 2 << 20
    if_uncertain: tuple[ScalePass, ...] = ()
    turned_score: float = 1
    most_turned: int = 0


# Where no face is certain, the picture is looked at smaller: that averages the grain
# of an old photograph out.
_SMALLER = (ScalePass(320, smallest=12), ScalePass(320, smallest=12, mirrored=True))
_TURNED = tuple(ScalePass(640, smallest=20, turned=turned) for turned in (1, 2, 3))

LEVELS: dict[str, Level] = {
    "fast": Level(
        ScalePass(512, smallest=15),
        (
            ScalePass(512, smallest=15, largest=128, least_scale=0.42, large_only=True),
            ScalePass(896, largest=128, everywhere=False, least_scale=0.7),
        ),
        hint_score=0.13,
        hint_size=20,
        visible=13.4,
        threshold=Threshold(0.28, by_size=True),
        if_uncertain=_SMALLER,
    ),
    "balanced": Level(
        ScalePass(640, smallest=20),
        (
            ScalePass(640, smallest=20, largest=128, least_scale=0.6, large_only=True),
            ScalePass(
                1024, smallest=16, largest=128, everywhere=False, least_scale=0.8
            ),
            ScalePass(
                1664, largest=100, mirrored=True, everywhere=False, least_scale=1.2
            ),
        ),
        hint_score=0.1,
        hint_size=25,
        visible=14.4,
        threshold=Threshold(0.28, by_size=True, beside=0.5),
        large=1 << 20,
        if_uncertain=_SMALLER,
        turned_score=0.07,
        most_turned=4,
    ),
    "thorough": Level(
        ScalePass(640, smallest=20),
        (
            ScalePass(640, smallest=20, mirrored=True),
            ScalePass(float("inf"), largest=128),
            ScalePass(1024, smallest=16, largest=128, mirrored=True, everywhere=False),
            ScalePass(2000, largest=100, everywhere=False, least_scale=1.9),
            ScalePass(
                2000, largest=100, mirrored=True, everywhere=False, least_scale=1.9
            ),
        ),
        hint_score=0.03,
        hint_size=40,
        visible=12,
        threshold=Threshold(0.21, by_size=True, beside=0.5),
        if_uncertain=_SMALLER + _TURNED,
    ),
}
