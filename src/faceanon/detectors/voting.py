"""Making one face of the boxes that mean the same one."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from faceanon.detectors.candidates import Candidates, Floats


def voted(candidates: Candidates, min_overlap: float) -> Candidates:
    """Merge candidates that mean the same face, best score first.

    A merged face has the mean box and points of its candidates, weighted by score, and
    the best score: box voting, section 4.3 of S. Gidaris and N. Komodakis, "Object
    detection via a multi-region & semantic segmentation-aware CNN model", ICCV 2015.

    Args:
        candidates: those of one picture, from any number of passes.
        min_overlap: intersection over union from which on two candidates are one face.
    """
    merged = []
    for group in groups(candidates.boxes, candidates.scores, min_overlap):
        members = candidates[group]
        weights = members.scores / members.scores.sum()
        merged.append(
            Candidates(
                np.tensordot(weights, members.boxes, 1)[None],
                members.scores[:1],
                np.tensordot(weights, members.points, 1)[None],
            )
        )
    return Candidates.joined(merged) if merged else candidates


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
