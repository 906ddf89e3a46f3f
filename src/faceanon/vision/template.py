"""Where the five points of a face lie, and how well those of a find lie there."""

import numpy as np
from numpy.typing import NDArray

from faceanon.model import Points

_Numbers = NDArray[np.complex128]

SIDE = 112
"""Width and height of the square that the template is drawn in, in pixels."""

# The points in a square of 112 pixels, x + yj: those with which the networks of
# J. Deng, J. Guo, N. Xue and S. Zafeiriou, "ArcFace", CVPR 2019, and those that follow
# them are trained. Half a pixel is added, as pixel centres lie at a half.
_TEMPLATE = np.array(
    [
        38.2946 + 51.6963j,
        73.5318 + 51.5014j,
        56.0252 + 71.7366j,
        41.5493 + 92.3655j,
        70.7299 + 92.2041j,
    ]
) + (0.5 + 0.5j)
_BETWEEN_EYES = float(abs(_TEMPLATE[1] - _TEMPLATE[0]))

# Points that miss theirs by this share of the distance between the eyes are no face's.
# Of 48 faces pasted before others all were below 0.14, and of six parts of a face that
# were taken for another one, in 380 pictures, half were above 0.2.
_LARGEST_MISFIT = 0.15


def to_template(points: Points) -> tuple[complex, complex]:
    """The similarity transform that brings the points of a face to the template's.

    Args:
        points: in pixels; not all in one place.

    Returns:
        What points x + yj are multiplied by, and what is added then.
    """
    ((turn,), (shift,)) = _fitted(_as_numbers(np.array([points])))
    return complex(turn), complex(shift)


def fit_a_face(points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Whether points lie as those of a face do, whatever its size and turn.

    Args:
        points: shape (N, 5, 2), in pixels: those of `Face.points`.

    Returns:
        Shape (N,).
    """
    seen = _as_numbers(points)
    turn, shift = _fitted(seen)
    missed = np.abs(seen * turn[:, None] + shift[:, None] - _TEMPLATE)
    misfit = np.sqrt(np.mean(missed**2, axis=1)) / _BETWEEN_EYES
    return np.asarray(misfit <= _LARGEST_MISFIT)


def _fitted(seen: _Numbers) -> tuple[_Numbers, _Numbers]:
    """The turns and shifts, shape (N,), that bring points, (N, 5), to the template.

    They are those of the least squares (S. Umeyama, "Least-squares estimation of
    transformation parameters between two point patterns", 1991), which for points of
    the plane is the linear regression of complex numbers.
    """
    middles = seen.mean(axis=1)
    centred = seen - middles[:, None]
    spread = np.sum(np.abs(centred) ** 2, axis=1)
    turned = centred.conj() @ (_TEMPLATE - _TEMPLATE.mean())
    turn = turned / np.maximum(spread, 1e-9)
    return turn, _TEMPLATE.mean() - turn * middles


def _as_numbers(points: NDArray[np.floating]) -> _Numbers:
    """Points (x, y), shape (N, 5, 2), as x + yj."""
    return np.asarray(points.astype(float) @ np.array([1, 1j]))
