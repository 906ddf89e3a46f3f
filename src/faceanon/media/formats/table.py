"""What each format holds, and which functions read and write it: one entry a format."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

from faceanon.media.clip import EditedFrame, Header
from faceanon.media.formats import (
    avif,
    bmp,
    gif,
    heif,
    ico,
    jxl,
    png,
    pnm,
    tga,
    tiff,
    webp,
)
from faceanon.media.formats.common import Decoded
from faceanon.media.formats.jpeg import encoding as jpeg
from faceanon.media.picture import Encoding, Picture
from faceanon.storage.suffixes import Format


@dataclass(frozen=True, slots=True)
class FormatSupport:
    """What can be done with files of a format.

    Attributes:
        encode: makes the bytes of a file of one picture, given how to store it and a
            quality, 1 to 100; None for that of the input.
        decode: takes a file that Pillow has opened, and its bytes, and gives the pixels
            (of a TIFF those of the page that it is at); None for a format that is read
            in another way.
        write_film: writes frames or pages one after the other to an empty file; None
            where a file holds one picture.
        is_film: whether the frames of a file follow each other in time.
        is_written_whole: whether writing a film takes all its frames at once.
        is_lossless: whether every file of it is.
        is_deep: whether pictures may have more than 8 bits.
        is_film_deep: whether the frames of films may.
        largest: how many pixels a side may have; None where there is no such limit.
    """

    encode: Callable[[Picture, Encoding, int | None], bytes]
    decode: Callable[[Any, Any], Decoded] | None = None
    write_film: (
        Callable[[Header, Iterable[EditedFrame], BinaryIO, int | None], None] | None
    ) = None
    is_film: bool = False
    is_written_whole: bool = False
    is_lossless: bool = False
    is_deep: bool = False
    is_film_deep: bool = False
    largest: int | None = None

    @property
    def holds_pages(self) -> bool:
        """Whether a file can hold several pictures that do not follow each other."""
        return self.write_film is not None and not self.is_film


FORMATS: dict[Format, FormatSupport] = {
    "jpeg": FormatSupport(jpeg.encode, largest=65_500),
    "png": FormatSupport(
        png.encode,
        png.decode,
        png.write_film,
        is_film=True,
        is_lossless=True,
        is_deep=True,
        is_film_deep=True,
    ),
    "webp": FormatSupport(
        webp.encode, webp.decode, webp.write_film, is_film=True, largest=16_383
    ),
    "tiff": FormatSupport(
        tiff.encode,
        tiff.decode,
        tiff.write_film,
        is_lossless=True,
        is_deep=True,
        is_film_deep=True,
    ),
    "bmp": FormatSupport(bmp.encode, bmp.decode, is_lossless=True),
    "gif": FormatSupport(
        gif.encode,
        gif.decode,
        gif.write_film,
        is_film=True,
        is_lossless=True,
        largest=65_535,
    ),
    "avif": FormatSupport(
        avif.encode,
        avif.decode,
        avif.write_film,
        is_film=True,
        is_written_whole=True,
        is_deep=True,
        largest=65_536,
    ),
    "heif": FormatSupport(heif.encode, heif.decode, is_deep=True),
    "jxl": FormatSupport(jxl.encode),
    "pnm": FormatSupport(pnm.encode, is_lossless=True, is_deep=True),
    "tga": FormatSupport(tga.encode, tga.decode, is_lossless=True, largest=65_535),
    "ico": FormatSupport(
        ico.encode, ico.decode, ico.write_film, is_lossless=True, largest=256
    ),
}
"""Every format that is read and written. How JPEG, JPEG XL and PNM are read is in
`media.reading`."""
