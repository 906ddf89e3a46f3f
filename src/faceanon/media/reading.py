"""Files to clips: every format that is read comes by here.

Only open files come in: OpenCV crashes on paths that are not UTF-8, and `imread` fills
up a truncated file with grey where `imdecode` refuses it.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image as PillowImage

from faceanon.errors import PictureError
from faceanon.media.clip import Clip, Frame, Header, Still
from faceanon.media.containers import FileView, Readable
from faceanon.media.containers import gif as gif_container
from faceanon.media.containers.png import SIGNATURE
from faceanon.media.damage import check_tiff_pages, count_tiff_pages, explained
from faceanon.media.formats import (
    bmp,
    high_depth,
    ico,
    jxl,
    png16,
    png_mending,
    pnm,
    tga,
    webp,
)
from faceanon.media.formats.jpeg.decoding import opened_jpeg
from faceanon.media.formats.jpeg.file import JpegFile
from faceanon.media.formats.jpeg.missing_end import decode_what_is_there
from faceanon.media.formats.table import FORMATS
from faceanon.media.formats.tiff_pages import (
    full_pages,
    is_for_tifffile,
    tiff_page,
    tifffile_header,
)
from faceanon.media.metadata import (
    Metadata,
    clean_profile,
    parse_exif,
    read_metadata,
)
from faceanon.media.opening import (
    PILLOW_FORMATS,
    check_frames,
    check_size,
    opened,
    orientation_of,
    turned,
)
from faceanon.media.picture import Encoding, Picture
from faceanon.media.video.containers import HEAD, container_of
from faceanon.media.video.options import VideoOptions
from faceanon.media.video.reading import VideoClip
from faceanon.storage.suffixes import Format

VIDEO_AS_IT_IS = VideoOptions()
"""All of a film, with its sound."""

# Pillow's names of the pixels that can be hidden in without changing others.
_MODES = frozenset(
    ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "F", "I;16", "I;16L", "I;16B"]
)

# Others, in words.
_OTHER_MODES = {
    "I": "whole numbers of 32 bits, or signed",
    "I;16N": "whole numbers of 16 bits in a rare order",
    "LAB": "in CIELAB",
    "YCbCr": "in YCbCr that was not converted",
    "HSV": "in HSV",
    "RGBX": "colours with a channel that is not used",
    "RGBa": "multiplied by their transparency",
    "La": "multiplied by their transparency",
}

# Formats of boxes in boxes, of which Pillow gives the EXIF block.
_BOXED = ("avif", "heif")

_PNG_BIT_DEPTH = 24


@contextmanager
def open_clip(
    file: BinaryIO,
    max_pixels: int,
    video: VideoOptions = VIDEO_AS_IT_IS,
    threads: int = 1,
) -> Iterator[Clip]:
    """Open a file for reading.

    The content decides the format. Damaged and truncated files are refused: what a
    decoder makes up for missing data must not be taken for the picture.

    Args:
        file: can be sought in. A file of one picture is read whole, and one of several
            frames by frame, as far as its format allows.
        max_pixels: refuse frames of more than this, from the header, before anything is
            decoded.
        video: which part of a film to read; and what to do with damage, also of a
            picture whose end is missing.
        threads: how many a film may be decoded with.

    Raises:
        PictureError: it is not a picture, or damaged, too large, or of a kind that is
            not supported; the message says which. Of a JPEG the pixels are left until
            they are asked for, which may raise it, too.
    """
    view = FileView(file)
    covers = video.damaged == "cover"
    if pnm.is_pnm(view):
        with explained():
            still = _pnm(view, max_pixels)
        yield still
    elif is_for_tifffile(view):
        with explained():
            still = _by_tifffile(view, max_pixels)
        yield still
    elif (container := container_of(view[:HEAD])) is not None:
        yield VideoClip(file, container, video, max_pixels, threads)
    elif jxl.is_jxl(view):
        with explained():
            still = _jxl(view, max_pixels)
        yield still
    elif bmp.has_masks(view):
        with explained():
            still = _bmp(view, max_pixels)
        yield still
    else:
        file, notes = _mended(view, covers=covers)
        with opened(file) as source:
            clip = _clip(source, FileView(file), max_pixels, covers=covers)
        yield replace(clip, found=clip.found + notes)


def _mended(view: FileView, *, covers: bool) -> tuple[BinaryIO, tuple[str, ...]]:
    """The file, or one in its place that has no damage beside the pixels."""
    if tga.is_tga(view):
        usual = tga.with_usual_depth(view)
        return view.file if usual is None else io.BytesIO(usual), ()
    if view[: len(SIGNATURE)] != SIGNATURE:
        return view.file, ()
    data, notes = png_mending.without_damage_beside(view)
    if data is not None:
        return io.BytesIO(data), notes
    filled = png_mending.filled_up(view[:]) if covers else None
    if filled is not None:
        data, share = filled
        return io.BytesIO(data), (end_is_missing(share),)
    return view.file, ()


def decode(data: bytes, max_pixels: int, *, lazily: bool = False) -> Picture:
    """Read the bytes of a file that holds one picture; see `open_clip`.

    Args:
        data: the whole file.
        max_pixels: refuse more than this.
        lazily: leave the pixels of a JPEG until they are asked for.

    Raises:
        PictureError: it cannot be read, or has several frames.
    """
    with open_clip(io.BytesIO(data), max_pixels) as clip:
        if clip.header.count > 1:
            raise PictureError(
                f"it holds {clip.header.count} frames or pages, of which only one can "
                "be shown"
            )
        (frame,) = clip.frames()
    picture = frame.picture
    return picture if lazily else replace(picture, source=picture.pixels)


def _clip(
    source: Any, view: FileView, max_pixels: int, *, covers: bool
) -> "Still | _Film | _Pages | _Icon":
    """What a file that Pillow has opened shows."""
    format_ = PILLOW_FORMATS[str(source.format)]
    check_size(source.size, max_pixels)
    if format_ == "ico":
        return _icon(view, max_pixels)
    # Before Pillow looks for them, which takes time and memory for each.
    if format_ == "gif":
        _check_frames_of_gif(view, max_pixels)
    elif format_ == "tiff":
        check_frames(count_tiff_pages(view), source.size, max_pixels)
    count = int(getattr(source, "n_frames", 1))
    check_frames(count, source.size, max_pixels)
    if format_ == "tiff":
        check_tiff_pages(view, count)
        pages = full_pages(source)
        if len(pages) > 1:
            width, height = source.size
            header = Header(format_, "pages", width, height, len(pages))
            return _Pages(header, view.file, tuple(pages), max_pixels)
        source.seek(pages[0])
    elif FORMATS[format_].is_film and count > 1:
        # The further frames of MPO and HEIF are previews and gain maps of the first.
        return _film(source, view, format_, count)
    is_paged = format_ == "tiff"  # a page more may be a preview
    picture = _page(source, view if is_paged else view[:], max_pixels)
    if is_paged:
        return Still(picture)
    if covers and isinstance(picture.source, JpegFile):
        return _as_far_as_it_is_there(picture, picture.source)
    return Still(picture, _seconds(source), source.info.get("loop"))


def _as_far_as_it_is_there(picture: Picture, jpeg: JpegFile) -> Still:
    """A JPEG; if its end is missing, what is there of it, to be encoded anew.

    Raises:
        PictureError: it is damaged in another way.
    """
    try:
        jpeg.check()
    except PictureError:
        found = decode_what_is_there(jpeg.data)
        if found is None:
            raise
        pixels, share = found
        if picture.encoding.is_grey:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
        pixels = turned(pixels, jpeg.orientation)
        return Still(
            replace(picture, source=pixels, jpeg=None), found=(end_is_missing(share),)
        )
    return Still(picture)


def end_is_missing(share: float) -> str:
    """What the user should know of a picture of which a share of rows is missing."""
    if share == 0:
        return "its end is missing, though no row"
    percent = max(round(100 * share), 1)
    return f"its end is missing, and with it {percent} % of its rows, or their details"


def _check_frames_of_gif(view: FileView, max_pixels: int) -> None:
    """Refuse frames for which Pillow would make more room than the picture takes.

    Raises:
        PictureError: one has more pixels than `max_pixels`, or lies further out; or
            they are too many.
    """
    count = width = height = 0
    for count, frame in enumerate(gif_container.frames(view), start=1):  # noqa: B007
        width, height = max(width, frame.right), max(height, frame.bottom)
    check_size((width, height), max_pixels)
    check_frames(count, (width, height), max_pixels)


def _page(source: Any, data: Readable, max_pixels: int) -> Picture:
    """The picture, or the page, that an opened file is at."""
    check_size(source.size, max_pixels)
    if source.mode not in _MODES:
        kind = _OTHER_MODES.get(source.mode, "of a rare kind")
        raise PictureError(
            f"its samples are {kind}, which is not supported; convert it to RGB first"
        )
    format_ = PILLOW_FORMATS[str(source.format)]
    orientation = orientation_of(source, data)
    icc_profile = clean_profile(source.info.get("icc_profile"))
    metadata = _metadata(source, data, format_).turned(orientation)
    if format_ == "jpeg":
        assert isinstance(data, bytes), "a JPEG is read whole"
        stored, encoding, jpeg = opened_jpeg(source, data, orientation)
        return Picture(stored, encoding, icc_profile, metadata, jpeg)
    decode_ = FORMATS[format_].decode
    assert decode_ is not None, "others have ways of their own"
    pixels, encoding, is_upright = decode_(source, data)
    pixels = pixels if is_upright else turned(pixels, orientation)
    return Picture(pixels, encoding, icc_profile, metadata)


def _metadata(source: PillowImage.Image, data: Readable, format_: Format) -> Metadata:
    """What may be kept of a file's metadata."""
    found = read_metadata(data, format_)
    if format_ in _BOXED:
        exif = parse_exif(source.info.get("exif") or b"")
        return replace(exif, png_colors=found.png_colors)
    return found


