"""BMP."""

from typing import Any

from faceanon.media.formats.common import Decoded, encode_with_opencv, pixels_of
from faceanon.media.picture import Encoding, Picture


def decode(source: Any, data: bytes) -> Decoded:
    """The pixels of a file."""
    # OpenCV takes the colours of old and of 16-bit files for others.
    return pixels_of(source), Encoding("bmp"), True


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file."""
    return encode_with_opencv(picture, ".bmp")
