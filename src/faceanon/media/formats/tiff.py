"""TIFF, of one page or several (TIFF 6.0)."""

import io
from collections.abc import Iterable
from typing import Any, BinaryIO

from faceanon.media.clip import EditedFrame, Header
from faceanon.media.containers import Readable
from faceanon.media.damage import check_deflated, check_jpeg_strips
from faceanon.media.formats.common import Decoded, encode_with_pillow, in_rgb, pixels_of
from faceanon.media.formats.tiff_pages import tiff_page, webp_page
from faceanon.media.metadata import tiff_file
from faceanon.media.picture import Encoding, Picture

_LOSSLESS = ("raw", "tiff_adobe_deflate", "tiff_deflate", "tiff_lzw", "packbits")
_DEFLATED = "tiff_adobe_deflate"
_BITS_PER_SAMPLE_TAG, _EXTRA_SAMPLES_TAG = 0x0102, 0x0152


def decode(source: Any, data: Readable) -> Decoded:
    """The pixels of the page that a file is at."""
    compression = source.info.get("compression", "raw")
    if compression in ("tiff_adobe_deflate", "tiff_deflate"):
        check_deflated(source.tag_v2, data, source.width * source.height)
    if compression in ("jpeg", "tiff_jpeg"):
        check_jpeg_strips(source.tag_v2, data, source.width * source.height)
    encoding = Encoding(
        "tiff",
        compression=compression if compression in _LOSSLESS else _DEFLATED,
        is_cmyk=source.mode == "CMYK",
        is_premultiplied=1 in source.tag_v2.get(_EXTRA_SAMPLES_TAG, ()),
    )
    if compression == "webp":
        return webp_page(data, source.tell()), encoding, False
    is_deep = max(source.tag_v2.get(_BITS_PER_SAMPLE_TAG, (1,))) > 8
    if is_deep or encoding.is_premultiplied:
        # Pillow would make 8 bits of it, and divide colours by their alpha.
        return tiff_page(data, source.tell()), encoding, False
    return pixels_of(source), encoding, True  # Pillow turns it


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file of one page."""
    if picture.pixels.dtype == "uint8" and not encoding.is_premultiplied:
        return encode_with_pillow(picture, "TIFF", compression=encoding.compression)
    target = io.BytesIO()
    _write_pages([EditedFrame(picture)], target)
    return target.getvalue()


def write_film(
    header: Header,
    frames: Iterable[EditedFrame],
    target: BinaryIO,
    quality: int | None,
) -> None:
    """Write pages, one after the other; those that were compressed are deflated."""
    first = _write_pages(frames, target)
    if first is not None:
        tiff_file.write_into(target, first.metadata)


def _write_pages(pages: Iterable[EditedFrame], target: BinaryIO) -> Picture | None:
    """Write pages; the first of them."""
    import tifffile  # noqa: PLC0415  only some TIFF files need it

    first: Picture | None = None
    with tifffile.TiffWriter(target) as writer:
        for page in pages:
            picture, encoding = page.picture, page.picture.encoding
            first = first or picture
            pixels = picture.pixels
            has_alpha = pixels.shape[2:] == (4,) and not encoding.is_cmyk
            if pixels.ndim == 3 and not encoding.is_cmyk:
                # OpenCV takes no floating point of 64 and 16 bits.
                pixels = in_rgb(pixels) if has_alpha else pixels[..., ::-1]
            alpha = "assocalpha" if encoding.is_premultiplied else "unassalpha"
            writer.write(
                pixels,
                photometric=_photometric(picture),
                extrasamples=[alpha] if has_alpha else None,
                compression=None if encoding.compression == "raw" else "zlib",
                iccprofile=first.icc_profile,
                contiguous=False,
                metadata=None,
                software=False,
            )
    return first


def _photometric(picture: Picture) -> str:
    if picture.encoding.is_cmyk:
        return "separated"
    return "rgb" if picture.pixels.ndim == 3 else "minisblack"
