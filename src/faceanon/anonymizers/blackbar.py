"""Paint faces over with one colour."""

from dataclasses import dataclass

import numpy as np

from faceanon.anonymizers.base import PatchAnonymizer
from faceanon.anonymizers.colors import parse_color
from faceanon.model import Image, white
from faceanon.options import option


@dataclass(frozen=True)
class BlackBar(PatchAnonymizer):
    """Paint a solid rectangle over each whole face.

    The strongest method: nothing of the face is left in the picture.
    """

    color: str = option(
        "black",
        "Colour of the bar: a name such as 'black' or 'white', or '#rrggbb'.",
        parse=parse_color,
        metavar="COLOR",
    )

    def hide_patch(
        self, patch: Image, face_width: float, rng: np.random.Generator
    ) -> Image:
        """Fill the patch; see `PatchAnonymizer.hide_patch`."""
        red, green, blue = (
            round(part * white(patch) / 255) for part in parse_color(self.color)
        )
        return np.full_like(patch, (blue, green, red))
