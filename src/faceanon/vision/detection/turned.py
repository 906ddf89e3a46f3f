"""A second look at what may be a face that lies or stands on its head.

The network marks such faces, at a low score. Each place is shown to it once more by
itself, in three turned squares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from faceanon.vision.detection.candidates import Candidates, Floats, Mask, sizes
from faceanon.vision.detection.tiles import Region
from faceanon.vision.detection.voting import (
    merged,
    odds,
    overlaps,
    probabilities,
    shares,
)

TURNS = (1, 2, 3)
"""Quarter turns clockwise by which a square is shown."""

# The sides of a square, in shown pixels.
_SIDE = 160

# How large a hint appears: smallest, largest. The marks that a turned face leaves in
# the upright picture are half as large as the face, or as large.
_LEAST, _MOST = 16, 140

# Hints nearer to each other than this, in shown pixels, share the better one's square.
_NEAR = 34

# A hint with its middle in the box of a certain face, grown by this, is of that face.
_CERTAIN, _GROWN = 0.5, 1.3

# What overlaps another face by this (intersection over union) is the same, and what
# lies in a surer one by this share is a part of it: turned boxes are less exact.
_SAME_FACE, _INSIDE = 0.3, 0.9

# Hands and bellies are wider than a face: at least so tall, as a share of its width, is
# a face in the square in which it stands upright.
_TALLNESS = 0.8

# A turned square shows much that is no face as one: what the logarithm of the odds
# falls by.
_PENALTY = 2.0


@dataclass(frozen=True, slots=True)
class Hints:
    """What may be turned faces, in a pass over all of a picture.

    Attributes:
        candidates: in pixels of the picture.
        scale: shown pixels to a pixel of the picture.
    """

    candidates: Candidates
    scale: float

    @classmethod
    def of(cls, seen: Candidates, scale: float, least: float) -> "Hints":
        """The hints of a score of `least` or more in all that a pass has seen."""
        shown = sizes(seen.boxes) * scale
        fits = (shown >= _LEAST) & (shown <= _MOST)
        return cls(seen[fits & (seen.scores >= least)], scale)


@dataclass(frozen=True, slots=True)
class Square:
    """A part of a picture that is shown turned.

    Attributes:
        region: in pixels of the picture; it may reach over its edges.
        scale: shown pixels to a pixel of the picture.
    """

    region: Region
    scale: float


def squares(hints: Sequence[Hints], found: Candidates, most: int) -> list[Square]:
    """Where a picture is looked at again: around the best hints outside of faces.

    Args:
        hints: one or more.
        found: the faces that were found upright.
        most: how many squares, at most.
    """
    joined = Candidates.joined([each.candidates for each in hints])
    counts = [len(each.candidates) for each in hints]
    scales = np.repeat([each.scale for each in hints], counts)
    certain = found.boxes[found.scores >= _CERTAIN]
    chosen: list[Square] = []
    for index in np.argsort(-joined.scores, kind="stable"):
        if len(chosen) == most:
            break
        left, top, right, bottom = joined.boxes[index].tolist()
        x, y, scale = (left + right) / 2, (top + bottom) / 2, float(scales[index])
        if _is_in_any(certain, x, y) or any(_is_near(each, x, y) for each in chosen):
            continue
        half = _SIDE / scale / 2
        chosen.append(Square(Region(x - half, y - half, x + half, y + half), scale))
    return chosen


def _is_in_any(boxes: Floats, x: float, y: float) -> bool:
    """Whether a point lies in one of some boxes, shape (N, 4), when they are grown."""
    left, top, right, bottom = boxes.T
    across = np.abs((left + right) / 2 - x) <= (right - left) / 2 * _GROWN
    return bool(
        (across & (np.abs((top + bottom) / 2 - y) <= (bottom - top) / 2 * _GROWN)).any()
    )


def _is_near(square: Square, x: float, y: float) -> bool:
    region = square.region
    across = abs((region.left + region.right) / 2 - x)
    down = abs((region.top + region.bottom) / 2 - y)
    return max(across, down) * square.scale < _NEAR


def plausible(seen: Candidates) -> Candidates:
    """The candidates in a turned square, in its pixels, that have a face's shape."""
    left, top, right, bottom = seen.boxes.T
    return seen[bottom - top >= _TALLNESS * (right - left)]


def faces(seen: Candidates, min_score: float) -> Candidates:
    """The faces in squares that are turned alike.

    Args:
        seen: in all the squares, in pixels of the picture.
        min_score: the least score of what is returned.
    """
    more, _ = merged(seen, np.ones(len(seen), bool))
    own = odds(more.scores, more.boxes) - _PENALTY
    scores = probabilities(own)
    return Candidates(more.boxes, scores, more.points)[scores >= min_score]


def reconciled(found: Candidates, more: Candidates) -> tuple[Mask, Mask]:
    """Which faces stay when those that were seen turned join those found before.

    Of two that are the same the surer one stays. A part of a surer one is no more.

    Args:
        found: the faces found before.
        more: those seen turned.

    Returns:
        Which of `found` stay, and which of `more` do.
    """
    same = overlaps(more.boxes, found.boxes) >= _SAME_FACE
    is_part = shares(more.boxes, found.boxes) >= _INSIDE
    is_surer = more.scores[:, None] > found.scores
    join = ~np.any((same | is_part) & ~is_surer, axis=1)
    return ~np.any(same[join], axis=0), join
