"""PNG, one picture or animated (PNG, third edition, sections 4.9 and 11.3.6)."""

import struct
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, BinaryIO
from zlib import compress

from faceanon.media.clip import EditedFrame, Header
from faceanon.media.containers.png import SIGNATURE, chunks, packed
from faceanon.media.damage import check_png_chunks
from faceanon.media.formats.common import (
    Decoded,
    decode_with_opencv,
    encode_with_opencv,
)
from faceanon.media.formats.png_transparency import with_transparent_grey
from faceanon.media.metadata import png as png_metadata
from faceanon.media.picture import Encoding, Picture

_LARGEST = 0xFFFF


def decode(source: Any, data: bytes) -> Decoded:
    """The pixels of a file that has one picture."""
    check_png_chunks(data)
    pixels = with_transparent_grey(decode_with_opencv(data), data)
    return pixels, Encoding("png"), False


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file."""
    return encode_with_opencv(picture, ".png")


def write_film(
    header: Header,
    frames: Iterable[EditedFrame],
    target: BinaryIO,
    quality: int | None,
) -> None:
    """Write an animation, frame by frame, each as a whole picture."""
    sequence = 0
    for number, frame in enumerate(frames):
        picture = frame.picture
        # Of the frames' own colours nothing is written: they are those of the file.
        encoded = encode(
            Picture(picture.pixels, picture.encoding), Encoding("png"), None
        )
        stored = list(chunks(encoded))
        if number == 0:
            _start(header, picture, stored[0].content(encoded), target)
        if not (header.has_cover and number == 0):
            target.write(packed(b"fcTL", _control(frame, sequence)))
            sequence += 1
        for chunk in stored:
            if chunk.kind == b"IDAT" and number == 0:
                target.write(packed(b"IDAT", chunk.content(encoded)))
            elif chunk.kind == b"IDAT":
                content = struct.pack(">I", sequence) + chunk.content(encoded)
                target.write(packed(b"fdAT", content))
                sequence += 1
    target.write(packed(b"IEND", b""))


def _start(
    header: Header, first: Picture, image_header: bytes, target: BinaryIO
) -> None:
    count = header.count - header.has_cover
    # Here 0 is for ever, and 1 once.
    plays = 1 if header.loop is None else header.loop
    target.write(SIGNATURE + packed(b"IHDR", image_header))
    target.write(png_metadata.chunks_of(first.metadata))
    target.write(packed(b"acTL", struct.pack(">II", count, plays)))
    if first.icc_profile:
        name = b"ICC profile\0\0"
        target.write(packed(b"iCCP", name + compress(first.icc_profile)))


def _control(frame: EditedFrame, sequence: int) -> bytes:
    height, width = frame.picture.shape
    delay = Fraction(frame.seconds).limit_denominator(1000)
    numerator = min(delay.numerator, _LARGEST)
    leave, replace = 0, 0
    return struct.pack(
        ">IIIIIHHBB",
        *(sequence, width, height, 0, 0),
        *(numerator, delay.denominator, leave, replace),
    )
