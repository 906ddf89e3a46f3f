"""Decoding JPEGs so that no pixel is made up: what libjpeg warns of is an error."""

import os
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import Literal, TypeAlias

import cv2
import numpy as np
import simplejpeg

from faceanon.errors import PictureError
from faceanon.media.containers.jpeg import EOI, end_of, scan_count
from faceanon.model import Image

Colors: TypeAlias = Literal["GRAY", "BGR", "CMYK"]

_RARE = "Could not determine subsampling"

# Each scan takes a walk over the whole picture: 9 ns a pixel, however short it is. What
# programs write has at most some twenty scans.
_USUAL_SCANS, _MOST_SCANS, _MOST_SCANNED = 32, 400, 2 * 10**9


def check_scans(data: bytes, pixels: int) -> None:
    """Refuse a JPEG that is coded in so many scans that decoding takes minutes.

    Args:
        data: the whole file.
        pixels: how many it has.

    Raises:
        PictureError: it is.
    """
    most = max(min(_MOST_SCANNED // max(pixels, 1), _MOST_SCANS), _USUAL_SCANS)
    count = scan_count(data)
    if count > most:
        raise PictureError(
            f"it is a JPEG of {count} scans, more than the {most} that are decoded at "
            "this size; save it as a usual JPEG first"
        )


def decode(
    data: bytes, colors: Colors, size: tuple[int, int], factor: int = 1
) -> Image:
    """The picture as it is stored; shape (H, W, channels), uint8.

    Args:
        data: the file.
        colors: what to decode to; inks as they are stored, with 0 for none.
        size: (width, height).
        factor: how many pixels of a row, and of a column, become one.

    Raises:
        ValueError: the file is damaged.
    """
    width, height = (-(-side // factor) for side in size)
    try:
        pixels: Image = simplejpeg.decode_jpeg(
            data, colors, min_height=height, min_width=width, strict=True
        )
    except ValueError as error:
        if _RARE not in str(error):
            raise
    else:
        return pixels
    whole = _decoded_by_opencv(data, colors)
    if factor == 1:
        return whole
    smaller = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return smaller.reshape(height, width, -1)


def _decoded_by_opencv(data: bytes, colors: Colors) -> Image:
    """A picture of a subsampling that libturbojpeg has no name for.

    Raises:
        PictureError: warnings cannot be had on this system.
        ValueError: the file is damaged.
    """
    if not _are_warnings_heard():
        raise PictureError(
            "it is a JPEG of a rare subsampling, which cannot be searched for damage "
            "on this system; save it as a usual JPEG first"
        )
    if end_of(data) is None:  # without it nobody looks whether the pixels come out even
        raise ValueError("truncated")
    pixels, warning = with_warning(data)
    if warning or pixels is None:
        raise ValueError(warning or "truncated")
    if colors == "CMYK":  # asked for only to look for damage
        return pixels
    if colors == "GRAY":
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)[:, :, None]
    return pixels


@cache
def _are_warnings_heard() -> bool:
    """Whether OpenCV says, where it can be heard, that a picture is damaged."""
    done, data = cv2.imencode(".jpg", np.tile(np.arange(64, dtype=np.uint8), (64, 1)))
    assert done, "it is a picture"
    _, warning = with_warning(data.tobytes()[:-60] + EOI)
    _, nothing = with_warning(data.tobytes())
    return bool(warning) and not nothing


_ONE_AT_A_TIME = Lock()


def with_warning(data: bytes) -> tuple[Image | None, str]:
    """A picture in BGR, and what libjpeg says of it, which it writes to file 2.

    OpenCV has no other way to tell it.
    """
    encoded = np.frombuffer(data, np.uint8)
    flags = cv2.IMREAD_COLOR_BGR | cv2.IMREAD_IGNORE_ORIENTATION
    with _ONE_AT_A_TIME:
        try:
            before: int | None = os.dup(2)
        except OSError:  # it is closed
            before = None
        heard, said = os.pipe()
        try:
            # More than a pipe holds is dropped, where that can be had.
            with suppress(AttributeError, OSError):
                os.set_blocking(said, False)
            os.dup2(said, 2)
            pixels = cv2.imdecode(encoded, flags)
        finally:
            if before is None:
                os.close(2)
            else:
                os.dup2(before, 2)
                os.close(before)
            os.close(said)
            with os.fdopen(heard, "rb") as pipe:
                text = pipe.read()
    return pixels, text.decode(errors="replace").strip()
