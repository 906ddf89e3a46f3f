"""Reading inputs and writing outputs, whole, wherever they lie."""

import errno
import io
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

from faceanon.errors import PictureError, StorageError
from faceanon.pipeline.job import Job, Stamp
from faceanon.storage.buckets import objects
from faceanon.storage.buckets.stores import BucketError
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject

# What the whole run suffers from, and not one picture only.
_STORAGE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def read_source(job: Job) -> tuple[bytes, Stamp | None]:
    """The bytes of the input, and the stamp of the file; no stamp for a stream.

    Raises:
        PictureError: it cannot be read, or somebody writes to it.
        StorageError: nothing in its bucket can be read.
    """
    if job.source is None:
        return sys.stdin.buffer.read(), None
    if isinstance(job.source, BucketObject):
        with bucket_errors():
            return objects.read(job.source), objects.stamp(job.source)
    try:
        with open(job.source, "rb", opener=_opener(job)) as file:
            before = os.fstat(file.fileno())
            if job.is_plain and not stat.S_ISREG(before.st_mode):
                raise PictureError("it is no regular file any more")
            data = file.read()
            after = os.fstat(file.fileno())
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(before.st_mode):
        return data, None
    stamp = Stamp(before.st_size, before.st_mtime_ns)
    if stamp != Stamp(after.st_size, after.st_mtime_ns) or len(data) != stamp.size:
        raise PictureError("it changed while it was read; run again for it")
    return data, stamp


def open_source(job: Job) -> BinaryIO:
    """The input as a stream in which can be sought, for what is too large to hold.

    Raises:
        PictureError: it cannot be read.
    """
    assert job.source is not None, "standard input cannot be sought in"
    if isinstance(job.source, BucketObject):
        return objects.open_stream(job.source)
    try:
        file = open(job.source, "rb", opener=_opener(job))  # noqa: SIM115  the caller's
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from error
    if job.is_plain and not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise PictureError("it is no regular file any more")
    return file


def _opener(job: Job) -> Callable[[str, int], int] | None:
    """How to open a file that somebody may just have replaced by a link or a pipe."""
    if not job.is_plain:
        return None
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return lambda path, flags: os.open(path, flags | careful)


def source_stamp(job: Job) -> Stamp | None:
    """The stamp of an input before it is read; None where it has none."""
    if job.source is None:
        return None
    if isinstance(job.source, BucketObject):
        return objects.stamp(job.source)
    try:
        return file_stamp(job.source)
    except OSError:
        return None


def file_stamp(path: Path) -> Stamp:
    """The stamp of a file that is there."""
    status = path.stat()
    return Stamp(status.st_size, status.st_mtime_ns)


def is_finished(job: Job) -> bool:
    """Whether the output is in its bucket, made from this input and settings.

    Raises:
        PictureError: there is another one, or it cannot be known.
        StorageError: nothing in its bucket can be known.
    """
    if not isinstance(job.target, BucketObject) or job.overwrite:
        return False
    with bucket_errors():
        mark = objects.mark(job.target)
    if mark is None:
        return False
    if mark != _mark(job, source_stamp(job)):
        raise PictureError(refusal(job.target))
    return True


def is_begun(job: Job) -> bool:
    """Whether a dataset file is in its bucket, but pictures are missing that failed.

    Raises:
        PictureError: it cannot be known.
        StorageError: nothing in its bucket can be known.
    """
    if not isinstance(job.target, BucketObject) or job.overwrite:
        return False
    with bucket_errors():
        return objects.mark(job.target) == _mark(job, source_stamp(job), False)


def open_earlier(job: Job) -> BinaryIO:
    """What an earlier run has made of a dataset file, as a stream.

    Raises:
        PictureError: it cannot be read.
    """
    target = job.target
    if isinstance(target, BucketObject):
        with bucket_errors():
            target = objects.described(target)
    return open_source(replace(job, source=target, is_plain=True))


