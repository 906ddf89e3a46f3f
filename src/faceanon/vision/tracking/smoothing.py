"""Making what is known of a face in each frame calm, and still hold what was found."""

import numpy as np

from faceanon.vision.tracking.arrays import Floats, Rows

# How far frames influence each other, in seconds: people hardly move otherwise than in
# a straight line within it.
_WINDOW = 0.2

# The same for how far what was found lies above the mean. The shorter, the less is
# covered around what shakes.
_RAISED = 0.15


def smoothed(
    values: Floats, times: Floats, tracks: Rows, window: float = _WINDOW
) -> Floats:
    """The weighted mean over the frames around each, alike before and after.

    The weight falls to nothing at the end of the window. What moves evenly stays as it
    is, at varying frame rates and at the ends of tracks, too.

    Args:
        values: shape (M, D); a row each for all frames of a track, then of the next
            one. NaN, which stays, is left out of means.
        times: shape (M,), in seconds.
        tracks: shape (M,), ascending.
        window: how far around, in seconds.
    """
    total = np.nan_to_num(values)
    weights = np.ones_like(total)
    for distance in range(1, len(values)):
        first, last = slice(None, -2 * distance), slice(2 * distance, None)
        middle = slice(distance, -distance)
        earlier = times[middle] - times[first]
        later = times[last] - times[middle]
        near = np.maximum(earlier, later)
        is_near = (tracks[first] == tracks[last]) & (near < window)
        if not is_near.any():
            break
        at = np.flatnonzero(is_near)
        share = (later[at] / (earlier[at] + later[at]))[:, None]
        both = values[at] * share + values[at + 2 * distance] * (1 - share)
        weight = np.where(np.isnan(both), 0, (1 - near[at] / window)[:, None])
        total[at + distance] += np.nan_to_num(both) * weight
        weights[at + distance] += weight
    return np.where(np.isnan(values), np.nan, total / weights)


def highest(
    values: Floats, times: Floats, tracks: Rows, reach: float = 0, least: int = 0
) -> Floats:
    """The largest value over the frames around each.

    Args:
        values: as in `smoothed`, without NaN.
        times: as there.
        tracks: as there.
        reach: how far around, in seconds.
        least: over how many frames to each side, at least.
    """
    largest = values.copy()
    for distance in range(1, len(values)):
        first, last = slice(None, -distance), slice(distance, None)
        is_near = (tracks[first] == tracks[last]) & (
            (times[last] - times[first] < reach) | (distance <= least)
        )
        if not is_near.any():
            break
        at = np.flatnonzero(is_near)
        largest[at] = np.maximum(largest[at], values[at + distance])
        largest[at + distance] = np.maximum(largest[at + distance], values[at])
    return largest


def reached(values: Floats, times: Floats, tracks: Rows, reach: float) -> Floats:
    """The largest value within so many seconds, in straight lines between frames.

    Args:
        values: as in `smoothed`, without NaN.
        times: as there.
        tracks: as there.
        reach: how far around, in seconds.
    """
    largest = values.copy()
    count = len(values)
    for distance in range(1, count):
        first, last = slice(None, -distance), slice(distance, None)
        is_one = tracks[first] == tracks[last]
        is_near = np.zeros(count - distance, bool)
        for own, inner, outer in (
            (first, slice(distance - 1, -1), last),
            (last, slice(1, count - distance + 1), first),
        ):
            until = np.abs(times[inner] - times[own])
            further = np.abs(times[outer] - times[inner])
            at = np.flatnonzero(is_one & (until < reach))
            share = np.minimum((reach - until[at]) / further[at], 1)[:, None]
            there = values[inner][at] * (1 - share) + values[outer][at] * share
            largest[own][at] = np.maximum(largest[own][at], there)
            is_near[at] = True
        if not is_near.any():
            break
    return largest


def calmed(edges: Floats, times: Floats, tracks: Rows) -> Floats:
    """Edges that move evenly and are nowhere below those given.

    They are smoothed and raised by as much as the given ones lie above in the frames
    around. The mean of these highest values, over the same frames, is smooth and no
    less than any of them.

    Args:
        edges: shape (M, D), larger is further out; otherwise as in `smoothed`.
        times: as there.
        tracks: as there.
    """
    even = smoothed(edges, times, tracks)
    above = highest(edges - even, times, tracks, _RAISED)
    return np.maximum(even + smoothed(above, times, tracks, _RAISED), edges)
