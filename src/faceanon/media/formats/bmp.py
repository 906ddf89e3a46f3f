"""BMP."""

import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.errors import PictureError
from faceanon.media.containers import Readable
from faceanon.media.formats.common import Decoded, encode_with_opencv, pixels_of
from faceanon.media.picture import Encoding, Picture
from faceanon.model import Image

_FILE_HEADER = 14
# BITMAPINFOHEADER and what came after it; the longer ones hold the masks.
_HEADER_SIZES = (40, 52, 56, 64, 108, 124)
_BITFIELDS, _WITH_ALPHA = 3, 6
_START = struct.Struct("<IiiHHI")
_DEPTHS = (16, 32)


def decode(source: Any, data: bytes) -> Decoded:
    """The pixels of a file."""
    # OpenCV takes the colours of old and of 16-bit files for others.
    return pixels_of(source), Encoding("bmp"), True


@dataclass(frozen=True, slots=True)
class MaskedHeader:
    """The header of a file whose pixels are numbers with colours in some of their bits.

    Attributes:
        width: in pixels.
        height: likewise.
        is_bottom_up: whether the lowest row comes first.
        bits: of a pixel, 16 or 32.
        masks: the bits of red, green, blue and, where there is transparency, alpha.
        start: where the pixels begin.
    """

    width: int
    height: int
    is_bottom_up: bool
    bits: int
    masks: tuple[int, ...]
    start: int


def has_masks(data: Readable) -> bool:
    """Whether a file is a BMP of that kind, of which Pillow knows few layouts."""
    head = data[: _FILE_HEADER + _START.size]
    if head[:2] != b"BM" or len(head) < _FILE_HEADER + _START.size:
        return False
    size, _, _, _, bits, compression = _START.unpack_from(head, _FILE_HEADER)
    # Of OS/2, 3 means another compression.
    is_known = size in _HEADER_SIZES and size != 64
    return is_known and bits in _DEPTHS and compression in (_BITFIELDS, _WITH_ALPHA)


def masked_header(data: Readable) -> MaskedHeader:
    """The header of a file for which `has_masks` holds.

    Raises:
        PictureError: it is damaged.
    """
    head = data[: _FILE_HEADER + 56]
    size, width, height, _, bits, compression = _START.unpack_from(head, _FILE_HEADER)
    has_alpha = size >= 56 or compression == _WITH_ALPHA
    place = _FILE_HEADER + 40
    found = head[place : place + (16 if has_alpha else 12)]
    if len(found) < 12 or len(found) % 4 or width <= 0 or height == 0:
        raise PictureError("the file is damaged: its header is cut off, or no header")
    masks = struct.unpack(f"<{len(found) // 4}I", found)
    if not masks[-1] and len(masks) == 4:
        masks = masks[:3]
    whole = (1 << bits) - 1
    if not any(masks[:3]) or any(mask > whole for mask in masks):
        raise PictureError("the file is damaged: its masks are none")
    (start,) = struct.unpack_from("<I", head, 10)
    return MaskedHeader(width, abs(height), height > 0, bits, masks, start)


def decode_masked(data: bytes, header: MaskedHeader) -> Image:
    """The pixels: BGR or BGRA, uint8.

    Raises:
        PictureError: it is damaged.
    """
    across = -(-header.width * header.bits // 32) * 4
    size = across * header.height
    if header.start < _FILE_HEADER or header.start + size > len(data):
        raise PictureError("the file is damaged: its end, or a part of it, is missing")
    rows = np.frombuffer(data, np.uint8, size, header.start).reshape(-1, across)
    dtype = "<u4" if header.bits == 32 else "<u2"
    numbers = rows.view(dtype)[:, : header.width]
    if header.is_bottom_up:
        numbers = numbers[::-1]
    red, green, blue, *alpha = (_channel(numbers, mask) for mask in header.masks)
    return cv2.merge([blue, green, red, *alpha])


def _channel(numbers: NDArray[Any], mask: int) -> NDArray[np.uint8]:
    """What the bits of a mask say, from 0 to 255; 0 where it has none."""
    if not mask:
        return np.zeros(numbers.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    values = ((numbers & mask) >> shift).astype(np.uint64)
    return np.asarray((values * 255 + most // 2) // most, np.uint8)


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file."""
    return encode_with_opencv(picture, ".bmp")
