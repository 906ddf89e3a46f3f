"""Where the samples of a track are in the file, and when they are shown.

Their tables are read in pieces: those of a long film are large, and those of a hostile
one as large as it likes.
"""

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from faceanon.audit.scan.part import Damaged, Part

Numbers: TypeAlias = NDArray[np.int64]

MAX_SAMPLES = 8_000_000
"""The pictures and texts of a film have no more: 37 hours at 60 frames a second."""

MAX_CHUNKS = 4_000_000
"""All tracks of a film have no more chunks of samples."""

PIECE = 1 << 16
"""So many entries of a table are read at once."""

_TO_THE_END = 1 << 40


@dataclass(frozen=True)
class Piece:
    """Some samples in a row; all four arrays are as long.

    Attributes:
        starts: of each sample, its first byte in the file.
        sizes: in bytes.
        times: when each is shown, in units of the track.
        durations: for how long, likewise.
    """

    starts: Numbers
    sizes: Numbers
    times: Numbers
    durations: Numbers


def _no_pieces() -> Iterator[Piece]:
    return iter(())


@dataclass(frozen=True)
class Samples:
    """The samples of a track.

    Attributes:
        extents: of the chunks they stand in: first byte, and last plus one, (n, 2).
        count: how many there are.
        length: of all of them together, in units of the track.
        longest: the duration of the longest sample.
        pieces: the samples themselves, read anew by each call.
        contradictions: what their tables say that cannot be, in words.
    """

    extents: Numbers
    count: int = 0
    length: int = 0
    longest: int = 0
    pieces: Callable[[], Iterator[Piece]] = _no_pieces
    contradictions: tuple[str, ...] = ()

    def parts(self, file: Part) -> Iterator[Part]:
        """The samples themselves, as far as they are in the file."""
        for piece in self.pieces():
            some = piece.sizes > 0
            starts, sizes = piece.starts[some].tolist(), piece.sizes[some].tolist()
            for start, size in zip(starts, sizes, strict=True):
                if 0 <= start <= start + size <= len(file):
                    yield file.part(start, size, "mdat/sample")

    def claimed(self, file: Part) -> tuple[int, int]:
        """How many bytes of the file they take up, and how many outside of it."""
        inside = np.clip(self.extents, 0, len(file))
        within = int((inside[:, 1] - inside[:, 0]).sum())
        return within, int((self.extents[:, 1] - self.extents[:, 0]).sum()) - within


NOTHING = Samples(np.zeros((0, 2), np.int64))
"""No samples at all."""


def joined(runs: list[Samples]) -> Samples:
    """All samples of a track: of its tables, and of its fragments."""
    return Samples(
        np.concatenate([NOTHING.extents, *(run.extents for run in runs)]),
        sum(run.count for run in runs),
        sum(run.length for run in runs),
        max((run.longest for run in runs), default=0),
        lambda: chain.from_iterable(run.pieces() for run in runs),
        tuple(chain.from_iterable(run.contradictions for run in runs)),
    )


