"""The colours, the light and the edge of a face in another's place, for `swap`."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.faceskin import Skin, look_for_skin, outline_mask
from faceanon.anonymizers.facewarp import Floats, Mask, Portrait, drawn, scaled
from faceanon.model import Image, white

# Lengths, in widths of the face. The light on a face varies over the first; near its
# edge it is matched as fine as over the second, in a band as wide as the third.
_LIGHT, _EDGE_LIGHT, _EDGE_BAND = 0.3, 0.05, 0.1
# The soft edge of the new face, and that of what stays in front of it.
_FEATHER, _FRONT_FEATHER = 0.07, 0.015
_UNSEEN_FEATHER, _BROW_FEATHER = 0.04, 0.05
# What lies in front of a face comes in from its edge, and not farther than this.
_FRONT = 0.12

# How much the contrast of the features may be changed to match the target's.
_LEAST_CONTRAST, _MOST_CONTRAST = 0.75, 1.3

# The same for how colourful they are.
_CHROMA = (0.4, 1.3)

# Colours near the edge that differ more, in L, a and b, are not those of light on skin.
_MOST_MISSED = np.array((12, 7, 7), np.float32)

# Skin is as glossy, and as deep in shadow, as these percentiles of the target's; of
# what is beyond so much is kept.
_USUAL_DETAIL, _GLOSS_KEPT = (2, 97), 0.35

# Smooth fields are computed with a face of this width, in pixels: they need no more.
_FIELD_WIDTH = 96

# By how many pixels a face may be softened, from the least on.
_SOFTER = (0.0, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0, 5.5, 7.5)
_SOFTEST = 0.1  # widths of the face

# The coarse features whose contrast fine ones are compared with, in widths of the face.
_COARSE = 0.06

# Grain in pictures is a little wider than a pixel.
_GRAIN = 0.6
_LEAST_GRAIN = 0.4


@dataclass(slots=True, eq=False)
class _Seen:
    """A face in the target's place: shape (H, W, 3), CIELAB, and where it is skin."""

    lab: Floats
    skin: Skin


def put_in_place(
    result: Image,
    source: Portrait,
    target: Portrait,
    old_skin: Skin,
    rng: np.random.Generator,
) -> None:
    """Draw the source's face over the target's, into the result.

    Args:
        result: shape (H, W, 3), uint8 or uint16, the picture that the target is cut
            from; changed inside the target's outline and nowhere else.
        source: the face to show.
        target: the face to replace.
        old_skin: where that shows skin.
        rng: where the grain comes from.
    """
    width = target.width
    old = scaled(target.pixels)
    new, mesh, shown = drawn(source, target)
    new_skin = look_for_skin(new, mesh, width)
    inside = outline_mask(target.points, old.shape[:2])
    # All of the old features is replaced, also where a brow is raised.
    features = old_skin.features | (new_skin.features & shown)
    region = old_skin.region | new_skin.region | _grown(features, _FEATHER * width)
    depth = _depth(region & inside)
    share = _smoothstep(depth / (_FEATHER * width))
    badly_seen = (inside & ~shown & ~old_skin.features).astype(np.float32)
    share *= 1 - _doubled(badly_seen, _UNSEEN_FEATHER * width)
    for skin in (old_skin, new_skin):
        share *= 1 - _in_front(skin, depth, width)
        if skin.is_covered:
            # A fringe or a cap stays over the brows, and none is shown on a forehead.
            below = _depth(skin.below_brows) / (_BROW_FEATHER * width)
            share = np.minimum(share, _smoothstep(below))
    there, here = _Seen(_lab(old), old_skin), _Seen(_lab(new), new_skin)
    here.lab = _lit(here, there, depth, width)
    new_lab = _as_sharp(here, there, width, rng)
    new_lab[:, :, 0] = new_lab[:, :, 0].clip(0, 100)
    new = np.asarray(cv2.cvtColor(new_lab, cv2.COLOR_LAB2BGR), np.float32)
    # A neighbour's new face may be here already.
    under = scaled(result[target.box.slices])
    blended = under + share[:, :, None] * (new - under)
    if (target.pixels == target.pixels[:, :, :1]).all():
        blended[:] = blended.mean(axis=2, keepdims=True)
    touched = share > 0
    pixels = (blended[touched].clip(0, 1) * white(result)).round()
    result[target.box.slices][touched] = pixels.astype(result.dtype)


