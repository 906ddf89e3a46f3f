"""A frame of a film as a decoder gives it: planes, of which only parts become BGR.

Where a film is changed, the pixels under the covers are converted and nothing else: the
rest reaches the encoder as it was decoded.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.errors import PictureError
from faceanon.media.clip import Edit
from faceanon.media.video.library import library
from faceanon.model import Box, Image

# Numbers of ITU-T H.273 and of FFmpeg.
_UNSPECIFIED = 2
_BT709, _BT601, _BT2020 = 1, 5, 9
_FULL_RANGE = 2

# What the matrices of H.273 are for the scaler, which knows a few.
_MATRICES = {_BT709: _BT709, 4: 4, _BT601: _BT601, 6: _BT601, 7: 7, 9: 9, 10: 9}

# Films of so many rows and more are in the colours of HDTV where they do not say.
_HDTV_ROWS = 720

# Beyond the pixels that change, so many are converted: a plane of colours has one for
# two of them in each direction, and takes its neighbours in.
_MARGIN = 2

TRANSPARENT = "it is a transparent film, which is not supported; lay it on a background"
"""Why a film is refused of which a part can be seen through."""

_TURNS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}


class FilmFrame:
    """A frame, upright.

    Args:
        decoded: as the decoder gave it. Its planes are not changed: later frames are
            predicted from them.
        rotation: by how much it is to be turned, in degrees, counter-clockwise.

    Attributes:
        decoded: see above.
        rotation: 0, 90, 180 or 270.
        shape: (height, width), upright.
    """

    def __init__(self, decoded: Any, rotation: int = 0) -> None:
        self.decoded = decoded
        self.rotation = rotation % 360
        size = decoded.height, decoded.width
        self._reduced: dict[int, Image] = {}
        self.shape: tuple[int, int] = size[::-1] if self.rotation % 180 else size

    @property
    def is_deep(self) -> bool:
        """Whether it has more than 8 bits."""
        return bits_of(self.decoded.format) > 8

    @cached_property
    def pixels(self) -> Image:
        """How it looks: shape (H, W, 3), BGR, uint8, or uint16 of more than 8 bits."""
        name = "bgr48le" if self.is_deep else "bgr24"
        return self._upright(self._converted(name))

    def reduced(self, factor: int) -> Image:
        """The same made smaller: shape (H, W, 3), BGR, uint8.

        Args:
            factor: how many pixels of a row, and of a column, become one.
        """
        if factor not in self._reduced:
            height, width = (-(-side // factor) for side in self._stored_shape)
            small = self._converted("bgr24", width=width, height=height)
            self._reduced[factor] = self._upright(small)
        return self._reduced[factor]

    def _converted(self, name: str, **size: int) -> Image:
        frame = self.decoded.reformat(
            format=name,
            src_colorspace=matrix_of(self.decoded),
            interpolation="AREA" if size else "BILINEAR",
            **size,
        )
        pixels: Image = frame.to_ndarray()
        return pixels

    @property
    def _stored_shape(self) -> tuple[int, int]:
        return self.decoded.height, self.decoded.width

    def _upright(self, pixels: Image) -> Image:
        if not self.rotation:
            return pixels
        return cv2.rotate(pixels, _TURNS[self.rotation])

    def planes(self, name: str) -> "Planes":
        """A copy for an encoder, upright.

        Args:
            name: the format of its pixels, of planes.
        """
        frame = self.decoded
        if self.rotation % 180 and not is_square(name):
            # Turned, what was shared by neighbours in a row would be by those in a
            # column, which no format has.
            name = name.replace("422", "444")
        if frame.format.name != name:
            frame = frame.reformat(format=name)
        return Planes(frame, self.rotation)


class Planes:
    """A frame that can be changed and encoded.

    Args:
        source: a frame of planes.
        rotation: by which it is turned.

    Attributes:
        frame: a frame of its own, with nothing of the source but its planes and how
            its colours are to be understood.
    """

    def __init__(self, source: Any, rotation: int) -> None:
        width, height = source.width, source.height
        if rotation % 180:
            width, height = height, width
        self.frame = library().VideoFrame(width, height, source.format.name)
        for attribute in ("color_range", "colorspace", "color_primaries", "color_trc"):
            setattr(self.frame, attribute, getattr(source, attribute))
        for target, plane in zip(self._arrays, _arrays(source), strict=True):
            target[:] = cv2.rotate(plane, _TURNS[rotation]) if rotation else plane

    @cached_property
    def _arrays(self) -> list[NDArray[Any]]:
        return _arrays(self.frame)

    @property
    def _whole(self) -> Box:
        return Box(0, 0, self.frame.width, self.frame.height)

    def change(self, edit: Edit) -> None:
        """Make a change, in the planes.

        Raises:
            PictureError: it cannot be made.
        """
        whole = self._whole
        for area in _apart(edit.areas, whole) if edit.areas is not None else [whole]:
            before = self._color(area)
            after, changed = edit.change(area, before)
            if changed.any():
                self._put(area, after, changed)

    def cover(self) -> None:
        """Paint it black as a whole."""
        black = np.zeros((self.frame.height, self.frame.width, 3), np.uint8)
        if bits_of(self.frame.format) > 8:
            black = black.astype(np.uint16)
        self._put(self._whole, black, np.ones(black.shape[:2], bool))

    def _color(self, area: Box) -> Image:
        """An area as BGR; its sides are even, or end where the frame does."""
        part = self._part(area)
        name = "bgr48le" if bits_of(part.format) > 8 else "bgr24"
        pixels: Image = part.reformat(
            format=name, src_colorspace=matrix_of(self.frame)
        ).to_ndarray()
        return pixels

    def _part(self, area: Box) -> Any:
        part = library().VideoFrame(area.width, area.height, self.frame.format.name)
        part.color_range = self.frame.color_range
        part.colorspace = self.frame.colorspace
        for target, plane in zip(_arrays(part), self._arrays, strict=True):
            rows, columns = self._in_plane(area, plane.shape)
            target[:] = plane[rows, columns]
        return part

    def _put(self, area: Box, color: Image, changed: NDArray[np.bool_]) -> None:
        """Put an area back, where it was changed."""
        name = "bgr48le" if color.dtype == np.uint16 else "bgr24"
        converted = library().VideoFrame.from_ndarray(
            np.ascontiguousarray(color), format=name
        )
        converted = converted.reformat(
            format=self.frame.format.name,
            dst_colorspace=matrix_of(self.frame),
            dst_color_range=self._range,
        )
        for plane, new in zip(self._arrays, _arrays(converted), strict=True):
            rows, columns = self._in_plane(area, plane.shape)
            height, width = new.shape[:2]
            # A pixel of colours changes where any of those that share it does.
            share = cv2.resize(
                changed.astype(np.float32),
                (width, height),
                interpolation=cv2.INTER_AREA,
            )
            part = plane[rows, columns]
            np.copyto(
                part,
                new,
                where=(share > 0).reshape(share.shape + (1,) * (new.ndim - 2)),
            )

    @property
    def _range(self) -> int:
        is_full = self.frame.color_range == _FULL_RANGE
        is_full |= self.frame.format.name.startswith("yuvj")
        return _FULL_RANGE if is_full else 1

    def _in_plane(self, area: Box, shape: Sequence[int]) -> tuple[slice, slice]:
        """Where an area lies in a plane, which may be smaller than the frame."""
        down = round(self.frame.height / shape[0])
        across = round(self.frame.width / shape[1])
        return (
            slice(area.top // down, -(-area.bottom // down)),
            slice(area.left // across, -(-area.right // across)),
        )


def _apart(areas: Sequence[Box], whole: Box) -> list[Box]:
    """Boxes that hold the areas and a margin, with even sides; none overlap."""
    apart: list[Box] = []
    for area in areas:
        box = _even(area.widened(_MARGIN), whole)
        while overlapping := [other for other in apart if other.shared(box)]:
            apart = [other for other in apart if other not in overlapping]
            for other in overlapping:
                box = box.united(other)
        apart.append(box)
    return apart


def _even(area: Box, whole: Box) -> Box:
    """The box with even sides, but for those where the frame ends."""
    return Box(
        area.left // 2 * 2,
        area.top // 2 * 2,
        -(-area.right // 2) * 2,
        -(-area.bottom // 2) * 2,
    ).clipped(whole.height, whole.width)


def _arrays(frame: Any) -> list[NDArray[Any]]:
    """The planes of a frame as arrays that share its memory: each of shape (h, w)."""
    kind = np.dtype("<u2") if bits_of(frame.format) > 8 else np.dtype(np.uint8)
    arrays = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, kind).reshape(plane.height, -1)
        arrays.append(rows[:, : plane.width])
    return arrays


def bits_of(format_: Any) -> int:
    """How many bits a sample of a format of pixels has."""
    return max(int(component.bits) for component in format_.components)


def is_square(name: str) -> bool:
    """Whether a format has as many colours in a row as in a column, by its shape."""
    format_ = library().VideoFormat(name, 64, 64)
    return bool(format_.chroma_width(64) == format_.chroma_height(64))


def matrix_of(frame: Any) -> int:
    """By which matrix colours become BGR; where a frame does not say, as players do."""
    matrix = int(frame.colorspace)
    if matrix in _MATRICES:
        return _MATRICES[matrix]
    return _BT709 if frame.height >= _HDTV_ROWS else _BT601


def check_format(format_: Any) -> None:
    """Refuse formats of pixels that are see-through, or no picture.

    Raises:
        PictureError: it is one.
    """
    if any(component.is_alpha for component in format_.components):
        raise PictureError(TRANSPARENT)
    if format_.is_bayer:
        raise PictureError("it is a raw film of a camera, which is not supported")
