"""Files that tell more than their pixels: every leak known, planted in real pictures.

Each secret is a text that can be looked for in an output.
"""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as PillowImage
from PIL import ImageCms, TiffImagePlugin

import faceanon
from containers import chunk
from faceanon.media.metadata import LEVELS, Level
from faceanon.storage.suffixes import Format
from support import EXAMPLES

PHOTO = EXAMPLES / "grace_hopper.jpg"

MARK = "hidden"
"""What every secret begins with."""

XMP = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="52,30N">
 <mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li
 mwg-rs:Name="{MARK}-region" mwg-rs:Type="Face"/></rdf:Bag></mwg-rs:RegionList>
 </mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>""".encode()

JPEG_START = b"\xff\xd8\xff"

_ASCII, _UNDEFINED = 2, 7


def run_at_each_level(
    source: Path, factory: pytest.TempPathFactory
) -> dict[Level, Path]:
    """The folders that whole runs make of pictures with faces, one for each level."""
    folders = {}
    for level in LEVELS:
        folders[level] = factory.mktemp(level)
        for outcome in faceanon.run(
            *(source, folders[level], "blackbar"),
            jobs=1,
            accuracy="fast",
            metadata=level,
            thumbnail=level == "safe",
        ):
            assert not outcome.error, outcome.error
            assert outcome.faces
    return folders


def small_jpeg() -> bytes:
    """The face itself, as previews show it."""
    with PillowImage.open(PHOTO) as photo:
        buffer = io.BytesIO()
        photo.resize((160, 187)).save(buffer, "JPEG")
    return buffer.getvalue()


def exif_values() -> PillowImage.Exif:
    """The EXIF of a camera, with what may be kept and what must not."""
    exif = PillowImage.Exif()
    exif[0x010E] = f"{MARK}-description"
    exif[0x010F] = "Canon"
    exif[0x0110] = "Canon EOS 5D Mark II"
    exif[0x011A] = TiffImagePlugin.IFDRational(240, 1)
    exif[0x011B] = TiffImagePlugin.IFDRational(240, 1)
    exif[0x0128] = 2
    exif[0x0131] = f"{MARK}-software"
    exif[0x0132] = "2021:08:09 10:11:12"
    exif[0x013B] = f"{MARK}-artist"
    exif[0x8298] = f"{MARK}-copyright"
    exif[0x9C9D] = f"{MARK}-xp".encode("utf-16-le")
    detail = exif.get_ifd(0x8769)
    detail[0x829A] = TiffImagePlugin.IFDRational(10, 600)
    detail[0x829D] = TiffImagePlugin.IFDRational(28, 10)
    detail[0x8822] = 3
    detail[0x8827] = 400
    detail[0x9003] = "2021:06:05 14:03:02"
    detail[0x9004] = "2021:06:05 14:03:02"
    detail[0x9011] = "+02:00"
    detail[0x9204] = TiffImagePlugin.IFDRational(-1, 3)
    detail[0x9207] = 5
    detail[0x9209] = 16
    detail[0x920A] = TiffImagePlugin.IFDRational(50, 1)
    detail[0x9214] = (10, 20, 30, 40)
    detail[0x927C] = f"{MARK}-makernote".encode()
    detail[0x9286] = f"ASCII\0\0\0{MARK}-comment".encode()
    detail[0xA403] = 1
    detail[0xA420] = f"{MARK}-image-id"
    detail[0xA430] = f"{MARK}-owner"
    detail[0xA431] = f"{MARK}-serial"
    detail[0xA434] = "EF50mm f/1.4 USM"
    detail[0xA435] = f"{MARK}-lens-serial"
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", (52.0, 30.0, 15.5)
    place[3], place[4] = "E", (13.0, 22.0, 30.0)
    place[0x1D] = "2021:06:05"
    place[0x1B] = f"{MARK}-gps".encode()
    return exif


def exif_block(*, with_thumbnail: bool = True) -> bytes:
    """The same as bytes, with a thumbnail in a second directory."""
    block = exif_values().tobytes().removeprefix(b"Exif\0\0")
    if not with_thumbnail:
        return block
    assert block.startswith(b"MM")
    (first,) = struct.unpack_from(">I", block, 4)
    (count,) = struct.unpack_from(">H", block, first)
    following = first + 2 + 12 * count
    thumbnail = small_jpeg()
    start = len(block) + 2 + 3 * 12 + 4
    second = struct.pack(
        ">HHHIHHHHIIHHIII",
        *(3, 0x0103, 3, 1, 6, 0),
        *(0x0201, 4, 1, start),
        *(0x0202, 4, 1, len(thumbnail)),
        0,
    )
    linked = block[:following] + struct.pack(">I", len(block)) + block[following + 4 :]
    return linked + second + thumbnail


def photoshop_block() -> bytes:
    """Photoshop's resources: a caption (IPTC) and a thumbnail."""
    caption = f"{MARK}-caption".encode()
    iptc = struct.pack(">BBBH", 0x1C, 2, 120, len(caption)) + caption
    thumbnail = bytes(28) + small_jpeg()
    resources = b""
    for number, data in ((0x0404, iptc), (0x040C, thumbnail)):
        resources += struct.pack(">4sHHI", b"8BIM", number, 0, len(data))
        resources += data + bytes(len(data) % 2)
    return resources


