"""Frames of an animated PNG of 16 bits, of which Pillow gives eight.

Each frame becomes a PNG of its own, which OpenCV decodes, and is laid over what was
shown before (PNG 3rd edition, sections 4.9 and 11.3.6).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.errors import PictureError
from faceanon.media.containers import Readable
from faceanon.media.containers.png import SIGNATURE, chunks, packed

_Samples = NDArray[np.uint16]

_OPAQUE = 65_535
_TO_BACKGROUND, _TO_PREVIOUS = 1, 2
_OVER = 1
_HUNDREDTHS = 100  # where the file gives no denominator


@dataclass(frozen=True, slots=True)
class _Control:
    """What an fcTL chunk says of a frame."""

    width: int
    height: int
    left: int
    top: int
    delay: int
    per_second: int
    disposal: int
    blending: int


@dataclass(frozen=True, slots=True)
class _Stored:
    """A frame as it is stored; without control, the cover."""

    control: _Control | None
    data: bytes


def frames(data: Readable) -> Iterator[tuple[_Samples, float]]:
    """The frames as they are shown, and first the cover, if there is one.

    Yields:
        The pixels, BGRA, and how long they are shown, in seconds.

    Raises:
        PictureError: the file is damaged.
    """
    header, transparent = b"", b""
    for kind, content in _checked(data):
        if kind == b"IHDR":
            header = content
        elif kind == b"tRNS":
            transparent = content
        elif kind == b"IDAT":
            break
    width, height = struct.unpack_from(">II", header)
    shown: _Samples = np.zeros((height, width, 4), np.uint16)
    for stored in _stored(data):
        control = stored.control
        if control is None:
            cover = _pixels(header, transparent, (width, height), stored.data)
            yield cover, 0.0
            continue
        size = control.width, control.height
        place = shown[control.top :, control.left :][: size[1], : size[0]]
        if 0 in size or place.shape[1::-1] != size:
            raise PictureError("the file is damaged: a frame lies outside of it")
        before = place.copy()
        pixels = _pixels(header, transparent, size, stored.data)
        place[:] = _over(pixels, place) if control.blending == _OVER else pixels
        seconds = control.delay / (control.per_second or _HUNDREDTHS)
        yield shown.copy(), seconds
        if control.disposal == _TO_BACKGROUND:
            place[:] = 0
        elif control.disposal == _TO_PREVIOUS:
            # Before the first frame, everything was transparent.
            place[:] = before


def _checked(data: Readable) -> Iterator[tuple[bytes, bytes]]:
    """The chunks to the last, with their checksums found right."""
    for chunk in chunks(data):
        if not chunk.is_whole(data):
            raise PictureError("the file is damaged: a checksum is wrong")
        yield chunk.kind, chunk.content(data)
        if chunk.kind == b"IEND":
            return
    raise PictureError("the file is damaged or truncated")


def _stored(data: Readable) -> Iterator[_Stored]:
    """The frames one after the other, in the order of their sequence numbers."""
    expected, announced, found = 0, 0, 0
    control: _Control | None = None
    parts: list[bytes] = []
    for kind, content in _checked(data):
        if kind == b"acTL":
            (announced,) = struct.unpack_from(">I", content)
        if kind in (b"fcTL", b"fdAT"):
            if int.from_bytes(content[:4]) != expected:
                raise PictureError("the file is damaged: a part of it is missing")
            expected += 1
        if kind in (b"fcTL", b"IEND") and parts:
            found += control is not None
            yield _Stored(control, b"".join(parts))
            parts = []
        if kind == b"fcTL":
            control = _Control(*struct.unpack(">IIIIHHBB", content[4:]))
        elif kind == b"IDAT":
            parts.append(content)
        elif kind == b"fdAT":
            parts.append(content[4:])
    if found != announced:
        raise PictureError("the file is damaged: a frame is missing")


def _pixels(
    header: bytes, transparent: bytes, size: tuple[int, int], data: bytes
) -> _Samples:
    """The pixels of one frame: BGRA."""
    parts = (
        (b"IHDR", struct.pack(">II", *size) + header[8:]),
        (b"IDAT", data),
        (b"IEND", b""),
    )
    file = SIGNATURE + b"".join(packed(name, body) for name, body in parts)
    decoded = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16:
        raise PictureError("the file is damaged or truncated")
    pixels: _Samples = np.asarray(decoded, np.uint16)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return pixels
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    alpha = np.full(pixels.shape[:2], _OPAQUE, np.uint16)
    if transparent:
        # One colour that is transparent, in the file's order of channels.
        key = np.frombuffer(transparent, ">u2")[::-1]
        alpha[(pixels == key).all(axis=2)] = 0
    return np.dstack((pixels, alpha))


def _over(front: _Samples, back: _Samples) -> _Samples:
    """A frame laid over another (section 13.16), to the nearest sample."""
    alpha = front[:, :, 3]
    shown: _Samples = np.where(alpha[:, :, None] == 0, back, front)
    is_mixed = (alpha > 0) & (alpha < _OPAQUE)
    shown[is_mixed] = _mixed(front[is_mixed], back[is_mixed])
    return shown


def _mixed(front: _Samples, back: _Samples) -> _Samples:
    """Colours that show through others, shape (N, 4).

    Alpha is not multiplied into the colours, here as in the file.
    """
    one = np.uint64(_OPAQUE)
    front_alpha, back_alpha = (
        pixels[:, 3:].astype(np.uint64) for pixels in (front, back)
    )
    front_share = front_alpha * one
    back_share = back_alpha * (one - front_alpha)
    share = front_share + back_share
    colors = front[:, :3] * front_share + back[:, :3] * back_share
    alpha = (share + one // 2) // one
    return np.hstack(((colors + share // 2) // share, alpha)).astype(np.uint16)
