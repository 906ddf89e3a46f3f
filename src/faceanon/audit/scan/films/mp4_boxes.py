"""The boxes of MP4 and QuickTime that are known, and how to walk along them.

ISO/IEC 14496-12, -14 and -15; Apple's QuickTime File Format; 3GPP TS 26.244. What is in
none of the lists is unknown, and so not harmless.
"""

from collections.abc import Callable

from faceanon.audit.scan.boxes import Box, read_box
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Damaged, Embedded, Part, Walk, leftover

MAX_BOXES = 500_000
"""More in a row are not walked along."""

FREE = {b"free", b"skip", b"wide"}

SIZES: dict[bytes, int] = {
    # How a film plays.
    **{b"mvhd": 112, b"tkhd": 96, b"mdhd": 36, b"mehd": 12, b"trex": 24, b"iods": 40},
    **{b"mfhd": 8, b"tfhd": 40, b"tfdt": 12, b"mfro": 8, b"trep": 8, b"load": 16},
    **{b"vmhd": 12, b"smhd": 8, b"nmhd": 4, b"sthd": 4, b"hmhd": 20, b"gmin": 16},
    **{b"clef": 12, b"prof": 12, b"enof": 12, b"cslg": 44, b"pdin": 1024},
    # How pictures and sound are coded.
    **{b"pasp": 8, b"clap": 32, b"btrt": 12, b"fiel": 2, b"gama": 4, b"chrm": 3},
    **{b"mdcv": 24, b"clli": 4, b"SmDm": 28, b"CoLL": 8, b"amve": 8, b"pixi": 16},
    **{b"dvcC": 24, b"dvvC": 24, b"dvwC": 24, b"av1C": 512, b"vpcC": 64, b"d263": 16},
    **{b"ccst": 8, b"cclv": 32, b"dOps": 300, b"dac3": 8, b"dec3": 64, b"dac4": 64},
    **{b"damr": 16, b"alac": 64, b"chan": 256, b"chnl": 64, b"pcmC": 8, b"frma": 4},
    **{b"enda": 4, b"mp4a": 12, b"srat": 8, b"ddts": 32, b"dmlp": 16, b"mhaC": 256},
}
"""Boxes of a few numbers that a film may have, and how many bytes are enough."""

TABLES: dict[bytes, int] = {
    **{b"stts": 8, b"ctts": 8, b"stss": 4, b"stsc": 12, b"stco": 4, b"co64": 8},
    **{b"stps": 4, b"stsh": 8},
}
"""Boxes of a count and so many numbers, with the bytes of one of them."""

LISTS = {b"stsz", b"stz2", b"sdtp", b"sgpd", b"sbgp", b"tfra", b"sidx", b"trun"}
"""Further boxes of numbers about the samples."""

