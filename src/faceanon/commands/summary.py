"""The end of a run, for people at a terminal and for programs."""

import json
import shlex
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from faceanon.anonymizers.base import LEFT_ALONE
from faceanon.batch.planning.plan import Plan
from faceanon.batch.report import Summary
from faceanon.batch.wording import counted
from faceanon.errors import FaceanonError
from faceanon.pipeline.job import WORTH_A_NOTE, Status
from faceanon.settings import Settings
from faceanon.storage import streams
from faceanon.storage.names import shown


def for_people(summary: Summary, plan: Plan, seconds: float) -> Iterator[str]:
    """The summary as a few lines.

    Args:
        summary: of the run.
        plan: of the run.
        seconds: the time it took.
    """
    target = plan.root or plan.target
    where = f" -> {shown(target)}" if target else ""
    yield f"Done: {counted(summary.total, 'picture')} in {seconds:.1f} s{where}"
    for line in _outcomes(summary):
        yield f"  {line}"
    if command := _next(summary, plan):
        yield f"Next: {command}"


def _outcomes(summary: Summary) -> Iterator[str]:
    counts, statuses = summary.counts, summary.counts.statuses
    if number := statuses[Status.ANONYMIZED]:
        yield f"{number} with faces hidden ({_faces(summary)})"
    if number := statuses[Status.FOUND]:
        yield f"{number} with faces ({_faces(summary)})"
    if number := statuses[Status.UNCHANGED]:
        yield f"{number} UNCHANGED: none of their faces could be treated"
    if number := statuses[Status.NOBODY_HIDDEN]:
        yield f"{number} with nobody to hide, copied"
    if number := statuses[Status.NO_FACES]:
        became = ", copied" if counts.written else ""
        became = ", not written" if counts.not_written else became
        yield f"{number} without a face{became}{_named(summary.without, number)}"
    if number := statuses[Status.FAILED]:
        yield f"{number} FAILED, for the reasons above"
    if summary.done_before:
        yield f"{summary.done_before} of these were done by an earlier run"
    if summary.persons:
        yield summary.about_persons()
    if number := counts.to_check:
        yield f"{number} to check by eye{_named(summary.to_check, number)}"
    if counts.coarse:
        pixels = f"faces of {WORTH_A_NOTE} pixels"
        yield f"{counts.coarse} too large for {pixels} to be seen in them"
    for reason, number in summary.ignored.most_common():
        names = _named(summary.ignored_names.get(reason, []), number)
        yield f"{counted(number, 'other file')} ignored, {reason}{names}"


def _faces(summary: Summary) -> str:
    counts = summary.counts
    said = [counted(counts.faces, "face")]
    for name, number in sorted(counts.otherwise.items()):
        is_left = name == LEFT_ALONE
        said.append(f"{number} {'left as they were' if is_left else f'by {name}'}")
    return ", ".join(said)


def _named(names: list[str], number: int) -> str:
    """The names, where there are so few that all of them are known."""
    return f": {', '.join(map(shown, names))}" if len(names) == number else ""


def _next(summary: Summary, plan: Plan) -> str:
    """The command to go on with; empty where there is none."""
    is_done = summary.counts.statuses[Status.ANONYMIZED] and not summary.exit_status
    if not (is_done and isinstance(plan.root, Path) and plan.origin):
        return ""
    command = ["faceanon", "verify", _short(Path(plan.origin)), str(plan.root)]
    return shown(shlex.join(command))


def _short(path: Path) -> str:
    """The path as it would be typed here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def for_programs(
    summary: Summary, settings: Settings, seconds: float
) -> dict[str, Any]:
    """The summary as `--summary` writes it."""
    counts = summary.counts
    return {
        "version": version("faceanon"),
        "exit_status": summary.exit_status,
        "seconds": round(seconds, 3),
        "pictures": summary.total,
        "statuses": dict(counts.statuses),
        "already_done": summary.done_before,
        "faces": counts.faces,
        "shown": counts.shown,
        "done_otherwise": dict(counts.otherwise),
        "to_check": counts.to_check,
        "ignored": dict(summary.ignored),
        "complaints": list(summary.complaints()),
        "settings": settings.described(),
    }


def write(path: str, told: dict[str, Any]) -> None:
    """Write a summary as JSON.

    Args:
        path: the file, which is replaced; "-" for standard output.
        told: the summary.

    Raises:
        FaceanonError: it cannot be written.
    """
    text = json.dumps(told, indent=2) + "\n"
    if path in streams.OUTPUTS:
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise FaceanonError(
            f"{shown(path)} cannot be written: {error.strerror}"
        ) from error
