"""A JPEG written anew, with the blocks of its hidden faces replaced and no other."""

from collections.abc import Sequence

import cv2
import numpy as np
import simplejpeg

from faceanon.media.clip import Change
from faceanon.media.formats.jpeg.blocks import BlockEditor, Patch
from faceanon.media.formats.jpeg.color_segments import color_segments
from faceanon.media.formats.jpeg.mcu_regions import mcu_regions
from faceanon.media.formats.jpeg.structure import (
    CannotTranscode,
    Structure,
    assembled,
    read_structure,
)
from faceanon.media.formats.jpeg.turbojpeg import CoefficientEdit, samples, transcode
from faceanon.media.orientation import (
    is_across,
    stored,
    stored_box,
    upright,
    upright_box,
)
from faceanon.model import Box, Image


def rewrite(
    data: bytes,
    orientation: int,
    icc_profile: bytes | None,
    boxes: Sequence[Box],
    change: Change,
) -> bytes:
    """Write a JPEG with the changed parts of its picture and all else as it was.

    Outside the 8x8 blocks that hold a changed pixel, every coefficient stays. The
    picture stays turned as it is stored. Of the metadata nothing is kept but the colour
    profile; what follows the picture is cut off.

    Args:
        data: the file, undamaged.
        orientation: its EXIF orientation, 1 to 8.
        icc_profile: the colour profile to write.
        boxes: parts of the picture, upright, outside of which nothing is changed.
        change: called with areas that hold the boxes, each of them whole.

    Raises:
        CannotTranscode: it is not a JPEG for which this can be done, or there is no
            library that can do it.
    """
    original = structure = read_structure(data)
    if boxes:
        rewriter = _Rewriter(structure, orientation, boxes, change)
        data = transcode(
            data,
            rewriter.areas,
            rewriter.edit,
            is_progressive=structure.is_progressive,
            is_optimized=structure.is_optimized,
        )
        structure = read_structure(data)
    return assembled(data, structure, color_segments(original, icc_profile))


class _Rewriter:
    """Makes the edit of a JPEG out of a change of its upright picture."""

    def __init__(
        self,
        structure: Structure,
        orientation: int,
        boxes: Sequence[Box],
        change: Change,
    ) -> None:
        self._structure = structure
        self._orientation = orientation
        self._change = change
        height, width = structure.height, structure.width
        if is_across(orientation):
            height, width = width, height
        self._size = height, width
        self.areas = mcu_regions(
            (stored_box(box, orientation, height, width) for box in boxes), structure
        )

    def edit(self, cut: Sequence[bytes]) -> CoefficientEdit:
        """The edit; see `turbojpeg.transcode`."""
        patches = [self._patch(*one) for one in zip(self.areas, cut, strict=True)]
        return BlockEditor(self._structure, patches)

    def _patch(self, area: Box, data: bytes) -> Patch:
        try:
            pixels = simplejpeg.decode_jpeg(data, "BGR")
        except ValueError:
            raise CannotTranscode("its coefficients are out of range") from None
        if pixels.shape[:2] != (area.height, area.width):
            raise CannotTranscode("its subsampling is of a rare kind")
        place = upright_box(area, self._orientation, *self._size)
        pixels = np.ascontiguousarray(upright(pixels, self._orientation))
        after, changed = self._change(place, pixels)
        return Patch(
            area.left,
            area.top,
            self._in_units(stored(after, self._orientation)),
            self._in_units(stored(changed, self._orientation).view(np.uint8)) > 0,
            samples(data, area.width, area.height, self._structure),
        )

    def _in_units(self, pixels: Image) -> Image:
        """Pixels, and beyond their edge a copy of it, up to the end of a unit."""
        height, width = pixels.shape[:2]
        below = -height % self._structure.unit_height
        right = -width % self._structure.unit_width
        return cv2.copyMakeBorder(
            np.ascontiguousarray(pixels), 0, below, 0, right, cv2.BORDER_REPLICATE
        )
