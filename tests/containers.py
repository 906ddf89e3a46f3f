"""Files with something planted in them, put together by hand and by Pillow."""

import base64
import io
import struct
import zlib

from PIL import Image as PillowImage

from support import EXAMPLES

NAME = "Erika Mustermann"
SERIAL = "4711-0815-42"
PLACE = "Lindenallee 7"

Entry = tuple[int, int, int, bytes]
"""Of a TIFF directory: tag, type, count, value."""


def saved(format_: str, size: int = 96, **options: object) -> bytes:
    """The astronaut, as Pillow writes her."""
    with PillowImage.open(EXAMPLES / "astronaut.png") as opened:
        image = opened.convert("RGB").resize((size, size))
    image.info.clear()
    frames = [image.rotate(angle) for angle in (30, 60)]
    if options.get("save_all"):
        options["append_images"] = frames
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


JPEG = saved("JPEG")
THUMBNAIL = saved("JPEG", size=32, quality=40)


def ascii_(tag: int, text: str) -> Entry:
    data = text.encode() + b"\0"
    return tag, 2, len(data), data


def short(tag: int, value: int) -> Entry:
    return tag, 3, 1, struct.pack("<H", value)


def long(tag: int, *values: int) -> Entry:
    return tag, 4, len(values), struct.pack(f"<{len(values)}I", *values)


def rationals(tag: int, *values: int) -> Entry:
    pairs = [number for value in values for number in (value, 1)]
    return tag, 5, len(values), struct.pack(f"<{len(pairs)}I", *pairs)


def directory(at: int, entries: list[Entry], following: int = 0) -> bytes:
    """A TIFF directory that stands at an offset, with its values after it."""
    outside = at + 2 + 12 * len(entries) + 4
    head, values = struct.pack("<H", len(entries)), b""
    for tag, type_, count, value in sorted(entries):
        head += struct.pack("<HHI", tag, type_, count)
        if len(value) <= 4:
            head += value.ljust(4, b"\0")
        else:
            head += struct.pack("<I", outside + len(values))
            values += value + b"\0" * (len(value) % 2)
    return head + struct.pack("<I", following) + values


def exif(
    ifd0: list[Entry] | None = None,
    exif_: list[Entry] | None = None,
    gps: list[Entry] | None = None,
    thumbnail: bytes = b"",
) -> bytes:
    """A block of EXIF as it stands in PNG, without "Exif" before it."""
    ifd0 = [*(ifd0 or []), short(274, 1)]
    pointers = [(34665, exif_), (34853, gps)]
    present = [(tag, entries) for tag, entries in pointers if entries]
    at = 8 + len(directory(8, [*ifd0, *(long(tag, 0) for tag, _ in present)]))
    below = b""
    for tag, entries in present:
        ifd0.append(long(tag, at + len(below)))
        below += directory(at + len(below), entries)
    following = at + len(below) if thumbnail else 0
    if thumbnail:
        start = following + len(directory(0, [long(513, 0), long(514, 0)]))
        location = [long(513, start), long(514, len(thumbnail))]
        below += directory(following, location) + thumbnail
    return b"II*\0" + long(0, 8)[3] + directory(8, ifd0, following) + below


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def jpeg_with(*segments: bytes, after: bytes = b"") -> bytes:
    """A JPEG with more segments, and data after its end."""
    return JPEG[:2] + b"".join(segments) + JPEG[2:] + after


def jpeg_with_exif(*arguments: object, **options: object) -> bytes:
    block = exif(*arguments, **options)  # type: ignore[arg-type]
    return jpeg_with(segment(0xE1, b"Exif\0\0" + block))


