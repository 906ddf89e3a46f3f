"""What a pass over a picture answers, and how several answers become one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# The five points after the picture was mirrored: left and right change places.
_MIRRORED_POINTS = [1, 0, 2, 4, 3]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Possible faces of a picture, in its pixels.

    Attributes:
        boxes: shape (N, 4): left, top, right, bottom.
        scores: shape (N,), 0 to 1.
        points: shape (N, 5, 2): x, y of the points of `Face.points`.
    """

    boxes: Floats
    scores: Floats
    points: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "Candidates":
        return Candidates(self.boxes[which], self.scores[which], self.points[which])

    @classmethod
    def joined(cls, parts: Sequence["Candidates"]) -> "Candidates":
        """All candidates of one or more parts."""
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.points for part in parts]),
        )

    @property
    def sizes(self) -> Floats:
        """The geometric mean of each box's sides, in pixels."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        return np.sqrt(sides.prod(axis=1))

    def mapped(
        self, scale: tuple[float, float], shift: tuple[float, float]
    ) -> "Candidates":
        """The candidates with (x, y) moved to `scale * (x, y) + shift`."""
        scale_xy, shift_xy = np.float32(scale), np.float32(shift)
        return Candidates(
            self.boxes * np.tile(scale_xy, 2) + np.tile(shift_xy, 2),
            self.scores,
            self.points * scale_xy + shift_xy,
        )

    def mirrored(self, width: float) -> "Candidates":
        """The candidates as they lie after the picture was mirrored left to right."""
        boxes, points = self.boxes.copy(), self.points[:, _MIRRORED_POINTS]
        boxes[:, 0], boxes[:, 2] = width - self.boxes[:, 2], width - self.boxes[:, 0]
        points[:, :, 0] = width - points[:, :, 0]
        return Candidates(boxes, self.scores, points)
