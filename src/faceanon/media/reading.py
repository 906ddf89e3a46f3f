"""The bytes of a file to upright pixels.

Only bytes come in: OpenCV crashes on paths that are not UTF-8, and `imread` fills up a
truncated file with grey where `imdecode` refuses it.
"""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any, TypeAlias

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import JpegImagePlugin, PngImagePlugin, UnidentifiedImageError

from faceanon.errors import PictureError
from faceanon.media.damage import (
    check_deflated,
    check_png_chunks,
    check_tiff_pages,
    explained,
)
from faceanon.media.formats import heif, high_depth
from faceanon.media.formats.jpeg.file import Colors, JpegFile
from faceanon.media.formats.jxl import is_jxl
from faceanon.media.formats.jxl import reading as jxl
from faceanon.media.formats.png_transparency import with_transparent_grey
from faceanon.media.formats.tiff_reading import (
    floating_header,
    full_pages,
    is_floating_color,
    is_raw,
    tiff_page,
)
from faceanon.media.metadata import Metadata, clean_profile, parse_exif, read_metadata
from faceanon.media.orientation import upright
from faceanon.media.picture import Encoding, Format, Picture
from faceanon.model import Image

_PILLOW_FORMATS: dict[str, Format] = {
    "JPEG": "jpeg",
    "MPO": "jpeg",
    "PNG": "png",
    "WEBP": "webp",
    "TIFF": "tiff",
    "BMP": "bmp",
    "DIB": "bmp",
    "GIF": "gif",
    "AVIF": "avif",
    "HEIF": "heif",
}

_RAW = "a raw file of a camera"
# What the first bytes say of formats that people have and that are not supported.
_KNOWN_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (4, b"jP  ", "a JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"II*\0", "a TIFF of a rare kind, or damaged"),
    (0, b"MM\0*", "a TIFF of a rare kind, or damaged"),
    (0, b"MM\0+", "a TIFF of a rare kind, or damaged"),
    (0, b"IIRO", _RAW),
    (0, b"IIRS", _RAW),
    (0, b"IIU\0", _RAW),
    (0, b"FUJIFILM", _RAW),
    (4, b"ftypcrx ", _RAW),
    (0, b"%PDF", "a PDF"),
)

# MPO, a JPEG with further pictures after it, is opened by the opener of JPEG; that of
# HEIF is not always there.
_OPENERS = [name for name in _PILLOW_FORMATS if name not in ("MPO", "HEIF")]

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

# Pillow's names of the pixels that can be hidden in without changing others.
_MODES = frozenset(
    ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "F", "I;16", "I;16L", "I;16B"]
)

# Formats of boxes in boxes, of which Pillow gives the EXIF block.
_BOXED = ("avif", "heif")

_UNKNOWN_SUBSAMPLING = "Could not determine subsampling"

_COLORS: dict[str, Colors] = {"L": "GRAY", "RGB": "BGR", "CMYK": "CMYK"}

_LOSSLESS_TIFF = ("raw", "tiff_adobe_deflate", "tiff_deflate", "tiff_lzw", "packbits")

# The matrix and the range of a cICP chunk.
_RGB_IN_FULL_RANGE = 0, 1

_ORIENTATION_TAG = 0x0112
# What a PNG with EXIF has in it: the chunk, or the text that was used before.
_PNG_EXIF = (b"eXIf", b"Raw profile type ")
_BITS_PER_SAMPLE_TAG, _EXTRA_SAMPLES_TAG = 0x0102, 0x0152
_DEFLATED = "tiff_adobe_deflate"


