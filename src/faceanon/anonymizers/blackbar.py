"""Paint faces over with one colour."""

from dataclasses import dataclass

import numpy as np

from faceanon.anonymizers.colors import parse_color
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
        "Colour of the bar: a name such as 'black' or 'white', or '#rrggbb'.",
        parse=parse_color,
        metavar="COLOR",
    )

    def paint(self, hole: Hole, rng: np.random.Generator) -> Image:
        """Fill the cover; see `Painter.paint`."""
        red, green, blue = (
            round(part * white(hole.surroundings) / 255)
            for part in parse_color(self.color)
        )
        size = hole.visible.height, hole.visible.width, 3
        return np.full(size, (blue, green, red), hole.surroundings.dtype)
