"""Turning a face upright and to one size, as the embedding wants it."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Image, Points
from faceanon.vision.template import SIDE, to_template

# A face that is larger is drawn larger and averaged, up to this factor.
_MOST_OVERSAMPLING = 8


def aligned(image: Image, points: Points) -> Image:
    """The face with its points where the template has them.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        points: of the face, in pixels of the image; not all in one place.

    Returns:
        Shape (112, 112, 3), BGR, uint8; black where it reaches over the image's edge.
    """
    turn, shift = to_template(points)
    finer = min(max(1, math.ceil(1 / abs(turn))), _MOST_OVERSAMPLING)
    linear = finer * np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    # Pixel centres have whole coordinates in OpenCV; those of Point lie at a half.
    offset = linear @ (0.5, 0.5) + finer * np.array([shift.real, shift.imag]) - 0.5
    drawn = _warped(image, np.column_stack((linear, offset)), SIDE * finer)
    return cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _warped(image: Image, transform: NDArray[np.floating], side: int) -> Image:
    return cv2.warpAffine(image, transform, (side, side), flags=cv2.INTER_LINEAR)
