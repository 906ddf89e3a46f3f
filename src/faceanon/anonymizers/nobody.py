"""The face of nobody: what `pixelate` and `blur` show where a face was."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.base import Treated
from faceanon.anonymizers.faithful import FaithfulFilter
from faceanon.anonymizers.painter import Hole, Painter, rotation
from faceanon.anonymizers.tracks import Tracks, are_alike
from faceanon.model import Box, Cover, Face, Image, white

Floats = NDArray[np.float32]

# A canvas is so wide or high at most, in pixels: what is painted on it is soft.
_SIDE = 48

# Light and shade of a face, drawn by hand, in groups that vary together: where each
# lies, from the middle of the face's box in widths and heights of it, how far it
# reaches to the sides and up and down, and how much lighter or darker it makes the
# skin. No photograph of anybody went into it.
_FEATURES = (
    (  # forehead, cheeks, chin
        (0.00, -0.33, 0.22, 0.09, 0.07),
        (-0.24, 0.11, 0.11, 0.10, 0.07),
        (0.24, 0.11, 0.11, 0.10, 0.07),
        (0.00, 0.42, 0.12, 0.05, 0.05),
    ),
    ((-0.20, -0.17, 0.12, 0.030, -0.24), (0.20, -0.17, 0.12, 0.030, -0.24)),  # brows
    ((-0.19, -0.08, 0.085, 0.042, -0.42), (0.19, -0.08, 0.085, 0.042, -0.42)),  # eyes
    ((0.00, 0.00, 0.04, 0.12, 0.08), (0.00, 0.14, 0.085, 0.028, -0.20)),  # nose
    ((0.00, 0.265, 0.13, 0.030, -0.34), (0.00, 0.335, 0.09, 0.025, -0.10)),  # mouth
    ((-0.46, 0.05, 0.09, 0.40, -0.22), (0.46, 0.05, 0.09, 0.40, -0.22)),  # sides
)

# How much covers vary at random: each group of features in strength, the face in place,
# in widths of it, and light and shadow that fall on all of it, as a grid of so many
# places. Against whoever imitates the method on pictures of known people this is noise.
_STRENGTH = 0.5
_SHIFT = 0.04
_SHADOW = 0.2
_SHADOW_PLACES = 4

# Half sides of the head in those of the box, and how soft its edge is.
_HEAD = (1.12, 1.15)
_HEAD_EDGE = 0.30

# The drawing is a square of this side, of so many widths (and heights) of the box.
_DRAWING_SIDE = 64
_DRAWING_SPAN = 1.6

# How much of the light from the side that is seen around a face falls on it.
_LIGHT = 0.6

# Where less than this share of a pixel of the canvas is known, it counts as unknown.
_LEAST_KNOWN = 0.25

# So often the fill is smoothed, each time by a pixel; it begins nearly smooth.
_ROUNDS = 12

# In a film what surrounds a cover comes into it in about so many frames: the grain of
# the picture, and what passes behind, do not flicker. It is looked at once in so many.
_CALM_FRAMES, _EVERY = 4.0, 3


class NobodyPainter(Painter):
    """A method that paints the face of nobody, or on request filters the face."""

    faithful: bool
    """Whether the face's own pixels are to be shown, weakened."""

    interpolation: ClassVar[int]
    """How OpenCV enlarges what `small` paints."""

    @property
    @abstractmethod
    def filter(self) -> FaithfulFilter:
        """What weakens them."""

    @abstractmethod
    def small(self, hole: Hole, rng: np.random.Generator) -> Floats:
        """Paint a whole cover, small: shape (h, w, 3), BGR, 0 to 1."""

    def paint(self, hole: Hole, rng: np.random.Generator) -> Image:
        """Paint a cover, calmly in a film; see `Painter.paint`."""
        past = hole.past
        painted, age = past.recalled("painted") or (None, 0)
        age += past.step
        if painted is None or age >= _EVERY:
            painted, age = self.small(hole, rng), 0
        past.note("painted", (painted, age))
        small = past.smoothed("small", painted, _CALM_FRAMES)
        return _enlarged(np.asarray(small, np.float32), hole, self.interpolation)

    def cautions(self) -> tuple[str, ...]:
        """See `Anonymizer.cautions`; what is drawn anew needs none."""
        return self.filter.cautions() if self.faithful else ()

    @property
    def weakened_by_repetition(self) -> bool:
        """See `Anonymizer.weakened_by_repetition`."""
        return self.faithful

    def affected_box(self, face: Face, cover: Cover) -> Box | None:
        """See `Anonymizer.affected_box`."""
        if self.faithful:
            return self.filter.affected_box(face, cover)
        return super().affected_box(face, cover)

    def go_on(
        self,
        image: Image,
        faces: Sequence[Face],
        others: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
        *,
        tracks: Tracks,
    ) -> Treated:
        """Paint or filter each face; see `SteadyAnonymizer.go_on`."""
        way = self.filter.go_on if self.faithful else super().go_on
        return way(image, faces, others, cover, rng, tracks=tracks)


