"""What came of a run: counts, the summary line, the exit status, the report file."""

import io
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, TextIO

from faceanon.anonymizers.base import LEFT_ALONE
from faceanon.batch.report_lines import from_json, to_json
from faceanon.batch.wording import counted, listed
from faceanon.boxes import FaceTable, face_to_json, match_to_json
from faceanon.errors import FaceanonError, StorageError
from faceanon.model import Face
from faceanon.pipeline.job import WORTH_A_NOTE, Outcome, Status
from faceanon.pipeline.track_report import TrackReport
from faceanon.settings import Settings
from faceanon.storage.buckets.objects import described, open_stream
from faceanon.storage.dataset_names import dataset_of
from faceanon.storage.names import shown
from faceanon.storage.places import Place

# A name has at most 4096 bytes, a picture at most some thousand faces.
_LONGEST_LINE = 16 * 2**20
_LINE_START = b'{"picture": '

# So many of the people who were seen nowhere are named in the summary.
_MOST_NAMES = 5


@dataclass
class Summary:
    """Counts of outcomes.

    Attributes:
        statuses: how many pictures had each outcome.
        faces: how many faces were found; with `persons`, how many were hidden.
        shown: how many faces were not hidden, by who they are.
        otherwise: how many faces were treated in another way than the method does it,
            by the name of the method that hid them instead, or `LEFT_ALONE`.
        persons: whom a selection names; empty without one.
        seen: in how many pictures each of them was surely seen.
        written: how many pictures without a face were written.
        not_written: how many were not, as `--no-face skip` asks for.
        unsure: in how many pictures something may be a face, but is not sure enough.
        coarse: in how many pictures faces are not seen that are not small.
        sounds: how many films keep their sound.
        skipped: how many files were passed over, by reason.
    """

    statuses: Counter[Status] = field(default_factory=Counter)
    faces: int = 0
    shown: int = 0
    otherwise: Counter[str] = field(default_factory=Counter)
    persons: tuple[str, ...] = ()
    seen: Counter[str] = field(default_factory=Counter)
    written: int = 0
    not_written: int = 0
    unsure: int = 0
    coarse: int = 0
    sounds: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.statuses[outcome.status] += 1
        self.faces += outcome.face_count
        self.shown += _count(outcome.shown)
        self.otherwise.update(outcome.otherwise.values())
        self.otherwise.update(_otherwise_in_film(outcome))
        self.seen.update(_surely_seen(outcome))
        self.unsure += bool(outcome.unsure)
        self.sounds += outcome.keeps_sound
        self.coarse += outcome.smallest_face > WORTH_A_NOTE
        if outcome.status is Status.NO_FACES and outcome.job.target is not None:
            self.written += outcome.target_stamp is not None
            self.not_written += outcome.target_stamp is None

    @property
    def exit_status(self) -> int:
        """0 when every picture is done, 1 when one failed."""
        return 1 if self.statuses[Status.FAILED] else 0

    def line(self, seconds: float) -> str:
        """The summary, one line."""
        parts = []
        for status, verb in (
            (Status.ANONYMIZED, "anonymized"),
            (Status.FOUND, "with faces"),
        ):
            if self.statuses[status]:
                parts.append(f"{self.statuses[status]} {verb} ({self._faces()})")
        if self.statuses[Status.UNCHANGED]:
            parts.append(f"{self.statuses[Status.UNCHANGED]} UNCHANGED")
        if self.statuses[Status.NOBODY_HIDDEN]:
            count = self.statuses[Status.NOBODY_HIDDEN]
            parts.append(f"{count} with nobody to hide (written as they are)")
        without = self.statuses[Status.NO_FACES]
        if without:
            parts.append(f"{without} without a face{self._what_became_of_them()}")
        if self.statuses[Status.SKIPPED]:
            parts.append(f"{self.statuses[Status.SKIPPED]} already done")
        if self.statuses[Status.FAILED]:
            parts.append(f"{self.statuses[Status.FAILED]} FAILED")
        total = sum(self.statuses.values())
        line = f"{counted(total, 'picture')} in {seconds:.1f} s"
        if parts:
            line += f": {', '.join(parts)}"
        if self.persons:
            line += f"; {self._what_became_of_persons()}"
        if self.unsure:
            line += f"; worth a look: {self.unsure}, with what may be a face"
        if self.coarse:
            line += f"; too large to see faces of {WORTH_A_NOTE} pixels: {self.coarse}"
        if self.skipped:
            line += f"; left alone: {listed(self.skipped)}"
        return line

    def _faces(self) -> str:
        """How many faces there were, and how those were treated that stand out."""
        said = counted(self.faces, "face")
        if self.persons:
            said += " hidden"
        for name, count in sorted(self.otherwise.items()):
            if name == LEFT_ALONE:
                said += f", {count} left as they were"
            else:
                said += f", {count} by {name} instead"
        return said

    def _what_became_of_persons(self) -> str:
        nowhere = [name for name in self.persons if name not in self.seen]
        said = [f"{counted(self.shown, 'face')} shown"]
        if nowhere:
            names = ", ".join(shown(name) for name in nowhere[:_MOST_NAMES])
            more = len(nowhere) - _MOST_NAMES
            rest = f" and {more} more" if more > 0 else ""
            said.append(f"surely seen in none of these pictures: {names}{rest}")
        if not self.faces:
            said.append("NOTHING WAS HIDDEN")
        return "; ".join(said)

    def _what_became_of_them(self) -> str:
        if self.written:
            return " (written as they are)"
        return " (nothing written)" if self.not_written else ""


