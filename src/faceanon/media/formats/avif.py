"""Animated AVIF. Its encoder wants all frames at once."""

import io
from collections.abc import Iterable

import cv2
from PIL import Image as PillowImage

from faceanon.errors import PictureError
from faceanon.media.clip import Frame, Header
from faceanon.media.metadata import exif_block


def write(
    header: Header, frames: Iterable[Frame], quality: int, max_pixels: int
) -> bytes:
    """The bytes of a file.

    Raises:
        PictureError: the frames together have more pixels than `max_pixels`.
    """
    pixels = header.width * header.height * header.count
    if pixels > max_pixels:
        raise PictureError(
            f"its {header.count} frames have {pixels} pixels together, more than the "
            f"limit of {max_pixels}; raise --max-pixels, or use --format webp, which "
            "needs no more memory for many frames"
        )
    images, milliseconds = [], []
    for frame in frames:
        has_alpha = frame.pixels.shape[2] == 4
        code = cv2.COLOR_BGRA2RGBA if has_alpha else cv2.COLOR_BGR2RGB
        images.append(PillowImage.fromarray(cv2.cvtColor(frame.pixels, code)))
        milliseconds.append(round(frame.seconds * 1000))
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        "AVIF",
        save_all=True,
        append_images=images[1:],
        duration=milliseconds,
        quality=quality,
        icc_profile=header.icc_profile or b"",
        exif=exif_block(header.metadata),
    )
    return _without_times(buffer.getvalue())


def _without_times(data: bytes) -> bytes:
    """The file without the moment at which it was written.

    It stands twice in three boxes (ISO/IEC 14496-12, sections 8.2.2, 8.3.2, 8.4.2).
    """
    changed = bytearray(data)
    start = data.find(b"moov")
    end = start - 4 + int.from_bytes(data[max(start - 4, 0) : start])
    for name in (b"mvhd", b"tkhd", b"mdhd"):
        place = data.find(name, start, end)
        while start >= 0 and place >= 0:
            times = place + 8
            size = 16 if data[place + 4] == 1 else 8
            changed[times : times + size] = bytes(size)
            place = data.find(name, times, end)
    return bytes(changed)