def canvas(hole: Hole, rng: np.random.Generator) -> Floats:
    """Paint the face of nobody into what surrounds a hole, small.

    The surroundings are carried smoothly into the hole, as heat spreads (Laplace's
    equation); a face in the tone of the one that was there is laid over them, lit from
    the side from which they are.

    Returns:
        The cover of the hole: shape (h, w, 3), h and w at most 48, BGR, 0 to 1.
    """
    cover = hole.cover
    # All that is painted is measured from the cover's own corner, not from the
    # picture's edge, at which it may be cut off.
    scale = min(1.0, _SIDE / max(cover.width, cover.height))
    ideal = cover.width * scale, cover.height * scale
    size = hole.past.kept(
        "canvas",
        (max(1, round(ideal[0])), max(1, round(ideal[1]))),
        lambda size: are_alike(size, ideal),
    )
    filled = _filled(hole, size)
    drawn = _drawn(hole, size, rng)
    skin = drawn[:, :, :1] * _light(filled) * np.array(hole.tone, np.float32)
    painted = filled + drawn[:, :, 1:] * (skin - filled)
    return np.asarray((painted * _shadows(size, rng)).clip(0, 1), np.float32)


def _enlarged(small: Image, hole: Hole, interpolation: int) -> Image:
    """The visible part of a picture of a cover, in its size; see `Painter.paint`.

    Args:
        small: the whole cover: shape (h, w, 3), BGR, 0 to 1.
        hole: which it is to cover.
        interpolation: that of OpenCV.
    """
    cover, visible, kind = hole.cover, hole.visible, hole.surroundings.dtype
    colors = np.rint(small * np.float32(white(hole.surroundings))).astype(kind)
    across, down = small.shape[1] / cover.width, small.shape[0] / cover.height
    # Pixel centres have whole coordinates in OpenCV, and lie at a half here.
    right = (visible.left - cover.left + 0.5) * across - 0.5
    below = (visible.top - cover.top + 0.5) * down - 0.5
    drawn = np.asarray(
        cv2.warpAffine(
            colors,
            np.array([[across, 0, right], [0, down, below]]),
            (visible.width, visible.height),
            flags=interpolation | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        kind,
    )
    if hole.is_grey:
        # Channels that are computed alike still differ in their last bit.
        drawn[:, :, 1:] = drawn[:, :, :1]
    return drawn


def _filled(hole: Hole, size: tuple[int, int]) -> Floats:
    """The surroundings, carried into the cover: shape (height, width, 3) of the size.

    The canvas is that of the cover, with a rim of one pixel and more for the ring.
    """
    height, width = hole.known.shape
    cover = hole.cover
    across, down = size[0] / cover.width, size[1] / cover.height
    # Where the surroundings lie on the canvas, and how far they reach beyond it.
    left, right = (
        math.floor(-cover.left * across),
        math.ceil((width - cover.left) * across),
    )
    top, bottom = math.floor(-cover.top * down), math.ceil((height - cover.top) * down)
    inner = right - left, bottom - top
    weight = _shrunk(hole.known.view(np.uint8) * np.uint8(255), inner) / np.float32(255)
    weight[weight < _LEAST_KNOWN] = 0
    if not weight.any():
        return np.full((size[1], size[0], 3), hole.tone, np.float32)
    top_white = np.float32(white(hole.surroundings))
    values = _shrunk(hole.surroundings, inner) / top_white
    values[weight == 0] = 0
    rims = (
        *(max(top, 0), max(size[1] - bottom, 0)),
        *(max(left, 0), max(size[0] - right, 0)),
    )
    values, weight = (
        np.asarray(cv2.copyMakeBorder(part, *rims, cv2.BORDER_CONSTANT), np.float32)
        for part in (values, weight)
    )
    fixed = _pulled(values, weight)
    known = (weight > 0).view(np.uint8)
    filled = fixed.copy()
    for _ in range(_ROUNDS):
        filled = np.asarray(cv2.blur(filled, (3, 3)), np.float32).reshape(fixed.shape)
        cv2.copyTo(fixed, known, filled)
    begin_x, begin_y = max(-left, 0), max(-top, 0)
    return filled[begin_y : begin_y + size[1], begin_x : begin_x + size[0]]


def _shrunk(values: Image, size: tuple[int, int]) -> Floats:
    """Means of the values at another size, given as (width, height)."""
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(*size[::-1], *values.shape[2:])


def _pulled(values: Floats, weight: Floats) -> Floats:
    """Means of what is known, where nothing is known those of a coarser picture.

    The pull-push algorithm of S. Gortler et al., "The Lumigraph", SIGGRAPH 1996.

    Args:
        values: shape (h, w, 3), times the weight.
        weight: shape (h, w), 0 where nothing is known.
    """
    height, width = weight.shape
    known = weight > 0
    means = np.asarray(values / np.where(known, weight, 1)[:, :, None], np.float32)
    if known.all():
        return means
    if height * width <= 4:
        means[~known] = values.sum(axis=(0, 1)) / weight.sum()
        return means
    size = max(1, width // 2), max(1, height // 2)
    coarse = _pulled(_shrunk(values, size), _shrunk(weight, size))
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    np.copyto(means, fine.reshape(means.shape), where=~known[:, :, None])
    return means


def _shadows(size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Light and shadow at random, none at the edge: shape (height, width, 1)."""
    places = rng.uniform(-_SHADOW, _SHADOW, (_SHADOW_PLACES, _SHADOW_PLACES))
    field = cv2.resize(places, size, interpolation=cv2.INTER_CUBIC)
    x, y = (2 * (np.arange(side) + 0.5) / side - 1 for side in size)
    inside = (1 - y**6)[:, None] * (1 - x**6)[None, :]
    return np.asarray((1 + field * inside)[:, :, None], np.float32)


def _light(filled: Floats) -> Floats:
    """How light the face is from left to right: shape (1, width, 1), about 1."""
    columns = filled.mean(axis=(0, 2))
    if len(columns) < 2:
        return np.ones((1, 1, 1), np.float32)
    side = (np.arange(len(columns)) + 0.5) / len(columns) - 0.5
    left, right = float(columns[side < 0].mean()), float(columns[side >= 0].mean())
    slope = _LIGHT * (right - left) / max(right + left, 0.2)
    return np.asarray((1 + slope * side)[None, :, None], np.float32)


def _drawn(hole: Hole, size: tuple[int, int], rng: np.random.Generator) -> Floats:
    """The face of nobody in its place in a window: shape (height, width, 2).

    Of each pixel how light it is, 1 for plain skin, and how much of it is face, 0 to 1.
    """
    groups, head = _drawing()
    strength = rng.uniform(1 - _STRENGTH, 1 + _STRENGTH, len(groups))
    shade = 1 + np.tensordot(strength.astype(np.float32), groups, 1)
    cover, face = hole.cover, hole.face
    # From the drawing's pixels to the cover's, and on to those of the canvas.
    sides = np.array([face.width, face.height])
    scale = np.array(size) / (cover.width, cover.height)
    linear = (
        scale[:, None] * rotation(hole.turn) * sides * (_DRAWING_SPAN / _DRAWING_SIDE)
    )
    shift = rng.uniform(-_SHIFT, _SHIFT, 2) * face.width * scale
    offset = np.array(size) / 2 + shift - linear @ np.full(2, _DRAWING_SIDE / 2)
    # Pixel centres have whole coordinates in OpenCV, and lie at a half here.
    offset += linear @ (0.5, 0.5) - 0.5
    return np.asarray(
        cv2.warpAffine(
            np.dstack((shade, head)),
            np.column_stack((linear, offset)),
            size,
            flags=cv2.INTER_LINEAR,
            borderValue=(1, 0),
        ),
        np.float32,
    )


@cache
def _drawing() -> tuple[Floats, Floats]:
    """The drawing: what each group of features adds to the skin, and the head.

    Returns:
        Shape (groups, 64, 64), and how much of each pixel is face, shape (64, 64).
    """
    place = (np.arange(_DRAWING_SIDE) + 0.5) / _DRAWING_SIDE - 0.5
    place = (place * _DRAWING_SPAN).astype(np.float32)
    across, down = place[None, :], place[:, None]
    groups = [
        sum(
            amount
            * np.exp(-(((across - x) / wide) ** 2) / 2)
            * np.exp(-(((down - y) / high) ** 2) / 2)
            for x, y, wide, high, amount in group
        )
        for group in _FEATURES
    ]
    narrowing = 1 - 0.25 * (2 * down).clip(0, 1.2) ** 2
    out = np.hypot(2 * across / (_HEAD[0] * narrowing), 2 * down / _HEAD[1])
    inside = np.clip((1 + _HEAD_EDGE / 2 - out) / _HEAD_EDGE, 0, 1)
    head = inside * inside * (3 - 2 * inside)
    return np.array(groups, np.float32), head.astype(np.float32)
