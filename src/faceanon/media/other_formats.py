"""Formats that are known and not read, each by its name."""

from collections.abc import Iterator

from faceanon.media.containers import Readable
from faceanon.media.containers.iso import Box, boxes
from faceanon.media.containers.jpeg import kind_of
from faceanon.media.formats import tiff_pages

RAW = "a raw file of a camera"

# What the first bytes say, from an offset on.
_KNOWN_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (4, b"jP  ", "a JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (0, b"\xff\xd8\xff\xf7", "a JPEG-LS"),
    (0, b"II\xbc", "a JPEG XR"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"gimp xcf", "a file of GIMP"),
    (0, b"IIRO", RAW),
    (0, b"IIRS", RAW),
    (0, b"IIU\0", RAW),
    (0, b"FUJIFILM", RAW),
    (0, b"\0MRM", RAW),
    (0, b"FOVb", RAW),
    (4, b"ftypcrx ", RAW),
    (0, b"%PDF", "a PDF"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (0, b"\0\0\2\0", "a mouse pointer (CUR)"),
    (0, b"icns", "an icon of macOS (ICNS)"),
    (0, b"DDS ", "a DDS"),
    (0, b"\xabKTX ", "a KTX"),
    (0, b"qoif", "a QOI"),
    (0, b"farbfeld", "a farbfeld"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR"),
    (0, b"#?RADIANCE", "a Radiance HDR"),
    (0, b"#?RGBE", "a Radiance HDR"),
    (0, b"PF\n", "a PFM, in floating point"),
    (0, b"Pf\n", "a PFM, in floating point"),
    (0, b"P7 332", "a thumbnail of xv"),
    (0, b"SIMPLE  =", "a FITS"),
    (128, b"DICM", "a DICOM"),
    (0, b"\x59\xa6\x6a\x95", "a Sun raster"),
    (0, b"\x01\xda", "an SGI"),
    (0, b"\x0a\x05\x01", "a PCX"),
    (0, b"/* XPM */", "an XPM"),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (40, b" EMF", "a Windows metafile"),
    (0, b"BPG\xfb", "a BPG"),
    (0, b"AT&TFORM", "a DjVu"),
    (0, b"<svg", "an SVG"),
    (0, b"FLIF", "a FLIF"),
)
_TIFF = (b"II*\0", b"II+\0", b"MM\0*", b"MM\0+")

# BMP: the header of OS/2, and what other headers hold in place of pixels.
_OS2 = 64
_EMBEDDED = {4: "JPEG", 5: "PNG"}
_LAST_COMMON = 2

HEAD = 132
"""So many bytes from the beginning are enough to tell, but for JPEG and HEIF."""

# How the items of a HEIF are coded (ISO/IEC 23008-12, annexes; 23001-17).
_CODECS = {
    b"unci": "uncompressed pixels",
    b"jpeg": "JPEG",
    b"j2k1": "JPEG 2000",
    b"vvc1": "VVC (H.266)",
    b"evc1": "EVC",
    b"avc1": "AVC (H.264)",
    b"av01": "AV1",
    b"hvc1": "HEVC (H.265)",
}


def name_of(data: Readable) -> str | None:
    """The name of the format of a file that no decoder takes; None if it is not known.

    Args:
        data: the whole file.
    """
    head = data[:HEAD]
    if head.startswith(b"\xff\xd8"):
        kind = kind_of(data[:])
        if kind:
            return kind
    if by_magic := named_by_magic(head):
        return by_magic
    if head[4:8] == b"ftyp":
        codecs = [name for kind, name in _CODECS.items() if kind in item_kinds(data)]
        return f"a HEIF with {codecs[0]} in it" if codecs else "a HEIF of a rare kind"
    if head.startswith(_TIFF):
        return tiff_pages.kind_of(data)
    return refused_kind(head)


def named_by_magic(head: bytes) -> str | None:
    """The name of a format that is not read; None for others.

    Args:
        head: the first `HEAD` bytes.
    """
    for offset, magic, name in _KNOWN_MAGIC:
        if head.startswith(magic, offset):
            return name
    return None


def refused_kind(head: bytes) -> str | None:
    """The name of a rare kind of a format that is read otherwise; None for others.

    Args:
        head: the first `HEAD` bytes.
    """
    if head[12:16] == b"CgBI":
        return "a PNG for apps of iOS (CgBI)"
    if head[:2] == b"BM" and 40 <= int.from_bytes(head[14:18], "little") <= 124:
        bits = int.from_bytes(head[28:30], "little")
        compression = int.from_bytes(head[30:34], "little")
        is_os2 = int.from_bytes(head[14:18], "little") == _OS2
        if compression in _EMBEDDED and not is_os2:
            return f"a BMP with a {_EMBEDDED[compression]} in it"
        if bits not in (1, 4, 8, 16, 24, 32):
            return f"a BMP of {bits} bits"
        if is_os2 and compression > _LAST_COMMON:
            return "a BMP of OS/2 in a rare compression"
    return None


def item_kinds(data: Readable) -> set[bytes]:
    """How the items of a HEIF or AVIF are coded, as they name it."""
    found = set()
    for meta in _of_kind(boxes(data), b"meta"):
        for items in _of_kind(boxes(data, meta.start + 4, meta.end), b"iinf"):
            is_short = data[items.start : items.start + 1] == b"\0"
            start = items.start + (6 if is_short else 8)
            for entry in _of_kind(boxes(data, start, items.end), b"infe"):
                version = data[entry.start : entry.start + 1]
                at = entry.start + (8 if version == b"\2" else 10)
                found.add(data[at : at + 4])
    return found


def _of_kind(found: Iterator[Box], kind: bytes) -> list[Box]:
    return [box for box in found if box.kind == kind]
