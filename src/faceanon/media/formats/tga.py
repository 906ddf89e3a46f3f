"""TGA ("Truevision TGA File Format Specification", version 2.0)."""

import struct
from typing import Any

import numpy as np

from faceanon.media.containers import Readable
from faceanon.media.formats.common import Decoded, encode_with_pillow, pixels_of
from faceanon.media.picture import Encoding, Picture

_HEADER = struct.Struct("<BBBHHBHHHHBB")
# By the kind of picture, which bits a pixel may have.
_DEPTHS = {
    **dict.fromkeys((1, 9), (8,)),  # with a palette
    **dict.fromkeys((2, 10), (15, 16, 24, 32)),
    **dict.fromkeys((3, 11), (8, 16)),  # grey
}
_WITH_PALETTE, _COLORS = (1, 9), (2, 10)
_KIND, _DEPTH = 2, 16
_FIFTEEN = 15
_RLE = "tga_rle"


def is_tga(data: Readable) -> bool:
    """Whether a file can be one: there are no first bytes that all of them have."""
    head = data[: _HEADER.size]
    if len(head) < _HEADER.size:
        return False
    (
        id_length,
        has_palette,
        kind,
        first,
        length,
        entry,
        *_,
        width,
        height,
        depth,
        how,
    ) = _HEADER.unpack(head)
    is_palette_right = (
        has_palette == 1 and 0 < length <= 256 and entry in (15, 16, 24, 32)
        if kind in _WITH_PALETTE
        # What is not there should have no size, and in a mouse pointer has one.
        else has_palette == 0 and first == length == 0
    )
    palette = length * -(-entry // 8) if has_palette else 0
    least = _HEADER.size + id_length + palette
    return (
        kind in _DEPTHS
        and depth in _DEPTHS[kind]
        and is_palette_right
        and width * height > 0
        and how & 0xC0 == 0
        and len(data) > least
    )


def with_usual_depth(data: Readable) -> bytes | None:
    """A file of 15 bits as one of 16, as which they are stored; None for others."""
    if data[_DEPTH] != _FIFTEEN:
        return None
    return data[:_DEPTH] + bytes((16, data[_DEPTH + 1] & 0x30)) + data[_DEPTH + 2 :]


def decode(source: Any, data: bytes) -> Decoded:
    """The pixels of a file."""
    pixels = pixels_of(source)
    if data[_KIND] in _COLORS and data[_DEPTH] == 16:
        # Programs do not agree on what the last bit is, or whether it is 1 or 0.
        pixels = np.ascontiguousarray(pixels[:, :, :3])
    is_packed = source.info.get("compression") == _RLE
    return pixels, Encoding("tga", compression=_RLE if is_packed else "raw"), True


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file, packed as the input was."""
    is_packed = encoding.compression == _RLE
    return encode_with_pillow(picture, "TGA", compression=_RLE if is_packed else None)
