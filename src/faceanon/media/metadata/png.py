"""Metadata in PNG files: pHYs, eXIf, and how colours look (PNG, third edition)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace

from faceanon.media.metadata import exif
from faceanon.media.metadata.model import NO_METADATA, Metadata, Resolution, Unit

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Where the header chunk, which comes first, ends.
_HEADER_END = len(_SIGNATURE) + 12 + 13

# What colours are, where no profile says so: the numbers of each chunk, and the largest
# that they can be. Code points of ITU-T H.273 hold besides a profile, too.
_CODE_POINTS = "cICP"
_COLORS = {
    _CODE_POINTS: (">4B", 255),
    "sRGB": (">B", 3),
    "gAMA": (">I", 10_000_000),
    "cHRM": (">8I", 200_000),
}


def read(data: bytes) -> Metadata:
    """Read the chunks, wherever they stand."""
    found, resolution = NO_METADATA, None
    colors: dict[str, tuple[int, ...]] = {}
    has_profile = False
    for kind, start, end in chunks(data):
        name = kind.decode("latin-1")
        has_profile |= name == "iCCP"
        if name in _COLORS and (numbers := _colors(name, data[start:end])):
            colors[name] = numbers
        if kind == b"eXIf":
            found = exif.parse(data[start:end])
        elif kind == b"pHYs" and end - start == 9:
            x, y, is_metre = struct.unpack_from(">IIB", data, start)
            resolution = (
                Resolution.checked(x / 100, y / 100, Unit.CENTIMETRE)
                if is_metre
                else Resolution.checked(x, y, Unit.NONE)
            )
    return replace(
        found,
        resolution=resolution or found.resolution,
        png_colors=tuple(
            (name, numbers)
            for name, numbers in colors.items()
            if name == _CODE_POINTS or not has_profile
        ),
    )


def _colors(name: str, content: bytes) -> tuple[int, ...]:
    """The numbers of a chunk; none where they cannot be what it is for."""
    layout, largest = _COLORS[name]
    if len(content) != struct.calcsize(layout):
        return ()
    numbers = struct.unpack(layout, content)
    return numbers if max(numbers) <= largest else ()


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
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
    added = b"".join(
        _chunk(name.encode("ascii"), struct.pack(_COLORS[name][0], *numbers))
        for name, numbers in metadata.png_colors
    )
    resolution = metadata.turned(orientation).resolution
    if resolution is not None:
        added += _chunk(b"pHYs", _physical(resolution))
    block = exif.block(metadata, orientation=orientation, with_resolution=False)
    if block:
        added += _chunk(b"eXIf", block)
    return data[:_HEADER_END] + added + data[_HEADER_END:]


def _physical(resolution: Resolution) -> bytes:
    if resolution.unit is Unit.NONE:
        return struct.pack(">IIB", round(resolution.x), round(resolution.y), 0)
    return struct.pack(">IIB", *resolution.per_metre(), 1)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
