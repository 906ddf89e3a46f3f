"""AVIF, one picture or animated (AV1 Image File Format)."""

import io
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from PIL import Image as PillowImage

from faceanon.media.clip import EditedFrame, Header
from faceanon.media.containers.iso import all_boxes
from faceanon.media.formats import high_depth
from faceanon.media.formats.common import (
    DEFAULT_QUALITY,
    Decoded,
    encode_with_pillow,
    in_rgb,
    pixels_of,
)
from faceanon.media.metadata import exif_block, write_into
from faceanon.media.picture import Encoding, Picture

# Boxes that hold the time at which a file was made and changed (ISO/IEC 14496-12,
# sections 8.2.2, 8.3.2 and 8.4.2).
_WITH_TIMES = (b"mvhd", b"tkhd", b"mdhd")


def decode(source: Any, data: bytes) -> Decoded:
    """The pixels of a file that has one picture."""
    depth = high_depth.avif_depth(data)
    if depth > 8:
        pixels = high_depth.decode_avif(source, data, depth)
        if pixels is not None:
            return pixels, Encoding("avif", depth=depth), False
    return pixels_of(source), Encoding("avif"), False


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file."""
    quality = quality or DEFAULT_QUALITY
    if picture.pixels.dtype == np.uint16:
        return high_depth.encode_avif(picture, encoding.depth, quality)
    # The encoder puts metadata in its place.
    exif = exif_block(picture.metadata) or None
    return encode_with_pillow(picture, "AVIF", quality=quality, exif=exif)


def write_film(
    header: Header,
    frames: Iterable[EditedFrame],
    target: BinaryIO,
    quality: int | None,
) -> None:
    """Write an animation. Its encoder wants all frames at once."""
    pictures, milliseconds = [], []
    for frame in frames:
        pictures.append(frame.picture)
        milliseconds.append(round(frame.seconds * 1000))
    first, *others = (
        PillowImage.fromarray(in_rgb(picture.pixels)) for picture in pictures
    )
    buffer = io.BytesIO()
    first.save(
        buffer,
        "AVIF",
        save_all=True,
        append_images=others,
        duration=milliseconds,
        quality=quality or DEFAULT_QUALITY,
        icc_profile=pictures[0].icc_profile or b"",
        exif=exif_block(pictures[0].metadata),
    )
    data = _without_times(buffer.getvalue())
    target.write(write_into(data, "avif", pictures[0].metadata))


def _without_times(data: bytes) -> bytes:
    """The file without the moment at which it was written."""
    changed = bytearray(data)
    for box in all_boxes(data):
        if box.kind in _WITH_TIMES:
            times = box.start + 4
            size = 16 if data[box.start] == 1 else 8
            changed[times : times + size] = bytes(size)
    return bytes(changed)
