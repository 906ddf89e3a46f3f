"""What came of a run: counts, the summary line, the exit status, the report file."""

import json
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from faceanon.jobs import Outcome, Status
from faceanon.settings import Settings


@dataclass
class Summary:
    """Counts of outcomes.

    Attributes:
        statuses: how many pictures had each outcome.
        faces: how many faces were found in those that were anonymized.
        not_written: how many pictures without a face were not written.
        left_alone: how many files were passed over, by reason.
    """

    statuses: Counter[Status] = field(default_factory=Counter)
    faces: int = 0
    not_written: int = 0
    left_alone: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        self.statuses[outcome.status] += 1
        if outcome.status is Status.ANONYMIZED:
            self.faces += len(outcome.faces)
        is_missing = outcome.target_stamp is None and outcome.job.target is not None
        if outcome.status is Status.NO_FACES and is_missing:
            self.not_written += 1

    @property
    def exit_status(self) -> int:
        """0 when every picture is done, 1 when one failed."""
        return 1 if self.statuses[Status.FAILED] else 0

    def line(self, seconds: float) -> str:
        """The summary, one line."""
        parts = []
        if self.statuses[Status.ANONYMIZED]:
            done = self.statuses[Status.ANONYMIZED]
            parts.append(f"{done} anonymized ({_counted(self.faces, 'face')})")
        without = self.statuses[Status.NO_FACES]
        if without:
            written = without - self.not_written
            what = "written as they are" if written else "not written"
            parts.append(f"{without} without a face ({what})")
        if self.statuses[Status.SKIPPED]:
            parts.append(f"{self.statuses[Status.SKIPPED]} already done")
        if self.statuses[Status.FAILED]:
            parts.append(f"{self.statuses[Status.FAILED]} FAILED")
        total = sum(self.statuses.values())
        line = f"{_counted(total, 'picture')} in {seconds:.1f} s"
        if parts:
            line += f": {', '.join(parts)}"
        if self.left_alone:
            reasons = ", ".join(
                f"{reason} ({count})" for reason, count in self.left_alone.most_common()
            )
            line += f"; left alone: {reasons}"
        return line


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


class ReportFile:
    """The report: JSON Lines, one object a picture, appended to what is there.

    Each line is written at once and whole, so that the report of a run that is killed
    tells of every picture that was finished.
    """

    def __init__(self, path: Path | None, settings: Settings) -> None:
        """Open the file.

        Args:
            path: where to write to; None for nowhere.
            settings: of the run; described in every line.

        Raises:
            OSError: it cannot be opened for writing.
        """
        self._file: IO[str] | None = path.open("a", encoding="ascii") if path else None
        self._settings = settings.described()
        self._version = version("faceanon")

    def __enter__(self) -> "ReportFile":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, outcome: Outcome) -> None:
        """Write the line of an outcome."""
        if self._file is not None:
            self._file.write(json.dumps(self._line(outcome)) + "\n")
            self._file.flush()

    def _line(self, outcome: Outcome) -> dict[str, Any]:
        source, target = outcome.source_stamp, outcome.target_stamp
        job = outcome.job
        has_output = target is not None or outcome.status is Status.SKIPPED
        return {
            "input": str(job.source) if job.source else "-",
            "output": str(job.target or "-") if has_output else None,
            "status": outcome.status.value,
            "error": outcome.error or None,
            "notes": list(outcome.notes),
            "faces": [
                {
                    "box": [
                        face.box.left,
                        face.box.top,
                        face.box.right,
                        face.box.bottom,
                    ],
                    "score": round(face.score, 4),
                    "points": face.points,
                }
                for face in outcome.faces
            ],
            "width": outcome.width,
            "height": outcome.height,
            "input_bytes": source.size if source else None,
            "output_bytes": target.size if target else None,
            "seconds": round(outcome.seconds, 4),
            "settings": self._settings,
            "version": self._version,
        }
