"""WebP: the chunks of its RIFF container (RFC 9649)."""

from collections.abc import Generator

from faceanon.audit.scan.findings import Finding, Kind
from faceanon.audit.scan.icc import icc_profile
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Part,
    Walk,
    leftover,
    printable,
    unknown,
)
from faceanon.audit.scan.tiff import exif
from faceanon.audit.scan.xmp import xmp

_PICTURE = {b"VP8 ", b"VP8L", b"ALPH"}
_SETTINGS = {b"VP8X": 10, b"ANIM": 6}
_BLOCKS = {b"ICCP": icc_profile, b"EXIF": exif, b"XMP ": xmp}
_FRAME_HEADER_LENGTH = 16


def webp(part: Part) -> Walk:
    """A WebP and what stands after it in the part."""
    end = min(8 + part.number(4, 4, "little"), len(part))
    frames = yield from _chunks(part.part(12, max(end - 12, 0)))
    if not frames:
        raise Damaged("a WebP without a picture")
    if frames > 1:
        yield part.finding(Kind.FRAMES, f"{frames} frames")
    end += end % 2 and end < len(part) and part.data[end] == 0
    yield from leftover(
        part.part(end, None, "after the end"),
        Kind.TRAILER,
        "data after the end of the picture",
    )


def _chunks(part: Part) -> Generator[Finding | Embedded, None, int]:
    """The chunks; returns how many of them show a picture."""
    at = pictures = 0
    while at + 8 <= len(part):
        kind, length = part.read(at, 4), part.number(at + 4, 4, "little")
        chunk = part.part(at + 8, min(length, len(part) - at - 8), printable(kind))
        pictures += kind in (b"VP8 ", b"VP8L", b"ANMF")
        if kind == b"ANMF":
            inner = chunk.part(min(_FRAME_HEADER_LENGTH, len(chunk)))
            yield from _chunks(inner)
        elif kind in _BLOCKS:
            yield Embedded(chunk, _BLOCKS[kind])
        elif kind not in _PICTURE and len(chunk) > _SETTINGS.get(kind, -1):
            yield from unknown(chunk, "a chunk that is not known")
        at = min(at + 8 + length + length % 2, len(part))
    yield from leftover(part.part(at), Kind.GAP, "bytes after the last chunk")
    return pictures
