"""The DCT blocks of the changed part of a picture.

A changed sample gets its value from the changed pixels that share it and from nothing
else. A block that is changed in part keeps its other samples as they decode, before
the decoder spreads chroma over the neighbouring pixels.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from faceanon.jpeg.structure import CannotKeep, Structure
from faceanon.model import Image

# About how many blocks are computed at once: enough to be fast, few enough for pictures
# of any size.
_BATCH = 2048

# What a component is of blue, green and red, and of one (ITU-T T.871, section 7).
_WEIGHTS = {
    "grey": ((1.0, 0.0),),
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


# So many blocks are multiplied with it at once: for more, NumPy would use threads.
_PRODUCT = 32


def _dct_matrix() -> NDArray[np.float32]:
    """The orthonormal DCT-II of 8x8 samples: shape (64, 64), frequency by sample."""
    frequency, place = np.arange(8)[:, None], np.arange(8)
    matrix = np.cos((2 * place + 1) * frequency * np.pi / 16) / 2
    matrix[0] /= np.sqrt(2)
    return np.kron(matrix, matrix).astype(np.float32)


_DCT = _dct_matrix()


@dataclass(frozen=True, slots=True)
class _Blocks:
    """What some of the blocks of a component become.

    Attributes:
        start: which of the component's changed blocks is the first of these.
        end: which of them follows the last.
        columns: shape (n,).
        samples: shape (n, 8, 8), 0 to 255.
        is_new: shape (n, 8, 8), which of the samples count.
        is_whole: shape (n,), in which blocks all do.
        coefficients: shape (n, 8, 8), those of the samples, quantized.
    """

    start: int
    end: int
    columns: NDArray[np.intp]
    samples: NDArray[np.float32]
    is_new: NDArray[np.bool_]
    is_whole: NDArray[np.bool_]
    coefficients: NDArray[np.int16]


class BlockEditor:
    """Puts the changed pixels of a picture into the coefficients of its JPEG.

    Args:
        structure: of the JPEG.
        pixels: the picture after the change, as stored: shape (H, W) or (H, W, 3) BGR,
            uint8.
        changed: which pixels are changed: shape (H, W).
    """

    def __init__(
        self, structure: Structure, pixels: Image, changed: NDArray[np.bool_]
    ) -> None:
        self._components = structure.components
        self._weights = _WEIGHTS[structure.color_space]
        self._pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
        self._changed = changed
        self._blocks = _touched(structure, changed)
        self._places = [_places(rows) for rows, _ in self._blocks]
        self._computed: list[_Blocks | None] = [None] * len(structure.components)

    def __call__(self, index: int, row: int, coefficients: NDArray[np.int16]) -> None:
        """Change a row of blocks; see `turbojpeg.Edit`. Rows come in their order.

        Raises:
            CannotKeep: coefficients that would be kept cannot be written.
        """
        if not _is_in_range(coefficients):
            raise CannotKeep("its coefficients are out of range")
        place = self._places[index].get(row)
        if place is None:
            return
        computed = self._computed[index]
        if computed is None or computed.end <= place.start:
            computed = self._computed[index] = self._compute(index, place.start)
        place = slice(place.start - computed.start, place.stop - computed.start)
        columns, new = computed.columns[place], computed.coefficients[place]
        partial = np.flatnonzero(~computed.is_whole[place])
        if len(partial):
            table = self._components[index].quantization
            old = coefficients[columns[partial]].reshape(-1, 8, 8)
            kept = (_product(old * table, _DCT) + 128).clip(0, 255)
            is_new = computed.is_new[place][partial]
            samples = np.where(is_new, computed.samples[place][partial], kept)
            new[partial] = _quantized(samples, table)
        coefficients[columns] = new.reshape(-1, 64)

    def _compute(self, index: int, start: int) -> _Blocks:
        """Compute whole rows of blocks, the one that begins there and some more."""
        part = self._components[index]
        rows, columns = self._blocks[index]
        last = rows[min(start + _BATCH, len(rows)) - 1]
        end = self._places[index][int(last)].stop
        rows, columns = rows[start:end], columns[start:end]
        height, width = 8 * part.down, 8 * part.across
        changed = _tiles(self._changed, rows, columns, height, width)
        pixels = _tiles(self._pixels, rows, columns, height, width)
        pixels = pixels.reshape(-1, width, pixels.shape[-1])
        values = cv2.transform(pixels, np.array([self._weights[index]], np.float32))
        counts = _sums(changed, part.down, part.across)
        sums = _sums(values.reshape(changed.shape) * changed, part.down, part.across)
        samples = np.divide(sums, counts.clip(min=1), dtype=np.float32)
        is_new = counts > 0
        return _Blocks(
            start,
            end,
            columns,
            samples,
            is_new,
            np.logical_and.reduce(is_new, axis=(1, 2)),
            _quantized(samples, part.quantization),
        )


def _quantized(
    samples: NDArray[np.float32], table: NDArray[np.float32]
) -> NDArray[np.int16]:
    """The quantized coefficients of blocks of samples."""
    coefficients = (_product(samples - 128, _DCT.T) / table).round()
    return coefficients.clip(-_LARGEST, _LARGEST).astype(np.int16)


def _product(
    blocks: NDArray[np.float32], matrix: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Blocks, shape (n, 8, 8), each as a row of 64 times a matrix."""
    rows = blocks.reshape(-1, 64)
    product = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), _PRODUCT):
        part = slice(start, start + _PRODUCT)
        np.matmul(rows[part], matrix, out=product[part])
    return product.reshape(-1, 8, 8)


