"""A decoded picture, and how it was stored."""

from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.media.formats.jpeg.file import FACTORS, JpegFile
from faceanon.media.metadata import NO_METADATA, Metadata
from faceanon.model import Image, white
from faceanon.storage.suffixes import Format


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a picture was stored, as far as its output should be stored alike.

    Attributes:
        format: the container.
        quantization: the tables of a JPEG, by number, each 64 values; None elsewhere.
        subsampling: of a JPEG's chroma: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0.
        lossless: whether a WebP or JPEG XL is lossless.
        compression: of a TIFF and a TGA, in Pillow's words; of a PNM, what it begins
            with ("P1" to "P7"); of an ICO, "png" or "bmp".
        is_cmyk: whether the four channels are inks.
        is_grey: whether a JPEG has one channel.
        is_premultiplied: whether colours are multiplied by alpha (TIFF, JPEG XL).
        depth: how many bits the samples of an AVIF or HEIF have if more than 8; where
            it is another format, the most that they can have.
        maxval: of a PNM, which number is white; 0 where it is another format.
    """

    format: Format
    quantization: dict[int, list[int]] | None = None
    subsampling: int = 0
    lossless: bool = False
    compression: str = "tiff_adobe_deflate"
    is_cmyk: bool = False
    is_grey: bool = False
    is_premultiplied: bool = False
    depth: int = 12
    maxval: int = 0


class Deferred(Protocol):
    """Pixels that are decoded when they are asked for.

    Attributes:
        shape: (height, width), upright.
        pixels: shape (H, W) if grey, else (H, W, channels), upright.
    """

    @property
    def shape(self) -> tuple[int, int]:
        """See above."""

    @property
    def pixels(self) -> Image:
        """See above; raises `PictureError` where they are damaged."""

    def reduced(self, factor: int) -> Image:
        """The picture made smaller, upright: shape (H, W, 3), BGR, uint8; not of inks.

        Args:
            factor: of `FACTORS`; how many pixels of a row, and of a column, become one.
                One on the right and at the bottom may stand for fewer.
        """


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Attributes:
        source: its pixels, or what they are decoded from.
        encoding: how it was stored; it tells BGRA from CMYK.
        icc_profile: the colour profile, without private parts; None if there is none.
        metadata: what may be kept of what else the file tells.
        jpeg: the file itself, from which a JPEG is written; None for other formats.
    """

    source: Image | Deferred
    encoding: Encoding
    icc_profile: bytes | None = None
    metadata: Metadata = NO_METADATA
    jpeg: JpegFile | None = None

    @property
    def pixels(self) -> Image:
        """What is stored, upright.

        Shape (H, W) grey, (H, W, 3) BGR, (H, W, 4) BGRA, or (H, W, 4) CMYK with 0 for
        no ink; uint8 or uint16, or float32 for grey and BGR.

        Raises:
            PictureError: it is a damaged JPEG.
        """
        source = self.source
        return source if isinstance(source, np.ndarray) else source.pixels

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, upright."""
        height, width = self.source.shape[:2]
        return height, width

    @property
    def color(self) -> Image:
        """How it looks, on a white page where it is transparent; to hide faces in.

        Shape (H, W, 3), BGR, uint8 or uint16; may share the pixels' memory.
        """
        return self._on_page(1) if self.is_see_through else self._stored_color

    @property
    def is_see_through(self) -> bool:
        """Whether a page behind it would be seen, if only a little."""
        if not isinstance(self.source, np.ndarray) or self.encoding.is_cmyk:
            return False
        pixels = self.source
        return pixels.shape[2:] == (4,) and int(pixels[:, :, 3].min()) < white(pixels)

    @property
    def looks(self) -> list[Image]:
        """All that can be seen of it, to look for faces in; the first is `color`.

        What is transparent looks different on a white and on a black page. Whoever
        drops its alpha sees the colours that are stored, and whoever has a page of
        another colour sees the alpha. Each look has the shape (H, W, 3), BGR, uint8 or
        uint16.
        """
        if not self.is_see_through:
            return [self.color]
        alpha = cv2.cvtColor(self.pixels[:, :, 3], cv2.COLOR_GRAY2BGR)
        return [self.color, self._on_page(0), self._stored_color, alpha]

    @property
    def _stored_color(self) -> Image:
        pixels = self.pixels
        if self.encoding.is_cmyk:
            return _cmyk_to_bgr(pixels)
        if pixels.dtype.kind == "f":
            pixels = _whole_numbers(pixels)
        if pixels.ndim == 2:
            return cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
        # A slice that skips the alpha channel is not a layout that OpenCV takes.
        return np.ascontiguousarray(pixels[:, :, :3])

    def _on_page(self, brightness: int) -> Image:
        """On a page that is black, 0, or white, 1."""
        full = white(self.pixels)
        # 65,535 times itself is the most that there is.
        wide = self.pixels.astype(np.uint32)
        color, alpha = wide[:, :, :3], wide[:, :, 3:]
        page = (full - alpha) * brightness
        if self.encoding.is_premultiplied:
            mixed = np.minimum(color + page, full)
        else:
            mixed = (color * alpha + page * full + full // 2) // full
        on_page: Image = mixed.astype(self.pixels.dtype)
        return on_page

    def scaled_looks(self, scale: float) -> tuple[list[Image], int]:
        """Its looks, each once, for detectors; a JPEG is decoded no larger than needed.

        Args:
            scale: at which they are going to be looked at, 1 for full size.

        Returns:
            Images of shape (H, W, 3), BGR, uint8, and how many pixels of a row, and of
            a column, one of their pixels stands for.

        Raises:
            PictureError: it is a damaged JPEG.
        """
        if not isinstance(self.source, np.ndarray):
            for factor in FACTORS:
                if factor * scale <= 1:
                    return [self.source.reduced(factor)], factor
        different: list[Image] = []
        for look in self.looks:
            # Editors clear the colours of what they make transparent, for example.
            if not any(np.array_equal(look, other) for other in different):
                different.append(look)
        return [eight_bit(look) for look in different], 1

    def with_color(self, color: Image, changed: NDArray[np.bool_]) -> "Picture":
        """The picture with other colours in some places.

        Elsewhere what is stored stays to the bit, whatever a conversion would make of
        it. Grey stays grey. What is changed becomes opaque: the outline of a face, or
        all of it, can be in the transparency.

        Args:
            color: how it is to look, like `self.color`.
            changed: where, shape (H, W).
        """
        pixels = self.pixels
        if pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype.kind != "f":
            return replace(self, source=color)  # the same where nothing changed
        if not changed.any():
            return self
        new = color[changed][:, None]
        if self.encoding.is_cmyk:
            new = _bgr_to_cmyk(new)
        elif pixels.ndim == 2:
            new = _grey(new)
        elif pixels.shape[2] == 4:
            new = np.dstack((new, np.full_like(new[:, :, 0], white(new))))
        if pixels.dtype.kind == "f":
            new = _fractions(new, pixels)
        kept = pixels.copy()
        kept[changed] = new[:, 0]
        return replace(self, source=kept)


def _grey(color: Image) -> Image:
    return cv2.cvtColor(color, cv2.COLOR_BGR2GRAY)


def _cmyk_to_bgr(pixels: Image) -> Image:
    """What inks look like without a profile: each takes its share of the light."""
    full = white(pixels)
    light = full - pixels.astype(np.uint32)
    red, green, blue = (light[:, :, ink] * light[:, :, 3] // full for ink in range(3))
    return np.dstack((blue, green, red)).astype(pixels.dtype)


def _bgr_to_cmyk(color: Image) -> Image:
    """The same look in inks, without black."""
    blue, green, red = (white(color) - color[:, :, channel] for channel in range(3))
    return np.dstack((red, green, blue, np.zeros_like(red)))


def _brightest(pixels: Image) -> float:
    """What counts as white: 1, or the largest value where there are larger ones."""
    return max(1.0, float(np.nan_to_num(pixels, posinf=0, neginf=0).max(initial=0)))


def _whole_numbers(pixels: Image) -> Image:
    """Floating point to 16 bits."""
    scaled = np.nan_to_num(pixels).clip(0) * (65_535 / _brightest(pixels))
    return scaled.round().astype(np.uint16)


def _fractions(pixels: Image, like: Image) -> Image:
    """16 bits to floating point."""
    return (pixels * (_brightest(like) / 65_535)).astype(like.dtype)


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
