"""What a picture's file tells besides the picture: a little is kept, and written anew.

What may be kept is a closed list of numbers, a date and names of products (`Metadata`);
the blocks of the output are made from these. Only colour profiles are copied, and only
those that hold nothing but colours.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from faceanon.media.containers import Readable
from faceanon.media.metadata import bmp, boxed, jpeg, png, tiff_file, webp
from faceanon.media.metadata.exif import block as exif_block
from faceanon.media.metadata.exif import parse as parse_exif
from faceanon.media.metadata.icc import clean_profile
from faceanon.media.metadata.model import (
    NO_METADATA,
    Metadata,
    Resolution,
    Unit,
)
from faceanon.media.write_options import LEVELS, Level

__all__ = [
    "LEVELS",
    "NO_METADATA",
    "Level",
    "Metadata",
    "Resolution",
    "Unit",
    "clean_profile",
    "exif_block",
    "parse_exif",
    "read_metadata",
    "write_into",
]

_Reader: TypeAlias = Callable[[Any], Metadata]
_Writer: TypeAlias = Callable[[bytes, Metadata, int, bytes | None], bytes]

_FORMATS: dict[str, tuple[_Reader, _Writer]] = {
    "jpeg": (jpeg.read, jpeg.write),
    "png": (png.read, png.write),
    "webp": (webp.read, webp.write),
    "tiff": (tiff_file.read, tiff_file.write),
    "bmp": (bmp.read, bmp.write),
    "avif": (boxed.read, boxed.write),
    "heif": (boxed.read, boxed.write),
}


def read_metadata(data: Readable, format_: str) -> Metadata:
    """Read what may be kept of a file's metadata.

    Args:
        data: the file; of a JPEG or BMP, bytes.
        format_: its format; one whose files have no metadata here gives none.

    Returns:
        What was found, with the resolution of the picture as it is stored.
    """
    if format_ not in _FORMATS:
        return NO_METADATA
    read, _ = _FORMATS[format_]
    return read(data)


def write_into(
    data: bytes,
    format_: str,
    metadata: Metadata,
    *,
    orientation: int = 1,
    thumbnail: bytes | None = None,
) -> bytes:
    """Put metadata into an encoded picture that has none.

    Args:
        data: the file as an encoder wrote it, with at most a colour profile.
        format_: its format; one that holds no metadata here gives the data as it is.
        metadata: what to tell, with the resolution of the upright picture.
        orientation: in which the picture is stored, 1 to 8.
        thumbnail: a small JPEG, turned as the picture is stored; only JPEG holds it.
    """
    if format_ not in _FORMATS:
        return data
    _, write = _FORMATS[format_]
    return write(data, metadata, orientation, thumbnail)