def rows(
    table: Part, width: int, start: int = 8, count: int | None = None
) -> Iterator[Numbers]:
    """The entries of a table, as numbers of 4 bytes, in pieces of (n, width // 4).

    Args:
        table: the content of its box.
        width: of an entry, in bytes.
        start: of the first entry.
        count: of entries; None for what the box tells at its fourth byte.

    Raises:
        Damaged: they are not all there, or too many.
    """
    count = table.number(4, 4) if count is None else count
    if start + count * width > len(table):
        raise Damaged(f"a table of {count} entries that are not there")
    if count > MAX_SAMPLES:
        raise Damaged(f"a table of more than {MAX_SAMPLES} entries")
    return _rows(table, width // 4, start, count)


def _rows(table: Part, columns: int, start: int, count: int) -> Iterator[Numbers]:
    for at in range(0, count, PIECE):
        some = min(PIECE, count - at)
        place = start + 4 * columns * at
        flat = np.frombuffer(table.data, ">u4", some * columns, place)
        yield flat.reshape(some, columns).astype(np.int64)


class _Spread:
    """The values of samples in a row, of runs of a count and a value."""

    def __init__(self, runs: Iterator[Numbers]) -> None:
        self._runs = runs
        self._pending: Numbers = np.zeros((0, 2), np.int64)

    def take(self, count: int) -> Numbers:
        """The values of the next samples; 0 where there are no more runs."""
        taken, left = [np.zeros(0, np.int64)], count
        while left:
            if not len(self._pending):
                following = next(self._runs, None)
                if following is None:
                    taken.append(np.zeros(left, np.int64))
                    break
                self._pending = following
            ends = np.cumsum(self._pending[:, 0])
            # The last run of which something is used, or the first that is not.
            index = int(np.searchsorted(ends, left, side="left"))
            used = self._pending[: index + 1].copy()
            self._pending = self._pending[index:].copy()
            if index < len(ends):
                over = int(ends[index]) - left
                used[-1, 0] -= over
                self._pending[0, 0] = over
            taken.append(np.repeat(used[:, 1], used[:, 0]))
            left -= len(taken[-1])
        return np.concatenate(taken)


class _Before:
    """How many bytes stand before a sample, if there were no chunks."""

    def __init__(self, sizes: Iterator[Numbers], same_size: int) -> None:
        self._sizes, self._same_size = sizes, same_size
        self._start, self._sums = 0, np.zeros(1, np.int64)

    def at(self, samples: Numbers) -> Numbers:
        """Of samples in order, none before those of the last call."""
        if self._same_size:
            same: Numbers = samples * self._same_size
            return same
        found, done = np.empty(len(samples), np.int64), 0
        while True:
            last = self._start + len(self._sums) - 1
            stop = int(np.searchsorted(samples, last, side="right"))
            found[done:stop] = self._sums[samples[done:stop] - self._start]
            done = max(stop, done)
            if done == len(samples):
                return found
            sums = np.cumsum(next(self._sizes)[:, 0])
            self._start = last
            self._sums = self._sums[-1] + np.concatenate([[0], sums])


@dataclass(frozen=True)
class _Chunks:
    """The chunks that samples stand in.

    Attributes:
        extents: first byte, and last plus one, (n, 2).
        lasts: the first sample after each.
        bases: where sample 0 would be if all stood in one row with those of a chunk.
        told: how many samples they hold, as their table tells.
    """

    extents: Numbers
    lasts: Numbers
    bases: Numbers
    told: int


@dataclass(frozen=True)
class _Tables:
    """The tables of a track (ISO/IEC 14496-12, 8.6 and 8.7).

    Attributes:
        boxes: by their codes.
        same_size: of all samples, in bytes; 0 if each has its own.
        count: how many samples there are.
    """

    boxes: dict[bytes, Part]
    same_size: int
    count: int

    def sizes(self) -> Iterator[Numbers]:
        """Of each sample, unless all have the same, (n, 1)."""
        if self.same_size:
            return iter(())
        return rows(self.boxes[b"stsz"], 4, 12, self.count)

    def chunks(self) -> _Chunks:
        """Read the tables of chunks."""
        spread = _Spread(_chunk_runs(self.boxes[b"stsc"]))
        before = _Before(self.sizes(), self.same_size)
        extents, lasts, bases = [NOTHING.extents], [], []
        told = placed = 0
        for offsets in _offsets(self.boxes):
            in_chunks = np.cumsum(spread.take(len(offsets)))
            last = np.minimum(told + in_chunks, self.count)
            told += int(in_chunks[-1])
            ends = before.at(last)
            begins = np.concatenate([[placed], ends[:-1]])
            placed = int(ends[-1])
            extents.append(np.stack([offsets, offsets + ends - begins], axis=1))
            lasts.append(last)
            bases.append(offsets - begins)
        empty = np.zeros(0, np.int64)
        return _Chunks(
            np.concatenate(extents),
            np.concatenate([empty, *lasts]),
            np.concatenate([empty, *bases]),
            told,
        )

    def pieces(self, chunks: _Chunks) -> Iterator[Piece]:
        """The samples that stand in chunks."""
        count = int(chunks.lasts[-1]) if len(chunks.lasts) else 0
        before = _Before(self.sizes(), self.same_size)
        durations = _Spread(rows(self.boxes[b"stts"], 8))
        shifts = None
        if b"ctts" in self.boxes:
            shifts = _Spread(rows(self.boxes[b"ctts"], 8))
        time = 0
        for first in range(0, count, PIECE):
            samples = np.arange(first, min(first + PIECE, count) + 1)
            places = before.at(samples)
            chunk = np.searchsorted(chunks.lasts, samples[:-1], side="right")
            shown_for = durations.take(len(samples) - 1)
            times = time + np.cumsum(shown_for) - shown_for
            time += int(shown_for.sum())
            if shifts is not None:
                # QuickTime's are signed whatever the version says.
                times = times + shifts.take(len(samples) - 1).astype(np.int32)
            starts = chunks.bases[chunk] + places[:-1]
            yield Piece(starts, np.diff(places), times, shown_for)

    def contradictions(self, told: int, timed: int, count: int) -> Iterator[str]:
        """What cannot be, as the tables tell of one and the same samples.

        Args:
            told: how many the chunks hold.
            timed: how many have a duration.
            count: how many have a size.
        """
        if told != count:
            yield f"chunks of {told} samples, and sizes of {count}"
        if timed != count:
            yield f"durations of {timed} samples, and sizes of {count}"
        if b"ctts" in self.boxes:
            shifted = sum(
                int(runs[:, 0].sum()) for runs in rows(self.boxes[b"ctts"], 8)
            )
            if shifted != count:
                yield f"times of {shifted} samples, and sizes of {count}"
        for code in (b"stss", b"stps"):
            if code in self.boxes and not _is_ordered(self.boxes[code], count):
                yield "samples to begin at that are not in order, or not there"
        if b"sdtp" in self.boxes and len(self.boxes[b"sdtp"]) != 4 + count:
            yield f"dependencies of {len(self.boxes[b'sdtp']) - 4} samples of {count}"


def of_tables(boxes: dict[bytes, Part], file: Part) -> Samples:
    """The samples that the tables of a track tell of.

    Args:
        boxes: those of the sample table, by their codes.
        file: the whole file.

    Raises:
        Damaged: they are not what they should be.
    """
    for code in (b"stsz", b"stsc", b"stts"):
        if code not in boxes:
            raise Damaged(f"no table {code.decode()}")
    same_size, count = boxes[b"stsz"].number(4, 4), boxes[b"stsz"].number(8, 4)
    # There cannot be more than fit into the file; what is outside of it is told of.
    fitting = min(count, len(file) // same_size + 1) if same_size else count
    tables = _Tables(boxes, same_size, fitting)
    chunks = tables.chunks()
    timed = length = longest = 0
    for runs in rows(boxes[b"stts"], 8):
        timed += int(runs[:, 0].sum())
        length += sum(map(operator.mul, *runs.T.tolist()))
        longest = max(longest, int(runs[:, 1].max()))
    return Samples(
        chunks.extents,
        count,
        length,
        longest,
        partial(tables.pieces, chunks),
        tuple(tables.contradictions(chunks.told, timed, count)),
    )


def _chunk_runs(stsc: Part) -> Iterator[Numbers]:
    """Of chunks in a row that are alike: how many chunks, and samples in each."""
    last = np.zeros((0, 3), np.int64)
    for some in rows(stsc, 12):
        if not len(last) and some[0, 0] != 1:
            raise Damaged("chunks without samples")
        runs = np.concatenate([last, some])
        lengths = np.diff(runs[:, 0])
        if np.any(lengths <= 0):
            raise Damaged("chunks that are not in order")
        yield np.stack([lengths, runs[:-1, 1]], axis=1)
        last = runs[-1:]
    if len(last):
        yield np.array([[_TO_THE_END, last[0, 1]]], np.int64)


def _offsets(boxes: dict[bytes, Part]) -> Iterator[Numbers]:
    """Of each chunk, its first byte."""
    if b"co64" in boxes:
        for pairs in rows(boxes[b"co64"], 8):
            # What is beyond every file stays beyond it.
            yield np.minimum(pairs[:, 0], 1 << 28) << 32 | pairs[:, 1]
    elif b"stco" in boxes:
        for offsets in rows(boxes[b"stco"], 4):
            yield offsets[:, 0]
    else:
        raise Damaged("no table of chunks")


def _is_ordered(table: Part, count: int) -> bool:
    """Whether numbers of samples grow, and are those of samples that there are."""
    last = 0
    for some in rows(table, 4):
        numbers = np.concatenate([[last], some[:, 0]])
        if np.any(np.diff(numbers) <= 0):
            return False
        last = int(numbers[-1])
    return last <= count


def gaps(extents: list[Numbers], start: int, stop: int) -> Iterator[tuple[int, int]]:
    """What of some bytes is in none of the extents."""
    used = np.clip(np.concatenate([NOTHING.extents, *extents]), start, stop)
    used = used[np.argsort(used[:, 0], kind="stable")]
    reached = np.concatenate([[start], np.maximum.accumulate(used[:, 1])])
    begins = np.concatenate([used[:, 0], [stop]])
    holes = np.flatnonzero(begins > np.maximum(reached, start))
    return ((int(reached[hole]), int(begins[hole])) for hole in holes)


def overlap(extents: list[Numbers]) -> int:
    """How many bytes are in several of the extents, or again in one more."""
    used = np.concatenate([NOTHING.extents, *extents])
    used = used[np.argsort(used[:, 0], kind="stable")]
    reached = np.maximum.accumulate(used[:, 1])[:-1]
    again = np.minimum(reached, used[1:, 1]) - used[1:, 0]
    return int(again[again > 0].sum())