def _is_in_range(coefficients: NDArray[np.int16]) -> bool:
    if coefficients.max() > _LARGEST:
        return False
    if coefficients.min() >= -_LARGEST:
        return True
    first, others = coefficients[:, 0], coefficients[:, 1:]
    return bool(first.min() >= -_LARGEST - 1 and others.min() >= -_LARGEST)


def _sums(pixels: NDArray[Any], down: int, across: int) -> NDArray[np.float32]:
    """The sums over the pixels that share a sample: shape (blocks, 8, 8)."""
    sums = np.zeros((len(pixels), 8, 8), np.float32)
    for y in range(down):
        for x in range(across):
            sums += pixels[:, y::down, x::across]
    return sums


def _touched(
    structure: Structure, changed: NDArray[np.bool_]
) -> list[tuple[NDArray[np.intp], ...]]:
    """For each component the rows and columns of the blocks with a changed pixel."""
    across = max(part.across for part in structure.components)
    down = max(part.down for part in structure.components)
    if changed.shape[1] % 8:
        changed = np.pad(changed, ((0, 0), (0, -changed.shape[1] % 8)))
    # Eight pixels are one integer.
    eights = np.ascontiguousarray(changed).view(np.uint64)
    tops = np.arange(0, len(eights), 8)
    blocks = np.bitwise_or.reduceat(eights, tops, axis=0) != 0
    blocks = np.pad(
        blocks, [(0, -blocks.shape[0] % down), (0, -blocks.shape[1] % across)]
    )
    touched = []
    for part in structure.components:
        shape = (len(blocks) // part.down, part.down, -1, part.across)
        touched.append(np.nonzero(blocks.reshape(shape).any(axis=(1, 3))))
    return touched


def _places(rows: NDArray[np.intp]) -> dict[int, slice]:
    """Where the blocks of each row are, by row; `rows` has that of each block."""
    present, starts = np.unique(rows, return_index=True)
    ends = [*starts[1:].tolist(), len(rows)]
    slices = map(slice, starts.tolist(), ends)
    return dict(zip(present.tolist(), slices, strict=True))


def _tiles(
    pixels: NDArray[Any],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    height: int,
    width: int,
) -> NDArray[Any]:
    """Tiles of an image: shape (tiles, height, width, ...).

    Beyond the edge is a copy of what lies at it, as encoders put there.
    """
    tiles = np.empty((len(rows), height, width, *pixels.shape[2:]), pixels.dtype)
    top, left = rows * height, columns * width
    is_whole = (top + height <= pixels.shape[0]) & (left + width <= pixels.shape[1])
    if is_whole.any():
        windows = sliding_window_view(pixels, (height, width), axis=(0, 1))
        found = windows[top[is_whole], left[is_whole]]
        tiles[is_whole] = np.moveaxis(found, (-2, -1), (1, 2))
    cut = ~is_whole
    y = np.minimum(top[cut, None] + np.arange(height), pixels.shape[0] - 1)
    x = np.minimum(left[cut, None] + np.arange(width), pixels.shape[1] - 1)
    tiles[cut] = pixels[y[:, :, None], x[:, None, :]]
    return tiles