def _pnm(view: FileView, max_pixels: int) -> Still:
    header = pnm.header_of(view)
    check_size((header.width, header.height), max_pixels)
    pixels, encoding = pnm.decode(view, header)
    return Still(Picture(pixels, encoding))


def _bmp(view: FileView, max_pixels: int) -> Still:
    """A BMP that tells in which bits of a pixel its colours are."""
    header = bmp.masked_header(view)
    check_size((header.width, header.height), max_pixels)
    data = view[:]
    pixels = bmp.decode_masked(data, header)
    return Still(Picture(pixels, Encoding("bmp"), None, read_metadata(data, "bmp")))


def _icon(view: FileView, max_pixels: int) -> "Still | _Icon":
    icon = _Icon(view[:], max_pixels, Header("ico", "pages", 0, 0))
    pictures = [frame.picture for frame in icon.frames()]
    if not pictures:
        raise PictureError("the file is damaged: an icon without a picture")
    if len(pictures) == 1:
        return Still(pictures[0])
    height, width = pictures[0].shape
    return replace(icon, header=Header("ico", "pages", width, height, len(pictures)))


def _by_tifffile(view: FileView, max_pixels: int) -> Still:
    """A TIFF that Pillow does not open."""
    header = tifffile_header(view)
    check_size((header.width, header.height), max_pixels)
    check_tiff_pages(view, 1)
    pixels = turned(tiff_page(view, 0), header.orientation)
    icc_profile = clean_profile(header.icc_profile)
    metadata = read_metadata(view, "tiff").turned(header.orientation)
    return Still(Picture(pixels, Encoding("tiff"), icc_profile, metadata))