def _count(faces: Sequence[Face]) -> int:
    return faces.face_count if isinstance(faces, FaceTable) else len(faces)


def _rows(faces: Sequence[Face]) -> Sequence[Face]:
    """The faces that have a row each: in a film, those that are in no track."""
    return faces.where(faces.tracks < 0) if isinstance(faces, FaceTable) else faces


def _otherwise_in_film(outcome: Outcome) -> Counter[str]:
    """How many faces of a film were treated otherwise in most of their frames."""
    return Counter(
        method
        for track in outcome.tracks
        for method, count in track.otherwise.items()
        if 2 * count > track.frame_count
    )


def _track(track: TrackReport, method: str | None) -> dict[str, Any]:
    """A face of a film, as JSON; the method is the one that hid it where it could."""
    match = track.match
    own = track.frame_count - sum(track.otherwise.values())
    done_by = {method: own} if method and own else {}
    done_by.update({name or "nothing": n for name, n in track.otherwise.items()})
    return {
        "track": track.track,
        "hide": track.is_hidden,
        "first": track.first,
        "last": track.last,
        "start": round(track.start, 3),
        "end": round(track.end, 3),
        "frames": dict(track.frames),
        "least_score": round(track.least_score, 4),
        "largest": list(track.largest),
        "longest_gap": round(track.longest_gap, 3),
        "lost": track.is_lost,
        "match": match and match_to_json(match),
        "done_by": done_by if track.is_hidden and method else {},
    }


def _surely_seen(outcome: Outcome) -> set[str]:
    """The persons who were recognised in a picture."""
    matches = [
        *(face.match for face in (*_rows(outcome.faces), *_rows(outcome.shown))),
        *(track.match for track in outcome.tracks),
    ]
    return {match.person for match in matches if match and match.verdict == "same"}


