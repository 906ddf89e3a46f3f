"""HEIC and HEIF, by an extra that brings the libraries."""

from functools import cache
from typing import Any

import numpy as np

from faceanon.errors import PictureError
from faceanon.media.formats import high_depth
from faceanon.media.formats.common import (
    DEFAULT_QUALITY,
    Decoded,
    encode_with_pillow,
    pixels_of,
)
from faceanon.media.metadata import exif_block
from faceanon.media.picture import Encoding, Picture


@cache
def register() -> None:
    """Let Pillow read and write HEIF.

    Raises:
        PictureError: the extra is not installed.
    """
    try:
        import pillow_heif  # noqa: PLC0415  an extra
    except ImportError as error:
        raise PictureError(
            "it is a HEIC; to read and write those: pip install '.[heif]' in the "
            "checkout"
        ) from error
    # Its previews and mattes are not even looked at.
    pillow_heif.register_heif_opener(
        thumbnails=False, depth_images=False, aux_images=False
    )


def decode(source: Any, data: bytes) -> Decoded:
    """The pixels of the first picture of a file, which the decoders turn upright."""
    depth = source.info.get("bit_depth", 8)
    if depth > 8:
        pixels = high_depth.decode_heif(data, depth)
        return pixels, Encoding("heif", depth=depth), True
    return pixels_of(source), Encoding("heif"), True


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file."""
    register()
    quality = quality or DEFAULT_QUALITY
    if picture.pixels.dtype == np.uint16:
        return high_depth.encode_heif(picture, encoding.depth, quality)
    # The encoder puts metadata in its place.
    exif = exif_block(picture.metadata) or None
    parameters = high_depth.x265_parameters(quality)
    return encode_with_pillow(
        picture, "HEIF", quality=quality, exif=exif, enc_params=parameters
    )
