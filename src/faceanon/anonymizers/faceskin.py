"""Where a face shows skin, what is in front of it, and how sharp it is, for `swap`."""

from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.anonymizers.facewarp import Floats, Mask, Portrait, scaled
from faceanon.vision.landmarks import LEFT_EYE, OUTLINE, RIGHT_EYE

# Indices into the mesh. Left and right are as seen in the picture.
_JAW = (
    *(389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149),
    *(150, 136, 172, 58, 132, 93, 234, 127, 162),
)
# The middle of the forehead from left to right, and the hairline above it.
_FOREHEAD = (68, 104, 69, 108, 151, 337, 299, 333, 298)
_HAIRLINE = (54, 103, 67, 109, 10, 338, 297, 332, 284)
_LEFT_BROW = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
_RIGHT_BROW = (336, 296, 334, 293, 300, 276, 283, 282, 295, 285)
_OVER_LEFT_BROW = (70, 63, 105, 66, 107, 108, 69, 104, 68)
_OVER_RIGHT_BROW = (336, 296, 334, 293, 300, 298, 333, 299, 337)
_UNDER_BROWS = (46, 53, 52, 65, 55, 285, 295, 282, 283, 276)
_OVER_EYES = (33, 161, 159, 157, 133, 362, 384, 386, 388, 263)
_LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375),
    *(291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
)
_NOSTRILS = (48, 64, 98, 97, 2, 326, 327, 294, 278)
_NOSE_TIP = 1

# How far up from the middle of the forehead to the hairline a new face reaches.
_HIGHER = 0.8

# What is no skin in a face, and how much larger than its mesh it can be.
_FEATURES = (
    *((LEFT_EYE, 1.5), (RIGHT_EYE, 1.5), (_LEFT_BROW, 1.2), (_RIGHT_BROW, 1.2)),
    *((_LIPS, 1.25), (_NOSTRILS, 1.2)),
)

# Skin is looked at with a face of this width, in pixels.
_WIDTH = 96

# How far from the smooth colour of a face its skin can be, in L, a and b of CIELAB. A
# gloss or a lit edge is no other thing.
_REACH = (22, 12, 14)
_GLOSS = 2.0

# Along the outline lies what is beside the face, as far as the mesh is inexact: so much
# of the width says nothing.
_INEXACT = 0.06

# A brow is hidden by hair if so much of the skin over it is.
_COVERED_BROW = 0.65


# Sizes of details, in widths of the face; what is finer than a pixel's half is none.
_SIZES = tuple(0.004 * 1.25**step for step in range(14))
_LEAST_SIGMA, _COARSEST_GRAIN = 0.4, 1.5

# Details count from this share of the strongest ones' energy on.
_VISIBLE = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """Where a face shows skin. All masks have the shape of the pixels asked about.

    Attributes:
        region: what is replaced in a swap, from above the brows to the chin.
        features: the eyes, brows, nostrils and lips.
        skin: what is skin for sure.
        foreign: what is neither skin nor a feature: hair, hands, things.
        below_brows: the part of the region that is below the brows.
        is_covered: whether hair or a cap covers a brow.
        over: the share of the skin that is foreign between the brows and the tip of the
            nose, 0 to 1.
        under: the same below it.
        evident: how far eyes and lips are from the colour of skin, the least of them,
            by how far skin is: about 1 or less where they cannot be seen.
    """

    region: Mask
    features: Mask
    skin: Mask
    foreign: Mask
    below_brows: Mask
    is_covered: bool
    over: float
    under: float
    evident: float


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """What decides whether a face can be swapped, and with whom.

    Attributes:
        skin: where it shows skin.
        fineness: the size of its finest details, in widths of the face.
        color: shape (3,), the usual colour of its skin in CIELAB.
    """

    skin: Skin
    fineness: float
    color: Floats


def appearance(shown: Portrait, fineness: float | None = None) -> Appearance:
    """Look at a face.

    Args:
        shown: the face.
        fineness: see `Appearance`, where it is known; it takes long to find.
    """
    pixels = scaled(shown.pixels)
    skin = look_for_skin(pixels, shown.points, shown.width)
    lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2LAB), np.float32)
    seen = skin.skin if skin.skin.any() else skin.region
    color = np.median(lab[seen], axis=0) if seen.any() else np.zeros(3)
    if fineness is None:
        lightness = np.ascontiguousarray(lab[:, :, 0])
        fineness = _fineness(lightness, skin, shown.width)
    return Appearance(skin, fineness, np.asarray(color, np.float32))


def _fineness(lightness: Floats, skin: Skin, width: float) -> float:
    """The size from which on features have contrast, in widths of the face."""
    if not (skin.features.any() and skin.skin.any()):
        return _SIZES[-1]
    energies = []
    for size in _SIZES:
        sigma = size * width
        if sigma < _LEAST_SIGMA:
            energies.append(0.0)
            continue
        coarser = cv2.GaussianBlur(lightness, (0, 0), 1.5 * sigma)
        band = cv2.GaussianBlur(lightness, (0, 0), sigma) - coarser
        # Grain is fine; what skin shows of coarser things are details, too.
        skin_only = np.median(np.abs(band[skin.skin])) * 1.4826
        noise = skin_only if sigma < _COARSEST_GRAIN else 0.0
        energy = float(np.mean(band[skin.features] ** 2)) - noise**2
        # That of an edge, in such a band, grows with the size.
        energies.append(energy / size)
    least = _VISIBLE * max(energies)
    return next(
        size for size, seen in zip(_SIZES, energies, strict=True) if seen >= least
    )


