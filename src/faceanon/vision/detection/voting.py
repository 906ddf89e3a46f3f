"""Making one face of the boxes that mean the same one, and saying how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceanon.vision.detection.candidates import Candidates, Floats, Mask, sizes
from faceanon.vision.detection.levels import ScalePass
from faceanon.vision.detection.tiles import Region
from faceanon.vision.template import fit_a_face

SAME_FACE = 0.4
"""Intersection over union from which on two boxes mean the same face."""

# A candidate's weight in the mean box is its score to this power. The best ones count:
# cells beside a face's centre know its box less well.
_SHARPNESS = 4

# The logarithm of the odds that a face is one: a logistic regression on the annotated
# faces of WIDER FACE, rounded. Large ones are more often faces than tiny ones, as few
# other things that large look like a face.
_ODDS, _ODDS_BY_SCORE, _ODDS_BY_SIZE = 1.35, 1.4, 0.5
_USUAL_SIZE, _LARGE_SIZE = 16, 32

# How much the mean box of a face may add to the odds of its best candidate.
_SLACK = 0.1

# Faces come in company. Where the best face of a picture is less sure than these odds,
# all of its faces are by what is lacking, times a weight: the smaller, the more. That
# takes most of the false alarms out of pictures without people, which are small, and
# leaves alone the portrait of somebody who is hard to see.
_CERTAIN = 2.0
_PRIOR_SIZE, _MOST_PRIOR = 50, 2.0

# A box that lies inside a surer and larger one by this share of its area is a part of
# that face, such as its mouth, or hidden together with it.
_INSIDE = 0.9
_PART_SIZE = 0.5

# So many boxes are compared with all others at a time.
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class PassResult:
    """What one pass answered.

    Attributes:
        made: the pass.
        scale: shown pixels to a pixel of the picture.
        region: the part of the picture that was shown.
        candidates: what was found, in pixels of the picture.
    """

    made: ScalePass
    scale: float
    region: Region
    candidates: Candidates

    @classmethod
    def of(
        cls, made: ScalePass, scale: float, region: Region, seen: Candidates
    ) -> "PassResult":
        """A result that leaves the faces to others that are not of its sizes."""
        return cls(made, scale, region, seen[_in_range(made, scale, seen.boxes)])

    def answers_for(self, boxes: Floats) -> Mask:
        """Which faces, boxes of shape (N, 4), this pass should have found."""
        return _in_range(self.made, self.scale, boxes) & self.region.holds(boxes)


def _in_range(made: ScalePass, scale: float, boxes: Floats) -> Mask:
    shown = sizes(boxes) * scale
    return np.asarray((shown >= made.smallest) & (shown <= made.largest))


def voted(
    results: Sequence[PassResult], min_score: float
) -> tuple[Candidates, NDArray[np.intp]]:
    """Merge what several passes found of one picture, best score first.

    A merged face has the mean box and points of its candidates, weighted by score: box
    voting, section 4.3 of S. Gidaris and N. Komodakis, "Object detection via a
    multi-region & semantic segmentation-aware CNN model", ICCV 2015. What the network
    says of it lies halfway between the best pass's score and the mean of all passes
    that answer for it; its score is the probability that follows.

    Args:
        results: one or more, of the same picture.
        min_score: the least score of what is returned.

    Returns:
        The faces, and of each the index of the pass that saw it best.
    """
    candidates = Candidates.joined([result.candidates for result in results])
    # What can reach the score; the others only have a say in these.
    leading = odds(candidates.scores, candidates.boxes) >= _odds_of(min_score) - _SLACK
    faces, group_of = merged(candidates, leading)
    if not len(faces):
        return faces, np.zeros(0, np.intp)
    counts = [len(result.candidates) for result in results]
    pass_of = np.repeat(np.arange(len(results)), counts)
    scores = np.zeros((len(faces), len(results)), np.float32)
    used = group_of >= 0
    np.maximum.at(scores, (group_of[used], pass_of[used]), candidates.scores[used])
    asked = np.stack([result.answers_for(faces.boxes) for result in results], axis=1)
    asked |= scores > 0
    halfway = (scores.max(axis=1) + scores.sum(axis=1) / asked.sum(axis=1)) / 2
    likely = _with_company(odds(halfway, faces.boxes), faces.boxes)
    faces = Candidates(faces.boxes, likely, faces.points)
    order = np.argsort(-faces.scores, kind="stable")
    order = order[faces.scores[order] >= min_score]
    order = order[~_parts(faces[order])]
    return faces[order], scores[order].argmax(axis=1)


def merged(
    candidates: Candidates, leading: Mask
) -> tuple[Candidates, NDArray[np.intp]]:
    """Make one of the candidates that mean the same face.

    Args:
        candidates: of a picture, in any order.
        leading: shape (N,), round which of them a face may form.

    Returns:
        The faces by falling score, each with the best score of its candidates and the
        means of their boxes and points; and, shape (N,), the face of each candidate,
        -1 for none.
    """
    scores = candidates.scores
    seeds, group_of = groups(candidates.boxes, scores, SAME_FACE, leading)
    if not len(seeds):
        return candidates[seeds], group_of
    used = group_of >= 0
    weights = scores[used] ** _SHARPNESS
    boxes = _means(candidates.boxes[used], group_of[used], weights)
    points = _means(candidates.points[used], group_of[used], weights)
    return Candidates(boxes, scores[seeds], points), group_of


def _means(values: Floats, group_of: NDArray[np.intp], weights: Floats) -> Floats:
    """The weighted mean of each group's values, shape (N, ...)."""
    columns = values.reshape(len(values), -1).T
    sums = [np.bincount(group_of, weights * column) for column in columns]
    means = np.stack(sums, axis=1) / np.bincount(group_of, weights)[:, None]
    return np.asarray(means, np.float32).reshape(-1, *values.shape[1:])


