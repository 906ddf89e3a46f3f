"""PNG and APNG: every chunk, and what follows the last."""

import binascii
import re

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.icc import icc_profile
from faceanon.audit.scan.iptc import iptc
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Part,
    Walk,
    Walker,
    leftover,
    printable,
    unknown,
)
from faceanon.audit.scan.photoshop import image_resources
from faceanon.audit.scan.tiff import exif
from faceanon.audit.scan.values import kind_of_product
from faceanon.audit.scan.xmp import xmp

_HEADER_LENGTH = 8
_PICTURE = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"fdAT", b"tRNS"}

# Chunks of a few numbers, and how many bytes of them (PNG, third edition).
_SETTINGS = {
    **{b"cHRM": 32, b"gAMA": 4, b"sBIT": 4, b"sRGB": 1, b"bKGD": 6, b"hIST": 512},
    **{b"pHYs": 9, b"cICP": 4, b"mDCV": 24, b"mDCv": 24, b"cLLI": 8, b"cLLi": 8},
    **{b"acTL": 8, b"fcTL": 26, b"oFFs": 9, b"sTER": 1, b"gIFg": 4},
}

# The keywords that the specification registers, and those of XMP and ImageMagick.
_KEYWORDS: dict[bytes, Kind] = {
    b"Title": Kind.COMMENT,
    b"Author": Kind.NAME,
    b"Description": Kind.COMMENT,
    b"Copyright": Kind.NAME,
    b"Creation Time": Kind.DATE,
    b"Software": Kind.COMMENT,
    b"Disclaimer": Kind.COMMENT,
    b"Warning": Kind.COMMENT,
    b"Source": Kind.NAME,
    b"Comment": Kind.COMMENT,
    b"Artist": Kind.NAME,
    b"Make": Kind.CAMERA,
    b"Model": Kind.CAMERA,
}
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_RAW_PROFILES: dict[bytes, Walker | None] = {
    b"Raw profile type exif": exif,
    b"Raw profile type APP1": None,
    b"Raw profile type iptc": image_resources,
    b"Raw profile type 8bim": image_resources,
    b"Raw profile type xmp": xmp,
    b"Raw profile type icc": icc_profile,
    b"Raw profile type icm": icc_profile,
}


def png(part: Part) -> Walk:
    """A PNG and what stands after it in the part."""
    at, frames, has_picture = _HEADER_LENGTH, 0, False
    while at + 8 <= len(part):
        length, kind = part.number(at, 4), part.read(at + 4, 4)
        chunk = part.part(at + 8, min(length, len(part) - at - 8), printable(kind))
        frames += kind == b"fcTL"
        has_picture |= kind == b"IDAT"
        yield from _chunk(chunk, kind)
        at = min(at + 12 + length, len(part))
        if kind == b"IEND":
            break
    if not has_picture:
        raise Damaged("a PNG without a picture")
    if frames > 1:
        yield part.finding(Kind.FRAMES, f"{frames} frames")
    yield from leftover(
        part.part(at, None, "after the end"),
        Kind.TRAILER,
        "data after the end of the picture",
    )


def extent(part: Part) -> int:
    """The length of the PNG at the beginning of a part; cut off, all of the part."""
    at = _HEADER_LENGTH
    while at + 8 <= len(part):
        length, kind = part.number(at, 4), part.read(at + 4, 4)
        at += 12 + length
        if kind == b"IEND":
            return min(at, len(part))
    return len(part)


def _chunk(chunk: Part, kind: bytes) -> Walk:
    if kind in _PICTURE:
        if kind == b"IEND" and chunk:
            yield from unknown(chunk, "data in the chunk that ends the picture")
    elif kind in _SETTINGS and len(chunk) <= _SETTINGS[kind]:
        yield chunk.finding(Kind.SETTINGS, "numbers")
    elif kind == b"tIME":
        yield chunk.finding(Kind.DATE, "time of the last change")
    elif kind == b"eXIf":
        yield Embedded(chunk, exif)
    elif kind == b"iCCP":
        keyword, value = _split(chunk)
        yield Embedded(value.part(min(1, len(value))), icc_profile, deflated=True)
    elif kind == b"tEXt":
        keyword, value = _split(chunk)
        yield from _text(chunk, keyword, value, deflated=False)
    elif kind == b"zTXt":
        keyword, value = _split(chunk)
        yield from _text(chunk, keyword, value.part(min(1, len(value))), deflated=True)
    elif kind == b"iTXt":
        keyword, value = _split(chunk)
        deflated = value.number(0, 1) == 1
        _language, value = _split(value.part(2))
        _translated, value = _split(value)
        yield from _text(chunk, keyword, value, deflated)
    elif kind == b"caBX":
        yield chunk.finding(Kind.PROVENANCE, "C2PA")
        yield Embedded(chunk)
    else:
        yield from unknown(chunk, "a chunk that is not known")


def _split(part: Part) -> tuple[bytes, Part]:
    """What stands before a zero byte, and what after it."""
    end = bytes(part.data).find(0)
    if end < 0:
        raise Damaged("a text without keyword")
    return part.read(0, end), part.part(end + 1)


def _text(chunk: Part, keyword: bytes, value: Part, deflated: bool) -> Walk:
    if keyword == _XMP_KEYWORD:
        yield Embedded(value, xmp, deflated=deflated)
    elif keyword in _RAW_PROFILES:
        walker = _RAW_PROFILES[keyword]

        def walk(text: Part) -> Walk:
            return _raw_profile(text, walker)

        yield Embedded(value, walk, deflated=deflated)
    else:
        kind = _KEYWORDS.get(keyword, Kind.COMMENT)
        if kind is Kind.CAMERA:
            kind = Kind.COMMENT if deflated else kind_of_product(value.text())
        name = keyword.decode() if keyword in _KEYWORDS else "a keyword of its own"
        shown = None if deflated else value.text()
        yield chunk.finding(kind, f"text: {name}", value=shown)
        yield Embedded(value, deflated=deflated)


def _raw_profile(text: Part, walker: Walker | None) -> Walk:
    """ImageMagick's profiles: a name, a length, and hexadecimal digits."""
    digits = re.sub(rb"\s", b"", bytes(text.data).strip(b"\n").split(b"\n", 2)[-1])
    try:
        data = text.unpacked(binascii.unhexlify(digits), "raw profile")
    except binascii.Error as error:
        raise Damaged("a profile that is not hexadecimal") from error
    if walker is image_resources and not data.starts_with(b"8BIM"):
        walker = iptc
    if data.starts_with(b"http://ns.adobe.com/xap/1.0/\0"):
        data, walker = data.part(29), xmp
    yield Embedded(data, walker or exif)
