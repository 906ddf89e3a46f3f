"""A film under review: what the page is told of its tracks, and what it may change.

A film can have a million faces. The page gets a summary of each track and the faces of
single frames, and sends what is to be done; it is done here, with the table.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceanon import boxes
from faceanon.boxes import FaceRows, FaceTable, Record, face_to_json, head_of, joined
from faceanon.errors import BoxesError
from faceanon.pipeline.track_report import FOUND_BY

KINDS = ("found", "hand", *FOUND_BY.values(), "open")
"""How a track comes to its box in a frame, the most doubtful last; `open` is where a
track that is hidden elsewhere is not."""

CELLS = 240
"""In so many parts the time line of a film is told, at most."""

_FOUND, _HAND, _WEAK, _BETWEEN, _, _OPEN = range(len(KINDS))

# A face that was lost in the middle of the picture is held longer than one that has
# left it: the tracker holds it for 1 s instead of 0.25 s.
_HELD_IF_LOST = 0.5


@dataclass(frozen=True, slots=True)
class Part:
    """What a change is about: a track, the faces of a frame, or neither.

    Attributes:
        track: the number of the track.
        frame: the number of the frame.
    """

    track: int | None = None
    frame: int | None = None

    def rows(self, table: FaceTable) -> NDArray[np.bool_]:
        """Which rows of a table belong to it: shape (N,)."""
        if self.track is not None:
            return np.asarray(table.tracks == np.int32(self.track))
        if self.frame is not None:
            # The faces of all frames are seen in this one, too.
            return np.isin(table.frames, (-1, self.frame))
        return np.zeros(len(table), bool)


@dataclass(frozen=True, slots=True)
class Former:
    """A part of a film as it was, to go back to.

    Attributes:
        part: the part.
        hidden: its faces that were to be hidden.
        shown: its faces that were not.
        reviewed: whether the film was reviewed.
    """

    part: Part
    hidden: FaceTable
    shown: FaceTable
    reviewed: bool

    @classmethod
    def of(cls, record: Record, part: Part) -> "Former":
        """A part of a film as it is now."""
        hidden, shown = _tables(record)
        return cls(
            part,
            hidden.where(part.rows(hidden)),
            shown.where(part.rows(shown)),
            record.reviewed,
        )

    @property
    def tracks(self) -> set[int]:
        """The numbers of the tracks that were in it."""
        return {*self.hidden.track_numbers(), *self.shown.track_numbers()}

    def put_back(self, record: Record) -> Record:
        """The film with this part as it was."""
        after = _replaced(record, self.part, self.hidden, self.shown)
        return replace(after, reviewed=self.reviewed)


# --- What the page is told ---------------------------------------------------------


def summaries(
    record: Record, frames: int, only: Collection[int] | None = None
) -> list[dict[str, Any]]:
    """What is told of each track, the most doubtful first; plain data for JSON.

    First those that are hidden; of these, first those that were lost; then by the share
    of their frames in which no detector was sure; then the shorter ones.

    Args:
        record: the film.
        frames: how many frames it has.
        only: the numbers of the tracks that are wanted; None for all.
    """
    hidden, shown = _tables(record)
    tables = [_of_tracks(table, only) for table in (hidden, shown)]
    is_hidden = np.repeat([True, False], [len(table) for table in tables])
    tracks = np.concatenate([table.tracks for table in tables])
    numbers = np.concatenate([table.frames for table in tables])
    kinds = np.concatenate([_kinds(table) for table in tables])
    order = np.lexsort((numbers, tracks))
    edges = np.flatnonzero(np.diff(tracks[order])) + 1
    seconds = _clock(record)
    told = [
        {
            "track": int(tracks[rows[0]]),
            **_summary(numbers[rows], kinds[rows], is_hidden[rows], seconds),
            "strip": _strip(
                numbers[rows], _open_told(kinds[rows], is_hidden[rows]), frames
            ),
        }
        for rows in (np.split(order, edges) if len(order) else [])
    ]
    return sorted(told, key=_certainty)


def faces_of_frame(record: Record, frame: int) -> list[dict[str, Any]]:
    """The faces that a frame shows, as objects of a line of a box file."""
    hidden, shown = _tables(record)
    return [
        *(face_to_json(face, hide=True) for face in hidden.of_frame(frame)),
        *(face_to_json(face, hide=False) for face in shown.of_frame(frame)),
    ]


def _certainty(told: Mapping[str, Any]) -> tuple[object, ...]:
    length = told["last"] - told["first"]
    return not told["hide"], not told["lost"], -told["doubt"], length, told["track"]


def _summary(
    frames: NDArray[np.int32],
    kinds: NDArray[np.uint8],
    is_hidden: NDArray[np.bool_],
    seconds: Callable[[int], float | None],
) -> dict[str, Any]:
    """What is told of a track but its strip."""
    seen = np.flatnonzero(kinds <= _WEAK)
    first, last = int(frames[0]), int(frames[-1])
    start, end = seconds(first), seconds(last)
    left = seconds(int(frames[seen[-1]])) if len(seen) else start
    is_lost = end is not None and left is not None and end - left > _HELD_IF_LOST
    doubt = (_open_told(kinds, is_hidden) >= _WEAK).mean()
    return {
        "hide": bool(is_hidden.any()),
        "first": first,
        "last": last,
        "start": start,
        "end": end,
        "lost": is_lost,
        "doubt": round(float(doubt), 3),
    }


def _open_told(
    kinds: NDArray[np.uint8], is_hidden: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """The kinds of a track's frames, and in which of them alone it is not hidden."""
    if not is_hidden.any():
        return kinds
    return np.where(is_hidden, kinds, np.uint8(_OPEN))


