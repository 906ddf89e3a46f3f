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

# How much the mean box of a face may add to the odds of its best candidate.
_SLACK = 0.1

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


def voted(looks: Sequence[Look], min_score: float) -> Candidates:
    """Merge what several looks found of one picture, best score first.

    A merged face has the mean box and points of its candidates, weighted by score: box
    voting, section 4.3 of S. Gidaris and N. Komodakis, "Object detection via a
    multi-region & semantic segmentation-aware CNN model", ICCV 2015. What the network
    says of it lies halfway between the best look's score and the mean of all looks that
    answer for it; its score is the probability that follows.

    Args:
        looks: one or more, at the same picture.
        min_score: the least score of what is returned.
    """
    candidates = Candidates.joined([look.candidates for look in looks])
    # What can reach the score; the others only have a say in these.
    leading = odds(candidates.scores, candidates.boxes) >= _odds_of(min_score) - _SLACK
    if not leading.any():
        return candidates[leading]
    look_of = np.repeat(np.arange(len(looks)), [len(look.candidates) for look in looks])
    weights = candidates.scores**_SHARPNESS
    boxes, points, best = [], [], []
    for group in groups(candidates.boxes, candidates.scores, _SAME_FACE, leading):
        share = weights[group] / weights[group].sum()
        boxes.append(share @ candidates.boxes[group])
        points.append(np.tensordot(share, candidates.points[group], 1))
        best.append(np.zeros(len(looks), np.float32))
        np.maximum.at(best[-1], look_of[group], candidates.scores[group])
    scores, merged = np.array(best), np.array(boxes)
    asked = np.stack([look.answers_for(merged) for look in looks], axis=1) | (
        scores > 0
    )
    halfway = (scores.max(axis=1) + scores.sum(axis=1) / asked.sum(axis=1)) / 2
    sure = in_company(odds(halfway, merged))
    order = np.argsort(-sure, kind="stable")
    return Candidates(merged, sure, np.array(points))[order[sure[order] >= min_score]]


def odds(scores: Floats, boxes: Floats) -> Floats:
    """Logarithms of the odds that each is a face.

    Args:
        scores: shape (N,), as the network gives them.
        boxes: shape (N, 4), in pixels of the picture.
    """
    by_size = np.log(np.maximum(sizes(boxes), 1) / _USUAL_SIZE)
    summed = _ODDS + _ODDS_BY_SCORE * _odds_of(scores) + _ODDS_BY_SIZE * by_size
    return np.asarray(summed, np.float32)


def in_company(odds: Floats) -> Floats:
    """How likely all the possible faces of one picture are faces, 0 to 1.

    Args:
        odds: shape (N,), N at least 1: of each by itself.
    """
    lacking = min(float(odds.max()) - _CERTAIN, 0)
    return np.asarray(1 / (1 + np.exp(-odds - lacking)), np.float32)


def _odds_of(probability: Floats | float) -> Floats:
    bounded = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(bounded / (1 - bounded)), np.float32)


def groups(
    boxes: Floats, scores: Floats, min_overlap: float, leading: Mask
) -> Iterator[NDArray[np.intp]]:
    """Indices of boxes that mean the same face, by falling score in and among groups.

    The best box takes all that overlap it, then the best of the rest, and so on.

    Args:
        boxes: shape (N, 4): left, top, right, bottom.
        scores: shape (N,).
        min_overlap: intersection over union with the group's first box, 0 to 1.
        leading: shape (N,), which boxes may be a group's first.
    """
    rest = np.argsort(-scores, kind="stable")
    while (first := rest[leading[rest]][:1]).size:
        same = overlaps(boxes[first[0]], boxes[rest]) >= min_overlap
        # An empty box overlaps nothing, not even itself.
        same |= rest == first
        yield np.concatenate((first, rest[same & (rest != first)]))
        rest = rest[~same]


def overlaps(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box, shape (4,), with each of (N, 4)."""
    left, top, right, bottom = boxes.T
    across = np.minimum(right, box[2]) - np.maximum(left, box[0])
    down = np.minimum(bottom, box[3]) - np.maximum(top, box[1])
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    areas = (right - left) * (bottom - top) + (box[2] - box[0]) * (box[3] - box[1])
    return np.asarray(shared / np.maximum(areas - shared, 1e-9), np.float32)
