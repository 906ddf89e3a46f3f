"""Animated PNG, frame by frame (PNG 3rd edition, sections 4.9 and 11.3.6)."""

import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from zlib import compress, crc32

import cv2

from faceanon.animation.model import Frame, Header

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST = 0xFFFF


def write(header: Header, frames: Iterable[Frame]) -> bytes:
    """The bytes of a file."""
    parts: list[bytes] = []
    sequence = 0
    for number, frame in enumerate(frames):
        done, encoded = cv2.imencode(".png", frame.pixels)
        if not done:
            raise ValueError("OpenCV cannot encode it")
        chunks = list(_chunks(encoded.tobytes()))
        if number == 0:
            parts += _start(header, chunks[0][1])
        if not (header.has_cover and number == 0):
            parts.append(_chunk(b"fcTL", _control(frame, sequence)))
            sequence += 1
        for name, body in chunks:
            if name == b"IDAT" and number == 0:
                parts.append(_chunk(name, body))
            elif name == b"IDAT":
                parts.append(_chunk(b"fdAT", struct.pack(">I", sequence) + body))
                sequence += 1
    return b"".join([*parts, _chunk(b"IEND", b"")])


def _start(header: Header, image_header: bytes) -> list[bytes]:
    count = header.count - header.has_cover
    # Here 0 is for ever, and 1 once.
    plays = 1 if header.loop is None else header.loop
    parts = [
        _SIGNATURE,
        _chunk(b"IHDR", image_header),
        _chunk(b"acTL", struct.pack(">II", count, plays)),
    ]
    if header.icc_profile:
        name = b"ICC profile\0\0"
        parts.append(_chunk(b"iCCP", name + compress(header.icc_profile)))
    return parts


def _control(frame: Frame, sequence: int) -> bytes:
    height, width = frame.pixels.shape[:2]
    delay = Fraction(frame.seconds).limit_denominator(1000)
    numerator = min(delay.numerator, _LARGEST)
    leave, replace = 0, 0
    return struct.pack(
        ">IIIIIHHBB",
        *(sequence, width, height, 0, 0),
        *(numerator, delay.denominator, leave, replace),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = len(_SIGNATURE)
    while offset < len(data):
        size = int.from_bytes(data[offset : offset + 4])
        yield data[offset + 4 : offset + 8], data[offset + 8 : offset + 8 + size]
        offset += size + 12


def _chunk(name: bytes, body: bytes) -> bytes:
    checked = name + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", crc32(checked))
