"""Reading inputs and writing outputs, whole."""

import errno
import os
import stat
import sys
from collections.abc import Callable

from faceanon.errors import PictureError, StorageError
from faceanon.jobs import Job, Stamp
from faceanon.names import shown

# What the whole run suffers from, and not one picture only.
_STORAGE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def read_source(job: Job) -> tuple[bytes, Stamp | None]:
    """The bytes of the input, and the stamp of the file; no stamp for a stream.

    Raises:
        PictureError: it cannot be read, or somebody writes to it.
    """
    if job.source is None:
        return sys.stdin.buffer.read(), None
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


def _opener(job: Job) -> Callable[[str, int], int] | None:
    """How to open a file that somebody may just have replaced by a link or a pipe."""
    if not job.is_plain:
        return None
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    return lambda path, flags: os.open(path, flags | careful)


def write_target(job: Job, data: bytes) -> Stamp | None:
    """Write an output whole, to the job's temporary file or to standard output.

    Raises:
        StorageError: nothing more can be written there.
        PictureError: this output cannot be written.
    """
    if job.temporary is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return None
    try:
        job.temporary.parent.mkdir(parents=True, exist_ok=True)
        # x: a file or link that is there already is never written through.
        with open(job.temporary, "xb", opener=_open_privately) as file:
            file.write(data)
            file.flush()
            status = os.fstat(file.fileno())
    except OSError as error:
        folder = shown(job.temporary.parent)
        message = f"cannot write to {folder}: {error.strerror}"
        if error.errno in _STORAGE_ERRORS:
            raise StorageError(message) from error
        raise PictureError(message) from error
    return Stamp(status.st_size, status.st_mtime_ns)


def _open_privately(path: str, flags: int) -> int:
    # Nobody else has to do with a picture that is not finished.
    return os.open(path, flags, 0o600)
