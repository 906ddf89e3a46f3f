"""Following the faces of a film: where each is hidden in which frame.

A detector loses a face for a frame now and then. In a film that is enough to see it. So
finds are joined to tracks; a track goes on where the face was not found, and a little
before and after. All of it happens as if the camera stood still (`camera` tells how it
moves), and nothing crosses a cut.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from faceanon.vision.tracking.arrays import Floats, Rows, medians, ranges
from faceanon.vision.tracking.camera import CameraMotion
from faceanon.vision.tracking.finds import Finds
from faceanon.vision.tracking.linking import Sightings, linked, moved_on, movement
from faceanon.vision.tracking.overlaps import Boxes, lie_in_others
from faceanon.vision.tracking.smoothing import calmed, highest, reached, smoothed

WEAK, BETWEEN, HELD = 253, 254, 255
"""What `Tracks.found_by` says of rows that no detector was sure of: a find too weak to
count by itself, none between two finds, none before the first or after the last."""

# A face is hidden for so many seconds before its first and after its last find, and so
# long after it was lost: nobody vanishes in the middle of a picture.
_HELD, _HELD_IF_LOST = 0.25, 1.0

# How much wider a box becomes with each second from the nearest find.
_GROWTH = 0.3

# A box holds where the face is so many seconds before and after: so long may a frame be
# exposed, half of its time at 30 frames a second, and what moves is smeared.
_LAG = 1 / 60

# A track is certain if most of its sure finds are scored so high, and it has so many.
# One that has fewer, which are scored lower, is often no face.
_CERTAIN, _MANY = 0.5, 3

# Finds too weak to count by themselves are steady if they go on for so many seconds,
# are there in half of the looks, and as many are scored so high: chance finds are rarer
# or lower.
_STEADY, _CLEAR = 0.5, 0.18

# What a frame takes at least, in seconds.
_LEAST_TIME = 1e-9

# About so many rows are worked on at a time.
_ROWS_AT_A_TIME = 1 << 16

# What is lost by computing, in pixels and seconds.
_ROUNDING = 1e-6

# What comes so close to the edge, in its own sizes, leaves the picture.
_MARGIN = 0.125


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The faces to hide in a film: a row for each face and frame, by frame.

    Attributes:
        frames: shape (M,), int32, ascending.
        boxes: shape (M, 4), int32: left, top, right, bottom in pixels, half-open; they
            may reach over the edge of the frame, but not lie outside of it.
        scores: shape (M,), float32: of the find, but no less than the median of the
            sure finds of the track; of the clear ones where none is sure.
        points: shape (M, 5, 2), float32; NaN where nothing is known.
        tracks: shape (M,), int32: the number of the track, 0 to T - 1, in the order of
            their first frames.
        found_by: shape (M,), uint8: that of the find, or `WEAK`, `BETWEEN`, `HELD`.
        tones: shape (T, 3), uint8: the median tone of the same finds, BGR.
        is_lost: shape (T,), bool: whether it ends inside of the picture without a cut,
            though it was certain.
    """

    frames: NDArray[np.int32]
    boxes: NDArray[np.int32]
    scores: NDArray[np.float32]
    points: NDArray[np.float32]
    tracks: NDArray[np.int32]
    found_by: NDArray[np.uint8]
    tones: NDArray[np.uint8]
    is_lost: NDArray[np.bool_]


def follow(
    finds: Finds,
    motion: CameraMotion,
    looked: NDArray[np.bool_],
    times: NDArray[np.float64],
    size: tuple[int, int],
) -> Tracks:
    """Follow the faces of a film of F frames.

    Args:
        finds: what was found in the frames that were looked at.
        motion: how the camera moves.
        looked: shape (F,): whether faces were looked for in a frame.
        times: shape (F,), ascending: when each frame is shown, in seconds.
        size: width and height of the upright frames, in pixels.
    """
    # Frames that are shown at the same time, as in damaged files, take a little.
    times = np.maximum.accumulate(times) + _LEAST_TIME * np.arange(len(times))
    film = _Film(motion, looked, times, size)
    seen = _sightings(finds, film)
    known = _known(finds, seen, film)
    is_lost = _is_lost(known, film)
    return _hidden(known, is_lost, film)