def write_target(job: Job, data: bytes, made_from: Stamp | None) -> Stamp | None:
    """Write an output whole: to its bucket, its temporary file or standard output.

    Args:
        job: whose output it is.
        data: the output.
        made_from: the stamp of the input.

    Raises:
        StorageError: nothing more can be written there.
        PictureError: this output cannot be written.
    """
    if isinstance(job.target, BucketObject):
        return _put(job, job.target, data, made_from)
    if job.temporary is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return None
    with open_target(job) as file:
        file.write(data)
    return file_stamp(job.temporary)


@contextmanager
def open_target(job: Job) -> Iterator[BinaryIO]:
    """The job's temporary file, for an output that is written piece by piece.

    Raises:
        StorageError: nothing more can be written there; also by writing.
        PictureError: this output cannot be written; also by writing.
    """
    assert job.temporary is not None, "nowhere to write to"
    with _write_errors(job.temporary):
        job.temporary.parent.mkdir(parents=True, exist_ok=True)
        # x: a file or link that is there already is never written through.
        file = _Target(job.temporary, "xb", opener=_open_privately)
    with io.BufferedWriter(file) as buffered:
        yield buffered


class _Target(io.FileIO):
    """A file that tells errors of writing from those of what is read meanwhile."""

    def write(self, data: Any, /) -> int:
        with _write_errors(Path(self.name)):
            return super().write(data)


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"cannot write to {shown(path.parent)}: {error.strerror}"
        if error.errno in _STORAGE_ERRORS:
            raise StorageError(message) from error
        raise PictureError(message) from error


def put_file(
    job: Job, file: Path, made_from: Stamp | None, *, is_complete: bool = True
) -> Stamp:
    """Put an output that was written to a file of this machine into its bucket.

    Args:
        job: whose output it is; its target is in a bucket.
        file: the output.
        made_from: the stamp of the input.
        is_complete: whether no picture is missing in it that a further run may do.

    Raises:
        StorageError: nothing more can be written there.
        PictureError: this output cannot be written.
    """
    assert isinstance(job.target, BucketObject), "it is for buckets"
    return _put(job, job.target, file, made_from, is_complete)


def _put(
    job: Job,
    target: BucketObject,
    body: bytes | Path,
    made_from: Stamp | None,
    is_complete: bool = True,
) -> Stamp:
    mark = _mark(job, made_from, is_complete)
    with bucket_errors():
        try:
            objects.put(target, body, mark, job.overwrite)
        except BucketError as error:
            if error.what != "exists":
                raise
            # It is this one where an answer was lost, or somebody else made the same.
            if objects.mark(target) != mark:
                raise PictureError(refusal(target)) from error
    return Stamp(body.stat().st_size if isinstance(body, Path) else len(body), 0)


def _mark(job: Job, made_from: Stamp | None, is_complete: bool = True) -> str:
    """What tells an output that is made from this input with these settings."""
    if made_from is None:
        # Nothing is known of the input, and so it is never the same again.
        return secrets.token_hex(16)
    etag = job.source.etag if isinstance(job.source, BucketObject) else ""
    text = f"{made_from.size} {made_from.mtime_ns} {etag} {job.name}"
    if not is_complete:
        text = f"begun {text}"
    return blake2b(
        job.made_by + text.encode(errors="surrogateescape"), digest_size=16
    ).hexdigest()


def refusal(target: object) -> str:
    """Why an output that is there is not replaced."""
    return (
        f"{shown(target)} exists already, and not from this input with these settings; "
        "--overwrite replaces it"
    )


@contextmanager
def bucket_errors() -> Iterator[None]:
    """Tell what one picture suffers from, and what the whole run."""
    try:
        yield
    except BucketError as error:
        kind = StorageError if error.what == "general" else PictureError
        raise kind(str(error)) from error


def _open_privately(path: str, flags: int) -> int:
    # Nobody else has to do with a picture that is not finished.
    return os.open(path, flags, 0o600)
