"""The formats of pictures, by the suffixes of their names."""

import os
from typing import Literal, TypeAlias

Format: TypeAlias = Literal[
    "jpeg", "png", "webp", "tiff", "bmp", "gif", "avif", "heif", "jxl"
]

SUFFIXES: dict[Format, tuple[str, ...]] = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png", ".apng"),
    "webp": (".webp",),
    "tiff": (".tif", ".tiff"),
    "bmp": (".bmp", ".dib"),
    "gif": (".gif",),
    "avif": (".avif", ".avifs"),
    "heif": (".heic", ".heif", ".hif"),
    "jxl": (".jxl",),
}
"""The file name suffixes of each format, the usual one first."""


# Suffixes of pictures that cannot be read: they are tried, and so reported, and not
# passed over like files that are no pictures.
_OTHER_PICTURES = (
    *(".arw", ".cr2", ".cr3", ".dng", ".exr", ".hdr"),
    *(".ico", ".j2k", ".jp2", ".jpx", ".mpo"),
    *(".nef", ".orf", ".pbm", ".pgm", ".pnm", ".ppm", ".psd", ".raf", ".rw2", ".tga"),
)
PICTURE_SUFFIXES = frozenset(
    [*(suffix for group in SUFFIXES.values() for suffix in group), *_OTHER_PICTURES]
)
"""What the names of pictures end with, whether they can be read or not."""


def suffixed(name: str, format_: Format | None) -> str:
    """A file name with a suffix of a format; None to keep its own.

    >>> suffixed("album/a.b.tif", "jpeg"), suffixed("a.JPEG", "jpeg")
    ('album/a.b.jpg', 'a.JPEG')
    """
    stem, suffix = os.path.splitext(name)  # noqa: PTH122  a string, and many of them
    if format_ is None or suffix.lower() in SUFFIXES[format_]:
        return name
    return stem + SUFFIXES[format_][0]
