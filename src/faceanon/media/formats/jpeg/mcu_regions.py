"""The parts of a JPEG that a change touches, in whole units (MCU)."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.media.formats.jpeg.structure import Structure
from faceanon.model import Box


def mcu_regions(boxes: Iterable[Box], structure: Structure) -> list[Box]:
    """The areas of a picture in which boxes lie, as it is stored.

    Each box lies whole in one of them, with the pixels around it: from these a decoder
    takes a part of the colours at its edge. Areas begin at a unit and end at one, or at
    the picture's edge. They may overlap, but no unit belongs to boxes of two areas.

    Args:
        boxes: inside the picture, as it is stored.
        structure: of the JPEG.
    """
    width, height = structure.unit_width, structure.unit_height
    rows, columns = -(-structure.height // height), -(-structure.width // width)
    units = np.zeros((rows, columns), np.uint8)
    for box in boxes:
        left, top = max(box.left - 1, 0), max(box.top - 1, 0)
        down = slice(top // height, box.bottom // height + 1)
        units[down, left // width : box.right // width + 1] = 1
    return [
        Box(
            box.left * width,
            box.top * height,
            min(box.right * width, structure.width),
            min(box.bottom * height, structure.height),
        )
        for box in _pieces(units)
    ]


def boxes_around(changed: NDArray[np.bool_]) -> list[Box]:
    """Boxes that hold every changed pixel, one for each coherent piece, about.

    Args:
        changed: which pixels are: shape (H, W).
    """
    height, width = changed.shape
    if width % 8:
        changed = np.pad(changed, ((0, 0), (0, -width % 8)))
    # Eight pixels are one integer.
    eights = np.ascontiguousarray(changed).view(np.uint64)
    cells = np.bitwise_or.reduceat(eights, np.arange(0, height, 8), axis=0) != 0
    return [
        Box(8 * box.left, 8 * box.top, 8 * box.right, 8 * box.bottom).clipped(
            height, width
        )
        for box in _pieces(cells.astype(np.uint8))
    ]


def _pieces(cells: NDArray[np.uint8]) -> list[Box]:
    """The boxes around what hangs together."""
    _, _, found, _ = cv2.connectedComponentsWithStats(cells, connectivity=4)
    return [
        Box(left, top, left + width, top + height)
        for left, top, width, height, _ in found[1:].tolist()
    ]
