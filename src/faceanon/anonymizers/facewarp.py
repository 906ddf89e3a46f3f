"""Putting one face in another's place: geometry, colour and seams, for `swap`."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Box, Image, white
from faceanon.vision.landmarks import FOREHEAD_OUTLINE, OUTLINE, Landmarks

Floats = NDArray[np.float32]

# Without the irises, which lie inside of the eyes' triangles.
_MESH = 468

# Near the outline the mesh is the target's, so that the new face fits the head; from
# this share of the way to the middle on it is the source's own, so that the features
# keep the proportions of the other person.
_FITTED_BAND = 0.45

# Widths of soft edges and of smoothing, in widths of the face.
_FEATHER = 0.10
_EDGE = 0.03
_LIGHT_SMOOTHING = 0.18
_SKIN_SMOOTHING = 0.22

_HAIR_DARKER = 18
_HAIR_EDGE = 0.03

# How far from the usual colour of a face skin can be, in L, a and b of CIELAB.
_SKIN_REACH = (20, 12, 14)

# How much the contrast of the source may be changed to match the target's.
_LEAST_GAIN, _MOST_GAIN = 0.7, 1.3

# A target is worked on at this width of its face at most: smooth fields need no more.
_FIELD_WIDTH = 96


@dataclass(frozen=True, slots=True)
class _Place:
    """The part of the picture around a target face, and where the face is in it."""

    box: Box
    pixels: Floats
    outline: NDArray[np.float32]
    width: float


def put_in_place(
    result: Image, image: Image, source: Landmarks, target: Landmarks
) -> None:
    """Draw the source's face over the target's, into the result.

    Args:
        result: shape (H, W, 3), uint8 or uint16; changed inside the target's outline
            and nowhere else.
        image: the original picture, of the same shape and dtype.
        source: the face to show.
        target: the face to replace.
    """
    place = _place(image, target)
    if place is None:
        return
    inside = _inside(place)
    distance = _depth(inside)
    mesh = _fitted_mesh(source.points[:_MESH], target.points[:_MESH])
    mesh -= (place.box.left, place.box.top)
    drawn = _warped(image, source, mesh, place)
    drawn = _without_fringe(drawn, mesh, inside, place.width)
    drawn = _matched(drawn, place.pixels, inside, distance, place.width)
    # Under the soft edge of the new face lies smooth skin, not the old face.
    skin = _smooth_skin(place.pixels, inside, place.width)
    edge = np.clip(distance / (_EDGE * place.width), 0, 1)[:, :, None]
    soft = np.clip((distance / place.width - _EDGE) / _FEATHER, 0, 1)[:, :, None]
    soft = soft * soft * (3 - 2 * soft)
    blended = (1 - edge) * place.pixels + edge * skin
    blended = (1 - soft) * blended + soft * drawn
    scale = white(image)
    into = result[place.box.slices]
    into[inside] = (blended[inside].clip(0, 1) * scale).round().astype(result.dtype)


def _place(image: Image, target: Landmarks) -> _Place | None:
    outline = target.outline
    left, top = np.floor(outline.min(axis=0)).astype(int) - 2
    right, bottom = np.ceil(outline.max(axis=0)).astype(int) + 3
    box = Box(int(left), int(top), int(right), int(bottom)).clipped(*image.shape[:2])
    if box.is_empty:
        return None
    pixels = image[box.slices].astype(np.float32) / np.float32(white(image))
    return _Place(box, pixels, outline - (box.left, box.top), target.width)


def _inside(place: _Place) -> NDArray[np.bool_]:
    """Which pixels of the place are inside of the face's outline."""
    mask = np.zeros(place.pixels.shape[:2], np.uint8)
    cv2.fillPoly(mask, [place.outline.round().astype(np.int32)], 1)
    return mask.astype(bool)


