"""JPEG XL, by an extra that brings libjxl: imagecodecs, whose functions do the work.

They tell and take nothing but pixels. So the header is read here, and only pictures in
sRGB are read, as no others could be written; the container is put together here, too.
"""

import io
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageCms

from faceanon.errors import PictureError
from faceanon.media.containers import Readable
from faceanon.media.containers.iso import Box, boxes
from faceanon.media.formats.common import DEFAULT_QUALITY, in_rgb
from faceanon.media.formats.jxl.header import JxlHeader, read_header
from faceanon.media.metadata import Metadata, exif_block, parse_exif
from faceanon.media.picture import Encoding, Picture
from faceanon.model import Image

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_FILE_TYPE = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
# Of a codestream, where its header is sure to end.
_HEAD = 4096
# Colours that differ by no more than this, of 255, are the same.
_SAME_COLOR = 2
# Before the block of EXIF: how many bytes further on it begins.
_EXIF_OFFSET = bytes(4)
# Bytes of a block of EXIF that is compressed; what is longer is left out.
_LARGEST_EXIF = 2**24


def is_jxl(data: Readable) -> bool:
    """Whether a file is a JPEG XL, by its first bytes."""
    return data[:2] == _CODESTREAM or data[:12] == _CONTAINER


def header_of(data: Readable) -> JxlHeader:
    """What is known of a picture before it is decoded.

    Raises:
        PictureError: it is damaged, or of a kind that is not supported.
    """
    header = read_header(_codestream_head(data))
    if header.is_animated:
        raise PictureError(
            "it is an animated JPEG XL, which is not supported; convert it to PNG or "
            "WebP first"
        )
    if header.is_premultiplied or header.extra_channels > header.has_alpha:
        raise PictureError(
            "it is a JPEG XL with channels of a rare kind, which is not supported; "
            "convert it to PNG first"
        )
    if header.is_float:
        raise PictureError(
            "it is a JPEG XL in floating point, which is not supported; convert it to "
            "16 bits first"
        )
    if not header.is_srgb:
        raise PictureError(
            "it is a JPEG XL in other colours than sRGB, which is not supported; "
            "convert it to PNG first"
        )
    return header


def _codestream_head(data: Readable) -> bytes:
    if data[:2] == _CODESTREAM:
        return data[:_HEAD]
    for box in boxes(data):
        if box.kind == b"jxlc":
            return data[box.start : min(box.end, box.start + _HEAD)]
        if box.kind == b"jxlp":  # behind its number
            return data[box.start + 4 : min(box.end, box.start + _HEAD)]
    raise PictureError("the file is damaged: it holds no picture")


def decode(data: bytes, header: JxlHeader) -> tuple[Image, Encoding, Metadata]:
    """The pixels as they are stored, how that is, and what the file tells of them.

    Raises:
        PictureError: the extra is not installed.
    """
    pixels = np.asarray(_imagecodecs().jpegxl_decode(data, keeporientation=True))
    if pixels.ndim == 3 and pixels.shape[2] == 2:
        grey, alpha = pixels[:, :, :1], pixels[:, :, 1:]
        pixels = np.dstack((grey, grey, grey, alpha))
    pixels = in_rgb(pixels)  # the other way round it is the same
    is_transcoded = any(box.kind == b"jbrd" for box in _boxes(data))
    is_lossless = not (header.is_xyb or is_transcoded)
    return pixels, Encoding("jxl", lossless=is_lossless), parse_exif(_exif(data))


def _boxes(data: bytes) -> Iterable[Box]:
    return boxes(data) if data[:12] == _CONTAINER else ()


def _exif(data: bytes) -> bytes:
    """The block of EXIF; empty if there is none."""
    for box in _boxes(data):
        content = box.content(data)
        if box.kind == b"brob" and content[:4] == b"Exif":
            content = _decompressed(content[4:])
        elif box.kind != b"Exif":
            continue
        return content[4 + int.from_bytes(content[:4]) :]
    return b""


def _decompressed(content: bytes) -> bytes:
    """What was compressed by Brotli; nothing if that is damaged or too much."""
    try:
        return bytes(_imagecodecs().brotli_decode(content, out=_LARGEST_EXIF))
    except RuntimeError:
        return b""


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file, with EXIF where there is something to tell.

    Raises:
        PictureError: the extra is not installed, or its colours are not sRGB.
    """
    if picture.icc_profile is not None and not _is_srgb(picture.icc_profile):
        raise PictureError(
            "its colours are not sRGB, which cannot be written to JPEG XL here; use "
            "--format png, webp or avif"
        )
    # 100 is lossless by the scale of libjxl, too.
    is_exact = encoding.lossless if quality is None else quality == 100
    distance = None if is_exact else _distance(quality or DEFAULT_QUALITY)
    pixels = np.ascontiguousarray(in_rgb(picture.pixels))
    encoded = bytes(
        _imagecodecs().jpegxl_encode(pixels, lossless=is_exact, distance=distance)
    )
    block = exif_block(picture.metadata)
    if not block:
        return encoded
    exif = _box(b"Exif", _EXIF_OFFSET + block)
    if encoded[:2] == _CODESTREAM:
        return b"".join((_CONTAINER, _FILE_TYPE, exif, _box(b"jxlc", encoded)))
    return encoded + exif


def _is_srgb(icc_profile: bytes) -> bool:
    """Whether a profile makes no difference to colours that are taken for sRGB."""
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 9, 3)
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(profile, srgb, "RGB", "RGB")
    except (OSError, ImageCms.PyCMSError):  # such as one for grey
        return False
    seen = ImageCms.applyTransform(PillowImage.fromarray(grid), transform)
    return bool(np.abs(np.asarray(seen, int) - grid).max() <= _SAME_COLOR)


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4) + kind + content


def _distance(quality: int) -> float:
    """The distance that libjxl's own tools take for a quality of 1 to 99."""
    if quality >= 30:
        return 0.1 + (100 - quality) * 0.09
    return 53 / 3000 * quality**2 - 23 / 20 * quality + 25


def _imagecodecs() -> Any:
    try:
        import imagecodecs  # noqa: PLC0415  an extra
    except ImportError as error:
        raise PictureError(
            "it is a JPEG XL; to read and write those: pip install '.[jxl]' in the "
            "checkout"
        ) from error
    return imagecodecs
