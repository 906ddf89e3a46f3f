"""What a detector found in the frames of a film, as arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Finds:
    """The finds of a film, weak ones too: a row each, the frames ascending.

    A film of three hours has millions of them, so there is no object for each.

    Attributes:
        frames: shape (N,), int32: the number of the frame, counted from 0.
        boxes: shape (N, 4), float32: left, top, right and bottom, in pixels of the
            upright frame; they may reach over its edge.
        scores: shape (N,), float32: how sure the detector is, 0 to 1.
        points: shape (N, 5, 2), float32: as in `model.Face`; NaN where there are none.
        is_sure: shape (N,), bool: whether it counts as a face by itself.
        found_by: shape (N,), uint8: what found it, below `tracker.WEAK`.
        tones: shape (N, 3), uint8: the mean colour in the middle of the box, BGR.
    """

    frames: NDArray[np.int32]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    points: NDArray[np.float32]
    is_sure: NDArray[np.bool_]
    found_by: NDArray[np.uint8]
    tones: NDArray[np.uint8]
