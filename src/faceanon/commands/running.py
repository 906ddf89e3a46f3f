"""What the commands have in common: errors as one line, and the exit status."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from faceanon.errors import FaceanonError, StorageError
from faceanon.requests.options import Values, environment_variable
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject, Place, place

if TYPE_CHECKING:
    from faceanon.batch.planning.plan import Plan, Walk
    from faceanon.batch.report import ReportFile
    from faceanon.commands.progress import Console
    from faceanon.pipeline.job import Outcome
    from faceanon.settings import RunOptions, Settings

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it: 128 and the signal's number."""


def path_argument(name: str, metavar: str) -> click.Argument:
    """A path, as text, so that "-" and "./-" are not the same."""
    return click.Argument([name], metavar=metavar, type=click.Path())


def verbosity_options() -> list[click.Parameter]:
    """`--quiet` and `--verbose`."""
    return [
        click.Option(
            ["-q", "--quiet"], is_flag=True, help="Say nothing but what failed."
        ),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            help="Say what came of each picture; twice: where errors came from.",
        ),
    ]


def report_option() -> click.Option:
    """`--report`."""
    return click.Option(
        ["--report"],
        type=click.Path(),
        metavar="FILE",
        show_default="none",
        help="Append one JSON line a picture to FILE: what was found and done.",
        envvar=environment_variable("report"),
    )


@contextmanager
def open_report(path: str | None, settings: "Settings") -> Iterator["ReportFile"]:
    """The file or object that `--report` names, open for lines."""
    from faceanon.batch.report import ReportFile  # noqa: PLC0415
    from faceanon.storage.buckets.report import local_report  # noqa: PLC0415

    with ExitStack() as stack:
        target = None if path is None else place(path)
        if isinstance(target, BucketObject):
            target = stack.enter_context(local_report(target))
        try:
            report = ReportFile(target, settings)
        except OSError as error:
            raise FaceanonError(
                f"the report {shown(path)} cannot be written: {error.strerror}"
            ) from error
        yield stack.enter_context(report)


def place_or_stream(argument: str) -> Place | None:
    """The place that an argument names; None for "-"."""
    return None if argument == "-" else place(argument)


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turn expected errors into one line and the exit status that belongs to them."""
    try:
        yield
    except StorageError as error:
        raise click.ClickException(f"{error}; the run has stopped") from error
    except FaceanonError as error:
        raise click.UsageError(str(error)) from error
    except KeyboardInterrupt:
        click.echo("interrupted; run the same command again to go on", err=True)
        sys.exit(INTERRUPTED)


def run_plan(
    plan: "Plan",
    settings: "Settings",
    run_options: "RunOptions",
    console: "Console",
    *takers: "Callable[[Outcome], Any]",
) -> None:
    """Run a plan; every outcome goes to the takers, then to the console.

    Raises:
        KeyboardInterrupt: the run was stopped by Ctrl-C before its end.
    """
    from faceanon.batch import runs as batch  # noqa: PLC0415
    from faceanon.batch.workers import keep_freed_memory  # noqa: PLC0415

    keep_freed_memory()  # with -j 1 this process does the work
    with (
        console.counting(plan),
        _first_interrupt_stops(plan.walk),
        closing(batch.run(plan, settings, run_options)) as outcomes,
    ):
        for outcome in outcomes:
            for take in takers:
                take(outcome)
            console.show(outcome)
    if plan.walk.stopped:
        raise KeyboardInterrupt


@contextmanager
def _first_interrupt_stops(walk: "Walk") -> Iterator[None]:
    """While this lasts, Ctrl-C ends the walk; the next one is a KeyboardInterrupt."""

    def stop(*_: object) -> None:
        walk.stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Not by way of sys.stderr, in which the interrupted program may just be.
        os.write(2, b"\nfinishing what is in hand; Ctrl-C again ends it now\n")

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def make_console(values: Values) -> "Console":
    """The console that `--quiet` and `--verbose` ask for."""
    from faceanon.commands.progress import Console  # noqa: PLC0415

    return Console(values["quiet"], values["verbose"])
