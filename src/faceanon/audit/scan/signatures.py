"""Pictures, videos and metadata by the bytes that they begin with."""

import re
from collections.abc import Callable

from faceanon.audit.scan import (
    bmp,
    boxes,
    gif,
    ico,
    isobmff,
    jpeg,
    jpegxl,
    photoshop,
    png,
    pnm,
    tga,
    tiff,
    webp,
    xmp,
)
from faceanon.audit.scan.films import avi, matroska, mp4, unwalked
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Damaged, Embedded, Order, Part, Walk, Walker

_HEIF = re.compile(
    rb".{4}ftyp(avif|avis|heic|heix|heim|heis|hevc|hevx|mif1|msf1)", re.DOTALL
)
# It has no first bytes of its own: a kind, no colour table or one, and a depth.
_TGA = re.compile(
    rb".(\x00[\x02\x03\x0a\x0b]\x00{4}|\x01[\x01\x09].{4}).{9}"
    rb"[\x08\x0f\x10\x18\x20][\x00-\x3f]",
    re.DOTALL,
)
_FORMATS: tuple[tuple[re.Pattern[bytes], Walker], ...] = tuple(
    (re.compile(pattern, re.DOTALL), walker)
    for pattern, walker in (
        (rb"\xff\xd8\xff", jpeg.jpeg),
        (rb"\x89PNG\r\n\x1a\n", png.png),
        (rb"RIFF.{4}WEBP", webp.webp),
        (rb"GIF8[79]a", gif.gif),
        (rb"II[*+]\0|MM\0[*+]|IIRO|IIU\0", tiff.tiff),
        (rb"BM.{8}", bmp.bmp),
        (rb"P[1-6][\s#]|P7\n", pnm.pnm),
        (rb"\x00\x00\x01\x00.\x00", ico.ico),
        (_HEIF.pattern, isobmff.isobmff),
        (rb"\0\0\0\x0cJXL \r\n\x87\n|\xff\x0a", jpegxl.jpegxl),
        (rb"\0\0\0\x0cjP  \r\n\x87\n", jpegxl.jpeg2000),
        (rb"8BPS\0[\1\2]", photoshop.psd),
        (rb".{4}(ftyp(?!crx )|moov|mdat|wide|free|skip|pnot)", mp4.mp4),
        (rb"\x1a\x45\xdf\xa3", matroska.matroska),
        (rb"RIFF.{4}AVI ", avi.avi),
        *unwalked.FORMATS,
        (_TGA.pattern, tga.tga),
    )
)

_SIGNATURES = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF|GIF8[79]a|ftyp|moov|<x:xmpmeta|Exif\0\0"
    rb"|JXL \r\n\x87\n|jP  \r\n\x87\n|8BPS\0[\1\2]|II\*\0|MM\0\*"
    rb"|\x1a\x45\xdf\xa3.{0,32}\x42\x82|\x30\x26\xb2\x75\x8e\x66\xcf\x11"
    rb"|FLV\x01[\x01\x04\x05]\0\0\0\x09|OggS\0\x02",
    re.DOTALL,
)
_RIFF_KINDS = {
    b"WEBP": (Kind.PICTURE, "a WebP"),
    b"WAVE": (Kind.SOUND, "a WAVE"),
    b"AVI ": (Kind.VIDEO, "an AVI"),
}
_MAX_FTYP_LENGTH, _MAX_TIFF_ENTRIES, _MAX_TIFF_TYPE = 256, 256, 13
_XMP_END = re.compile(rb"</x:xmpmeta>")


def walker_of(part: Part) -> Walker | None:
    """What knows the format that a part begins with; None if nothing does."""
    start = bytes(part.data[: unwalked.HEAD])
    for pattern, walker in _FORMATS:
        if pattern.match(start):
            return walker
    return None


def search(part: Part) -> Walk:
    """Look for the signatures of pictures, videos and metadata in unknown bytes."""
    at = 0
    while found := _SIGNATURES.search(part.data, at):
        at = found.end()
        start = found.start()
        try:
            walk, end = _CANDIDATES[found.group()[:4]](part, start)
        except Damaged:
            continue
        if end > start:
            yield from walk
            at = max(at, end)


Candidate = tuple[Walk, int]
"""What is to be said of a hit, and where it ends; its start if it is no such thing."""


def _found(part: Part, start: int, end: int, kind: Kind, what: str) -> Candidate:
    name = what.partition(" ")[2]
    hit = part.part(start, min(end, len(part)) - start, name)

    def walk() -> Walk:
        yield hit.finding(kind, what)
        if kind is Kind.PICTURE:
            yield Embedded(hit, is_picture=True)

    return walk(), end


