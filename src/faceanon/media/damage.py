"""Damage: what decoders raise at it, and what they pass over.

A few lines of Python here look at every byte that a decoder in C skips or believes.
"""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import simplejpeg
from PIL import UnidentifiedImageError

from faceanon.errors import PictureError
from faceanon.media.containers import Readable
from faceanon.media.containers.jpeg import with_usual_scan
from faceanon.media.containers.png import chunks

_TIFF_VERSION = 42  # 43 is BigTIFF, with other directories

# TIFF 6.0: offsets and lengths of strips, and of tiles.
_PLACES = ((273, 279), (324, 325))

_COMPRESSION, _OLD_JPEG = 259, 6
_JPEG_START, _JPEG_LENGTH, _JPEG_TABLES = 513, 514, 347

_CHUNK = 2**20

# No strip or tile is read further than what twice the pixels of any depth would need.
_BYTES_PER_PIXEL = 16
_PADDING = 2**24


@contextmanager
def explained() -> Iterator[None]:
    """Raise one kind of error for whatever goes wrong in here.

    Raises:
        PictureError: decoders raise whatever the damage makes them stumble over
            (OSError, ValueError, SyntaxError, struct.error, cv2.error, ...).
    """
    try:
        yield
    except (PictureError, MemoryError, UnidentifiedImageError):
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[0:1] or [type(error).__name__]
        raise PictureError(f"the file is damaged: {reason[0]}") from error


def check_png_chunks(data: Readable) -> None:
    """Follow the chunks of a PNG (its specification, section 5.3) to the last.

    OpenCV makes room for a chunk before it looks whether the file is that long: four
    kilobytes can make it take four gigabytes.

    Raises:
        PictureError: the chunks do not fill the file up to the end of the picture.
    """
    for chunk in chunks(data):
        if chunk.kind == b"IEND" and chunk.end + 4 <= len(data):
            return
    raise PictureError("the file is damaged or truncated")


def count_tiff_pages(data: Readable) -> int:
    """Follow the directories of a TIFF (TIFF 6.0, section 2) to the last.

    Returns:
        How many there are; 0 for a BigTIFF.
    """
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    if int.from_bytes(data[2:4], order) != _TIFF_VERSION:
        return 0
    seen: set[int] = set()
    offset = int.from_bytes(data[4:8], order)
    while offset and offset not in seen:
        seen.add(offset)
        entries = int.from_bytes(data[offset : offset + 2], order)
        end = offset + 2 + 12 * entries
        offset = int.from_bytes(data[end : end + 4], order)
    return len(seen)


def check_tiff_pages(data: Readable, pages: int) -> None:
    """See that none of the pages of a TIFF was passed over.

    Pillow passes over a page whose directory or tags are cut off, and then takes a file
    of several pages for one.

    Args:
        data: the whole file.
        pages: how many pages the decoder has found.

    Raises:
        PictureError: there are more.
    """
    if count_tiff_pages(data) > pages:
        raise PictureError("the file is damaged: one of its pages cannot be read")


def check_deflated(tags: Mapping[int, Any], data: Readable, pixels: int) -> None:
    """Decompress every strip or tile of a TIFF to its end, and compare its checksum.

    libtiff stops as soon as it has all pixels. Where damage makes a strip longer it
    never comes to the checksum, and gives wrong pixels without a word.

    Args:
        tags: the tags of the page.
        data: the whole file.
        pixels: how many the page has.

    Raises:
        PictureError: a strip does not end where it should.
        zlib.error: a strip is damaged.
    """
    room = pixels * _BYTES_PER_PIXEL + _PADDING
    for strip in _strips(tags, data):
        room -= _inflated_size(strip, room)


def _strips(tags: Mapping[int, Any], data: Readable) -> Iterator[bytes]:
    """The strips or tiles of a page, compressed as they are."""
    for offsets, lengths in _PLACES:
        for offset, length in zip(
            tags.get(offsets, ()), tags.get(lengths, ()), strict=True
        ):
            yield data[offset : offset + length]


def check_jpeg_strips(tags: Mapping[int, Any], data: Readable, pixels: int) -> None:
    """Decompress every JPEG in a page of a TIFF (TIFF 6.0, section 22, and its update).

    libtiff passes over libjpeg's warnings, and what is missing becomes grey. In the way
    of TIFF 6.0 a page may also hold a JPEG in pieces, which are not looked at here.

    Args:
        tags: the tags of the page.
        data: the whole file.
        pixels: how many the page has.

    Raises:
        PictureError: a strip or tile is larger than the page.
        ValueError: one is damaged.
    """
    if tags.get(_COMPRESSION) == _OLD_JPEG:
        start = tags.get(_JPEG_START, 0)
        end = start + tags.get(_JPEG_LENGTH, 0)
        strips = tags.get(_PLACES[0][0], ())
        if strips and all(start <= strip < end for strip in strips):
            _check_jpeg(data[start:end], pixels)
        return
    tables = tags.get(_JPEG_TABLES, b"")[:-2]  # without the mark of their end
    for strip in _strips(tags, data):
        _check_jpeg(tables + strip[2:] if tables else strip, pixels)


def _check_jpeg(stream: bytes, pixels: int) -> None:
    stream = with_usual_scan(stream)
    height, width, colors, _ = simplejpeg.decode_jpeg_header(stream)
    if height * width > pixels + _PADDING:
        raise PictureError("the file is damaged: a part is larger than the picture")
    wanted = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}.get(colors, "BGR")
    simplejpeg.decode_jpeg(stream, wanted, strict=True)


def _inflated_size(strip: bytes, most: int) -> int:
    """How many bytes a strip holds, once its checksum is found right."""
    size = 0
    stream = zlib.decompressobj()
    while not stream.eof:
        got = len(stream.decompress(strip, _CHUNK))
        strip = stream.unconsumed_tail
        size += got
        if size > most or not (got or stream.eof):
            raise PictureError(
                "the file is damaged: its data do not end as they should"
            )
    return size