@dataclass(frozen=True, slots=True, eq=False)
class _Film:
    """What is known of the frames of a film; see `follow`."""

    motion: CameraMotion
    looked: NDArray[np.bool_]
    times: Floats
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """The finds of all T tracks: K rows, those of the first track first.

    Attributes:
        tracks: shape (K,), ascending.
        frames: shape (K,).
        places: shape (K, 4): x and y of the middle, width and height, as a still camera
            would have seen them.
        parts: shape (K, 5, 2): the points, from the middle, in sizes of the box.
        scores: shape (K,).
        found_by: shape (K,).
        starts: shape (T,): the first row of each track.
        ends: shape (T,): the last.
        tones: shape (T, 3).
        is_certain: shape (T,): whether a track surely is a face.
        is_doubtful: shape (T,): whether it may well be none.
    """

    tracks: Rows
    frames: Rows
    places: Floats
    parts: NDArray[np.float32]
    scores: NDArray[np.float32]
    found_by: NDArray[np.uint8]
    starts: Rows
    ends: Rows
    tones: NDArray[np.uint8]
    is_certain: NDArray[np.bool_]
    is_doubtful: NDArray[np.bool_]


def _sightings(finds: Finds, film: _Film) -> Sightings:
    """The finds as a still camera would have seen them."""
    boxes = finds.boxes.astype(np.float64)
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2], 1)
    middles = (boxes[:, 2:] + boxes[:, :2]) / 2 - film.motion.path[finds.frames]
    return Sightings(
        places=np.hstack((middles, sizes)),
        frames=finds.frames,
        times=film.times[finds.frames],
        looks=np.cumsum(film.looked, dtype=np.int64)[finds.frames],
        shots=film.motion.shots[finds.frames],
        scores=finds.scores,
        is_sure=finds.is_sure,
    )


def _known(finds: Finds, seen: Sightings, film: _Film) -> _Known:
    """Link the finds and sort those that count by track."""
    numbers, is_certain, is_doubtful = _faces(seen)
    rows = np.flatnonzero(numbers >= 0)
    rows = rows[np.argsort(numbers[rows], kind="stable")]
    tracks, is_sure = numbers[rows], finds.is_sure[rows]
    count = np.bincount(tracks[is_sure], minlength=len(is_certain))
    # Its sure finds tell what a face is like; the clear ones if it has none.
    tells = is_sure | ((count[tracks] == 0) & (finds.scores[rows] >= _CLEAR))
    usual = medians(finds.scores[rows[tells]], tracks[tells])
    tones = [medians(tone, tracks[tells]) for tone in finds.tones[rows[tells]].T]
    places = seen.places[rows]
    middles = places[:, :2] + film.motion.path[finds.frames[rows]]
    parts = (finds.points[rows] - middles[:, None]) / places[:, None, 2:]
    is_first = np.diff(tracks, prepend=-1) > 0
    return _Known(
        tracks=tracks,
        frames=finds.frames[rows].astype(np.int64),
        places=places,
        parts=parts.astype(np.float32),
        scores=np.maximum(finds.scores[rows], usual[tracks]),
        found_by=np.where(is_sure, finds.found_by[rows], WEAK).astype(np.uint8),
        starts=np.flatnonzero(is_first),
        ends=np.flatnonzero(np.roll(is_first, -1)),
        tones=np.stack(tones, axis=1),
        is_certain=is_certain,
        is_doubtful=is_doubtful,
    )


def _faces(seen: Sightings) -> tuple[Rows, NDArray[np.bool_], NDArray[np.bool_]]:
    """Link the finds and leave out those that may well be no face.

    These are weak finds by themselves, or beside a single doubtful one, unless they
    are steady.

    Returns:
        The number of the track of each find, -1 for finds of none; shape (N,). Whether
        each track is certain, and whether it is doubtful; shape (T,).
    """
    numbers = linked(seen)
    rows = np.flatnonzero(numbers >= 0)
    tracks, scores, is_sure = numbers[rows], seen.scores[rows], seen.is_sure[rows]
    first = np.unique(tracks, return_index=True)[1]
    last = len(tracks) - 1 - np.unique(tracks[::-1], return_index=True)[1]
    lasted = seen.times[rows[last]] - seen.times[rows[first]]
    looks = seen.looks[rows[last]] - seen.looks[rows[first]] + 1

    def count(which: NDArray[np.bool_]) -> Rows:
        return np.bincount(tracks[which], minlength=len(first))

    sure, high = count(is_sure), count(is_sure & (scores >= _CERTAIN))
    is_steady = (
        (lasted >= _STEADY - _ROUNDING)
        & (2 * np.bincount(tracks) >= looks)
        & (count(scores >= _CLEAR) >= _MANY)
    )
    is_certain = (2 * high > sure) & (sure >= _MANY)
    is_doubtful = (2 * high <= sure) & (sure < _MANY)
    may_be_none = is_doubtful & (sure <= 1) & ~is_steady
    rows = rows[is_sure | ~may_be_none[tracks]]
    # By their first frames, which may be others now.
    kept, first = np.unique(numbers[rows], return_index=True)
    kept = kept[np.argsort(first)]
    renumbered = np.full(len(is_certain), -1)
    renumbered[kept] = np.arange(len(kept))
    result = np.full(len(numbers), -1)
    result[rows] = renumbered[numbers[rows]]
    return result, is_certain[kept], is_doubtful[kept]


