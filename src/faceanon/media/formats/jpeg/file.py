"""A JPEG in memory, of which no more is decoded than is asked for."""

from functools import cached_property

import numpy as np

from faceanon.errors import PictureError
from faceanon.media.containers.jpeg import kind_of
from faceanon.media.damage import explained
from faceanon.media.formats.jpeg import strict
from faceanon.media.formats.jpeg.mending import (
    END_IS_MISSING,
    is_complete,
    mended,
)
from faceanon.media.formats.jpeg.strict import Colors
from faceanon.media.orientation import is_across, upright
from faceanon.model import Image

FACTORS = (8, 4, 2)
"""By these the sides of a picture are made smaller while it is decoded, quickly."""


class JpegFile:
    """A JPEG.

    Args:
        data: the whole file.
        orientation: the EXIF orientation in which it is stored, 1 to 8.
        size: (width, height), as stored.
        colors: what it is decoded to.

    Attributes:
        data: the file; of one that is only damaged beside its picture, once that is
            known, no more than the picture.
        orientation: the EXIF orientation in which it is stored, 1 to 8.
        shape: (height, width), upright.
        notes: what is wrong with it although no pixel is lost, as far as it is known.
    """

    def __init__(
        self, data: bytes, orientation: int, size: tuple[int, int], colors: Colors
    ) -> None:
        self.data = data
        self.orientation = orientation
        self.shape = size if is_across(orientation) else size[::-1]
        self.notes: tuple[str, ...] = ()
        self._size = size
        self._colors: Colors = colors
        self._is_checked = False

    @cached_property
    def pixels(self) -> Image:
        """The picture, upright: shape (H, W) if grey, else (H, W, channels); uint8.

        Raises:
            PictureError: the file is damaged.
        """
        pixels = self._decoded(self._colors, 1)
        return pixels[:, :, 0] if self._colors == "GRAY" else pixels

    def reduced(self, factor: int) -> Image:
        """The picture made smaller, upright: shape (H, W, 3), BGR, uint8; not of inks.

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
            self._decoded(self._colors, FACTORS[0])

    def _decoded(self, colors: Colors, factor: int) -> Image:
        with explained():
            try:
                pixels = strict.decode(self.data, colors, self._size, factor)
            except ValueError:
                kind = kind_of(self.data)
                if kind:
                    raise PictureError(
                        f"it is {kind} that is damaged or not supported; convert it to "
                        "PNG first"
                    ) from None
                # Of what is wrong beside the picture nothing is left then.
                picture, notes = mended(self.data)
                if END_IS_MISSING in notes and not is_complete(picture):
                    raise
                pixels = strict.decode(picture, colors, self._size, factor)
                self.data, self.notes = picture, notes
        self._is_checked = True
        return np.ascontiguousarray(upright(pixels, self.orientation))