def decode(data: bytes, max_pixels: int, *, lazily: bool = False) -> Picture:
    """Read a picture from the bytes of its file.

    The content decides the format. Damaged and truncated files are refused: what a
    decoder makes up for missing data must not be taken for the picture.

    Args:
        data: the whole file.
        max_pixels: refuse more than this, from the header, before anything is decoded.
        lazily: leave the pixels of a JPEG until they are asked for, which then raises
            what would be raised here.

    Raises:
        PictureError: it is not a picture, or damaged, too large, or of a kind that is
            not supported; the message says which.
    """
    if is_floating_color(data):
        with explained():
            return _decode_floating(data, max_pixels)
    if is_jxl(data):
        with explained():
            return _decode_jxl(data, max_pixels)
    with opened(data) as header:
        frames = getattr(header, "n_frames", 1)
        if header.format == "TIFF":
            pages = full_pages(header)
            frames = len(pages)
            header.seek(pages[0])
        # The further frames of these are previews and gain maps of the first.
        if frames > 1 and header.format not in ("MPO", "HEIF"):
            raise PictureError(
                f"it holds {frames} frames or pages, of which only one can be shown"
            )
        picture = decode_page(header, data, max_pixels)
    return picture if lazily else replace(picture, source=picture.pixels)


def _decode_floating(data: bytes, max_pixels: int) -> Picture:
    header = floating_header(data)
    check_size((header.width, header.height), max_pixels)
    check_tiff_pages(data, 1)
    pixels = turned(tiff_page(data, 0), header.orientation)
    icc_profile = clean_profile(header.icc_profile)
    metadata = read_metadata(data, "tiff").turned(header.orientation)
    return Picture(pixels, Encoding("tiff"), icc_profile, metadata)


def _decode_jxl(data: bytes, max_pixels: int) -> Picture:
    with jxl.opened(data) as source:
        check_size(source.size, max_pixels)
        stored = source.read()
    encoding = Encoding(
        "jxl",
        lossless=stored.is_lossless,
        is_premultiplied=stored.is_premultiplied,
    )
    pixels = turned(stored.pixels, source.orientation)
    icc_profile = clean_profile(stored.icc_profile)
    metadata = parse_exif(stored.exif).turned(source.orientation)
    if stored.code_points is not None:
        code_points = (*stored.code_points, *_RGB_IN_FULL_RANGE)
        metadata = replace(metadata, png_colors=(("cICP", code_points),))
    return Picture(pixels, encoding, icc_profile, metadata)


def decode_page(header: Any, data: bytes, max_pixels: int) -> Picture:
    """Read the picture, or the page, that an opened file is at.

    Args:
        header: the file as Pillow has opened it.
        data: the whole file.
        max_pixels: refuse more than this.

    Raises:
        PictureError: it is too large, or of a kind that is not supported.
    """
    check_size(header.size, max_pixels)
    if header.mode not in _MODES:
        raise PictureError(
            f"its colours are {header.mode}, which is not supported; "
            "convert it to RGB first"
        )
    format_ = _PILLOW_FORMATS[str(header.format)]
    if format_ == "jpeg":
        return _jpeg_picture(header, data)
    pixels, encoding, is_upright = _DECODERS[format_](header, data)
    orientation = orientation_of(header, data)
    icc_profile = clean_profile(header.info.get("icc_profile"))
    metadata = metadata_of(header, data, format_).turned(orientation)
    pixels = pixels if is_upright else turned(pixels, orientation)
    return Picture(pixels, encoding, icc_profile, metadata)


def _jpeg_picture(header: JpegImagePlugin.JpegImageFile, data: bytes) -> Picture:
    """A JPEG, whose pixels are left until they are asked for, unless they are inks."""
    orientation = orientation_of(header, data)
    jpeg = JpegFile(data, orientation, header.size, _COLORS[header.mode])
    encoding = _jpeg_encoding(header)
    source: Image | JpegFile = jpeg
    if encoding.is_cmyk:
        # Pillow turns what Adobe stores inverted, but passes over damage.
        _check_inks(jpeg)
        header.load()
        source = turned(np.array(header), orientation)
    icc_profile = clean_profile(header.info.get("icc_profile"))
    metadata = metadata_of(header, data, "jpeg").turned(orientation)
    return Picture(source, encoding, icc_profile, metadata, jpeg)


def _check_inks(jpeg: JpegFile) -> None:
    """Look for damage, as far as that can be done."""
    try:
        jpeg.check()
    except PictureError as error:
        # Of inks, libjpeg-turbo's simple interface takes few ways of subsampling.
        if _UNKNOWN_SUBSAMPLING not in str(error):
            raise


