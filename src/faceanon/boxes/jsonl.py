"""Box files in JSON Lines, the project's own form.

A picture is a line. A film is several, each of which tells of a span of its frames, so
that neither who writes them nor who reads them has more than a span in hand.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from faceanon.boxes.film import Film, Span, is_same
from faceanon.boxes.record import Record
from faceanon.boxes.table import FaceTable, TrackFacts, joined
from faceanon.boxes.times import FrameTimes
from faceanon.boxes.values import (
    finite,
    frame_of,
    points_of,
    reason,
    text_of,
    tone_of,
    track_of,
    whole,
)
from faceanon.errors import BoxesError
from faceanon.model import Box, Face, Match

SCHEMA = 1
"""The version of the lines' schema; readers refuse others."""

# A line of a film has no more, but for those of a single frame.
_FACES_PER_LINE = 1000


def to_lines(record: Record) -> Iterator[str]:
    """The record as lines, without their ends; ASCII, whatever the name holds."""
    if is_film(record):
        yield from _film_lines(record)
        return
    faces = [
        *(face_to_json(face, hide=True) for face in record.hidden),
        *(face_to_json(face, hide=False) for face in (*record.unsure, *record.shown)),
    ]
    yield json.dumps({**head_of(record), "faces": faces})


def to_line(record: Record) -> str:
    """The line of a still, or of pages; see `to_lines`."""
    (line,) = to_lines(record)
    return line


def is_film(record: Record) -> bool:
    """Whether a record is of a film, whose faces are kept as a `FaceTable`."""
    return (
        record.times is not None
        or record.frame_count is not None
        or any(
            isinstance(faces, FaceTable)
            or any(face.track is not None for face in faces)
            for faces in (record.hidden, record.unsure, record.shown)
        )
    )


def head_of(record: Record) -> dict[str, Any]:
    """What a line tells of its picture, besides the faces."""
    return {
        "schema": SCHEMA,
        "picture": record.picture,
        "width": record.width,
        "height": record.height,
        "content": record.content or None,
        "reviewed": record.reviewed,
    }


def _tracks_to_json(facts: Mapping[int, TrackFacts]) -> dict[str, Any]:
    """What is told of tracks, by their numbers; those of which nothing is lack."""
    told = {
        str(track): {
            **({} if of_it.tone is None else {"tone": of_it.tone}),
            **({} if of_it.match is None else {"match": match_to_json(of_it.match)}),
        }
        for track, of_it in facts.items()
    }
    return {track: of_it for track, of_it in told.items() if of_it}


def _film_lines(record: Record) -> Iterator[str]:
    hidden = FaceTable.of(record.hidden)
    others = joined(FaceTable.of(record.unsure), FaceTable.of(record.shown))
    head = head_of(record)
    facts = {**others.facts, **hidden.facts}
    for span in _spans(record, hidden, others):
        line: dict[str, Any] = {**head}
        # Where it tells of all frames, the first line does, and the others replace it.
        if span.first > 0 or record.frame_count is not None:
            line["frames"] = [span.first, span.last]
        rows = [(_rows(hidden, span), True), (_rows(others, span), False)]
        here = {track for table, _ in rows for track in table.track_numbers()}
        # Once a track: where it begins.
        if tracks := _tracks_to_json({t: facts.pop(t) for t in here if t in facts}):
            line["tracks"] = tracks
        pts = _pts(record.times, [table for table, _ in rows])
        line["faces"] = [
            _film_face_to_json(face, hide, pts)
            for table, hide in rows
            for face in table
        ]
        yield json.dumps(line, separators=(",", ":"))


def _spans(record: Record, *tables: FaceTable) -> Iterator[Span]:
    """The spans of frames that become a line each, from the first frame to the last."""
    frames = np.sort(np.concatenate([table.frames for table in tables])).clip(0)
    end = record.frame_count or 1
    end = max(end, int(frames[-1]) + 1 if len(frames) else 0)
    first = row = 0
    while first < end:
        last = end - 1
        if row + _FACES_PER_LINE < len(frames):
            # The frame that would not fit is the next line's; if it is alone, this.
            last = max(int(frames[row + _FACES_PER_LINE]) - 1, int(frames[row]))
        yield Span(first, last)
        first = last + 1
        row = int(np.searchsorted(frames, np.int32(first)))


def _rows(table: FaceTable, span: Span) -> FaceTable:
    """The rows of a span; faces of all frames are in the first."""
    return table[table.rows_of(span.first or -1, span.last)]


def _pts(
    times: FrameTimes | None, tables: Sequence[FaceTable]
) -> dict[int | None, str]:
    """The times of the frames of some faces, as they are written."""
    if times is None:
        return {}
    numbers = {number for table in tables for number in table.frames.tolist()}
    return {
        number: f"{time.numerator}/{time.denominator}"
        for number in numbers
        if (time := times.get(number)) is not None
    }


def _film_face_to_json(
    face: Face, hide: bool, pts: Mapping[int | None, str]
) -> dict[str, Any]:
    """The face as an object of a line of a film; what is not known lacks."""
    told = face_to_json(face, hide)
    # It is told once a track.
    told.pop("match", None)
    if face.points is None:
        del told["points"]
    if face.frame in pts:
        told["pts"] = pts[face.frame]
    return told