def _jpeg(part: Part, start: int) -> Candidate:
    length = jpeg.extent(part.part(start))
    return _found(part, start, start + length, Kind.PICTURE, "a JPEG")


def _png(part: Part, start: int) -> Candidate:
    length = png.extent(part.part(start))
    return _found(part, start, start + length, Kind.PICTURE, "a PNG")


def _riff(part: Part, start: int) -> Candidate:
    form = part.read(start + 8, 4)
    if form not in _RIFF_KINDS:
        raise Damaged("no RIFF that is known")
    kind, what = _RIFF_KINDS[form]
    end = start + 8 + part.number(start + 4, 4, "little")
    return _found(part, start, end, kind, what)


def _to_the_end(
    what: str, before: int = 0, kind: Kind = Kind.PICTURE
) -> Callable[[Part, int], Candidate]:
    def candidate(part: Part, start: int) -> Candidate:
        if start < before:
            raise Damaged("cut off at its beginning")
        return _found(part, start - before, len(part), kind, what)

    return candidate


def _media(part: Part, start: int) -> Candidate:
    """An MP4, QuickTime, HEIF or AVIF file, from its first box on."""
    if start < 4:
        raise Damaged("cut off at its beginning")
    file = part.part(start - 4)
    is_movie = file.starts_with(b"moov", 4) and file.starts_with(b"mvhd", 12)
    is_file = file.starts_with(b"ftyp", 4) and file.number(0, 4) <= _MAX_FTYP_LENGTH
    end = start - 4 + boxes.extent(file)
    if not (is_movie or is_file):
        raise Damaged("no box that a file begins with")
    if _HEIF.match(file.data):
        return _found(part, start - 4, end, Kind.PICTURE, "a HEIF")
    return _found(part, start - 4, end, Kind.VIDEO, "a video")


def _xmp_packet(part: Part, start: int) -> Candidate:
    end = _XMP_END.search(part.data, start)
    packet = part.part(start, end.end() - start if end else None, "XMP")

    def walk() -> Walk:
        yield Embedded(packet, xmp.xmp)

    return walk(), start + len(packet)


def _exif_block(part: Part, start: int) -> Candidate:
    block = part.part(start, None, "Exif")
    if not _begins_tiff(block, 6):
        raise Damaged("no EXIF")

    def walk() -> Walk:
        yield Embedded(block, tiff.exif)

    # What does not belong to it is found as its gaps.
    return walk(), len(part)


def _tiff_block(part: Part, start: int) -> Candidate:
    """Half of the maker notes are such blocks; their pictures are found as they are."""
    if not _begins_tiff(part, start):
        raise Damaged("no TIFF")
    block = part.part(start, None, "TIFF")

    def walk() -> Walk:
        yield block.finding(Kind.CONTAINER, "directories of TIFF: EXIF, or a picture")

    return walk(), start + 4


def _begins_tiff(part: Part, start: int) -> bool:
    """Whether there is a header with a directory of types that there are."""
    order: Order = "little" if part.starts_with(b"II", start) else "big"
    directory = start + part.number(start + 4, 4, order)
    entries = part.number(directory, 2, order)
    return 0 < entries < _MAX_TIFF_ENTRIES and all(
        1 <= part.number(directory + 4 + 12 * index, 2, order) <= _MAX_TIFF_TYPE
        for index in range(min(entries, 8))
    )


_CANDIDATES: dict[bytes, Callable[[Part, int], Candidate]] = {
    b"\xff\xd8\xff": _jpeg,
    b"\x89PNG": _png,
    b"RIFF": _riff,
    b"GIF8": _to_the_end("a GIF"),
    b"8BPS": _to_the_end("a Photoshop file"),
    b"JXL ": _to_the_end("a JPEG XL", before=4),
    b"jP  ": _to_the_end("a JPEG 2000", before=4),
    b"\x1a\x45\xdf\xa3": _to_the_end("a Matroska", kind=Kind.VIDEO),
    b"\x30\x26\xb2\x75": _to_the_end("an ASF", kind=Kind.VIDEO),
    b"FLV\x01": _to_the_end("a FLV", kind=Kind.VIDEO),
    b"OggS": _to_the_end("an Ogg", kind=Kind.SOUND),
    b"ftyp": _media,
    b"moov": _media,
    b"<x:x": _xmp_packet,
    b"Exif": _exif_block,
    b"II*\0": _tiff_block,
    b"MM\0*": _tiff_block,
}
