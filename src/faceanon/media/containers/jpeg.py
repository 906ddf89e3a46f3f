"""The marker segments of a JPEG (ITU-T T.81, annex B)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceanon.media.containers import Readable

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_START_OF_SCAN, _END = 0xDA, 0xD9
# Codes that make no marker of a segment: zero, fill bytes and restarts.
_NO_SEGMENT = frozenset([0x00, *range(0xD0, 0xD8), 0xFF])


# Frames that are sequential and coded by Huffman; and what ends the header of a scan of
# all coefficients, from the first to the last, and of all their bits.
_SEQUENTIAL = frozenset([0xC0, 0xC1])
_ALL = bytes([0, 63, 0])
PROGRESSIVE = frozenset([0xC2, 0xCA])
"""Frames that are coded in several passes over the picture (T.81, table B.1)."""

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Segment:
    """Where a marker segment is; that of a scan ends with its entropy-coded data.

    Attributes:
        marker: the byte after 0xFF.
        start: where the marker begins.
        end: where the segment ends.
    """

    marker: int
    start: int
    end: int

    def body(self, data: Readable) -> bytes:
        """What follows the marker and the length."""
        return data[self.start + 4 : self.end]


def header(data: bytes) -> Iterator[Segment]:
    """The segments up to the first scan, whose own segment ends with its header.

    Some programs leave bytes between them, which decoders skip, and so it is done here.
    """
    offset = len(SOI)
    while (offset := data.find(b"\xff", offset)) >= 0 and offset + 4 <= len(data):
        marker = data[offset + 1]
        if marker in _NO_SEGMENT:
            offset += 1
            continue
        if marker == _END:
            return
        end = offset + 2 + int.from_bytes(data[offset + 2 : offset + 4])
        yield Segment(marker, offset, end)
        if marker == _START_OF_SCAN or end < offset + 4:
            return
        offset = end


def markers(data: bytes) -> NDArray[np.intp]:
    """Where in the file there may be markers that end a scan.

    In entropy-coded data, 0xFF is followed by zero, or it fills, or is of a restart.
    """
    values = np.frombuffer(data, np.uint8)
    offsets = np.flatnonzero(values[:-1] == 0xFF)
    codes = values[offsets + 1]
    is_restart = (codes >= 0xD0) & (codes <= 0xD7)
    found: NDArray[np.intp] = offsets[(codes != 0) & (codes != 0xFF) & ~is_restart]
    return found


def segments(data: bytes) -> Iterator[Segment]:
    """The segments from the first to the last; the end of the picture is none of them.

    Of a file without an end, the last one ends where the file does.
    """
    offset = 0
    for segment in header(data):
        offset = segment.start if segment.marker == _START_OF_SCAN else segment.end
        if segment.marker != _START_OF_SCAN:
            yield segment
    places = markers(data)
    while True:
        found = int(np.searchsorted(places, offset))
        if found == len(places):
            return
        start = int(places[found])
        marker = data[start + 1]
        if marker == _END:
            return
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4])
        if marker == _START_OF_SCAN:
            after = int(np.searchsorted(places, end))
            end = int(places[after]) if after < len(places) else len(data)
        if end < start + 4:
            return
        yield Segment(marker, start, min(end, len(data)))
        offset = end


def end_of(data: bytes) -> int | None:
    """Where the mark of the picture's end is; None where there is none."""
    last = len(SOI)
    for segment in segments(data):
        last = segment.end
    found = data.find(b"\xff", last)
    while data[found : found + 2] == b"\xff\xff":  # fill bytes
        found += 1
    return found if found >= 0 and data[found : found + 2] == EOI else None


def frame(data: bytes) -> tuple[int, bytes] | None:
    """The marker and the content of the segment that tells size and kind of coding."""
    for segment in header(data):
        if segment.marker in _FRAMES:
            return segment.marker, segment.body(data)
    return None


def kind_of(data: bytes) -> str:
    """What kind of JPEG it is, if it is one that decoders of pictures do not read.

    Returns:
        Its name, such as "a JPEG of 12 bits"; empty for a usual kind.
    """
    found = frame(data)
    if found is None:
        return ""
    marker, body = found
    if marker in (0xC3, 0xC7, 0xCB, 0xCF):
        return "a lossless JPEG"
    if marker in (0xC5, 0xC6, 0xCD, 0xCE):
        return "a hierarchical JPEG"
    if body[:1] not in (b"", b"\x08"):
        return f"a JPEG of {body[0]} bits"
    if body[5:6] not in (b"", b"\x01", b"\x03", b"\x04"):
        return f"a JPEG of {body[5]} components"
    return ""


def scan_count(data: bytes) -> int:
    """In how many scans a picture is coded, or more; nothing is decoded."""
    most = data.count(b"\xff\xda")
    if most <= 2:
        return most  # of which one may be that of a thumbnail
    return sum(segment.marker == _START_OF_SCAN for segment in segments(data))


def with_usual_scan(data: bytes) -> bytes:
    """The same JPEG, whose first scan says what scans of sequential JPEGs have to say.

    Phones of Samsung and scanners of HP name no coefficients in it. Decoders take all
    of them anyway (T.81, table B.3), but libjpeg warns as it does of damage.
    """
    found: set[int] = set()
    for segment in header(data):
        if segment.marker == _START_OF_SCAN and found & _SEQUENTIAL:
            body = segment.body(data)
            is_whole = body and len(body) == 1 + 2 * body[0] + len(_ALL)
            if is_whole and not body.endswith(_ALL):
                end = segment.end
                return data[: end - len(_ALL)] + _ALL + data[end:]
        found.add(segment.marker)
    return data
