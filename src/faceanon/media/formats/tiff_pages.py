"""Pages of TIFF files as they are stored: with all their bits, or in floating point.

Pillow makes 8 bits of many of them, and does not open floating point in colour.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from faceanon.errors import PictureError
from faceanon.media.containers import Readable, as_file
from faceanon.media.metadata.tiff import Tiff
from faceanon.model import Image

_SAMPLES_PER_PIXEL, _SAMPLE_FORMAT, _ORIENTATION = 0x0115, 0x0153, 0x0112
# TIFF 6.0, TIFF/EP and DNG: whether a page is another one made smaller; pages beside
# the chain; the version of DNG.
_SUBFILE_TYPE, _SUB_DIRECTORIES, _DNG_VERSION = 254, 330, 50706
_REDUCED = 1
_FLOATING = 3
_MIN_IS_WHITE, _INKS = 0, 5
_PLANE_BY_PLANE = 2


def is_raw(header: Any, head: bytes) -> bool:
    """Whether the pages of a TIFF are only previews of what a camera's sensor saw."""
    tags = header.tag_v2
    is_preview = tags.get(_SUBFILE_TYPE, 0) & _REDUCED
    return bool(
        _DNG_VERSION in tags
        or (is_preview and _SUB_DIRECTORIES in tags)
        or head[8:10] == b"CR"
    )


def full_pages(header: Any) -> list[int]:
    """The numbers of the pages of a TIFF that are no smaller copies of others.

    Args:
        header: the file as Pillow has opened it; it ends up at its first page.
    """
    pages = []
    for number in range(header.n_frames):
        header.seek(number)
        if not header.tag_v2.get(_SUBFILE_TYPE, 0) & _REDUCED:
            pages.append(number)
    header.seek(0)
    return pages or [0]


@dataclass(frozen=True, slots=True)
class FloatingHeader:
    """What is known of a picture in floating point before it is decoded.

    Attributes:
        width: in pixels, as stored.
        height: likewise.
        orientation: the EXIF orientation in which it is stored, 1 to 8.
        icc_profile: the colour profile as it is in the file; None without one.
    """

    width: int
    height: int
    orientation: int
    icc_profile: bytes | None


def is_floating_color(data: Readable) -> bool:
    """Whether a file is a TIFF in colour and floating point."""
    try:
        tiff = Tiff(data)
        tags = tiff.values(tiff.first, {_SAMPLES_PER_PIXEL, _SAMPLE_FORMAT})
    except ValueError:
        return False
    is_color = any(tags.get(_SAMPLES_PER_PIXEL, ())[:1] == (n,) for n in (3, 4))
    return is_color and _FLOATING in tags.get(_SAMPLE_FORMAT, ())


def floating_header(data: Readable) -> FloatingHeader:
    """The header of a file for which `is_floating_color` holds.

    Raises:
        PictureError: it has several pages.
    """
    import tifffile  # noqa: PLC0415  only some TIFF files need it

    with tifffile.TiffFile(as_file(data)) as file:
        if len(file.pages) > 1:
            raise PictureError(
                "it has several pages in floating point, which is not supported; make "
                "a file of each"
            )
        page: Any = file.pages[0]
        tag = page.tags.get(_ORIENTATION)
        orientation = 1 if tag is None else tag.value
        return FloatingHeader(
            page.imagewidth,
            page.imagelength,
            orientation if orientation in range(1, 9) else 1,
            page.iccprofile,
        )


def tiff_page(data: Readable, number: int) -> Image:
    """A page as it is stored: grey, BGR, BGRA or CMYK; uint8, uint16 or float32.

    Raises:
        PictureError: its samples or its compression are not supported.
    """
    import tifffile  # noqa: PLC0415

    with tifffile.TiffFile(as_file(data)) as file:
        page: Any = file.pages[number]
        is_inverted = page.keyframe.photometric == _MIN_IS_WHITE
        try:
            pixels: Image = page.asarray()
            is_rgb = True
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            # A compression that tifffile leaves to a large library.
            pixels, is_rgb = _decoded_by_opencv(data, number, page), False
        if page.planarconfig == _PLANE_BY_PLANE and pixels.ndim == 3:
            pixels = np.moveaxis(pixels, 0, -1)
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise PictureError(f"pixels of {pixels.dtype} are not supported")
    if pixels.ndim == 2 and not is_inverted:
        return pixels
    if pixels.ndim == 3 and pixels.shape[2] == 3:
        return np.ascontiguousarray(pixels[:, :, ::-1] if is_rgb else pixels)
    if page.photometric == _INKS and pixels.shape[2:] == (4,) and is_rgb:
        return np.ascontiguousarray(pixels)
    if pixels.ndim == 3 and pixels.shape[2] == 4 and pixels.dtype.kind == "u":
        return cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA) if is_rgb else pixels
    raise PictureError(
        f"samples of {pixels.dtype} in the shape {pixels.shape} are not supported; "
        "convert it to RGB first"
    )


def _decoded_by_opencv(data: Readable, number: int, page: Any) -> Image:
    """A page in OpenCV's order of colours.

    Raises:
        PictureError: OpenCV does not give it as it is stored.
    """
    _, pages = cv2.imdecodemulti(
        np.frombuffer(data[:], np.uint8),
        cv2.IMREAD_UNCHANGED,
        range=(number, number + 1),
    )
    samples = (page.samplesperpixel,) if page.samplesperpixel > 1 else ()
    shape = page.imagelength, page.imagewidth, *samples
    # OpenCV gets planes and inks of 16 bits wrong.
    is_right = page.planarconfig != _PLANE_BY_PLANE and page.photometric != _INKS
    is_right = is_right and bool(pages) and pages[0].shape == shape
    if not is_right or pages[0].dtype != page.dtype:
        raise PictureError(
            f"it is damaged, or its compression, {page.compression.name}, is not "
            f"supported for {page.dtype}; save it with Deflate first"
        )
    return pages[0]
