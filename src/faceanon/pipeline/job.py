"""One picture to do, and what came of it."""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from faceanon.boxes import Record
from faceanon.model import Face
from faceanon.storage.dataset_names import is_dataset
from faceanon.storage.places import Place
from faceanon.vision.recognition.identities import Sight


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to be anonymized, or one dataset file with all of its pictures.

    Attributes:
        name: the picture's path below INPUT, the same wherever INPUT lies; that of one
            in a dataset file begins with the path of the file.
        source: the file or object to read; None for standard input.
        target: the file or object to make; None for standard output.
        temporary: where an output that is a file is put together, in its folder.
        is_plain: whether the source was a regular file, and no link, in a folder: it is
            not read when it has become something else.
        record: the faces that are to be hidden, from a box file; None to detect them.
        problem: why it cannot be done, where that was seen before; else empty.
        made_by: of an output in a bucket, what tells with which settings it is made.
        overwrite: whether an output in a bucket may be replaced.
        records: of a dataset file, those of its pictures, by their names.
        member: of a picture in a dataset file, what it is called there; else empty.
        resumes: whether the target is a dataset file that an earlier run made of this
            one, in which pictures that failed are missing.
    """

    name: str
    source: Place | None
    target: Place | None
    temporary: Path | None = None
    is_plain: bool = False
    record: Record | None = None
    problem: str = ""
    made_by: bytes = b""
    overwrite: bool = False
    records: Mapping[str, Record] | None = field(default=None, compare=False)
    member: str = ""
    resumes: bool = False

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
        return replace(self, name=name, member=member, record=record, records=None)

    @property
    def label(self) -> str:
        """The input for people: its path, and its name in a dataset file."""
        source = str(self.source or "standard input")
        return f"{source}/{self.member}" if self.member else source


class Status(enum.StrEnum):
    """What came of a picture."""

    ANONYMIZED = "anonymized"
    NOBODY_HIDDEN = "nobody_hidden"
    FOUND = "found"
    NO_FACES = "no_faces"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a file is still the one it was.

    Attributes:
        size: in bytes.
        mtime_ns: time of the last change, in nanoseconds since 1970; 0 for an output
            in a bucket, whose provider sets it.
    """

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one job; plain data, so that it can cross process borders.

    Attributes:
        job: what was to be done.
        status: what came of it.
        faces: those to hide, in pixels of the upright picture.
        unsure: what may be a face, but is not sure enough to be hidden.
        width: of the upright picture, in pixels; 0 when it could not be read.
        height: of the upright picture, in pixels; 0 when it could not be read.
        content: `boxes.content_digest` of the input, where it is needed, else empty.
        error: why it failed, one line; empty otherwise.
        notes: what the user should know although it did not fail.
        jpeg: what became of the blocks of a JPEG, as `output.make_output` tells.
        traceback: where an unexpected error came from; empty otherwise.
        seconds: the time it took.
        source_stamp: the input as it was read; None when it was not, or is no file.
        target_stamp: the output as it was written; None when there is none.
        stop: whether the run must stop, as nothing more can be written.
        shown: the faces that are not hidden, by who they are.
        sights: the clear ones of the faces to hide, where people are told apart.
        members: of a dataset file that was done, what came of each of its pictures.
    """

    job: Job
    status: Status
    faces: tuple[Face, ...] = ()
    unsure: tuple[Face, ...] = ()
    width: int = 0
    height: int = 0
    content: str = ""
    error: str = ""
    notes: tuple[str, ...] = ()
    jpeg: str = ""
    traceback: str = ""
    seconds: float = 0.0
    source_stamp: Stamp | None = None
    target_stamp: Stamp | None = None
    stop: bool = False
    shown: tuple[Face, ...] = ()
    sights: tuple[Sight, ...] = field(default=(), compare=False)
    members: tuple["Outcome", ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it is left to be done by a further run."""
        failed = Status.FAILED
        return self.status is not failed and all(
            member.status is not failed for member in self.members
        )

    def pictures(self) -> Iterator["Outcome"]:
        """What came of each picture: of those of a dataset file, or of the one."""
        if not self.members:
            yield self
        for member in self.members:
            yield replace(member, job=self.job.of_member(member.job.member))
