"""Give irises the colour of the face."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.base import Anonymizer, Guarantee
from faceanon.model import Box, Cover, Face, Image, white
from faceanon.vision.landmarks import (
    LEFT_EYE,
    LEFT_IRIS,
    RIGHT_EYE,
    RIGHT_IRIS,
    SKIN_PATCHES,
    Landmarks,
    find_landmarks,
)

Floats = NDArray[np.float32]

# Smaller irises, in pixels of radius, have no colour that could be seen.
_LEAST_RADIUS = 1.5

# A closed eye: its lids are nearer to each other than this share of its length.
_LEAST_OPENING = 0.12

# The pupil takes this share of the iris's radius, as the middle of what is usual.
_PUPIL = 0.38

# The soft edges of iris and pupil, in radii of the iris.
_EDGE = 0.12

# A highlight is lighter than the iris by so much, in L of CIELAB: from where it begins
# to be spared to where it is spared wholly.
_HIGHLIGHT = (22.0, 40.0)

# An iris in the shade of its lids takes this share of the way to the skin's lightness;
# all of it would make eyes glow.
_LIGHTENING = 0.8

# An iris is looked for so far, in radii, to both sides of where the mesh has it.
_SEARCH = tuple(step / 10 for step in range(-4, 5))

# The white of the eye beside an iris, out to this many radii.
_AROUND = 1.4

# Masks are drawn finer by this factor and averaged, as irises are a few pixels wide.
_FINER = 8

# The side of a patch of skin, in widths of the face.
_SKIN_PATCH = 0.1


@dataclass(frozen=True)
class EyeColor(Anonymizer):
    """Give each visible iris the average colour of the face's skin.

    This hides nobody: whoever knows a person recognises the face as before, and so do
    programs. It takes away the colour of the eyes and nothing else.
    """

    guarantee: ClassVar[Guarantee] = Guarantee.NONE

    def cautions(self) -> tuple[str, ...]:
        """Say that this protects nobody."""
        return (
            "eyecolor does not make anybody unrecognisable: it changes the colour of "
            "the eyes and nothing else",
        )

    def hide(
        self,
        image: Image,
        faces: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Image:
        """Recolour the irises; see `Anonymizer.hide`."""
        result = image.copy()
        for face in faces:
            mesh = find_landmarks(image, face)
            if mesh is None:
                continue
            skin = _skin_color(image, mesh)
            for lids, iris in ((LEFT_EYE, LEFT_IRIS), (RIGHT_EYE, RIGHT_IRIS)):
                _recolor(result, mesh.points[list(lids)], mesh.points[list(iris)], skin)
        return result


def _skin_color(image: Image, mesh: Landmarks) -> Floats:
    """The usual colour of the cheeks and the forehead in CIELAB: shape (3,)."""
    half = max(1, round(_SKIN_PATCH * mesh.width / 2))
    patches = []
    for x, y in mesh.points[list(SKIN_PATCHES)]:
        left, top = round(float(x)) - half, round(float(y)) - half
        box = Box(left, top, left + 2 * half + 1, top + 2 * half + 1)
        patch = image[box.clipped(*image.shape[:2]).slices]
        patches.append(patch.reshape(-1, 3))
    pixels = np.concatenate(patches)
    if len(pixels) == 0:
        pixels = image.reshape(-1, 3)
    # The median: hair in the face, shine and glasses are the fewer.
    return np.asarray(np.median(_lab(pixels[None])[0], axis=0), np.float32)


def _recolor(image: Image, lids: Floats, iris: Floats, skin: Floats) -> None:
    """Recolour one iris in the image."""
    centre = iris[0]
    radius = float(np.linalg.norm(iris[1:] - centre, axis=1).mean())
    if radius < _LEAST_RADIUS or _opening(lids) < _LEAST_OPENING:
        return
    centre = _centred(image, lids, centre, radius)
    low, high = np.floor(centre - radius - 2), np.ceil(centre + radius + 3)
    box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    box = box.clipped(*image.shape[:2])
    if box.is_empty:
        return
    share = _visible_iris(box, lids, centre, radius)
    if not (share > 0).any():
        return
    patch = image[box.slices]
    old = _lab(patch)
    usual = float(np.median(old[:, :, 0][share >= share.max() / 2]))
    lighter = old[:, :, 0] - usual
    begin, end = _HIGHLIGHT
    share = share * (1 - np.clip((lighter - begin) / (end - begin), 0, 1))
    new = np.empty_like(old)
    # Rings and shadows are how it differs from its usual lightness; they stay.
    new[:, :, 0] = usual + _LIGHTENING * (skin[0] - usual) + lighter
    new[:, :, 1:] = skin[1:]
    blended = old + share[:, :, None] * (new - old)
    blended[:, :, 0] = blended[:, :, 0].clip(0, 100)
    colored = cv2.cvtColor(blended.astype(np.float32), cv2.COLOR_LAB2BGR)
    scaled = (np.asarray(colored).clip(0, 1) * white(image)).round()
    touched = share > 0
    patch[touched] = scaled[touched].astype(image.dtype)


def _opening(lids: Floats) -> float:
    """How far an eye is open: the distance of its lids by its length."""
    # The points go from corner to corner along the lower lid and back along the upper.
    lower, upper = lids[1:8], lids[15:8:-1]
    length = math.dist(lids[0], lids[8])
    between = float(np.linalg.norm(lower - upper, axis=1).max())
    return between / max(length, 1e-6)


def _centred(image: Image, lids: Floats, centre: Floats, radius: float) -> Floats:
    """The centre of the iris, moved along the eye to where its edge is sharpest.

    The mesh is a few pixels off where a person looks aside. The edge is that between
    the disc and what is around it inside of the lids, after the integro-differential
    operator of J. Daugman, "How Iris Recognition Works", IEEE TCSVT 2004.
    """
    along = (lids[8] - lids[0]) / max(math.dist(lids[0], lids[8]), 1e-6)
    reach = radius * (_AROUND + _SEARCH[-1]) + 1
    low, high = np.floor(centre - reach), np.ceil(centre + reach + 1)
    box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    box = box.clipped(*image.shape[:2])
    if box.is_empty:
        return centre
    open_eye = np.zeros((box.height, box.width), np.uint8)
    corners = (lids - (box.left, box.top)).round().astype(np.int32)
    cv2.fillPoly(open_eye, [corners], 1)
    lightness = _lab(image[box.slices])[:, :, 0]
    y, x = np.indices(lightness.shape, np.float32)
    best, sharpest = centre, -np.inf
    for step in sorted(_SEARCH, key=abs):
        moved = centre + step * radius * along
        far = np.hypot(x + 0.5 + box.left - moved[0], y + 0.5 + box.top - moved[1])
        far /= radius
        disc = (far < 1) & (open_eye > 0)
        around = (far >= 1) & (far < _AROUND) & (open_eye > 0)
        if not (disc.any() and around.any()):
            continue
        edge = float(lightness[around].mean() - lightness[disc].mean())
        if edge > sharpest:
            best, sharpest = moved.astype(np.float32), edge
    return best


def _visible_iris(box: Box, lids: Floats, centre: Floats, radius: float) -> Floats:
    """How much of each pixel of the box is iris, without pupil and lids: 0 to 1."""
    size = (box.height * _FINER, box.width * _FINER)
    open_eye = np.zeros(size, np.uint8)
    corners = ((lids - (box.left, box.top)) * _FINER).round().astype(np.int32)
    cv2.fillPoly(open_eye, [corners], 1)
    y, x = np.indices(size, np.float32)
    distance = np.hypot(
        (x + 0.5) / _FINER + box.left - centre[0],
        (y + 0.5) / _FINER + box.top - centre[1],
    )
    inside = np.clip((1 - distance / radius) / _EDGE, 0, 1)
    beyond_pupil = np.clip((distance / radius - _PUPIL) / _EDGE, 0, 1)
    fine = (open_eye * inside * beyond_pupil).astype(np.float32)
    share = cv2.resize(fine, (box.width, box.height), interpolation=cv2.INTER_AREA)
    return np.asarray(share, np.float32)


def _lab(pixels: Image) -> Floats:
    scaled = pixels.astype(np.float32) / np.float32(white(pixels))
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2LAB), np.float32)
