"""Writing a box file while faces are found."""

import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from faceanon.boxes import FOR_ONE_FILM, BoxesFormat, Record, lines_of, to_coco
from faceanon.errors import BoxesError, StorageError
from faceanon.pipeline.job import Outcome, Status
from faceanon.storage.names import shown


class BoxWriter:
    """Writes a box file while outcomes come; a context manager.

    A picture is written when it is done, so that an interrupted run leaves what it has
    found. A COCO document is written whole, at the end.
    """

    def __init__(self, path: Path | None, form: BoxesFormat, overwrite: bool) -> None:
        """Open the file.

        Args:
            path: the file; None for standard output.
            form: of the file.
            overwrite: whether to replace a file that is there.

        Raises:
            BoxesError: it is there, or cannot be written.
        """
        # A pipe or a device holds nothing that could be lost.
        if path is not None and path.is_file() and not overwrite:
            raise BoxesError(f"{shown(path)} exists already; --overwrite replaces it")
        self._form = form
        self._is_empty = True
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
            self._write([json.dumps(to_coco(self._records))])
        if self._file is not sys.stdout:
            # What could not be written has been told of by `_write`.
            with suppress(OSError):
                self._file.close()

    def add(self, outcome: Outcome) -> None:
        """Write what was found in a picture; nothing for one that failed.

        Raises:
            BoxesError: the form cannot hold it.
            StorageError: it cannot be written.
        """
        record = outcome.record
        if record is None or outcome.status is Status.FAILED:
            return
        if self._form == "coco":
            self._records.append(record)
            return
        if self._form in FOR_ONE_FILM and not self._is_empty:
            raise BoxesError(
                f"a {self._form.upper()} file is about one film; use --format jsonl"
            )
        self._write(lines_of(record, self._form))
        self._is_empty = False

    def _write(self, lines: Iterable[str]) -> None:
        try:
            self._file.writelines(line + "\n" for line in lines)
            self._file.flush()
        except BrokenPipeError:
            raise  # whoever reads standard output has had enough
        except OSError as error:
            raise StorageError(
                f"the box file cannot be written: {error.strerror}"
            ) from error
