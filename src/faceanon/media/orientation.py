"""Turning pictures, and boxes in them, as EXIF orientation says (TIFF 6.0, tag 274)."""

from typing import Any

from numpy.typing import NDArray

from faceanon.model import Box

# Orientations in which rows are stored from the bottom up, columns from right to left,
# and rows as columns.
_BOTTOM_UP, _RIGHT_TO_LEFT, _ACROSS = (3, 4, 7, 8), (2, 3, 6, 7), (5, 6, 7, 8)


def is_across(orientation: int) -> bool:
    """Whether a stored picture lies on its side, so that width and height change."""
    return orientation in _ACROSS


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn a stored picture upright; a view."""
    if orientation in _ACROSS:
        pixels = pixels.swapaxes(0, 1)
    return _flipped(pixels, orientation)


def stored(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn an upright picture as it is stored; a view."""
    pixels = _flipped(pixels, orientation)
    return pixels.swapaxes(0, 1) if orientation in _ACROSS else pixels


def upright_box(box: Box, orientation: int, height: int, width: int) -> Box:
    """Where a box of a stored picture is when that is upright.

    Args:
        box: in the stored picture.
        orientation: 1 to 8.
        height: of the upright picture.
        width: likewise.
    """
    if orientation in _ACROSS:
        box = _swapped(box)
    return _flipped_box(box, orientation, height, width)


def stored_box(box: Box, orientation: int, height: int, width: int) -> Box:
    """Where a box of an upright picture is stored; see `upright_box`."""
    box = _flipped_box(box, orientation, height, width)
    return _swapped(box) if orientation in _ACROSS else box


def _flipped(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    if orientation in _BOTTOM_UP:
        pixels = pixels[::-1]
    if orientation in _RIGHT_TO_LEFT:
        pixels = pixels[:, ::-1]
    return pixels


def _flipped_box(box: Box, orientation: int, height: int, width: int) -> Box:
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    if orientation in _BOTTOM_UP:
        top, bottom = height - bottom, height - top
    if orientation in _RIGHT_TO_LEFT:
        left, right = width - right, width - left
    return Box(left, top, right, bottom)


def _swapped(box: Box) -> Box:
    return Box(box.top, box.left, box.bottom, box.right)