def _strip(
    frames: NDArray[np.int32], kinds: NDArray[np.uint8], count: int
) -> list[tuple[str, int, int]]:
    """Where on the time line a track is, and how it is known there.

    Returns:
        Kinds, each with the cells from the first to just before the last; the most
        doubtful frame decides on a cell.
    """
    cells = frames.astype(np.int64) * min(CELLS, count) // max(count, 1)
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    cells, worst = cells[starts], np.maximum.reduceat(kinds, starts)
    edges = (np.diff(worst, prepend=worst[:1]) != 0) | (np.diff(cells, prepend=-1) > 1)
    edges[0] = True
    begins = np.flatnonzero(edges)
    ends = np.append(begins[1:], len(cells)) - 1
    return [
        (KINDS[kind], begin, end + 1)
        for kind, begin, end in zip(
            worst[begins].tolist(),
            cells[begins].tolist(),
            cells[ends].tolist(),
            strict=True,
        )
    ]


def _kinds(table: FaceTable) -> NDArray[np.uint8]:
    """The number in `KINDS` of each row."""
    kinds = [KINDS.index(name) if name in KINDS else _FOUND for name in table.names]
    numbers = np.array(kinds or [_FOUND], np.uint8)
    return np.asarray(numbers[table.found_by])


def _clock(record: Record) -> Callable[[int], float | None]:
    """Tells when a frame is shown, in seconds, as far as is known.

    Between frames with a face, and around them, it is told by these.
    """
    times = record.times
    if times is None or len(times) < 2:
        return lambda _: None
    known = times.pts * float(times.base)
    rate = float(np.diff(known).sum() / max(int(np.ptp(times.frames)), 1))
    first, last = int(times.frames[0]), int(times.frames[-1])

    def seconds(frame: int) -> float:
        beyond = min(frame - first, 0) + max(frame - last, 0)
        return round(float(np.interp(frame, times.frames, known)) + beyond * rate, 3)

    return seconds


# --- What the page may change ------------------------------------------------------


def changed(record: Record, what: Any, frames: int) -> tuple[Record, Part]:
    """A film after a change, and the part of it that was changed.

    Args:
        record: the film.
        what: the change, as the page sends it: an object with what to `do`.
        frames: how many frames the film has.

    Raises:
        BoxesError: it is no such change.
    """
    try:
        return _CHANGES[what["do"]](record, what, frames)
    except BoxesError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise BoxesError(f"it is no change of a film: {what!r:.200}") from error


def _hide(record: Record, what: Mapping[str, Any], _: int) -> tuple[Record, Part]:
    """Hide a track in all its frames, or in none."""
    part, hides = Part(track=_whole(what["track"])), what["hide"]
    former = Former.of(record, part)
    if not former.tracks or not isinstance(hides, bool):
        raise BoxesError("there is no such track")
    rows, none = joined(former.hidden, former.shown), FaceTable.of(())
    pair = (rows, none) if hides else (none, rows)
    return _replaced(record, part, *pair), part


