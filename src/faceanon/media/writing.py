"""Clips to files: every format that is written comes by here."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.errors import PictureError
from faceanon.media.clip import Edit, EditedFrame, Frame, Header, edited
from faceanon.media.color_signalling import check_colors_fit
from faceanon.media.formats import gif
from faceanon.media.formats.jpeg import encoding as jpeg
from faceanon.media.formats.jpeg.file import JpegFile
from faceanon.media.formats.jpeg.mcu_regions import boxes_around
from faceanon.media.formats.jpeg.structure import CannotTranscode
from faceanon.media.formats.table import FORMATS
from faceanon.media.metadata import write_into
from faceanon.media.orientation import stored
from faceanon.media.picture import Encoding, Picture
from faceanon.media.thumbnail import make_thumbnail
from faceanon.media.write_options import WriteOptions
from faceanon.model import Box, Image
from faceanon.storage.suffixes import Format

TRANSCODED = "kept"
"""What became of the blocks of a JPEG of which only those of hidden faces are new."""


def write(
    header: Header,
    frames: Iterator[Frame],
    target: BinaryIO,
    options: WriteOptions,
    max_pixels: int,
) -> str:
    """Write a clip.

    Args:
        header: what is known of it.
        frames: its frames, with what is to be changed in them.
        target: an empty file that can be read, written and sought in.
        options: how to write it.
        max_pixels: of all frames together, in formats that want them all at once.

    Returns:
        What became of the blocks of a JPEG that is written as a JPEG: `TRANSCODED`, or
        "re-encoded: " and why; else nothing.

    Raises:
        PictureError: the format cannot hold it, or it is damaged.
    """
    format_ = options.picture_format or header.format
    frames = (_with_metadata_kept(frame, options) for frame in frames)
    if header.count == 1:
        (frame,) = frames
        data, how = encode_still(frame, options, loop=header.loop)
        target.write(data)
        return how
    support = FORMATS[format_]
    if header.kind == "pages" and not support.holds_pages:
        raise PictureError(
            f"it has {header.count} pages, which {format_} cannot hold; use --format "
            "tiff"
        )
    is_icon_of_film = format_ == "ico" and header.kind == "film"
    if support.write_film is None or is_icon_of_film:
        raise PictureError(
            f"it has {header.count} frames, of which {format_} holds one; "
            "use --format png, webp or gif"
        )
    if support.is_written_whole:
        _check_all_at_once(header, max_pixels)
    fitting = (_fitting(edited(frame), format_) for frame in frames)
    first = next(fitting)
    with _encoder_errors(format_):
        support.write_film(header, chain([first], fitting), target, options.quality)
    return ""


def _with_metadata_kept(frame: Frame, options: WriteOptions) -> Frame:
    picture = frame.picture
    kept = picture.metadata.kept(options.metadata)
    return replace(frame, picture=replace(picture, metadata=kept))


def _check_all_at_once(header: Header, max_pixels: int) -> None:
    pixels = header.width * header.height * header.count
    if pixels > max_pixels:
        raise PictureError(
            f"its {header.count} frames have {pixels} pixels together, more than the "
            f"limit of {max_pixels}; raise --max-pixels, or use --format webp, which "
            "needs no more memory for many frames"
        )


def _fitting(frame: EditedFrame, format_: Format) -> EditedFrame:
    """A frame of a film, stored as it is to be in this format."""
    picture = frame.picture
    _check_sides(picture, format_)
    is_deep = picture.pixels.dtype != np.uint8
    if is_deep and not FORMATS[format_].is_film_deep:
        raise PictureError(
            f"it has more than 8 bits, which {format_} cannot hold; use --format png "
            "or tiff"
        )
    check_colors_fit(picture.metadata, picture.icc_profile, format_)
    encoding = _encoding_for(picture.encoding, format_)
    return replace(frame, picture=replace(picture, encoding=encoding))


def _encoding_for(encoding: Encoding, format_: Format) -> Encoding:
    """How to store in a format what was stored in another, or in the same."""
    if format_ == encoding.format:
        return encoding
    # A lossless picture stays lossless where the new format can.
    is_lossless = encoding.lossless or FORMATS[encoding.format].is_lossless
    return Encoding(format_, lossless=is_lossless, depth=encoding.depth)


def encode_still(
    frame: Frame, options: WriteOptions, *, loop: int | None = None
) -> tuple[bytes, str]:
    """The bytes of a clip of one frame, and what became of its blocks; see `write`.

    Of a JPEG only what is around the changes is decoded, if these need no more.
    """
    picture, edit = frame.picture, frame.edit
    if picture.encoding.format != "jpeg" or options.picture_format not in (
        None,
        "jpeg",
    ):
        return _encoded(edited(frame), options, loop), ""
    if picture.jpeg is None:
        return _encoded(edited(frame), options, loop), "re-encoded: its end is missing"
    is_in_parts = edit is not None and edit.areas is not None and not options.thumbnail
    if is_in_parts and isinstance(picture.source, JpegFile):
        assert edit is not None, "there are parts"
        try:
            return _transcoded(picture, picture, edit, options), TRANSCODED
        except CannotTranscode:
            pass  # the same comes of it when it is decoded whole, and is then told
    after = edited(frame)
    try:
        data = _transcoded(picture, after.picture, _already_made(after), options)
    except CannotTranscode as error:
        return _encoded(after, options, loop), f"re-encoded: {error}"
    return data, TRANSCODED


def _already_made(after: EditedFrame) -> Edit:
    """The edit that cuts its pixels out of what it has led to."""
    changed = after.changed

    def change(area: Box, _: Image) -> tuple[Image, NDArray[np.bool_]]:
        assert changed is not None, "there are no areas without changes"
        pixels = after.picture.pixels[area.slices]
        if pixels.ndim == 2:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
        return pixels, changed[area.slices]

    return Edit(change, [] if changed is None else boxes_around(changed))


def _transcoded(
    before: Picture, after: Picture, edit: Edit, options: WriteOptions
) -> bytes:
    """The file of a JPEG with its blocks kept but for the areas of an edit.

    Raises:
        CannotTranscode: that is not possible, or not what is asked for.
    """
    if options.quality is not None:
        raise CannotTranscode("a quality was asked for")
    data = jpeg.transcode(before, edit.areas or (), edit.change)
    assert before.jpeg is not None, "it was transcoded"
    orientation = before.jpeg.orientation
    thumbnail = None
    if options.thumbnail:
        thumbnail = make_thumbnail(stored(after.color, orientation))
    return write_into(
        data, "jpeg", after.metadata, orientation=orientation, thumbnail=thumbnail
    )


def _encoded(frame: EditedFrame, options: WriteOptions, loop: int | None) -> bytes:
    picture = frame.picture
    _check_sides(picture, options.picture_format or picture.encoding.format)
    if picture.encoding.format == "gif" and options.picture_format in (None, "gif"):
        # It keeps its colours, and what it would tell were it one of several.
        height, width = picture.shape
        target = io.BytesIO()
        header = Header("gif", "still", width, height, loop=loop)
        gif.write_film(header, [frame], target, None)
        return target.getvalue()
    return encode(
        picture, options.picture_format, options.quality, thumbnail=options.thumbnail
    )


def encode(
    picture: Picture,
    format_: Format | None = None,
    quality: int | None = None,
    *,
    thumbnail: bool = False,
) -> bytes:
    """Write a picture to the bytes of a file, with its metadata and nothing else.

    Args:
        picture: what to write.
        format_: the format; None for the one it came in.
        quality: of lossy formats, 1 to 100; None for that of the input (for a JPEG its
            own quantization tables), or `DEFAULT_QUALITY` where the input was in
            another format.
        thumbnail: whether to put a thumbnail into a JPEG.

    Raises:
        PictureError: the format cannot hold the picture (transparency, 16 bits, size).
    """
    encoding = _encoding_for(picture.encoding, format_ or picture.encoding.format)
    _check_it_fits(picture, encoding.format)
    with _encoder_errors(encoding.format):
        encoded = FORMATS[encoding.format].encode(picture, encoding, quality)
    small = None
    if thumbnail and encoding.format == "jpeg":
        small = make_thumbnail(picture.color)
    return write_into(encoded, encoding.format, picture.metadata, thumbnail=small)


@contextmanager
def _encoder_errors(format_: Format) -> Iterator[None]:
    """Explain what encoders raise; what is said already is left alone."""
    try:
        yield
    except PictureError:
        raise
    except OSError as error:
        if error.errno is not None:
            raise  # of the file that is written to, not of an encoder
        raise PictureError(f"the encoder of {format_} refuses it") from error
    except (ValueError, RuntimeError, cv2.error) as error:
        raise PictureError(f"the encoder of {format_} refuses it") from error


def _check_sides(picture: Picture, format_: Format) -> None:
    largest = FORMATS[format_].largest
    if largest is not None and max(picture.shape) > largest:
        raise PictureError(
            f"it is wider or higher than {largest} pixels, which {format_} cannot "
            "hold; use --format png"
        )


def _check_it_fits(picture: Picture, format_: Format) -> None:
    _check_sides(picture, format_)
    has_alpha = picture.pixels.shape[2:] == (4,) and not picture.encoding.is_cmyk
    if has_alpha and format_ == "jpeg":
        raise PictureError(
            "it is transparent, which JPEG cannot hold; use --format png or webp"
        )
    if picture.encoding.is_cmyk and format_ not in ("jpeg", "tiff"):
        raise PictureError(
            f"its colours are CMYK, which {format_} cannot hold; use --format tiff"
        )
    if picture.encoding.is_premultiplied and format_ != "tiff":
        raise PictureError(
            f"its colours are multiplied by its transparency, which {format_} cannot "
            "hold; use --format tiff"
        )
    if picture.pixels.dtype.kind == "f" and format_ != "tiff":
        raise PictureError(
            f"it is in floating point, which {format_} cannot hold; use --format tiff"
        )
    if picture.pixels.dtype == np.uint16 and not FORMATS[format_].is_deep:
        raise PictureError(
            f"it has more than 8 bits, which {format_} cannot hold; use --format png, "
            "tiff, avif or heif"
        )
    check_colors_fit(picture.metadata, picture.icc_profile, format_)
