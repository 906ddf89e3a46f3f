"""Possible faces, many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

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

    def __getitem__(self, which: Mask | NDArray[np.intp]) -> "Candidates":
        return Candidates(self.boxes[which], self.scores[which], self.points[which])

    @classmethod
    def joined(cls, parts: Sequence["Candidates"]) -> "Candidates":
        """All candidates of one or more parts."""
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.points for part in parts]),
        )

    def mapped(
        self, scale: tuple[float, float], shift: tuple[float, float]
    ) -> "Candidates":
        """The candidates with (x, y) moved to `scale * (x, y) + shift`."""
        scales, shifts = np.array(scale, np.float32), np.array(shift, np.float32)
        return Candidates(
            self.boxes * np.tile(scales, 2) + np.tile(shifts, 2),
            self.scores,
            self.points * scales + shifts,
        )

    def mirrored(self, width: float) -> "Candidates":
        """Where they lie once a picture of this width is mirrored left to right."""
        left, top, right, bottom = self.boxes.T
        boxes = np.stack((width - right, top, width - left, bottom), axis=1)
        points = self.points[:, _MIRRORED_POINTS] * np.array((-1, 1), np.float32)
        return Candidates(boxes, self.scores, points + np.array((width, 0), np.float32))

    def turned_back(self, width: float) -> "Candidates":
        """Where they lie once a picture of this width is turned counter-clockwise."""
        left, top, right, bottom = self.boxes.T
        boxes = np.stack((top, width - right, bottom, width - left), axis=1)
        x, y = self.points[:, :, 0], self.points[:, :, 1]
        return Candidates(boxes, self.scores, np.stack((y, width - x), axis=2))


def sizes(boxes: Floats) -> Floats:
    """The geometric mean of the sides of boxes, shape (N, 4), in pixels."""
    left, top, right, bottom = boxes.T
    areas = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    return np.asarray(np.sqrt(areas), np.float32)
