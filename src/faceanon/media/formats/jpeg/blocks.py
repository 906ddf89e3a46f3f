"""The DCT blocks of the changed parts of a picture.

A changed sample gets its value from the changed pixels that share it and from nothing
else. A block that is changed in part keeps its other samples as they decode, before
the decoder spreads chroma over the neighbouring pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.media.formats.jpeg.structure import CannotTranscode, Component, Structure
from faceanon.model import Image

Floats: TypeAlias = NDArray[np.float32]

# What a component is of blue, green and red, and of one (ITU-T T.871, section 7).
_WEIGHTS = {
    "grey": ((0.114, 0.587, 0.299, 0.0),),
    "ycc": (
        (0.114, 0.587, 0.299, 0.0),
        (0.5, -0.331264, -0.168736, 128.0),
        (-0.081312, -0.418688, 0.5, 128.0),
    ),
    "rgb": ((0.0, 0.0, 1.0, 0.0), (0.0, 1.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)),
}

# The range of baseline coding (T.81, tables F.1 and F.2); -1024 is for the first of a
# block only. libjpeg-turbo writes damaged files beyond it.
_LARGEST = 1023

# The side of what is computed at once, in pixels, a multiple of every unit: few enough
# for pictures of any size. For larger products NumPy would use threads.
_TILE = 288


def _dct_matrix() -> Floats:
    """The orthonormal DCT-II of 8 samples: shape (8, 8), frequency by sample."""
    frequency, place = np.arange(8)[:, None], np.arange(8)
    matrix = np.cos((2 * place + 1) * frequency * np.pi / 16) / 2
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


_DCT = _dct_matrix()


@dataclass(frozen=True, slots=True)
class Patch:
    """A changed part of a picture, as it is stored, in whole units (MCU).

    What lies beyond the picture is a copy of what is at its edge, as encoders do it.

    Attributes:
        left: where it begins, in pixels.
        top: likewise.
        pixels: what it becomes: shape (H, W, 3), BGR, uint8.
        changed: which of its pixels are changed: shape (H, W).
        samples: those that each component has until now, as `turbojpeg.samples` gives
            them.
    """

    left: int
    top: int
    pixels: Image
    changed: NDArray[np.bool_]
    samples: Sequence[NDArray[np.uint8]]


class BlockEditor:
    """Puts the changed parts of a picture into the coefficients of its JPEG.

    Args:
        structure: of the JPEG.
        patches: the changed parts; where they overlap, the last one counts.
    """

    def __init__(self, structure: Structure, patches: Sequence[Patch]) -> None:
        self._is_bounded = structure.is_bounded
        self._follows_change = False
        # The tiles of each row of blocks, by component.
        self._rows: list[dict[int, list[_Tile]]] = []
        weights = _WEIGHTS[structure.color_space]
        for index, part in enumerate(structure.components):
            rows: dict[int, list[_Tile]] = {}
            for patch in patches:
                for tile in _tiles(patch, index, part, weights[index]):
                    for row in tile.rows:
                        rows.setdefault(row, []).append(tile)
            self._rows.append(rows)

    def __call__(self, index: int, row: int, coefficients: NDArray[np.int16]) -> None:
        """Change a row of blocks; see `turbojpeg.Edit`. Rows come in their order.

        Raises:
            CannotTranscode: coefficients that would be kept cannot be written.
        """
        # Once a row is done nothing but these holds a tile, and its memory is free.
        tiles = self._rows[index].pop(row, ())
        if not self._is_bounded:
            _check_range(coefficients[:, 1:], -_LARGEST)
        # The first of a block is stored as a difference to that of the last block.
        if tiles or self._follows_change or not self._is_bounded:
            _check_range(coefficients[:, 0], -_LARGEST - 1)
        self._follows_change = bool(tiles)
        for tile in tiles:
            tile.write(row, coefficients)


@dataclass(eq=False)
class _Tile:
    """A part of a patch, and what one component becomes there.

    Attributes:
        part: the component.
        weights: what it is of blue, green, red and one.
        row: of blocks of the component, in which the tile begins.
        column: likewise.
        pixels: see `Patch`; here those of the tile.
        changed: likewise.
        samples: likewise, of the component.
    """

    part: Component
    weights: Sequence[float]
    row: int
    column: int
    pixels: Image
    changed: NDArray[np.bool_]
    samples: NDArray[np.uint8]

    @property
    def rows(self) -> range:
        """The rows of blocks in which it is."""
        return range(self.row, self.row + self.samples.shape[0] // 8)

    def write(self, row: int, coefficients: NDArray[np.int16]) -> None:
        """Put the blocks that are changed into a row; see `turbojpeg.Edit`."""
        new = self._blocks[row - self.row]
        # Units reach beyond the last block.
        old = coefficients[self.column : self.column + len(new)]
        touched = self._touched[row - self.row, : len(old)]
        np.copyto(old, new[: len(old)], where=touched[:, None])

    @cached_property
    def _touched(self) -> NDArray[np.bool_]:
        """Which blocks are changed: shape (rows, columns)."""
        height, width = 8 * self.part.down, 8 * self.part.across
        rows, columns = (side // 8 for side in self.samples.shape)
        pixels = self.changed.reshape(rows, height, columns, width)
        return np.asarray(np.logical_or.reduce(pixels, axis=(1, 3)))

    @cached_property
    def _blocks(self) -> NDArray[np.int16]:
        """The coefficients: shape (rows, columns, 64)."""
        new, is_new = self._new_samples()
        samples = np.where(is_new, new, self.samples)
        exact = _transformed(samples - np.float32(128)) / self.part.quantization
        blocks = exact.round().clip(-_LARGEST, _LARGEST).astype(np.int16)
        return blocks.reshape(*blocks.shape[:2], 64)

    def _new_samples(self) -> tuple[Floats, NDArray[np.bool_]]:
        """The means of the changed pixels that share a sample, and where there are."""
        values = cv2.transform(self.pixels, np.array([self.weights], np.float32))
        if (self.part.down, self.part.across) == (1, 1):
            return np.asarray(values, np.float32), self.changed
        size = self.samples.shape[::-1]
        changed = np.asarray(self.changed, np.float32)
        share = cv2.resize(changed, size, interpolation=cv2.INTER_AREA)
        means = cv2.resize(values * changed, size, interpolation=cv2.INTER_AREA)
        is_new = np.asarray(share > 0)
        return np.asarray(means / np.where(is_new, share, 1), np.float32), is_new


def _tiles(
    patch: Patch, index: int, part: Component, weights: Sequence[float]
) -> Iterator[_Tile]:
    height, width = patch.changed.shape
    for y, x in product(range(0, height, _TILE), range(0, width, _TILE)):
        place = slice(y, y + _TILE), slice(x, x + _TILE)
        if not patch.changed[place].any():
            continue
        rows = slice(y // part.down, (y + _TILE) // part.down)
        columns = slice(x // part.across, (x + _TILE) // part.across)
        yield _Tile(
            part,
            weights,
            (patch.top + y) // (8 * part.down),
            (patch.left + x) // (8 * part.across),
            patch.pixels[place],
            patch.changed[place],
            patch.samples[index][rows, columns],
        )


def _transformed(samples: Floats) -> Floats:
    """The DCT of each block: shape (rows, columns, 8, 8), vertical frequency first."""
    rows, columns = samples.shape[0] // 8, samples.shape[1] // 8
    vertical = _DCT @ samples.reshape(rows, 8, 8 * columns)
    both = vertical.reshape(rows, 8 * columns, 8) @ _DCT.T
    blocks = both.reshape(rows, 8, columns, 8).swapaxes(1, 2)
    return np.asarray(blocks, np.float32)


def _check_range(coefficients: NDArray[np.int16], least: int) -> None:
    """Refuse coefficients below the least or above the largest.

    Raises:
        CannotTranscode: there are such.
    """
    if coefficients.min() < least or coefficients.max() > _LARGEST:
        raise CannotTranscode("its coefficients are out of range")
