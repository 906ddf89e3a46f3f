"""The geometry of one face in another's place, for `swap`."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Box, Face, Image, white
from faceanon.vision.landmarks import (
    LEFT_CHEEK,
    LEFT_EYE,
    NOSE_TIP,
    OUTLINE,
    RIGHT_CHEEK,
    RIGHT_EYE,
    Landmarks,
    find_landmarks,
)

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Without the irises, which lie inside of the eyes' triangles.
_MESH = 468

# Corners of the mouth in the mesh, left and right as seen.
_LEFT_MOUTH, _RIGHT_MOUTH = 61, 291

# Near the outline the mesh is the target's, so that the new face fits the head; from
# this share of the way to the middle on it is the source's own, so that the features
# keep the proportions of the other person.
_FITTED_BAND = 0.45

# What is cut out around the outline, in widths of the face: as much as finding the
# mesh again takes.
_MARGIN = 0.25


# A part of a face that the source shows so much smaller than the rest, by area, is
# hardly seen there.
_LEAST_SEEN = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A face cut out of a picture, and its mesh.

    Attributes:
        box: where in the picture it is; inside of the picture.
        pixels: shape (H, W, 3), BGR, uint8 or uint16: what the box shows.
        points: shape (468, 2), x and y in pixels from the box's corner.
    """

    box: Box
    pixels: Image
    points: Floats

    @property
    def width(self) -> float:
        """The distance between the sides of the face, in pixels."""
        return math.dist(self.points[LEFT_CHEEK], self.points[RIGHT_CHEEK])

    @property
    def outline(self) -> Floats:
        """From hairline to chin, in pixels of the picture: shape (36, 2)."""
        corner = np.array((self.box.left, self.box.top), np.float32)
        return np.asarray(self.points[list(OUTLINE)] + corner, np.float32)

    @property
    def middle(self) -> Floats:
        """The middle of the outline: x and y in pixels of the picture."""
        return np.asarray(self.outline.mean(axis=0), np.float32)

    @property
    def yaw(self) -> float:
        """How far it looks aside: where the nose is from left (-1) to right (1)."""
        nose, left, right = self.points[[NOSE_TIP, LEFT_CHEEK, RIGHT_CHEEK]]
        across = right - left
        share = float((nose - left) @ across) / max(float(across @ across), 1e-6)
        return 2 * share - 1

    @property
    def pitch(self) -> float:
        """How far it looks down: where the nose is from the eyes (0) to the mouth."""
        eyes = self.points[[*LEFT_EYE, *RIGHT_EYE]].mean(axis=0)
        mouth = self.points[[_LEFT_MOUTH, _RIGHT_MOUTH]].mean(axis=0)
        down = mouth - eyes
        below = (self.points[NOSE_TIP] - eyes) @ down
        return float(below) / max(float(down @ down), 1e-6)

    def mirrored(self) -> "Portrait | None":
        """The face as a mirror shows it; None where it has no mesh there."""
        pixels = np.ascontiguousarray(self.pixels[:, ::-1])
        wide = pixels.shape[1]
        points = self.points * (-1, 1) + (wide - 1, 0)
        low, high = points.min(axis=0).astype(int), points.max(axis=0).astype(int)
        left_eye = points[list(RIGHT_EYE)].mean(axis=0)
        right_eye = points[list(LEFT_EYE)].mean(axis=0)
        corners = points[_RIGHT_MOUTH], points[_LEFT_MOUTH]
        seen = [
            (float(x), float(y))
            for x, y in (left_eye, right_eye, points[NOSE_TIP], *corners)
        ]
        first, second, third, fourth, fifth = seen
        face = Face(
            Box(int(low[0]), int(low[1]), int(high[0]) + 1, int(high[1]) + 1),
            1.0,
            (first, second, third, fourth, fifth),
        )
        mesh = find_landmarks(pixels, face)
        if mesh is None:
            return None
        return Portrait(self.box, pixels, mesh.points[:_MESH])


def portrait(image: Image, mesh: Landmarks) -> Portrait | None:
    """Cut a face out of an image; None where all of it lies outside.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        mesh: the mesh of the face.
    """
    margin = _MARGIN * mesh.width
    left, top = np.floor(mesh.outline.min(axis=0) - margin).astype(int)
    right, bottom = np.ceil(mesh.outline.max(axis=0) + margin).astype(int)
    box = Box(int(left), int(top), int(right), int(bottom)).clipped(*image.shape[:2])
    if box.is_empty:
        return None
    points = mesh.points[:_MESH] - np.array((box.left, box.top), np.float32)
    return Portrait(box, image[box.slices], points)


def drawn(source: Portrait, target: Portrait) -> tuple[Floats, Floats, Mask]:
    """Draw the source's face in the place of the target's.

    Returns:
        The pixels of the target's box, 0 to 1, with the source's face; where its mesh
        lies there, shape (468, 2); and which pixels show it well, shape (H, W): not
        those outside, nor those that the source shows from the side and are stretched.
    """
    mesh = _fitted_mesh(source.points, target.points)
    height, width = target.pixels.shape[:2]
    pixels = scaled(target.pixels)
    # What the source shows is averaged where it is drawn smaller.
    shrink = min(1.0, 1.5 * target.width / max(source.width, 1))
    crop, points = source.pixels, source.points
    if shrink < 1:
        high, wide = crop.shape[:2]
        size = (max(1, round(wide * shrink)), max(1, round(high * shrink)))
        points = points * np.array((size[0] / wide, size[1] / high), np.float32)
        crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    triangles = _triangles(mesh)
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
    shown = index >= 0
    ys, xs = np.nonzero(shown)
    chosen = maps[index[ys, xs]]
    where = np.full((height, width, 2), -1, np.float32)
    where[ys, xs] = (
        xs[:, None] * chosen[:, 0] + ys[:, None] * chosen[:, 1] + chosen[:, 2]
    )
    sampled = cv2.remap(
        *(scaled(crop), where[:, :, 0], where[:, :, 1], cv2.INTER_CUBIC),
        borderMode=cv2.BORDER_REPLICATE,
    )
    pixels[shown] = sampled[shown].clip(0, 1)
    sizes = np.linalg.det(maps[:, :2])
    is_seen = sizes > _LEAST_SEEN * np.median(sizes)
    return pixels, mesh, shown & is_seen[index]


def scaled(pixels: Image) -> Floats:
    """Pixels as numbers of 0 to 1."""
    return pixels.astype(np.float32) / np.float32(white(pixels))


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
