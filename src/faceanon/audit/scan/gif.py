"""GIF: its blocks (GIF89a), and what follows the last."""

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.icc import icc_profile
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Part,
    Walk,
    free_text,
    leftover,
    unknown,
)
from faceanon.audit.scan.xmp import xmp

_IMAGE, _EXTENSION, _END = 0x2C, 0x21, 0x3B
_GRAPHIC_CONTROL, _COMMENT, _PLAIN_TEXT, _APPLICATION = 0xF9, 0xFE, 0x01, 0xFF
_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_LOOPS_LENGTH = 3
_XMP, _ICC = b"XMP DataXMP", b"ICCRGBG1012"

# XMP stands in a GIF as it is, and after it bytes that lead readers of blocks out.
_XMP_TRAILER_LENGTH = 257


def gif(part: Part) -> Walk:
    """A GIF and what stands after it in the part."""
    at = 13 + _color_table_length(part.number(10, 1))
    frames = 0
    while at < len(part) and (introducer := part.data[at]) != _END:
        if introducer == _IMAGE:
            frames += 1
            start = at + 10 + _color_table_length(part.number(at + 9, 1)) + 1
            at = _end_of_blocks(part, start)
        elif introducer == _EXTENSION:
            label = part.number(at + 1, 1)
            end = _end_of_blocks(part, at + 2)
            yield from _extension(part.part(at, end - at, f"0x{label:02x}"), label)
            at = end
        else:
            raise Damaged("a block that is not known")
    if not frames:
        raise Damaged("a GIF without a picture")
    if frames > 1:
        yield part.finding(Kind.FRAMES, f"{frames} frames")
    yield from leftover(
        part.part(min(at + 1, len(part)), None, "after the end"),
        Kind.TRAILER,
        "data after the end of the picture",
    )


def _color_table_length(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _end_of_blocks(part: Part, at: int) -> int:
    """The end of a chain of sub-blocks, or of the part."""
    data = part.data
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return min(at + 1, len(data))


def _joined(part: Part, start: int) -> Part:
    """What the sub-blocks from a place on hold."""
    pieces, at = [], start
    while at < len(part) and (length := part.data[at]):
        pieces.append(part.part(at + 1, min(length, len(part) - at - 1)))
        at += 1 + length
    if len(pieces) == 1:
        return pieces[0]
    return part.unpacked(b"".join(piece.data for piece in pieces))


def _extension(part: Part, label: int) -> Walk:
    if label == _GRAPHIC_CONTROL and len(part) == 8:
        return
    if label == _COMMENT:
        text = _joined(part, 2)
        yield from free_text(text, Kind.COMMENT, "a comment")
        yield Embedded(text)
    elif label == _PLAIN_TEXT:
        yield from free_text(_joined(part, 15), Kind.COMMENT, "a text to be shown")
    elif label == _APPLICATION and part.starts_with(_XMP, 3):
        end = max(len(part) - _XMP_TRAILER_LENGTH - 1, 14)
        yield Embedded(part.part(14, max(min(end, len(part)) - 14, 0), "XMP"), xmp)
    elif label == _APPLICATION and part.starts_with(_ICC, 3):
        yield Embedded(_joined(part, 14), icc_profile)
    elif label == _APPLICATION and part.read(3, 11) in _LOOPS:
        if len(_joined(part, 14)) > _LOOPS_LENGTH:
            yield from unknown(_joined(part, 14), "more than a number of loops")
        else:
            yield part.finding(Kind.SETTINGS, "the number of loops")
    else:
        yield from unknown(_joined(part, 2), "an extension that is not known")
