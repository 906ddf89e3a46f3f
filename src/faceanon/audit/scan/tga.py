"""TGA: the texts in its areas, its postage stamp, and bytes that belong to nothing."""

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Damaged, Part, Walk, free_text, leftover, picture

_HEADER_LENGTH, _FOOTER_LENGTH = 18, 26
_SIGNATURE = b"TRUEVISION-XFILE."
_PACKED = (9, 10, 11)

# Of the extension area: where each text is, how long, what it is.
_EXTENSION_LENGTH = 495
_TEXTS = (
    (2, 41, Kind.NAME, "the author"),
    (43, 324, Kind.COMMENT, "comments"),
    (379, 41, Kind.COMMENT, "the name of a job"),
    (426, 41, Kind.COMMENT, "the program that wrote it"),
)
_DATE, _DATE_LENGTH, _STAMP = 367, 12, 486


def tga(part: Part) -> Walk:
    """A TGA and what stands after it in the part."""
    id_length = part.number(0, 1)
    if id_length:
        text = part.part(_HEADER_LENGTH, id_length, "ID")
        yield from free_text(text, Kind.COMMENT, "the name of the picture")
    entries = part.number(5, 2, "little") if part.number(1, 1) else 0
    start = _HEADER_LENGTH + id_length + entries * -(-part.number(7, 1) // 8)
    used = [(0, _end_of_pixels(part, start))]
    footer = len(part) - _FOOTER_LENGTH
    if footer >= start and part.starts_with(_SIGNATURE, footer + 8):
        used.append((footer, len(part)))
        extension = part.number(footer, 4, "little")
        if extension:
            area = part.part(extension, _EXTENSION_LENGTH, "extension")
            used.append((extension, extension + _EXTENSION_LENGTH))
            yield from _extension(part, area, footer)
    end = 0
    for first, stop in sorted([*used, (len(part), len(part))]):
        if first > end:
            gap = part.part(end, first - end, "gap")
            kind = Kind.TRAILER if first == len(part) else Kind.GAP
            yield from leftover(gap, kind, "bytes that belong to no pixel")
        end = max(end, stop)


def _extension(part: Part, area: Part, footer: int) -> Walk:
    for start, length, kind, what in _TEXTS:
        yield from free_text(area.part(start, length, what), kind, what)
    date = area.part(_DATE, _DATE_LENGTH, "date")
    if any(date.data):
        yield date.finding(Kind.DATE, "when it was saved")
    stamp = area.number(_STAMP, 4, "little")
    if stamp:
        yield from picture(part.part(stamp, max(footer - stamp, 0), "stamp"), "a stamp")


def _end_of_pixels(part: Part, start: int) -> int:
    width, height = part.number(12, 2, "little"), part.number(14, 2, "little")
    size = -(-part.number(16, 1) // 8)
    left = width * height
    if part.number(2, 1) not in _PACKED:
        end = start + left * size
        if end > len(part):
            raise Damaged("a TGA whose pixels are cut off")
        return end
    at = start
    while left > 0:
        packet = part.number(at, 1)
        count = (packet & 0x7F) + 1
        at += 1 + size * (1 if packet & 0x80 else count)
        left -= count
    if at > len(part):
        raise Damaged("a TGA whose pixels are cut off")
    return at