def _depth(inside: Mask) -> Floats:
    """How far inside each pixel is, in pixels; 0 outside."""
    depth = cv2.distanceTransform(
        inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    return np.asarray(depth, np.float32)


def _smoothstep(values: Floats) -> Floats:
    values = values.clip(0, 1)
    return np.asarray(values * values * (3 - 2 * values), np.float32)


def _in_front(skin: Skin, depth: Floats, width: float) -> Floats:
    """How much of each pixel is hair, a hand or a thing that hangs into the face."""
    edge = (depth > 0) & (depth < _FRONT * width)
    foreign = (skin.foreign & (depth > 0)).astype(np.uint8)
    _, labels = cv2.connectedComponents(foreign)
    # What does not touch the edge is a shadow or a mole.
    outer = np.unique(labels[(depth > 0) & (depth < 0.03 * width + 1)])
    front = np.isin(labels, outer[outer > 0]) & edge & ~skin.features
    sigma = max(_FRONT_FEATHER * width, 0.5)
    return _doubled(front.astype(np.float32), sigma)


def _doubled(mask: Floats, sigma: float) -> Floats:
    """A mask with a soft edge that lies outside of it."""
    return np.asarray((2 * _blurred(mask, sigma)).clip(0, 1), np.float32)


def _grown(mask: Mask, by: float) -> Mask:
    """A mask grown by so many pixels."""
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(away <= by)


# --- Colour and light ------------------------------------------------------------


def _lab(pixels: Floats) -> Floats:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2LAB), np.float32)


def _lit(new: _Seen, old: _Seen, depth: Floats, width: float) -> Floats:
    """The new face in the colour and the light of the old one's skin; CIELAB.

    What varies slowly over skin is that of the old face; what varies fast, the
    features, is that of the new one, with the contrast of the old.
    """
    old_light = _smoothed(old.lab, old.skin.skin, _LIGHT * width, width)
    new_light = _smoothed(new.lab, new.skin.skin, _LIGHT * width, width)
    usual, detail = old.lab - old_light, new.lab - new_light
    lightness = _without_gloss(detail[:, :, 0], usual[:, :, 0], new.skin, old.skin)
    contrast = _contrast(usual[:, :, 0], old.skin)
    contrast /= max(_contrast(lightness, new.skin), 1e-3)
    detail[:, :, 0] = lightness * min(max(contrast, _LEAST_CONTRAST), _MOST_CONTRAST)
    # What is grey, as the white of an eye, stays grey in another light.
    chroma = _chroma(old_light) / np.maximum(_chroma(new_light), 1)
    detail[:, :, 1:] *= chroma.clip(*_CHROMA)[:, :, None]
    lit = old_light + detail
    band = old.skin.skin & new.skin.skin & (depth < _EDGE_BAND * width)
    missed = (old.lab - lit).clip(-_MOST_MISSED, _MOST_MISSED)
    rest = _smoothed(missed, band, _EDGE_LIGHT * width, width, 0.05)
    return np.asarray(lit + rest, np.float32)


def _chroma(lab: Floats) -> Floats:
    return np.asarray(np.hypot(lab[:, :, 1], lab[:, :, 2]), np.float32)


def _without_gloss(new: Floats, old: Floats, new_skin: Skin, old_skin: Skin) -> Floats:
    """The new face's detail without gloss and shadows that the old skin has not."""
    if not (old_skin.skin.any() and new_skin.skin.any()):
        return new
    low, high = np.percentile(old[old_skin.skin], _USUAL_DETAIL)
    usual = new.clip(low, high)
    calm = usual + _GLOSS_KEPT * (new - usual)
    return np.where(new_skin.features, new, calm).astype(np.float32)


def _contrast(lightness: Floats, skin: Skin) -> float:
    seen = lightness[skin.features]
    return float(seen.std()) if seen.size else 0.0


