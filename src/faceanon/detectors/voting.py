"""Making one face of the boxes that mean the same one, and saying how sure it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceanon.detectors.candidates import Candidates, Floats, Mask, sizes
from faceanon.detectors.levels import Pass
from faceanon.detectors.views import Region

# Intersection over union from which on two candidates mean the same face.
_SAME_FACE = 0.4

# A candidate's weight in the mean box is its score to this power. The best ones count:
# cells beside a face's centre know its box less well.
_SHARPNESS = 4

# The logarithm of the odds that a face is one: a logistic regression on the annotated
# faces of WIDER FACE, rounded. Larger ones are more often faces, as seldom does
# something large look like one.
_ODDS, _ODDS_BY_SCORE, _ODDS_BY_SIZE = 1.35, 1.4, 0.3
_USUAL_SIZE = 16

# Faces come in company. Where the best face of a picture is less sure than these odds,
# all of its faces are by what is lacking. That takes most of the false alarms out of
# pictures without people, and costs next to nothing in pictures with some.
_CERTAIN = 2.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one pass answered.

    Attributes:
        made: the pass.
        scale: shown pixels to a pixel of the picture.
        region: the part of the picture that was shown.
        candidates: what was found, in pixels of the picture.
    """

    made: Pass
    scale: float
    region: Region
    candidates: Candidates

    @classmethod
    def of(cls, made: Pass, scale: float, region: Region, seen: Candidates) -> "Look":
        """A look that leaves the faces to others that are not of its sizes."""
        return cls(made, scale, region, seen[_in_range(made, scale, seen.boxes)])

    def answers_for(self, boxes: Floats) -> Mask:
        """Which faces, boxes of shape (N, 4), this look should have found."""
        return _in_range(self.made, self.scale, boxes) & self.region.holds(boxes)


def _in_range(made: Pass, scale: float, boxes: Floats) -> Mask:
    shown = sizes(boxes) * scale
    return np.asarray((shown >= made.smallest) & (shown <= made.largest))


def voted(looks: Sequence[Look]) -> Candidates:
    """Merge what several looks found of one picture, best score first.

    A merged face has the mean box and points of its candidates, weighted by score: box
    voting, section 4.3 of S. Gidaris and N. Komodakis, "Object detection via a
    multi-region & semantic segmentation-aware CNN model", ICCV 2015. Its score lies
    halfway between the best look's and the mean of all looks that answer for it.
    """
    candidates = Candidates.joined([look.candidates for look in looks])
    if not len(candidates):
        return candidates
    look_of = np.repeat(np.arange(len(looks)), [len(look.candidates) for look in looks])
    weights = candidates.scores**_SHARPNESS
    boxes, points, best = [], [], []
    for group in groups(candidates.boxes, candidates.scores, _SAME_FACE):
        share = weights[group] / weights[group].sum()
        boxes.append(share @ candidates.boxes[group])
        points.append(np.tensordot(share, candidates.points[group], 1))
        best.append(np.zeros(len(looks), np.float32))
        np.maximum.at(best[-1], look_of[group], candidates.scores[group])
    scores = np.array(best)
    merged = np.array(boxes)
    asked = np.stack([look.answers_for(merged) for look in looks], axis=1) | (
        scores > 0
    )
    halfway = (scores.max(axis=1) + scores.sum(axis=1) / asked.sum(axis=1)) / 2
    sure = probabilities(halfway, merged)
    order = np.argsort(-sure, kind="stable")
    return Candidates(merged, sure, np.array(points))[order]


def probabilities(scores: Floats, boxes: Floats) -> Floats:
    """How likely the faces of one picture are faces, 0 to 1.

    Args:
        scores: shape (N,), N at least 1, as the network gives them.
        boxes: shape (N, 4), in pixels of the picture.
    """
    bounded = np.clip(scores, 1e-4, 1 - 1e-4)
    odds = _ODDS + _ODDS_BY_SCORE * np.log(bounded / (1 - bounded))
    odds += _ODDS_BY_SIZE * np.log(np.maximum(sizes(boxes), 1) / _USUAL_SIZE)
    odds += np.minimum(odds.max() - _CERTAIN, 0)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def groups(
    boxes: Floats, scores: Floats, min_overlap: float
) -> Iterator[NDArray[np.intp]]:
    """Indices of boxes that mean the same face, by falling score in and among groups.

    The best box takes all that overlap it, then the best of the rest, and so on.

    Args:
        boxes: shape (N, 4): left, top, right, bottom.
        scores: shape (N,).
        min_overlap: intersection over union with the group's best box, 0 to 1.
    """
    rest = np.argsort(-scores, kind="stable")
    while len(rest):
        same = overlaps(boxes[rest[0]], boxes[rest]) >= min_overlap
        # An empty box overlaps nothing, not even itself.
        same[0] = True
        yield rest[same]
        rest = rest[~same]


def overlaps(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box, shape (4,), with each of (N, 4)."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    area = (box[2:] - box[:2]).prod()
    return np.asarray(shared / np.maximum(area + areas - shared, 1e-9), np.float32)
