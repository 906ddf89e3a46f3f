"""The pictures that Python programs give: arrays, those of Pillow, and files."""

from collections.abc import Iterable
from os import PathLike, fspath
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from faceanon.errors import OptionError, PictureError
from faceanon.media.reading import decode
from faceanon.model import Face, Image
from faceanon.storage.files import open_source
from faceanon.storage.names import shown
from faceanon.storage.places import place

Channels: TypeAlias = Literal["bgr", "rgb"]
"""The order of the channels of an array: that of OpenCV, or that of most others."""

Picture: TypeAlias = Image | PillowImage.Image | str | PathLike[str]
"""An array, shape (H, W, 3), uint8 or uint16, upright; a picture of Pillow; or a file,
as its path or URL."""

# Pillow's modes of pixels that an RGB picture of 8 bits can show.
_MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK")


def bgr_of(picture: Picture, channels: Channels, max_pixels: int) -> Image:
    """A picture as an array, shape (H, W, 3), BGR, uint8 or uint16, upright.

    What is transparent in a file or a picture of Pillow lies on white.

    Args:
        picture: it is not changed; an array may share its memory with the result.
        channels: the order that an array has.
        max_pixels: refuse files of more pixels.

    Raises:
        TypeError: it is none of these.
        ValueError: it has another shape, dtype or mode, or no pixels.
        OptionError: there is no such order.
        PictureError: the file cannot be read, or holds several pictures.
    """
    if channels not in get_args(Channels):
        raise OptionError(f"channels must be one of bgr, rgb, not {channels!r}")
    if isinstance(picture, PillowImage.Image):
        return _of_pillow(picture)
    if isinstance(picture, str | PathLike):
        return _of_file(picture, max_pixels)
    _check_array(picture)
    return np.ascontiguousarray(picture if channels == "bgr" else picture[:, :, ::-1])


def like(
    picture: Picture, image: Image, channels: Channels
) -> Image | PillowImage.Image:
    """An array in BGR as what was given: one of Pillow, or an array in its order."""
    if isinstance(picture, PillowImage.Image):
        return PillowImage.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    return image if channels == "bgr" else np.ascontiguousarray(image[:, :, ::-1])


def _of_pillow(picture: PillowImage.Image) -> Image:
    if picture.mode not in _MODES:
        raise ValueError(
            f"a picture of the mode {picture.mode} is not taken: convert it to RGB, or "
            "give an array of uint16"
        )
    if not (picture.width and picture.height):
        raise ValueError("the picture has no pixels")
    upright = ImageOps.exif_transpose(picture)
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        page = PillowImage.new("RGBA", upright.size, "white")
        upright = PillowImage.alpha_composite(page, upright)
    return cv2.cvtColor(np.asarray(upright.convert("RGB")), cv2.COLOR_RGB2BGR)


def _of_file(path: str | PathLike[str], max_pixels: int) -> Image:
    name = fspath(path)
    try:
        with open_source(place(name)) as source:
            data = source.file.read()
        return decode(data, max_pixels).color
    except PictureError as error:
        raise PictureError(f"{shown(name)}: {error}") from error


def _check_array(image: object) -> None:
    if not isinstance(image, np.ndarray):
        why = "; cv2.imread gives None where it reads nothing" if image is None else ""
        raise TypeError(
            "an image is an array, a picture of Pillow or a path, not "
            f"{type(image).__name__}{why}"
        )
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"an image has the shape (H, W, 3), not {image.shape}; cv2.cvtColor "
            "adds or drops channels"
        )
    if not image.size:
        raise ValueError(f"an image has pixels, not the shape {image.shape}")
    if image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image is of uint8 or uint16, not {image.dtype}")


def checked_faces(faces: Iterable[Face], image: Image) -> tuple[Face, ...]:
    """The faces that somebody wants hidden in an image, if they can be.

    Raises:
        TypeError: they are no faces, or their sides no whole numbers.
        ValueError: one is empty, or lies outside of the image, or has not five points.
    """
    if isinstance(faces, Face) or not isinstance(faces, Iterable):
        raise TypeError(f"faces are a sequence of Face, not {type(faces).__name__}")
    given = tuple(faces)
    height, width = image.shape[:2]
    for face in given:
        if not isinstance(face, Face):
            raise TypeError(
                f"a face is a Face, not {type(face).__name__}: "
                "faceanon.Face(faceanon.Box(left, top, right, bottom), score=1.0)"
            )
        if not all(isinstance(side, int | np.integer) for side in face.box.sides):
            raise TypeError(f"the sides of a box are whole numbers: {face.box}")
        if face.box.clipped(height, width).is_empty or face.box.is_empty:
            raise ValueError(
                f"{face.box} holds nothing of an image of {width} x {height} pixels"
            )
        if face.points is not None and np.shape(face.points) != (5, 2):
            raise ValueError(f"a face has five points (x, y) or None: {face.points}")
    return given
