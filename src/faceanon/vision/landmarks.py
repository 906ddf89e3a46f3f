"""The 478 points of a face: its mesh, with eyelids, lips, outline and irises.

MediaPipe Face Landmarker; the mesh is that of Y. Kartynnik, A. Ablavatski, I.
Grishchenko and M. Grundmann, "Real-time Facial Surface Geometry from Monocular Video on
Mobile GPUs", 2019 (arXiv 1907.06724), the irises that of A. Ablavatski et al.,
"Real-time Pupil Tracking from Monocular Video for Digital Puppetry", 2020.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Box, Face, Image, Point, white
from faceanon.vision.inference import load

Floats = NDArray[np.float32]

Points478 = NDArray[np.float32]
"""Shape (478, 2): x and y in pixels of the picture."""

# Indices into the mesh. Left and right are as seen in the picture.
OUTLINE = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378),
    *(400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54),
    *(103, 67, 109),
)
# From temple to temple along the hairline, and back above the eyebrows.
FOREHEAD_OUTLINE = (
    *(21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251),
    *(300, 293, 334, 296, 336, 107, 66, 105, 63, 70),
)
LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
RIGHT_EYE = (
    *(263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
LEFT_IRIS = (468, 469, 470, 471, 472)
RIGHT_IRIS = (473, 474, 475, 476, 477)
NOSE_TIP, LEFT_CHEEK, RIGHT_CHEEK = 1, 234, 454
MOUTH_CORNERS = (61, 291)

_INPUT_SIDE = 256
# The network's square is larger than the face: by one of these around a detector's box,
# the usual one first; by this much around its five points; and around the outline of a
# first mesh, where the points of the eyes come out best.
_CROPS = (1.5, 1.2)
_POINTS_CROP = 3.2
_SECOND_CROP = 1.25

# How a face may be held of which only the box is known, in radians.
_ROLLS = (0.0, math.pi / 2, -math.pi / 2, math.pi)

# Below this width of a face the points are guesses.
_LEAST_WIDTH = 20

# What the network must answer, and how far the mesh may lie from the five points that
# the detector saw, on average, in widths of the box: for a mesh that is taken at once,
# and for one that is taken where there is no better one.
_CLEAR_PRESENCE, _CLEAR_DISAGREEMENT = 0.9, 0.09
_LEAST_PRESENCE, _MOST_DISAGREEMENT = 0.6, 0.12

# A face that looks farther aside must be clear; and still farther, its mesh is a guess.
_LEAST_SYMMETRY, _LEAST_CLEAR_SYMMETRY = 0.2, -0.4


@dataclass(frozen=True, slots=True, eq=False)
class Square:
    """A square of a picture, as it is held by a face.

    Attributes:
        centre: x and y in pixels of the picture.
        side: in pixels of the picture.
        angle: by which it is turned, in radians, clockwise as seen.
    """

    centre: NDArray[np.floating]
    side: float
    angle: float

    def axes(self, pixels: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """Where the square's points lie in the picture, if it is so many pixels wide.

        Returns:
            A matrix of shape (2, 2) and a shift of shape (2,): the point p of the
            square is the point matrix @ p + shift of the picture. Points are measured
            from the edges: the middle of the first pixel is (0.5, 0.5).
        """
        scale = self.side / pixels
        cosine, sine = math.cos(self.angle) * scale, math.sin(self.angle) * scale
        matrix = np.array([[cosine, -sine], [sine, cosine]])
        return matrix, self.centre - matrix @ np.full(2, pixels / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """The mesh of a face.

    Attributes:
        points: shape (478, 2), x and y in pixels of the picture.
        presence: how likely there is a face in this place, 0 to 1.
    """

    points: Points478
    presence: float

    @property
    def outline(self) -> Floats:
        """The outline of the face, from hairline to chin: shape (36, 2)."""
        return self.points[list(OUTLINE)]

    @property
    def width(self) -> float:
        """The distance between the sides of the face, in pixels."""
        return math.dist(self.points[LEFT_CHEEK], self.points[RIGHT_CHEEK])

    @property
    def symmetry(self) -> float:
        """1 for a face seen from the front, less for one seen from the side.

        About 0.4 at 15 degrees, 0.2 at 25, 0 at 33 and -0.2 at 45.
        """
        nose, left, right = self.points[[NOSE_TIP, LEFT_CHEEK, RIGHT_CHEEK]]
        across = right - left
        share = float((nose - left) @ across) / max(float(across @ across), 1e-6)
        return min(share, 1 - share) / max(share, 1 - share)


def find_landmarks(image: Image, face: Face) -> Landmarks | None:
    """Find the mesh of a face.

    Where a face looks aside by more than some 25 degrees, half of it is squeezed into
    few pixels: whoever draws from a mesh must look at its `symmetry`.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        face: where the face is; its five points, if there are any, tell how it is held.

    Returns:
        The mesh, or None for a face that is too small, in profile, or none.
    """
    if face.box.width < _LEAST_WIDTH:
        return None
    best, least = None, _MOST_DISAGREEMENT
    for square in _squares(face):
        # Where nothing else tells, the network must see a face at the first look too.
        is_unsure = face.points is None
        found = _refined(image, square, _CLEAR_PRESENCE if is_unsure else 0)
        if found is None or not _lies_there(found, face):
            continue
        disagreement = _disagreement(found, face)
        if found.presence >= _CLEAR_PRESENCE and disagreement < _CLEAR_DISAGREEMENT:
            if found.symmetry >= _LEAST_CLEAR_SYMMETRY:
                return found
        elif (
            found.presence >= _LEAST_PRESENCE
            and found.symmetry >= _LEAST_SYMMETRY
            and disagreement < least
        ):
            best, least = found, disagreement
    return best


def _squares(face: Face) -> Iterator[Square]:
    """Where to look for the face, the likeliest first."""
    box = face.box
    centre = np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2])
    size = max(box.width, box.height)
    if face.points is None:
        for angle in _ROLLS:
            yield Square(centre, _CROPS[0] * size, angle)
        return
    angle = _roll(*face.points[:2])
    for factor in _CROPS:
        yield Square(centre, factor * size, angle)
    centre, span = _extent(np.array(face.points))
    yield Square(centre, _POINTS_CROP * span, angle)


def _refined(image: Image, square: Square, least_presence: float) -> Landmarks | None:
    """The mesh of a face that lies about in a square, as the network sees it there."""
    first = _run(image, square)
    # The mesh tells better than the box where the face is and how it is held.
    centre, size = _extent(first.outline)
    if first.presence < least_presence or size < _LEAST_WIDTH:
        return None
    left, right = _eyes(first)
    return _run(image, Square(centre, _SECOND_CROP * size, _roll(left, right)))


def _extent(points: NDArray[np.floating]) -> tuple[NDArray[np.floating], float]:
    """The centre and the longer side of the upright box around points."""
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, float((high - low).max())


def _eyes(mesh: Landmarks) -> tuple[Floats, Floats]:
    """The middles of the left and of the right eye."""
    left, right = mesh.points[list(LEFT_EYE)], mesh.points[list(RIGHT_EYE)]
    return left.mean(axis=0), right.mean(axis=0)


def _lies_there(found: Landmarks, face: Face) -> bool:
    """Whether the mesh has about the place and the size of the face."""
    box, outline = face.box, found.outline
    centre = outline.mean(axis=0)
    if not (box.left < centre[0] < box.right and box.top < centre[1] < box.bottom):
        return False
    across, down = np.ptp(outline, axis=0)
    return 0.5 < math.sqrt(across * down / (box.width * box.height)) < 2


def _disagreement(found: Landmarks, face: Face) -> float:
    """How far the five points are from the mesh's, on average, in widths of the box.

    0 for a face of which no points are known.
    """
    if face.points is None:
        return 0.0
    mesh = np.array([*_eyes(found), *found.points[[NOSE_TIP, *MOUTH_CORNERS]]])
    distances = np.linalg.norm(mesh - face.points, axis=1)
    return float(distances.mean()) / face.box.width


def _roll(left_eye: Point | Floats, right_eye: Point | Floats) -> float:
    """The angle of the line of the eyes, in radians, clockwise as seen."""
    return math.atan2(right_eye[1] - left_eye[1], right_eye[0] - left_eye[0])


def _run(image: Image, square: Square) -> Landmarks:
    """Show the network a square of the image, turned upright."""
    crop = draw(image, square, _INPUT_SIDE)
    blob = crop[None, :, :, ::-1].astype(np.float32) / np.float32(white(image))
    outputs = load("face_landmarks_detector.tflite")(blob)
    mesh = outputs["Identity"].reshape(-1, 3)[:, :2]
    matrix, shift = square.axes(_INPUT_SIDE)
    points = mesh @ matrix.T + shift
    logit = float(outputs["Identity_1"].reshape(()))
    return Landmarks(points.astype(np.float32), 1 / (1 + math.exp(-logit)))


def draw(image: Image, square: Square, pixels: int) -> Image:
    """Draw a square of the image upright, averaged where it is larger than drawn.

    Args:
        image: shape (H, W, 3), uint8 or uint16.
        square: what to draw; what of it lies outside of the image is black.
        pixels: the side of what is drawn.

    Returns:
        Shape (pixels, pixels, 3), of the image's dtype.
    """
    matrix, shift = square.axes(pixels)
    scale = square.side / pixels
    if scale > 1:
        corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) * pixels
        corners = corners @ matrix.T + shift
        low = np.floor(corners.min(axis=0) - scale).astype(int)
        high = np.ceil(corners.max(axis=0) + scale).astype(int)
        box = Box(int(low[0]), int(low[1]), int(high[0]), int(high[1]))
        box = box.clipped(*image.shape[:2])
        size = max(1, round(box.width / scale)), max(1, round(box.height / scale))
        if not box.is_empty:
            image = cv2.resize(image[box.slices], size, interpolation=cv2.INTER_AREA)
            factors = np.array(size) / (box.width, box.height)
            matrix = factors[:, None] * matrix
            shift = factors * (shift - (box.left, box.top))
    return cv2.warpAffine(
        image,
        np.column_stack((matrix, shift + matrix @ (0.5, 0.5) - 0.5)),
        (pixels, pixels),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
