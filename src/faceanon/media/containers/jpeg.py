"""The marker segments of a JPEG (ITU-T T.81, annex B)."""

from collections.abc import Iterator
from dataclasses import dataclass

from faceanon.media.containers import Readable

SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_START_OF_SCAN, _END = 0xDA, 0xD9
# Codes that make no marker of a segment: zero, fill bytes and restarts.
_NO_SEGMENT = frozenset([0x00, *range(0xD0, 0xD8), 0xFF])


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
