"""Metadata in JPEG files: JFIF and EXIF segments (ITU-T T.871, CIPA DC-008)."""

import struct
from dataclasses import replace

from faceanon.media.containers.jpeg import SOI, header
from faceanon.media.metadata import exif
from faceanon.media.metadata.model import NO_METADATA, Metadata, Resolution, Unit

_APP0, _APP1 = 0xE0, 0xE1
_JFIF = b"JFIF\0"
# The unit and the densities of a JFIF segment that comes first, from the file's start.
_DENSITY = slice(13, 18)
_DENSITY_FORMAT = ">BHH"
_NO_DENSITY = struct.pack(_DENSITY_FORMAT, 0, 1, 1)
_LARGEST_BODY = 0xFFFF - 2


def read(data: bytes) -> Metadata:
    """Read the EXIF and JFIF segments before the picture."""
    found, resolution = NO_METADATA, None
    for segment in reversed(list(header(data))):
        body = segment.body(data) if segment.marker in (_APP0, _APP1) else b""
        if segment.marker == _APP1 and body.startswith(exif.PREFIX):
            found = exif.parse(body)
        elif segment.marker == _APP0 and body.startswith(_JFIF) and len(body) >= 12:
            unit, x, y = struct.unpack_from(_DENSITY_FORMAT, body, 7)
            # TIFF counts the same units, from 1 on.
            resolution = Resolution.checked(x, y, unit + 1)
    return replace(found, resolution=resolution or found.resolution)


def write(
    data: bytes, metadata: Metadata, orientation: int, thumbnail: bytes | None
) -> bytes:
    """Put metadata behind the JFIF segment, or first where there is none."""
    start = len(SOI)
    has_jfif = data[2:4] == b"\xff\xe0" and data[6:11] == _JFIF
    if has_jfif:
        start = 4 + int.from_bytes(data[4:6])
        data = b"".join(
            (
                data[: _DENSITY.start],
                _density(metadata.turned(orientation).resolution),
                data[_DENSITY.stop :],
            )
        )
    block = exif.block(
        metadata,
        orientation=orientation,
        with_resolution=not has_jfif,
        thumbnail=thumbnail,
    )
    if not block:
        return data
    body = exif.PREFIX + block
    assert len(body) <= _LARGEST_BODY, "a thumbnail is smaller"
    segment = struct.pack(">BBH", 0xFF, _APP1, len(body) + 2) + body
    return data[:start] + segment + data[start:]


def _density(resolution: Resolution | None) -> bytes:
    if resolution is None:
        return _NO_DENSITY
    x, y, unit = resolution.x, resolution.y, resolution.unit
    if unit is Unit.CENTIMETRE and x.denominator * y.denominator != 1:
        # Whole numbers only: inches lose less.
        (x, y), unit = resolution.per_inch(), Unit.INCH
    densities = (min(max(round(value), 1), 0xFFFF) for value in (x, y))
    return struct.pack(_DENSITY_FORMAT, unit - 1, *densities)