def chunk(kind: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def png_with(*chunks: bytes, after: bytes = b"") -> bytes:
    """A PNG with more chunks before its last, and data after its end."""
    png = saved("PNG")
    return png[:-12] + b"".join(chunks) + png[-12:] + after


def xmp(properties: str) -> bytes:
    """An XMP packet with some properties."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" '
        'xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/" '
        'xmlns:GImage="http://ns.google.com/photos/1.0/image/" '
        'xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" '
        'xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" '
        'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'rdf:about="">{properties}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


def jpeg_with_xmp(properties: str) -> bytes:
    return jpeg_with(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(properties)))


def jpeg_with_extended_xmp(properties: str) -> bytes:
    """XMP in two segments, the second half first."""
    packet, digest = xmp(properties), b"0123456789ABCDEF" * 2
    half = len(packet) // 2
    return jpeg_with(
        *(
            segment(
                0xE1,
                b"http://ns.adobe.com/xmp/extension/\0"
                + digest
                + struct.pack(">II", len(packet), start)
                + packet[start : start + length],
            )
            for start, length in ((half, len(packet)), (0, half))
        )
    )


def resource(number: int, data: bytes) -> bytes:
    """A Photoshop image resource."""
    block = b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data
    return block + b"\0" * (len(data) % 2)


def jpeg_with_resource(number: int, data: bytes) -> bytes:
    return jpeg_with(segment(0xED, b"Photoshop 3.0\0" + resource(number, data)))


def iptc(number: int, text: str) -> bytes:
    return struct.pack(">BBBH", 0x1C, 2, number, len(text)) + text.encode()


def jpeg_with_index() -> bytes:
    """A JPEG with a multi-picture index that tells of a second one after it."""

    def index(second: int) -> bytes:
        images = struct.pack("<IIIHH", 0x30000, len(JPEG), 0, 0, 0)
        images += struct.pack("<IIIHH", 0x10001, len(THUMBNAIL), second, 0, 0)
        entries = [
            (0xB000, 7, 4, b"0100"),
            long(0xB001, 2),
            (0xB002, 7, 32, images),
        ]
        return segment(0xE2, b"MPF\0II*\0" + long(0, 8)[3] + directory(8, entries))

    # Offsets count from the byte order mark in the segment.
    second = len(jpeg_with(index(0))) - 2 - 8
    return jpeg_with(index(second), after=THUMBNAIL)


def box(kind: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I", 8 + len(content)) + kind + content


VIDEO = (
    box(b"ftyp", b"mp42\0\0\0\0mp42isom")
    + box(b"moov", box(b"mvhd", bytes(100)))
    + box(b"mdat", bytes(range(256)) * 8)
)


def jxl_with(*boxes: bytes) -> bytes:
    """A JPEG XL whose picture nobody can decode, with boxes around it."""
    start = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    stream = b"\xff\x0a" + bytes(range(50))
    return start + boxes[0] + box(b"jxlc", stream) + b"".join(boxes[1:])


def heif(*, gap: bytes = b"", role: bytes = b"thmb") -> bytes:
    """A HEIF of two items; the second is a part of the first ("dimg"), or beside it."""
    first, second = b"\1" * 64, b"\2" * 32
    source, target = (1, 2) if role == b"dimg" else (2, 1)

    def head(media: int) -> bytes:
        infe = b"".join(
            box(b"infe", b"\2\0\0\0", struct.pack(">HH", number, 0), b"av01", b"\0")
            for number in (1, 2)
        )
        places = (
            (1, media, len(first)),
            (2, media + len(first) + len(gap), len(second)),
        )
        iloc = b"".join(struct.pack(">HHHII", n, 0, 1, *place) for n, *place in places)
        meta = box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", bytes(4), b"\0\1"),
            box(b"iinf", bytes(4), b"\0\2", infe),
            box(b"iloc", bytes(4), b"\x44\0\0\2", iloc),
            box(b"iref", bytes(4), box(role, struct.pack(">HHH", source, 1, target))),
        )
        return box(b"ftyp", b"avif\0\0\0\0avifmif1miaf") + meta

    start = len(head(0)) + 8
    return head(start) + box(b"mdat", first, gap, second)


def gif_with(*extensions: bytes, after: bytes = b"") -> bytes:
    gif = saved("GIF")
    start = 13 + (3 << ((gif[10] & 7) + 1))
    return gif[:start] + b"".join(extensions) + gif[start:] + after


def gif_comment(text: str) -> bytes:
    return b"\x21\xfe" + bytes([len(text)]) + text.encode() + b"\0"


def webp_with(*chunks: bytes, after: bytes = b"") -> bytes:
    """A WebP with more chunks and data after its end."""
    webp = saved("WEBP") + b"".join(
        data[:4] + struct.pack("<I", len(data) - 4) + data[4:] + b"\0" * (len(data) % 2)
        for data in chunks
    )
    return webp[:4] + struct.pack("<I", len(webp) - 8) + webp[8:] + after


def tiff_with(*entries: Entry, gap: bytes = b"") -> bytes:
    """A TIFF of 8 x 8 grey pixels with more tags, and data that nothing refers to."""

    def head(start: int) -> bytes:
        structure = [short(tag, 8) for tag in (256, 257, 258)]
        structure += [short(262, 1), long(273, start), long(279, 64)]
        return b"II*\0" + long(0, 8)[3] + directory(8, [*structure, *entries])

    return head(len(head(0))) + bytes(range(64)) + gap


def tiff_with_previews() -> bytes:
    """A TIFF with two directories below the first, one after the other: previews."""
    at = len(tiff_with(long(330, 0)))
    below = b""
    for following in (True, False):
        start = at + len(below)
        length = len(directory(0, [short(254, 1), long(273, 0), long(279, 0)]))
        pixels = start + length
        below += directory(
            start,
            [short(254, 1), long(273, pixels), long(279, len(THUMBNAIL))],
            pixels + len(THUMBNAIL) if following else 0,
        )
        below += THUMBNAIL
    return tiff_with(long(330, at), gap=below)


def bmp_with(gap: bytes = b"", after: bytes = b"") -> bytes:
    """A BMP with data between header and pixels, and after them."""
    bmp = saved("BMP")
    start = int.from_bytes(bmp[10:14], "little")
    header = bmp[:10] + struct.pack("<I", start + len(gap)) + bmp[14:start]
    return header + gap + bmp[start:] + after


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()
