"""A picture to a JPEG: encoded anew, or the input with its own blocks."""

from collections.abc import Sequence
from typing import Any

from faceanon.media.clip import Change
from faceanon.media.formats.common import DEFAULT_QUALITY, encode_with_pillow
from faceanon.media.formats.jpeg.file import JpegFile
from faceanon.media.formats.jpeg.rewriting import rewrite
from faceanon.media.formats.jpeg.structure import CannotTranscode
from faceanon.media.picture import Encoding, Picture
from faceanon.model import Box


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file."""
    options: dict[str, Any] = {"subsampling": encoding.subsampling}
    if quality is None and encoding.quantization:
        options["qtables"] = encoding.quantization
    else:
        options["quality"] = quality or DEFAULT_QUALITY
    return encode_with_pillow(picture, "JPEG", **options)


def transcode(picture: Picture, boxes: Sequence[Box], change: Change) -> bytes:
    """The file that a picture came in, with all of its blocks but those that change.

    Args:
        picture: as it was read from a JPEG.
        boxes: parts of it, outside of which nothing is changed.
        change: called with areas that hold the boxes, each of them whole.

    Raises:
        CannotTranscode: that is not possible.
        PictureError: it is damaged.
    """
    jpeg = picture.jpeg
    if jpeg is None:
        raise CannotTranscode("it was no JPEG")
    if not boxes and isinstance(picture.source, JpegFile):
        picture.source.check()  # nothing else reads all of it
    return rewrite(jpeg.data, jpeg.orientation, picture.icc_profile, boxes, change)
