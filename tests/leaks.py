"""Files in which something is planted, and files in which nothing is."""

import zlib

from containers import (
    JPEG,
    NAME,
    PLACE,
    SERIAL,
    THUMBNAIL,
    VIDEO,
    ascii_,
    base64_of,
    bmp_with,
    box,
    chunk,
    exif,
    gif_comment,
    gif_with,
    heif,
    iptc,
    jpeg_with,
    jpeg_with_exif,
    jpeg_with_extended_xmp,
    jpeg_with_index,
    jpeg_with_resource,
    jpeg_with_xmp,
    jxl_with,
    png_with,
    rationals,
    resource,
    saved,
    segment,
    short,
    tiff_with,
    tiff_with_previews,
    webp_with,
    xmp,
)
from faceanon.audit.scan import Kind
from support import SRGB

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")
GPS = [
    ascii_(1, "N"),
    rationals(2, 52, 31, 12),
    ascii_(3, "E"),
    rationals(4, 13, 24, 18),
]
HARMLESS_EXIF = exif(
    [ascii_(271, "Canon"), ascii_(272, "EOS R5"), rationals(282, 72)],
    [rationals(33434, 1), ascii_(36867, "2024:05:01 00:00:00")],
)
REGION = (
    "<mwg-rs:Regions rdf:parseType='Resource'><mwg-rs:RegionList><rdf:Bag>"
    f"<rdf:li rdf:parseType='Resource'><mwg-rs:Name>{NAME}</mwg-rs:Name>"
    "<mwg-rs:Type>Face</mwg-rs:Type><mwg-rs:Area stArea:x='0.5' stArea:y='0.4'/>"
    "</rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
)
THUMBNAIL_IN_XMP = (
    "<xmp:Thumbnails><rdf:Alt><rdf:li rdf:parseType='Resource'><xmpGImg:image>"
    f"{base64_of(THUMBNAIL)}</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails>"
)
CREATOR = f"<dc:creator><rdf:Seq><rdf:li>{NAME}</rdf:li></rdf:Seq></dc:creator>"
CAPTURE = "2024:05:01 13:45:10"
FLASHPIX = b"FPXR\0\0\2\0\0\0\0\0\0"
RESOURCE = resource(0x040C, bytes(28) + THUMBNAIL)

