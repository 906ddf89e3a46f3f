"""ICO: its sizes, each a PNG or a BMP, and bytes that belong to none."""

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Damaged, Embedded, Part, Walk, leftover

_HEADER_LENGTH, _ENTRY_LENGTH = 6, 16
_BITMAP_HEADER = 40


def ico(part: Part) -> Walk:
    """An icon and what stands after it in the part."""
    count = part.number(4, 2, "little")
    if not count:
        raise Damaged("an icon without a picture")
    used = [(0, _HEADER_LENGTH + count * _ENTRY_LENGTH)]
    if count > 1:
        yield part.finding(Kind.FRAMES, f"{count} sizes")
    for number in range(count):
        entry = _HEADER_LENGTH + number * _ENTRY_LENGTH
        length = part.number(entry + 8, 4, "little")
        start = part.number(entry + 12, 4, "little")
        size = part.part(start, length, f"size{number}")
        if size.starts_with(b"\x89PNG"):
            yield Embedded(size, is_picture=True)
            used.append((start, start + length))
        else:
            used.append((start, start + min(_bitmap_length(size), length)))
    end = 0
    for start, stop in sorted([*used, (len(part), len(part))]):
        if start > end:
            gap = part.part(end, start - end, "gap")
            kind = Kind.TRAILER if start == len(part) else Kind.GAP
            yield from leftover(gap, kind, "bytes that belong to no size")
        end = max(end, stop)


def _bitmap_length(bitmap: Part) -> int:
    """How long the headers, the palette, the pixels and their mask are."""
    header = bitmap.number(0, 4, "little")
    if header != _BITMAP_HEADER:
        raise Damaged("an icon whose picture has no header that is known")
    width, both = bitmap.number(4, 4, "little"), bitmap.number(8, 4, "little")
    bits, colors = bitmap.number(14, 2, "little"), bitmap.number(32, 4, "little")
    palette = 4 * (colors or (1 << bits)) if bits <= 8 else 0
    rows = both // 2
    mask = -(-width // 32) * 4 * rows
    return header + palette + -(-width * bits // 32) * 4 * rows + mask
