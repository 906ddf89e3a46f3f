"""GIF, frame by frame (CompuServe, "Graphics Interchange Format", version 89a).

A frame holds 256 colours. Each gets a table of its own, with the colours that the frame
shows; only where something was hidden, colours give way to similar ones.
"""

import io
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from faceanon.errors import PictureError
from faceanon.media.clip import EditedFrame, Header
from faceanon.media.formats.common import Decoded, pixels_of
from faceanon.media.picture import Encoding, Picture
from faceanon.model import Image

_COLORS = 256
_HEADER_SIZE = 13
_LARGEST = 0xFFFF
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_CONTROL, _APPLICATION = 0xF9, 0xFF

# What becomes of a frame when the next one comes.
_LEAVE, _CLEAR = 1, 2


def decode(source: Any, data: bytes) -> Decoded:
    """The pixels of a file that has one picture."""
    pixels = pixels_of(source)
    return pixels, Encoding("gif"), False


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file.

    Raises:
        PictureError: it has more colours than a file can hold.
    """
    height, width = picture.shape
    everywhere = np.ones((height, width), dtype=bool)
    target = io.BytesIO()
    header = Header("gif", "still", width, height)
    write_film(header, [EditedFrame(picture, changed=everywhere)], target, quality)
    return target.getvalue()


def write_film(
    header: Header,
    frames: Iterable[EditedFrame],
    target: BinaryIO,
    quality: int | None,
) -> None:
    """Write an animation, frame by frame.

    Raises:
        PictureError: a frame has more colours than one can hold.
    """
    size = struct.pack("<HHBBB", header.width, header.height, 0x70, 0, 0)
    target.write(b"GIF89a" + size)
    if header.loop is not None:
        body = struct.pack("<BBHB", 3, 1, min(header.loop, _LARGEST), 0)
        target.write(bytes((_EXTENSION, _APPLICATION, 11)) + b"NETSCAPE2.0" + body)
    waiting: _Indexed | None = None
    for frame in frames:
        indexed = _indexed(frame)
        if waiting is not None:
            # Through a transparent part the frame before must not be seen.
            is_cleared = indexed.transparent is not None
            target.write(_packed(waiting, is_cleared=is_cleared))
        waiting = indexed
    if waiting is not None:
        target.write(_packed(waiting, is_cleared=False))
    target.write(bytes((_TRAILER,)))


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A frame as it is stored.

    Attributes:
        indices: of the colours, shape (H, W).
        palette: the colours, shape (N, 3), red, green and blue.
        transparent: the index that shows nothing; None if there is none.
        seconds: how long the frame is shown.
    """

    indices: NDArray[np.uint8]
    palette: NDArray[np.uint8]
    transparent: int | None
    seconds: float

    def clearable(self) -> "_Indexed":
        """The same with a transparent index, if there is room for one.

        Some decoders clear a frame that has none to the background colour.
        """
        if self.transparent is not None or len(self.palette) == _COLORS:
            return self
        palette = np.concatenate((self.palette, np.zeros((1, 3), np.uint8)))
        return replace(self, palette=palette, transparent=len(self.palette))


def _packed(frame: _Indexed, *, is_cleared: bool) -> bytes:
    """A frame's parts of the file.

    Args:
        frame: what to write.
        is_cleared: whether nothing of it is left when the next one comes.
    """
    if is_cleared:
        frame = frame.clearable()
    delay = min(round(frame.seconds * 100), _LARGEST)
    flags = (_CLEAR if is_cleared else _LEAVE) << 2 | (frame.transparent is not None)
    body = struct.pack("<BHBB", flags, delay, frame.transparent or 0, 0)
    control = bytes((_EXTENSION, _CONTROL, 4)) + body
    return control + _compressed(frame.indices, frame.palette)


