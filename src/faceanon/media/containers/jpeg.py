"""The marker segments of a JPEG (ITU-T T.81, annex B)."""

from collections.abc import Iterator
from dataclasses import dataclass

from faceanon.media.containers import Readable

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_START_OF_SCAN, _END = 0xDA, 0xD9
# Codes that make no marker of a segment: zero, fill bytes and restarts.
_NO_SEGMENT = frozenset([0x00, *range(0xD0, 0xD8), 0xFF])


# Frames that are sequential and coded by Huffman; and what ends the header of a scan of
# all coefficients, from the first to the last, and of all their bits.
_SEQUENTIAL = frozenset([0xC0, 0xC1])
_ALL = bytes([0, 63, 0])


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


def with_usual_scan(data: bytes) -> bytes:
    """The same JPEG, whose first scan says what scans of sequential JPEGs have to say.

    Phones of Samsung and scanners of HP name no coefficients in it. Decoders take all
    of them anyway (T.81, table B.3), but libjpeg warns as it does of damage.
    """
    markers: set[int] = set()
    for segment in header(data):
        if segment.marker == _START_OF_SCAN and markers & _SEQUENTIAL:
            body = segment.body(data)
            is_whole = body and len(body) == 1 + 2 * body[0] + len(_ALL)
            if is_whole and not body.endswith(_ALL):
                end = segment.end
                return data[: end - len(_ALL)] + _ALL + data[end:]
        markers.add(segment.marker)
    return data
