"""The fragments of an MP4: samples that are told of beside them (ISO 14496-12, 8.8)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from faceanon.audit.scan.boxes import Box, boxes
from faceanon.audit.scan.films.samples import (
    MAX_SAMPLES,
    PIECE,
    Numbers,
    Piece,
    Samples,
    rows,
)
from faceanon.audit.scan.part import Damaged, Part

# Flags of a track's fragment, and of a run of samples.
_BASE, _DESCRIPTION, _DURATION, _SIZE, _FLAGS, _FROM_MOOF = 1, 2, 8, 16, 32, 0x20000
_AT, _FIRST_FLAGS = 1, 4
_DURATIONS, _SIZES, _, _SHIFTS = _COLUMNS = (0x100, 0x200, 0x400, 0x800)
_MAX_RUNS = 500_000


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
    _samples_left: int = MAX_SAMPLES
    _runs_left: int = _MAX_RUNS

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
        start = following
        if flags & _AT:
            start = base + int.from_bytes(trun.read(at, 4), signed=True)
            at += 4
        at += 4 * bool(flags & _FIRST_FLAGS)
        self._samples_left -= count
        self._runs_left -= 1
        if self._samples_left < 0 or self._runs_left < 0:
            raise Damaged("more samples in fragments than can be looked at")
        run = _Run(
            trun,
            at,
            count,
            [column for column in _COLUMNS if flags & column],
            (start, self._times[track]),
            defaults,
        )
        stop, length, longest = start, 0, 0
        for piece in run.pieces():
            stop = int(piece.starts[-1] + piece.sizes[-1])
            length += int(piece.durations.sum())
            longest = max(longest, int(piece.durations.max()))
        extent = np.array([[start, stop]], np.int64)
        self.samples[track].append(Samples(extent, count, length, longest, run.pieces))
        self._times[track] += length
        return stop


@dataclass(frozen=True)
class _Run:
    """Samples in a row.

    Attributes:
        trun: the content of its box.
        at: where in it the table of samples begins.
        count: of samples.
        present: what the table tells of each, by flag.
        begins: the first byte in the file, and the time of the first sample.
        defaults: for what the table does not tell.
    """

    trun: Part
    at: int
    count: int
    present: list[int]
    begins: tuple[int, int]
    defaults: _Defaults

    def pieces(self) -> Iterator[Piece]:
        """The samples."""
        start, time = self.begins
        for table in self._tables():
            sizes = self._column(table, _SIZES, self.defaults.size)
            durations = self._column(table, _DURATIONS, self.defaults.duration)
            # Of the second version they are signed, and nobody shifts as far as that.
            shifts = self._column(table, _SHIFTS, 0).astype(np.int32)
            starts = start + np.cumsum(sizes) - sizes
            times = time + np.cumsum(durations) - durations
            yield Piece(starts, sizes, times + shifts, durations)
            start, time = start + int(sizes.sum()), time + int(durations.sum())

    def _tables(self) -> Iterator[Numbers]:
        if self.present:
            yield from rows(self.trun, 4 * len(self.present), self.at, self.count)
            return
        for at in range(0, self.count, PIECE):
            yield np.zeros((min(PIECE, self.count - at), 0), np.int64)

    def _column(self, table: Numbers, flag: int, default: int) -> Numbers:
        if flag in self.present:
            told: Numbers = table[:, self.present.index(flag)]
            return told
        return np.full(len(table), default, np.int64)
