"""What an edit list leaves out: samples that are in the file, and never shown."""

from dataclasses import dataclass

import numpy as np

from faceanon.audit.scan.films.samples import Samples
from faceanon.audit.scan.part import Damaged, Part

_MAX_EDITS = 10_000

# Encoders of sound begin with a packet or two of silence, and end with a part of one.
_PRIMING_SECONDS, _PRIMING_PACKETS = 0.1, 2


@dataclass(frozen=True)
class Edits:
    """The intervals of a track that are shown, in units of the track, in order."""

    shown: tuple[tuple[int, int], ...]

    def hidden_frames(self, samples: Samples) -> int:
        """How many frames are shown in no interval."""
        if not self.shown:
            return samples.count
        starts, stops = np.array(self.shown, np.int64).T
        hidden = 0
        for piece in samples.pieces():
            ends = piece.times + np.maximum(piece.durations, 1)
            # The last interval that begins before a frame ends; they do not overlap.
            index = np.searchsorted(starts, ends, side="left") - 1
            is_shown = (index >= 0) & (piece.times < stops[np.maximum(index, 0)])
            hidden += int(np.count_nonzero(~is_shown))
        return hidden

    def hidden_time(self, samples: Samples, timescale: int) -> float:
        """How many seconds of sound are played in no interval, beyond a priming.

        0 unless it is more than what encoders add at both ends.
        """
        length = samples.length
        played = sum(
            max(min(stop, length) - max(start, 0), 0) for start, stop in self.shown
        )
        hidden = (length - played) / max(timescale, 1)
        packets = _PRIMING_PACKETS * samples.longest / max(timescale, 1)
        return hidden if hidden > max(_PRIMING_SECONDS, packets) else 0.0


def edits(elst: Part, movie_scale: int, track_scale: int) -> Edits:
    """Read an edit list (ISO/IEC 14496-12, 8.6.6).

    Args:
        elst: the content of the box.
        movie_scale: units a second of the film.
        track_scale: units a second of the track.

    Raises:
        Damaged: it is not what it should be.
    """
    size = 8 if elst.number(0, 1) == 1 else 4
    count = elst.number(4, 4)
    if count == 0:
        return Edits(((0, 1 << 62),))
    if count > _MAX_EDITS:
        raise Damaged(f"more than {_MAX_EDITS} edits")
    shown = []
    for index in range(count):
        at = 8 + index * (2 * size + 4)
        duration = elst.number(at, size)
        start = int.from_bytes(elst.read(at + size, size), signed=True)
        rate = elst.number(at + 2 * size, 4)
        if start < 0:
            continue
        if duration == 0:
            # In fragmented films: all that follows.
            stop = 1 << 62
        elif rate == 0:
            stop = start + 1
        else:
            # Durations are rounded to units of the film.
            stop = start + (2 * duration + 1) * track_scale // max(2 * movie_scale, 1)
        shown.append((start, min(stop, 1 << 62)))
    return Edits(tuple(_joined(shown)))


def _joined(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], stop)
        else:
            joined.append((min(start, 1 << 62), stop))
    return joined