def _is_lost(known: _Known, film: _Film) -> NDArray[np.bool_]:
    """Whether each track ends though its face should still be in the picture."""
    rows = known.ends
    frames, shots = known.frames[rows], film.motion.shots
    looks = np.flatnonzero(film.looked)
    if not len(looks):
        return np.zeros(len(rows), bool)
    number = np.searchsorted(looks, frames, side="right")
    following = looks[np.minimum(number, len(looks) - 1)]
    goes_on = (number < len(looks)) & (shots[following] == shots[frames])
    behind = np.arange(len(known.tracks)) - 1
    behind[known.starts] = -1
    times = film.times[known.frames]
    speed = movement(known.places, times, rows, behind)
    # At once, and when it would have come as far as it does.
    here = known.places[rows, :2] + film.motion.path[following]
    there = here + moved_on(speed, np.full(len(rows), _HELD))
    margin = known.places[rows, 2:] * (0.5 + _MARGIN)
    lowest, largest = np.minimum(here, there), np.maximum(here, there)
    is_inside = (lowest >= margin) & (largest <= film.size - margin)
    at = np.flatnonzero(known.is_certain & goes_on & is_inside.all(axis=1))
    # If another find is there now, it is the same face, or hides it.
    half = known.places[rows[at], 2:] / 2
    boxes = np.hstack((here[at] - half, here[at] + half))
    is_lost = np.zeros(len(rows), bool)
    is_lost[at] = ~lie_in_others(Boxes(following[at], at, boxes), _sure(known, film))
    return is_lost


def _sure(known: _Known, film: _Film) -> Boxes:
    """The sure finds, by frame."""
    rows = np.flatnonzero(known.found_by < WEAK)
    rows = rows[np.argsort(known.frames[rows], kind="stable")]
    frames = known.frames[rows]
    half = known.places[rows, 2:] / 2
    middles = known.places[rows, :2] + film.motion.path[frames]
    boxes = np.hstack((middles - half, middles + half))
    return Boxes(frames, known.tracks[rows], boxes)


