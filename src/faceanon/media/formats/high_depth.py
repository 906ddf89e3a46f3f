"""AVIF and HEIF of 10 and 12 bits, of which Pillow gives and takes eight.

Here their samples fill 16 bits: those of the file stand at the top, and are repeated
below, so that white is 65535 and what was not changed is found again to the bit.
"""

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.errors import PictureError
from faceanon.media.containers import Readable
from faceanon.media.containers.iso import all_boxes
from faceanon.media.metadata import exif_block
from faceanon.media.picture import Picture
from faceanon.model import Image

_HEIF_DEPTHS = (10, 12)

# Of the codec's configuration (AV1-ISOBMFF, section 2.3), the third byte.
_HIGH_DEPTH, _TWELVE_BITS, _MONOCHROME = 0x40, 0x20, 0x10
# Where in a colour box of code points (ISO/IEC 14496-12, section 12.1.5) the bit for
# samples in full range stands.
_RANGE = 10
_FULL_RANGE = 0x80

# That of Pillow for 8 bits: a tenth smaller than OpenCV's own, in a few times its time.
_AVIF_SPEED = 6

# A seventh of the time of the usual "slow". It leaves out that smooth areas are given
# more bits; with that, files are a tenth larger and as good.
_QUICK = {"preset": "ultrafast", "x265:aq-mode": "2", "x265:aq-strength": "1"}
_BEST_QUALITY = 100


def avif_depth(data: Readable) -> int:
    """How many bits the samples of an AVIF have: 8, 10 or 12.

    Where its pictures differ, the first deep one counts. If that is a gain map, say,
    and the picture itself is not deep, `decode_avif` tells.
    """
    for configuration in _configurations(data):
        if configuration & _HIGH_DEPTH:
            return 12 if configuration & _TWELVE_BITS else 10
    return 8


def _configurations(data: Readable) -> list[int]:
    """The third byte of each configuration of the codec."""
    found = (box for box in all_boxes(data) if box.kind == b"av1C")
    return [data[box.start + 2] for box in found if box.end - box.start > 2]


def decode_avif(source: Any, data: bytes, depth: int) -> Image | None:
    """The pixels of an AVIF as they are stored, not turned.

    Args:
        source: the file as Pillow has opened it.
        data: the whole file.
        depth: that of `avif_depth`.

    Returns:
        Grey, BGR or BGRA, uint16; None where the picture has 8 bits after all.

    Raises:
        PictureError: it is damaged, or of a kind that is not supported.
    """
    is_grey = all(part & _MONOCHROME for part in _configurations(data))
    if is_grey and source.mode == "RGBA":
        raise PictureError(
            f"it is an AVIF of {depth} bits in grey with transparency, which is not "
            "supported; convert it to PNG first"
        )
    if not cv2.haveImageWriter(".avif"):
        raise PictureError(
            f"it is an AVIF of {depth} bits, which OpenCV does not read on this "
            "system; convert it to PNG first"
        )
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        source.load()  # raises where it is damaged
        raise PictureError(
            f"it is an AVIF of {depth} bits of a kind that OpenCV does not read; "
            "convert it to PNG first"
        )
    if pixels.dtype == np.uint8:
        return None
    if is_grey and not _is_full_range(data, depth):
        pixels = _stretched(pixels, depth)
    return _filled(np.asarray(pixels, np.uint16), depth)


def _is_full_range(data: bytes, depth: int) -> bool:
    for box in all_boxes(data):
        content = box.content(data) if box.kind == b"colr" else b""
        if content[:4] == b"nclx" and len(content) > _RANGE:
            return bool(content[_RANGE] & _FULL_RANGE)
    raise PictureError(
        f"it is an AVIF of {depth} bits in grey that does not tell which value is "
        "white; convert it to PNG first"
    )


def _stretched(pixels: Image, depth: int) -> Image:
    """Grey in the narrow range of video, which OpenCV gives as it is, to the full one.

    Black and white are those of ITU-T H.273, equation 20.
    """
    black, white = 16 << (depth - 8), 235 << (depth - 8)
    share = (pixels.astype(np.float32) - black) / (white - black)
    return np.asarray((share.clip(0, 1) * (2**depth - 1)).round(), np.uint16)


def encode_avif(picture: Picture, depth: int, quality: int) -> bytes:
    """An AVIF with a colour profile and EXIF.

    Raises:
        PictureError: OpenCV does not write AVIF on this system.
    """
    if not cv2.haveImageWriter(".avif"):
        raise PictureError(
            "it has more than 8 bits, and OpenCV writes no AVIF on this system; use "
            "--format png or tiff"
        )
    kinds: list[int] = []
    blocks: list[NDArray[np.uint8]] = []
    for kind, block in (
        (cv2.IMAGE_METADATA_ICCP, picture.icc_profile),
        (cv2.IMAGE_METADATA_EXIF, exif_block(picture.metadata)),
    ):
        if block:
            kinds.append(kind)
            blocks.append(np.frombuffer(block, np.uint8))
    options = {
        cv2.IMWRITE_AVIF_DEPTH: depth,
        cv2.IMWRITE_AVIF_QUALITY: quality,
        cv2.IMWRITE_AVIF_SPEED: _AVIF_SPEED,
    }
    done, buffer = cv2.imencodeWithMetadata(
        ".avif",
        np.asarray(picture.pixels, np.uint16) >> (16 - depth),
        kinds,
        blocks,
        [number for option in options.items() for number in option],
    )
    if not done:
        raise ValueError("OpenCV cannot encode it")
    return buffer.tobytes()


def decode_heif(data: bytes, depth: int) -> Image:
    """The pixels of a HEIF, turned upright: grey, BGR or BGRA, uint16.

    Args:
        data: the whole file.
        depth: how many bits its samples have.

    Raises:
        PictureError: it is of a kind that is not supported.
    """
    if depth not in _HEIF_DEPTHS:
        raise PictureError(
            f"it is a HEIF of {depth} bits, which is not supported; convert it to PNG "
            "first"
        )
    import pillow_heif  # noqa: PLC0415  an extra

    stored = pillow_heif.open_heif(data, convert_hdr_to_8bit=False, bgr_mode=True)
    pixels: NDArray[np.uint16] = np.asarray(stored, np.uint16)
    return _filled(pixels >> np.uint16(16 - depth), depth)


def x265_parameters(quality: int) -> dict[str, str]:
    """How x265 encodes a HEIF of this quality; at the best, whatever time it takes."""
    # A worker has one thread, and must not wait for others that do not come.
    pools = {"x265:pools": "none"}
    return pools if quality == _BEST_QUALITY else _QUICK | pools


def encode_heif(picture: Picture, depth: int, quality: int) -> bytes:
    """A HEIF with a colour profile and EXIF."""
    import pillow_heif  # noqa: PLC0415  an extra

    pixels = picture.pixels
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    buffer = io.BytesIO()
    pillow_heif.encode(
        {1: "L;16", 3: "BGR;16", 4: "BGRA;16"}[channels],
        (pixels.shape[1], pixels.shape[0]),
        pixels.astype("<u2").tobytes(),
        buffer,
        bit_depth=depth,
        quality=quality,
        enc_params=x265_parameters(quality),
        icc_profile=picture.icc_profile,
        exif=exif_block(picture.metadata) or None,
    )
    return buffer.getvalue()


def _filled(pixels: NDArray[np.uint16], depth: int) -> Image:
    """Samples of this many bits to 16."""
    return pixels << (16 - depth) | pixels >> (2 * depth - 16)
