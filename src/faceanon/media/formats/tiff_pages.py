"""Pages of TIFF files as they are stored: with all their bits, or in floating point.

Pillow makes 8 bits of many of them, and does not open floating point in colour.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from faceanon.errors import PictureError
from faceanon.media.containers import Readable, as_file
from faceanon.media.formats.common import decode_with_opencv
from faceanon.media.metadata.tiff import Tiff
from faceanon.model import Image

_SAMPLES_PER_PIXEL, _SAMPLE_FORMAT, _ORIENTATION = 0x0115, 0x0153, 0x0112
_BITS, _COMPRESSION = 0x0102, 0x0103
# TIFF 6.0, TIFF/EP and DNG: whether a page is another one made smaller; pages beside
# the chain; the version of DNG.
_SUBFILE_TYPE, _SUB_DIRECTORIES, _DNG_VERSION = 254, 330, 50706
_REDUCED = 1
_FLOATING = 3
_COMPLEX = {5, 6}
_BIG_OF_MOTOROLA = b"MM\0\x2b"
_PLAIN_COLORS = (1, 2, 5)  # black is 0; red, green and blue; inks

_RARE_COMPRESSIONS = {
    7: "JPEG of a rare kind",
    9: "JBIG",
    10: "JBIG",
    32809: "the compression of ThunderScan",
    32908: "PixarFilm",
    32909: "PixarLog",
    34661: "JBIG",
    34676: "SGILog",
    34677: "SGILog",
    34887: "LERC",
    34892: "lossy JPEG of DNG",
    34933: "PNG",
    34934: "JPEG XR",
    22610: "JPEG XR",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
    **dict.fromkeys((33003, 33004, 33005, 34712), "JPEG 2000"),
}
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
class OtherHeader:
    """What is known of a TIFF that Pillow does not open, before it is decoded.

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


def is_for_tifffile(data: Readable) -> bool:
    """Whether a file is a TIFF that Pillow does not open.

    That are those in colour and floating point, and BigTIFF in the order of Motorola.
    """
    tags = _tags(data, {_SAMPLES_PER_PIXEL, _SAMPLE_FORMAT})
    if tags is None:
        return False
    is_color = any(tags.get(_SAMPLES_PER_PIXEL, ())[:1] == (n,) for n in (3, 4))
    is_floating = is_color and _FLOATING in tags.get(_SAMPLE_FORMAT, ())
    return is_floating or data[:4] == _BIG_OF_MOTOROLA


def _tags(data: Readable, wanted: set[int]) -> dict[int, tuple[Any, ...]] | None:
    """Some tags of the first page; None where it is no TIFF, or damaged."""
    try:
        tiff = Tiff(data)
        return dict(tiff.values(tiff.first, wanted))
    except ValueError:
        return None


def kind_of(data: Readable) -> str:
    """What a TIFF is in words, as far as it is rare."""
    tags = _tags(data, {_BITS, _SAMPLE_FORMAT, _COMPRESSION}) or {}
    bits = max((one for one in tags.get(_BITS, ()) if isinstance(one, int)), default=1)
    compression = (*tags.get(_COMPRESSION, ()), 1)[0]
    if compression in _RARE_COMPRESSIONS:
        return f"a TIFF with {_RARE_COMPRESSIONS[compression]} in it"
    if _FLOATING in tags.get(_SAMPLE_FORMAT, ()):
        return f"a TIFF in floating point of {bits} bits"
    if set(tags.get(_SAMPLE_FORMAT, ())) & _COMPLEX:
        return "a TIFF of complex numbers"
    if bits > 16 or bits not in (1, 2, 4, 8, 16):
        return f"a TIFF of {bits} bits"
    return "a TIFF of a rare kind, or damaged"


def tifffile_header(data: Readable) -> OtherHeader:
    """The header of a file for which `is_for_tifffile` holds.

    Raises:
        PictureError: it has several pages, or shows colours by their numbers.
    """
    import tifffile  # noqa: PLC0415  only some TIFF files need it

    with tifffile.TiffFile(as_file(data)) as file:
        if len(file.pages) > 1:
            raise PictureError(
                "it has several pages in floating point, or of a BigTIFF in the order "
                "of Motorola, which is not supported; make a file of each"
            )
        page: Any = file.pages[0]
        if page.photometric not in _PLAIN_COLORS:
            raise PictureError(
                f"it is {kind_of(data)}, which is not supported; convert it to PNG "
                "first"
            )
        check_strips(page, data)
        tag = page.tags.get(_ORIENTATION)
        orientation = 1 if tag is None else tag.value
        return OtherHeader(
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


def check_strips(page: Any, data: Readable) -> None:
    """See that all strips or tiles of a page of `tifffile` are in the file.

    Raises:
        PictureError: one is not.
    """
    for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        if not length or offset + length > len(data):
            raise PictureError(
                "the file is damaged: its end, or a part of it, is missing"
            )


def webp_page(data: Readable, number: int) -> Image:
    """A page whose strips or tiles are WebP files: BGR or BGRA, uint8.

    Raises:
        PictureError: one is damaged, or not as large as it should be.
    """
    import tifffile  # noqa: PLC0415

    with tifffile.TiffFile(as_file(data)) as file:
        page: Any = file.pages[number]
        check_strips(page, data)
        places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
        height, width = page.imagelength, page.imagewidth
        across, down = page.tilewidth or width, page.tilelength or page.rowsperstrip
        channels = page.samplesperpixel
    columns = -(-width // across)
    pixels = np.zeros((height, width, channels), np.uint8)
    if len(places) != columns * -(-height // down):
        raise PictureError("the file is damaged: a part of it is missing")
    for place, (offset, length) in enumerate(places):
        row, column = divmod(place, columns)
        part = decode_with_opencv(data[offset : offset + length])
        here = pixels[row * down :, column * across :][:down, :across]
        if part.shape[2] != channels or any(
            got < wanted for got, wanted in zip(part.shape, here.shape, strict=True)
        ):
            raise PictureError("the file is damaged: a part of it is missing")
        here[:] = part[: here.shape[0], : here.shape[1]]
    return pixels


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
