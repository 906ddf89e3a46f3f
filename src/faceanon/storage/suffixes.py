"""The formats of pictures, by the suffixes of their names."""

import os
from typing import Literal, TypeAlias, cast

Format: TypeAlias = Literal[
    "jpeg",
    "png",
    "webp",
    "tiff",
    "bmp",
    "gif",
    "avif",
    "heif",
    "jxl",
    "pnm",
    "tga",
    "ico",
]

FilmFormat: TypeAlias = Literal["mp4", "mov", "mkv", "webm"]

AnyFormat: TypeAlias = Literal[Format, FilmFormat]

FILM_FORMATS: tuple[FilmFormat, ...] = ("mp4", "mov", "mkv", "webm")
"""In these films are written."""

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
    "pnm": (".pnm", ".ppm", ".pgm", ".pbm", ".pam"),
    "tga": (".tga",),
    "ico": (".ico",),
}
"""The file name suffixes of each format, the usual one first."""


# Suffixes of pictures that cannot be read: they are tried, and so reported, and not
# passed over like files that are no pictures.
_OTHER_PICTURES = (
    *(".arw", ".cr2", ".cr3", ".dng", ".exr", ".hdr"),
    *(".j2k", ".jp2", ".jpx", ".mpo", ".nef", ".orf", ".psd", ".raf", ".rw2"),
)
PICTURE_SUFFIXES = frozenset(
    [*(suffix for group in SUFFIXES.values() for suffix in group), *_OTHER_PICTURES]
)
"""What the names of pictures end with, whether they can be read or not."""


# What films are called, and the format in which one of such a name is written, which
# may change the suffix.
_FILMS: dict[str, FilmFormat] = {
    **dict.fromkeys((".mp4", ".m4v"), "mp4"),
    **dict.fromkeys((".mov", ".qt"), "mov"),
    ".mkv": "mkv",
    ".webm": "webm",
    **dict.fromkeys((".3gp", ".3g2", ".insv", ".lrv"), "mp4"),
    **dict.fromkeys((".avi", ".divx", ".flv", ".f4v"), "mp4"),
    **dict.fromkeys((".mpg", ".mpeg", ".vob", ".mod", ".tod"), "mp4"),
    **dict.fromkeys((".ts", ".m2ts", ".mts"), "mp4"),
    **dict.fromkeys((".wmv", ".asf"), "mp4"),
    **dict.fromkeys((".ogv", ".ogm"), "mkv"),
}
# Those that are kept.
_FILM_SUFFIXES: dict[FilmFormat, tuple[str, ...]] = {
    "mp4": (".mp4", ".m4v"),
    "mov": (".mov", ".qt"),
    "mkv": (".mkv",),
    "webm": (".webm",),
}

FILM_SUFFIXES = frozenset(_FILMS)
"""What the names of films end with."""


_WRITTEN: dict[str, AnyFormat] = {
    suffix: format_
    for group in (SUFFIXES, _FILM_SUFFIXES)
    for format_, suffixes in group.items()
    for suffix in suffixes
}


def written_as(name: str) -> AnyFormat | None:
    """The format that is written under a name; None if none is, or it has no suffix.

    >>> written_as("a.JPG"), written_as("a.mov"), written_as("a.avi"), written_as("a")
    ('jpeg', 'mov', None, None)
    """
    return _WRITTEN.get(os.path.splitext(name)[1].lower())  # noqa: PTH122  a string


def picture_format(format_: AnyFormat | None) -> Format | None:
    """The format, if it is one of pictures."""
    return None if format_ in FILM_FORMATS else cast(Format, format_)


AMBIGUOUS_SUFFIXES = frozenset([".ts", ".mts", ".mod"])
"""Those of which the first bytes say whether it is a film, or a text of programmers."""


def film_format(name: str) -> FilmFormat | None:
    """The format in which a film of this name is written; None for other names."""
    return _FILMS.get(os.path.splitext(name)[1].lower())  # noqa: PTH122  a string


def film_only(format_: AnyFormat | None) -> FilmFormat | None:
    """The format, if it is one of films."""
    return format_ if format_ in FILM_FORMATS else None


def suffixed(name: str, format_: AnyFormat | None) -> str:
    """The name of an output, given that of its input.

    A format of pictures changes the suffixes of pictures, and one of films those of
    films. Films in formats that are not written get that in which they are.

    >>> suffixed("album/a.b.tif", "jpeg"), suffixed("a.JPEG", "jpeg")
    ('album/a.b.jpg', 'a.JPEG')
    >>> suffixed("a.avi", None), suffixed("a.MOV", "jpeg"), suffixed("a.mov", "mkv")
    ('a.mp4', 'a.MOV', 'a.mkv')
    """
    stem, suffix = os.path.splitext(name)  # noqa: PTH122  a string, and many of them
    usual = film_format(name)
    if usual is not None:
        film = film_only(format_) or usual
        suffixes = _FILM_SUFFIXES[film]
    elif (pictures := picture_format(format_)) is None:
        return name
    else:
        suffixes = SUFFIXES[pictures]
    return name if suffix.lower() in suffixes else stem + suffixes[0]
