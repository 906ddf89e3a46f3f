"""Paint faces over with one colour."""

from dataclasses import dataclass

import numpy as np

from faceanon.anonymizers.colors import contrasting, parse_color
from faceanon.anonymizers.labels import draw_label, parse_label
from faceanon.anonymizers.painter import Hole, Painter
from faceanon.model import Image, white
from faceanon.options import option


@dataclass(frozen=True)
class BlackBar(Painter):
    """Paint a solid rectangle over each whole face.

    The strongest method: nothing of the face is left in the picture.
    """

    color: str = option(
        "black",
        "Colour of the bar: a name such as 'black' or 'white', or 'rrggbb'.",
        parse=parse_color,
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
        color = parse_color(self.color)
        level = white(hole.surroundings) // 255
        size = hole.visible.height, hole.visible.width, 3
        bar = np.empty(size, hole.surroundings.dtype)
        bar[:] = [part * level for part in reversed(color)]
        if text := parse_label(self.label or ""):
            draw_label(bar, text, contrasting(color) * level)
        return bar