def motion_video() -> bytes:
    """What a phone appends to a motion photo: the head of an MP4."""
    inner = f"{MARK}-video".encode()
    return (
        struct.pack(">I4s4sI4s", 20, b"ftyp", b"mp42", 0, b"isom")
        + struct.pack(">I4s", 8 + len(inner), b"mdat")
        + inner
    )


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def leaky_jpeg(*, has_profile: bool = True) -> bytes:
    profile = screen_profile() if has_profile else None
    with PillowImage.open(PHOTO) as photo:
        buffer = io.BytesIO()
        photo.save(buffer, "JPEG", quality=85, icc_profile=profile)
    data = buffer.getvalue()
    preview = small_jpeg()
    # One entry: a preview behind the picture (CIPA DC-007).
    mpf = b"MPF\0MM" + struct.pack(">HIHHHI4sI", 42, 8, 1, 0xB000, 7, 4, b"0100", 0)
    extension = (
        b"http://ns.adobe.com/xmp/extension/\0"
        + b"0" * 32
        + struct.pack(">II", 1000, 0)
        + f"<GImage:Data>{MARK}-depth</GImage:Data>".encode()
    )
    segments = (
        _segment(0xE0, b"JFXX\0\x10" + preview)
        + _segment(0xE1, b"Exif\0\0" + exif_block())
        + _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)
        + _segment(0xE1, extension)
        + _segment(0xE2, mpf)
        + _segment(0xE2, b"FPXR\0" + preview)
        + _segment(0xE4, b"Scalado\0" + preview)
        + _segment(0xEB, f"JP\0\1jumb {MARK}-c2pa".encode())
        + _segment(0xED, b"Photoshop 3.0\0" + photoshop_block())
        + _segment(0xFE, f"{MARK}-com".encode())
    )
    jfif_end = 4 + int.from_bytes(data[4:6])
    return data[:jfif_end] + segments + data[jfif_end:] + preview + motion_video()


def leaky_png() -> bytes:
    with PillowImage.open(PHOTO) as photo:
        buffer = io.BytesIO()
        photo.save(buffer, "PNG", dpi=(240, 240), icc_profile=screen_profile())
    data = buffer.getvalue()
    chunks = (
        chunk(b"eXIf", exif_block())
        + chunk(b"tEXt", f"Author\0{MARK}-text".encode())
        + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(f"{MARK}-ztxt".encode()))
        + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)
        + chunk(b"tIME", struct.pack(">HBBBBB", 2021, 6, 5, 14, 3, 2))
        + chunk(b"caBX", f"jumb {MARK}-c2pa".encode())
        + chunk(b"prVt", f"{MARK}-private".encode())
    )
    header_end = 8 + 25
    return data[:header_end] + chunks + data[header_end:] + small_jpeg()


