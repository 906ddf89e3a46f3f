"""Which finds of a film are the same face.

Two thresholds, as in Y. Zhang et al., "ByteTrack: Multi-Object Tracking by Associating
Every Detection Box", 2022: what is surely a face begins a track or continues one, then
weak finds continue those that are left. As the whole film is known, a second sweep goes
from its end to its beginning: weak finds before the first sure one, and tracks that
only meet when looked at from behind. What is left then are runs of weak finds only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from faceanon.vision.tracking.arrays import Floats, Rows

# A face that is not found for so long, in seconds, or in so few looks, is the same one
# when it is found again nearby.
_LONGEST_LOSS, _FEWEST_LOOKS = 1.0, 3

# The same for weak finds, which are anywhere: they only follow closely.
_LONGEST_WEAK_LOSS = 0.3

# Below this score a find is noise.
_LEAST_SCORE = 0.08

# The least likeness of a track and of a find that is surely a face, or is weak.
_ALIKE, _ALIKE_WEAK = 0.25, 0.35

# By how much boxes are grown before their overlap is taken: small faces move by more
# than their width from one frame to the next.
_GROWN = 2

# Of faces whose sides differ by more than this factor, none is the other.
_LARGEST_CHANGE = 2

# A movement is measured over so many seconds, and if it slows down, goes on for so
# many.
_MEASURED_OVER, _GOES_ON = 0.2, 0.15

_NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """The finds of a film as a still camera would have seen them.

    Attributes:
        places: shape (N, 4): x and y of the middle, width, height.
        frames: shape (N,), ascending.
        times: shape (N,), in seconds.
        looks: shape (N,): how many frames were looked at until then.
        shots: shape (N,).
        scores: shape (N,).
        is_sure: shape (N,): whether it is surely a face.
    """

    places: Floats
    frames: NDArray[np.int32]
    times: Floats
    looks: Rows
    shots: NDArray[np.int32]
    scores: NDArray[np.float32]
    is_sure: NDArray[np.bool_]


def linked(seen: Sightings) -> Rows:
    """The number of the track of each find, -1 for finds of none; shape (N,).

    Weak finds that follow each other beside all faces are tracks, too.
    """
    count = len(seen.frames)
    before, after = np.full(count, _NONE), np.full(count, _NONE)
    in_track = np.zeros(count, bool)
    frames = _by_frame(seen, np.arange(count))
    _sweep(seen, frames, before, after, in_track)
    _sweep(seen, frames[::-1], after, before, in_track)
    left = np.flatnonzero(~in_track & (seen.scores >= _LEAST_SCORE))
    in_track[left] = True
    _sweep(seen, _by_frame(seen, left), before, after, in_track)
    first = np.where(before == _NONE, np.arange(count), before)
    while not np.array_equal(first, first[first]):
        first = first[first]
    numbers = np.full(count, _NONE)
    numbers[in_track] = np.unique(first[in_track], return_inverse=True)[1]
    return numbers


def movement(places: Floats, times: Floats, rows: Rows, behind: Rows) -> Floats:
    """How fast the faces of these rows move, as measured over the finds behind them.

    Args:
        places: of all rows, shape (N, 4).
        times: of all rows.
        rows: shape (R,).
        behind: for each row, the one behind it in its track, -1 if there is none.

    Returns:
        Right and down, in pixels a second; shape (R, 2).
    """
    start = rows
    is_near = behind[rows] != _NONE
    while is_near.any():
        start = np.where(is_near, behind[start], start)
        next_one = np.where(behind[start] == _NONE, start, behind[start])
        is_near &= (next_one != start) & (
            np.abs(times[next_one] - times[rows]) <= _MEASURED_OVER
        )
    lasted = times[rows] - times[start]
    moved = places[rows, :2] - places[start, :2]
    return np.asarray(moved / np.where(lasted == 0, np.inf, lasted)[:, None])


def moved_on(speed: Floats, lasted: Floats) -> Floats:
    """How far something has moved that slows down; shape (R, 2), in pixels.

    Args:
        speed: shape (R, 2), in pixels a second.
        lasted: shape (R,), in seconds; negative for where it was before.
    """
    damped = np.sign(lasted) * _GOES_ON * (1 - np.exp(-np.abs(lasted) / _GOES_ON))
    return np.asarray(speed * damped[:, None])


def _by_frame(seen: Sightings, rows: Rows) -> list[Rows]:
    """Rows, which ascend, by the frames in which there are some."""
    starts = np.flatnonzero(np.diff(seen.frames[rows], prepend=-1))
    return np.split(rows, starts[1:]) if len(rows) else []


def _sweep(
    seen: Sightings,
    frames: list[Rows],
    behind: Rows,
    ahead: Rows,
    in_track: NDArray[np.bool_],
) -> None:
    """Link finds, frame by frame.

    Args:
        seen: the finds.
        frames: their rows by frame, in the order of the sweep.
        behind: the row behind each, as seen from the sweep; is changed.
        ahead: the row ahead of each; is changed.
        in_track: whether a row belongs to a track; is changed.
    """
    # The rows with which the tracks end for now.
    ends = np.zeros(0, np.int64)
    for rows in frames:
        ends = ends[_reach(seen, ends, rows[0], _LONGEST_LOSS)]
        is_find = seen.is_sure[rows] | (seen.scores[rows] >= _LEAST_SCORE)
        free = rows[is_find & (behind[rows] == _NONE)]
        if len(ends) and len(free):
            one, other = _met(seen, ends, free, behind)
            behind[other], ahead[one] = one, other
            in_track[other] = True
            ends = ends[ahead[ends] == _NONE]
        in_track[rows] |= seen.is_sure[rows]
        ends = np.append(ends, rows[in_track[rows] & (ahead[rows] == _NONE)])


def _met(seen: Sightings, ends: Rows, free: Rows, behind: Rows) -> tuple[Rows, Rows]:
    """Which tracks go on with which finds of a frame, the sure ones first.

    Args:
        seen: the finds.
        ends: the rows of the last finds of tracks.
        free: the rows of the frame that are in no track yet.
        behind: the row behind each.

    Returns:
        Rows of `ends` and of `free`.
    """
    places = seen.places[free]
    slower, on = _predicted(seen, ends, behind, free[0])
    alike = np.maximum(_likeness(slower, places), _likeness(on, places))
    is_sure = seen.is_sure[free]
    one, other = _matched(np.where(is_sure & (alike >= _ALIKE), alike, 0))
    if not is_sure.all():
        is_near = _reach(seen, ends, free[0], _LONGEST_WEAK_LOSS)
        is_near[one] = False
        is_weak = is_near[:, None] & ~is_sure & (alike >= _ALIKE_WEAK)
        weak_one, weak_other = _matched(np.where(is_weak, alike, 0))
        one, other = np.append(one, weak_one), np.append(other, weak_other)
    return ends[one], free[other]


def _reach(
    seen: Sightings, ends: Rows, row: np.int64, longest: float
) -> NDArray[np.bool_]:
    """Which tracks are not lost for too long, or by a cut, in the frame of a row."""
    lasted = np.abs(seen.times[row] - seen.times[ends])
    looks = np.abs(seen.looks[row] - seen.looks[ends])
    is_near = (lasted <= longest) | (looks <= _FEWEST_LOOKS)
    return np.asarray(is_near & (seen.shots[ends] == seen.shots[row]))


def _predicted(
    seen: Sightings, ends: Rows, behind: Rows, row: np.int64
) -> tuple[Floats, Floats]:
    """Where tracks are in the frame of a row if they slow down, or go on evenly.

    Returns:
        Both of shape (R, 4).
    """
    speed = movement(seen.places, seen.times, ends, behind)
    lasted = seen.times[row] - seen.times[ends]
    slower, on = seen.places[ends], seen.places[ends]
    slower[:, :2] += moved_on(speed, lasted)
    on[:, :2] += speed * lasted[:, None]
    return slower, on


def _likeness(one: Floats, other: Floats) -> Floats:
    """The overlap of grown boxes, 0 for those of other sizes; shape (A, B)."""
    alike = np.zeros((len(one), len(other)))
    # Most of a crowd's boxes are apart; the others are few.
    apart = np.abs(one[:, None, 0] - other[None, :, 0])
    near = np.nonzero(2 * apart < _GROWN * (one[:, None, 2] + other[None, :, 2]))
    one, other = one[near[0]], other[near[1]]
    half = one[:, 2:] * (_GROWN / 2), other[:, 2:] * (_GROWN / 2)
    end = np.minimum(one[:, :2] + half[0], other[:, :2] + half[1])
    start = np.maximum(one[:, :2] - half[0], other[:, :2] - half[1])
    width, height = np.maximum(end - start, 0).T
    shared = width * height
    areas = [np.maximum(4 * each[:, 0] * each[:, 1], 1e-9) for each in half]
    change = areas[0] / areas[1]
    is_size = (change > 1 / _LARGEST_CHANGE**2) & (change < _LARGEST_CHANGE**2)
    alike[near] = np.where(is_size, shared / (areas[0] + areas[1] - shared), 0)
    return alike


def _matched(alike: Floats) -> tuple[Rows, Rows]:
    """Pairs of one row and one column, the most alike first, none of which is 0.

    Rows and columns that are each other's best are what a greedy choice takes first.
    """
    rows, columns = np.zeros(0, np.int64), np.zeros(0, np.int64)
    numbers = np.arange(len(alike))
    while alike.any():
        best = alike.argmax(axis=1)
        is_best = alike.argmax(axis=0)[best] == numbers
        row = np.flatnonzero(is_best & (alike[numbers, best] > 0))
        rows, columns = np.append(rows, row), np.append(columns, best[row])
        alike[row], alike[:, best[row]] = 0, 0
    return rows, columns
