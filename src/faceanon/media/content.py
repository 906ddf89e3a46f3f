"""What a file is by its first bytes, in words for people."""

import re

from faceanon.media.other_formats import named_by_magic
from faceanon.media.video.containers import HEAD, container_of

__all__ = ["HEAD", "content_of"]

_NAMES: tuple[tuple[bytes, str], ...] = (
    (rb"\xff\xd8\xff", "a JPEG"),
    (rb"\x89PNG\r\n\x1a\n", "a PNG"),
    (rb"GIF8[79]a", "a GIF"),
    (rb"RIFF.{4}WEBP", "a WebP"),
    (rb"(II[*+]\0|MM\0[*+])", "a TIFF, or a raw file of a camera"),
    (rb".{4}ftypavi[fs]", "an AVIF"),
    (rb".{4}ftyp(he[ivm][cxms]|mif1|msf1)", "a HEIC"),
    (rb"(\xff\x0a|\0\0\0\x0cJXL )", "a JPEG XL"),
    (rb"(P[1-6]\s+(#|\d+\s+\d)|P7\n)", "a PNM"),
    (rb"BM.{4}\0\0\0\0", "a BMP"),
    (rb"\s*(<(\?xml|!--|!DOCTYPE svg)[^>]*>\s*)*<svg\b", "an SVG"),
    (rb"PK\x03\x04", "a ZIP or office file"),
    (rb"(\x1f\x8b|BZh|\xfd7zXZ\0|7z\xbc\xaf|Rar!)", "an archive"),
)
_SIGNS = tuple((re.compile(sign, re.DOTALL), name) for sign, name in _NAMES)


def content_of(head: bytes) -> str:
    """What a file is that may show faces, with its article; empty for others.

    >>> content_of(b"%PDF-1.7"), content_of(b"Dear Anna,")
    ('a PDF', '')

    Args:
        head: its first `HEAD` bytes, or all where there are fewer.
    """
    if named := named_by_magic(head):
        return named
    for sign, name in _SIGNS:
        if sign.match(head):
            return name
    container = container_of(head)
    return container.name if container else ""
