"""Writing a box file while faces are found."""

import json
import sys
from contextlib import suppress
from pathlib import Path

from faceanon.boxes import BoxesFormat, Record, to_coco, to_lines
from faceanon.errors import BoxesError, StorageError
from faceanon.pipeline.job import Outcome, Status
from faceanon.storage.names import shown


class BoxWriter:
    """Writes a box file while outcomes come; a context manager.

    JSON Lines are written line by line, so that an interrupted run leaves what it has
    found. A COCO document is written whole, at the end.
    """

    def __init__(self, path: Path | None, form: BoxesFormat, overwrite: bool) -> None:
        """Open the file.

        Args:
            path: the file; None for standard output.
            form: JSON Lines or COCO.
            overwrite: whether to replace a file that is there.

        Raises:
            BoxesError: it is there, or cannot be written.
        """
        if path is not None and path.exists() and not overwrite:
            raise BoxesError(f"{shown(path)} exists already; --overwrite replaces it")
        self._form = form
        self._records: list[Record] = []
        try:
            self._file = path.open("w", encoding="ascii") if path else sys.stdout
        except OSError as error:
            raise BoxesError(
                f"{shown(path)} cannot be written: {error.strerror}"
            ) from error

    def __enter__(self) -> "BoxWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._form == "coco":
            self._write(json.dumps(to_coco(self._records)))
        if self._file is not sys.stdout:
            # What could not be written has been told of by `_write`.
            with suppress(OSError):
                self._file.close()

    def add(self, outcome: Outcome) -> None:
        """Write what was found in a picture; nothing for one that failed.

        Raises:
            StorageError: it cannot be written.
        """
        record = outcome.record
        if record is None or outcome.status is Status.FAILED:
            return
        if self._form == "coco":
            self._records.append(record)
        else:
            for line in to_lines(record):
                self._write(line)

    def _write(self, text: str) -> None:
        try:
            self._file.write(text + "\n")
            self._file.flush()
        except BrokenPipeError:
            raise  # whoever reads standard output has had enough
        except OSError as error:
            raise StorageError(
                f"the box file cannot be written: {error.strerror}"
            ) from error
