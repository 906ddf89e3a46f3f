"""The segments of a JPEG that say how its colours are to be read, made anew."""

import struct
from collections.abc import Iterator

from faceanon.media.formats.jpeg.structure import Marker, Structure

_JFIF_VERSION, _ADOBE_VERSION = 0x0102, 100
_NO_DENSITY, _NO_THUMBNAIL = struct.pack(">BHH", 0, 1, 1), bytes(2)
_ICC_NAME = b"ICC_PROFILE\0"

# A segment holds so many bytes, its two of length among them.
_LARGEST_SEGMENT = 0xFFFF


def color_segments(structure: Structure, icc_profile: bytes | None) -> bytes:
    """What stands between the start of a JPEG and its tables.

    JFIF and Adobe segments are written where the original has them.

    Args:
        structure: of the original.
        icc_profile: the colour profile; None for none.
    """
    segments = []
    if structure.is_jfif:
        version = struct.pack(">H", _JFIF_VERSION)
        body = b"JFIF\0" + version + _NO_DENSITY + _NO_THUMBNAIL
        segments.append(_segment(Marker.APP0, body))
    if icc_profile:
        segments.extend(_segment(Marker.APP2, body) for body in _icc(icc_profile))
    if structure.transform is not None:
        body = b"Adobe" + struct.pack(
            ">HHHB", _ADOBE_VERSION, 0, 0, structure.transform
        )
        segments.append(_segment(Marker.APP14, body))
    return b"".join(segments)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _icc(profile: bytes) -> Iterator[bytes]:
    """A colour profile in as many parts as it needs (ICC.1, annex B.4)."""
    most = _LARGEST_SEGMENT - 2 - len(_ICC_NAME) - 2
    parts = [profile[i : i + most] for i in range(0, len(profile), most)]
    for number, part in enumerate(parts, start=1):
        yield _ICC_NAME + bytes((number, len(parts))) + part