def _hidden(known: _Known, is_lost: NDArray[np.bool_], film: _Film) -> Tracks:
    """A row for each frame in which a face is hidden."""
    steps = _steps(known, is_lost, film)
    boxes = np.empty((len(steps.frames), 4), np.int32)
    points = np.empty((len(steps.frames), 5, 2), np.float32)
    for where, part in steps.parts():
        boxes[where] = _boxes(known, part, film)
        points[where] = _points(known, part, film)
    found_by = known.found_by[steps.rows]
    found_by[~steps.is_found] = BETWEEN
    found_by[steps.is_held] = HELD
    is_hidden = np.all((boxes[:, 2:] > 0) & (boxes[:, :2] < film.size), axis=1)
    # What is held and would hide another face twice is left out.
    held, others = np.flatnonzero(steps.is_held), np.flatnonzero(~steps.is_held)
    others = others[np.argsort(steps.frames[others], kind="stable")]
    is_hidden[held] &= ~lie_in_others(
        Boxes(steps.frames[held], steps.tracks[held], boxes[held]),
        Boxes(steps.frames[others], steps.tracks[others], boxes[others]),
    )
    order = np.flatnonzero(is_hidden)
    order = order[np.argsort(steps.frames[order], kind="stable")]
    scores = np.minimum(known.scores[steps.rows], known.scores[steps.after])
    return Tracks(
        frames=steps.frames[order].astype(np.int32),
        boxes=boxes[order],
        scores=scores[order],
        points=points[order],
        tracks=steps.tracks[order].astype(np.int32),
        found_by=found_by[order],
        tones=known.tones,
        is_lost=is_lost,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Steps:
    """All M frames of all tracks, track by track; all attributes have shape (M,).

    Attributes:
        frames: the number of the frame.
        tracks: the number of the track.
        rows: the row of `_Known` that was found then, or was the last one before;
            before the first one, the row of that.
        after: the row of the next one where nothing was found in between; elsewhere the
            same as `rows`.
        times: when the frame is shown, in seconds.
        since: how long ago that of `rows` was shown; negative before it.
        until: in how long that of `after` is shown; negative after it.
    """

    frames: Rows
    tracks: Rows
    rows: Rows
    after: Rows
    times: Floats
    since: Floats
    until: Floats

    def parts(self) -> Iterator[tuple[slice, "_Steps"]]:
        """Some tracks at a time, and where they are, which takes less memory."""
        first = np.flatnonzero(np.diff(self.tracks, prepend=-1))
        # The first track that begins in each part of the rows.
        starts = first[np.unique(first // _ROWS_AT_A_TIME, return_index=True)[1]]
        for start, end in pairwise([*map(int, starts), len(self.tracks)]):
            where = slice(start, end)
            columns = {
                each.name: getattr(self, each.name)[where] for each in fields(self)
            }
            yield where, _Steps(**columns)

    @property
    def is_found(self) -> NDArray[np.bool_]:
        """Whether something was found in this frame."""
        return np.asarray(self.since == 0)

    @property
    def is_held(self) -> NDArray[np.bool_]:
        """Whether it is before the first find or after the last."""
        return np.asarray(~self.is_found & (self.rows == self.after))

    @property
    def share(self) -> Floats:
        """How much of the way from `rows` to `after` has been gone, 0 to 1."""
        is_between = self.rows != self.after
        lasted = np.where(is_between, self.since + self.until, 1)
        return np.where(is_between, self.since / lasted, 0)


def _steps(known: _Known, is_lost: NDArray[np.bool_], film: _Film) -> _Steps:
    """The frames in which a track is hidden."""
    frames, times, shots = known.frames, film.times, film.motion.shots
    # Each row stands for the frames from `first` to before `end`.
    first = frames.copy()
    end = np.roll(first, -1)
    at = frames[known.starts]
    held = np.where(known.is_doubtful, 0, _HELD) + _ROUNDING
    back = np.searchsorted(times, times[at] - held)
    first[known.starts] = np.maximum(
        np.minimum(back, at - 1), np.searchsorted(shots, shots[at])
    )
    at = frames[known.ends]
    held = np.where(is_lost, _HELD_IF_LOST + _ROUNDING, held)
    on = np.searchsorted(times, times[at] + held, side="right")
    end[known.ends] = np.minimum(
        np.maximum(on, at + 2), np.searchsorted(shots, shots[at], side="right")
    )
    rows, here = ranges(first, end)
    is_last = np.zeros(len(frames), bool)
    is_last[known.ends] = True
    after = rows + ((here > frames[rows]) & ~is_last[rows])
    return _Steps(
        frames=here,
        tracks=known.tracks[rows],
        rows=rows,
        after=after,
        times=times[here],
        since=times[here] - times[frames[rows]],
        until=times[frames[after]] - times[here],
    )


def _boxes(known: _Known, steps: _Steps, film: _Film) -> Floats:
    """Where the faces are hidden: left, top, right, bottom, whole pixels; (M, 4)."""
    places = _places(known, steps)
    away = np.minimum(np.abs(steps.since), np.abs(steps.until))
    half = places[:, 2:] * ((1 + _GROWTH * away) / 2)[:, None]
    # Outwards is up on all four sides.
    edges = np.hstack((half - places[:, :2], half + places[:, :2]))
    # Where a face was not found, all of its way since the frame before is hidden.
    edges = np.where(
        steps.is_found[:, None],
        reached(edges, steps.times, steps.tracks, _LAG),
        highest(edges, steps.times, steps.tracks, least=1),
    )
    edges = calmed(edges, steps.times, steps.tracks)
    path = film.motion.path[steps.frames]
    boxes = np.ceil(edges + np.hstack((-path, path)) - _ROUNDING)
    boxes[:, :2] *= -1
    return boxes


def _points(known: _Known, steps: _Steps, film: _Film) -> NDArray[np.float32]:
    """The points of the faces; shape (M, 5, 2)."""
    before, after = known.parts[steps.rows], known.parts[steps.after]
    share = steps.share[:, None, None]
    parts = before * (1 - share) + after * share
    for known_there in (before, after):
        parts = np.where(np.isnan(parts), known_there, parts)
    places = _places(known, steps)
    points = places[:, None, :2] + parts * places[:, None, 2:]
    points = smoothed(points.reshape(-1, 10), steps.times, steps.tracks)
    points = points.reshape(-1, 5, 2) + film.motion.path[steps.frames][:, None]
    return points.astype(np.float32)


def _places(known: _Known, steps: _Steps) -> Floats:
    """Where the faces are, as a still camera would see them; shape (M, 4)."""
    share = steps.share[:, None]
    before, after = known.places[steps.rows], known.places[steps.after]
    return np.asarray(before * (1 - share) + after * share)
