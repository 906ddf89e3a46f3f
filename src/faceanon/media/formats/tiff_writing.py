"""TIFF files, page by page."""

import io
from collections.abc import Iterable

import cv2

from faceanon.media.clip import Frame, Header


def write(header: Header, pages: Iterable[Frame]) -> bytes:
    """The bytes of a file; pages that were compressed are deflated."""
    import tifffile  # noqa: PLC0415  only some TIFF files need it

    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for page in pages:
            pixels, encoding = page.pixels, page.encoding
            has_alpha = pixels.shape[2:] == (4,) and not encoding.is_cmyk
            if pixels.ndim == 3 and not encoding.is_cmyk:
                code = cv2.COLOR_BGRA2RGBA if has_alpha else cv2.COLOR_BGR2RGB
                # OpenCV takes no floating point of 64 and 16 bits.
                pixels = cv2.cvtColor(pixels, code) if has_alpha else pixels[..., ::-1]
            alpha = "assocalpha" if encoding.is_premultiplied else "unassalpha"
            writer.write(
                pixels,
                photometric=_photometric(page),
                extrasamples=[alpha] if has_alpha else None,
                compression=None if encoding.compression == "raw" else "zlib",
                iccprofile=header.icc_profile,
                contiguous=False,
                metadata=None,
                software=False,
            )
    return buffer.getvalue()


def _photometric(page: Frame) -> str:
    if page.encoding.is_cmyk:
        return "separated"
    return "rgb" if page.pixels.ndim == 3 else "minisblack"
