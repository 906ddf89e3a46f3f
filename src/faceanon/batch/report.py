"""The outcome of a run: counts, the summary line, the exit status, the report file."""

import io
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, TextIO

from faceanon.anonymizers.base import LEFT_ALONE
from faceanon.batch.planning.plan import LEFT_OUT
from faceanon.batch.report_lines import from_json, to_json
from faceanon.batch.wording import counted, listed
from faceanon.boxes import FaceTable, face_to_json, match_to_json
from faceanon.errors import FaceanonError, StorageError
from faceanon.model import Face
from faceanon.pipeline.counts import Counts
from faceanon.pipeline.job import WORTH_A_NOTE, Outcome, Status
from faceanon.pipeline.track_report import TrackReport
from faceanon.settings import Settings
from faceanon.storage.buckets.objects import described, open_stream
from faceanon.storage.dataset_names import dataset_of
from faceanon.storage.names import shown
from faceanon.storage.places import Place

# A name has at most 4096 bytes, a picture at most some thousand faces.
_LONGEST_LINE = 16 * 2**20
_LINE_STARTS = (b'{"picture": ', b'{"run": ')

# So many people who were seen nowhere, and pictures to check, are named in the summary.
_MOST_NAMES = 5


@dataclass
class Summary:
    """The outcome of a run.

    Attributes:
        counts: of all pictures, those too that were done before.
        done_before: how many were done before, dataset files as one each.
        ignored: how many files were not taken, by reason.
        persons: whom a selection names; empty without one.
        seen: in how many pictures of this run each of them was surely seen.
        to_check: the first pictures that somebody should look at.
        without: the first pictures without a face.
        ignored_names: the first files that were not taken, by reason.
        unmet: patterns that nothing matched.
        is_part: whether it is a part of a run, which may well be empty.
        strict: whether what is ignored makes the run fail.
        allow_empty: whether a run without pictures is none that failed.
    """

    counts: Counts = field(default_factory=Counts)
    done_before: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    persons: tuple[str, ...] = ()
    seen: Counter[str] = field(default_factory=Counter)
    to_check: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    ignored_names: dict[str, list[str]] = field(default_factory=dict)
    unmet: tuple[str, ...] = ()
    is_part: bool = False
    strict: bool = False
    allow_empty: bool = False

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        if outcome.is_ignored:
            self.ignored[outcome.error] += 1
            names = self.ignored_names.setdefault(outcome.error, [])
            _add_name(names, outcome.job.name)
            return
        if outcome.status is Status.SKIPPED:
            self.done_before += 1
        if (counts := counts_of(outcome)) is None:
            return
        self.counts.add(counts)
        self.seen.update(_surely_seen(outcome))
        if counts.to_check:
            _add_name(self.to_check, outcome.job.label)
        if counts.statuses[Status.NO_FACES]:
            _add_name(self.without, outcome.job.name)

    @property
    def total(self) -> int:
        """How many pictures there were."""
        return max(sum(self.counts.statuses.values()), self.done_before)

    def complaints(self) -> Iterator[str]:
        """What makes a run fail in which no picture failed; a line each."""
        if self.strict and (number := sum(self._not_left_out.values())):
            yield f"{counted(number, 'file')} ignored (--strict)"
        if self.is_part or self.allow_empty:
            return
        for pattern in self.unmet:
            yield (
                f"nothing in INPUT matches {shown(pattern)!r}; mend it, or give "
                "--allow-empty"
            )
        if not self.total:
            why = "everything in it was ignored" if self.ignored else "it is empty"
            yield f"there was no picture in INPUT: {why}; --allow-empty takes that"

    @property
    def _not_left_out(self) -> Counter[str]:
        """What was ignored, but not because a pattern asks for it."""
        return Counter({k: n for k, n in self.ignored.items() if k != LEFT_OUT})

    @property
    def exit_status(self) -> int:
        """0 when every picture is done, 1 when one failed."""
        is_bad = self.counts.statuses[Status.FAILED] or any(self.complaints())
        return 1 if is_bad else 0

    def line(self, seconds: float) -> str:
        """The summary, one line."""
        parts = []
        statuses = self.counts.statuses
        for status, verb in (
            (Status.ANONYMIZED, "anonymized"),
            (Status.FOUND, "with faces"),
        ):
            if statuses[status]:
                parts.append(f"{statuses[status]} {verb} ({self._faces()})")
        if statuses[Status.UNCHANGED]:
            parts.append(f"{statuses[Status.UNCHANGED]} UNCHANGED")
        if count := statuses[Status.NOBODY_HIDDEN]:
            parts.append(f"{count} with nobody to hide (written as they are)")
        if without := statuses[Status.NO_FACES]:
            parts.append(f"{without} without a face{self._what_became_of_them()}")
        if statuses[Status.FAILED]:
            parts.append(f"{statuses[Status.FAILED]} FAILED")
        line = f"{counted(self.total, 'picture')} in {seconds:.1f} s"
        if parts:
            line += f": {', '.join(parts)}"
        if self.done_before:
            line += f"; {self.done_before} already done"
        if self.persons:
            line += f"; {self.about_persons()}"
        if self.counts.to_check:
            line += f"; to check by eye: {self._what_to_check()}"
        if self.counts.coarse:
            line += (
                f"; too large to see faces of {WORTH_A_NOTE} pixels: "
                f"{self.counts.coarse}"
            )
        if self.ignored:
            line += f"; ignored: {listed(self.ignored)}"
        return line

    def _faces(self) -> str:
        """How many faces there were, and how those were treated that stand out."""
        said = counted(self.counts.faces, "face")
        if self.persons:
            said += " hidden"
        for name, count in sorted(self.counts.otherwise.items()):
            if name == LEFT_ALONE:
                said += f", {count} left as they were"
            else:
                said += f", {count} by {name} instead"
        return said

    def _what_to_check(self) -> str:
        number = self.counts.to_check
        if number > len(self.to_check):
            return f"{counted(number, 'picture')} (--list-unsure FILE names them)"
        return ", ".join(map(shown, self.to_check))

    def about_persons(self) -> str:
        """What is to be said of the people whom a selection names."""
        nowhere = [name for name in self.persons if name not in self.seen]
        said = [f"{counted(self.counts.shown, 'face')} shown"]
        if nowhere:
            names = ", ".join(shown(name) for name in nowhere[:_MOST_NAMES])
            more = len(nowhere) - _MOST_NAMES
            rest = f" and {more} more" if more > 0 else ""
            which = "those done now" if self.done_before else "these pictures"
            said.append(f"surely seen in none of {which}: {names}{rest}")
        if not self.counts.faces:
            said.append("NOTHING WAS HIDDEN")
        return "; ".join(said)

    def _what_became_of_them(self) -> str:
        if self.counts.written:
            return " (written as they are)"
        return " (nothing written)" if self.counts.not_written else ""


