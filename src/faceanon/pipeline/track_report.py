"""What is told of each face of a film: a row a track."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from faceanon.boxes import FaceTable
from faceanon.model import Match
from faceanon.vision.tracking.tracker import BETWEEN, HELD, WEAK

FOUND_BY = {WEAK: "weak", BETWEEN: "between", HELD: "held"}
"""What `Face.found_by` says of rows that no detector was sure of: a find too weak to
count by itself, none between two finds, none before the first or after the last."""


@dataclass(frozen=True, slots=True)
class TrackReport:
    """One face of a film.

    Attributes:
        track: its number.
        first: the first frame in which it is hidden, counted from 0.
        last: the last one.
        start: when the first is shown, in seconds.
        end: when the last is shown.
        frames: in how many frames it was found, weakly found, or placed between and
            beyond its finds.
        least_score: of its sure finds, 0 to 1; 0 where it has none.
        largest: its width and height where it is largest, in pixels.
        longest_gap: the longest time without a find between two, in seconds.
        is_lost: whether it ends though its face should still be in the picture.
        is_hidden: whether it is hidden, or shown by who it is.
        match: whose it is; None when nobody was asked for.
        otherwise: in how many frames another method hid it instead, or none did
            (`LEFT_ALONE`).
    """

    track: int
    first: int
    last: int
    start: float
    end: float
    frames: Mapping[str, int]
    least_score: float
    largest: tuple[int, int]
    longest_gap: float
    is_lost: bool
    is_hidden: bool = True
    match: Match | None = None
    otherwise: Mapping[str, int] = field(default_factory=dict)

    @property
    def frame_count(self) -> int:
        """In how many frames it is hidden."""
        return sum(self.frames.values())


def track_reports(
    faces: FaceTable,
    times: NDArray[np.float64],
    lost: Sequence[int],
    *,
    is_hidden: bool,
) -> list[TrackReport]:
    """The rows of a film's tracks, by their first frames.

    Args:
        faces: of the film.
        times: when each frame is shown, in seconds: shape (F,).
        lost: the tracks that end in the middle of the picture.
        is_hidden: whether they are hidden.
    """
    reports = [
        _report(faces, rows, times, lost, is_hidden) for rows in faces.rows_of_tracks()
    ]
    return sorted(reports, key=lambda report: (report.first, report.track))


def _report(
    faces: FaceTable,
    rows: NDArray[np.intp],
    times: NDArray[np.float64],
    lost: Sequence[int],
    is_hidden: bool,
) -> TrackReport:
    track = int(faces.tracks[rows[0]])
    frames = faces.frames[rows]
    names = [faces.names[number] for number in faces.found_by[rows].tolist()]
    counts = Counter(name if name in _ADDED else "found" for name in names)
    is_found = np.array([name not in _ADDED for name in names])
    is_seen = np.array([name not in _UNSEEN for name in names])
    seen = times[np.minimum(frames[is_seen], len(times) - 1)]
    sizes = faces.boxes[rows, 2:] - faces.boxes[rows, :2]
    width, height = sizes[sizes.prod(axis=1).argmax()].tolist()
    facts = faces.facts.get(track)
    return TrackReport(
        track=track,
        first=int(frames[0]),
        last=int(frames[-1]),
        start=float(times[frames[0]]),
        end=float(times[frames[-1]]),
        frames={kind: counts[kind] for kind in ("found", *FOUND_BY.values())},
        least_score=float(faces.scores[rows][is_found].min()) if any(is_found) else 0.0,
        largest=(width, height),
        longest_gap=float(np.diff(seen).max(initial=0)),
        is_lost=track in lost,
        is_hidden=is_hidden,
        match=facts.match if facts else None,
    )


_ADDED = frozenset(FOUND_BY.values())
_UNSEEN = frozenset([FOUND_BY[BETWEEN], FOUND_BY[HELD]])
