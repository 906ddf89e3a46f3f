"""Turning a face upright and to one size, as the embedding wants it."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Image, Points

SIDE = 112
"""Width and height of an aligned face, in pixels."""

# Where the five points of a face lie in an aligned one, x + yj: those with which the
# networks of J. Deng, J. Guo, N. Xue and S. Zafeiriou, "ArcFace", CVPR 2019, and those
# that follow them are trained. Half a pixel is added, as pixel centres lie at a half.
_TEMPLATE = np.array(
    [
        38.2946 + 51.6963j,
        73.5318 + 51.5014j,
        56.0252 + 71.7366j,
        41.5493 + 92.3655j,
        70.7299 + 92.2041j,
    ]
) + (0.5 + 0.5j)

# A face that is larger is drawn larger and averaged, up to this factor.
_MOST_OVERSAMPLING = 8


def aligned(image: Image, points: Points) -> Image:
    """The face with its points where the template has them.

    The similarity transform is that of the least squares (S. Umeyama, "Least-squares
    estimation of transformation parameters between two point patterns", 1991), which
    for points of the plane is the linear regression of complex numbers.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        points: of the face, in pixels of the image; not all in one place.

    Returns:
        Shape (112, 112, 3), BGR, uint8; black where it reaches over the image's edge.
    """
    seen = np.array(points, float) @ np.array([1, 1j])
    centred = seen - seen.mean()
    turn = np.vdot(centred, _TEMPLATE - _TEMPLATE.mean()) / np.vdot(centred, centred)
    shift = _TEMPLATE.mean() - turn * seen.mean()
    finer = min(max(1, math.ceil(1 / abs(turn))), _MOST_OVERSAMPLING)
    linear = finer * np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    # Pixel centres have whole coordinates in OpenCV; those of Point lie at a half.
    offset = linear @ (0.5, 0.5) + finer * np.array([shift.real, shift.imag]) - 0.5
    drawn = _warped(image, np.column_stack((linear, offset)), SIDE * finer)
    return cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _warped(image: Image, transform: NDArray[np.floating], side: int) -> Image:
    return cv2.warpAffine(image, transform, (side, side), flags=cv2.INTER_LINEAR)
