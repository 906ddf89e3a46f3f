"""Films in box files, and one whose faces are read from several lines."""

import math
import re
from array import array
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import PurePosixPath

import numpy as np

from faceanon.boxes.record import Record
from faceanon.boxes.table import FaceRows, FaceTable, TrackFacts
from faceanon.boxes.times import FrameTimes
from faceanon.errors import BoxesError
from faceanon.model import Face
from faceanon.storage.names import shown

_TIME = re.compile(r"(-?[0-9]{1,18})/([0-9]{1,18})")

_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class Span:
    """Frames that follow each other, with the first and the last."""

    first: int
    last: int


@dataclass(slots=True)
class Part:
    """What a line tells.

    Attributes:
        span: its frames; None for all.
        reviewed: whether somebody has looked at them.
        everywhere: its faces of all frames, each with whether it is hidden.
    """

    span: Span | None
    reviewed: bool
    everywhere: list[tuple[Face, bool]] = field(default_factory=list)


class Film:
    """What lines tell of a film.

    Attributes:
        head: what the first of them tells besides the faces.
        facts: what holds of each track.
        times: when frames are shown.
    """

    def __init__(self, head: Record) -> None:
        """Know nothing of it yet but `head`."""
        self.facts: dict[int, TrackFacts] = {}
        self.times = TimesRead()
        self.head = head
        self._hidden, self._shown = FaceRows(), FaceRows()
        self._parts: list[Part] = []
        self._end = 0

    @classmethod
    def of(cls, record: Record) -> "Film":
        """What a line that is not of a film, and so of all frames, has told.

        Raises:
            BoxesError: it has a face in a frame below 0.
        """
        film = cls(replace(record, hidden=(), shown=()))
        part = film.begin(None, record.reviewed)
        for faces, hide in ((record.hidden, True), (record.shown, False)):
            for face in faces:
                film.add(part, face, hide)
        return film

    def begin(self, span: Span | None, reviewed: bool) -> Part:
        """Forget what was told of a span; what is told of it now follows.

        Args:
            span: of frames; None for all.
            reviewed: whether somebody has looked at them.
        """
        part = Part(span, reviewed)
        if span is None:
            self._end = _LIMIT
        else:
            # Mostly, lines follow each other as the frames do.
            if span.first < self._end:
                self._hidden.drop(span.first, span.last)
                self._shown.drop(span.first, span.last)
                self._parts = [old for old in self._parts if not _holds(span, old.span)]
            self._end = max(self._end, span.last + 1)
        self._parts.append(part)
        return part

    def add(self, part: Part, face: Face, hide: bool) -> None:
        """Add a face of the line that has begun.

        Raises:
            BoxesError: it is in a frame of which the line does not tell.
        """
        if face.frame is None:
            part.everywhere.append((face, hide))
            return
        span = part.span
        if span is not None and not span.first <= face.frame <= span.last:
            raise BoxesError(
                f"a face is in frame {face.frame}, and the line is of frames "
                f"{span.first} to {span.last}"
            )
        (self._hidden if hide else self._shown).add(face)

    def record(self) -> Record:
        """All that was told.

        Raises:
            BoxesError: of some frames nothing was.
        """
        for part in self._parts:
            for face, hide in part.everywhere:
                (self._hidden if hide else self._shown).add(face)
        return replace(
            self.head,
            hidden=self._hidden.table(self.facts),
            shown=self._shown.table(self.facts),
            reviewed=all(part.reviewed for part in self._parts),
            times=self.times.times(),
            frame_count=self._frame_count(),
        )

    def _frame_count(self) -> int | None:
        spans = [part.span for part in self._parts if part.span]
        if len(spans) < len(self._parts):
            return None
        end = 0
        for span in sorted(spans, key=lambda span: span.first):
            if span.first > end:
                raise BoxesError(
                    f"no line tells of the frames {end} to {span.first - 1} of "
                    f"{shown(self.head.picture)}; detect its faces again"
                )
            end = max(end, span.last + 1)
        return end


class TimesRead:
    """The times of frames as they are read."""

    def __init__(self) -> None:
        self._frames = array("i")
        self._numerators = array("q")
        self._denominators = array("q")
        self._last: tuple[int, str] | None = None

    def add(self, frame: int, text: str) -> None:
        """Add the time of a frame, as a fraction of seconds "n/d".

        Raises:
            BoxesError: it is no such fraction.
        """
        # The faces of a frame follow each other.
        if (frame, text) == self._last:
            return
        self._last = frame, text
        match = _TIME.fullmatch(text)
        if match is None or int(match[2]) == 0:
            raise BoxesError(f"{text!r} is no time; write seconds as a fraction, n/d")
        self._frames.append(frame)
        self._numerators.append(int(match[1]))
        self._denominators.append(int(match[2]))

    def times(self) -> FrameTimes | None:
        """The times, in a base that holds all of them; None where there are none.

        Raises:
            BoxesError: their denominators have nothing in common.
        """
        if not self._frames:
            return None
        frames = np.array(self._frames, np.int32)
        # What was told last counts.
        frames, rows = np.unique(frames[::-1], return_index=True)
        rows = len(self._frames) - 1 - rows
        pts = np.array(self._numerators, np.int64)[rows]
        denominators = np.array(self._denominators, np.int64)[rows]
        base = 1
        for denominator in np.unique(denominators).tolist():
            base = math.lcm(base, denominator)
            if base > _LIMIT:
                raise BoxesError("the times have too many different denominators")
        factors = base // denominators
        if (np.abs(pts) > _LIMIT // factors).any():
            raise BoxesError("the times have too many different denominators")
        return FrameTimes(frames, pts * factors, Fraction(1, base))


def in_frames(record: Record) -> FaceTable:
    """The faces to hide, for forms in which each is in one frame of a film.

    Raises:
        BoxesError: one is not.
    """
    table = FaceTable.of(record.hidden)
    if len(table) and table.frames[0] < 0:
        raise BoxesError(
            f"{shown(record.picture)} has a box without a frame, and this form is for "
            "films; write JSON Lines or COCO instead"
        )
    return table


def check_is_of(film: str, names: list[str]) -> None:
    """Refuse a box file that is of another film, as far as names tell.

    Args:
        film: the name of the film, with or without a suffix.
        names: what the box file calls it, likewise.

    Raises:
        BoxesError: it is another.
    """
    stems = {stem for name in names for stem in (name, PurePosixPath(name).stem)}
    if PurePosixPath(film).stem not in stems:
        told = " or ".join(shown(name) for name in dict.fromkeys(names))
        raise BoxesError(
            f"it is of {told} by its name, and INPUT is {shown(film)}; if it is of "
            f"INPUT, call it {shown(PurePosixPath(film).stem)}, with its own suffix"
        )


def is_same(one: Record, other: Record) -> bool:
    """Whether two lines are of the same file, as far as they tell."""
    sizes_agree = (one.width, one.height) == (other.width, other.height)
    contents = {one.content, other.content} - {""}
    return sizes_agree and len(contents) < 2


def _holds(span: Span, other: Span | None) -> bool:
    return other is not None and span.first <= other.first and other.last <= span.last