def _parts(faces: Candidates) -> Mask:
    """Which of the faces, best score first, are but parts of a surer, larger one.

    What has the points of a face is none: a child held before a cheek, a card with a
    portrait.
    """
    parts = np.zeros(len(faces), bool)
    extents = sizes(faces.boxes)
    for start in range(0, len(faces), _BLOCK):
        block = slice(start, start + _BLOCK)
        is_inside = shares(faces.boxes[block], faces.boxes) >= _INSIDE
        is_inside &= extents * _PART_SIZE >= extents[block, None]
        # Those before it are the surer ones.
        parts[block] = np.tril(is_inside, start - 1).any(axis=1)
    return parts & ~fit_a_face(faces.points)


def odds(scores: Floats, boxes: Floats) -> Floats:
    """Logarithms of the odds that each is a face.

    Args:
        scores: shape (N,), as the network gives them.
        boxes: shape (N, 4), in pixels of the picture.
    """
    by_size = np.log(np.clip(sizes(boxes), 1, _LARGE_SIZE) / _USUAL_SIZE)
    summed = _ODDS + _ODDS_BY_SCORE * _odds_of(scores) + _ODDS_BY_SIZE * by_size
    return np.asarray(summed, np.float32)


def _with_company(odds: Floats, boxes: Floats) -> Floats:
    """How likely the possible faces of one picture are faces, 0 to 1.

    Args:
        odds: shape (N,), N at least 1, logarithms: of each by itself.
        boxes: shape (N, 4), in pixels of the picture.
    """
    lacking = min(float(odds.max()) - _CERTAIN, 0)
    weights = np.minimum(_PRIOR_SIZE / np.maximum(sizes(boxes), 1), _MOST_PRIOR)
    return probabilities(np.asarray(odds + lacking * weights, np.float32))


def probabilities(odds: Floats) -> Floats:
    """The probabilities, 0 to 1, that logarithms of odds mean."""
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def _odds_of(probability: Floats | float) -> Floats:
    bounded = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(bounded / (1 - bounded)), np.float32)


def groups(
    boxes: Floats, scores: Floats, min_overlap: float, leading: Mask
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Bring boxes together that mean the same face.

    The best box takes all that overlap it, then the best of the rest, and so on.

    Args:
        boxes: shape (N, 4): left, top, right, bottom.
        scores: shape (N,).
        min_overlap: intersection over union with a group's best box, 0 to 1.
        leading: shape (N,), which boxes may be a group's seed.

    Returns:
        The index of each group's seed, by falling score; and, shape (N,), the group
        of each box, -1 for none.
    """
    group_of = np.full(len(scores), -1, np.intp)
    seeds = [np.zeros(0, np.intp)]
    count = 0
    rest = np.argsort(-scores, kind="stable")
    while (block := rest[leading[rest]][:_BLOCK]).size:
        same = overlaps(boxes[block], boxes[block]) >= min_overlap
        best: list[int] = []
        is_free = np.ones(len(block), bool)
        for index in range(len(block)):
            if is_free[index]:
                best.append(index)
                is_free &= ~same[index]
        seeds.append(block[best])
        same = overlaps(boxes[block[best]], boxes[rest]) >= min_overlap
        # An empty box overlaps nothing, not even itself.
        same |= block[best][:, None] == rest
        taken = same.any(axis=0)
        group_of[rest[taken]] = count + same[:, taken].argmax(axis=0)
        count += len(best)
        rest = rest[~taken]
    return np.concatenate(seeds), group_of


def overlaps(first: Floats, second: Floats) -> Floats:
    """Intersection over union of each box of (M, 4) with each of (N, 4)."""
    shared = _shared(first, second)
    union = _areas(first)[:, None] + _areas(second) - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float32)


def shares(first: Floats, second: Floats) -> Floats:
    """The share of each box of (M, 4) that lies in each of (N, 4)."""
    areas = np.maximum(_areas(first), 1e-9)
    return np.asarray(_shared(first, second) / areas[:, None], np.float32)


def _shared(first: Floats, second: Floats) -> Floats:
    """What each box of (M, 4) has in common with each of (N, 4), in square pixels."""
    left, top, right, bottom = second.T
    lefts, tops, rights, bottoms = first.T[:, :, None]
    across = np.minimum(rights, right) - np.maximum(lefts, left)
    down = np.minimum(bottoms, bottom) - np.maximum(tops, top)
    return np.asarray(np.maximum(across, 0) * np.maximum(down, 0), np.float32)


def _areas(boxes: Floats) -> Floats:
    left, top, right, bottom = boxes.T
    return np.asarray((right - left) * (bottom - top), np.float32)
