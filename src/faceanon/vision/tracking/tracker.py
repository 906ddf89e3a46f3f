"""Following the faces of a film: where each is hidden in which frame.

A detector loses a face for a frame now and then. In a film that is enough to see it. So
finds are joined to tracks; a track goes on where the face was not found, and a little
before and after. All of it happens as if the camera stood still (`camera` tells how it
moves), and nothing crosses a cut.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceanon.vision.tracking.camera import CameraMotion
from faceanon.vision.tracking.finds import Finds
from faceanon.vision.tracking.linking import (
    Floats,
    Rows,
    Sightings,
    linked,
    moved_on,
    movement,
)
from faceanon.vision.tracking.smoothing import calmed, highest, smoothed

WEAK, BETWEEN, HELD = 253, 254, 255
"""What `Tracks.found_by` says of rows that no detector was sure of: a find too weak to
count by itself, none between two finds, none before the first or after the last."""

# A face is hidden for so many seconds before its first and after its last find, and so
# long after it was lost: nobody vanishes in the middle of a picture.
_HELD, _HELD_IF_LOST = 0.25, 1.0

# How much wider a box becomes with each second from the nearest find.
_GROWTH = 0.6

# A box holds those of the frames so many seconds before and after, one at least: finds
# lag in fast movements.
_HULL, _LEAST_HULL = 1 / 30, 1

# A track is certain if its median sure find is scored so high, and it has so many.
_CERTAIN, _MANY = 0.5, 3

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
            sure finds of the track.
        points: shape (M, 5, 2), float32; NaN where nothing is known.
        tracks: shape (M,), int32: the number of the track, 0 to T - 1, in the order of
            their first frames.
        found_by: shape (M,), uint8: that of the find, or `WEAK`, `BETWEEN`, `HELD`.
        tones: shape (T, 3), uint8: the median tone of each track's sure finds, BGR.
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
    film = _Film(motion, looked, np.asarray(times, np.float64), size)
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
        places: shape (K, 4), as a still camera would have seen them.
        parts: shape (K, 5, 2): the points, from the middle, in sizes of the box.
        scores: shape (K,).
        found_by: shape (K,).
        starts: shape (T,): the first row of each track.
        ends: shape (T,): the last.
        tones: shape (T, 3).
        is_certain: shape (T,): whether a track surely is a face.
    """

    tracks: Rows
    frames: NDArray[np.int32]
    places: Floats
    parts: NDArray[np.float32]
    scores: NDArray[np.float32]
    found_by: NDArray[np.uint8]
    starts: Rows
    ends: Rows
    tones: NDArray[np.uint8]
    is_certain: NDArray[np.bool_]


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
    """Link the finds and sort them by track."""
    numbers = linked(seen)
    rows = np.flatnonzero(numbers >= 0)
    rows = rows[np.argsort(numbers[rows], kind="stable")]
    tracks, is_sure = numbers[rows], finds.is_sure[rows]
    sure = rows[is_sure]
    usual = _medians(finds.scores[sure], tracks[is_sure])
    tones = [_medians(tone, tracks[is_sure]) for tone in finds.tones[sure].T]
    places = seen.places[rows]
    middles = places[:, :2] + film.motion.path[finds.frames[rows]]
    parts = (finds.points[rows] - middles[:, None]) / places[:, None, 2:]
    is_first = np.diff(tracks, prepend=-1) > 0
    return _Known(
        tracks=tracks,
        frames=finds.frames[rows],
        places=places,
        parts=parts.astype(np.float32),
        scores=np.maximum(finds.scores[rows], usual[tracks]),
        found_by=np.where(is_sure, finds.found_by[rows], WEAK).astype(np.uint8),
        starts=np.flatnonzero(is_first),
        ends=np.flatnonzero(np.roll(is_first, -1)),
        tones=np.stack(tones, axis=1),
        is_certain=(usual >= _CERTAIN) & (np.bincount(tracks[is_sure]) >= _MANY),
    )