def leaky_webp(**options: object) -> bytes:
    with PillowImage.open(PHOTO) as photo:
        buffer = io.BytesIO()
        photo.save(
            buffer,
            "WEBP",
            exif=b"Exif\0\0" + exif_block(),
            xmp=XMP,
            icc_profile=screen_profile(),
            **options,
        )
    return buffer.getvalue() + motion_video()


def leaky_tiff() -> bytes:
    extra = TiffImagePlugin.ImageFileDirectory_v2()
    with PillowImage.open(PHOTO) as photo:
        for tag, value, type_ in (
            (700, XMP, 1),
            (33723, f"{MARK}-iptc".encode(), _UNDEFINED),
            (34377, photoshop_block(), _UNDEFINED),
            (37724, f"{MARK}-layers".encode(), _UNDEFINED),
            (316, f"{MARK}-host", _ASCII),
            (65000, f"{MARK}-private", _ASCII),
        ):
            extra.tagtype[tag] = type_
            extra[tag] = value
        buffer = io.BytesIO()
        for tag, value in exif_values().items():
            extra[tag] = value
        for tag in (0x8769, 0x8825):
            extra[tag] = dict(exif_values().get_ifd(tag))
        photo.save(buffer, "TIFF", tiffinfo=extra, icc_profile=screen_profile())
    return buffer.getvalue() + small_jpeg() + motion_video()


def leaky_bmp() -> bytes:
    with PillowImage.open(PHOTO) as photo:
        buffer = io.BytesIO()
        photo.save(buffer, "BMP", dpi=(240, 240))
    return buffer.getvalue() + small_jpeg() + motion_video()


LEAKY: dict[Format, Callable[[], bytes]] = {
    "jpeg": leaky_jpeg,
    "png": leaky_png,
    "webp": leaky_webp,
    "tiff": leaky_tiff,
    "bmp": leaky_bmp,
}
"""For each format, a file with every leak that it can have."""


def screen_profile() -> bytes:
    """The profile of a screen, as screenshots carry it: a name and a serial number."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (count,) = struct.unpack_from(">I", profile, 128)
    table = [
        list(struct.unpack_from(">4sII", profile, 132 + 12 * i)) for i in range(count)
    ]
    start = 132 + 12 * (count + 2)
    body = profile[132 + 12 * count :]
    for entry in table:
        entry[1] += 24
    name = f"{MARK} screen".encode("utf-16-be")
    named = b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(name), 28)
    for signature, data in (
        (b"dscm", named + name),
        (b"mmod", b"mmod" + bytes(4) + f"{MARK}-serial".encode().ljust(32, b"\0")),
    ):
        table.append([signature, start + len(body), len(data)])
        body += data + bytes(-len(data) % 4)
    packed = b"".join(struct.pack(">4sII", *entry) for entry in table)
    header = struct.pack(">I", start + len(body)) + profile[4:128]
    return header + struct.pack(">I", len(table)) + packed + body


def secrets_in(data: bytes) -> list[str]:
    """What of the leaks is left in a file, as bytes or as two-byte text."""
    encodings = ("ascii", "utf-16-le", "utf-16-be")
    found = [encoding for encoding in encodings if MARK.encode(encoding) in data]
    if small_jpeg()[-200:-100] in data:
        found.append("the preview")
    if _holds_jpeg(data):
        found.append("a JPEG inside")
    words = (b"ftyp", b"8BIM", b"xmpmeta", b"mwg-rs")
    return found + [word.decode() for word in words if word in data]


def _holds_jpeg(data: bytes) -> bool:
    """Whether there is one behind the first byte; pixels can begin like one."""
    start = data.find(JPEG_START, 1)
    while start >= 0:
        try:
            with PillowImage.open(io.BytesIO(data[start:]), formats=["JPEG"]):
                return True
        except (OSError, SyntaxError):
            start = data.find(JPEG_START, start + 1)
    return False