LEAKS: dict[str, tuple[bytes, Kind]] = {
    "exif thumbnail.jpg": (jpeg_with_exif(thumbnail=THUMBNAIL), Kind.PICTURE),
    "exif gps.jpg": (jpeg_with_exif(gps=GPS), Kind.PLACE),
    "exif artist.jpg": (jpeg_with_exif([ascii_(315, NAME)]), Kind.NAME),
    "exif owner.jpg": (jpeg_with_exif(exif_=[ascii_(42032, NAME)]), Kind.NAME),
    "exif serial.jpg": (jpeg_with_exif(exif_=[ascii_(42033, SERIAL)]), Kind.SERIAL),
    "exif date.jpg": (jpeg_with_exif(exif_=[ascii_(36867, CAPTURE)]), Kind.DATE),
    "exif serial in model.jpg": (
        jpeg_with_exif([ascii_(272, "P45+ 00471108")]),
        Kind.SERIAL,
    ),
    "exif title.jpg": (jpeg_with_exif([ascii_(270, PLACE)]), Kind.COMMENT),
    "exif maker note.jpg": (
        jpeg_with_exif(exif_=[(37500, 7, 40, bytes(range(40)))]),
        Kind.MAKER_NOTE,
    ),
    "exif unknown tag.jpg": (jpeg_with_exif([ascii_(60001, NAME)]), Kind.UNKNOWN),
    "exif text in a number.jpg": (
        jpeg_with_exif(exif_=[ascii_(33434, NAME)]),
        Kind.UNKNOWN,
    ),
    "exif gap.jpg": (
        jpeg_with(segment(0xE1, b"Exif\0\0" + HARMLESS_EXIF + NAME.encode())),
        Kind.GAP,
    ),
    "jfxx.jpg": (
        jpeg_with(segment(0xE0, b"JFXX\0\x10" + THUMBNAIL)),
        Kind.PICTURE,
    ),
    "jfif thumbnail.jpg": (
        JPEG[:2]
        + segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\4\4" + bytes(range(48)))
        + JPEG[20:],
        Kind.PICTURE,
    ),
    "photoshop thumbnail.jpg": (
        jpeg_with_resource(0x040C, bytes(28) + THUMBNAIL),
        Kind.PICTURE,
    ),
    "old photoshop thumbnail.jpg": (
        jpeg_with_resource(0x0409, bytes(28) + THUMBNAIL),
        Kind.PICTURE,
    ),
    "iptc byline.jpg": (jpeg_with_resource(0x0404, iptc(80, NAME)), Kind.NAME),
    "iptc city.jpg": (jpeg_with_resource(0x0404, iptc(90, PLACE)), Kind.PLACE),
    "xmp creator.jpg": (jpeg_with_xmp(CREATOR), Kind.NAME),
    "xmp region.jpg": (jpeg_with_xmp(REGION), Kind.NAME),
    "xmp region place.jpg": (jpeg_with_xmp(REGION), Kind.FACE_REGION),
    "xmp gps.jpg": (
        jpeg_with_xmp("<exif:GPSLatitude>52,31.2N</exif:GPSLatitude>"),
        Kind.PLACE,
    ),
    "xmp serial.jpg": (
        jpeg_with_xmp(f"<aux:SerialNumber>{SERIAL}</aux:SerialNumber>"),
        Kind.SERIAL,
    ),
    "xmp thumbnail.jpg": (jpeg_with_xmp(THUMBNAIL_IN_XMP), Kind.PICTURE),
    "xmp original.jpg": (
        jpeg_with_extended_xmp(
            f"<GImage:Data>{base64_of(THUMBNAIL)}</GImage:Data>",
        ),
        Kind.PICTURE,
    ),
    "xmp comment.jpg": (jpeg_with_xmp(f"<!-- {NAME} -->"), Kind.COMMENT),
    "flashpix.jpg": (
        jpeg_with(
            segment(0xE2, FLASHPIX + THUMBNAIL[:300]),
            segment(0xE2, FLASHPIX + THUMBNAIL[300:]),
        ),
        Kind.PICTURE,
    ),
    "preview in app4.jpg": (
        jpeg_with(segment(0xE4, THUMBNAIL[:300]), segment(0xE4, THUMBNAIL[300:])),
        Kind.PICTURE,
    ),
    "mpf.jpg": (jpeg_with_index(), Kind.PICTURE),
    "c2pa.jpg": (
        jpeg_with(
            segment(0xEB, b"JP\0\1\0\0\0\1" + box(b"jumb", box(b"bidb", THUMBNAIL)))
        ),
        Kind.PROVENANCE,
    ),
    "comment.jpg": (jpeg_with(segment(0xFE, NAME.encode())), Kind.COMMENT),
    "text after tables.jpg": (
        jpeg_with(segment(0xDB, b"\0" + bytes(64) + NAME.encode())),
        Kind.GAP,
    ),
    "trailing jpeg.jpg": (jpeg_with(after=THUMBNAIL), Kind.PICTURE),
    "trailing text.jpg": (jpeg_with(after=NAME.encode()), Kind.TRAILER),
    "motion photo.jpg": (jpeg_with(after=VIDEO), Kind.VIDEO),
    "text.png": (png_with(chunk(b"tEXt", b"Author\0" + NAME.encode())), Kind.NAME),
    "compressed text.png": (
        png_with(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(NAME.encode()))),
        Kind.COMMENT,
    ),
    "xmp.png": (
        png_with(
            chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp(CREATOR)))
        ),
        Kind.NAME,
    ),
    "exif.png": (png_with(chunk(b"eXIf", exif(gps=GPS))), Kind.PLACE),
    "exif thumbnail.png": (
        png_with(chunk(b"eXIf", exif(thumbnail=THUMBNAIL))),
        Kind.PICTURE,
    ),
    "raw profile.png": (
        png_with(
            chunk(
                b"zTXt",
                b"Raw profile type exif\0\0"
                + zlib.compress(b"\nexif\n 99\n" + exif(gps=GPS).hex().encode()),
            )
        ),
        Kind.PLACE,
    ),
    "time.png": (png_with(chunk(b"tIME", b"\x07\xe8\5\1\r\x2d\n")), Kind.DATE),
    "unknown chunk.png": (png_with(chunk(b"prVt", THUMBNAIL)), Kind.PICTURE),
    "cropped.png": (png_with(after=saved("PNG", size=48)), Kind.PICTURE),
    "exif.webp": (saved("WEBP", exif=exif(gps=GPS)), Kind.PLACE),
    "exif thumbnail.webp": (
        saved("WEBP", exif=exif(thumbnail=THUMBNAIL)),
        Kind.PICTURE,
    ),
    "xmp.webp": (saved("WEBP", xmp=xmp(REGION)), Kind.NAME),
    "unknown chunk.webp": (webp_with(b"PRIV" + NAME.encode()), Kind.UNKNOWN),
    "trailing.webp": (webp_with(after=THUMBNAIL), Kind.PICTURE),
    "comment.gif": (gif_with(gif_comment(NAME)), Kind.COMMENT),
    "xmp.gif": (
        gif_with(
            b"\x21\xff\x0bXMP DataXMP"
            + xmp(CREATOR)
            + b"\1"
            + bytes(range(255, -1, -1))
            + b"\0"
        ),
        Kind.NAME,
    ),
    "application.gif": (
        gif_with(b"\x21\xff\x0bPRIVATE 1.0\x10" + NAME.encode() + b"\0"),
        Kind.UNKNOWN,
    ),
    "trailing.gif": (gif_with(after=THUMBNAIL), Kind.PICTURE),
    "artist.tif": (tiff_with(ascii_(315, NAME)), Kind.NAME),
    "xmp.tif": (tiff_with((700, 1, len(xmp(REGION)), xmp(REGION))), Kind.NAME),
    "iptc.tif": (tiff_with((33723, 7, 21, iptc(90, NAME))), Kind.PLACE),
    "photoshop.tif": (tiff_with((34377, 1, len(RESOURCE), RESOURCE)), Kind.PICTURE),
    "previews.tif": (tiff_with_previews(), Kind.PICTURE),
    "gap.tif": (tiff_with(gap=THUMBNAIL), Kind.PICTURE),
    "geotiff.tif": (tiff_with(ascii_(34737, PLACE)), Kind.PLACE),
    "gap.bmp": (bmp_with(gap=THUMBNAIL), Kind.PICTURE),
    "trailing.bmp": (bmp_with(after=THUMBNAIL), Kind.PICTURE),
    "exif.avif": (saved("AVIF", exif=exif(gps=GPS)), Kind.PLACE),
    "xmp.avif": (saved("AVIF", xmp=xmp(REGION)), Kind.NAME),
    "thumbnail.avif": (heif(), Kind.PICTURE),
    "depth.avif": (heif(role=b"auxl"), Kind.PICTURE),
    "gap.avif": (heif(role=b"dimg", gap=THUMBNAIL), Kind.PICTURE),
    "trailing.avif": (saved("AVIF") + box(b"uuid", bytes(16), VIDEO), Kind.VIDEO),
    "exif.jxl": (jxl_with(box(b"Exif", bytes(4), exif(gps=GPS))), Kind.PLACE),
    "thumbnail.jxl": (
        jxl_with(box(b"Exif", bytes(4), exif(thumbnail=THUMBNAIL))),
        Kind.PICTURE,
    ),
    "xmp.jxl": (jxl_with(b"", box(b"xml ", xmp(REGION))), Kind.NAME),
    "jumbf.jxl": (jxl_with(box(b"jumb", THUMBNAIL)), Kind.PICTURE),
    "brotli.jxl": (jxl_with(b"", box(b"brob", b"Exif", bytes(9))), Kind.UNREAD),
    "jpeg.jxl": (jxl_with(box(b"jbrd", bytes(9))), Kind.UNREAD),
    "box.jxl": (jxl_with(b"", box(b"uuid", bytes(16), VIDEO)), Kind.VIDEO),
    "trailing.jxl": (jxl_with(b"", THUMBNAIL), Kind.PICTURE),
    "bare.jxl": (b"\xff\x0a" + bytes(range(50)) + THUMBNAIL, Kind.PICTURE),
    "in the codestream.jxl": (
        jxl_with(b"", box(b"jxlp", bytes(4), bytes(range(50)), THUMBNAIL)),
        Kind.PICTURE,
    ),
    "preview.raw": (bytes(range(256)) * 4 + THUMBNAIL, Kind.PICTURE),
}
"""Files with a leak, and the kind of the finding that it must be."""

