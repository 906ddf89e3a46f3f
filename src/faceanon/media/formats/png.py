"""Animated PNG, frame by frame (PNG 3rd edition, sections 4.9 and 11.3.6)."""

import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from zlib import compress, crc32

import cv2

from faceanon.media.clip import Frame, Header

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST = 0xFFFF


def write(header: Header, frames: Iterable[Frame]) -> bytes:
    """The bytes of a file."""
    parts: list[bytes] = []
    sequence = 0
    for number, frame in enumerate(frames):
        done, encoded = cv2.imencode(".png", frame.pixels)
        if not done:
            raise ValueError("OpenCV cannot encode it")
        stored = [(name, body) for name, body, _ in chunks(encoded.tobytes())]
        if number == 0:
            parts += _start(header, stored[0][1])
        if not (header.has_cover and number == 0):
            parts.append(chunk(b"fcTL", _control(frame, sequence)))
            sequence += 1
        for name, body in stored:
            if name == b"IDAT" and number == 0:
                parts.append(chunk(name, body))
            elif name == b"IDAT":
                parts.append(chunk(b"fdAT", struct.pack(">I", sequence) + body))
                sequence += 1
    return b"".join([*parts, chunk(b"IEND", b"")])


def _start(header: Header, image_header: bytes) -> list[bytes]:
    count = header.count - header.has_cover
    # Here 0 is for ever, and 1 once.
    plays = 1 if header.loop is None else header.loop
    parts = [
        SIGNATURE,
        chunk(b"IHDR", image_header),
        chunk(b"acTL", struct.pack(">II", count, plays)),
    ]
    if header.icc_profile:
        name = b"ICC profile\0\0"
        parts.append(chunk(b"iCCP", name + compress(header.icc_profile)))
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


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Name, content and checksum of each chunk of a file."""
    offset = len(SIGNATURE)
    while offset < len(data):
        size = int.from_bytes(data[offset : offset + 4])
        end = offset + 8 + size
        check = int.from_bytes(data[end : end + 4])
        yield data[offset + 4 : offset + 8], data[offset + 8 : end], check
        offset = end + 4


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk as it stands in a file."""
    checked = name + body
    return struct.pack(">I", len(body)) + checked + struct.pack(">I", crc32(checked))