def _jpeg_encoding(header: JpegImagePlugin.JpegImageFile) -> Encoding:
    is_cmyk = header.mode == "CMYK"
    return Encoding(
        "jpeg",
        quantization={key: list(table) for key, table in header.quantization.items()},
        # 4:4:0 and 4:1:1 are -1, "unknown", to Pillow; whole chroma keeps all they had.
        subsampling=0 if is_cmyk else max(JpegImagePlugin.get_sampling(header), 0),
        is_cmyk=is_cmyk,
    )


def metadata_of(header: PillowImage.Image, data: bytes, format_: Format) -> Metadata:
    """What may be kept of a file's metadata."""
    found = read_metadata(data, format_)
    if format_ in _BOXED:
        exif = parse_exif(header.info.get("exif") or b"")
        return replace(exif, png_colors=found.png_colors)
    return found


@contextmanager
def opened(data: bytes) -> Iterator[Any]:
    """Open with Pillow, which reads the header.

    Raises:
        PictureError: it is no picture of a format that is known; and, instead of all
            that decoders raise, for whatever goes wrong while it is open.
    """
    if not data:
        raise PictureError("the file is empty")
    openers = _OPENERS
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        heif.register()
        openers = ["HEIF"]
    try:
        with (
            _without_limit,
            warnings.catch_warnings(action="ignore"),
            explained(),
            PillowImage.open(io.BytesIO(data), formats=openers) as opened,
        ):
            if opened.format == "TIFF" and is_raw(opened, data):
                raise PictureError(_unsupported(_RAW))
            yield opened
    except UnidentifiedImageError:
        raise PictureError(_what_it_is(data)) from None


class _WithoutLimit:
    """While threads are in here, Pillow has no limit of its own for pixels.

    It would refuse what --max-pixels allows, and it is one for the whole process. A
    single text in a PNG may be as large as it lets all together be.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._threads = 0
        self._limits: tuple[int | None, int] = (None, 0)

    def __enter__(self) -> None:
        with self._lock:
            if self._threads == 0:
                self._limits = (
                    PillowImage.MAX_IMAGE_PIXELS,
                    PngImagePlugin.MAX_TEXT_CHUNK,
                )
                PillowImage.MAX_IMAGE_PIXELS = None
                PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
            self._threads += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._threads -= 1
            if self._threads == 0:
                PillowImage.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = (
                    self._limits
                )


_without_limit = _WithoutLimit()


def _what_it_is(data: bytes) -> str:
    for offset, magic, name in _KNOWN_MAGIC:
        if data.startswith(magic, offset):
            return _unsupported(name)
    return "it is not a picture, or damaged from its first bytes on"


def _unsupported(name: str) -> str:
    return f"it is {name}, which is not supported; convert it to PNG first"


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Refuse a picture that is too large.

    Raises:
        PictureError: it has more pixels than `max_pixels`.
    """
    width, height = size
    if width * height > max_pixels:
        raise PictureError(
            f"it has {width} x {height} pixels, more than the limit of {max_pixels}; "
            "raise --max-pixels if you trust it"
        )


