"""Which input became which output, written only where `--rename-map` asks for it."""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

from faceanon.batch.output_names import OutputNames
from faceanon.errors import FaceanonError, StorageError
from faceanon.pipeline.job import Outcome, Status
from faceanon.storage import streams
from faceanon.storage.names import shown
from faceanon.storage.places import Place
from faceanon.storage.private import private_opener
from faceanon.storage.renaming import check_outside


class RenameMap:
    """A file of JSON Lines: `input`, a path below INPUT, and `output`, a name.

    Only its owner can read it. Lines are added once their output is in place. A run
    that goes on adds what is missing, and nothing twice.

    Args:
        name: of the file, perhaps that of standard output; None for nowhere.
        root: the folder of outputs, in which it must not be.

    Raises:
        FaceanonError: it would lie in OUTPUT, cannot be written, or is another file.
    """

    def __init__(self, name: str | None, root: Place | None) -> None:
        self._file: IO[str] | None = None
        self._known = OutputNames()
        if name is None:
            return
        path = streams.output_path(name)
        if path is None:
            self._file = sys.stdout
            return
        check_outside(path, root, "--rename-map")
        try:
            self._file = open(  # noqa: SIM115  closed by __exit__
                path, "a+", encoding="ascii", opener=private_opener
            )
            self._take_in(path)
        except OSError as error:
            self.__exit__()
            raise FaceanonError(
                f"{shown(path)} cannot be written: {error.strerror}"
            ) from error
        except FaceanonError:
            self.__exit__()
            raise

    def __enter__(self) -> "RenameMap":
        return self

    def __exit__(self, *_: object) -> None:
        self._known.close()
        if self._file not in (None, sys.stdout):
            # What could not be written has been told of by `add`.
            with suppress(OSError):
                self._file.close()

    def _take_in(self, path: Path) -> None:
        """Learn what is there already, and take a line away that has no end."""
        assert self._file is not None
        self._file.seek(0)
        end = 0
        try:
            while (line := self._file.readline()).endswith("\n"):
                json.loads(line)["input"]
                self._known.add(line)
                end = self._file.tell()
        except (ValueError, LookupError, TypeError) as error:
            raise FaceanonError(
                f"{shown(path)} is no file of --rename-map; name another"
            ) from error
        self._file.truncate(end)

    def add(self, outcome: Outcome) -> None:
        """Write the line of an outcome, if it has an output and no line.

        Raises:
            StorageError: it cannot be written.
        """
        target = outcome.job.target
        if self._file is None or target is None or not _is_there(outcome, target):
            return
        line = json.dumps({"input": outcome.job.name, "output": target.name}) + "\n"
        if not self._known.add(line):
            return
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            path = shown(self._file.name)
            raise StorageError(f"cannot write to {path}: {error.strerror}") from error


def _is_there(outcome: Outcome, target: Place) -> bool:
    """Whether there is an output, be it of this run or of one before."""
    if outcome.status is not Status.SKIPPED:
        return outcome.target_stamp is not None
    # Of a picture without a face that is not written there is none.
    return not isinstance(target, Path) or target.exists()
