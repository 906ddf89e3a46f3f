"""Frames as they are shown, one after the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from faceanon.errors import PictureError
from faceanon.media import reading as decoding
from faceanon.media.clip import Format, Frame, Header
from faceanon.media.formats import high_depth, webp
from faceanon.media.formats import png16 as deep_png
from faceanon.media.formats.jxl import is_jxl
from faceanon.media.formats.tiff_reading import full_pages, is_floating_color
from faceanon.media.metadata import clean_profile
from faceanon.media.picture import Encoding

_FORMATS: dict[str, Format] = {
    "GIF": "gif",
    "PNG": "png",
    "WEBP": "webp",
    "AVIF": "avif",
    "TIFF": "tiff",
}
_PNG_BIT_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Animation:
    """A file with several pictures, open for reading.

    Attributes:
        format: its format.
        header: what its frames share.
        frames: the frames, once.
    """

    format: Format
    header: Header
    frames: Iterator[Frame]


@contextmanager
def opened(data: bytes, max_pixels: int) -> Iterator[Animation | None]:
    """Open a file for reading frame by frame; None where it holds one picture only.

    A GIF of one picture is read as an animation of one frame.

    Args:
        data: the whole file.
        max_pixels: refuse frames of more pixels than this.

    Raises:
        PictureError: it is damaged, too large, or of a kind that is not supported.
    """
    if is_floating_color(data) or is_jxl(data):
        yield None
        return
    with decoding.opened(data) as source:
        format_ = _FORMATS.get(str(source.format))
        count = getattr(source, "n_frames", 1)
        if format_ is None or (count == 1 and format_ != "gif"):
            yield None
            return
        decoding.check_size(source.size, max_pixels)
        if format_ == "tiff":
            pages = full_pages(source)
            if len(pages) == 1:
                yield None
                return
            header = _header(source, data, format_, len(pages))
            yield Animation(format_, header, _pages(source, data, pages, max_pixels))
        else:
            if format_ == "avif" and high_depth.avif_depth(data) > 8:
                raise PictureError(
                    "it is an animated AVIF of more than 8 bits, which is not "
                    "supported; convert it to 8 bits first"
                )
            orientation = decoding.orientation_of(source, data)
            header = _header(source, data, format_, count).turned(orientation)
            is_deep = format_ == "png" and data[_PNG_BIT_DEPTH] > 8
            stored = (
                deep_png.frames(data) if is_deep else _frames(source, count, format_)
            )
            frames = (
                replace(frame, pixels=decoding.turned(frame.pixels, orientation))
                for frame in stored
            )
            yield Animation(format_, header, frames)


def _header(source: Any, data: bytes, format_: Format, count: int) -> Header:
    width, height = source.size
    return Header(
        width,
        height,
        count,
        source.info.get("loop"),
        bool(source.info.get("default_image")),
        format_ != "avif" and (format_ != "webp" or _is_lossless_webp(data)),
        clean_profile(source.info.get("icc_profile")),
        decoding.metadata_of(source, data, format_),
    )


def _is_lossless_webp(data: bytes) -> bool:
    """Whether the first frame is."""
    for name, body in webp.chunks(data, 12):
        if name == b"ANMF":
            return any(part == b"VP8L" for part, _ in webp.chunks(body, 16))
    return False


def _frames(source: Any, count: int, format_: Format) -> Iterator[Frame]:
    for number in range(count):
        source.seek(number)
        pixels = np.asarray(source.convert("RGBA"))
        seconds = float(source.info.get("duration") or 0) / 1000
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA)
        yield Frame(pixels, Encoding(format_), seconds)


def _pages(
    source: Any, data: bytes, pages: list[int], max_pixels: int
) -> Iterator[Frame]:
    for number in pages:
        source.seek(number)
        picture = decoding.decode_page(source, data, max_pixels)
        yield Frame(picture.pixels, picture.encoding)