def _depth(inside: NDArray[np.bool_]) -> Floats:
    """How far inside each pixel is, in pixels; 0 outside."""
    depth = cv2.distanceTransform(
        inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    return np.asarray(depth, np.float32)


# --- Geometry --------------------------------------------------------------------


def _warped(image: Image, source: Landmarks, mesh: Floats, place: _Place) -> Floats:
    """The source's face drawn on a mesh in the target's place: shape of the place."""
    height, width = place.pixels.shape[:2]
    # What the source shows is averaged where it is drawn smaller.
    shrink = min(1.0, 1.5 * place.width / max(source.width, 1))
    crop, points = _cut_out(image, source.points[:_MESH], shrink)
    triangles = _triangles(mesh)
    if len(triangles) == 0:
        return place.pixels.copy()
    index = np.full((height, width), -1, np.int32)
    corners = mesh[triangles]
    for number, corner in enumerate(np.round(corners * 16).astype(np.int32)):
        cv2.fillConvexPoly(index, corner, number, lineType=cv2.LINE_8, shift=4)
    # For each triangle the affine map that takes (x, y, 1) to the source.
    ones = np.ones((*corners.shape[:2], 1))
    maps = np.linalg.solve(
        np.concatenate((corners, ones), axis=2).astype(np.float64),
        points[triangles].astype(np.float64),
    )
    ys, xs = np.nonzero(index >= 0)
    chosen = maps[index[ys, xs]]
    where = np.full((height, width, 2), -1, np.float32)
    where[ys, xs] = (
        xs[:, None] * chosen[:, 0] + ys[:, None] * chosen[:, 1] + chosen[:, 2]
    )
    sampled = cv2.remap(
        *(crop, where[:, :, 0], where[:, :, 1], cv2.INTER_LINEAR),
        borderMode=cv2.BORDER_REPLICATE,
    )
    drawn = np.asarray(sampled, np.float32) / np.float32(white(image))
    outside = index < 0
    drawn[outside] = place.pixels[outside]
    return np.asarray(drawn, np.float32)


def _fitted_mesh(source: Floats, target: Floats) -> Floats:
    """Where the source's mesh lies in the target's place: shape (468, 2)."""
    ones = np.ones((len(source), 1), np.float32)
    affine, *_ = np.linalg.lstsq(np.hstack((source, ones)), target, rcond=None)
    own = np.hstack((source, ones)) @ affine
    outline = target[list(OUTLINE)].reshape(-1, 1, 2)
    depth = np.array(
        [cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in target]
    ).clip(0)
    share = np.clip(depth / (_FITTED_BAND * max(float(depth.max()), 1e-6)), 0, 1)
    share = (share * share * (3 - 2 * share))[:, None]
    return np.asarray((1 - share) * target + share * own, np.float32)


def _triangles(mesh: Floats) -> NDArray[np.intp]:
    """A Delaunay triangulation of points: shape (N, 3), indices."""
    low, high = np.floor(mesh.min(axis=0)) - 1, np.ceil(mesh.max(axis=0)) + 1
    size = (high - low).astype(int)
    subdivision = cv2.Subdiv2D((0, 0, int(size[0]) + 1, int(size[1]) + 1))
    order: dict[int, int] = {}
    for number, (x, y) in enumerate(mesh - low):
        # Points in one place get one number; the first of them stands for all.
        order.setdefault(subdivision.insert((float(x), float(y))), number)
    found = []
    for corners in np.asarray(subdivision.getTriangleList()).reshape(-1, 3, 2):
        numbers = []
        for x, y in corners:
            place, _, vertex = subdivision.locate((float(x), float(y)))
            if place != cv2.SUBDIV2D_PTLOC_VERTEX or vertex not in order:
                break
            numbers.append(order[vertex])
        else:
            found.append(numbers)
    triangles = np.array(found, np.intp).reshape(-1, 3)
    first, second, third = (mesh[triangles[:, corner]] for corner in range(3))
    a, b = second - first, third - first
    area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return np.asarray(triangles[np.abs(area) > 1e-3], np.intp)


def _cut_out(image: Image, points: Floats, shrink: float) -> tuple[Image, Floats]:
    """The part of the image with these points, shrunk, and the points in it."""
    left, top = np.floor(points.min(axis=0)).astype(int) - 2
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + 3
    box = Box(int(left), int(top), int(right), int(bottom)).clipped(*image.shape[:2])
    crop = image[box.slices]
    if shrink < 1:
        size = (max(1, round(box.width * shrink)), max(1, round(box.height * shrink)))
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    scale = np.array(crop.shape[1::-1]) / (box.width, box.height)
    return crop, np.asarray((points - (box.left, box.top)) * scale, np.float32)


# --- Colour ----------------------------------------------------------------------


def _matched(
    drawn: Floats,
    original: Floats,
    inside: NDArray[np.bool_],
    distance: Floats,
    width: float,
) -> Floats:
    """The drawn face in the colours and the light of the original's skin.

    First the mean and spread of each channel of CIELAB, as in E. Reinhard et al.,
    "Color Transfer between Images", IEEE CG&A 2001; then the light, that is what still
    differs in a band along the outline, smoothed and carried inwards.
    """
    old, new = (cv2.cvtColor(part, cv2.COLOR_BGR2LAB) for part in (original, drawn))
    core = distance > _EDGE * width
    if not core.any():
        core = inside
    old_skin, new_skin = _skin(old, core), _skin(new, core)
    old_mean, old_spread = old[old_skin].mean(axis=0), old[old_skin].std(axis=0)
    new_mean, new_spread = new[new_skin].mean(axis=0), new[new_skin].std(axis=0)
    gain = np.clip(old_spread / np.maximum(new_spread, 1e-3), _LEAST_GAIN, _MOST_GAIN)
    new = (new - new_mean) * gain + old_mean
    band = old_skin & new_skin & (distance < (_EDGE + 2 * _FEATHER) * width)
    new += _smoothed(old - new, band, _LIGHT_SMOOTHING * width, width)
    new[:, :, 0] = new[:, :, 0].clip(0, 100)
    lab = np.asarray(new, np.float32)
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR).clip(0, 1), np.float32)


