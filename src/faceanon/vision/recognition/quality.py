"""Which faces can be seen well enough to say whose they are."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.model import Face, Image, Points
from faceanon.vision.recognition.alignment import aligned
from faceanon.vision.recognition.embedding import Embedding, embed

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
class Clarity:
    """What a face must have to be clear, besides focus.

    Attributes:
        width: of the face's box, in pixels.
        nose: how far its tip must lie from either eye, along the line of the eyes, in
            distances between them; 0.5 from both in a face seen from the front.
    """

    width: int
    nose: float


MET = Clarity(width=16, nose=0.05)
"""A face in a picture."""

REFERENCE = Clarity(width=40, nose=0.2)
"""A face that others are compared with."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What can be seen of a face.

    Attributes:
        embedding: None when there is too little of it to make one.
        problem: why it is not clear; empty when it is.
    """

    embedding: Embedding | None
    problem: str = ""


def look(image: Image, face: Face, clarity: Clarity) -> Look:
    """Look at a face.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        face: in the image.
        clarity: what it must have.
    """
    if face.points is None:
        return Look(None, "without points")
    if face.box.width < clarity.width:
        return Look(None, "too small")
    if _nose(face.points, face.box.width) < clarity.nose:
        return Look(None, "turned away")
    upright = aligned(image, face.points)
    embedding = embed(upright)
    if sharpness(upright) < _LEAST_SHARPNESS:
        return Look(embedding, "too blurred")
    if np.linalg.norm(embedding) < _LEAST_LENGTH:
        return Look(embedding, "hard to see")
    return Look(embedding)


def sharpness(upright: Image) -> float:
    """How strong edges are in an aligned face, by how strong its contrast is."""
    grey = cv2.cvtColor(upright[_INSIDE], cv2.COLOR_BGR2GRAY)
    edges = cv2.Laplacian(grey, cv2.CV_32F)
    return float(edges.std() / max(float(grey.std()), 1.0))


def _nose(points: Points, width: int) -> float:
    """See `Clarity.nose`; negative where the nose lies outside of the eyes."""
    (left_x, left_y), (right_x, right_y), (nose_x, nose_y) = points[:3]
    dx, dy = right_x - left_x, right_y - left_y
    eyes = math.hypot(dx, dy)
    if eyes < _LEAST_EYES * width:
        return -1
    share = ((nose_x - left_x) * dx + (nose_y - left_y) * dy) / eyes**2
    return min(share, 1 - share)