NAMED: dict[bytes, tuple[Kind, str]] = {
    # Texts of QuickTime and iTunes.
    b"\xa9xyz": (Kind.PLACE, "the place"),
    b"\xa9nam": (Kind.COMMENT, "the title"),
    b"\xa9ART": (Kind.NAME, "the artist"),
    b"\xa9aut": (Kind.NAME, "the author"),
    b"\xa9wrt": (Kind.NAME, "the writer"),
    b"\xa9dir": (Kind.NAME, "the director"),
    b"\xa9prd": (Kind.NAME, "the producer"),
    b"\xa9prf": (Kind.NAME, "the performers"),
    b"\xa9cpy": (Kind.NAME, "the copyright"),
    b"\xa9cmt": (Kind.COMMENT, "a comment"),
    b"\xa9des": (Kind.COMMENT, "a description"),
    b"\xa9alb": (Kind.COMMENT, "the album"),
    b"\xa9gen": (Kind.COMMENT, "the genre"),
    b"\xa9inf": (Kind.COMMENT, "an information"),
    b"\xa9key": (Kind.COMMENT, "keywords"),
    b"\xa9lyr": (Kind.COMMENT, "lyrics"),
    b"\xa9day": (Kind.DATE, "the date"),
    b"\xa9too": (Kind.COMMENT, "a program"),
    b"\xa9swr": (Kind.COMMENT, "a program"),
    b"\xa9enc": (Kind.COMMENT, "a program"),
    b"\xa9mak": (Kind.CAMERA, "the make"),
    b"\xa9mod": (Kind.CAMERA, "the model"),
    b"\xa9fmt": (Kind.COMMENT, "the format"),
    b"\xa9TIM": (Kind.DATE, "a time code"),
    b"\xa9uid": (Kind.SERIAL, "a unique number"),
    b"aART": (Kind.NAME, "the artist of the album"),
    b"desc": (Kind.COMMENT, "a description"),
    b"ldes": (Kind.COMMENT, "a description"),
    b"cprt": (Kind.NAME, "the copyright"),
    b"purd": (Kind.DATE, "the date of purchase"),
    b"apID": (Kind.NAME, "the account of the buyer"),
    b"ownr": (Kind.NAME, "the owner"),
    b"covr": (Kind.PICTURE, "a cover picture"),
    b"name": (Kind.COMMENT, "a title"),
    b"titl": (Kind.COMMENT, "the title"),
    b"dscp": (Kind.COMMENT, "a description"),
    b"auth": (Kind.NAME, "the author"),
    b"perf": (Kind.NAME, "the performers"),
    b"albm": (Kind.COMMENT, "the album"),
    b"gnre": (Kind.COMMENT, "the genre"),
    b"kywd": (Kind.COMMENT, "keywords"),
    b"yrrc": (Kind.COMMENT, "the year"),
    b"loci": (Kind.PLACE, "the place"),
    b"date": (Kind.DATE, "the date"),
    b"manu": (Kind.CAMERA, "the make"),
    b"modl": (Kind.CAMERA, "the model"),
    b"tnam": (Kind.COMMENT, "the title of a track"),
    b"slno": (Kind.SERIAL, "a serial number"),
    b"SNum": (Kind.SERIAL, "a serial number"),
    b"elng": (Kind.COMMENT, "a language"),
    # Of cameras.
    b"CNTH": (Kind.PICTURE, "Canon's thumbnail"),
    b"CNDA": (Kind.PICTURE, "Canon's thumbnail"),
    b"thmb": (Kind.PICTURE, "a thumbnail"),
    b"THMB": (Kind.PICTURE, "a thumbnail"),
    b"pnot": (Kind.PICTURE, "a preview"),
    b"PICT": (Kind.PICTURE, "a preview"),
    b"pict": (Kind.PICTURE, "a preview"),
    b"CNCV": (Kind.MAKER_NOTE, "Canon's version"),
    b"CNMN": (Kind.MAKER_NOTE, "Canon's model"),
    b"CNFV": (Kind.MAKER_NOTE, "Canon's firmware"),
    b"CNOP": (Kind.MAKER_NOTE, "Canon's metadata"),
    b"CAME": (Kind.SERIAL, "GoPro's serial number"),
    b"MUID": (Kind.SERIAL, "GoPro's number of the film"),
    b"GUMI": (Kind.SERIAL, "GoPro's number of the film"),
    b"FIRM": (Kind.MAKER_NOTE, "GoPro's firmware"),
    b"LENS": (Kind.SERIAL, "GoPro's number of the lens"),
    b"SETT": (Kind.MAKER_NOTE, "GoPro's settings"),
    b"BCID": (Kind.MAKER_NOTE, "GoPro's metadata"),
    b"HMMT": (Kind.MAKER_NOTE, "GoPro's marks"),
    b"GPMF": (Kind.PLACE, "GoPro's telemetry: place, motion, serial number"),
    b"gps ": (Kind.PLACE, "a dashcam's table of places"),
    b"GPS ": (Kind.PLACE, "a dashcam's places"),
    b"gps0": (Kind.PLACE, "a dashcam's places"),
    b"gsen": (Kind.MAKER_NOTE, "a dashcam's motion"),
    b"LIGO": (Kind.PLACE, "a dashcam's places"),
    b"sefd": (Kind.MAKER_NOTE, "Samsung's metadata"),
    b"smta": (Kind.MAKER_NOTE, "Samsung's metadata"),
    b"inst": (Kind.MAKER_NOTE, "Insta360's metadata: place, motion, serial number"),
    b"NCDT": (Kind.MAKER_NOTE, "Nikon's metadata"),
    b"PANA": (Kind.MAKER_NOTE, "Panasonic's metadata"),
    b"LEIC": (Kind.MAKER_NOTE, "Leica's metadata"),
    b"QVMI": (Kind.MAKER_NOTE, "Casio's metadata"),
    b"FFMV": (Kind.MAKER_NOTE, "Fujifilm's metadata"),
    b"MVTG": (Kind.MAKER_NOTE, "Fujifilm's metadata"),
    b"PENT": (Kind.MAKER_NOTE, "Pentax' metadata"),
    b"RICO": (Kind.MAKER_NOTE, "Ricoh's metadata"),
    b"frea": (Kind.MAKER_NOTE, "Kodak's metadata"),
    b"udat": (Kind.PLACE, "a dashcam's places"),
    b"Xtra": (Kind.COMMENT, "the properties that Windows keeps"),
    # Of the structure.
    b"chpl": (Kind.COMMENT, "the names of chapters"),
    b"hnti": (Kind.COMMENT, "how to stream it, as a text"),
    b"emsg": (Kind.COMMENT, "a message to players"),
    b"prft": (Kind.DATE, "the time when it was recorded or sent"),
    b"xml ": (Kind.MAKER_NOTE, "metadata as XML"),
    b"bxml": (Kind.MAKER_NOTE, "metadata as XML"),
    b"ID32": (Kind.COMMENT, "ID3 tags"),
    b"jumb": (Kind.PROVENANCE, "JUMBF, such as C2PA"),
    b"cmov": (Kind.UNREAD, "a compressed header: it is not looked into"),
    b"sinf": (Kind.UNREAD, "encrypted: it is not looked into"),
    b"pssh": (Kind.UNREAD, "encrypted: it is not looked into"),
}
"""What identifies, by its code, wherever it stands."""


