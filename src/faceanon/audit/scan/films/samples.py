"""Where the samples of a track are in the file, and when they are shown."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from faceanon.audit.scan.part import Damaged, Part

Numbers: TypeAlias = NDArray[np.int64]

MAX_SAMPLES = 8_000_000
"""A track of pictures or text has no more: 37 hours at 60 frames a second."""

_NOTHING: Numbers = np.zeros(0, np.int64)


@dataclass
class Samples:
    """The samples of a track.

    Attributes:
        extents: of runs of samples: first byte, and last plus one, (n, 2).
        starts: of each sample, its first byte; empty where `is_counted` is enough.
        sizes: of each sample, in bytes.
        times: when each is shown, in units of the track.
        durations: for how long, likewise.
        longest: the duration of the longest sample.
        length: of all of them together, in units of the track.
        count: how many there are.
    """

    extents: list[Numbers] = field(default_factory=list)
    starts: Numbers = field(default_factory=_NOTHING.copy)
    sizes: Numbers = field(default_factory=_NOTHING.copy)
    times: Numbers = field(default_factory=_NOTHING.copy)
    durations: Numbers = field(default_factory=_NOTHING.copy)
    longest: int = 0
    length: int = 0
    count: int = 0

    def parts(self, file: Part, limit: int = MAX_SAMPLES) -> Iterator[Part]:
        """The samples themselves, as far as they are in the file."""
        for start, size in zip(
            self.starts[:limit].tolist(), self.sizes[:limit].tolist(), strict=True
        ):
            if 0 <= start <= start + size <= len(file):
                yield file.part(start, size, "mdat/sample")


def joined(runs: list[Samples]) -> Samples:
    """All samples of a track: of its tables, and of its fragments."""
    return Samples(
        extents=[extent for run in runs for extent in run.extents],
        starts=np.concatenate([_NOTHING, *(run.starts for run in runs)]),
        sizes=np.concatenate([_NOTHING, *(run.sizes for run in runs)]),
        times=np.concatenate([_NOTHING, *(run.times for run in runs)]),
        durations=np.concatenate([_NOTHING, *(run.durations for run in runs)]),
        longest=max((run.longest for run in runs), default=0),
        length=sum(run.length for run in runs),
        count=sum(run.count for run in runs),
    )


def columns(table: Part, width: int, start: int = 8, count_at: int = 4) -> Numbers:
    """The numbers of 4 bytes in a table, (n, width // 4).

    Raises:
        Damaged: they are not all there.
    """
    count = table.number(count_at, 4)
    if start + count * width > len(table):
        raise Damaged(f"a table of {count} entries that are not there")
    flat = np.frombuffer(table.data, ">u4", count * width // 4, start)
    return flat.reshape(count, width // 4).astype(np.int64)


def of_tables(tables: dict[bytes, Part], file: Part, is_counted: bool) -> Samples:
    """The samples that the tables of a track tell of (ISO/IEC 14496-12, 8.6 and 8.7).

    Args:
        tables: the boxes of the sample table.
        file: the whole file.
        is_counted: whether it is enough to know the extents, as for sound: there may be
            a sample for each of 48,000 moments a second.

    Raises:
        Damaged: they are not what they should be.
    """
    sizes = tables[b"stsz"]
    same_size, count = sizes.number(4, 4), sizes.number(8, 4)
    if same_size:
        count = min(count, len(file) // same_size + 1)
    offsets, runs = _offsets(tables), columns(tables[b"stsc"], 12)
    if len(offsets) and not len(runs):
        raise Damaged("chunks without samples")
    if np.any(np.diff(runs[:, 0]) <= 0):
        raise Damaged("chunks that are not in order")
    chunks = np.arange(1, len(offsets) + 1)
    run = np.searchsorted(runs[:, 0], chunks, side="right") - 1
    per_chunk = runs[np.maximum(run, 0), 1] if len(runs) else _NOTHING
    last = np.minimum(np.cumsum(per_chunk), count)
    first = np.concatenate([[0], last[:-1]]).astype(np.int64) if len(last) else last
    each = _NOTHING if same_size else columns(sizes, 4, 12, 8)[:, 0]
    before = np.concatenate([[0], np.cumsum(each)]).astype(np.int64)

    def place(sample: Numbers) -> Numbers:
        """How many bytes stand before a sample, if there were no chunks."""
        placed: Numbers = sample * same_size if same_size else before[sample]
        return placed

    stops = offsets + place(last) - place(first)
    found = Samples([np.stack([offsets, stops], axis=1)])
    shown_for = columns(tables[b"stts"], 8)
    found.count = count
    found.length = sum(n * long for n, long in shown_for.tolist())
    found.longest = int(shown_for[:, 1].max(initial=0))
    if is_counted:
        return found
    if count > MAX_SAMPLES:
        raise Damaged(f"more than {MAX_SAMPLES} samples")
    in_chunks = last - first
    samples = np.arange(int(in_chunks.sum()))
    chunk_start = np.repeat(offsets - place(first), in_chunks)
    found.starts = chunk_start + place(samples)
    found.sizes = np.full(len(samples), same_size) if same_size else each[samples]
    found.durations = _spread(shown_for, len(samples))
    found.times = np.concatenate([[0], np.cumsum(found.durations)[:-1]]).astype(
        np.int64
    )[: len(samples)]
    if b"ctts" in tables:
        shifts = _spread(columns(tables[b"ctts"], 8), len(samples))
        # QuickTime's are signed whatever the version says.
        found.times = found.times + shifts.astype(np.int32)
    return found


def _offsets(tables: dict[bytes, Part]) -> Numbers:
    if b"co64" not in tables:
        return columns(tables[b"stco"], 4)[:, 0]
    pairs = columns(tables[b"co64"], 8)
    # What is beyond every file stays beyond it.
    offsets: Numbers = np.minimum(pairs[:, 0], 1 << 28) << 32 | pairs[:, 1]
    return offsets


def _spread(runs: Numbers, count: int) -> Numbers:
    """A value for each of `count` samples, of runs of a count and a value."""
    if not len(runs):
        return np.zeros(count, np.int64)
    ends = np.cumsum(runs[:, 0])
    index = np.searchsorted(ends, np.arange(count), side="right")
    values: Numbers = runs[np.minimum(index, len(runs) - 1), 1]
    return values


def gaps(extents: list[Numbers], start: int, stop: int) -> list[tuple[int, int]]:
    """What of some bytes is in none of the extents."""
    if not extents:
        return [(start, stop)]
    used = np.clip(np.concatenate(extents), start, stop)
    used = used[np.argsort(used[:, 0], kind="stable")]
    reached = np.concatenate([[start], np.maximum.accumulate(used[:, 1])])
    begins = np.concatenate([used[:, 0], [stop]])
    holes = np.flatnonzero(begins > np.maximum(reached, start))
    return [(int(reached[hole]), int(begins[hole])) for hole in holes]