def _smoothed(
    values: Floats, where: Mask, sigma: float, width: float, stiff: float = 0.0
) -> Floats:
    """Gaussian means of the values that count; shape of `values`, defined everywhere.

    Normalized convolution: H. Knutsson and C.-F. Westin, "Normalized and Differential
    Convolution", CVPR 1993. Computed at a small size, as the result is smooth.

    Args:
        values: shape (H, W, 3).
        where: which of them count.
        sigma: in pixels.
        width: of the face, in pixels.
        stiff: how fast the result falls to 0 far from what counts; with 0 it becomes
            the mean of all that counts.
    """
    height, columns = values.shape[:2]
    shrink = min(1.0, _FIELD_WIDTH / width)
    size = (max(1, round(columns * shrink)), max(1, round(height * shrink)))
    weight = where.astype(np.float32)
    stacked = np.dstack((values * weight[:, :, None], weight)).astype(np.float32)
    small = cv2.resize(stacked, size, interpolation=cv2.INTER_AREA)
    total = cv2.mean(small)
    blurred = cv2.GaussianBlur(
        small, (0, 0), sigma * shrink, borderType=cv2.BORDER_CONSTANT
    )
    far = np.array(total[:3], np.float32) / max(total[3], 1e-9)
    trust = blurred[:, :, 3:]
    pull = 0.0 if stiff else 1e-4
    field = (blurred[:, :, :3] + pull * far) / (trust + (stiff or pull))
    full = cv2.resize(
        field.astype(np.float32), (columns, height), interpolation=cv2.INTER_LINEAR
    )
    return np.asarray(full, np.float32)


# --- Sharpness and grain ---------------------------------------------------------


def _as_sharp(new: _Seen, old: _Seen, width: float, rng: np.random.Generator) -> Floats:
    """The new face as soft and as grainy as the old one; CIELAB."""
    wanted = _sharpness(old.lab[:, :, 0], old.skin, width)
    softer: Floats = new.lab
    for sigma in _SOFTER:
        if sigma > _SOFTEST * width:
            break
        softer = _blurred(new.lab, sigma)
        if _sharpness(softer[:, :, 0], new.skin, width) <= wanted:
            break
    old_grain, new_grain = _grain(old.lab, old.skin.skin), _grain(softer, new.skin.skin)
    # A face that is grainier than the other is smoothed where it shows skin.
    kept = np.clip(old_grain / np.maximum(new_grain, 1e-3), _LEAST_GRAIN, 1)
    on_skin = _blurred(new.skin.skin.astype(np.float32), 1.0)
    fine = softer - _blurred(softer, 1.0)
    softer = softer - fine * on_skin[:, :, None] * (1 - kept).astype(np.float32)
    missing = np.sqrt(np.maximum(old_grain**2 - new_grain**2, 0))
    if not missing.any():
        return softer
    grain = _blurred(rng.standard_normal(new.lab.shape, np.float32), _GRAIN)
    seen = _grain(grain, np.ones(grain.shape[:2], bool))
    return np.asarray(softer + grain * (missing / seen), np.float32)


def _blurred(values: Floats, sigma: float) -> Floats:
    if not sigma:
        return values
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def _sharpness(lightness: Floats, skin: Skin, width: float) -> float:
    """The contrast of the finest features by that of coarse ones, without grain."""
    once = _blurred(lightness, 1.0)
    coarse = once - _blurred(lightness, max(_COARSE * width, 2.0))
    fine = lightness - once
    if not (skin.features.any() and skin.skin.any()):
        return 0.0
    noise = _spread(fine[skin.skin]) ** 2
    energy = float(np.mean(fine[skin.features] ** 2)) - noise
    return max(energy, 0.0) / max(float(np.mean(coarse[skin.features] ** 2)), 1e-6)


def _grain(lab: Floats, where: Mask) -> Floats:
    """The spread of the finest differences in each channel, where there is skin."""
    if not where.any():
        return np.zeros(3, np.float32)
    fine = lab - _blurred(lab, 1.0)
    return np.array([_spread(fine[:, :, n][where]) for n in range(3)], np.float32)


def _spread(values: NDArray[np.floating]) -> float:
    """The standard deviation of most of the values, whatever the few others are."""
    return float(np.median(np.abs(values))) * 1.4826