def _compressed(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """A frame's descriptor, its colour table and its pixels."""
    image = PillowImage.fromarray(indices)
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    # Pillow writes a file of one frame, of which the compressed pixels are taken.
    image.save(buffer, "GIF", optimize=False, interlace=0)
    table, data = _taken_apart(buffer.getvalue())
    bits = (len(table) // 3).bit_length() - 1
    height, width = indices.shape
    start = struct.pack("<BHHHHB", _IMAGE, 0, 0, width, height, 0x80 | bits - 1)
    return start + table + data


def _taken_apart(data: bytes) -> tuple[bytes, bytes]:
    """The colour table and the compressed pixels of a file of one frame."""
    table_size = 3 << (data[10] & 7) + 1
    table = data[_HEADER_SIZE : _HEADER_SIZE + table_size]
    offset = _HEADER_SIZE + table_size
    while data[offset] == _EXTENSION:
        offset += 2
        while data[offset]:
            offset += data[offset] + 1
        offset += 1
    return table, data[offset + 10 : data.rindex(_TRAILER)]


def _indexed(frame: EditedFrame) -> _Indexed:
    codes = _codes(frame.picture.pixels)
    known, indices = np.unique(codes, return_inverse=True)
    if len(known) > _COLORS:
        known = _fewer(codes, frame.changed)
        indices = _nearest(codes, known)
    clear = np.flatnonzero(known == _TRANSPARENT)
    palette = np.stack([known >> 16 & 255, known >> 8 & 255, known & 255], axis=1)
    return _Indexed(
        indices.reshape(codes.shape).astype(np.uint8),
        palette.astype(np.uint8),
        int(clear[0]) if len(clear) else None,
        frame.seconds,
    )


_TRANSPARENT = 1 << 24


def _codes(pixels: Image) -> NDArray[np.uint32]:
    """Colours as numbers, 0xRRGGBB; all that are transparent as one more."""
    channels = [pixels] * 3 if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    blue, green, red = (channel.astype(np.uint32) for channel in channels[:3])
    codes = red << 16 | green << 8 | blue
    if len(channels) == 4:
        codes[channels[3] < 128] = _TRANSPARENT
    return np.asarray(codes, np.uint32)


def _fewer(
    codes: NDArray[np.uint32], changed: NDArray[np.bool_] | None
) -> NDArray[np.uint32]:
    """At most 256 colours: all outside of what was changed, and some of the inside."""
    kept = np.unique(codes if changed is None else codes[~changed])
    room = _COLORS - len(kept)
    if room < 0 or changed is None:
        raise PictureError(
            "a frame shows more than 256 colours, which a frame of a GIF cannot hold; "
            "use --format png or webp"
        )
    inside = codes[changed & (codes != _TRANSPARENT)]
    if room and len(inside):
        rgb = np.stack([inside >> 16 & 255, inside >> 8 & 255, inside & 255], axis=-1)
        image = PillowImage.fromarray(rgb[None].astype(np.uint8))
        some = image.quantize(room, PillowImage.Quantize.MEDIANCUT).convert("RGB")
        red, green, blue = np.asarray(some, np.uint32).reshape(-1, 3).T
        kept = np.unique(np.concatenate((kept, red << 16 | green << 8 | blue)))
    return kept.astype(np.uint32)


def _nearest(codes: NDArray[np.uint32], known: NDArray[np.uint32]) -> NDArray[np.intp]:
    """For each pixel the index of its colour, or of the most similar one."""
    colors, inverse = np.unique(codes, return_inverse=True)
    opaque = np.flatnonzero(known != _TRANSPARENT)
    shifts = np.array([16, 8, 0], np.uint32)
    table = (known[opaque, None] >> shifts & 255).astype(np.int32)
    wanted = (colors[:, None] >> shifts & 255).astype(np.int32)
    best = [opaque[((table - color) ** 2).sum(axis=1).argmin()] for color in wanted]
    nearest = np.array(best, np.intp)
    exact = np.searchsorted(known, colors).clip(max=len(known) - 1)
    nearest = np.where(known[exact] == colors, exact, nearest)
    return np.asarray(nearest[inverse.reshape(-1)])
