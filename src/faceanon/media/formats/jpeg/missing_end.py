"""A JPEG whose end is missing, as far as it is there."""

import numpy as np

from faceanon.media.containers.jpeg import EOI, end_of, segments
from faceanon.media.formats.jpeg.strict import with_warning
from faceanon.model import Image

_SOS = 0xDA

# A card that was not written to the end holds one byte over and over.
_UNWRITTEN = 64


def decode_what_is_there(data: bytes) -> tuple[Image, float] | None:
    """The picture as it is stored, grey or its last details missing from some row on.

    Args:
        data: the file, which cannot be decoded whole.

    Returns:
        The pixels, BGR, uint8, and which share of the rows is not what it was, 0 to 1;
        None where more is wrong than that the end is missing.
    """
    found = list(segments(data))
    if end_of(data) is not None or not found or found[-1].marker != _SOS:
        return None
    there = data[: found[-1].end]
    written = there.rstrip(there[-1:])
    if len(there) - len(written) >= _UNWRITTEN:
        there = written
    pixels, warning = with_warning(there + EOI)
    # libjpeg tells the first thing that it stumbles over.
    if pixels is None or (warning and "premature end" not in warning):
        return None
    # Whatever depends on bytes that were not there was made up.
    others = (with_warning(there + filler * 64 + EOI)[0] for filler in (b"U", b"\xaa"))
    is_lost = np.zeros(len(pixels), dtype=bool)
    for other in others:
        if other is None:
            return None
        is_lost |= (other != pixels).any(axis=(1, 2))
    lost = np.flatnonzero(is_lost)
    return pixels, (1 - int(lost[0]) / len(pixels) if len(lost) else 0.0)
