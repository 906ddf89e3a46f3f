"""A small JPEG of a picture, to be put into its metadata."""

import cv2
import simplejpeg

from faceanon.model import Image

LONG_SIDE = 160
"""Of a thumbnail, in pixels, as EXIF asks for (CIPA DC-008)."""

_QUALITY = 80


def make_thumbnail(image: Image) -> bytes:
    """Make a thumbnail.

    Args:
        image: the picture with its faces hidden, turned as it is stored: shape
            (H, W, 3) BGR, uint8.
    """
    height, width = image.shape[:2]
    scale = min(LONG_SIDE / max(height, width), 1)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return bytes(simplejpeg.encode_jpeg(small, _QUALITY, "BGR", "420"))
