"""What an audit finds, and how it is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from faceanon.audit.scan import Finding as FileFinding
from faceanon.audit.scan import Kind as FileKind
from faceanon.media.video.library import clock
from faceanon.model import Box
from faceanon.storage.names import shown

SCHEMA = 1
"""The version of the JSON lines; it grows when a reader of the old ones would err."""


class Kind(StrEnum):
    """What was found, the worst first."""

    FACE_LEFT = "face left"
    RECOGNISABLE = "recognisable"
    VISIBLE = "visible"
    FILE = "file"
    SOUND = "sound"
    NOT_COMPARED = "not compared"
    STRAY = "stray"
    MISSING = "missing"
    RANK = "rank"
    DOUBTFUL = "doubtful"
    SHOWN = "shown"
    PART = "part"


OF_A_FACE = (Kind.FACE_LEFT, Kind.RECOGNISABLE, Kind.VISIBLE)
"""What is found of one face that is not hidden."""

_ORDER = list(Kind)

# What can be told of these is not known.
_UNKNOWN = {Kind.NOT_COMPARED, Kind.STRAY, Kind.MISSING}

# A face in two frames that were looked at one after the other is one finding if its
# boxes have so much in common.
_SAME_PLACE = 0.1


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that can be told from an output, or could not be audited.

    Attributes:
        kind: what it is.
        fails: whether the audit fails by it: the method promises that there is no such
            thing, or it could not be audited. Else it is a note.
        what: what it is, in words.
        input: the path of the input below IN; None where there is none.
        output: the path of the output below OUT; None where there is none.
        frame: in which of several frames or pages, counted from 0; None in a file of
            one picture.
        time: of a film, when that frame is shown in the output, in seconds.
        until: of a film, when the last of the frames is shown in which it was found
            one after the other; None where it was one frame.
        box: of the face, in pixels of the upright picture; None if it is not about one.
        similarity: of the face to the original, -1 to 1; None if it was not measured.
        found: what the file holds beside its picture; None if it is not about that.
        figures: of all faces together; None if it is not about them.
    """

    kind: Kind
    fails: bool
    what: str
    input: str | None = None
    output: str | None = None
    frame: int | None = None
    time: float | None = None
    until: float | None = None
    box: Box | None = None
    similarity: float | None = None
    found: FileFinding | None = None
    figures: dict[str, float | str] | None = None

    @property
    def severity(self) -> tuple[bool, int, bool]:
        """Sorts findings: the worst are the least."""
        is_picture = self.found is not None and self.found.kind is FileKind.PICTURE
        return not self.fails, _ORDER.index(self.kind), not is_picture

    @property
    def place(self) -> str:
        """The picture, and where in it."""
        place = shown(self.output or self.input or "all pictures")
        if self.frame is not None:
            place += f", {self.moment}"
        if self.box is not None:
            place += f", face at {self.box.left},{self.box.top}"
        return place

    @property
    def moment(self) -> str:
        """The frame, and when it is shown; nothing in a file of one picture."""
        if self.frame is None or self.time is None:
            return "" if self.frame is None else f"frame {self.frame}"
        if self.until is None:
            return f"at {clock(self.time)} (frame {self.frame})"
        return f"at {clock(self.time)} to {clock(self.until)} (from frame {self.frame})"

    def line(self) -> str:
        """The finding for people, one line."""
        label = "note"
        if self.fails:
            label = "NOT AUDITED" if self.kind in _UNKNOWN else "LEAK"
            label = "CHANGED" if self.kind is Kind.SOUND else label
        return f"{label}: {self.place}: {shown(self.what)}"

    def as_json(self) -> dict[str, Any]:
        """The finding as the object of a JSON line; see docs/verify.md."""
        box = self.box
        line: dict[str, Any] = {
            "schema": SCHEMA,
            "output": self.output,
            "input": self.input,
            "kind": self.kind.value,
            "fails": self.fails,
            "what": self.what,
            "frame": self.frame,
            "time": _rounded(self.time),
            "until": _rounded(self.until),
            "box": box and [box.left, box.top, box.right, box.bottom],
            "similarity": _rounded(self.similarity),
        }
        if self.found is not None:
            line["found"] = self.found.as_json(self.output or "", show_value=False)
        return line | (self.figures or {})


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 3)


def merged(findings: Iterable[Finding], looked: Sequence[int]) -> list[Finding]:
    """The findings, of which those of one face in frames of a film become one.

    Args:
        findings: those of faces in the order of their frames.
        looked: the numbers of the frames that were looked at, in their order.
    """
    order = {number: place for place, number in enumerate(looked)}
    result: list[Finding] = []
    # By the places of findings in the result: where the face was last, and when.
    last: dict[int, tuple[int, Box]] = {}
    for finding in findings:
        box, number = finding.box, finding.frame
        if box is None or number is None or finding.time is None:
            result.append(finding)
            continue
        frame = order[number]
        last = {place: seen for place, seen in last.items() if seen[0] >= frame - 1}
        for place, (before, where) in last.items():
            first = result[place]
            is_same = (first.kind, first.fails) == (finding.kind, finding.fails)
            if is_same and before < frame and where.overlap(box) >= _SAME_PLACE:
                result[place] = replace(first, until=finding.time)
                last[place] = frame, box
                break
        else:
            last[len(result)] = frame, box
            result.append(finding)
    return result
