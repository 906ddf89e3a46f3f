"""What several formats have in common: Pillow's and OpenCV's decoders and encoders."""

import io
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from faceanon.errors import PictureError
from faceanon.media.picture import Encoding, Picture
from faceanon.model import Image

DEFAULT_QUALITY = 90
"""Used where a lossy format is written and the input does not say its quality."""

Decoded: TypeAlias = tuple[Image, Encoding, bool]
"""Pixels, how they were stored, and whether the decoder turned them upright."""


def decode_with_opencv(data: bytes) -> Image:
    """The pixels of a file as they are stored, uint8 or uint16.

    Raises:
        PictureError: it is damaged, or its pixels are of another kind.
    """
    flags = cv2.IMREAD_UNCHANGED
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if pixels is None:
        raise PictureError("the file is damaged or truncated")
    if pixels.dtype not in (np.uint8, np.uint16):
        raise PictureError(f"pixels of {pixels.dtype} are not supported")
    return pixels


def pixels_of(source: PillowImage.Image) -> Image:
    """The pixels of 8 bits that Pillow makes of a file, or of the frame it is at."""
    source.load()
    if source.mode == "CMYK":
        return np.array(source)
    if source.mode in ("L", "1"):
        return np.array(source.convert("L"))
    has_alpha = source.mode in ("RGBA", "LA", "PA") or "transparency" in source.info
    if has_alpha:
        return cv2.cvtColor(np.array(source.convert("RGBA")), cv2.COLOR_RGBA2BGRA)
    return cv2.cvtColor(np.array(source.convert("RGB")), cv2.COLOR_RGB2BGR)


def in_rgb(pixels: Image) -> Image:
    """Pixels in the order that other programs have: grey, RGB or RGBA."""
    if pixels.ndim == 2:
        return pixels
    has_alpha = pixels.shape[2] == 4
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if has_alpha else cv2.COLOR_BGR2RGB)


def encode_with_opencv(picture: Picture, suffix: str) -> bytes:
    """The bytes of a file, with the colour profile but for BMP.

    Raises:
        ValueError: OpenCV cannot encode it.
    """
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


def encode_with_pillow(picture: Picture, format_: str, **options: Any) -> bytes:
    """The bytes of a file, with the colour profile."""
    is_cmyk = picture.encoding.is_cmyk
    pixels = picture.pixels if is_cmyk else in_rgb(picture.pixels)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels, "CMYK" if is_cmyk else None).save(
        buffer, format_, icc_profile=picture.icc_profile, **options
    )
    return buffer.getvalue()