def _add(record: Record, what: Mapping[str, Any], frames: int) -> tuple[Record, Part]:
    """Add a track that goes straight from a box in one frame to one in another."""
    ends = sorted((_whole(end["frame"]), end["box"]) for end in what["ends"])
    (first, start), (last, end) = ends
    _check_frames(first, last, frames)
    numbers = np.arange(first, last + 1, dtype=np.int32)
    ways = np.linspace(0, 1, len(numbers))[:, None]
    sides = np.array([_box(start), _box(end)], np.float64)
    between = (1 - ways) * sides[0] + ways * sides[1]
    # Fractions of pixels are rounded outwards.
    left_top = np.floor(between[:, :2] + 1e-6)
    right_bottom = np.ceil(between[:, 2:] - 1e-6)
    placed = np.hstack([left_top, right_bottom]).astype(np.int32)
    tracks = [number for t in _tables(record) for number in t.track_numbers()]
    part = Part(track=max(tracks, default=-1) + 1)
    rows = _by_hand(numbers, placed, part)
    return _replaced(record, part, rows, FaceTable.of(())), part


def _extend(
    record: Record, what: Mapping[str, Any], frames: int
) -> tuple[Record, Part]:
    """Hold a track at its first or last box until a frame outside of it."""
    part, frame = Part(track=_whole(what["track"])), _whole(what["frame"])
    _check_frames(frame, frame, frames)
    former = Former.of(record, part)
    known = joined(former.hidden, former.shown)
    if not len(known):
        raise BoxesError("there is no such track")
    first, last = int(known.frames[0]), int(known.frames[-1])
    if first <= frame <= last:
        raise BoxesError("the track is in this frame already")
    row, begin, end = (0, frame, first) if frame < first else (-1, last + 1, frame + 1)
    numbers = np.arange(begin, end, dtype=np.int32)
    more = _by_hand(numbers, np.repeat(known.boxes[row][None], len(numbers), 0), part)
    hidden, shown = former.hidden, former.shown
    if len(hidden):
        hidden = joined(hidden, more)
    else:
        shown = joined(shown, more)
    return _replaced(record, part, hidden, shown), part


def _faces(record: Record, what: Mapping[str, Any], frames: int) -> tuple[Record, Part]:
    """Other faces in a frame; read as a line of a box file is, with its checks."""
    frame, faces = _whole(what["frame"]), what["faces"]
    _check_frames(frame, frame, frames)
    if any(face.get("frame", frame) != frame for face in faces):
        raise BoxesError("a face is of another frame")
    told = {**head_of(record), "faces": faces}
    read = boxes.from_line(json.dumps(told))
    part = Part(frame=frame)
    return _replaced(record, part, *_tables(read)), part


def _review(record: Record, what: Mapping[str, Any], _: int) -> tuple[Record, Part]:
    """Say that somebody has looked at it, or not yet."""
    return replace(record, reviewed=what["reviewed"] is True), Part()


_CHANGES: Mapping[str, Callable[..., tuple[Record, Part]]] = {
    "hide": _hide,
    "add": _add,
    "extend": _extend,
    "faces": _faces,
    "review": _review,
}


def _tables(record: Record) -> tuple[FaceTable, FaceTable]:
    return FaceTable.of(record.hidden), FaceTable.of(record.shown)


def _of_tracks(table: FaceTable, only: Collection[int] | None) -> FaceTable:
    if only is None:
        return table.where(table.tracks >= 0)
    return table.where(np.isin(table.tracks, sorted(only)))


def _replaced(
    record: Record, part: Part, hidden: FaceTable, shown: FaceTable
) -> Record:
    """The film with other faces in a part of it."""
    facts = {
        track: fact
        for table in (*_tables(record), hidden, shown)
        for track, fact in table.facts.items()
    }
    tables = [
        replace(joined(old.where(~part.rows(old)), new), facts=facts)
        for old, new in zip(_tables(record), (hidden, shown), strict=True)
    ]
    return replace(record, hidden=tables[0], shown=tables[1])


def _by_hand(
    frames: NDArray[np.int32], placed: NDArray[np.int32], part: Part
) -> FaceTable:
    rows = FaceRows()
    assert part.track is not None, "they are of a track"
    tracks = np.full(len(frames), part.track, np.int32)
    rows.add_block(frames, placed, tracks, KINDS[_HAND])
    return rows.table({})


def _check_frames(first: int, last: int, frames: int) -> None:
    if not 0 <= first <= last < frames:
        raise BoxesError(f"it has only {frames} frames")


def _whole(value: object) -> int:
    if type(value) is not int or abs(value) >= 2**31:
        raise BoxesError("it is no change of a film: a number is not whole")
    return value


def _box(sides: Sequence[object]) -> tuple[int, int, int, int]:
    left, top, right, bottom = (_whole(side) for side in sides)
    if not (left < right and top < bottom):
        raise BoxesError("a box is empty")
    return left, top, right, bottom
