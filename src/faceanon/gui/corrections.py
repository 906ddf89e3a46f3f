"""What somebody has corrected in the preview, kept in a box file for the run."""

from dataclasses import replace
from pathlib import Path

from faceanon import boxes
from faceanon.boxes import Record
from faceanon.errors import BoxesError
from faceanon.model import Box, Face
from faceanon.pipeline.job import Outcome
from faceanon.storage.names import shown

BY_HAND = "hand"


class Corrections:
    """The records of the corrected pictures.

    The file lies beside OUTPUT, not in it, as OUTPUT may be published. Until there is
    an OUTPUT, corrections are kept in memory.
    """

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._changed: set[str] = set()
        self._path: Path | None = None

    @property
    def file(self) -> Path | None:
        """The box file for the run; None when nothing has been corrected."""
        return self._path if self._records else None

    def of(self, picture: str) -> Record | None:
        """The record of a picture; None when it has not been corrected."""
        return self._records.get(picture)

    def clear(self) -> None:
        """Forget all, as there is another INPUT; the file stays as it is."""
        self._records, self._changed, self._path = {}, set(), None

    def belong_to(self, target: Path) -> bool:
        """Keep the corrections beside an OUTPUT; those that are there are taken up.

        Nothing is written, as OUTPUT may still be being typed.

        Returns:
            Whether there may be other corrections now.

        Raises:
            BoxesError: what is there cannot be read.
        """
        path = target.with_name(f"{target.name}.boxes.jsonl")
        if path == self._path:
            return False
        mine = {name: self._records[name] for name in self._changed}
        there = boxes.read(path) if path.exists() else {}
        before, self._records = self._records, {**there, **mine}
        self._path = path
        return before != self._records

    def toggle(self, seen: Outcome, face: Face) -> Record:
        """Keep a face that was to be hidden, or hide one that was not.

        A face that was followed over a film is kept, or hidden, in all its frames.

        Args:
            seen: what was found in the picture.
            face: one of its faces, or of its record.

        Raises:
            BoxesError: the box file cannot be written.
        """
        record = self._record(seen)

        def is_it(other: Face) -> bool:
            return other == face or (
                face.track is not None and other.track == face.track
            )

        hidden = [other for other in record.hidden if is_it(other)]
        others = tuple(other for other in record.hidden if not is_it(other))
        kept = tuple(other for other in record.shown if not is_it(other))
        if face not in hidden:
            shown = [other for other in record.shown if is_it(other)] or [face]
            return self._put(
                replace(record, hidden=(*others, *hidden, *shown), shown=kept)
            )
        # What was added by hand is gone; what was found is remembered as no face.
        dropped = [other for other in hidden if other.found_by != BY_HAND]
        return self._put(
            replace(record, hidden=others, shown=(*record.shown, *dropped))
        )

    def add(self, seen: Outcome, box: Box, frame: int | None) -> Record:
        """Hide what is in a box.

        Args:
            seen: what was found in the picture.
            box: the box.
            frame: in which of several frames; None in a still.

        Raises:
            BoxesError: the box file cannot be written.
        """
        record = self._record(seen)
        face = Face(box, 1.0, found_by=BY_HAND, frame=frame)
        return self._put(replace(record, hidden=(*record.hidden, face)))

    def undo(self, picture: str) -> None:
        """Forget what has been corrected in a picture.

        Raises:
            BoxesError: the box file cannot be written.
        """
        if self._records.pop(picture, None) is not None:
            self._changed.discard(picture)
            self.save()

    def save(self) -> None:
        """Write the box file, if it is known where; without corrections, remove it.

        Raises:
            BoxesError: it cannot be written.
        """
        if self._path is None:
            return
        try:
            if self._records:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                boxes.write(self._path, self._records.values())
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise BoxesError(
                f"{shown(self._path)} cannot be written: {error.strerror}; choose "
                "another OUTPUT, or the corrections are lost"
            ) from error

    def _record(self, seen: Outcome) -> Record:
        assert seen.record is not None, "it was read"
        before = self._records.get(seen.job.name)
        return replace(
            seen.record,
            shown=before.shown if before else (),
            unsure=(),
            reviewed=True,
        )

    def _put(self, record: Record) -> Record:
        self._records[record.picture] = record
        self._changed.add(record.picture)
        self.save()
        return record
