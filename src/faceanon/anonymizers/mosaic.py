"""Coarse mosaics of a face: what `--faithful` shows, or smooths."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceanon.model import Image, white

# Below this, a cell is so few pixels that their mean still is the picture: six cells on
# a face of eight pixels would leave it as it is.
SMALLEST_CELL = 4.0

# The part of the noise that is drawn for each channel by itself. Noise common to the
# three would leave their differences, the colour of lips and eyes, as they are; noise
# wholly independent would be averaged out of the brightness by adding the three up.
CHROMA_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Mosaic:
    """The cells of a patch.

    Attributes:
        cells: shape (R, C, 3), float64, the colours of the cells, 0 to white.
        rows: shape (h,), the row of cells that each row of pixels belongs to.
        columns: shape (w,), the column of cells that each column of pixels belongs to.
    """

    cells: NDArray[np.float64]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]

    def sampled(self, height: int, width: int) -> NDArray[np.float64]:
        """The mosaic drawn at another size: shape (height, width, 3), float64."""
        rows = self.rows[_pixel_centres(len(self.rows), height)]
        columns = self.columns[_pixel_centres(len(self.columns), width)]
        return self.cells[:, columns][rows]


def mosaic(patch: Image, cell: float, noise: float, rng: np.random.Generator) -> Mosaic:
    """Cut a patch into square cells and take the noisy mean of each.

    The mean is that of every pixel in the cell, not a sample or an interpolation of a
    few. The grid is put at a random place, and each mean gets Laplace noise, as in
    DP-Pix (Fan, "Image Pixelization with Differential Privacy", DBSec 2018), so that
    imitating the filter on photos of known people does not reproduce the result.

    Args:
        patch: shape (h, w, 3), uint8 or uint16, h and w at least 1.
        cell: side of a cell in pixels; `SMALLEST_CELL` is the least that is used.
        noise: scale of the Laplace noise, in grey levels of 0 to 255.
        rng: where the grid's place and the noise come from.
    """
    cell = max(cell, SMALLEST_CELL)
    height, width = patch.shape[:2]
    rows, columns = _cell_indices(height, cell, rng), _cell_indices(width, cell, rng)
    row_starts = np.flatnonzero(np.diff(rows, prepend=-1))
    column_starts = np.flatnonzero(np.diff(columns, prepend=-1))
    sums = np.add.reduceat(patch, row_starts, axis=0, dtype=np.int64)
    sums = np.add.reduceat(sums, column_starts, axis=1)
    counts = np.bincount(rows)[:, None] * np.bincount(columns)[None, :]
    cells = sums / counts[:, :, None]
    scale = noise * white(patch) / 255
    cells += rng.laplace(0.0, scale, cells.shape[:2])[:, :, None]
    cells += rng.laplace(0.0, scale * CHROMA_SHARE, cells.shape)
    return Mosaic(cells.clip(0, white(patch)), rows, columns)


def _cell_indices(
    length: int, cell: float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """For each pixel in a row of `length`, its cell, numbered from 0 without gaps."""
    places = np.floor((np.arange(length) + 0.5 + rng.uniform(0, cell)) / cell)
    return np.unique(places, return_inverse=True)[1]


def _pixel_centres(length: int, samples: int) -> NDArray[np.intp]:
    return ((np.arange(samples) + 0.5) * (length / samples)).astype(np.intp)
