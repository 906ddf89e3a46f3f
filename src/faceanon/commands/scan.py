"""`faceanon scan`: what files hold beside their pictures and films."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from faceanon import options
from faceanon.audit.scan import Finding, Kind, scan
from faceanon.batch.planning.every_file import Found, Left, every_file
from faceanon.batch.planning.plan import InputFilter
from faceanon.batch.run_options import RunOptions
from faceanon.batch.wording import counted, listed
from faceanon.commands.running import Values, errors_explained
from faceanon.errors import FaceanonError
from faceanon.requests.click_options import click_options
from faceanon.requests.help import Command
from faceanon.storage import streams
from faceanon.storage.names import shown
from faceanon.storage.places import local_path

_CHOOSING = {"recursive", "follow_symlinks", "include", "exclude"}


def scan_command() -> click.Command:
    """`faceanon scan PATH...`."""
    return Command(
        "scan",
        examples=("safe/", "photo.jpg --show-values", "safe/ > findings.jsonl"),
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
        help="""List what else files contain: places, names, hidden pictures.

        Each PATH is a file, a folder, of which every file is taken, or "-" for standard
        input. One line a finding goes to standard output, of JSON where that is no
        terminal; the summary goes to standard error. Faces are not looked for.

        Exit status: 0 nothing that can identify anybody, 1 something can, or a file was
        not looked into, 2 wrong usage.
        """,
        callback=lambda **values: _scan(values),
        no_args_is_help=True,
    )


@dataclass
class _Summary:
    """The outcome of all files.

    Attributes:
        files: how many there were.
        leaking: how many of them hold what can identify somebody.
        unread: how many files and folders were not, or not wholly, looked into.
        others: how many files are neither.
        kinds: how many findings there are of those that can identify.
        left: what was left out, as the user said.
    """

    files: int = 0
    leaking: int = 0
    unread: int = 0
    others: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    left: Left = field(default_factory=Left)

    @property
    def exit_status(self) -> int:
        """0 when there were files, all was read, and nothing can identify."""
        return 1 if self.leaking or self.unread or not self.files else 0

    def add(self, identifying: Counter[str]) -> None:
        """Count a file, and what was found in it that can identify, by kind."""
        unread = identifying.pop(Kind.UNREAD, 0)
        self.files += 1
        self.leaking += identifying.total() > 0
        self.unread += unread > 0
        self.others += not (unread or identifying.total())
        self.kinds += identifying

    def line(self) -> str:
        """The summary, one line."""
        said = []
        if self.leaking:
            said.append(f"{self.leaking} with what can identify: {listed(self.kinds)}")
        if self.unread:
            said.append(f"{self.unread} UNREAD: what is in them is not known")
        if not self.files:
            said.append("nothing was looked at")
        elif self.others == self.files:
            said.append("nothing that can identify")
        elif self.others and not self.leaking:
            said.append(f"nothing that can identify in the other {self.others}")
        if self.left.reasons:
            said.append(f"ignored: {listed(self.left.reasons)}")
        return f"scanned {counted(self.files, 'file')}: {'; '.join(said)}"


def _scan(values: Values) -> None:
    summary = _Summary()
    with errors_explained():
        input_filter = options.build(RunOptions, values).input_filter
        # Wrong names are refused before the first file is read.
        paths = [None if path == "-" else _there(path) for path in values["paths"]]
        if any(path is not None and path.is_dir() for path in paths):
            summary.left.unmet = input_filter.patterns
        for path in paths:
            for found in _files(path, input_filter, summary.left):
                _scan_file(found, values["show_values"], summary)
    for pattern in sorted(summary.left.unmet):
        click.echo(f"note: nothing there matches {shown(pattern)!r}", err=True)
    click.echo(summary.line(), err=True)
    sys.exit(summary.exit_status)


def _there(text: str) -> Path:
    path = local_path(text)
    if not path.exists():
        raise FaceanonError(f"{shown(path)} does not exist")
    return path


def _files(
    path: Path | None, input_filter: InputFilter, left: Left
) -> Iterator[Found | None]:
    """The files of a PATH; None for standard input."""
    if path is not None and path.is_dir():
        yield from every_file(path, input_filter, left)
    else:
        yield None if path is None else Found(path)


def _scan_file(found: Found | None, show_values: bool, summary: _Summary) -> None:
    name = "-" if found is None else str(found.path)
    identifying: Counter[str] = Counter()
    is_for_people = sys.stdout.isatty()
    for finding in _findings(found):
        if is_for_people:
            line = finding.line(shown(name), show_values)
        else:
            line = json.dumps(finding.as_json(name, show_values))
        click.echo(line)
        identifying[finding.kind] += finding.identifies
    summary.add(identifying)


def _findings(found: Found | None) -> Iterator[Finding]:
    if found is not None and found.problem:
        yield _unread(found.problem)
        return
    try:
        yield from scan(streams.read_input() if found is None else found.path)
    except OSError as error:
        yield _unread(f"it cannot be read: {error.strerror}")


def _unread(problem: str) -> Finding:
    """What is told of a file of which nothing was read."""
    return Finding(Kind.UNREAD, "", None, 0, problem, identifies=True)
