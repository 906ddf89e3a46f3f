"""One picture to do, and what came of it."""

import enum
from dataclasses import dataclass
from pathlib import Path

from faceanon.boxes import Record
from faceanon.model import Face
from faceanon.places import Place


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to be anonymized.

    Attributes:
        name: the picture's path below INPUT, the same wherever INPUT lies.
        source: the file or object to read; None for standard input.
        target: the file or object to make; None for standard output.
        temporary: where an output that is a file is put together, in its folder.
        is_plain: whether the source was a regular file, and no link, in a folder: it is
            not read when it has become something else.
        record: the faces that are to be hidden, from a box file; None to detect them.
        problem: why it cannot be done, where that was seen before; else empty.
        made_by: of an output in a bucket, what tells with which settings it is made.
        overwrite: whether an output in a bucket may be replaced.
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
