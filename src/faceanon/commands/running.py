"""What the commands have in common: errors as one line, and the exit status."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from faceanon.errors import FaceanonError, StorageError, UnavailableError
from faceanon.storage.buckets.stores import BucketError

if TYPE_CHECKING:
    from faceanon.batch.control import Control
    from faceanon.batch.planning.plan import Plan
    from faceanon.batch.run_options import RunOptions
    from faceanon.commands.progress import Console
    from faceanon.pipeline.job import Outcome
    from faceanon.pipeline.steps import Step

Values = Mapping[str, Any]
"""What Click has collected."""

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it: 128 and the signal's number."""


UNAVAILABLE = 75
"""The exit status where a run can be tried again; sysexits.h: EX_TEMPFAIL."""


class _WrongUsageError(click.ClickException):
    """What is asked for cannot be done; one line, without the usage."""

    exit_code = 2


class _UnavailableError(click.ClickException):
    """What is asked for cannot be done just now."""

    exit_code = UNAVAILABLE


def _refused(error: FaceanonError) -> click.ClickException:
    may_come = isinstance(error, UnavailableError) or (
        isinstance(error, BucketError) and error.what == "unavailable"
    )
    kind = _UnavailableError if may_come else _WrongUsageError
    return kind(str(error))


@contextmanager
def errors_explained() -> Iterator[None]:
    """Turn expected errors into one line and the exit status that belongs to them."""
    try:
        yield
    except StorageError as error:
        raise click.ClickException(f"{error}; the run has stopped") from error
    except FaceanonError as error:
        raise _refused(error) from error
    except KeyboardInterrupt:
        click.echo("interrupted; run the same command again to go on", err=True)
        sys.exit(INTERRUPTED)


def run_plan(
    plan: "Plan",
    step: "Step",
    run_options: "RunOptions",
    console: "Console",
    *takers: "Callable[[Outcome], Any]",
) -> None:
    """Run a plan; every outcome goes to the takers, then to the console.

    Raises:
        KeyboardInterrupt: the run was stopped by Ctrl-C before its end.
    """
    from faceanon.batch import runs  # noqa: PLC0415
    from faceanon.batch.control import Control  # noqa: PLC0415

    control = Control(
        searched=console.show_searched,
        progressed=console.show_progress,
        said=console.note,
    )
    with (
        console.counting(plan, run_options),
        _first_interrupt_stops(control),
        closing(runs.run(plan, step, run_options, control)) as outcomes,
    ):
        for outcome in outcomes:
            for take in takers:
                take(outcome)
            console.show(outcome)
    if control.is_stopped:
        raise KeyboardInterrupt


@contextmanager
def _first_interrupt_stops(control: "Control") -> Iterator[None]:
    """While this lasts, Ctrl-C stops the run; the next one is a KeyboardInterrupt."""

    def stop(*_: object) -> None:
        control.is_stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # Not by way of sys.stderr, in which the interrupted program may just be.
        with suppress(OSError):
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
