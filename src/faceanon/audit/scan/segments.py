"""What the application segments of a JPEG hold."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.icc import icc_profile
from faceanon.audit.scan.part import (
    Embedded,
    Order,
    Part,
    Walk,
    leftover,
    picture,
    unknown,
)
from faceanon.audit.scan.photoshop import image_resources
from faceanon.audit.scan.tiff import exif
from faceanon.audit.scan.xmp import xmp

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_MP_ENTRY, _IMAGE_UID_LIST = 0xB002, 0xB003


@dataclass
class Assembly:
    """What is spread over several segments, collected until all of them were seen.

    Attributes:
        profile: the pieces of a colour profile, by their numbers.
        extended_xmp: pieces of extended XMP, by digest and offset.
        joined: pieces that belong together in their order, by what they are.
        pictures: where a multi-picture index says that further pictures are, as their
            offset in the file and length.
    """

    profile: dict[int, Part] = field(default_factory=dict)
    extended_xmp: dict[bytes, dict[int, Part]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    joined: dict[str, list[Part]] = field(default_factory=lambda: defaultdict(list))
    pictures: list[tuple[int, int]] = field(default_factory=list)

    def walk(self) -> Walk:
        """Look into what was put together."""
        if self.profile:
            yield Embedded(_join(self.profile), icc_profile)
        for pieces in self.extended_xmp.values():
            yield Embedded(_join(pieces), xmp)
        for parts in self.joined.values():
            yield Embedded(_join(dict(enumerate(parts))))


def _join(pieces: dict[int, Part]) -> Part:
    """Pieces in the order of their numbers; a single one stays where it is."""
    parts = [pieces[number] for number in sorted(pieces)]
    if len(parts) == 1:
        return parts[0]
    return parts[0].unpacked(b"".join(part.data for part in parts))


def application_segment(part: Part, number: int, assembly: Assembly) -> Walk:
    """An APPn segment, by its number and the name that it begins with.

    Pieces of what is spread over several segments are added to `assembly`.
    """
    for numbers, magic, walk in _SEGMENTS:
        if number in numbers and part.starts_with(magic):
            yield from walk(part, assembly)
            return
    if part:
        yield part.finding(Kind.UNKNOWN, "a segment that is not known")
        assembly.joined[f"APP{number}"].append(part)


def _jfif(part: Part, assembly: Assembly) -> Walk:
    if len(part) < 14:
        return
    size = 3 * part.number(12, 1) * part.number(13, 1)
    thumbnail = part.part(14, min(size, len(part) - 14), "thumbnail")
    yield from picture(thumbnail, "a JFIF thumbnail")
    yield from leftover(
        part.part(14 + len(thumbnail)), Kind.GAP, "bytes after the JFIF header"
    )


def _jfxx(part: Part, assembly: Assembly) -> Walk:
    yield part.finding(Kind.PICTURE, "a JFIF extension: a thumbnail")
    yield Embedded(part.part(min(6, len(part))), is_picture=True)


def _ciff(part: Part, assembly: Assembly) -> Walk:
    yield part.finding(Kind.MAKER_NOTE, "Canon's CIFF")
    yield Embedded(part)


def _exif(part: Part, assembly: Assembly) -> Walk:
    yield Embedded(part.part(0, None, "Exif"), exif)


def _xmp(part: Part, assembly: Assembly) -> Walk:
    yield Embedded(part.part(len(_XMP), None, "XMP"), xmp)


def _extended_xmp(part: Part, assembly: Assembly) -> Walk:
    at = len(_EXTENDED_XMP)
    pieces, offset = assembly.extended_xmp[part.read(at, 32)], part.number(at + 36, 4)
    if offset in pieces:
        yield from unknown(part, "a piece of XMP that is there twice")
    else:
        pieces[offset] = part.part(at + 40, None, "extended XMP")


def _profile(part: Part, assembly: Assembly) -> Walk:
    number = part.number(12, 1)
    if number in assembly.profile:
        yield from unknown(part, "a piece of a colour profile that is there twice")
    else:
        assembly.profile[number] = part.part(14)


def _gain_map(part: Part, assembly: Assembly) -> Walk:
    yield part.finding(Kind.CONTAINER, "numbers of a gain map")


def _flashpix(part: Part, assembly: Assembly) -> Walk:
    yield part.finding(Kind.CONTAINER, "FlashPix")
    is_stream = len(part) > 13 and part.number(6, 1) == 2
    assembly.joined["FPXR"].append(part.part(min(13 if is_stream else 7, len(part))))


def _meta(part: Part, assembly: Assembly) -> Walk:
    yield part.finding(Kind.MAKER_NOTE, "Kodak's Meta")
    yield Embedded(part.part(6, None, "Meta"), exif)


def _jumbf(part: Part, assembly: Assembly) -> Walk:
    yield part.finding(Kind.PROVENANCE, "JUMBF, such as C2PA")
    # Each further segment repeats the header of the box.
    header = 8 if len(part) < 8 or part.number(4, 4) == 1 else 16
    assembly.joined["JUMBF"].append(part.part(min(header, len(part))))


def _photoshop(part: Part, assembly: Assembly) -> Walk:
    yield Embedded(part.part(len(_PHOTOSHOP), None, "Photoshop"), image_resources)


def _adobe(part: Part, assembly: Assembly) -> Walk:
    yield from leftover(
        part.part(min(12, len(part))), Kind.GAP, "bytes after Adobe's numbers"
    )


def _multi_picture_index(part: Part, assembly: Assembly) -> Walk:
    """The MP Index IFD (CIPA DC-007)."""
    yield part.finding(Kind.CONTAINER, "an index of further pictures")
    block = part.part(4)
    order: Order = "little" if block.starts_with(b"II") else "big"
    directory = block.number(4, 4, order)
    for index in range(block.number(directory, 2, order)):
        at = directory + 2 + 12 * index
        tag, size = block.number(at, 2, order), block.number(at + 4, 4, order)
        start = block.number(at + 8, 4, order)
        if tag == _IMAGE_UID_LIST:
            yield part.finding(Kind.SERIAL, "unique numbers of the pictures")
        if tag != _MP_ENTRY or assembly.pictures:
            continue
        for entry in range(start, start + size - 15, 16):
            length, offset = (block.number(entry + 4 * n, 4, order) for n in (1, 2))
            if offset and block.offset is not None:
                assembly.pictures.append((block.offset + offset, length))


def _ducky(part: Part, assembly: Assembly) -> Walk:
    """What Photoshop's "Save for Web" writes: a quality, and comments."""
    at = 5
    while at + 4 <= len(part) and (tag := part.number(at, 2)):
        value = part.part(at + 4, part.number(at + 2, 2), f"Ducky/{tag}")
        if tag == 1 and len(value) == 4:
            yield value.finding(Kind.SETTINGS, "quality")
        else:
            yield value.finding(Kind.COMMENT, "a comment")
        at += 4 + len(value)
    yield from leftover(part.part(at), Kind.GAP, "bytes after Ducky")