def _skin(lab: Image, core: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pixels of the core have about the colour that most of them have.

    Hair that falls into the face, beards and glasses must not count as light.
    """
    usual = np.median(lab[core], axis=0)
    near = (np.abs(lab - usual) < _SKIN_REACH).all(axis=2) & core
    return near if near.any() else core


def _without_fringe(
    drawn: Floats, mesh: Floats, inside: NDArray[np.bool_], width: float
) -> Floats:
    """The drawn face without a dark fringe, which would float on another head."""
    forehead = np.zeros(inside.shape, np.uint8)
    cv2.fillPoly(forehead, [mesh[list(FOREHEAD_OUTLINE)].round().astype(np.int32)], 1)
    lab = cv2.cvtColor(drawn, cv2.COLOR_BGR2LAB)
    skin = _skin(lab, inside)
    dark = lab[:, :, 0] < np.median(lab[:, :, 0][inside]) - _HAIR_DARKER
    hair = (forehead & inside & dark).astype(np.float32)
    sigma = _HAIR_EDGE * width
    # Twice what is hair, so that its edges go too.
    share = np.asarray(cv2.GaussianBlur(hair, (0, 0), sigma)) * 2
    share = share.clip(0, 1)[:, :, None]
    smooth = _smoothed(drawn, skin, _SKIN_SMOOTHING / 2 * width, width)
    return np.asarray((1 - share) * drawn + share * smooth, np.float32)


def _smooth_skin(original: Floats, inside: NDArray[np.bool_], width: float) -> Floats:
    """The skin of the place with all features smoothed away."""
    return _smoothed(original, inside, _SKIN_SMOOTHING * width, width)


def _smoothed(
    values: Image, where: NDArray[np.bool_], sigma: float, width: float
) -> Floats:
    """Gaussian means of the values that count; shape of `values`, defined everywhere.

    Normalized convolution: H. Knutsson and C.-F. Westin, "Normalized and Differential
    Convolution", CVPR 1993. Computed at a small size, as the result is smooth.
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
    # Far from all that counts, the mean of all.
    fallback = np.array(total[:3]) / max(total[3], 1e-9)
    trust = blurred[:, :, 3:]
    field = (blurred[:, :, :3] + 1e-4 * fallback) / (trust + 1e-4)
    full = cv2.resize(
        field.astype(np.float32), (columns, height), interpolation=cv2.INTER_LINEAR
    )
    return np.asarray(full, np.float32)
