"""Show a mosaic in the place of faces."""

from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.anonymizers.base import PatchAnonymizer
from faceanon.anonymizers.faithful import LEAST_NOISE, MOST_CELLS, FaithfulMosaic
from faceanon.anonymizers.mosaic import SMALLEST_CELL
from faceanon.anonymizers.nobody import NobodyPainter, canvas, enlarged
from faceanon.anonymizers.painter import Hole
from faceanon.model import Image
from faceanon.options import option

# A box that is not drawn around a face can be as narrow as a line.
_MOST_CELLS_A_SIDE = 1000


@dataclass(frozen=True)
class Pixelate(NobodyPainter):
    """Cover each face with a mosaic that is drawn anew and shows nobody.

    Only the colour of the skin, in coarse steps, is taken from the face; all else comes
    from the picture around it and from a drawing. There is nothing to undo.
    """

    cells: float = option(
        float(MOST_CELLS), "Cells across the width of a face.", minimum=1, maximum=64
    )
    faithful: bool = option(
        False,
        "Make the mosaic of the face's own pixels, with noise. This protects less: "
        "people who are looked for can be recognised.",
    )
    noise: float = option(
        LEAST_NOISE,
        "With --faithful: scale of the random noise on each cell, in grey levels of 0 "
        "to 255.",
        minimum=0,
        maximum=255,
    )

    @property
    def filter(self) -> PatchAnonymizer:
        """See `NobodyPainter`."""
        return FaithfulMosaic(self.cells, self.noise)

    def paint(self, hole: Hole, rng: np.random.Generator) -> Image:
        """Draw the mosaic; see `Painter.paint`."""
        width, height = hole.cover.width, hole.cover.height
        most = max(width, height) / _MOST_CELLS_A_SIDE
        cell = max(hole.face.width / self.cells, SMALLEST_CELL, most)
        # Whole cells only, so that the grid tells nothing but the size of the cover.
        size = max(1, round(width / cell)), max(1, round(height / cell))
        cells = cv2.resize(canvas(hole, rng), size, interpolation=cv2.INTER_AREA)
        return enlarged(cells.reshape(*size[::-1], 3), hole, cv2.INTER_NEAREST)