def _jxl(view: FileView, max_pixels: int) -> Still:
    header = jxl.header_of(view)
    check_size(header.size, max_pixels)
    pixels, encoding, metadata = jxl.decode(view[:], header)
    metadata = metadata.turned(header.orientation)
    return Still(Picture(turned(pixels, header.orientation), encoding, None, metadata))


def _film(source: Any, view: FileView, format_: Format, count: int) -> "_Film":
    if format_ == "avif" and high_depth.avif_depth(view) > 8:
        raise PictureError(
            "it is an animated AVIF of more than 8 bits, which is not supported; "
            "convert it to 8 bits first"
        )
    orientation = orientation_of(source, view)
    metadata = _metadata(source, view, format_).turned(orientation)
    width, height = source.size
    if orientation > 4:
        width, height = height, width
    header = Header(
        format_,
        "film",
        width,
        height,
        count,
        source.info.get("loop"),
        bool(source.info.get("default_image")),
    )
    icc_profile = clean_profile(source.info.get("icc_profile"))
    is_deep = format_ == "png" and view[_PNG_BIT_DEPTH] > 8
    return _Film(header, view, orientation, icc_profile, metadata, is_deep)


@dataclass(frozen=True, slots=True)
class _Film:
    """An animation; see `Clip`.

    Attributes:
        header: what is known of it.
        view: the file.
        orientation: in which its frames are stored, 1 to 8.
        icc_profile: the colour profile of all frames.
        metadata: of the file.
        is_deep: whether it is an animated PNG of 16 bits, of which Pillow gives eight.
        found: what the user should know of the file.
    """

    header: Header
    view: FileView
    orientation: int
    icc_profile: bytes | None
    metadata: Metadata
    is_deep: bool
    found: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Clip`."""
        return self.found

    def frames(self) -> Iterator[Frame]:
        """See `Clip`."""
        if self.is_deep:
            with explained():
                for samples, seconds in png16.frames(self.view):
                    yield self._frame(samples, Encoding("png"), seconds)
            return
        lossless = iter(webp.are_lossless(self.view) if self._is_webp else ())
        with opened(self.view.file) as source:
            width, height = source.size
            for number in range(self.header.count):
                source.seek(number)
                # A frame that reaches over the edge is cut off there, as viewers do.
                pixels = np.asarray(source.convert("RGBA"))[:height, :width]
                pixels = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA)
                is_lossless = next(lossless, False)
                encoding = Encoding(self.header.format, lossless=is_lossless)
                yield self._frame(pixels, encoding, _seconds(source))

    @property
    def _is_webp(self) -> bool:
        return self.header.format == "webp"

    def _frame(self, pixels: Any, encoding: Encoding, seconds: float) -> Frame:
        upright = turned(pixels, self.orientation)
        picture = Picture(upright, encoding, self.icc_profile, self.metadata)
        return Frame(picture, seconds)


def _seconds(source: Any) -> float:
    return float(source.info.get("duration") or 0) / 1000


@dataclass(frozen=True, slots=True)
class _Pages:
    """A TIFF of several pages; see `Clip`.

    Attributes:
        header: what is known of it.
        file: the file.
        pages: the numbers of those that are no smaller copies of others.
        max_pixels: refuse larger pages.
        found: what the user should know of the file.
    """

    header: Header
    file: BinaryIO
    pages: tuple[int, ...]
    max_pixels: int
    found: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Clip`."""
        return self.found

    def frames(self) -> Iterator[Frame]:
        """See `Clip`."""
        view = FileView(self.file)
        with opened(self.file) as source:
            for number in self.pages:
                source.seek(number)
                yield Frame(_page(source, view, self.max_pixels))


@dataclass(frozen=True, slots=True)
class _Icon:
    """An icon, a page for each of its sizes, the largest first; see `Clip`.

    Attributes:
        data: the file.
        max_pixels: refuse larger sizes.
        header: what is known of it.
        found: what the user should know of the file.
    """

    data: bytes
    max_pixels: int
    header: Header
    found: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Clip`."""
        return self.found

    def frames(self) -> Iterator[Frame]:
        """See `Clip`."""
        pictures = [
            self._picture(ico.one_size(self.data, *entry))
            for entry in ico.entries(self.data)
        ]
        for picture in sorted(pictures, key=lambda one: one.shape, reverse=True):
            yield Frame(picture)

    def _picture(self, data: bytes) -> Picture:
        with opened(io.BytesIO(data)) as source:
            return _page(source, data, self.max_pixels)