def _picture_info(part: Part, assembly: Assembly) -> Walk:
    """Settings as old cameras wrote them, as a text."""
    if b"serial" in bytes(part.data).lower():
        yield part.finding(Kind.SERIAL, "a camera's settings with its serial number")
    elif part:
        yield part.finding(Kind.MAKER_NOTE, "a camera's settings as a text")
    yield Embedded(part)


_SegmentWalker = Callable[[Part, Assembly], Walk]

_SEGMENTS: tuple[tuple[tuple[int, ...], bytes, _SegmentWalker], ...] = (
    ((0,), b"JFIF\0", _jfif),
    ((0,), b"JFXX\0", _jfxx),
    ((0,), b"II\x1a\0\0\0HEAPJPGM", _ciff),
    ((0,), b"MM\0\0\0\x1aHEAPJPGM", _ciff),
    ((1, 3), b"Exif\0", _exif),
    ((1,), _XMP, _xmp),
    ((1,), _EXTENDED_XMP, _extended_xmp),
    ((2,), b"ICC_PROFILE\0", _profile),
    ((2,), b"MPF\0", _multi_picture_index),
    ((2,), b"urn:iso:std:iso:ts:21496:-1\0", _gain_map),
    ((2,), b"FPXR\0", _flashpix),
    ((3,), b"Meta\0\0", _meta),
    ((3,), b"META\0\0", _meta),
    ((11,), b"JP", _jumbf),
    ((12,), b"Ducky", _ducky),
    ((12,), b"", _picture_info),
    ((13,), _PHOTOSHOP, _photoshop),
    ((14,), b"Adobe", _adobe),
)
