"""Opening files with Pillow, which reads their headers."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, BinaryIO

import numpy as np
from PIL import Image as PillowImage
from PIL import PngImagePlugin, UnidentifiedImageError

from faceanon.errors import PictureError
from faceanon.media.containers import FileView, Readable
from faceanon.media.containers import png as png_container
from faceanon.media.damage import explained
from faceanon.media.formats import heif, tga
from faceanon.media.formats.tiff_pages import is_raw
from faceanon.media.orientation import upright
from faceanon.media.other_formats import HEAD, RAW, item_kinds, name_of, refused_kind
from faceanon.model import Image
from faceanon.storage.suffixes import Format

PILLOW_FORMATS: dict[str, Format] = {
    "JPEG": "jpeg",
    "MPO": "jpeg",
    "PNG": "png",
    "WEBP": "webp",
    "TIFF": "tiff",
    "BMP": "bmp",
    "DIB": "bmp",
    "GIF": "gif",
    "AVIF": "avif",
    "HEIF": "heif",
    "TGA": "tga",
    "ICO": "ico",
}
"""What Pillow calls the formats."""

# MPO, a JPEG with further pictures after it, is opened by the opener of JPEG; that of
# HEIF is not always there, and that of TGA takes anything.
_OPENERS = [name for name in PILLOW_FORMATS if name not in ("MPO", "HEIF", "TGA")]

# What formats that are read begin with.
_READ = (
    (b"\xff\xd8", "a JPEG"),
    (b"\x89PNG\r\n\x1a\n", "a PNG"),
    (b"GIF8", "a GIF"),
    (b"RIFF", "a WebP"),
    (b"BM", "a BMP"),
    (b"\0\0\1\0", "an icon (ICO)"),
)

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")

_ORIENTATION_TAG = 0x0112


@contextmanager
def opened(file: BinaryIO) -> Iterator[Any]:
    """Open a file with Pillow.

    Raises:
        PictureError: it is no picture of a format that is known; and, instead of all
            that decoders raise, for whatever goes wrong while it is open.
    """
    file.seek(0)
    view = FileView(file)
    head = view[:HEAD]
    if not head:
        raise PictureError("the file is empty")
    refused = refused_kind(head)
    if refused is not None:
        raise PictureError(_unsupported(refused))
    openers = _openers(view)
    file.seek(0)
    try:
        with (
            _without_limit,
            warnings.catch_warnings(action="ignore"),
            explained(),
            PillowImage.open(file, formats=openers) as source,
        ):
            if source.format == "TIFF" and is_raw(source, head):
                raise PictureError(_unsupported(RAW))
            yield source
    except UnidentifiedImageError:
        raise PictureError(_what_it_is(view)) from None


class _WithoutLimit:
    """While threads are in here, Pillow has no limit of its own for pixels.

    It would refuse what --max-pixels allows, and it is one for the whole process. A
    single text in a PNG may be as large as it lets all together be.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._threads = 0
        self._limits: tuple[int | None, int] = (None, 0)

    def __enter__(self) -> None:
        with self._lock:
            if self._threads == 0:
                self._limits = (
                    PillowImage.MAX_IMAGE_PIXELS,
                    PngImagePlugin.MAX_TEXT_CHUNK,
                )
                PillowImage.MAX_IMAGE_PIXELS = None
                PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
            self._threads += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._threads -= 1
            if self._threads == 0:
                PillowImage.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = (
                    self._limits
                )


_without_limit = _WithoutLimit()


def _openers(view: FileView) -> list[str]:
    """Which of Pillow's openers may try a file."""
    head = view[:HEAD]
    if head[4:8] == b"ftyp":
        if b"av01" in (kinds := item_kinds(view)) and b"hvc1" not in kinds:
            return ["AVIF"]
        if head[8:12] in _HEIF_BRANDS:
            heif.register()
            return ["HEIF"]
    return ["TGA"] if tga.is_tga(view) else _OPENERS


def _what_it_is(view: FileView) -> str:
    name = "a TGA of a rare kind" if tga.is_tga(view) else name_of(view)
    if name is not None:
        return _unsupported(name)
    known = next((name for magic, name in _READ if view[:8].startswith(magic)), None)
    if known is not None:
        return f"the file is damaged: it begins as {known}"
    return "it is not a picture, or damaged from its first bytes on"


def _unsupported(name: str) -> str:
    return f"it is {name}, which is not supported; convert it to PNG first"


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Refuse a picture that is too large.

    Raises:
        PictureError: it has more pixels than `max_pixels`.
    """
    width, height = size
    if width * height > max_pixels:
        raise PictureError(
            f"it has {width} x {height} pixels, more than the limit of {max_pixels}; "
            "raise --max-pixels if you trust it"
        )


# Frames or pages of a picture, and how many times the pixels of one they may have.
_MOST_FRAMES, _MOST_TOGETHER = 10_000, 100


def check_frames(count: int, size: tuple[int, int], max_pixels: int) -> None:
    """Refuse an animation, or pages, that would take hours and came in a small file.

    Args:
        count: how many frames or pages it has.
        size: the largest width and height.
        max_pixels: how many pixels one may have.

    Raises:
        PictureError: they are too many, or too large together.
    """
    if count > _MOST_FRAMES:
        raise PictureError(
            f"it has {count} frames or pages, more than the limit of {_MOST_FRAMES}; "
            "split it, or make it a film (MP4)"
        )
    width, height = size
    together = count * width * height
    if together > _MOST_TOGETHER * max_pixels:
        raise PictureError(
            f"its {count} frames or pages of {width} x {height} have {together} pixels "
            f"together, more than the limit of {_MOST_TOGETHER * max_pixels}; raise "
            "--max-pixels if you trust it"
        )


def orientation_of(source: PillowImage.Image, data: Readable) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none."""
    if source.format == "PNG" and not _has_exif(data):
        # To look for EXIF behind the pixels, Pillow would decode them all.
        return 1
    try:
        orientation = source.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001  Pillow raises anything on damaged metadata
        return 1
    return orientation if orientation in range(1, 9) else 1


def _has_exif(data: Readable) -> bool:
    """Whether a PNG has EXIF in it: the chunk, or the text that was used before."""
    texts = (b"tEXt", b"zTXt", b"iTXt")
    return any(
        chunk.kind == b"eXIf"
        or (
            chunk.kind in texts
            and data[chunk.start : chunk.start + 17] == b"Raw profile type "
        )
        for chunk in png_container.chunks(data)
    )


def turned(pixels: Image, orientation: int) -> Image:
    """Stored pixels upright, in an order that OpenCV takes."""
    return np.ascontiguousarray(upright(pixels, orientation))
