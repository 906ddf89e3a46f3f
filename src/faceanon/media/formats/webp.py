"""WebP, one picture or animated (RFC 9649, section 2.7)."""

import struct
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from faceanon.media.clip import EditedFrame, Header
from faceanon.media.containers import Readable
from faceanon.media.containers.riff import chunks, packed
from faceanon.media.formats.common import (
    DEFAULT_QUALITY,
    Decoded,
    decode_with_opencv,
    encode_with_pillow,
)
from faceanon.media.metadata import exif_block
from faceanon.media.metadata.webp import HAS_EXIF
from faceanon.media.picture import Encoding, Picture

_ICC, _ALPHA, _ANIMATION = 0x20, 0x10, 0x02
_REPLACE = 0x02  # frames are not blended with what was there
_PIXELS = (b"ALPH", b"VP8 ", b"VP8L")
_LONGEST = 0xFFFFFF
# What stands in the chunk of a frame before its own chunks.
_FRAME_HEADER = 16


def decode(source: Any, data: bytes) -> Decoded:
    """The pixels of a file that has one picture."""
    encoding = Encoding("webp", lossless=next(are_lossless(data), False))
    return decode_with_opencv(data), encoding, False


def are_lossless(data: Readable) -> Iterator[bool]:
    """Whether each picture of a file is lossless, as they come."""
    for chunk in chunks(data):
        if chunk.kind in (b"VP8L", b"VP8 "):
            yield chunk.kind == b"VP8L"
        elif chunk.kind == b"ANMF":
            inner = chunks(data, chunk.start + _FRAME_HEADER, chunk.end)
            yield any(part.kind == b"VP8L" for part in inner)


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file."""
    if encoding.lossless and quality is None:
        # For lossless WebP, quality is the effort; exact keeps the colours under
        # transparent pixels as they are.
        return encode_with_pillow(
            picture, "WEBP", lossless=True, quality=50, exact=True
        )
    return encode_with_pillow(
        picture, "WEBP", quality=quality or DEFAULT_QUALITY, exact=True
    )


def write_film(
    header: Header,
    frames: Iterable[EditedFrame],
    target: BinaryIO,
    quality: int | None,
) -> None:
    """Write an animation, frame by frame, each as a whole picture."""
    start = target.tell()
    exif = b""
    for number, frame in enumerate(frames):
        picture = frame.picture
        if number == 0:
            exif = exif_block(picture.metadata)
            target.write(_start(header, picture, has_exif=bool(exif)))
        stored = encode(
            Picture(picture.pixels, picture.encoding), picture.encoding, quality
        )
        target.write(packed(b"ANMF", _frame(frame, stored)))
    if exif:
        target.write(packed(b"EXIF", exif))
    size = target.tell() - start
    target.seek(start + 4)
    target.write(struct.pack("<I", size - 8))
    target.seek(start + size)


def _start(header: Header, first: Picture, *, has_exif: bool) -> bytes:
    flags = _ANIMATION | _ALPHA | (_ICC if first.icc_profile else 0)
    flags |= HAS_EXIF if has_exif else 0
    size = _three(header.width - 1) + _three(header.height - 1)
    parts = [packed(b"VP8X", struct.pack("<I", flags) + size)]
    if first.icc_profile:
        parts.append(packed(b"ICCP", first.icc_profile))
    # The background, and the number of plays: 0 is for ever, and 1 once.
    plays = 1 if header.loop is None else header.loop
    parts.append(packed(b"ANIM", struct.pack("<IH", 0, min(plays, 0xFFFF))))
    # The size follows when it is known.
    return b"RIFF\0\0\0\0WEBP" + b"".join(parts)


def _frame(frame: EditedFrame, stored: bytes) -> bytes:
    """What the chunk of a frame holds, out of a file that holds its picture."""
    height, width = frame.picture.shape
    milliseconds = min(round(frame.seconds * 1000), _LONGEST)
    body = (
        _three(0)
        + _three(0)
        + _three(width - 1)
        + _three(height - 1)
        + _three(milliseconds)
        + bytes((_REPLACE,))
    )
    for chunk in chunks(stored):
        if chunk.kind in _PIXELS:
            body += packed(chunk.kind, chunk.content(stored))
    return body


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")
