"""A JPEG without what decoders warn of although it costs no pixel.

libjpeg tells only its first warning. So nothing is passed over: what is harmless is
taken out, and the rest has to decode without a warning.
"""

import struct

from faceanon.media.containers.jpeg import (
    EOI,
    PROGRESSIVE,
    SOI,
    Segment,
    end_of,
    frame,
    segments,
)

_APP0, _APP14, _APP15, _COM, _SOS = 0xE0, 0xEE, 0xEF, 0xFE, 0xDA
_JFIF = b"\xff\xe0\0\x10JFIF\0\1\2\0\0\1\0\1\0\0"
# What libjpeg takes an unknown transform of three and of four components for.
_USUAL_TRANSFORM = {3: 1, 4: 2}

# Fewer equal bytes than this are no padding.
_PADDING = 8

END_IS_MISSING = "its end mark is missing, but no pixel"


def mended(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The picture alone, from its first segment to its end mark.

    Left out are metadata, bytes between the segments of the header, and what fills the
    file up after the pixels: one byte over and over. JFIF and Adobe's segments are made
    anew.

    Returns:
        The file, and what was wrong with it as far as the user should know.

    Raises:
        ValueError: there are bytes between scans, where pixels might have been.
    """
    notes = []
    parts = [SOI]
    last: int | None = None
    end = end_of(data)
    for segment in segments(data):
        if last is not None and data[last : segment.start].strip(b"\xff"):
            raise ValueError("extraneous bytes between scans")
        if segment.marker == _SOS or last is not None:
            last = segment.end
        if _APP0 <= segment.marker <= _APP15 or segment.marker == _COM:
            parts.append(_of_colors(data, segment))
        else:
            parts.append(data[segment.start : segment.end])
    if end is None:
        notes.append(END_IS_MISSING)
    if last is not None and data[last:end].strip(b"\xff"):
        raise ValueError("extraneous bytes between scans")
    pixels = _without_padding(parts[-1])
    if len(pixels) < len(parts[-1]):
        notes.append("bytes that belong to no pixel were left out")
    return b"".join((*parts[:-1], pixels, EOI)), tuple(notes)


def _without_padding(scan: bytes) -> bytes:
    pixels = scan.rstrip(scan[-1:])
    return scan if len(scan) - len(pixels) < _PADDING else pixels


def _of_colors(data: bytes, segment: Segment) -> bytes:
    """What a segment of metadata says of the colours; nothing of another one."""
    body = segment.body(data)
    if segment.marker == _APP0 and body.startswith(b"JFIF\0"):
        return _JFIF
    if segment.marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
        found = frame(data)
        count = found[1][5] if found and len(found[1]) > 5 else 0
        transform = body[11] if body[11] <= 2 else _USUAL_TRANSFORM.get(count, 0)
        content = b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform)
        return b"\xff\xee" + struct.pack(">H", len(content) + 2) + content
    return b""


def is_complete(data: bytes) -> bool:
    """Whether the scans of a progressive JPEG bring all bits of all coefficients.

    Where the file has no end, nothing else tells that scans are missing (T.81, G.1.1).
    """
    found = frame(data)
    if found is None or found[0] not in PROGRESSIVE:
        return True
    body = found[1]
    missing = {body[6 + 3 * i]: {*range(64)} for i in range(body[5])}
    for segment in segments(data):
        if segment.marker != _SOS:
            continue
        scan = segment.body(data)
        count = scan[0]
        first, last, bits = scan[1 + 2 * count : 4 + 2 * count]
        if bits & 15 == 0:
            for i in range(count):
                missing.get(scan[1 + 2 * i], set()).difference_update(
                    range(first, last + 1)
                )
    return not any(missing.values())
