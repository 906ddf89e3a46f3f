"""Boxes, as in the ISO base media file format (ISO/IEC 14496-12)."""

from collections.abc import Iterator
from dataclasses import dataclass

from faceanon.audit.scan.part import Damaged, Part, printable

_LARGE_SIZE, _TO_THE_END = 1, 0


@dataclass(frozen=True, slots=True)
class Box:
    """A box.

    Attributes:
        kind: its four-character code.
        content: what stands after its header.
        start: of its header, in the part that it was read from.
        end: the first byte after it.
        missing: how many bytes it should have beyond the end of the part.
    """

    kind: bytes
    content: Part
    start: int
    end: int
    missing: int = 0


def read_box(part: Part, at: int) -> Box:
    """The box that begins at a byte of a part; it may be cut off.

    Raises:
        Damaged: there is something else.
    """
    size, kind, header = part.number(at, 4), part.read(at + 4, 4), 8
    if size == _LARGE_SIZE:
        size, header = part.number(at + 8, 8), 16
    elif size == _TO_THE_END:
        size = len(part) - at
    if size < header:
        raise Damaged("a box smaller than its header")
    end = min(at + size, len(part))
    content = part.part(at + header, max(end - at - header, 0), printable(kind))
    return Box(kind, content, at, end, at + size - end)


def boxes(part: Part, start: int = 0) -> Iterator[Box]:
    """The boxes in a part, from a byte on; the last may be cut off.

    Raises:
        Damaged: there is something else.
    """
    at = start
    while at < len(part):
        box = read_box(part, at)
        yield box
        at = box.end


def extent(part: Part) -> int:
    """How many bytes at the beginning of a part look like boxes."""
    at = 0
    try:
        for box in boxes(part):
            if not box.kind.isascii() or not (box.kind + b"a").decode().isprintable():
                return at
            at = box.end
    except Damaged:
        pass
    return at
