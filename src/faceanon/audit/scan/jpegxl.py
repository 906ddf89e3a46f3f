"""JPEG XL and JPEG 2000: their boxes."""

from faceanon.audit.scan.boxes import Box, boxes
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Part,
    Walk,
    free_text,
    leftover,
    unknown,
)
from faceanon.audit.scan.tiff import exif
from faceanon.audit.scan.xmp import xmp

_CODESTREAM = b"\xff\x0a"
_XL_STRUCTURE = {b"JXL ", b"ftyp", b"jxll", b"jxli"}
_2000_STRUCTURE = {b"jP  ", b"ftyp", b"jp2h"}
_BROTLI: dict[bytes, tuple[Kind, str]] = {
    b"Exif": (Kind.UNREAD, "EXIF, compressed by Brotli"),
    b"xml ": (Kind.UNREAD, "XMP, compressed by Brotli"),
    b"jumb": (Kind.PROVENANCE, "C2PA, compressed by Brotli"),
}
_SOT, _COM = 0xFF90, 0xFF64


def jpegxl(part: Part) -> Walk:
    """A JPEG XL file (ISO/IEC 18181-2)."""
    if part.starts_with(_CODESTREAM):
        # Where it ends is told only by decoding it: what follows is searched for.
        yield Embedded(part.part(len(_CODESTREAM), None, "codestream"))
        return
    for box in boxes(part):
        if box.kind == b"Exif":
            yield Embedded(box.content.part(4 + box.content.number(0, 4)), exif)
        elif box.kind == b"brob":
            kind, what = _BROTLI.get(
                box.content.read(0, 4), (Kind.UNKNOWN, "a box, compressed by Brotli")
            )
            yield box.content.finding(kind, what)
        elif box.kind == b"jbrd":
            yield box.content.finding(
                Kind.UNREAD, "what it takes to make the JPEG it was, with its metadata"
            )
        elif box.kind in (b"jxlc", b"jxlp"):
            stream = box.content.part(4) if box.kind == b"jxlp" else box.content
            yield Embedded(stream)
        elif box.kind in _XL_STRUCTURE:
            continue
        elif part.number(box.start, 4) > len(part) - box.start:
            # Only what is no box reaches beyond the end.
            trailer = part.part(box.start, None, "trailer")
            yield from leftover(trailer, Kind.TRAILER, "data after the last box")
        else:
            yield from _other(box)


def jpeg2000(part: Part) -> Walk:
    """A JP2 file (ISO/IEC 15444-1, annex I)."""
    has_picture = False
    for box in boxes(part):
        if box.kind == b"jp2c":
            has_picture = True
            yield from _codestream(box.content)
        elif box.kind not in _2000_STRUCTURE:
            yield from _other(box)
    if not has_picture:
        raise Damaged("a JPEG 2000 without a picture")


def _other(box: Box) -> Walk:
    if box.kind == b"xml ":
        yield Embedded(box.content, xmp)
    elif box.kind == b"jumb":
        yield box.content.finding(Kind.PROVENANCE, "JUMBF, such as C2PA")
        yield Embedded(box.content)
    elif box.kind in (b"free", b"skip"):
        yield from leftover(box.content, Kind.GAP, "bytes of a box that is free")
    else:
        yield from unknown(box.content, "a box that is not known")


def _codestream(part: Part) -> Walk:
    """The comments in the main header of a JPEG 2000 codestream."""
    at = 2
    while at + 4 <= len(part) and (marker := part.number(at, 2)) != _SOT:
        length = part.number(at + 2, 2)
        if marker == _COM and length > 4:
            text = part.part(at + 6, length - 4, "COM")
            yield from free_text(text, Kind.COMMENT, "a comment")
        at += 2 + length
