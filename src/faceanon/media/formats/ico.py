"""ICO, icons of Windows: a picture in several sizes, each a PNG or a BMP."""

import io
import struct
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import cv2
import numpy as np

from faceanon.errors import PictureError
from faceanon.media.clip import EditedFrame, Header
from faceanon.media.formats.common import (
    encode_with_opencv,
    pixels_of,
)
from faceanon.media.formats.png import decode as decode_png
from faceanon.media.picture import Encoding, Picture
from faceanon.model import Image

_LARGEST = 256
_ENTRY = struct.Struct("<BBBBHHII")
_HEADER_SIZE = 6
_PNG = b"\x89PNG"


def entries(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each size: its place in the header, where it is in the file, and how long.

    Raises:
        PictureError: one is not in the file.
    """
    count = int.from_bytes(data[4:6], "little")
    for number in range(count):
        at = _HEADER_SIZE + number * _ENTRY.size
        entry = data[at : at + _ENTRY.size]
        if len(entry) < _ENTRY.size:
            raise PictureError("the file is damaged: its end is missing")
        *_, length, offset = _ENTRY.unpack(entry)
        if not length or offset + length > len(data):
            raise PictureError("the file is damaged: one of its sizes is missing")
        yield entry, offset, length


def one_size(data: bytes, entry: bytes, offset: int, length: int) -> bytes:
    """A file that holds nothing but one of the sizes."""
    place = struct.pack("<II", length, _HEADER_SIZE + _ENTRY.size)
    head = struct.pack("<HHH", 0, 1, 1) + entry[:8] + place
    return head + data[offset : offset + length]


def is_png(data: bytes, offset: int) -> bool:
    """Whether a size is stored as a PNG."""
    return data.startswith(_PNG, offset)


def decode(source: Any, data: bytes) -> tuple[Any, Encoding, bool]:
    """The pixels of a file of one size."""
    offset = _HEADER_SIZE + _ENTRY.size
    if is_png(data, offset):
        pixels, _, _ = decode_png(None, data[offset:])
        return pixels, Encoding("ico", compression="png"), True
    pixels = pixels_of(source)
    if pixels.shape[2:] == (4,) and pixels[:, :, 3].min() == 255:
        pixels = np.ascontiguousarray(pixels[:, :, :3])
    return pixels, Encoding("ico", compression="bmp"), True


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file of one size."""
    target = io.BytesIO()
    write_film(Header("ico", "still", 0, 0), [EditedFrame(picture)], target, None)
    return target.getvalue()


def write_film(
    header: Header,
    frames: Iterable[EditedFrame],
    target: BinaryIO,
    quality: int | None,
) -> None:
    """Write all sizes."""
    stored = [_stored(frame.picture) for frame in frames]
    offset = _HEADER_SIZE + len(stored) * _ENTRY.size
    target.write(struct.pack("<HHH", 0, 1, len(stored)))
    for width, height, data in stored:
        size = width % _LARGEST, height % _LARGEST
        target.write(_ENTRY.pack(*size, 0, 0, 1, 32, len(data), offset))
        offset += len(data)
    for *_, data in stored:
        target.write(data)


def _stored(picture: Picture) -> tuple[int, int, bytes]:
    """A size as it stands in a file."""
    height, width = picture.shape
    if picture.encoding.compression != "bmp":
        return width, height, encode_with_opencv(picture, ".png")
    return width, height, _bitmap(picture.pixels)


def _bitmap(pixels: Image) -> bytes:
    """A BMP as icons have it: without a file header, and with a mask below."""
    height, width = pixels.shape[:2]
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    if pixels.shape[2] == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA)
    colors = pixels[::-1].tobytes()
    mask = np.zeros((height, -(-width // 32) * 32), np.uint8)
    mask[:, :width] = pixels[::-1, :, 3] == 0
    header = struct.pack(
        "<IiiHHIIiiII", 40, width, 2 * height, 1, 32, 0, len(colors), 0, 0, 0, 0
    )
    return header + colors + np.packbits(mask, axis=1).tobytes()