def _add_name(names: list[str], name: str) -> None:
    if len(names) < _MOST_NAMES:
        names.append(name)


def counts_of(outcome: Outcome) -> Counts | None:
    """What is counted of an outcome; None of what was done before, nobody knows how."""
    if outcome.status is Status.SKIPPED:
        return outcome.earlier
    return Counts.of(outcome)


def _rows(faces: Sequence[Face]) -> Sequence[Face]:
    """The faces that have a row each: in a film, those that are in no track."""
    return faces.where(faces.tracks < 0) if isinstance(faces, FaceTable) else faces


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
    """The report: JSON Lines, appended to what is there.

    The first line of a run tells of the run, with its settings; each further one tells
    of a picture, or of what was ignored. Each line is written at once and whole, so
    that the report of a run that is killed tells of every picture that was finished. A
    last line that was cut off nevertheless is taken away by the next run, which tells
    of that picture again.
    """

    def __init__(self, path: Path | IO[str] | None, settings: Settings) -> None:
        """Open the file.

        Args:
            path: where to write to, perhaps standard output; None for nowhere.
            settings: of the run; described in its first line.

        Raises:
            OSError: it cannot be opened for writing.
        """
        self._file = path if not isinstance(path, Path) else None
        if isinstance(path, Path):
            _remove_torn_line(path)
            self._file = path.open("a", encoding="ascii")
        self._method = settings.method
        self._write(
            {
                "run": {
                    "version": version("faceanon"),
                    "started": datetime.now(UTC).isoformat(timespec="seconds"),
                    "settings": settings.described(),
                }
            }
        )

    def __enter__(self) -> "ReportFile":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file not in (None, sys.stdout):
            # What could not be written has been told of by `add`.
            with suppress(OSError):
                self._file.close()

    def add(self, outcome: Outcome) -> None:
        """Write the line of an outcome.

        Raises:
            StorageError: it cannot be written.
        """
        self._write(self._line(outcome))

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(to_json(line) + "\n")
            self._file.flush()
        except OSError as error:
            path = shown(self._file.name)
            raise StorageError(f"cannot write to {path}: {error.strerror}") from error

    def _line(self, outcome: Outcome) -> dict[str, Any]:
        source, target = outcome.source_stamp, outcome.target_stamp
        job = outcome.job
        has_output = target is not None or outcome.status is Status.SKIPPED
        line: dict[str, Any] = {
            "picture": job.name,
            "input": str(job.source) if job.source else "-",
            "output": str(job.target or "-") if has_output else None,
            "status": outcome.status.value,
            "error": outcome.error or None,
        }
        if outcome.is_ignored:
            return line
        return line | {
            "earlier": dict(outcome.earlier.statuses) if outcome.earlier else None,
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
            "to_check": outcome.to_check,
            "smallest_face": outcome.smallest_face or None,
            "width": outcome.width,
            "height": outcome.height,
            "input_bytes": source.size if source else None,
            "output_bytes": target.size if target else None,
            "seconds": round(outcome.seconds, 4),
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
        return self._method if is_done else None


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
        if any(
            torn.startswith(begin) or begin.startswith(torn) for begin in _LINE_STARTS
        ):
            file.truncate(offset + start)


def read_report(
    report: Place, take: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    """Read a report to its end, or to where it was cut off by a kill.

    Args:
        report: the file or object.
        take: is given each line that tells of a picture, and what the report tells of
            the run that wrote it; what it does not find there is not in a report.

    Raises:
        FaceanonError: it cannot be read, or is no report; and what `take` raises.
    """
    run: dict[str, Any] = {}
    try:
        with _opened(report) as file:
            for number, text in enumerate(file, start=1):
                if not text.endswith("\n"):
                    return
                try:
                    line = from_json(text)
                    if "run" in line:
                        run = line["run"]
                    else:
                        take(line, run)
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

    def take(line: dict[str, Any], _: dict[str, Any]) -> None:
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
