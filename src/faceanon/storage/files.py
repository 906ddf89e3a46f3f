"""Inputs and outputs as open files, wherever they lie."""

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from faceanon.errors import PictureError, StorageError
from faceanon.storage.buckets import objects
from faceanon.storage.buckets.stores import BucketError
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject, Place, Stamp

# What the whole run suffers from, and not one picture only.
_STORAGE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


# Objects in buckets of more bytes than this are read piece by piece.
_LARGE = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Source:
    """An input that is open.

    Attributes:
        file: can be sought in.
        stamp: what it was when it was opened; None for a pipe or a device.
    """

    file: BinaryIO
    stamp: Stamp | None

    def check_unchanged(self) -> None:
        """Look whether it is still the one it was, once all of it was read.

        Raises:
            PictureError: somebody has written to it.
        """
        # An object in a bucket is read on the condition that it is.
        if self.stamp is None or not isinstance(self.file, io.BufferedReader):
            return
        try:
            status = os.fstat(self.file.fileno())
        except OSError:  # it is no file
            return
        if Stamp(status.st_size, status.st_mtime_ns) != self.stamp:
            raise PictureError("it changed while it was read; run again for it")


@contextmanager
def open_source(place: Place, *, is_plain: bool = False) -> Iterator[Source]:
    """Open an input for reading.

    Args:
        place: the file or object.
        is_plain: whether it was a regular file, and no link, when it was listed: it is
            not opened when it has become something else.

    Raises:
        PictureError: it cannot be read; also by reading.
        StorageError: nothing in its bucket can be read; also by reading.
    """
    if isinstance(place, BucketObject):
        with bucket_errors(), closing(_object(place)) as stream:
            yield Source(stream, objects.stamp(place))
        return
    try:
        file = open(place, "rb", opener=_careful_opener if is_plain else None)  # noqa: SIM115  closed below
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from error
    with file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            yield Source(file, Stamp(status.st_size, status.st_mtime_ns))
        elif is_plain:
            raise PictureError("it is no regular file any more")
        else:
            # In a pipe or a device nobody can seek.
            yield Source(io.BytesIO(_read(file)), None)


def _object(place: BucketObject) -> BinaryIO:
    """An object that can be sought in; one of a usual size takes a single request."""
    stream = objects.open_stream(place)
    if place.size > _LARGE:
        return stream
    with closing(stream):
        return io.BytesIO(stream.read())


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise PictureError(f"cannot be read: {error.strerror}") from error


def _careful_opener(path: str, flags: int) -> int:
    """Open a file that somebody may just have replaced by a link or a pipe."""
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return os.open(path, flags | careful)


def source_stamp(place: Place | None) -> Stamp | None:
    """The stamp of an input before it is read; None where it has none."""
    if place is None:
        return None
    if isinstance(place, BucketObject):
        return objects.stamp(place)
    try:
        return file_stamp(place)
    except OSError:
        return None


def file_stamp(path: Path) -> Stamp:
    """The stamp of a file that is there."""
    status = path.stat()
    return Stamp(status.st_size, status.st_mtime_ns)


@contextmanager
def open_target(temporary: Path) -> Iterator[BinaryIO]:
    """A new file for an output that is put together, to be read, written and sought in.

    Raises:
        StorageError: nothing more can be written there; also by writing.
        PictureError: this output cannot be written; also by writing.
    """
    with write_errors(temporary):
        temporary.parent.mkdir(parents=True, exist_ok=True)
        # x: a file or link that is there already is never written through. It gets the
        # permissions of any new file there: by the umask, or by what its folder says
        # (ACLs); some shares let nobody change them later.
        file = _Target(temporary, "x+b")
    with closing(io.BufferedRandom(file)) as buffered:
        yield buffered


class _Target(io.FileIO):
    """A file that tells errors of writing from those of what is read meanwhile."""

    def write(self, data: Any, /) -> int:
        with write_errors(Path(self.name)):
            return super().write(data)


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Tell what one output suffers from, and what the whole run.

    Raises:
        StorageError: nothing more can be written there.
        PictureError: this output cannot be written.
    """
    try:
        yield
    except OSError as error:
        message = f"cannot write to {shown(path.parent)}: {error.strerror}"
        if error.errno in _STORAGE_ERRORS:
            raise StorageError(message) from error
        raise PictureError(message) from error


def refusal(target: object, *, is_known: bool = False) -> str:
    """Why an output that is there is not replaced.

    Args:
        target: the output.
        is_known: whether it may be from the same input; else it surely is not, or was
            changed since.
    """
    unknown = ", and is not known to be of this input with these settings"
    why = "" if is_known else unknown
    return f"{shown(target)} exists already{why}; --overwrite replaces it"


@contextmanager
def bucket_errors() -> Iterator[None]:
    """Tell what one picture suffers from, and what the whole run.

    Raises:
        StorageError: nothing in the bucket can be read or written.
        PictureError: one object cannot be.
    """
    try:
        yield
    except BucketError as error:
        kind = StorageError if error.is_general else PictureError
        raise kind(str(error)) from error
