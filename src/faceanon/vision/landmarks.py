"""The 478 points of a face: its mesh, with eyelids, lips, outline and irises.

MediaPipe Face Landmarker; the mesh is that of Y. Kartynnik, A. Ablavatski, I.
Grishchenko and M. Grundmann, "Real-time Facial Surface Geometry from Monocular Video on
Mobile GPUs", 2019 (arXiv 1907.06724), the irises that of A. Ablavatski et al.,
"Real-time Pupil Tracking from Monocular Video for Digital Puppetry", 2020.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Face, Image, white
from faceanon.vision.inference import load

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
# The middles of both cheeks and of the forehead.
SKIN_PATCHES = (50, 280, 205, 425, 151)
NOSE_TIP, LEFT_CHEEK, RIGHT_CHEEK = 1, 234, 454

_INPUT_SIDE = 256
# The network's square is larger than the face: by this much around a detector's box,
# and around the outline of a first mesh, where the points of the eyes come out best.
_CROP = 1.5
_SECOND_CROP = 1.25

_MOST_OVERSAMPLING = 4

# Below this width of a face the points are guesses.
_LEAST_WIDTH = 20

_LEAST_PRESENCE = 0.6

# How far, in face widths, the eyes of the mesh may lie from those the detector saw.
_MOST_DISAGREEMENT = 0.2

# Nose to the nearer side of the face, by nose to the farther, across the face.
_LEAST_SYMMETRY = 0.2


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
    def outline(self) -> NDArray[np.float32]:
        """The outline of the face, from hairline to chin: shape (36, 2)."""
        return self.points[list(OUTLINE)]

    @property
    def width(self) -> float:
        """The distance between the sides of the face, in pixels."""
        return math.dist(self.points[LEFT_CHEEK], self.points[RIGHT_CHEEK])

    @property
    def symmetry(self) -> float:
        """1 for a face seen from the front, 0 or less for one seen from the side."""
        nose, left, right = self.points[[NOSE_TIP, LEFT_CHEEK, RIGHT_CHEEK]]
        across = right - left
        share = float((nose - left) @ across) / max(float(across @ across), 1e-6)
        return min(share, 1 - share) / max(share, 1 - share)


def find_landmarks(image: Image, face: Face) -> Landmarks | None:
    """Find the mesh of a face.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        face: where the face is; its five points, if there are any, tell how it is held.

    Returns:
        The mesh, or None for a face that is too small, turned too far, or none.
    """
    box = face.box
    if box.width < _LEAST_WIDTH:
        return None
    centre = np.array([(box.left + box.right) / 2, (box.top + box.bottom) / 2])
    angle = 0.0
    if face.points is not None:
        angle = _roll(*face.points[:2])
    first = _run(image, centre, _CROP * max(box.width, box.height), angle)
    # The mesh tells better than the box where the face is and how it is held.
    outline = first.outline
    centre = (outline.min(axis=0) + outline.max(axis=0)) / 2
    side = _SECOND_CROP * float(np.ptp(outline, axis=0).max())
    left, right = first.points[list(LEFT_EYE)], first.points[list(RIGHT_EYE)]
    if side < _SECOND_CROP * _LEAST_WIDTH:
        return None
    angle = _roll(left.mean(axis=0), right.mean(axis=0))
    found = _run(image, centre, side, angle)
    return found if _is_reliable(found, face) else None


def _is_reliable(found: Landmarks, face: Face) -> bool:
    if found.presence < _LEAST_PRESENCE or found.symmetry < _LEAST_SYMMETRY:
        return False
    box, outline = face.box, found.outline
    centre = outline.mean(axis=0)
    if not (box.left < centre[0] < box.right and box.top < centre[1] < box.bottom):
        return False
    if not 0.5 < found.width / box.width < 2:
        return False
    if face.points is None:
        return True
    eyes = (found.points[list(LEFT_EYE)], found.points[list(RIGHT_EYE)])
    distances = [
        math.dist(mesh.mean(axis=0), seen)
        for mesh, seen in zip(eyes, face.points[:2], strict=True)
    ]
    return max(distances) < _MOST_DISAGREEMENT * box.width


def _roll(left_eye: tuple[float, float], right_eye: tuple[float, float]) -> float:
    """The angle of the line of the eyes, in radians, clockwise as seen."""
    return math.atan2(right_eye[1] - left_eye[1], right_eye[0] - left_eye[0])


def _run(
    image: Image, centre: NDArray[np.floating], side: float, angle: float
) -> Landmarks:
    """Show the network a square of the image, turned upright."""
    scale = side / _INPUT_SIDE
    cosine, sine = math.cos(angle) * scale, math.sin(angle) * scale
    linear = np.array([[cosine, -sine], [sine, cosine]])
    shift = centre - linear @ np.full(2, _INPUT_SIDE / 2)
    crop = _square(image, linear, shift, scale)
    blob = crop[None, :, :, ::-1].astype(np.float32) / np.float32(white(image))
    outputs = load("face_landmarks_detector.tflite")(blob)
    mesh = outputs["Identity"].reshape(-1, 3)[:, :2]
    points = mesh @ linear.T + shift
    logit = float(outputs["Identity_1"].reshape(()))
    return Landmarks(points.astype(np.float32), 1 / (1 + math.exp(-logit)))


def _square(
    image: Image,
    linear: NDArray[np.floating],
    shift: NDArray[np.floating],
    scale: float,
) -> Image:
    """The network's input: the square whose pixel p lies at linear @ p + shift."""
    # Drawn larger and averaged, where a pixel of the input stands for several.
    finer = min(max(1, math.ceil(scale)), _MOST_OVERSAMPLING)
    side = _INPUT_SIDE * finer
    drawn = cv2.warpAffine(
        image,
        np.column_stack((linear / finer, shift)),
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    if finer == 1:
        return drawn
    return cv2.resize(drawn, (_INPUT_SIDE, _INPUT_SIDE), interpolation=cv2.INTER_AREA)
