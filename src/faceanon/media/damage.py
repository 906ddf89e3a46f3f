"""Damage: what decoders raise at it, and what they pass over.

A few lines of Python here look at every byte that a decoder in C skips or believes.
"""

import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from PIL import UnidentifiedImageError

from faceanon.errors import PictureError
from faceanon.media.containers import Readable
from faceanon.media.containers.jpeg import frame, with_usual_scan
from faceanon.media.containers.png import chunks
from faceanon.media.formats.jpeg import strict

_TIFF_VERSION = 42  # 43 is BigTIFF, with other directories

# TIFF 6.0: offsets and lengths of strips, and of tiles.
_PLACES = ((273, 279), (324, 325))

_COMPRESSION, _OLD_JPEG = 259, 6
_JPEG_START, _JPEG_LENGTH, _JPEG_TABLES = 513, 514, 347

_CHUNK = 2**20

# No strip or tile is read further than what twice the pixels of any depth would need.
_BYTES_PER_PIXEL = 16
_PADDING = 2**24


_MISSING = "its end, or a part of it, is missing"
# What decoders say, and what it means. What is not in here is damage of another kind.
_MEANINGS = (
    ("premature end|truncated|incomplete|not enough|too short|cut off", _MISSING),
    ("huffman|lzw|decoder error|decompress", "its compressed pixels cannot be read"),
    ("extraneous", "there are bytes that belong to no pixel"),
    (r"\bRST\d?\b|restart", "a part of it is missing"),
    ("SOS|SOF|progressi", "its parts contradict each other"),
    ("crc|checksum", "a checksum is wrong"),
)
# What they say of files that may be sound.
_NOT_SUPPORTED = re.compile(
    "not supported|not implemented|not configured|unsupported (?!marker)|cannot handle|"
    "unknown (?!marker)|unrecognized (?!data)|no decode|requires|reformat failed",
    re.IGNORECASE,
)


@contextmanager
def explained() -> Iterator[None]:
    """Raise one kind of error for whatever goes wrong in here, in words for people.

    Raises:
        PictureError: decoders raise whatever the damage makes them stumble over
            (OSError, ValueError, SyntaxError, struct.error, cv2.error, ...).
    """
    try:
        yield
    except (PictureError, MemoryError, UnidentifiedImageError):
        raise
    except Exception as error:
        raise PictureError(_in_words(error)) from error


def _in_words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f"it cannot be read: {error.strerror}"
    text = str(error)
    if isinstance(error, NotImplementedError) or _NOT_SUPPORTED.search(text):
        return (
            "it is damaged, or of a rare kind that is not supported; convert it to PNG "
            "first"
        )
    for pattern, meaning in _MEANINGS:
        if re.search(pattern, text, re.IGNORECASE):
            return f"the file is damaged: {meaning}"
    return "the file is damaged"


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
    found = frame(stream)
    if found is None or len(found[1]) < 6:
        raise PictureError("the file is damaged: a part of it is no JPEG")
    _, body = found
    height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    if height * width > pixels + _PADDING:
        raise PictureError("the file is damaged: a part is larger than the picture")
    strict.check_scans(stream, height * width)
    colors: dict[int, strict.Colors] = {1: "GRAY", 4: "CMYK"}
    strict.decode(stream, colors.get(body[5], "BGR"), (width, height))


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