BLACK_AND_WHITE = tiff_with(short(254, 0), rationals(282, 72), rationals(283, 72))

CLEAN: dict[str, bytes] = {
    **{f"plain.{format_.lower()}": saved(format_) for format_ in FORMATS},
    **{
        f"profile.{format_.lower()}": saved(format_, icc_profile=SRGB)
        for format_ in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")
    },
    **{
        f"settings.{format_.lower()}": saved(
            format_, exif=b"Exif\0\0" + HARMLESS_EXIF, icc_profile=SRGB
        )
        for format_ in ("JPEG", "PNG", "WEBP", "AVIF")
    },
    **{
        f"animated.{format_.lower()}": saved(format_, save_all=True)
        for format_ in ("GIF", "PNG", "WEBP", "TIFF")
    },
    "settings.tif": BLACK_AND_WHITE,
    "progressive.jpg": saved("JPEG", progressive=True),
    "compressed.tif": saved("TIFF", compression="jpeg"),
    "alone.avif": heif(role=b"dimg"),
    "settings.jxl": jxl_with(box(b"Exif", bytes(4), HARMLESS_EXIF)),
    "camera and rating.jpg": jpeg_with_xmp("<xmp:Rating>5</xmp:Rating>"),
}
"""Files that hold nothing but their pictures, and what harms nobody."""
