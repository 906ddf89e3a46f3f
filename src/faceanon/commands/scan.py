"""`faceanon scan`: what files hold beside their pictures and films."""

import json
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from faceanon import options
from faceanon.audit.scan import scan
from faceanon.batch.planning.make_plan import make_reading_plan
from faceanon.batch.run_options import RunOptions
from faceanon.batch.wording import counted, listed
from faceanon.commands.running import Values, errors_explained
from faceanon.pipeline.job import Outcome
from faceanon.requests.click_options import click_options
from faceanon.storage.names import shown
from faceanon.storage.places import local_path

_CHOOSING = {"recursive", "follow_symlinks", "include", "exclude"}


def scan_command() -> click.Command:
    """`faceanon scan PATH...`."""
    return click.Command(
        "scan",
        params=[
            click.Argument(
                ["paths"],
                metavar="PATH...",
                type=click.Path(),
                nargs=-1,
                required=True,
            ),
            click.Option(
                ["--show-values"],
                is_flag=True,
                help="Tell what the texts found say, too: names, places, numbers.",
            ),
            *click_options(RunOptions, only=_CHOOSING),
        ],
        help="""Look for what else the files hold: places, names, hidden pictures.

        Each PATH is a file, or a folder, which is walked. One JSON line a finding goes
        to standard output, the summary to standard error. Faces are not looked for.

        Exit status: 0 nothing that can identify anybody, 1 something can, or a file
        cannot be read, 2 wrong usage.
        """,
        callback=lambda **values: _scan(values),
        no_args_is_help=True,
    )


@dataclass
class _Summary:
    """What came of all files.

    Attributes:
        files: how many were scanned.
        leaking: how many of them hold what can identify somebody.
        unreadable: how many files and folders could not be read.
        kinds: how many findings there are of those that can identify.
        skipped: how many files of folders were passed over, by reason.
    """

    files: int = 0
    leaking: int = 0
    unreadable: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def exit_status(self) -> int:
        """0 when nothing that can identify was found, and all was read."""
        return 1 if self.leaking or self.unreadable else 0

    def line(self) -> str:
        """The summary, one line."""
        line = f"scanned {counted(self.files, 'file')}: "
        if self.leaking:
            line += f"{self.leaking} with what can identify: {listed(self.kinds)}"
        else:
            line += "nothing that can identify"
        if self.unreadable:
            line += f"; cannot be read: {self.unreadable}"
        if self.skipped:
            line += f"; left alone: {listed(self.skipped)}"
        return line


def _scan(values: Values) -> None:
    summary = _Summary()
    with errors_explained():
        input_filter = options.build(RunOptions, values).input_filter
        input_filter = replace(input_filter, datasets=False)
        # All are planned, and wrong names refused, before the first is read.
        named = [local_path(path) for path in values["paths"]]
        plans = [make_reading_plan(place, input_filter) for place in named]
        for plan in plans:
            for job in plan.jobs():
                if isinstance(job, Outcome):
                    summary.skipped[job.error] += 1
                    continue
                assert isinstance(job.source, Path), "only files are scanned"
                _scan_file(job.source, values["show_values"], summary)
            for folder, reason in plan.walk.problems:
                _cannot_be_read(folder, reason, summary)
    click.echo(summary.line(), err=True)
    sys.exit(summary.exit_status)


def _scan_file(path: Path, show_values: bool, summary: _Summary) -> None:
    identifying: Counter[str] = Counter()
    try:
        for finding in scan(path):
            click.echo(json.dumps(finding.as_json(str(path), show_values)))
            identifying[finding.kind] += finding.identifies
    except OSError as error:
        _cannot_be_read(path, error.strerror, summary)
        return
    summary.files += 1
    summary.leaking += identifying.total() > 0
    summary.kinds += identifying


def _cannot_be_read(path: object, reason: str | None, summary: _Summary) -> None:
    summary.unreadable += 1
    click.echo(f"{shown(path)}: it cannot be read: {reason}", err=True)
