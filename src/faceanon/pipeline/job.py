"""One input to do, and its outcome."""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from faceanon.boxes import FaceTable, Record
from faceanon.model import Face
from faceanon.pipeline.track_report import TrackReport
from faceanon.storage.dataset_names import is_dataset
from faceanon.storage.places import Place, Stamp
from faceanon.vision.recognition.identities import Observation

if TYPE_CHECKING:
    from faceanon.pipeline.counts import Counts


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to be anonymized, or one dataset file with all of its pictures.

    Attributes:
        name: the picture's path below INPUT, the same wherever INPUT lies; that of one
            in a dataset file begins with the path of the file.
        source: the file or object to read; None for standard input.
        target: the file or object to make; None for standard output, or for none.
        temporary: where an output that is a file is put together, in its folder.
        is_plain: whether the source was a regular file, and no link, in a folder: it is
            not read when it has become something else.
        record: the faces that are to be hidden, from a box file; None to detect them.
        records: of a dataset file, those of its pictures, by their names.
        member: of a picture in a dataset file, what it is called there; else empty.
        resumes: whether the target is a dataset file that an earlier run made of this
            one, in which pictures that failed are missing.
        redoes: whether the target is what an earlier version made of this one.
        is_named: whether the user has named the target, whose suffix then is a wish.
    """

    name: str
    source: Place | None
    target: Place | None
    temporary: Path | None = None
    is_plain: bool = False
    record: Record | None = None
    records: Mapping[str, Record] | None = field(default=None, compare=False)
    member: str = ""
    resumes: bool = False
    redoes: bool = False
    is_named: bool = False

    @property
    def is_dataset(self) -> bool:
        """Whether it is a dataset file."""
        return not self.member and is_dataset(self.name)

    @property
    def all_records(self) -> tuple[Record, ...]:
        """What box files tell of its picture, or of its pictures."""
        if self.record is not None:
            return (self.record,)
        return tuple((self.records or {}).values())

    def of_member(self, member: str) -> "Job":
        """The job for one of the pictures of this dataset file."""
        name = f"{self.name}/{member}"
        record = self.records.get(name) if self.records is not None else None
        return replace(
            self,
            name=name,
            member=member,
            temporary=None,  # that of the file
            record=record,
            records=None,
        )

    @property
    def label(self) -> str:
        """The input for people: its path, and its name in a dataset file."""
        source = str(self.source or "standard input")
        return f"{source}/{self.member}" if self.member else source


WORTH_A_NOTE = 40
"""Where faces of this width, in pixels, are not seen, the user is told."""


class Status(enum.StrEnum):
    """The outcome of a picture."""

    ANONYMIZED = "anonymized"
    UNCHANGED = "unchanged"
    NOBODY_HIDDEN = "nobody_hidden"
    FOUND = "found"
    NO_FACES = "no_faces"
    SKIPPED = "skipped"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one job; plain data, so that it can cross process borders.

    Attributes:
        job: what was to be done.
        status: its outcome.
        record: the faces of the picture, and what it is; None when it was not read, and
            for a dataset file.
        otherwise: the faces that were not treated as the method does it; see
            `Treated`.
        error: why it failed or is ignored, one line; empty otherwise.
        tracks: of a film, a row for each of its faces.
        keeps_sound: whether the output is a film with the sound of the input.
        smallest_face: the width of a face, in pixels, from which on the detector finds
            it in the picture; 0 when nothing was looked for.
        to_check: whether somebody should look at it: something as large as a face that
            can be recognised is nearly sure enough to be hidden, or a face of a film
            was lost in the middle of the picture.
        notes: what the user should know although it did not fail.
        jpeg: what became of the blocks of a JPEG, as `media.writing.write` tells.
        traceback: where an unexpected error came from; empty otherwise.
        seconds: the time it took.
        source_stamp: the input as it was read; None when it was not, or is no file.
        target_stamp: the output as it was written; None when there is none.
        stop: whether the run must stop, as nothing more can be written.
        is_refused: whether it failed because its place does not take its output.
        observations: the clear ones of the faces to hide, where people are told apart.
        members: of a dataset file that was done, the outcome of each of its pictures.
        earlier: of what was done already, its outcome then; None where nobody
            remembers.
    """

    job: Job
    status: Status
    record: Record | None = None
    otherwise: Mapping[Face, str] = field(default_factory=dict, compare=False)
    tracks: tuple[TrackReport, ...] = ()
    error: str = ""
    keeps_sound: bool = False
    smallest_face: int = 0
    to_check: bool = False
    notes: tuple[str, ...] = ()
    jpeg: str = ""
    traceback: str = ""
    seconds: float = 0.0
    source_stamp: Stamp | None = None
    target_stamp: Stamp | None = None
    stop: bool = False
    is_refused: bool = False
    observations: tuple[Observation, ...] = field(default=(), compare=False)
    members: tuple["Outcome", ...] = ()
    earlier: "Counts | None" = field(default=None, compare=False)

    @property
    def is_ignored(self) -> bool:
        """Whether it is something that is not taken."""
        return self.status is Status.IGNORED

    @property
    def faces(self) -> Sequence[Face]:
        """Those to hide, in pixels of the upright picture."""
        return self.record.hidden if self.record else ()

    @property
    def face_count(self) -> int:
        """How many faces are to be hidden; one that a film follows counts once."""
        if isinstance(self.faces, FaceTable):
            return self.faces.face_count
        return len(self.faces)

    @property
    def unsure(self) -> Sequence[Face]:
        """What may be a face, but is not sure enough to be hidden."""
        return self.record.unsure if self.record else ()

    @property
    def shown(self) -> Sequence[Face]:
        """The faces that are not hidden, by who they are."""
        return self.record.shown if self.record else ()

    @property
    def width(self) -> int:
        """Of the upright picture, in pixels; 0 when it could not be read."""
        return self.record.width if self.record else 0

    @property
    def height(self) -> int:
        """Of the upright picture, in pixels; 0 when it could not be read."""
        return self.record.height if self.record else 0

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it is left to be done by a further run."""
        failed = Status.FAILED
        return self.status is not failed and all(
            member.status is not failed for member in self.members
        )

    def pictures(self) -> Iterator["Outcome"]:
        """The outcome of each picture: of those of a dataset file, or of the one."""
        if not self.members:
            yield self
        for member in self.members:
            yield replace(member, job=self.job.of_member(member.job.member))
