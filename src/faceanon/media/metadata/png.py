"""Metadata in PNG files: pHYs, eXIf, and how colours look (PNG, third edition)."""

import struct
from dataclasses import replace

from faceanon.media.containers import Readable
from faceanon.media.containers.png import SIGNATURE, chunks, packed
from faceanon.media.metadata import exif
from faceanon.media.metadata.model import NO_METADATA, Metadata, Resolution, Unit

# Where the header chunk, which comes first, ends.
_HEADER_END = len(SIGNATURE) + 12 + 13

# What colours are, where no profile says so: the numbers of each chunk, and the largest
# that they can be. Code points of ITU-T H.273 hold besides a profile, too.
_CODE_POINTS = "cICP"
_COLORS = {
    _CODE_POINTS: (">4B", 255),
    "sRGB": (">B", 3),
    "gAMA": (">I", 10_000_000),
    "cHRM": (">8I", 200_000),
}


def read(data: Readable) -> Metadata:
    """Read the chunks, wherever they stand."""
    found, resolution = NO_METADATA, None
    colors: dict[str, tuple[int, ...]] = {}
    has_profile = False
    for chunk in chunks(data):
        name = chunk.kind.decode("latin-1")
        has_profile |= name == "iCCP"
        if name in _COLORS and (numbers := _colors(name, chunk.content(data))):
            colors[name] = numbers
        if name == "eXIf":
            found = exif.parse(chunk.content(data))
        elif name == "pHYs" and len(content := chunk.content(data)) == 9:
            x, y, is_metre = struct.unpack(">IIB", content)
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


def write(
    data: bytes, metadata: Metadata, orientation: int, thumbnail: bytes | None
) -> bytes:
    """Put metadata behind the header. PNG advises against thumbnails: none is put."""
    added = chunks_of(metadata, orientation)
    return data[:_HEADER_END] + added + data[_HEADER_END:]


def chunks_of(metadata: Metadata, orientation: int = 1) -> bytes:
    """The chunks that tell it, which stand between the header and the pixels."""
    added = b"".join(
        packed(name.encode("ascii"), struct.pack(_COLORS[name][0], *numbers))
        for name, numbers in metadata.png_colors
    )
    resolution = metadata.turned(orientation).resolution
    if resolution is not None:
        added += packed(b"pHYs", _physical(resolution))
    block = exif.block(metadata, orientation=orientation, with_resolution=False)
    if block:
        added += packed(b"eXIf", block)
    return added


def _physical(resolution: Resolution) -> bytes:
    if resolution.unit is Unit.NONE:
        return struct.pack(">IIB", round(resolution.x), round(resolution.y), 0)
    return struct.pack(">IIB", *resolution.per_metre(), 1)
