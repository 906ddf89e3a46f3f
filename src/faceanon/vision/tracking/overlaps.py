"""Which boxes of a film lie in others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceanon.vision.tracking.arrays import Rows, ranges

# A box of which so much is in another one lies in it.
_PART = 0.5

# So many boxes are compared with others at a time; a crowd has many of both.
_AT_A_TIME = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """R boxes of tracks: shapes (R,), (R,) and (R, 4)."""

    frames: Rows
    tracks: Rows
    boxes: NDArray[Any]


def lie_in_others(one: Boxes, other: Boxes) -> NDArray[np.bool_]:
    """Which boxes mostly lie in one of another track in the same frame.

    Args:
        one: R boxes.
        other: by frame.
    """
    result = np.zeros(len(one.frames), bool)
    for start in range(0, len(result), _AT_A_TIME):
        rows = np.arange(start, min(start + _AT_A_TIME, len(result)))
        first = np.searchsorted(other.frames, one.frames[rows])
        end = np.searchsorted(other.frames, one.frames[rows], side="right")
        a, b = ranges(first, end)
        a = rows[a]
        shared = np.minimum(one.boxes[a, 2:], other.boxes[b, 2:])
        shared -= np.maximum(one.boxes[a, :2], other.boxes[b, :2])
        near = np.flatnonzero((shared[:, 0] > 0) & (shared[:, 1] > 0))
        a, b, shared = a[near], b[near], shared[near]
        area = (one.boxes[a, 2:] - one.boxes[a, :2]).prod(axis=1)
        is_in = shared.prod(axis=1) >= _PART * area
        result[a[is_in & (one.tracks[a] != other.tracks[b])]] = True
    return result
