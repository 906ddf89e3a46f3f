"""Which faces can be seen well enough to say whose they are.

The words are those of ISO/IEC 2382-37: a probe is compared with people who were
enrolled by reference pictures. Quality is assessed as in ISO/IEC 29794-5: by size, pose
and sharpness, and by how much of a face the network sees.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.model import Face, Image, Points
from faceanon.vision.recognition.alignment import aligned
from faceanon.vision.recognition.embedding import Embedding
from faceanon.vision.recognition.sface import embed

# Eyes closer to each other than this share of the face's width are those of a face seen
# from the side.
_LEAST_EYES = 0.15

# See `sharpness`: 0.3 and more for faces in focus, 0.14 for one of 16 pixels, 0.07 for
# one blurred by 5 % of its width.
_LEAST_SHARPNESS = 0.11

# See `Embedding`.
_LEAST_LENGTH = 8.5

# The face in an aligned square, without hair and background: rows and columns.
_INSIDE = slice(16, 100), slice(16, 96)


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a face must have to be good enough, besides focus.

    Attributes:
        width: of the face's box, in pixels.
        nose: how far its tip must lie from either eye, along the line of the eyes, in
            distances between them; 0.5 from both in a face seen from the front.
    """

    width: int
    nose: float


PROBE = Requirement(width=16, nose=0.05)
"""For a face in a picture, which is compared with people."""

ENROLMENT = Requirement(width=40, nose=0.2)
"""For a face in a reference picture, with which others are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """How well a face can be seen.

    Attributes:
        embedding: None when there is too little of it to make one.
        problem: why it is not good enough; empty when it is.
    """

    embedding: Embedding | None
    problem: str = ""


def assess(image: Image, face: Face, requirement: Requirement) -> Assessment:
    """Assess how well a face can be seen.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        face: in the image.
        requirement: what it must have.
    """
    if face.points is None:
        return Assessment(None, "without points")
    if face.box.width < requirement.width:
        return Assessment(None, "too small")
    if _nose(face.points, face.box.width) < requirement.nose:
        return Assessment(None, "turned away")
    upright = aligned(image, face.points)
    embedding = embed(upright)
    if sharpness(upright) < _LEAST_SHARPNESS:
        return Assessment(embedding, "too blurred")
    if np.linalg.norm(embedding) < _LEAST_LENGTH:
        return Assessment(embedding, "hard to see")
    return Assessment(embedding)


def sharpness(upright: Image) -> float:
    """How strong edges are in an aligned face, by how strong its contrast is."""
    grey = cv2.cvtColor(upright[_INSIDE], cv2.COLOR_BGR2GRAY)
    edges = cv2.Laplacian(grey, cv2.CV_32F)
    return float(edges.std() / max(float(grey.std()), 1.0))


def _nose(points: Points, width: int) -> float:
    """See `Requirement.nose`; negative where the nose lies outside of the eyes."""
    (left_x, left_y), (right_x, right_y), (nose_x, nose_y) = points[:3]
    dx, dy = right_x - left_x, right_y - left_y
    eyes = math.hypot(dx, dy)
    if eyes < _LEAST_EYES * width:
        return -1
    share = ((nose_x - left_x) * dx + (nose_y - left_y) * dy) / eyes**2
    return min(share, 1 - share)
