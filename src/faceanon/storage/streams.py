"""Standard input, output and error: as they are, or closed, full, or without a reader.

Work never depends on being able to talk: what standard error does not take is dropped.
Data are another matter: where standard output does not take them, whoever writes them
hears of it. This is done below Python's own streams, so that whatever writes to them,
also Click and tqdm, behaves like this.
"""

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from faceanon.errors import FaceanonError, StorageError
from faceanon.storage.places import local_path

OUTPUTS = frozenset(["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
"""What standard output is called."""

_READER_GONE = 128 + getattr(signal, "SIGPIPE", 13)

_REASONS = {
    errno.ENOSPC: "standard output is full",
    errno.EDQUOT: "standard output is full",
    errno.EBADF: "standard output is closed",
}


class ReaderGone(SystemExit):
    """Whoever read standard output has had enough: the end, without a word.

    The exit status is that of a program which SIGPIPE has ended.
    """

    def __init__(self) -> None:
        super().__init__(_READER_GONE)


def prepare() -> None:
    """Make the streams of this process ones that can be relied on.

    To be called once, before anything is opened.
    """
    # A file that is opened later must not get the number of a stream that is closed:
    # what libraries in C say on standard error would be written into a picture. What
    # stands in for standard input and output can neither be read nor written.
    for number, mode in ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest number that is free
            os.set_inheritable(number, True)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115  for good
    # Whoever has put something else in their place knows what they do.
    if sys.stdout is None or isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _text(_Output(_raw(sys.stdout, 1)), sys.stdout)
    if sys.stderr is None or isinstance(sys.stderr, io.TextIOWrapper):
        messages = _Messages(_raw(sys.stderr, 2))
        sys.stderr = _text(messages, sys.stderr, "backslashreplace")


def messages_to(file: io.RawIOBase) -> io.TextIOWrapper:
    """A stream into another file, which drops what that does not take."""
    return _text(_Messages(file), sys.stderr, "backslashreplace")


def output_path(text: str) -> Path | None:
    """The file to write that an option names; None for standard output, by any name.

    Raises:
        FaceanonError: it is in a bucket.
    """
    return None if text in OUTPUTS else local_path(text)


@contextmanager
def input_file(text: str, name: str = "standard input") -> Iterator[Path]:
    """The file or folder to read that an option names; for "-", what was piped in.

    Args:
        text: the path.
        name: what to call standard input, which readers may go by.

    Raises:
        FaceanonError: it is in a bucket, or standard input cannot be read.
    """
    if text != "-":
        yield local_path(text)
        return
    # Readers want to know what it is, and then begin again.
    with TemporaryDirectory(prefix="faceanon-") as folder:
        path = Path(folder) / name
        path.write_bytes(read_input())
        yield path


def read_input(most: int | None = None) -> bytes:
    """What comes by standard input.

    Args:
        most: read one byte more than this at most, so that it is seen that there are
            more; None for all there is.

    Raises:
        FaceanonError: it cannot be read.
    """
    try:
        return sys.stdin.buffer.read(-1 if most is None else most + 1)
    except OSError as error:
        is_closed = error.errno == errno.EBADF
        reason = "is closed" if is_closed else f"cannot be read: {error.strerror}"
        raise FaceanonError(f"standard input {reason}") from error


def _raw(stream: Any, number: int) -> io.RawIOBase:
    """What is below a stream of Python; of one that was closed, the file itself."""
    if stream is None:
        return io.FileIO(number, "w", closefd=False)
    raw: io.RawIOBase = getattr(stream.buffer, "raw", stream.buffer)
    return raw


def _text(raw: "_Stream", before: Any, errors: str | None = None) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=before.encoding if before else None,
        errors=errors or (before.errors if before else "surrogateescape"),
        # With PYTHONUNBUFFERED, each line is wanted at once.
        line_buffering=bool(
            before is None or before.line_buffering or before.write_through
        ),
    )


class _Stream(io.RawIOBase):
    """The file of a stream."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw_file = raw

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw_file.fileno()

    def isatty(self) -> bool:
        return self._raw_file.isatty()


class _Messages(_Stream):
    """Standard error: what it does not take is dropped."""

    def write(self, data: Any, /) -> int | None:
        try:
            return self._raw_file.write(data)
        except OSError:
            return len(data)


class _Output(_Stream):
    """Standard output: that it does not take the data is told, once.

    What comes after that is dropped; else it would be told again at the very end.
    """

    _is_over = False

    def write(self, data: Any, /) -> int | None:
        if self._is_over:
            return len(data)
        try:
            return self._raw_file.write(data)
        except OSError as error:
            self._is_over = True
            if error.errno == errno.EPIPE:
                raise ReaderGone from None
            reason = f"standard output cannot be written to: {error.strerror}"
            raise StorageError(_REASONS.get(error.errno or 0, reason)) from error