def _medians(values: NDArray[Any], groups: Rows) -> NDArray[Any]:
    """The median of each group, the lower of two; groups are 0 to G - 1."""
    order = np.lexsort((values, groups))
    counts = np.bincount(groups)
    middles = np.cumsum(counts) - counts + (counts - 1) // 2
    return np.asarray(values[order][middles])


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
    return np.asarray(known.is_certain & goes_on & is_inside.all(axis=1))


def _hidden(known: _Known, is_lost: NDArray[np.bool_], film: _Film) -> Tracks:
    """A row for each frame in which a face is hidden."""
    rows, frames = _frames_of(known, is_lost, film)
    tracks = known.tracks[rows]
    # The finds before and after, of which one may be missing.
    after = np.minimum(rows + 1, len(known.tracks) - 1)
    is_after = (known.frames[rows] < frames) & (known.tracks[after] == tracks)
    after = np.where(is_after, after, rows)
    times = film.times[frames]
    since, until = (film.times[known.frames[each]] for each in (rows, after))
    share = (times - since) / np.where(after == rows, np.inf, until - since)
    share = share[:, None]
    places = known.places[rows] * (1 - share) + known.places[after] * share
    grown = 1 + _GROWTH * np.minimum(np.abs(times - since), np.abs(times - until))
    half = places[:, 2:] * (grown / 2)[:, None]
    middles = places[:, :2]
    # Outwards is up on all four sides.
    edges = np.hstack((half - middles, half + middles))
    edges = highest(edges, times, tracks, _HULL, _LEAST_HULL)
    edges = calmed(edges, times, tracks)
    path = film.motion.path[frames]
    edges += np.hstack((-path, path))
    boxes = np.ceil(edges)
    boxes[:, :2] *= -1
    is_found = frames == known.frames[rows]
    found_by = np.where(is_found, known.found_by[rows], BETWEEN)
    is_held = ~is_found & (after == rows)
    found_by[is_held] = HELD
    scores = np.where(
        is_found,
        known.scores[rows],
        np.minimum(known.scores[rows], known.scores[after]),
    )
    one, other = known.parts[rows], known.parts[after]
    one, other = (
        np.where(np.isnan(one), other, one),
        np.where(np.isnan(other), one, other),
    )
    parts = one * (1 - share[..., None]) + other * share[..., None]
    points: Floats = places[:, None, 2:] * parts + middles[:, None]
    points = smoothed(points.reshape(-1, 10), times, tracks).reshape(-1, 5, 2)
    points += path[:, None]
    is_inside = ((boxes[:, 2:] > 0) & (boxes[:, :2] < film.size)).all(axis=1)
    order = np.flatnonzero(is_inside)
    order = order[np.argsort(frames[order], kind="stable")]
    return Tracks(
        frames=frames[order].astype(np.int32),
        boxes=boxes[order].astype(np.int32),
        scores=scores[order].astype(np.float32),
        points=points[order].astype(np.float32),
        tracks=tracks[order].astype(np.int32),
        found_by=found_by[order].astype(np.uint8),
        tones=known.tones,
        is_lost=is_lost,
    )


def _frames_of(
    known: _Known, is_lost: NDArray[np.bool_], film: _Film
) -> tuple[Rows, Rows]:
    """The frames of all tracks, and for each the row of the last find until then.

    Before the first find of a track, it is the row of that.
    """
    frames, times, shots = known.frames, film.times, film.motion.shots
    # Each row stands for the frames from `first` to before `end`.
    first = frames.astype(np.int64)
    end = np.roll(first, -1)
    at = frames[known.starts]
    back = np.searchsorted(times, times[at] - _HELD)
    first[known.starts] = np.maximum(
        np.minimum(back, at - 1), np.searchsorted(shots, shots[at])
    )
    at = frames[known.ends]
    longest = np.where(is_lost, _HELD_IF_LOST, _HELD)
    on = np.searchsorted(times, times[at] + longest, side="right")
    end[known.ends] = np.minimum(
        np.maximum(on, at + 2), np.searchsorted(shots, shots[at], side="right")
    )
    counts = end - first
    rows = np.repeat(np.arange(len(frames)), counts)
    offset = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, first[rows] + offset
