"""The grey value of a PNG that is transparent, which OpenCV passes over."""

import cv2
import numpy as np

from faceanon.media.containers.png import chunks
from faceanon.model import Image, white

_BIT_DEPTH, _COLOR_TYPE = 24, 25
_GREY = 0


def with_transparent_grey(pixels: Image, data: bytes) -> Image:
    """Add transparency to a PNG that is grey but for one value (PNG, section 11.3.2.1).

    Args:
        pixels: as OpenCV decodes them, values of fewer than 8 bits stretched to 255.
        data: the whole file, its chunks known to be whole.

    Returns:
        BGRA where the file says so, else the pixels as they are.
    """
    value = _transparent_value(data)
    if value is None or pixels.ndim != 2:
        return pixels
    largest = (1 << data[_BIT_DEPTH]) - 1
    shown = (value & largest) * white(pixels) // largest
    with_alpha = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGRA)
    with_alpha[:, :, 3] = np.where(pixels == shown, 0, white(pixels))
    return with_alpha


def _transparent_value(data: bytes) -> int | None:
    """What the chunk tRNS of a grey PNG says; None without one."""
    if data[_COLOR_TYPE] != _GREY:
        return None
    for chunk in chunks(data):
        if chunk.kind == b"IDAT":
            break
        if chunk.kind == b"tRNS" and chunk.end - chunk.start == 2:
            return int.from_bytes(chunk.content(data))
    return None
