"""The faces of a film as arrays: an hour may have a million."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain, repeat
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from faceanon.errors import BoxesError
from faceanon.model import Box, Face, Match, Points

_NO_TRACK = -1
_NO_FRAME = -1
_NO_POINTS = (float("nan"),) * 10

# So many rows become Python objects at once.
_BLOCK = 1024

# What an array of unsigned bytes can number.
_MAX_NAMES = 256


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """What holds of a face all over its track; see `Face`."""

    tone: tuple[float, float, float] | None = None
    match: Match | None = None
    pseudonym: int | None = None


_NO_FACTS = TrackFacts()


@dataclass(frozen=True, slots=True, eq=False)
class FaceTable(Sequence[Face]):
    """Faces in a row each, which become `Face` when they are asked for.

    Attributes:
        frames: shape (N,), int32, ascending; -1 for a face of all frames.
        boxes: left, top, right, bottom; shape (N, 4), int32.
        scores: shape (N,), float32.
        points: as in `Face.points`; shape (N, 5, 2), float32, NaN where there are none.
        tracks: shape (N,), int32; -1 for none.
        found_by: which of `names` found each; shape (N,), uint8.
        names: what has found any of them.
        facts: what holds of each track.
    """

    frames: NDArray[np.int32]
    boxes: NDArray[np.int32]
    scores: NDArray[np.float32]
    points: NDArray[np.float32]
    tracks: NDArray[np.int32]
    found_by: NDArray[np.uint8]
    names: tuple[str, ...] = ()
    facts: Mapping[int, TrackFacts] = field(default_factory=dict)

    @classmethod
    def of(cls, faces: Iterable[Face]) -> "FaceTable":
        """The table of some faces, by their frames.

        Raises:
            BoxesError: see `FaceRows.add`.
        """
        if isinstance(faces, FaceTable):
            return faces
        rows, facts = FaceRows(), {}
        for face in faces:
            rows.add(face)
            if face.track is not None:
                facts[face.track] = TrackFacts(face.tone, face.match, face.pseudonym)
        return rows.table(facts)

    def __len__(self) -> int:
        return len(self.frames)

    @overload
    def __getitem__(self, index: int) -> Face: ...
    @overload
    def __getitem__(self, index: slice) -> "FaceTable": ...
    def __getitem__(self, index: int | slice) -> "Face | FaceTable":
        if isinstance(index, slice):
            return self.where(index)
        row = index if index >= 0 else index + len(self)
        if not 0 <= row < len(self):
            raise IndexError(index)
        (face,) = self._faces(slice(row, row + 1))
        return face

    def __iter__(self) -> Iterator[Face]:
        for start in range(0, len(self), _BLOCK):
            yield from self._faces(slice(start, start + _BLOCK))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FaceTable):
            return NotImplemented
        return len(self) == len(other) and all(
            one == another for one, another in zip(self, other, strict=True)
        )

    def __hash__(self) -> int:
        return hash((len(self), self.boxes.tobytes()))

    def where(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "FaceTable":
        """Some of the rows, by a mask or by their numbers, which ascend."""
        return replace(
            self,
            frames=self.frames[rows],
            boxes=self.boxes[rows],
            scores=self.scores[rows],
            points=self.points[rows],
            tracks=self.tracks[rows],
            found_by=self.found_by[rows],
        )

    def of_frame(self, number: int) -> list[Face]:
        """The faces of a frame, and those of all frames."""
        everywhere = self.rows_of(_NO_FRAME, _NO_FRAME).stop
        rows = self.rows_of(number, number)
        return [
            *self._faces(slice(everywhere)),
            *self._faces(slice(max(rows.start, everywhere), rows.stop)),
        ]

    def rows_of(self, first: int, last: int) -> slice:
        """The rows of the frames from `first` to `last`."""
        # A number of another type would have all of the array converted.
        start = np.searchsorted(self.frames, np.int32(first), "left")
        end = np.searchsorted(self.frames, np.int32(last), "right")
        return slice(int(start), int(end))

    def digest(self) -> bytes:
        """16 bytes that differ where the faces do."""
        digest = blake2b(repr((self.names, self.facts)).encode(), digest_size=16)
        columns: tuple[NDArray[Any], ...] = (
            *(self.frames, self.boxes, self.scores, self.points),
            *(self.tracks, self.found_by),
        )
        for column in columns:
            digest.update(np.ascontiguousarray(column).data)
        return digest.digest()

    @property
    def face_count(self) -> int:
        """How many faces there are, each track as one."""
        alone = int((self.tracks == _NO_TRACK).sum())
        return len(self.track_numbers()) + alone

    def rows_of_tracks(self) -> list[NDArray[np.intp]]:
        """The rows of each track, by their frames; of faces without one, none."""
        order = np.lexsort((self.frames, self.tracks))
        tracks = self.tracks[order]
        edges = np.flatnonzero(np.diff(tracks)) + 1
        parts = np.split(order, edges) if len(order) else []
        return [rows for rows in parts if self.tracks[rows[0]] != _NO_TRACK]

    def track_numbers(self) -> list[int]:
        """The numbers of the tracks, ascending."""
        numbers = np.unique(self.tracks)
        return [int(number) for number in numbers if number != _NO_TRACK]

    def _faces(self, rows: slice) -> Iterator[Face]:
        # Turning a block of an array into numbers is much quicker than one by one.
        for frame, sides, score, points, track, found_by in zip(
            self.frames[rows].tolist(),
            self.boxes[rows].tolist(),
            self.scores[rows].tolist(),
            self.points[rows].tolist(),
            self.tracks[rows].tolist(),
            self.found_by[rows].tolist(),
            strict=True,
        ):
            facts = self.facts.get(track, _NO_FACTS)
            yield Face(
                Box(*sides),
                score,
                _as_points(points),
                self.names[found_by],
                None if frame == _NO_FRAME else frame,
                facts.match,
                facts.pseudonym,
                None if track == _NO_TRACK else track,
                facts.tone,
            )


class FaceRows:
    """Faces as they come, to become a `FaceTable`; no objects are kept."""

    def __init__(self) -> None:
        self._frames = array("i")
        self._boxes = array("i")
        self._scores = array("f")
        self._points = array("f")
        self._tracks = array("i")
        self._found_by = array("B")
        self._names: dict[str, int] = {}
        self._last = _NO_FRAME

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, face: Face) -> None:
        """Add a face.

        Raises:
            BoxesError: its frame is below 0, or too many different things have found
                the faces.
        """
        if face.frame is not None and face.frame < 0:
            raise BoxesError(f"frame {face.frame}: frames are counted from 0")
        number = self._number(face.found_by)
        frame = _NO_FRAME if face.frame is None else face.frame
        self._last = max(self._last, frame)
        self._frames.append(frame)
        self._boxes.extend(face.box.sides)
        self._scores.append(face.score)
        self._points.extend(
            chain.from_iterable(face.points) if face.points else _NO_POINTS
        )
        self._tracks.append(_NO_TRACK if face.track is None else face.track)
        self._found_by.append(number)

    def add_block(
        self,
        frames: NDArray[np.int32],
        boxes: NDArray[np.int32],
        tracks: NDArray[np.int32],
        found_by: str,
    ) -> None:
        """Add faces that are sure and have no points; see `add`.

        Args:
            frames: shape (N,), int32.
            boxes: left, top, right, bottom; shape (N, 4), int32.
            tracks: shape (N,), int32.
            found_by: what found them.
        """
        number, count = self._number(found_by), len(frames)
        self._last = max(self._last, int(frames.max(initial=_NO_FRAME)))
        self._frames.frombytes(frames.tobytes())
        self._boxes.frombytes(boxes.tobytes())
        self._scores.extend(repeat(1.0, count))
        self._points.extend(_NO_POINTS * count)
        self._tracks.frombytes(tracks.tobytes())
        self._found_by.extend(repeat(number, count))

    def drop(self, first: int, last: int) -> None:
        """Forget the faces of the frames from `first` to `last`."""
        if self._last < first:
            return
        frames = np.array(self._frames, np.int32)
        kept = (frames < first) | (frames > last)
        for column, width in self._columns():
            rows = np.frombuffer(column, f"V{column.itemsize * width}")[kept].tobytes()
            del column[:]
            column.frombytes(rows)

    def table(self, facts: Mapping[int, TrackFacts]) -> FaceTable:
        """The table of all that were added.

        Args:
            facts: what holds of each track.
        """
        frames = np.array(self._frames, np.int32)
        boxes = np.array(self._boxes, np.int32).reshape(-1, 4)
        scores = np.array(self._scores, np.float32)
        points = np.array(self._points, np.float32).reshape(-1, 5, 2)
        tracks = np.array(self._tracks, np.int32)
        found_by = np.array(self._found_by, np.uint8)
        table = FaceTable(
            frames, boxes, scores, points, tracks, found_by, tuple(self._names), facts
        )
        if (np.diff(frames) >= 0).all():
            return table
        return table.where(np.argsort(frames, kind="stable"))

    def _number(self, found_by: str) -> int:
        number = self._names.setdefault(found_by, len(self._names))
        if number >= _MAX_NAMES:
            raise BoxesError(f'"found_by" has more than {_MAX_NAMES} different values')
        return number

    def _columns(self) -> list[tuple["array[Any]", int]]:
        """Each with how many numbers of it belong to a face."""
        return [
            (self._frames, 1),
            (self._boxes, 4),
            (self._scores, 1),
            (self._points, 10),
            (self._tracks, 1),
            (self._found_by, 1),
        ]


def table_if_tracked(faces: Sequence[Face]) -> Sequence[Face]:
    """The faces, as a table if any of them is of a track, as they are in a film.

    Raises:
        BoxesError: see `FaceRows.add`.
    """
    is_tracked = any(face.track is not None for face in faces)
    return FaceTable.of(faces) if is_tracked else faces


def joined(one: FaceTable, other: FaceTable) -> FaceTable:
    """All faces of two tables; those of a frame in this order."""
    if not len(other):
        return one
    if not len(one):
        return other
    names = tuple(dict.fromkeys((*one.names, *other.names)))
    numbers = np.array([names.index(name) for name in other.names], np.uint8)
    table = FaceTable(
        np.concatenate([one.frames, other.frames]),
        np.concatenate([one.boxes, other.boxes]),
        np.concatenate([one.scores, other.scores]),
        np.concatenate([one.points, other.points]),
        np.concatenate([one.tracks, other.tracks]),
        np.concatenate([one.found_by, numbers[other.found_by]]),
        names,
        {**one.facts, **other.facts},
    )
    return table.where(np.argsort(table.frames, kind="stable"))


def faces_of(faces: Sequence[Face], frame: int) -> list[Face]:
    """The faces of a frame of a clip; those without a frame are in all of them."""
    if isinstance(faces, FaceTable):
        return faces.of_frame(frame)
    return [face for face in faces if face.frame in (None, frame)]


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames inside a track in which it has no box.

    Attributes:
        track: its number.
        first: the first of the frames.
        last: the last of them.
    """

    track: int
    first: int
    last: int


def gaps(table: FaceTable) -> list[Gap]:
    """Where tracks have no box between their first frame and their last.

    Returns:
        The gaps, by track and then by frame.
    """
    rows = np.flatnonzero((table.tracks != _NO_TRACK) & (table.frames != _NO_FRAME))
    # Rows are by frame; a stable order by track leaves them so within each.
    rows = rows[np.argsort(table.tracks[rows], kind="stable")]
    tracks, frames = table.tracks[rows], table.frames[rows]
    before = np.flatnonzero((np.diff(tracks) == 0) & (np.diff(frames) > 1))
    return [
        Gap(int(tracks[row]), int(frames[row]) + 1, int(frames[row + 1]) - 1)
        for row in before
    ]


def _as_points(row: list[list[float]]) -> Points | None:
    first, second, third, fourth, fifth = ((x, y) for x, y in row)
    return None if first[0] != first[0] else (first, second, third, fourth, fifth)
