"""Animated WebP, frame by frame (RFC 9649, section 2.7)."""

import io
import struct
from collections.abc import Iterable, Iterator

import cv2
from PIL import Image as PillowImage

from faceanon.media.clip import Frame, Header

_ICC, _ALPHA, _ANIMATION = 0x20, 0x10, 0x02
_REPLACE = 0x02  # frames are not blended with what was there
_PIXELS = (b"ALPH", b"VP8 ", b"VP8L")
_LONGEST = 0xFFFFFF


def write(header: Header, frames: Iterable[Frame], quality: int) -> bytes:
    """The bytes of a file."""
    flags = _ANIMATION | _ALPHA | (_ICC if header.icc_profile else 0)
    size = _three(header.width - 1) + _three(header.height - 1)
    parts = [b"WEBP", _chunk(b"VP8X", struct.pack("<I", flags) + size)]
    if header.icc_profile:
        parts.append(_chunk(b"ICCP", header.icc_profile))
    # The background, and the number of plays: 0 is for ever, and 1 once.
    plays = 1 if header.loop is None else header.loop
    parts.append(_chunk(b"ANIM", struct.pack("<IH", 0, min(plays, 0xFFFF))))
    parts += [_frame(frame, header.is_lossless, quality) for frame in frames]
    return _chunk(b"RIFF", b"".join(parts))


def _frame(frame: Frame, is_lossless: bool, quality: int) -> bytes:
    pixels = frame.pixels
    code = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    image = PillowImage.fromarray(cv2.cvtColor(pixels, code))
    buffer = io.BytesIO()
    if is_lossless:
        # For lossless WebP, quality is the effort.
        image.save(buffer, "WEBP", lossless=True, quality=50, exact=True)
    else:
        image.save(buffer, "WEBP", quality=quality, exact=True)
    milliseconds = min(round(frame.seconds * 1000), _LONGEST)
    body = (
        _three(0)
        + _three(0)
        + _three(image.width - 1)
        + _three(image.height - 1)
        + _three(milliseconds)
        + bytes((_REPLACE,))
    )
    for name, part in chunks(buffer.getvalue(), 12):
        if name in _PIXELS:
            body += _chunk(name, part)
    return _chunk(b"ANMF", body)


def chunks(data: bytes, offset: int) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a RIFF file from an offset on: name and body."""
    while offset + 8 <= len(data):
        size = int.from_bytes(data[offset + 4 : offset + 8], "little")
        yield data[offset : offset + 4], data[offset + 8 : offset + 8 + size]
        offset += 8 + size + size % 2


def _chunk(name: bytes, body: bytes) -> bytes:
    padding = bytes(len(body) % 2)
    return name + struct.pack("<I", len(body)) + body + padding


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")
