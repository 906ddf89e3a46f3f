"""The faces of a film as arrays: an hour may have a million."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from faceanon.model import Box, Face, Match, Points

_NO_TRACK = -1
_NO_FRAME = -1


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
        """The table of some faces, by their frames."""
        if isinstance(faces, FaceTable):
            return faces
        rows = sorted(faces, key=_frame)
        names = list(dict.fromkeys(face.found_by for face in rows))
        facts = {
            face.track: TrackFacts(face.tone, face.match, face.pseudonym)
            for face in rows
            if face.track is not None
        }
        return cls(
            np.array([_frame(face) for face in rows], np.int32),
            np.array([_sides(face.box) for face in rows], np.int32).reshape(-1, 4),
            np.array([face.score for face in rows], np.float32),
            np.array([_points(face) for face in rows], np.float32).reshape(-1, 5, 2),
            np.array(
                [_NO_TRACK if face.track is None else face.track for face in rows],
                np.int32,
            ),
            np.array([names.index(face.found_by) for face in rows], np.uint8),
            tuple(names),
            facts,
        )

    def __len__(self) -> int:
        return len(self.frames)

    @overload
    def __getitem__(self, index: int) -> Face: ...
    @overload
    def __getitem__(self, index: slice) -> "FaceTable": ...
    def __getitem__(self, index: int | slice) -> "Face | FaceTable":
        if isinstance(index, slice):
            return self.where(np.arange(len(self))[index])
        frame, track = int(self.frames[index]), int(self.tracks[index])
        left, top, right, bottom = self.boxes[index].tolist()
        facts = self.facts.get(track, _NO_FACTS)
        return Face(
            Box(left, top, right, bottom),
            float(self.scores[index]),
            _as_points(self.points[index]),
            self.names[self.found_by[index]],
            None if frame == _NO_FRAME else frame,
            facts.match,
            facts.pseudonym,
            None if track == _NO_TRACK else track,
            facts.tone,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FaceTable):
            return NotImplemented
        return len(self) == len(other) and all(
            one == another for one, another in zip(self, other, strict=True)
        )

    def __hash__(self) -> int:
        return hash((len(self), self.boxes.tobytes()))

    def where(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "FaceTable":
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
        everywhere = int(np.searchsorted(self.frames, _NO_FRAME, "right"))
        first = int(np.searchsorted(self.frames, number, "left"))
        end = int(np.searchsorted(self.frames, number, "right"))
        rows = [*range(everywhere), *range(max(first, everywhere), end)]
        return [self[row] for row in rows]

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


def faces_of(faces: Sequence[Face], frame: int) -> list[Face]:
    """The faces of a frame of a clip; those without a frame are in all of them."""
    if isinstance(faces, FaceTable):
        return faces.of_frame(frame)
    return [face for face in faces if face.frame in (None, frame)]


def _frame(face: Face) -> int:
    return _NO_FRAME if face.frame is None else face.frame


def _sides(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right, box.bottom


def _points(face: Face) -> Points | list[list[float]]:
    return face.points or [[np.nan, np.nan]] * 5


def _as_points(row: NDArray[np.float32]) -> Points | None:
    if np.isnan(row[0, 0]):
        return None
    first, second, third, fourth, fifth = ((x, y) for x, y in row.tolist())
    return first, second, third, fourth, fifth
