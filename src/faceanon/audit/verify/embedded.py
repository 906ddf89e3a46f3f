"""Whether a picture in an output's file shows the output itself, or the original."""

from collections.abc import Iterator

import cv2
import numpy as np

from faceanon.errors import PictureError
from faceanon.media.picture import eight_bit
from faceanon.media.reading import decode
from faceanon.model import Image

# So many grey levels may differ in the mean of so many pixels square: compression does
# that, and of a face as small nobody can be told.
_TOLERANCE, _PIXELS = 16, 5


def shows(data: bytes, image: Image) -> bool:
    """Whether a picture shows the same as an image, only smaller.

    Args:
        data: the file of the picture.
        image: shape (H, W, 3), BGR, uint8.
    """
    height, width = image.shape[:2]
    try:
        small = eight_bit(decode(data, height * width).color)
    except PictureError:
        return False
    return any(_is_alike(small, turned) for turned in _turned(image))


def _turned(image: Image) -> Iterator[Image]:
    """The image as files may store it: previews are turned as their picture is."""
    for flipped in (image, image[:, ::-1]):
        for quarters in range(4):
            yield np.rot90(flipped, quarters)


def _is_alike(small: Image, image: Image) -> bool:
    height, width = small.shape[:2]
    scale = max(small.shape[:2]) / max(image.shape[:2])
    if scale > 1 or abs(image.shape[0] * scale - height) > 1:
        return False
    if abs(image.shape[1] * scale - width) > 1:
        return False
    resized = cv2.resize(
        np.ascontiguousarray(image), (width, height), interpolation=cv2.INTER_AREA
    )
    # Of the light only: previews store colours coarsely.
    greys = (cv2.cvtColor(each, cv2.COLOR_BGR2GRAY) for each in (resized, small))
    difference = cv2.absdiff(*greys).astype(np.float32)
    return bool(cv2.blur(difference, (_PIXELS, _PIXELS)).max() <= _TOLERANCE)
