"""A JPEG written anew, with the blocks of its hidden faces replaced and no other."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceanon.jpeg.blocks import BlockEditor
from faceanon.jpeg.colorsegments import color_segments
from faceanon.jpeg.structure import EOI, SOI, read_structure
from faceanon.jpeg.turbojpeg import transcode
from faceanon.model import Image


def rewrite(
    data: bytes,
    orientation: int,
    icc_profile: bytes | None,
    pixels: Image,
    changed: NDArray[np.bool_] | None,
) -> bytes:
    """Write a JPEG with the changed part of its picture and all else as it was.

    Outside the 8x8 blocks that hold a changed pixel, every coefficient stays. The
    picture stays turned as it is stored. Of the metadata nothing is kept but the colour
    profile; what follows the picture is cut off.

    Args:
        data: the file, undamaged.
        orientation: its EXIF orientation, 1 to 8.
        icc_profile: the colour profile to write.
        pixels: the picture after the change, upright: shape (H, W) or (H, W, 3) BGR,
            uint8.
        changed: which pixels are changed, shape (H, W); None when none is.

    Raises:
        CannotKeep: it is not a JPEG for which this can be done, or there is no library
            that can do it.
    """
    original = structure = read_structure(data)
    if changed is not None and changed.any():
        edit = BlockEditor(
            structure, stored(pixels, orientation), stored(changed, orientation)
        )
        data = transcode(
            data,
            edit,
            is_progressive=structure.is_progressive,
            is_optimized=structure.is_optimized,
        )
        structure = read_structure(data)
    return b"".join(
        (
            SOI,
            color_segments(original, icc_profile),
            *(data[part.start : part.end] for part in structure.segments),
            EOI,
        )
    )


def stored(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn an upright picture as EXIF orientation says that it is stored; a view."""
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    return pixels
