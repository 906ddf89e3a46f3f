"""Coarse mosaics of a face: what `--faithful` shows, or smooths."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.tracks import Past, are_alike
from faceanon.model import Box, Image, white

# Below this, a cell is so few pixels that their mean still is the picture: six cells on
# a face of eight pixels would leave it as it is.
SMALLEST_CELL = 4.0

# A box that is not drawn around a face can be as narrow as a line.
MOST_CELLS_A_SIDE = 1000

# In a film cells keep their colours for so many frames, about a second, and go over to
# new ones in so many: each new look at a moving face is another one to average.
_HELD_FRAMES, _FADING_FRAMES = 30, 8

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
    cells = _means(patch, rows, columns)
    cells += _noise(cells.shape[:2], noise * white(patch) / 255, rng)
    return Mosaic(cells.clip(0, white(patch)), rows, columns)


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """The cells of a track, without noise: shape (R, C, 3), NaN where never seen.

    Attributes:
        old: where they come from.
        new: where they go to, and stay.
        age: for how many frames, of which they need the first ones to get there.
    """

    old: NDArray[np.float64]
    new: NDArray[np.float64]
    age: int

    @property
    def shown(self) -> NDArray[np.float64]:
        share = min(self.age / _FADING_FRAMES, 1.0)
        return np.asarray(self.old + (self.new - self.old) * share)

    def in_next(self, seen: NDArray[np.float64], step: int) -> "_Held":
        """The cells in the next frame, in which these are seen."""
        age = self.age + step
        held = (
            _Held(self.shown, seen, 0)
            if age >= _HELD_FRAMES
            else _Held(self.old, self.new, age)
        )
        new = np.where(np.isnan(held.new), seen, held.new)
        return _Held(np.where(np.isnan(held.old), new, held.old), new, held.age)


def held_mosaic(
    patch: Image,
    cover: Box,
    cell: float,
    noise: float,
    *,
    rng: np.random.Generator,
    past: Past,
) -> Mosaic:
    """The mosaic of a track in one frame of a film.

    As many frames as there are show a face at slightly other places, under other noise:
    their mean shows more than each of them. So the grid is fixed to the cover, whether
    or not all of it lies in the picture, and has as many cells in each frame; its place
    and the noise are the track's; and the means of pixels are taken once in a while.

    Args:
        patch: as for `mosaic`: the part of the cover that lies in the picture.
        cover: all of it, by pixels of the patch.
        cell: as for `mosaic`.
        noise: as for `mosaic`.
        rng: in the same state in each frame.
        past: what is remembered of the track.
    """
    cell = max(cell, SMALLEST_CELL, max(cover.width, cover.height) / MOST_CELLS_A_SIDE)
    ideal = cover.height / cell, cover.width / cell
    # Rounded down: cells may be larger, not smaller.
    count = past.kept(
        "grid",
        (max(1, math.floor(ideal[0])), max(1, math.floor(ideal[1]))),
        lambda count: are_alike(count, ideal),
    )
    begin = rng.uniform(0, 1, 2)
    places = [
        (np.arange(length) + 0.5 - first) * (cells / side) + shift
        for length, first, side, cells, shift in zip(
            patch.shape[:2],
            (cover.top, cover.left),
            (cover.height, cover.width),
            count,
            begin,
            strict=True,
        )
    ]
    rows, columns = (np.floor(place).astype(np.intp) for place in places)
    seen_rows, row_of = np.unique(rows, return_inverse=True)
    seen_columns, column_of = np.unique(columns, return_inverse=True)
    seen = np.full((count[0] + 1, count[1] + 1, 3), np.nan)
    seen[np.ix_(seen_rows, seen_columns)] = _means(patch, row_of, column_of)
    before = past.recalled("cells")
    if before is None or before.new.shape != seen.shape:
        held = _Held(seen, seen, 0)
    else:
        held = before.in_next(seen, past.step)
    past.note("cells", held)
    noisy = held.shown + _noise(seen.shape[:2], noise * white(patch) / 255, rng)
    return Mosaic(noisy.clip(0, white(patch)), rows, columns)


def _means(
    patch: Image, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The mean of all pixels of each cell: shape (R, C, 3).

    Args:
        patch: shape (h, w, 3).
        rows: as in `Mosaic`; ascending, without gaps.
        columns: likewise.
    """
    row_starts = np.flatnonzero(np.diff(rows, prepend=-1))
    column_starts = np.flatnonzero(np.diff(columns, prepend=-1))
    sums = np.add.reduceat(patch, row_starts, axis=0, dtype=np.int64)
    sums = np.add.reduceat(sums, column_starts, axis=1)
    counts = np.bincount(rows)[:, None] * np.bincount(columns)[None, :]
    return np.asarray(sums / counts[:, :, None], np.float64)


def _noise(
    shape: tuple[int, ...], scale: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Laplace noise on cells: shape (R, C, 3)."""
    common = rng.laplace(0.0, scale, shape)[:, :, None]
    return np.asarray(common + rng.laplace(0.0, scale * CHROMA_SHARE, (*shape, 3)))


def _cell_indices(
    length: int, cell: float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """For each pixel in a row of `length`, its cell, numbered from 0 without gaps."""
    places = np.floor((np.arange(length) + 0.5 + rng.uniform(0, cell)) / cell)
    return np.unique(places, return_inverse=True)[1]


def _pixel_centres(length: int, samples: int) -> NDArray[np.intp]:
    return ((np.arange(samples) + 0.5) * (length / samples)).astype(np.intp)
