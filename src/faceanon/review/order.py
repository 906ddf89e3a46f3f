"""In which order pictures are reviewed: the least certain first."""

from collections.abc import Iterable, Sequence

import numpy as np

from faceanon.boxes import FaceTable, Record
from faceanon.pipeline.track_report import FOUND_BY

_UNASKED = frozenset(["hand", *FOUND_BY.values()])
"""What `Face.found_by` says of boxes that have no score of their own."""


def by_doubt(records: Sequence[Record]) -> list[int]:
    """The indices of the records in the order in which to review them.

    First those in which something comes close to the threshold from which on faces are
    hidden, the closest first; then the others; at last those that have been reviewed.
    Within each group, in their own order.
    """
    threshold = _threshold(records)

    def rank(index: int) -> tuple[bool, float]:
        record = records[index]
        return record.reviewed, -_doubt(record, threshold)

    return sorted(range(len(records)), key=rank)


def _doubt(record: Record, threshold: float) -> float:
    """How close a score of the picture comes to the threshold: 1 at it, else less.

    0 where none comes closer than the threshold itself is to 0, and without faces.
    """
    scores = _scores((record,), hidden=True) + _scores((record,), hidden=False)
    distance = min((abs(score - threshold) for score in scores), default=threshold)
    return max(1 - distance / threshold, 0.0)


def _threshold(records: Sequence[Record]) -> float:
    """The score from which on faces were hidden, as far as the records show it.

    Those that were reviewed do not: somebody has decided there.
    """
    untouched = [record for record in records if not record.reviewed]
    above = _scores(untouched, hidden=True)
    below = _scores(untouched, hidden=False)
    threshold = min(above) if above else max(below, default=1.0)
    return threshold if threshold > 0 else 1.0


def _scores(records: Iterable[Record], hidden: bool) -> list[float]:
    """The scores of what a detector was asked about."""
    scores: list[float] = []
    for record in records:
        faces = record.hidden if hidden else record.shown
        if isinstance(faces, FaceTable):
            unasked = [n for n, name in enumerate(faces.names) if name in _UNASKED]
            scores += faces.scores[~np.isin(faces.found_by, unasked)].tolist()
        else:
            scores += [face.score for face in faces if face.found_by not in _UNASKED]
    return scores