def look_for_skin(pixels: Floats, points: Floats, width: float) -> Skin:
    """Find the skin of a face.

    The colour of skin varies smoothly over a face: a polynomial is fitted to it, again
    and again without what is far from it.

    Args:
        pixels: shape (H, W, 3), BGR, 0 to 1.
        points: shape (468, 2), the mesh, in pixels.
        width: of the face, in pixels.
    """
    full = pixels.shape[:2]
    scale = min(1.0, _WIDTH / width)
    size = (max(1, round(full[1] * scale)), max(1, round(full[0] * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    points = points * np.array((size[0] / full[1], size[1] / full[0]), np.float32)
    width *= scale
    shape = size[::-1]
    region = _region(points, shape)
    features = np.zeros(shape, bool)
    for indices, grow in _FEATURES:
        features |= _hull(points, indices, shape, grow)
    zone = region & ~features
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2LAB), np.float32)
    below = _below_brows(points, shape)
    off = _off_the_fit(lab, zone, zone & below, points[_NOSE_TIP], width)
    far = np.sqrt((off**2).sum(axis=2))
    # A gloss is brighter than skin and nearly of its colour.
    off[:, :, 0] = np.where(off[:, :, 0] > 0, off[:, :, 0] / _GLOSS, off[:, :, 0])
    is_off = (off**2).sum(axis=2) >= 1
    kernel = np.ones((2, 2), np.uint8)
    opened = cv2.morphologyEx((is_off & zone).astype(np.uint8), cv2.MORPH_OPEN, kernel)
    foreign = opened > 0
    depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 3)
    sure = zone & (depth > _INEXACT * width)
    above = _above_nose(points, shape)
    over, under = (
        float(foreign[part].mean()) if part.any() else 0.0
        for part in (sure & below & above, sure & ~above)
    )
    usual = zone & below & (depth > 2 * _INEXACT * width)
    marks = [
        float(far[_hull(points, feature, shape, 1.1)].mean())
        for feature in (LEFT_EYE, RIGHT_EYE, _LIPS)
    ]
    evident = min(marks) / max(float(far[usual].mean()), 1e-3) if usual.any() else 0.0
    strips = [
        _hull(points, strip, shape) & zone
        for strip in (_OVER_LEFT_BROW, _OVER_RIGHT_BROW)
    ]
    is_covered = any(
        strip.any() and float(foreign[strip].mean()) > _COVERED_BROW for strip in strips
    )
    skin = zone & ~is_off

    def enlarged(mask: Mask) -> Mask:
        wide = cv2.resize(mask.astype(np.float32), full[::-1])
        return np.asarray(wide > 0.5)

    return Skin(
        enlarged(region),
        enlarged(features),
        enlarged(skin),
        enlarged(foreign),
        enlarged(below),
        is_covered,
        over,
        under,
        evident,
    )


def _off_the_fit(
    lab: Floats, zone: Mask, lower: Mask, middle: Floats, width: float
) -> Floats:
    """How far pixels are from the smooth colour of the zone, in reaches of skin.

    It is fitted to the lower part of the zone, which hair covers less often.
    """
    y, x = np.indices(zone.shape, np.float32)
    x, y = (x - middle[0]) / width * 2, (y - middle[1]) / width * 2
    terms = np.dstack((np.ones_like(x), x, y, x * x))
    good, off = lower, np.zeros_like(lab)
    for _ in range(6):
        if good.sum() < terms.shape[2] * 4:
            break
        known = terms[good].astype(np.float64)
        # Where little is known, the fit stays level.
        stiff = np.diag([0, 0.004, 0.004, 0.04]) * len(known)
        fit = np.linalg.solve(known.T @ known + stiff, known.T @ lab[good])
        off = np.asarray((lab - terms @ fit) / np.array(_REACH, np.float32), np.float32)
        good = lower & ((off**2).sum(axis=2) < 1)
    return off


def _region(points: Floats, shape: tuple[int, int]) -> Mask:
    """What is replaced of a face: from above the brows to the chin."""
    top = (1 - _HIGHER) * points[list(_FOREHEAD)] + _HIGHER * points[list(_HAIRLINE)]
    polygon = np.vstack((points[list(_JAW)], top))
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [polygon.round().astype(np.int32)], 1)
    return mask > 0


def _below_brows(points: Floats, shape: tuple[int, int]) -> Mask:
    """What lies in a face below its brows."""
    top = 0.7 * points[list(_UNDER_BROWS)] + 0.3 * points[list(_OVER_EYES)]
    polygon = np.vstack((points[list(_JAW[1:-2])], top))
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [polygon.round().astype(np.int32)], 1)
    return mask > 0


def outline_mask(points: Floats, shape: tuple[int, int]) -> Mask:
    """Which pixels lie in the outline of a face, from hairline to chin."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [points[list(OUTLINE)].round().astype(np.int32)], 1)
    return mask > 0


def _hull(
    points: Floats, indices: tuple[int, ...], shape: tuple[int, int], grow: float = 1
) -> Mask:
    corners = points[list(indices)]
    middle = corners.mean(axis=0)
    corners = (corners - middle) * grow + middle
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(corners.round().astype(np.int32)), 1)
    return mask > 0


def _above_nose(points: Floats, shape: tuple[int, int]) -> Mask:
    """Which pixels are above the tip of the nose, as the face is held."""
    eyes = points[[*LEFT_EYE, *RIGHT_EYE]].mean(axis=0)
    nose = points[_NOSE_TIP]
    up = eyes - points[list(_LIPS)].mean(axis=0)
    y, x = np.indices(shape, np.float32)
    return np.asarray((x - nose[0]) * up[0] + (y - nose[1]) * up[1] > 0)
