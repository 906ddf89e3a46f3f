"""The fragments of an MP4: samples that are told of beside them (ISO 14496-12, 8.8)."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from faceanon.audit.scan.boxes import Box, boxes
from faceanon.audit.scan.films.samples import MAX_SAMPLES, Samples
from faceanon.audit.scan.part import Damaged, Part

# Flags of a track's fragment, and of a run of samples.
_BASE, _DESCRIPTION, _DURATION, _SIZE, _FLAGS, _FROM_MOOF = 1, 2, 8, 16, 32, 0x20000
_AT, _FIRST_FLAGS = 1, 4
_COLUMNS = (0x100, 0x200, 0x400, 0x800)


@dataclass
class _Defaults:
    duration: int = 0
    size: int = 0


@dataclass
class Fragments:
    """The samples of all fragments.

    Attributes:
        file: the whole file.
        samples: the runs of samples that were found, by the number of the track.
    """

    file: Part
    samples: dict[int, list[Samples]] = field(default_factory=lambda: defaultdict(list))
    _defaults: dict[int, _Defaults] = field(default_factory=dict)
    _times: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def read_defaults(self, mvex: Part) -> None:
        """What holds for the fragments of a track where they do not say."""
        for box in boxes(mvex):
            if box.kind == b"trex":
                content = box.content
                track = content.number(4, 4)
                self._defaults[track] = _Defaults(
                    content.number(12, 4), content.number(16, 4)
                )

    def read(self, moof: Box) -> None:
        """Note the samples of a fragment.

        Raises:
            Damaged: it is not what it should be.
        """
        following = moof.start
        for box in boxes(moof.content):
            if box.kind == b"traf":
                following = self._track(box.content, moof.start, following)

    def _track(self, traf: Part, start: int, following: int) -> int:
        defaults, base, track = _Defaults(), following, 0
        for box in boxes(traf):
            if box.kind == b"tfhd":
                track = box.content.number(4, 4)
                defaults, base = self._header(box.content, start, following)
            elif box.kind == b"tfdt":
                size = 8 if box.content.number(0, 1) else 4
                self._times[track] = box.content.number(4, size)
            elif box.kind == b"trun":
                following = self._run(box.content, track, defaults, base, following)
        return following

    def _header(self, tfhd: Part, start: int, following: int) -> tuple[_Defaults, int]:
        flags, track, at = tfhd.number(1, 3), tfhd.number(4, 4), 8
        known = self._defaults.get(track, _Defaults())
        defaults = _Defaults(known.duration, known.size)
        base = start if flags & _FROM_MOOF else following
        if flags & _BASE:
            base, at = tfhd.number(at, 8), at + 8
        at += 4 * bool(flags & _DESCRIPTION)
        if flags & _DURATION:
            defaults.duration, at = tfhd.number(at, 4), at + 4
        if flags & _SIZE:
            defaults.size = tfhd.number(at, 4)
        return defaults, base

    def _run(
        self, trun: Part, track: int, defaults: _Defaults, base: int, following: int
    ) -> int:
        flags, count, at = trun.number(1, 3), trun.number(4, 4), 8
        place = following
        if flags & _AT:
            place = base + int.from_bytes(trun.read(at, 4), signed=True)
            at += 4
        at += 4 * bool(flags & _FIRST_FLAGS)
        present = [column for column in _COLUMNS if flags & column]
        if at + 4 * count * len(present) > len(trun):
            raise Damaged(f"a run of {count} samples that are not there")
        if not present and count > MAX_SAMPLES:
            raise Damaged(f"more than {MAX_SAMPLES} samples")
        numbers = np.frombuffer(trun.data, ">u4", count * len(present), at)
        table = numbers.reshape(count, len(present)).astype(np.int64)

        def column(
            flag: int, default: int
        ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
            if flag in present:
                return table[:, present.index(flag)]
            return np.full(count, default, np.int64)

        sizes, durations = (
            column(0x200, defaults.size),
            column(0x100, defaults.duration),
        )
        shifts = column(0x800, 0).astype(np.int32)
        ends = place + np.cumsum(sizes)
        begins = self._times[track] + np.cumsum(durations) - durations
        stop = int(ends[-1]) if count else place
        length = int(durations.sum())
        self.samples[track].append(
            Samples(
                extents=[np.array([[place, stop]], np.int64)],
                starts=ends - sizes,
                sizes=sizes,
                times=begins + shifts,
                durations=durations,
                longest=int(durations.max(initial=0)),
                length=length,
                count=count,
            )
        )
        self._times[track] += length
        return stop