def each(part: Part, visit: Callable[[Box], Walk], start: int = 0) -> Walk:
    """Visit the boxes in a box; what is damaged in one is no obstacle to the next."""
    part.check_depth()
    at, count = start, 0
    while at < len(part):
        try:
            box = read_box(part, at)
        except Damaged:
            box = None
        count += 1
        if box is not None and not any(box.kind) and not box.content:
            # What ends a list of QuickTime.
            at = box.end
            continue
        if box is None or not any(box.kind) or count > MAX_BOXES:
            rest = part.part(at, None, "rest")
            yield from leftover(rest, Kind.GAP, "bytes that are no box")
            return
        yield from visited(box, visit)
        at = box.end


def visited(box: Box, visit: Callable[[Box], Walk]) -> Walk:
    """Visit a box, and say so when it is cut off or damaged."""
    if box.missing:
        what = f"damaged: a box that claims {box.missing} bytes more than there are"
        yield box.content.finding(Kind.UNREAD, what)
    try:
        yield from visit(box)
    except Damaged as damage:
        yield box.content.finding(Kind.UNREAD, f"damaged: {damage}")
        yield Embedded(box.content)


def numbers(box: Box) -> Walk:
    """A box of numbers that a film may have; what is more in it than these."""
    rest = box.content.part(min(_used(box), len(box.content)), None, "rest")
    yield from leftover(rest, Kind.GAP, "bytes after the numbers of a box")


def _used(box: Box) -> int:
    """How many bytes its numbers take up."""
    kind, content = box.kind, box.content
    # Of groups, and of a byte for each sample: whose track it is sees to them.
    used = len(content)
    if kind in SIZES:
        used = SIZES[kind]
    elif kind in TABLES:
        used = 8 + TABLES[kind] * content.number(4, 4)
    elif kind == b"stsz":
        used = 12 if content.number(4, 4) else 12 + 4 * content.number(8, 4)
    elif kind == b"stz2":
        used = 12 + (content.number(7, 1) * content.number(8, 4) + 7) // 8
    elif kind == b"sbgp":
        count_at = 12 if content.number(0, 1) else 8
        used = count_at + 4 + 8 * content.number(count_at, 4)
    elif kind == b"tfra":
        lengths = content.number(11, 1)
        width = 16 if content.number(0, 1) else 8
        width += sum((lengths >> shift & 3) + 1 for shift in (0, 2, 4))
        used = 16 + width * content.number(12, 4)
    elif kind == b"sidx":
        count_at = 30 if content.number(0, 1) else 22
        used = count_at + 2 + 12 * content.number(count_at, 2)
    elif kind == b"trun":
        flags = content.number(1, 3)
        width = 4 * (flags >> 8 & 15).bit_count()
        used = 8 + 4 * (flags & 5).bit_count() + width * content.number(4, 4)
    return used


def other(box: Box) -> Walk:
    """A box that a film does not need."""
    if box.kind in SIZES or box.kind in TABLES or box.kind in LISTS:
        yield from numbers(box)
    elif not box.content:
        return
    elif box.kind in FREE:
        yield from leftover(box.content, Kind.GAP, "bytes of a box that is free")
    else:
        kind, what = NAMED.get(box.kind, (Kind.UNKNOWN, "a box that is not known"))
        text = box.content.text()
        value = text if text.isprintable() and kind is not Kind.PICTURE else None
        yield box.content.finding(kind, what, value=value)
        yield Embedded(box.content, is_picture=kind is Kind.PICTURE)
