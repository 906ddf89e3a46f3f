"""A decoded picture, and how it was stored."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import cv2
import numpy as np

from faceanon.metadata import NO_METADATA, Metadata
from faceanon.model import Image, white

Format: TypeAlias = Literal["jpeg", "png", "webp", "tiff", "bmp"]

SUFFIXES: dict[Format, tuple[str, ...]] = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png",),
    "webp": (".webp",),
    "tiff": (".tif", ".tiff"),
    "bmp": (".bmp", ".dib"),
}
"""The file name suffixes of each format, the usual one first."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a picture was stored, as far as its output should be stored alike.

    Attributes:
        format: the container.
        quantization: the tables of a JPEG, by number, each 64 values; None elsewhere.
        subsampling: of a JPEG's chroma: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0.
        lossless: whether a WebP is lossless.
        compression: of a TIFF, in Pillow's words.
    """

    format: Format
    quantization: dict[int, list[int]] | None = None
    subsampling: int = 0
    lossless: bool = False
    compression: str = "tiff_adobe_deflate"


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: upright; shape (H, W) grey, (H, W, 3) BGR or (H, W, 4) BGRA with
            straight alpha; uint8 or uint16.
        encoding: how it was stored.
        icc_profile: the colour profile, without private parts; None if there is none.
        metadata: what may be kept of what else the file tells.
    """

    pixels: Image
    encoding: Encoding
    icc_profile: bytes | None = None
    metadata: Metadata = NO_METADATA

    @property
    def color(self) -> Image:
        """The picture without alpha, (H, W, 3) BGR; may share the pixels' memory."""
        if self.pixels.ndim == 2:
            return cv2.cvtColor(self.pixels, cv2.COLOR_GRAY2BGR)
        # A slice that skips the alpha channel is not a layout that OpenCV takes.
        return np.ascontiguousarray(self.pixels[:, :, :3])

    def with_color(self, color: Image) -> "Picture":
        """The picture with other colours; grey stays grey and alpha as it was."""
        if self.pixels.ndim == 2:
            # Exact where nothing changed: a grey of three equal channels is that value.
            return replace(self, pixels=cv2.cvtColor(color, cv2.COLOR_BGR2GRAY))
        if self.pixels.shape[2] == 4:
            return replace(self, pixels=np.dstack((color, self.pixels[:, :, 3])))
        return replace(self, pixels=color)


def eight_bit(image: Image) -> Image:
    """An 8-bit copy for detectors, stretched where 16 bits are used only in part.

    Sensors of 10 to 14 bits store dark numbers in 16-bit files, in which a detector
    would see night.
    """
    if image.dtype == np.uint8:
        return image
    brightest = int(image.max(initial=1))
    # A picture that is dark all over is stretched to a point, so that noise stays dark.
    return cv2.convertScaleAbs(image, alpha=255 / max(brightest, white(image) / 64))
