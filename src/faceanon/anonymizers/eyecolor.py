"""Give irises the colour of the face."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.base import (
    LEFT_ALONE,
    Guarantee,
    SteadyAnonymizer,
    Treated,
)
from faceanon.anonymizers.tracks import Past, Tracks
from faceanon.model import Box, Cover, Face, Image, white
from faceanon.vision.iris import Iris, find_irises
from faceanon.vision.landmarks import (
    LEFT_IRIS,
    RIGHT_IRIS,
    Landmarks,
    Square,
    draw,
    find_landmarks,
)

Floats = NDArray[np.float32]

# A face is averaged to a square of so many pixels to tell its colour.
_FACE_SIDE = 64

# An eye lies deeper than the skin and in the shade of its lids: an iris is to have this
# share of the skin's lightness, or of that of the white beside it, if that is less, but
# not below this share of the skin's. It goes there by a share of the way, for irises
# whose edge is so wide: in a small or blurred one, pupil and lashes are part of all.
_SHADE_OF_SKIN, _SHADE_OF_WHITE, _DEEPEST = 0.82, 0.85, 0.65
_LIFT, _LIFT_EDGES = (0.9, 0.4), (0.3, 0.6)

# How far the white of an eye, in a and b of CIELAB, is from all colours between grey
# and that of the skin, at most. What is farther is seen through coloured glass.
_MOST_COLORED = 22

# Colour fades as lightness does, to this power.
_FADING = 0.5

# What is darker within an iris gets darker in proportion, at most by this.
_MOST_GAIN = 2.0

# Where a dark iris shows neither ring nor shade they are added: how much darker its rim
# is, from where on in radii, and how much darker below the upper lid; fully where it
# gets lighter by so much, in L of CIELAB.
_RING, _RING_BEGIN = 0.4, 0.7
_LID_SHADE = 0.3
_ADDED_FULLY = 25.0

# What differs from the iris's colour by less, in shares of the way to that beside it,
# is all iris.
_ALL_IRIS = 0.15

# A highlight is lighter than the iris by so much, in L of CIELAB: from where it begins
# to be spared to where it is spared wholly, or so much lighter than the new iris.
_HIGHLIGHT, _OVER_NEW = (18.0, 36.0), 12.0

# Neither white, skin nor highlight is bluer or greener than grey and than the white of
# the eye by so much, in a or b of CIELAB: from where on such a pixel is iris, and is so
# wholly.
_COOLER = (14.0, 26.0)

# Soft edges, in radii: the least of the iris, the least of the pupil, that of the lids.
_LEAST_EDGE, _PUPIL_EDGE, _LID_EDGE = 0.12, 0.2, 0.1

# In a film the colour of a face and what is measured of its irises are means of about
# so many frames.
_SKIN_FRAMES, _IRIS_FRAMES = 25.0, 3.0

# Masks of small irises are drawn finer by this factor and averaged.
_FINER, _SMALL = 8, 16


@dataclass(frozen=True)
class EyeColor(SteadyAnonymizer):
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
        """Recolour the irises, and tell whose were not; see `SteadyAnonymizer.go_on`.

        A face is left alone that has no mesh, or no iris that can be seen.
        """
        result = image.copy()
        left_alone = {}
        for face in faces:
            mesh = find_landmarks(image, face)
            if mesh is None or not _recolor_face(result, image, mesh, tracks.of(face)):
                left_alone[face] = LEFT_ALONE
        return Treated(result, left_alone)


def _recolor_face(result: Image, image: Image, mesh: Landmarks, past: Past) -> bool:
    """Recolour the irises of a face in the result; tell whether anything changed."""
    irises = find_irises(image, mesh, past.recalled("irises") or ())
    if not irises:
        return False
    irises = past.note("irises", tuple(_calm(iris, mesh, past) for iris in irises))
    skin = past.smoothed("skin", _skin_color(image, mesh), _SKIN_FRAMES)
    irises = tuple(iris for iris in irises if _is_uncolored(iris.beside, skin))
    # The same for both, of which one may lie in shade.
    lifts = [_lift(iris, skin) for iris in irises]
    changed = [
        _recolor(result, image, iris, skin, sum(lifts) / len(lifts)) for iris in irises
    ]
    return any(changed)


def _calm(iris: Iris, mesh: Landmarks, past: Past) -> Iris:
    """An iris that in a film does not tremble in its place, its size or its colours."""
    points = mesh.points[list((LEFT_IRIS, RIGHT_IRIS)[iris.side])]
    middle, unit = (
        points[0],
        float(np.linalg.norm(points[1:] - points[0], axis=1).mean()),
    )
    measured = np.concatenate(
        (
            (iris.centre - middle) / unit,
            (iris.radius / unit, iris.pupil, iris.edge),
            iris.color,
            iris.beside,
        )
    )
    calm = past.smoothed(f"iris {iris.side}", measured, _IRIS_FRAMES)
    if calm is measured:
        return iris
    return replace(
        iris,
        centre=np.asarray(middle + unit * calm[:2], np.float32),
        radius=unit * float(calm[2]),
        pupil=float(calm[3]),
        edge=float(calm[4]),
        color=np.asarray(calm[5:8], np.float32),
        beside=np.asarray(calm[8:], np.float32),
    )


def _skin_color(image: Image, mesh: Landmarks) -> Floats:
    """The usual colour within a face's outline in CIELAB: shape (3,)."""
    low, high = mesh.outline.min(axis=0), mesh.outline.max(axis=0)
    square = Square((low + high) / 2, float((high - low).max()), 0)
    matrix, shift = square.axes(_FACE_SIDE)
    inside = np.zeros((_FACE_SIDE, _FACE_SIDE), np.uint8)
    outline = (mesh.outline - shift) / np.diag(matrix)
    cv2.fillPoly(inside, [outline.round().astype(np.int32)], 1)
    # What lies outside of the picture is black.
    row, column = np.indices(inside.shape) + 0.5
    places = np.stack((column, row), axis=2) @ matrix.T + shift
    inside[((places < 0) | (places >= image.shape[1::-1])).any(axis=2)] = 0
    pixels = _lab(draw(image, square, _FACE_SIDE))[inside > 0]
    # The median: eyes, lips, hair, shine and glasses are the fewer.
    return np.asarray(np.median(pixels, axis=0), np.float32)


