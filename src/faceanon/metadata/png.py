"""Metadata in PNG files: the chunks pHYs and eXIf (PNG, third edition)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

from faceanon.metadata import exif
from faceanon.metadata.model import NO_METADATA, Metadata, Resolution, Unit

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Where the header chunk, which comes first, ends.
_HEADER_END = len(_SIGNATURE) + 12 + 13


def read(data: bytes) -> Metadata:
    """Read the chunks, wherever they stand."""
    found, resolution = NO_METADATA, None
    for kind, start, end in _chunks(data):
        if kind == b"eXIf":
            found = exif.parse(data[start:end])
        elif kind == b"pHYs" and end - start == 9:
            x, y, is_metre = struct.unpack_from(">IIB", data, start)
            resolution = (
                Resolution.checked(x / 100, y / 100, Unit.CENTIMETRE)
                if is_metre
                else Resolution.checked(x, y, Unit.NONE)
            )
    return replace(found, resolution=resolution or found.resolution)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each chunk, and where its content begins and ends."""
    offset = len(_SIGNATURE)
    while offset + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, offset)
        yield data[offset + 4 : offset + 8], offset + 8, offset + 8 + size
        offset += size + 12


def write(
    data: bytes, metadata: Metadata, orientation: int, thumbnail: bytes | None
) -> bytes:
    """Put metadata behind the header. PNG advises against thumbnails: none is put."""
    chunks = b""
    resolution = metadata.turned(orientation).resolution
    if resolution is not None:
        chunks += _chunk(b"pHYs", _physical(resolution))
    block = exif.block(metadata, orientation=orientation, with_resolution=False)
    if block:
        chunks += _chunk(b"eXIf", block)
    return data[:_HEADER_END] + chunks + data[_HEADER_END:]


def _physical(resolution: Resolution) -> bytes:
    if resolution.unit is Unit.NONE:
        return struct.pack(">IIB", round(resolution.x), round(resolution.y), 0)
    return struct.pack(">IIB", *resolution.per_metre(), 1)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
