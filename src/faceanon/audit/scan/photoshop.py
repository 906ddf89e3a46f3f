"""Photoshop: the image resources in JPEG, TIFF and PSD, and PSD files."""

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.icc import icc_profile
from faceanon.audit.scan.iptc import iptc
from faceanon.audit.scan.part import Embedded, Part, Walk, leftover, picture, unknown
from faceanon.audit.scan.xmp import xmp

_SIGNATURES = (b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR")

# Resources that are a few numbers, and how many bytes of them (Adobe's file format
# specification): resolution, halftones, grids, angles, flags, versions, counters.
_SETTINGS = {
    **dict.fromkeys((0x03ED, 0x03F3, 0x03FD, 0x0402, 0x0406, 0x0408, 0x040D), 64),
    **dict.fromkeys((0x03F5, 0x03F8, 0x03F9, 0x03FA), 128),
    **dict.fromkeys((0x0400, 0x040A, 0x0410, 0x0411, 0x0414, 0x0419, 0x041A), 16),
    **dict.fromkeys((0x041E, 0x0426, 0x0428, 0x042D, 0x0430, 0x2710), 16),
}
_THUMBNAILS = (0x0409, 0x040C)


def image_resources(part: Part) -> Walk:
    """Image resource blocks: a number, a name, data; each padded to an even length."""
    at = 0
    while at + 12 <= len(part) and part.read(at, 4) in _SIGNATURES:
        number = part.number(at + 4, 2)
        name_length = part.number(at + 6, 1)
        name = part.part(at + 7, name_length, f"0x{number:04x}/name")
        if name.text():
            yield name.finding(
                Kind.COMMENT, "the name of a resource", value=name.text()
            )
        at += 7 + name_length + (name_length + 1) % 2
        length = part.number(at, 4)
        # The last block may lack its end; what is there is looked at.
        length = min(length, len(part) - at - 4)
        yield from _resource(part.part(at + 4, length, f"0x{number:04x}"), number)
        at = min(at + 4 + length + length % 2, len(part))
    yield from leftover(part.part(at), Kind.GAP, "bytes after the last resource")


def _resource(value: Part, number: int) -> Walk:
    # Late, as a TIFF may hold resources, too.
    from faceanon.audit.scan.tiff import exif  # noqa: PLC0415

    blocks = {0x0404: iptc, 0x040F: icc_profile, 0x0422: exif, 0x0423: exif}
    blocks |= {0x0424: xmp}
    if number in _THUMBNAILS:
        # A header of 28 bytes, then a JPEG, or raw pixels.
        yield value.finding(Kind.PICTURE, "a Photoshop thumbnail")
        yield Embedded(value.part(min(28, len(value))), is_picture=True)
    elif number in blocks:
        if value:
            yield Embedded(value, blocks[number])
    elif len(value) <= _SETTINGS.get(number, 0):
        yield value.finding(Kind.SETTINGS, "a number of Photoshop's")
    else:
        yield from unknown(value, "a Photoshop resource that may hold anything")


def psd(part: Part) -> Walk:
    """A PSD or PSB file."""
    at = 26
    for name in ("colour table", "resources", "layers"):
        size = 8 if name == "layers" and part.number(4, 2) == 2 else 4
        section = part.part(at + size, part.number(at, size), name)
        at += size + len(section)
        if name == "resources" and section:
            yield Embedded(section, image_resources)
        elif name == "layers" and len(section) > 4 and section.number(0, size):
            yield from picture(section, "layers, which may show what the picture hides")