def _is_uncolored(beside: Floats, skin: Floats) -> bool:
    """Whether what is beside an iris has a colour between grey and the skin's."""
    color, skin = beside[1:], skin[1:]
    share = min(max(float(color @ skin) / max(float(skin @ skin), 1), 0), 1.2)
    return float(np.linalg.norm(color - share * skin)) < _MOST_COLORED


def _lift(iris: Iris, skin: Floats) -> float:
    """By how much an iris gets lighter, in L of CIELAB."""
    shaded = min(_SHADE_OF_SKIN * skin[0], _SHADE_OF_WHITE * iris.beside[0])
    shaded = max(shaded, _DEEPEST * skin[0])
    part = np.interp(iris.edge, _LIFT_EDGES, _LIFT)
    return float(part * (shaded - iris.color[0]))


def _recolor(
    result: Image, image: Image, iris: Iris, skin: Floats, lift: float
) -> bool:
    """Recolour one iris in the result, and tell whether anything changed."""
    reach = iris.radius * (1 + iris.edge) + 2
    low, high = np.floor(iris.centre - reach), np.ceil(iris.centre + reach)
    box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    box = box.clipped(*image.shape[:2])
    if box.is_empty:
        return False
    pixels = image[box.slices]
    old = _lab(pixels)
    visible, pupil = _geometry(iris, box)
    new = np.empty_like(old)
    lighter = _new_lightness(iris, box, old[:, :, 0], lift)
    new[:, :, 0] = lighter + pupil * (old[:, :, 0] - lighter)
    # The less light falls on the skin, the less colour it has.
    light = np.minimum(new[:, :, :1] / max(float(skin[0]), 1), 1)
    new[:, :, 1:] = light**_FADING * skin[1:]
    share = np.repeat(visible[:, :, None], 3, axis=2)
    share[:, :, 1:] *= _likeness(iris, old)[:, :, None]
    colored = np.asarray(cv2.cvtColor(old + share * (new - old), cv2.COLOR_LAB2BGR))
    if (pixels == pixels[:, :, :1]).all():
        colored = np.repeat(colored[:, :, 1:2], 3, axis=2)
    scaled = (colored.clip(0, 1) * white(image)).round().astype(image.dtype)
    patch, touched = result[box.slices], visible > 0
    patch[touched] = scaled[touched]
    return bool((scaled[touched] != pixels[touched]).any())


