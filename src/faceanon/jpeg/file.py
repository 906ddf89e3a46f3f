"""A JPEG in memory, of which no more is decoded than is asked for."""

from functools import cached_property

import numpy as np
import simplejpeg

from faceanon.damage import explained
from faceanon.model import Image
from faceanon.orientation import is_across, upright

FACTORS = (8, 4, 2)
"""By these the sides of a picture are made smaller while it is decoded, quickly."""


class JpegFile:
    """A JPEG of one or three components.

    Args:
        data: the whole file.
        orientation: the EXIF orientation in which it is stored, 1 to 8.
        size: (width, height), as stored.
        is_grey: whether it has one component.

    Attributes:
        data: the whole file.
        orientation: the EXIF orientation in which it is stored, 1 to 8.
        shape: (height, width), upright.
    """

    def __init__(
        self, data: bytes, orientation: int, size: tuple[int, int], *, is_grey: bool
    ) -> None:
        self.data = data
        self.orientation = orientation
        self.shape = size if is_across(orientation) else size[::-1]
        self._size = size
        self._is_grey = is_grey
        self._is_checked = False

    @cached_property
    def pixels(self) -> Image:
        """The picture, upright: shape (H, W) if grey, else (H, W, 3) BGR; uint8.

        Raises:
            PictureError: the file is damaged.
        """
        if self._is_grey:
            return self._decoded("GRAY", 1)[:, :, 0]
        return self._decoded("BGR", 1)

    def reduced(self, factor: int) -> Image:
        """The picture made smaller, upright: shape (H, W, 3), BGR, uint8.

        Args:
            factor: of `FACTORS`; how many pixels of a row, and of a column, become one.
                One on the right and at the bottom may stand for fewer.

        Raises:
            PictureError: the file is damaged.
        """
        return self._decoded("BGR", factor)

    def check(self) -> None:
        """Look for damage, if nothing was decoded yet.

        Raises:
            PictureError: the file is damaged.
        """
        if not self._is_checked:
            self.reduced(FACTORS[0])

    def _decoded(self, colorspace: str, factor: int) -> Image:
        width, height = (-(-side // factor) for side in self._size)
        with explained():
            # strict: libjpeg warns of damage and goes on with grey; here a warning is
            # an error.
            pixels = simplejpeg.decode_jpeg(
                self.data,
                colorspace,
                min_height=height,
                min_width=width,
                strict=True,
            )
        self._is_checked = True
        return np.ascontiguousarray(upright(pixels, self.orientation))
