"""Show faces as a few coarse cells."""

from dataclasses import dataclass

import numpy as np

from faceanon.anonymizers.base import PatchAnonymizer
from faceanon.anonymizers.mosaic import mosaic
from faceanon.model import Image
from faceanon.options import option

MOST_CELLS = 8
"""With more cells across a face, a recogniser that knows nothing of the filter begins
to name people (20 % of nine people at 10 cells, 64 % at 12)."""

LEAST_NOISE = 40.0
"""With less, one who pixelates photos of known people in the same way finds the
matching one."""


@dataclass(frozen=True)
class Pixelate(PatchAnonymizer):
    """Replace each face by a mosaic of a few cells with noise.

    Random noise is added to each cell, so that imitating the filter on photos of known
    people does not tell who it is.
    """

    cells: float = option(
        6.0, "Cells across the width of a face.", minimum=1, maximum=64
    )
    noise: float = option(
        LEAST_NOISE,
        "Scale of the random noise on each cell, in grey levels of 0 to 255.",
        minimum=0,
        maximum=255,
    )

    def cautions(self) -> tuple[str, ...]:
        """Say when the cells are too fine or the noise too weak."""
        cautions = []
        if self.cells > MOST_CELLS:
            cautions.append(
                f"{self.cells:g} cells across a face can leave it recognisable; "
                f"use {MOST_CELLS} or fewer"
            )
        if self.noise < LEAST_NOISE:
            cautions.append(
                f"noise of {self.noise:g} grey levels lets one who pixelates photos of "
                f"known people in the same way find the match; use {LEAST_NOISE:g} or "
                "more"
            )
        return tuple(cautions)

    def hide_patch(
        self, patch: Image, face_width: float, rng: np.random.Generator
    ) -> Image:
        """Draw the mosaic of the patch; see `PatchAnonymizer.hide_patch`."""
        cells = mosaic(patch, face_width / self.cells, self.noise, rng)
        colors = cells.cells.round().astype(patch.dtype)
        return colors[:, cells.columns][cells.rows]
