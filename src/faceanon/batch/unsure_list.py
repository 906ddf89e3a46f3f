"""The list of pictures that somebody should look at."""

import os
import sys
from pathlib import Path
from typing import BinaryIO

from faceanon.batch.report import counts_of
from faceanon.errors import FaceanonError, StorageError
from faceanon.pipeline.job import Outcome
from faceanon.storage import streams
from faceanon.storage.names import shown


class UnsureList:
    """A text file with the name of a picture in each line; a context manager.

    A name is the path below INPUT. A file that is there is replaced.

    Args:
        path: the file; "-" for standard output, None for none.

    Raises:
        FaceanonError: it cannot be written.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._is_stream = path in streams.OUTPUTS
        self._file: BinaryIO | None = None
        try:
            if self._is_stream:
                self._file = sys.stdout.buffer
            elif path is not None:
                self._file = Path(path).open("wb")  # noqa: SIM115  closed by __exit__
        except OSError as error:
            raise FaceanonError(
                f"{shown(path)} cannot be written: {error.strerror}"
            ) from error

    def __enter__(self) -> "UnsureList":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None and not self._is_stream:
            self._file.close()

    def add(self, outcome: Outcome) -> None:
        """Add the picture of an outcome, if somebody should look at it.

        Raises:
            StorageError: it cannot be written.
        """
        counts = counts_of(outcome)
        if self._file is None or counts is None or not counts.to_check:
            return
        try:
            self._file.write(os.fsencode(outcome.job.name) + b"\n")
            self._file.flush()
        except OSError as error:
            raise StorageError(
                f"cannot write to {shown(self._path)}: {error.strerror}"
            ) from error
