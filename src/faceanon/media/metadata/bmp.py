"""Metadata in BMP files: the resolution in the header, and nothing else."""

import struct

from faceanon.media.metadata.model import NO_METADATA, Metadata, Resolution, Unit

# Pixels per metre along both sides, in all headers but the oldest.
_PER_METRE, _PER_METRE_END = 38, 46
_SMALLEST_HEADER = 40


def read(data: bytes) -> Metadata:
    """Read the resolution."""
    if len(data) < _PER_METRE_END or not _has_resolution(data):
        return NO_METADATA
    x, y = struct.unpack_from("<ii", data, _PER_METRE)
    return Metadata(Resolution.checked(x / 100, y / 100, Unit.CENTIMETRE))


def write(
    data: bytes, metadata: Metadata, orientation: int, thumbnail: bytes | None
) -> bytes:
    """Write the resolution, which needs a unit, and nothing else."""
    resolution = metadata.turned(orientation).resolution
    if not _has_resolution(data):
        return data
    has_unit = resolution is not None and resolution.unit is not Unit.NONE
    x, y = resolution.per_metre() if resolution and has_unit else (0, 0)
    packed = struct.pack("<ii", x, y)
    return data[:_PER_METRE] + packed + data[_PER_METRE_END:]


def _has_resolution(data: bytes) -> bool:
    (header_size,) = struct.unpack_from("<I", data, 14)
    return bool(header_size >= _SMALLEST_HEADER)
