"""Show a mosaic in the place of faces."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from faceanon.anonymizers.faithful import LEAST_NOISE, MOST_CELLS, FaithfulMosaic
from faceanon.anonymizers.mosaic import MOST_CELLS_A_SIDE, SMALLEST_CELL
from faceanon.anonymizers.nobody import Floats, NobodyPainter, canvas
from faceanon.anonymizers.painter import Hole
from faceanon.anonymizers.tracks import are_alike
from faceanon.options import option


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

    interpolation: ClassVar[int] = cv2.INTER_NEAREST

    @property
    def filter(self) -> FaithfulMosaic:
        """See `NobodyPainter`."""
        return FaithfulMosaic(self.cells, self.noise)

    def small(self, hole: Hole, rng: np.random.Generator) -> Floats:
        """Draw the mosaic, a pixel for each cell; see `NobodyPainter.small`."""
        width, height = hole.cover.width, hole.cover.height
        most = max(width, height) / MOST_CELLS_A_SIDE
        cell = max(hole.face.width / self.cells, SMALLEST_CELL, most)
        # Whole cells only, so that the grid tells nothing but the size of the cover; in
        # a film as many in each frame.
        ideal = width / cell, height / cell
        size = hole.past.kept(
            "cells",
            (max(1, round(ideal[0])), max(1, round(ideal[1]))),
            lambda size: are_alike(size, ideal),
        )
        cells = cv2.resize(canvas(hole, rng), size, interpolation=cv2.INTER_AREA)
        return np.asarray(cells, np.float32).reshape(*size[::-1], 3)