class ReportFile:
    """The report: JSON Lines, one object a picture, appended to what is there.

    Each line is written at once and whole, so that the report of a run that is killed
    tells of every picture that was finished. A last line that was cut off nevertheless
    is taken away by the next run, which tells of that picture again.
    """

    def __init__(self, path: Path | None, settings: Settings) -> None:
        """Open the file.

        Args:
            path: where to write to; None for nowhere.
            settings: of the run; described in every line.

        Raises:
            OSError: it cannot be opened for writing.
        """
        self._file: IO[str] | None = None
        if path is not None:
            _remove_torn_line(path)
            self._file = path.open("a", encoding="ascii")
        self._settings = settings.described()
        self._version = version("faceanon")

    def __enter__(self) -> "ReportFile":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            # What could not be written has been told of by `add`.
            with suppress(OSError):
                self._file.close()

    def add(self, outcome: Outcome) -> None:
        """Write the line of an outcome.

        Raises:
            StorageError: it cannot be written.
        """
        if self._file is None:
            return
        try:
            self._file.write(to_json(self._line(outcome)) + "\n")
            self._file.flush()
        except OSError as error:
            path = shown(self._file.name)
            raise StorageError(f"cannot write to {path}: {error.strerror}") from error

    def _line(self, outcome: Outcome) -> dict[str, Any]:
        source, target = outcome.source_stamp, outcome.target_stamp
        job = outcome.job
        has_output = target is not None or outcome.status is Status.SKIPPED
        return {
            "picture": job.name,
            "input": str(job.source) if job.source else "-",
            "output": str(job.target or "-") if has_output else None,
            "status": outcome.status.value,
            "error": outcome.error or None,
            "notes": list(outcome.notes),
            "jpeg": outcome.jpeg or None,
            "faces": [
                *(self._treated(face, outcome) for face in _rows(outcome.faces)),
                *(face_to_json(face, hide=False) for face in _rows(outcome.shown)),
            ],
            "tracks": [
                _track(track, self._method_of(outcome)) for track in outcome.tracks
            ],
            "unsure": [face_to_json(face, hide=False) for face in outcome.unsure],
            "smallest_face": outcome.smallest_face or None,
            "width": outcome.width,
            "height": outcome.height,
            "input_bytes": source.size if source else None,
            "output_bytes": target.size if target else None,
            "seconds": round(outcome.seconds, 4),
            "settings": self._settings,
            "version": self._version,
        }

    def _treated(self, face: Face, outcome: Outcome) -> dict[str, Any]:
        """A face to hide, and the method that hid it; None where none did."""
        told = face_to_json(face, hide=True)
        if own := self._method_of(outcome):
            method = outcome.otherwise.get(face, own)
            told["done_by"] = None if method == LEFT_ALONE else method
        return told

    def _method_of(self, outcome: Outcome) -> str | None:
        """The method by which faces were hidden; None where none were."""
        is_done = outcome.status in (Status.ANONYMIZED, Status.UNCHANGED)
        return str(self._settings["method"]) if is_done else None


# What comes of looking for what a line of a report has in another text.
_NO_LINE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def _remove_torn_line(path: Path) -> None:
    """Take the last line away if it is one of a report and has no end."""
    if not path.is_file():
        return
    with path.open("r+b") as file:
        file.seek(max(0, path.stat().st_size - _LONGEST_LINE))
        offset = file.tell()
        end = file.read()
        start = end.rfind(b"\n") + 1
        torn = end[start:]
        if torn.startswith(_LINE_START) or _LINE_START.startswith(torn):
            file.truncate(offset + start)


def read_report(report: Place, take: Callable[[dict[str, Any]], None]) -> None:
    """Read a report to its end, or to where it was cut off by a kill.

    Args:
        report: the file or object.
        take: is given each line; what it does not find there is not in a report.

    Raises:
        FaceanonError: it cannot be read, or is no report; and what `take` raises.
    """
    try:
        with _opened(report) as file:
            for number, text in enumerate(file, start=1):
                if not text.endswith("\n"):
                    return
                try:
                    take(from_json(text))
                except FaceanonError:
                    raise
                except _NO_LINE as error:
                    raise FaceanonError(
                        f"{shown(report)} is not a report: its line {number} is no "
                        "line of one"
                    ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise FaceanonError(f"{shown(report)} cannot be read: {error}") from error


def failed_pictures(report: Place) -> frozenset[str]:
    """The pictures and dataset files, as paths below INPUT, that failed by a report.

    A picture that several runs wrote about counts by its last line.

    Raises:
        FaceanonError: the report cannot be read, or is none.
    """
    status: dict[str, str] = {}

    def take(line: dict[str, Any]) -> None:
        status[line["picture"]] = line["status"]

    read_report(report, take)
    failed = [name for name, last in status.items() if last == Status.FAILED.value]
    # Of a dataset file in which pictures failed, the file is what is done again.
    return frozenset([*failed, *filter(None, map(dataset_of, failed))])


def _opened(report: Place) -> TextIO:
    if isinstance(report, Path):
        return report.open(encoding="utf-8")
    found = described(report)
    if found is None:
        raise FaceanonError(f"{shown(report)} does not exist")
    return io.TextIOWrapper(open_stream(found), encoding="utf-8")
