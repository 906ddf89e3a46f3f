"""Pixels to the bytes of a file."""

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from faceanon.errors import PictureError
from faceanon.media.clip import Frame, Header
from faceanon.media.color_signalling import check_colors_fit, code_points_that_count
from faceanon.media.formats import gif, heif, high_depth
from faceanon.media.formats import tiff_writing as tiff
from faceanon.media.formats.jxl import writing as jxl
from faceanon.media.metadata import exif_block, make_thumbnail, write_into
from faceanon.media.picture import Encoding, Format, Picture

DEFAULT_QUALITY = 90
"""Used where a lossy format is written and the input does not say its quality."""


_MORE_THAN_8_BITS = ("png", "tiff", "avif", "heif", "jxl")


def encode(
    picture: Picture,
    format_: Format | None = None,
    quality: int | None = None,
    *,
    thumbnail: bool = False,
) -> bytes:
    """Write a picture to the bytes of a file, with its metadata and nothing else.

    Args:
        picture: what to write.
        format_: the format; None for the one it came in.
        quality: of lossy formats, 1 to 100; None for that of the input (for a JPEG its
            own quantization tables), or `DEFAULT_QUALITY` where the input was in
            another format.
        thumbnail: whether to put a thumbnail into a JPEG.

    Raises:
        PictureError: the format cannot hold the picture (transparency, 16 bits, size).
    """
    encoding = picture.encoding
    if format_ is not None and format_ != encoding.format:
        # A lossless picture stays lossless where the new format can.
        is_lossless = encoding.lossless or encoding.format in ("png", "tiff", "bmp")
        encoding = Encoding(format_, lossless=is_lossless, depth=encoding.depth)
    _check_it_fits(picture, encoding.format)
    try:
        encoded = _ENCODERS[encoding.format](picture, encoding, quality)
    except (OSError, ValueError, RuntimeError, cv2.error) as error:
        raise PictureError(
            f"it cannot be written as {encoding.format}: {error}"
        ) from error
    small = None
    if thumbnail and encoding.format == "jpeg":
        small = make_thumbnail(picture.color)
    return write_into(encoded, encoding.format, picture.metadata, thumbnail=small)


def _check_it_fits(picture: Picture, format_: Format) -> None:
    has_alpha = picture.pixels.shape[2:] == (4,) and not picture.encoding.is_cmyk
    if has_alpha and format_ == "jpeg":
        raise PictureError(
            "it is transparent, which JPEG cannot hold; use --format png or webp"
        )
    if picture.encoding.is_cmyk and format_ not in ("jpeg", "tiff"):
        raise PictureError(
            f"its colours are CMYK, which {format_} cannot hold; use --format tiff"
        )
    if picture.encoding.is_premultiplied and format_ not in ("tiff", "jxl"):
        raise PictureError(
            f"its colours are multiplied by its transparency, which {format_} cannot "
            "hold; use --format tiff"
        )
    if picture.pixels.dtype.kind == "f" and format_ not in ("tiff", "jxl"):
        raise PictureError(
            f"it is in floating point, which {format_} cannot hold; use --format tiff"
        )
    if picture.pixels.dtype == np.uint16 and format_ not in _MORE_THAN_8_BITS:
        raise PictureError(
            f"it has more than 8 bits, which {format_} cannot hold; use --format png, "
            "tiff, avif, heif or jxl"
        )
    check_colors_fit(picture.metadata, picture.icc_profile, format_)


def _encode_jpeg(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    options: dict[str, Any] = {"subsampling": encoding.subsampling}
    if quality is None and encoding.quantization:
        options["qtables"] = encoding.quantization
    else:
        options["quality"] = quality or DEFAULT_QUALITY
    return _encode_with_pillow(picture, "JPEG", **options)


def _encode_png(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    return _encode_with_opencv(picture, ".png")


def _encode_webp(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    if encoding.lossless and quality is None:
        # For lossless WebP, quality is the effort; exact keeps the colours under
        # transparent pixels as they are.
        return _encode_with_pillow(
            picture, "WEBP", lossless=True, quality=50, exact=True
        )
    return _encode_with_pillow(
        picture, "WEBP", quality=quality or DEFAULT_QUALITY, exact=True
    )


def _encode_tiff(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    pixels = picture.pixels
    if pixels.dtype == np.uint8 and not encoding.is_premultiplied:
        return _encode_with_pillow(picture, "TIFF", compression=encoding.compression)
    header = Header(
        pixels.shape[1], pixels.shape[0], 1, None, False, True, picture.icc_profile
    )
    return tiff.write(header, [Frame(pixels, encoding)])


def _encode_bmp(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    return _encode_with_opencv(picture, ".bmp")


def _encode_gif(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    height, width = picture.pixels.shape[:2]
    everywhere = np.ones((height, width), dtype=bool)
    frame = Frame(picture.pixels, encoding, changed=everywhere)
    return gif.write(Header(width, height, 1), [frame])


def _encode_avif(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    if picture.pixels.dtype == np.uint16:
        quality = quality or DEFAULT_QUALITY
        return high_depth.encode_avif(picture, encoding.depth, quality)
    return _encode_boxed(picture, "AVIF", quality)


def _encode_heif(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    heif.register()
    if picture.pixels.dtype == np.uint16:
        quality = quality or DEFAULT_QUALITY
        return high_depth.encode_heif(picture, encoding.depth, quality)
    return _encode_boxed(picture, "HEIF", quality)


def _encode_jxl(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    # 100 is lossless by the scale of libjxl, too.
    is_exact = encoding.lossless if quality is None else quality == 100
    return jxl.write(
        picture.pixels,
        picture.icc_profile,
        exif_block(picture.metadata),
        None if is_exact else quality or DEFAULT_QUALITY,
        code_points=code_points_that_count(picture.metadata, picture.icc_profile),
        is_premultiplied=picture.encoding.is_premultiplied,
    )


def _encode_boxed(picture: Picture, format_: str, quality: int | None) -> bytes:
    """A format in which the encoder puts metadata in its place."""
    exif = exif_block(picture.metadata) or None
    quality = quality or DEFAULT_QUALITY
    return _encode_with_pillow(picture, format_, quality=quality, exif=exif)


_ENCODERS: dict[Format, Callable[[Picture, Encoding, int | None], bytes]] = {
    "jpeg": _encode_jpeg,
    "png": _encode_png,
    "webp": _encode_webp,
    "tiff": _encode_tiff,
    "bmp": _encode_bmp,
    "gif": _encode_gif,
    "avif": _encode_avif,
    "heif": _encode_heif,
    "jxl": _encode_jxl,
}


def _encode_with_opencv(picture: Picture, suffix: str) -> bytes:
    if picture.icc_profile is None or suffix == ".bmp":
        done, buffer = cv2.imencode(suffix, picture.pixels)
    else:
        profile: NDArray[np.uint8] = np.frombuffer(picture.icc_profile, np.uint8)
        done, buffer = cv2.imencodeWithMetadata(
            suffix, picture.pixels, [cv2.IMAGE_METADATA_ICCP], [profile]
        )
    if not done:
        raise ValueError("OpenCV cannot encode it")
    return buffer.tobytes()


def _encode_with_pillow(picture: Picture, format_: str, **options: Any) -> bytes:
    pixels = picture.pixels
    mode = None
    if picture.encoding.is_cmyk:
        mode = "CMYK"
    elif pixels.ndim == 3:
        pixels = cv2.cvtColor(
            pixels,
            cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB,
        )
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels, mode).save(
        buffer, format_, icc_profile=picture.icc_profile, **options
    )
    return buffer.getvalue()