def face_to_json(face: Face, hide: bool) -> dict[str, Any]:
    """The face as an object of a line."""
    box = face.box
    told: dict[str, Any] = {
        "box": list(box.sides),
        "score": round(face.score, 4),
        "hide": hide,
        "points": face.points and [[round(x, 2), round(y, 2)] for x, y in face.points],
        "found_by": face.found_by,
    }
    if face.frame is not None:
        told["frame"] = face.frame
    if face.track is not None:
        told["track"] = face.track
    if face.match is not None:
        told["match"] = match_to_json(face.match)
    return told


def match_to_json(match: Match) -> dict[str, Any]:
    """Whose a face is, as an object."""
    return {
        "person": match.person or None,
        "similarity": match.similarity and round(match.similarity, 4),
        "verdict": match.verdict,
        "reason": match.reason or None,
    }


def from_line(line: str) -> Record:
    """The record that a single line stands for.

    Raises:
        BoxesError: it is not such a line, or one of several of a film.
    """
    reader = _Reader()
    reader.take(line)
    (record,) = reader.records()
    return record


def from_lines(lines: Iterable[str]) -> Iterator[Record]:
    """The records that lines stand for; those that are blank are passed over.

    A line replaces what lines before it tell of the same frames: of all frames, where
    it names none.

    Raises:
        BoxesError: one is not such a line, or a film has frames without one.
    """
    reader = _Reader()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            reader.take(line)
        except BoxesError as error:
            raise BoxesError(f"line {number}: {error}") from error
    yield from reader.records()


class _Reader:
    """Puts together what lines tell of each picture."""

    def __init__(self) -> None:
        self._read: dict[str, Record | Film] = {}

    def take(self, line: str) -> None:
        """Take a line.

        Raises:
            BoxesError: it is not such a line.
        """
        try:
            data = json.loads(line)
            if data["schema"] != SCHEMA:
                raise BoxesError(
                    f"schema {data['schema']!r} is not known, only {SCHEMA}"
                )
            self._take(data)
        except (
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
            OverflowError,
            RecursionError,
        ) as error:
            raise BoxesError(f"not a line of a box file: {reason(error)}") from error

    def records(self) -> Iterator[Record]:
        """The records of all pictures.

        Raises:
            BoxesError: of some frames of a film there is no line.
        """
        for name in list(self._read):
            # What a film was read from is not kept longer than needed.
            told = self._read.pop(name)
            yield told.record() if isinstance(told, Film) else told

    def _take(self, data: Mapping[str, Any]) -> None:
        head = Record(
            picture=text_of(data["picture"]),
            width=whole(data["width"]),
            height=whole(data["height"]),
            content=text_of(data.get("content") or ""),
            reviewed=data.get("reviewed") is True,
        )
        span = _span_of(data.get("frames"))
        is_film = (
            span is not None
            or bool(data.get("tracks"))
            or any(_is_of_film(face) for face in data["faces"])
        )
        if not is_film:
            self._read[head.picture] = _still(head, data["faces"])
            return
        film = self._film(head, span)
        entry = film.begin(span, head.reviewed)
        for face in data["faces"]:
            hide, read = _hidden(face), _face_from_json(face)
            film.add(entry, read, hide)
            if read.frame is not None and face.get("pts") is not None:
                film.times.add(read.frame, text_of(face["pts"]))
        for track, told in (data.get("tracks") or {}).items():
            film.facts[int(track)] = TrackFacts(tone_of(told.get("tone")))

    def _film(self, head: Record, span: Span | None) -> Film:
        """The film that a line goes on with, or a new one."""
        known = self._read.get(head.picture)
        if known is None or span is None or not is_same(_head(known), head):
            film = Film(head)
        elif isinstance(known, Film):
            film = known
        else:
            film = Film.of(known)
        self._read[head.picture] = film
        return film


def _head(told: Record | Film) -> Record:
    return told.head if isinstance(told, Film) else told


def _is_of_film(face: Mapping[str, Any]) -> bool:
    return face.get("track") is not None or face.get("pts") is not None


def _still(head: Record, faces: Iterable[Any]) -> Record:
    told = [(_hidden(face), _face_from_json(face)) for face in faces]
    return replace(
        head,
        hidden=tuple(face for hide, face in told if hide),
        shown=tuple(face for hide, face in told if not hide),
    )


def _span_of(value: Any) -> Span | None:
    if value is None:
        return None
    first, last = (whole(number) for number in value)
    if not 0 <= first <= last:
        raise BoxesError(f'"frames" must be the first and the last, not {value!r}')
    return Span(first, last)


def _hidden(face: Mapping[str, Any]) -> bool:
    hide = face["hide"]
    if not isinstance(hide, bool):
        raise BoxesError('"hide" must be true or false')
    return hide


def _face_from_json(data: Mapping[str, Any]) -> Face:
    left, top, right, bottom = (whole(side) for side in data["box"])
    if not (left < right and top < bottom):
        raise BoxesError(f"an empty box {data['box']}")
    return Face(
        Box(left, top, right, bottom),
        finite(data.get("score", 1.0)),
        points_of(data.get("points")),
        text_of(data.get("found_by", "")),
        frame_of(data),
        track=track_of(data),
    )
