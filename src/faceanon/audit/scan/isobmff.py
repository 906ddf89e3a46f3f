"""HEIF and AVIF: items and tracks, and what in the file belongs to none of them."""

from faceanon.audit.scan.boxes import Box, boxes
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.heif import Items
from faceanon.audit.scan.icc import icc_profile
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Part,
    Walk,
    leftover,
    picture,
    unknown,
)
from faceanon.audit.scan.tiff import exif
from faceanon.audit.scan.tracks import creation_time, handler_name, track
from faceanon.audit.scan.xmp import xmp

_PICTURES = {b"av01", b"hvc1", b"hev1", b"jpeg", b"grid", b"iden", b"iovl", b"tmap"}
_PICTURES |= {b"avc1", b"j2k1", b"vvc1", b"unci"}
_NAMES = {b"", b"Color", b"Alpha", b"Exif", b"XMP"}
_PROPERTIES = {b"ispe", b"pixi", b"av1C", b"hvcC", b"irot", b"imir", b"clap", b"pasp"}
_PROPERTIES |= {b"clli", b"mdcv", b"lsel", b"a1op", b"a1lx", b"cclv", b"amve", b"auxC"}
_PROPERTIES |= {b"iscl", b"rloc", b"ster", b"cicp", b"lhvC", b"oinf", b"tols"}
_STRUCTURE = {b"pitm", b"iloc", b"iinf", b"iref", b"iprp", b"idat", b"dinf"}
_STRUCTURE |= {b"grpl"}
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def isobmff(part: Part) -> Walk:
    """A HEIF or AVIF file."""
    used: list[tuple[int, int]] = []
    media: list[Box] = []
    for box in boxes(part):
        if box.kind == b"meta":
            yield from _items(part, box.content, used)
        elif box.kind == b"moov":
            yield from _movie(box.content, used)
        elif box.kind == b"mdat":
            media.append(box)
        elif box.kind == b"uuid" and box.content.starts_with(_C2PA):
            yield box.content.finding(Kind.PROVENANCE, "C2PA")
            yield Embedded(box.content)
        elif box.kind in (b"free", b"skip"):
            yield from leftover(box.content, Kind.GAP, "bytes of a box that is free")
        elif box.kind != b"ftyp":
            yield from unknown(box.content, "a box that is not known")
    if not used:
        raise Damaged("neither items nor tracks")
    for box in media:
        yield from _gaps(part, box, used)


def _gaps(part: Part, media: Box, used: list[tuple[int, int]]) -> Walk:
    """Bytes of the media that no item and no track refers to."""
    end = media.end - len(media.content)
    for start, stop in [*sorted(used), (media.end, media.end)]:
        if min(start, media.end) > end:
            gap = part.part(end, min(start, media.end) - end, "mdat/gap")
            yield from leftover(gap, Kind.GAP, "bytes that no item refers to")
        end = max(end, stop)


def _items(part: Part, meta: Part, used: list[tuple[int, int]]) -> Walk:
    """The items: the picture itself, and those that are none or one more."""
    items = Items(part, meta)
    used.extend(items.extents())
    shown = items.shown()
    for number, item in items.items.items():
        if item.name not in _NAMES:
            yield meta.part(0, 0, f"item {number}").finding(
                Kind.COMMENT, "the name of an item", value=item.name.decode("latin-1")
            )
        data = items.data(number)
        if data is None:
            continue
        if item.kind == b"Exif":
            start = 4 + data.number(0, 4)
            yield Embedded(data.part(start), exif)
        elif item.kind == b"mime" and item.content_type == b"application/rdf+xml":
            yield Embedded(data, xmp)
        elif item.kind not in _PICTURES:
            yield from unknown(data, "an item that is not known")
        elif number not in shown:
            yield from picture(data, items.role(number))
    for box in boxes(meta, 4):
        if box.kind == b"iprp":
            yield from _properties(box.content)
        elif box.kind == b"hdlr":
            yield from handler_name(box.content)
        elif box.kind not in _STRUCTURE:
            yield from unknown(box.content, "a box that is not known")


def _properties(part: Part) -> Walk:
    for container in boxes(part):
        if container.kind != b"ipco":
            continue
        for box in boxes(container.content):
            if box.kind == b"colr":
                if box.content.read(0, 4) in (b"prof", b"rICC"):
                    yield Embedded(box.content.part(4), icc_profile)
            elif box.kind not in _PROPERTIES:
                yield from unknown(box.content, "a property that is not known")


def _movie(part: Part, used: list[tuple[int, int]]) -> Walk:
    frames = 0
    for box in boxes(part):
        if box.kind == b"trak":
            frames = max(frames, (yield from track(box.content, used)))
        elif box.kind == b"mvhd":
            yield from creation_time(box.content)
        elif box.kind not in (b"free", b"skip"):
            yield from unknown(box.content, "a box that is not known")
    if frames > 1:
        yield part.finding(Kind.FRAMES, f"{frames} frames")
