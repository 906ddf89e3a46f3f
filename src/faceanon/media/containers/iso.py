"""The boxes of an ISO base media file, such as an AVIF (ISO/IEC 14496-12)."""

from collections.abc import Iterator
from dataclasses import dataclass

from faceanon.media.containers import Readable

# Boxes that hold boxes, and how many bytes stand before these: versions and flags, how
# many there are, and what a visual sample entry says of its pictures.
_CONTAINERS = {
    **dict.fromkeys((b"iprp", b"ipco", b"moov", b"trak", b"mdia", b"minf", b"stbl"), 0),
    b"meta": 4,
    b"stsd": 8,
    **dict.fromkeys((b"av01", b"hvc1", b"hev1"), 78),
}


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box is.

    Attributes:
        kind: its name.
        start: where its content begins.
        end: where its content ends.
    """

    kind: bytes
    start: int
    end: int

    def content(self, data: Readable) -> bytes:
        """What it holds."""
        return data[self.start : self.end]


def boxes(data: Readable, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes one after the other, as far as they are whole.

    Args:
        data: the file.
        start: where the first box begins.
        end: where the last one ends; None for the end of the file.
    """
    end = len(data) if end is None else end
    while start + 8 <= end:
        head = data[start : start + 16]
        size, content = int.from_bytes(head[:4]), start + 8
        if size == 1:
            size, content = int.from_bytes(head[8:]), start + 16
        stop = min(start + size, end) if size else end
        if stop < content:
            return
        yield Box(head[4:8], content, stop)
        start = stop


def all_boxes(data: Readable, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes, and those in them, each before those that it holds."""
    for box in boxes(data, start, end):
        yield box
        if box.kind in _CONTAINERS:
            yield from all_boxes(data, box.start + _CONTAINERS[box.kind], box.end)