def _new_lightness(iris: Iris, box: Box, old: Floats, lift: float) -> Floats:
    """What L of CIELAB the pixels of a box get where they are iris."""
    usual = float(iris.color[0])
    target = usual + lift
    # A curve that keeps what is darker darker and what is lighter lighter: rings and
    # fibres stay, and from some lightness on, so do highlights and the white.
    unchanged = max(target + _OVER_NEW, min(iris.beside[0], usual + _HIGHLIGHT[1]))
    gain = min(max(target / max(usual, 1), 1), _MOST_GAIN)
    darker = target + gain * (old - usual)
    lighter = target + (old - usual) * (unchanged - target) / (unchanged - usual)
    new = np.where(old < usual, darker, np.where(old < unchanged, lighter, old))
    x, y = _offsets(iris, box, 1)
    ring = _smooth((np.hypot(x, y) - _RING_BEGIN) / (1 - _RING_BEGIN))
    below_lid = _smooth(-(x * iris.down[0] + y * iris.down[1]))
    added = min(max(lift / _ADDED_FULLY, 0), 1)
    shade = (1 - added * _RING * ring) * (1 - added * _LID_SHADE * below_lid)
    # As far as it got lighter: what was spared is not darkened.
    new -= (1 - shade) * new * ((new - old) / max(lift, 1)).clip(0, 1)
    return np.asarray(new.clip(0, 100), np.float32)


def _geometry(iris: Iris, box: Box) -> tuple[Floats, Floats]:
    """How much of each pixel of a box is visible iris, and how much of it is pupil."""
    finer = _FINER if iris.radius < _SMALL else 1
    x, y = _offsets(iris, box, finer)
    far = np.hypot(x, y)
    inside = _smooth((1 - far) / max(iris.edge, _LEAST_EDGE) + 0.5)
    # A blurred picture blurs the pupil too.
    pupil = _smooth((iris.pupil - far) / max(iris.edge, _PUPIL_EDGE) + 0.5)
    mask = np.zeros(far.shape, np.uint8)
    corners = (iris.lids - (box.left, box.top)) * finer
    cv2.fillPoly(mask, [corners.round().astype(np.int32)], 1)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    open_eye = _smooth(depth / (finer * max(_LID_EDGE * iris.radius, 0.5)))
    size = (box.width, box.height)
    visible, pupil = (
        np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.float32)
        for fine in (open_eye * inside, pupil)
    )
    return visible, pupil


def _offsets(iris: Iris, box: Box, finer: int) -> tuple[Floats, Floats]:
    """How far right and down of the iris's centre the pixels of a box are, in radii."""
    y, x = np.indices((box.height * finer, box.width * finer), np.float32)
    return (
        ((x + 0.5) / finer + box.left - iris.centre[0]) / iris.radius,
        ((y + 0.5) / finer + box.top - iris.centre[1]) / iris.radius,
    )


def _likeness(iris: Iris, lab: Floats) -> Floats:
    """How much of each pixel is iris by its colour, not white, skin or a highlight."""
    way = iris.beside - iris.color
    share = (lab - iris.color) @ way / max(float(way @ way), 1e-6)
    part = ((1 - share) / (1 - _ALL_IRIS)).clip(0, 1)
    begin, end = _HIGHLIGHT
    lighter = lab[:, :, 0] - iris.color[0]
    part *= 1 - _smooth((lighter - begin) / (end - begin))
    begin, end = _COOLER
    cooler = (np.minimum(iris.beside, 0) - lab)[:, :, 1:].max(axis=2)
    cool = _smooth((cooler - begin) / (end - begin))
    return np.asarray(np.maximum(part, cool), np.float32)


def _smooth(share: NDArray[Any]) -> Floats:
    """A smooth step from 0 to 1."""
    share = share.clip(0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _lab(pixels: Image) -> Floats:
    scaled = pixels.astype(np.float32) / np.float32(white(pixels))
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2LAB), np.float32)