def orientation_of(header: PillowImage.Image, data: bytes) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none."""
    if header.format == "PNG" and not any(word in data for word in _PNG_EXIF):
        # To look for EXIF behind the pixels, Pillow would decode them all.
        return 1
    try:
        orientation = header.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001  Pillow raises anything on damaged metadata
        return 1
    return orientation if orientation in range(1, 9) else 1


def turned(pixels: Image, orientation: int) -> Image:
    """Stored pixels upright, in an order that OpenCV takes."""
    return np.ascontiguousarray(upright(pixels, orientation))


Decoded: TypeAlias = tuple[Image, Encoding, bool]
"""Pixels, how they were stored, and whether the decoder turned them upright."""


def _decode_png(header: PillowImage.Image, data: bytes) -> Decoded:
    check_png_chunks(data)
    pixels = with_transparent_grey(_decode_with_opencv(data), data)
    return pixels, Encoding("png"), False


def _decode_webp(header: PillowImage.Image, data: bytes) -> Decoded:
    encoding = Encoding("webp", lossless=_is_lossless_webp(data))
    return _decode_with_opencv(data), encoding, False


def _is_lossless_webp(data: bytes) -> bool:
    """Whether the first image chunk of the RIFF container is VP8L (RFC 9649)."""
    offset = 12
    while offset + 8 <= len(data):
        chunk = data[offset : offset + 4]
        if chunk in (b"VP8L", b"VP8 "):
            return chunk == b"VP8L"
        size = int.from_bytes(data[offset + 4 : offset + 8], "little")
        offset += 8 + size + size % 2
    return False


def _decode_bmp(header: PillowImage.Image, data: bytes) -> Decoded:
    # OpenCV takes the colours of old and of 16-bit files for others.
    return pixels_of(header), Encoding("bmp"), True


def _decode_tiff(header: Any, data: bytes) -> Decoded:
    check_tiff_pages(data, header.n_frames)
    compression = header.info.get("compression", "raw")
    if compression in ("tiff_adobe_deflate", "tiff_deflate"):
        check_deflated(header.tag_v2, data, header.width * header.height)
    encoding = Encoding(
        "tiff",
        compression=compression if compression in _LOSSLESS_TIFF else _DEFLATED,
        is_cmyk=header.mode == "CMYK",
        is_premultiplied=1 in header.tag_v2.get(_EXTRA_SAMPLES_TAG, ()),
    )
    is_deep = max(header.tag_v2.get(_BITS_PER_SAMPLE_TAG, (1,))) > 8
    if is_deep or encoding.is_premultiplied:
        # Pillow would make 8 bits of it, and divide colours by their alpha.
        return tiff_page(data, header.tell()), encoding, False
    return pixels_of(header), encoding, False


def _decode_gif(header: PillowImage.Image, data: bytes) -> Decoded:
    return pixels_of(header), Encoding("gif"), False


def _decode_avif(header: PillowImage.Image, data: bytes) -> Decoded:
    depth = high_depth.avif_depth(data)
    if depth > 8:
        has_alpha = header.mode == "RGBA"
        pixels = high_depth.decode_avif(data, depth, has_alpha=has_alpha)
        if pixels is not None:
            return pixels, Encoding("avif", depth=depth), False
    return pixels_of(header), Encoding("avif"), False


def _decode_heif(header: PillowImage.Image, data: bytes) -> Decoded:
    # The decoders turn it upright.
    depth = header.info.get("bit_depth", 8)
    if depth > 8:
        pixels = high_depth.decode_heif(data, depth)
        return pixels, Encoding("heif", depth=depth), True
    return pixels_of(header), Encoding("heif"), True


_DECODERS: dict[Format, Callable[[Any, bytes], Decoded]] = {
    "png": _decode_png,
    "webp": _decode_webp,
    "tiff": _decode_tiff,
    "bmp": _decode_bmp,
    "gif": _decode_gif,
    "avif": _decode_avif,
    "heif": _decode_heif,
}


def _decode_with_opencv(data: bytes) -> Image:
    flags = cv2.IMREAD_UNCHANGED
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None:
        raise PictureError("the file is damaged or truncated")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise PictureError(f"pixels of {pixels.dtype} are not supported")
    return pixels


def pixels_of(header: PillowImage.Image) -> Image:
    """The pixels of 8 bits that Pillow makes of a file, or of the page it is at."""
    header.load()
    if header.mode == "CMYK":
        return np.array(header)
    if header.mode in ("L", "1"):
        return np.array(header.convert("L"))
    has_alpha = header.mode in ("RGBA", "LA", "PA") or "transparency" in header.info
    if has_alpha:
        return cv2.cvtColor(np.array(header.convert("RGBA")), cv2.COLOR_RGBA2BGRA)
    return cv2.cvtColor(np.array(header.convert("RGB")), cv2.COLOR_RGB2BGR)
