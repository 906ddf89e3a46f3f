"""Paint faces over with one colour."""

from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.anonymizers.colors import contrasting, parse_color
from faceanon.anonymizers.labels import draw_label, parse_label
from faceanon.anonymizers.painter import Hole, Painter
from faceanon.model import Image, white
from faceanon.options import option

_AVERAGE = "average"


def _parse(text: str) -> None:
    """Check a colour, or what stands for that of the surroundings."""
    if text != _AVERAGE:
        parse_color(text)


@dataclass(frozen=True)
class BlackBar(Painter):
    """Paint a solid rectangle over each whole face.

    The strongest method: nothing of the face is left in the picture.
    """

    color: str = option(
        "black",
        "Colour of the bar: a name such as 'black' or 'white', 'rrggbb', or 'average', "
        "that of what surrounds it.",
        parse=_parse,
        metavar="COLOR",
    )
    label: str | None = option(
        None,
        "A short text on each bar that is large enough for it, the same for all.",
        parse=parse_label,
        metavar="TEXT",
        default_text="none",
    )

    def paint(self, hole: Hole, rng: np.random.Generator) -> Image:
        """Fill the cover; see `Painter.paint`."""
        level = white(hole.surroundings) // 255
        color = parse_color(self.color) if self.color != _AVERAGE else _average(hole)
        size = hole.visible.height, hole.visible.width, 3
        bar = np.empty(size, hole.surroundings.dtype)
        bar[:] = [round(part * level) for part in reversed(color)]
        if text := parse_label(self.label or ""):
            draw_label(bar, text, contrasting(color) * level)
        return bar


def _average(hole: Hole) -> tuple[float, float, float]:
    """The mean colour around a cover: red, green, blue, each 0 to 255.

    Black where nothing is known, as the face fills the picture.
    """
    level = white(hole.surroundings) // 255
    means = cv2.mean(hole.surroundings, hole.known.view(np.uint8))
    blue, green, red = (mean / level for mean in means[:3])
    return red, green, blue
