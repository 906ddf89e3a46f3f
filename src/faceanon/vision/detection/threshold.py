"""From which score on a find is hidden."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceanon.model import Box, Cover, Face

# Sizes of faces in pixels: the one for which the score stands, and the bounds of what
# the size may change.
_USUAL, _SMALLEST, _LARGEST = 32, 12, 200

# What the logarithm of the odds rises by when a face is e times as large.
_BY_SIZE = 0.3

# So much of a find that is beside a face is covered together with that face; measured
# at so many points across and down.
_COVERED = 0.5
_POINTS = 16

_Boxes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least score of what counts as a face.

    A cover that hides no face costs picture: a large one much, a small one little, and
    one that lies half under another the least. The less it costs, the less certainty
    suffices.

    Attributes:
        score: of a face of 32 pixels by itself, 0 to 1.
        by_size: whether it is lower for smaller faces, and higher for larger ones.
        beside: the share of it that suffices beside a face: where covers of others,
            grown as by default, hide half of the find already.
    """

    score: float
    by_size: bool = False
    beside: float = 1

    @property
    def lowest(self) -> float:
        """The least score that may count."""
        return self._at(_SMALLEST) * self.beside

    def split(self, faces: Sequence[Face]) -> tuple[tuple[Face, ...], tuple[Face, ...]]:
        """Those of a picture's finds that count as faces, and the others, in order."""
        least = [self.of(face.box) for face in faces]
        alone = [face.score >= own for face, own in zip(faces, least, strict=True)]
        covers = np.array(
            [
                Cover().grown(face).sides
                for face, is_face in zip(faces, alone, strict=True)
                if is_face
            ],
            np.int64,
        ).reshape(-1, 4)
        counting: list[Face] = []
        others: list[Face] = []
        for face, own, is_face in zip(faces, least, alone, strict=True):
            may_be = face.score >= own * self.beside
            if is_face or (may_be and _covered(face.box, covers) >= _COVERED):
                counting.append(face)
            else:
                others.append(face)
        return tuple(counting), tuple(others)

    def of(self, box: Box) -> float:
        """The threshold of a face with this box by itself."""
        return self._at(_size(box))

    def _at(self, size: float) -> float:
        """The threshold of a face of this size by itself."""
        if not self.by_size:
            return self.score
        larger = math.log(min(max(size, _SMALLEST), _LARGEST) / _USUAL)
        odds = math.log(self.score / (1 - self.score)) + _BY_SIZE * larger
        return 1 / (1 + math.exp(-odds))


def _size(box: Box) -> float:
    return math.sqrt(max(box.width, 1) * max(box.height, 1))


def _covered(box: Box, covers: _Boxes) -> float:
    """The share of a box that lies in any of the covers, shape (N, 4)."""
    left, top, right, bottom = covers.T[:, :, None]
    steps = (np.arange(_POINTS) + 0.5) / _POINTS
    x, y = box.left + steps * box.width, box.top + steps * box.height
    across, down = (x >= left) & (x < right), (y >= top) & (y < bottom)
    return float((across[:, None, :] & down[:, :, None]).any(axis=0).mean())
