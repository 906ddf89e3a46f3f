"""The box file under review: its records in memory, saved as they change."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from faceanon import boxes
from faceanon.boxes import Record
from faceanon.errors import BoxesError, FaceanonError, StorageError
from faceanon.storage.names import shown
from faceanon.storage.places import Stamp

PAUSE = 1.0
"""Seconds between two saves; a file of 10,000 pictures takes about 0.4 s to write."""


class OutdatedError(FaceanonError):
    """A change was made to what is no longer the latest state of a picture."""


@dataclass(frozen=True, slots=True)
class Saving:
    """How far saving has come.

    Attributes:
        changes: how many have been made.
        saved: how many of them are in the file.
        problem: why the file cannot be written; empty when it can.
    """

    changes: int
    saved: int
    problem: str = ""


class BoxFile:
    """A box file and the thread that saves it; a context manager.

    The file is written whole, at most once in `PAUSE` seconds, and never over what
    another program wrote. What could not be saved is tried again until it can.

    Pictures are addressed by their index in the file, states of a picture by a revision
    that counts its changes, so that of two windows none undoes unseen what the other
    did.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            BoxesError: it cannot be read.
        """
        # Through a link, the file is replaced, and not the link.
        self.path = path.resolve()
        self._stamp = _stamp(self.path)
        self._records = list(boxes.read(self.path).values())
        self.form = boxes.form_of(self.path)
        self._revisions = [0] * len(self._records)
        self._saving = Saving(0, 0)
        self._ended = False
        self._changed = threading.Condition()
        self._saver = threading.Thread(target=self._keep_saving, name="save boxes")

    def __enter__(self) -> "BoxFile":
        self._saver.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Save what is not saved yet.

        Raises:
            StorageError: it cannot be saved.
        """
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._saver.join()
        if self.saving.saved < self.saving.changes:
            self._save()
        if self.saving.problem:
            raise StorageError(
                f"the last changes are not saved: {self.saving.problem}"
            ) from error

    @property
    def records(self) -> Sequence[Record]:
        """All records, in the order of the file."""
        return self._records

    @property
    def note(self) -> str:
        """What of the work is not kept; empty when all of it is."""
        if self.form == "jsonl":
            return ""
        return (
            "COCO keeps the boxes to hide and their scores. When it is saved, all else "
            "in the file is lost, and so is which pictures are reviewed."
        )

    @property
    def saving(self) -> Saving:
        """How far saving has come."""
        return self._saving

    def revision(self, index: int) -> int:
        """How often the record has been changed since the file was read."""
        return self._revisions[index]

    def replace(self, index: int, record: Record, revision: int) -> Saving:
        """Change a record; it will be saved within about a second.

        Args:
            index: of the picture.
            record: its new record.
            revision: the revision that the new record was made from.

        Raises:
            OutdatedError: the record has been changed since that revision, or the
                review has ended.
        """
        with self._changed:
            if self._ended:
                raise OutdatedError("the review has ended; this change was not saved")
            if revision != self._revisions[index]:
                raise OutdatedError(
                    "this picture was changed in another window; here is how it is now"
                )
            self._records[index] = record
            self._revisions[index] += 1
            before = self._saving
            self._saving = Saving(before.changes + 1, before.saved, before.problem)
            self._changed.notify_all()
            return self._saving

    def _keep_saving(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._ended or self._saving.saved < self._saving.changes
                )
                if self._ended:
                    return
            self._save()
            with self._changed:
                self._changed.wait_for(lambda: self._ended, timeout=PAUSE)

    def _save(self) -> None:
        with self._changed:
            changes, records = self._saving.changes, self._records.copy()
        problem = ""
        try:
            # Where the file is gone, nothing is written over.
            if _stamp(self.path) not in (self._stamp, None):
                raise BoxesError(
                    f"{shown(self.path.name)} has been changed by another program and "
                    "is not written over; to keep what was done here, move that file "
                    "elsewhere, and it is saved anew"
                )
            boxes.write(self.path, records, self.form)
            self._stamp = _stamp(self.path)
        except OSError as error:
            problem = f"{shown(self.path.name)} cannot be written: {error.strerror}"
        except BoxesError as error:
            problem = str(error)
        with self._changed:
            saved = self._saving.saved if problem else changes
            self._saving = Saving(self._saving.changes, saved, problem)


def _stamp(path: Path) -> Stamp | None:
    """What tells whether the file is still the same; None where there is none.

    Why there is none, if it can be helped, is told by reading and writing it.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns)
