"""Where the irises of a face are, and what of them can be seen.

The mesh of a face tells about where an iris is; it is off by a part of the radius where
a person looks aside. The edges of iris and pupil are found after the
integro-differential operator of J. Daugman, "How Iris Recognition Works", IEEE TCSVT
2004: the circle across which the picture, averaged along it, changes most.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Image, Point, white
from faceanon.vision.landmarks import (
    LEFT_EYE,
    LEFT_IRIS,
    RIGHT_EYE,
    RIGHT_IRIS,
    Landmarks,
    Square,
    draw,
)

Floats = NDArray[np.float32]

# Smaller irises, in pixels of radius, have no colour that could be seen.
_LEAST_RADIUS = 1.5

# A closed eye: its lids are nearer to each other than this share of its length.
_LEAST_OPENING = 0.12

# An eye is looked at in a square of this many pixels, so many radii of the iris wide.
_SIDE, _REACH = 96, 6

# Where the iris is looked for around the mesh's: along the eye, across it, and how
# large, in radii; and how far off the mesh usually is.
_ALONG = np.linspace(-0.6, 0.6, 13)
_ACROSS = np.linspace(-0.3, 0.3, 7)
_USUALLY_OFF = (0.4, 0.2, 0.12)
_STEP = 0.05
_RADII = np.arange(0.5, 1.6, _STEP)
_LEAST_RATIO, _MOST_RATIO = 0.8, 1.25
_ANGLES = np.linspace(0, 2 * math.pi, 48, endpoint=False)

# How much darker than what is beside it, in L of CIELAB, an iris is that can be seen,
# or how far its colour is from that.
_LEAST_CONTRAST, _LEAST_DIFFERENCE = 4, 12

# Darker irises show no pupil; and none is known by the other eye's, as it may be hair.
_LEAST_LIGHTNESS = 20

# A face that looks aside farther has one eye of which the mesh is sure.
_LEAST_SYMMETRY = 0.1

# How far the colours of a person's irises are from each other at most, in CIELAB.
_MOST_UNLIKE = 15

# The pupil, in radii of the iris: where it can be, and what is taken for it where its
# edge is not seen.
_LEAST_PUPIL, _MOST_PUPIL, _USUAL_PUPIL = 0.22, 0.5, 0.36
_PUPIL_CONTRAST = 6


@dataclass(frozen=True, slots=True, eq=False)
class Iris:
    """An iris in a picture.

    Attributes:
        side: 0 for the left eye, 1 for the right one, as seen.
        centre: x and y in pixels of the picture.
        radius: in pixels.
        pupil: the pupil's radius, in radii of the iris.
        edge: how wide the iris's edge is drawn, from dark to light, in radii.
        lids: the outline of the open eye, shape (16, 2), in pixels.
        down: the direction from the upper to the lower lid, shape (2,), of length 1.
        color: the usual colour of the iris in CIELAB, shape (3,).
        beside: that of the white of the eye, or of what else is beside the iris.
    """

    side: int
    centre: Floats
    radius: float
    pupil: float
    edge: float
    lids: Floats
    down: Floats
    color: Floats
    beside: Floats


def find_irises(
    image: Image, mesh: Landmarks, before: Sequence[Iris] = ()
) -> tuple[Iris, ...]:
    """Find the irises of a face that can be seen.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        mesh: the face in it.
        before: those of the frame before in a film: by them an iris is known that is
            hard to see in this one.

    Returns:
        Up to two irises. An eye has none if it is closed, in the dark, behind
        something, on the far side of the face, or too small.
    """
    eyes = [
        _Eye(image, side, mesh.points[list(lids)], mesh.points[list(iris)])
        for side, (lids, iris) in enumerate(
            ((LEFT_EYE, LEFT_IRIS), (RIGHT_EYE, RIGHT_IRIS))
        )
    ]
    if mesh.symmetry < 0:
        eyes = [max(eyes, key=lambda eye: eye.length)]
    eyes = [eye for eye in eyes if eye.is_open]
    earlier = {iris.side: iris for iris in before}
    found = []
    for eye in eyes:
        iris = eye.iris()
        if iris is None and eye.side in earlier:
            iris = eye.iris_like(earlier[eye.side])
        found.append(iris)
    seen = [iris for iris in found if iris is not None]
    if len(eyes) == 2 and len(seen) == 1 and mesh.symmetry > _LEAST_SYMMETRY:
        # A light iris in shade is known by the other one.
        unseen = eyes[found.index(None)].iris_like(seen[0])
        if unseen is not None:
            seen.append(unseen)
    return tuple(seen)


class _Eye:
    """An eye drawn level; lengths are in radii of the mesh's iris, from its centre."""

    def __init__(self, image: Image, side: int, lids: Floats, iris: Floats) -> None:
        self.side = side
        self._lids, self._middle = lids, iris[0]
        self._radius = float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
        self.length = math.dist(lids[0], lids[8])
        # The points go from corner to corner along the lower lid and back.
        lower, upper = lids[1:8], lids[15:8:-1]
        opening = float(np.linalg.norm(lower - upper, axis=1).max())
        self.is_open = (
            self._radius >= _LEAST_RADIUS and opening >= _LEAST_OPENING * self.length
        )
        if not self.is_open:
            return
        along = (lids[8] - lids[0]) / self.length
        down = np.array([-along[1], along[0]], np.float32)
        turned = -1 if (lower - upper).mean(axis=0) @ down < 0 else 1
        self._along, self._down = turned * along, turned * down
        angle = math.atan2(self._along[1], self._along[0])
        square = Square(self._middle, _REACH * self._radius, angle)
        scaled = draw(image, square, _SIDE).astype(np.float32) / np.float32(
            white(image)
        )
        self._lab = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2LAB), np.float32)
        matrix, shift = square.axes(_SIDE)
        corners = (lids - shift) @ np.linalg.inv(matrix).T
        mask = np.zeros((_SIDE, _SIDE), np.uint8)
        cv2.fillPoly(mask, [corners.round().astype(np.int32)], 1)
        row, column = np.indices((_SIDE, _SIDE)) + 0.5
        places = np.stack((column, row), axis=2) @ matrix.T + shift
        in_picture = (places >= 0) & (places < image.shape[1::-1])
        self._open = (mask * in_picture.all(axis=2)).astype(np.float32)
        pixel = _REACH / _SIDE
        self._x, self._y = column * pixel - _REACH / 2, row * pixel - _REACH / 2

    def iris(self) -> Iris | None:
        """The iris, if it differs from what is beside it."""
        colors = self._colors((0, 0), 1)
        if colors is None:
            return None
        centre, radius, edge = self._limbus(self._difference(*colors))
        colors = self._colors(centre, radius)
        if colors is None:
            return None
        color, beside = colors
        darker = float(beside[0] - color[0])
        if darker < -_LEAST_CONTRAST:
            return None
        unlike = float(np.linalg.norm(beside - color))
        if darker < _LEAST_CONTRAST and unlike < _LEAST_DIFFERENCE:
            return None
        middle = centre[0] * self._along + centre[1] * self._down
        return Iris(
            side=self.side,
            centre=np.asarray(self._middle + self._radius * middle, np.float32),
            radius=radius * self._radius,
            pupil=self._pupil(centre, radius, color),
            edge=edge,
            lids=self._lids,
            down=np.asarray(self._down, np.float32),
            color=color,
            beside=beside,
        )

    def iris_like(self, other: Iris) -> Iris | None:
        """The iris where the mesh has it, if it resembles another one of the person."""
        colors = self._colors((0, 0), 1)
        if colors is None:
            return None
        unlike = float(np.linalg.norm(colors[0] - other.color))
        if unlike > _MOST_UNLIKE or colors[0][0] < _LEAST_LIGHTNESS:
            return None
        return replace(
            other,
            side=self.side,
            centre=self._middle,
            radius=self._radius,
            pupil=self._pupil((0, 0), 1, colors[0]),
            lids=self._lids,
            down=np.asarray(self._down, np.float32),
            color=colors[0],
        )

    def _colors(self, centre: Point, radius: float) -> tuple[Floats, Floats] | None:
        """The usual colours of an iris and of the eye beside it, in CIELAB."""
        x, y = self._x - centre[0], self._y - centre[1]
        far = np.hypot(x, y) / radius
        is_open = self._open > 0
        iris = is_open & (far > 0.4) & (far < 0.85)
        beside = is_open & (far > 1.15) & (far < 1.7) & (np.abs(y) < 0.6 * radius)
        if not (iris.any() and beside.any()):
            return None
        return (
            np.asarray(np.median(self._lab[iris], axis=0), np.float32),
            np.asarray(np.median(self._lab[beside], axis=0), np.float32),
        )

    def _difference(self, iris: Floats, beside: Floats) -> Floats:
        """How far each pixel is on the way from the iris's colour to that beside it.

        That way is mostly lightness; light irises differ more in colour.
        """
        way = beside - iris
        if np.linalg.norm(way) < _LEAST_CONTRAST:
            way = np.array((1, 0, 0), np.float32)
        return np.asarray((self._lab - iris) @ (way / np.linalg.norm(way)), np.float32)

    def _limbus(self, difference: Floats) -> tuple[Point, float, float]:
        """The edge of the iris: its centre, its radius, and how wide it is drawn."""
        x, y = (grid.ravel() for grid in np.meshgrid(_ALONG, _ACROSS))
        values, is_open = self._around(difference, x, y, _RADII)
        # The sides tell: above and below are lids and lashes.
        weights = is_open * (np.cos(_ANGLES) ** 2)[None, :, None]
        total = weights.sum(axis=1)
        profiles = (values * weights).sum(axis=1) / np.maximum(total, 1e-6)
        profiles[total < 1] = np.nan
        contrast = _step(profiles, 5)
        score = np.where(
            (_RADII >= _LEAST_RATIO) & (_RADII <= _MOST_RATIO), contrast, 0
        )
        offsets = (x[:, None], y[:, None], _RADII[None] - 1)
        for offset, usual in zip(offsets, _USUALLY_OFF, strict=True):
            score = score * np.exp(-((offset / usual) ** 2) / 2)
        place, at = np.unravel_index(np.argmax(score), score.shape)
        # From where the profile is darkest to where it is lightest, at the steepest.
        near = profiles[place][max(at - 9, 0) : at + 10]
        near = near[~np.isnan(near)]
        steepest = max(float(np.diff(near).max(initial=0)), 1e-3)
        edge = min(float(np.ptp(near)) / steepest * _STEP, 1.0)
        return (float(x[place]), float(y[place])), float(_RADII[at]), edge

    def _pupil(self, centre: Point, radius: float, color: Floats) -> float:
        """The radius of the pupil, in radii of the iris."""
        if color[0] < _LEAST_LIGHTNESS:
            return _USUAL_PUPIL
        radii = np.arange(0.05, 0.9, _STEP)
        x, y = np.array(centre, np.float64)[:, None]
        values, is_open = self._around(self._lab[:, :, 0], x, y, radii * radius)
        seen = np.where(is_open > 0, values, np.nan)[0]
        if np.isnan(seen).all(axis=0).any():
            return _USUAL_PUPIL
        # The median: a highlight takes a few of the angles.
        contrast = _step(np.nanmedian(seen, axis=0)[None], 4)[0]
        contrast[(radii < _LEAST_PUPIL) | (radii > _MOST_PUPIL)] = 0
        at = int(np.argmax(contrast))
        return float(radii[at]) if contrast[at] > _PUPIL_CONTRAST else _USUAL_PUPIL

    def _around(
        self,
        plane: Floats,
        x: NDArray[np.floating],
        y: NDArray[np.floating],
        radii: NDArray[np.floating],
    ) -> tuple[Floats, Floats]:
        """A plane and the open eye on circles: shape (centres, angles, radii)."""
        shape = (len(x), len(_ANGLES), len(radii))
        across = x[:, None, None] + np.cos(_ANGLES)[:, None] * radii
        down = y[:, None, None] + np.sin(_ANGLES)[:, None] * radii
        column, row = (
            ((place.reshape(len(x), -1) + _REACH / 2) * (_SIDE / _REACH) - 0.5).astype(
                np.float32
            )
            for place in (across, down)
        )
        values, is_open = (
            np.asarray(cv2.remap(of, column, row, cv2.INTER_LINEAR), np.float32)
            for of in (np.ascontiguousarray(plane), self._open)
        )
        return values.reshape(shape), is_open.reshape(shape)


def _step(profiles: Floats, reach: int) -> Floats:
    """How much larger the next values of a row are than those before, at each place.

    0 where there are not so many of both.
    """
    width = profiles.shape[1]
    padded = np.pad(profiles, ((0, 0), (reach, reach)), constant_values=np.nan)
    before = [padded[:, off : off + width] for off in range(reach)]
    after = [
        padded[:, reach + off : reach + off + width] for off in range(1, reach + 1)
    ]
    step = np.mean(after, axis=0) - np.mean(before, axis=0)
    return np.asarray(np.nan_to_num(step), np.float32)
