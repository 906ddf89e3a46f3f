"""The elements of EBML (RFC 8794)."""

from collections.abc import Callable
from dataclasses import dataclass

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Damaged, Embedded, Part, Walk, leftover

_MAX_ELEMENTS = 8_000_000


@dataclass(frozen=True, slots=True)
class Element:
    """An element.

    Attributes:
        number: its ID, with the marker.
        content: what stands after its header; to the end of the part it was read from
            if its size is not known.
        end: the first byte after it.
        missing: how many bytes it should have beyond the end of the part.
        is_open: whether its size is not known.
    """

    number: int
    content: Part
    end: int
    missing: int = 0
    is_open: bool = False


def vint(part: Part, at: int) -> tuple[int, int]:
    """A number of variable length, without its marker, and its length in bytes.

    Raises:
        Damaged: there is none.
    """
    first = part.number(at, 1)
    length = 9 - first.bit_length()
    if length > 8:
        raise Damaged("a number of no length")
    return part.number(at, length) & ((1 << 7 * length) - 1), length


def read_element(part: Part, at: int, names: Callable[[int], str]) -> Element:
    """The element that begins at a byte of a part; it may be cut off.

    Args:
        part: what it is in.
        at: its first byte.
        names: the name of an element in the path, by its number.

    Raises:
        Damaged: there is something else.
    """
    _, length = vint(part, at)
    if length > 4:
        raise Damaged("an element with a long number")
    number = part.number(at, length)
    size, size_length = vint(part, at + length)
    start = at + length + size_length
    is_open = size == (1 << 7 * size_length) - 1
    if is_open:
        size = len(part) - start
    end = min(start + size, len(part))
    content = part.part(start, end - start, names(number))
    return Element(number, content, end, start + size - end, is_open)


def each(
    part: Part, names: Callable[[int], str], visit: Callable[[Element], Walk]
) -> Walk:
    """Visit the elements in one; what is damaged in one is no obstacle to the next."""
    part.check_depth()
    at, count = 0, 0
    while at < len(part):
        count += 1
        try:
            element = read_element(part, at, names)
        except Damaged:
            element = None
        if element is None or count > _MAX_ELEMENTS:
            rest = part.part(at, None, "rest")
            yield from leftover(rest, Kind.GAP, "bytes that are no element")
            return
        yield from visited(element, visit)
        at = element.end


def visited(element: Element, visit: Callable[[Element], Walk]) -> Walk:
    """Visit an element, and say so when it is cut off or damaged."""
    content = element.content
    if element.missing:
        what = f"an element that claims {element.missing} bytes more than there are"
        yield content.finding(Kind.UNREAD, f"damaged: {what}")
    try:
        yield from visit(element)
    except Damaged as damage:
        yield content.finding(Kind.UNREAD, f"damaged: {damage}")
        yield Embedded(content)
