"""What a run says on the terminal: all of it on standard error."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from tqdm import tqdm

from faceanon.batch.planning.plan import Plan
from faceanon.batch.report import Summary
from faceanon.batch.run_options import RunOptions
from faceanon.batch.wording import counted
from faceanon.commands.summary import for_people
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.pipeline.progress import DOING, Phase, Progress
from faceanon.storage.names import shown
from faceanon.storage.streams import ReaderGone

# So much of a film's name is shown beside the bar.
_NAME = 24


class Console:
    """Progress, errors and the summary of a run.

    Args:
        quiet: say nothing but what failed.
        verbose: 1 to say the outcome of each picture, 2 for tracebacks too.
    """

    def __init__(self, quiet: bool, verbose: int) -> None:
        self.summary = Summary()
        self.seconds = 0.0
        self._quiet = quiet
        self._verbose = verbose
        self._bar: tqdm[Any] = tqdm(disable=True)
        self._searched = 0
        self._phases: dict[str, tuple[Phase | None, float]] = {}

    def say(self, text: str) -> None:
        """Say something, unless told to be quiet."""
        if not self._quiet:
            self._print(text)

    def note(self, text: str) -> None:
        """Say what the user should know of the run as a whole."""
        self.say(f"note: {text}")

    def list_jobs(self, plan: Plan) -> None:
        """Say what would be done."""
        count = 0
        for planned in plan.jobs():
            job = planned if isinstance(planned, Job) else planned.job
            source, target = (shown(path or "-") for path in (job.source, job.target))
            if isinstance(planned, Outcome) and planned.is_ignored:
                sys.stdout.write(f"{source}: ignored: {planned.error}\n")
                continue
            if isinstance(planned, Outcome):
                target = f"nowhere: {planned.error}"
            sys.stdout.write(f"{source} -> {target}\n")
            count += 1
        self.say(f"{count} to do; nothing was written (--dry-run)")

    @contextmanager
    def counting(self, plan: Plan, run_options: RunOptions) -> Iterator[None]:
        """Show progress while the outcomes of a plan come, then the summary.

        The pictures are counted while the first ones are done: until then progress has
        no end.
        """
        self.summary.strict = run_options.strict
        self.summary.allow_empty = run_options.allow_empty
        self.summary.is_part = plan.is_selected or plan.shard is not None
        start = time.perf_counter()
        self._bar = tqdm(
            unit=" pictures",
            file=sys.stderr,
            dynamic_ncols=True,
            leave=False,
            delay=0.5,
            # On a terminal only: a log of a cron job is no place for a bar.
            disable=self._quiet or not sys.stderr.isatty(),
        )
        if not self._bar.disable:
            threading.Thread(target=self._count, args=[plan], daemon=True).start()
        is_over = False
        try:
            yield
            is_over = True
        except ReaderGone:
            # Who wants no more of the lines wants no summary of them either.
            self._quiet = True
            raise
        finally:
            self._bar.close()
            # Of a run that could not start there is nothing to sum up.
            self.seconds = time.perf_counter() - start
            if is_over:
                self.summary.unmet = tuple(sorted(plan.walk.unmet))
            if is_over and sys.stderr.isatty():
                self.say("\n".join(for_people(self.summary, plan, self.seconds)))
            elif is_over or self.summary.total:
                self.say(self.summary.line(self.seconds))
            if is_over:
                for complaint in self.summary.complaints():
                    self._print(complaint)
            if sounds := self.summary.counts.sounds:
                self.note(
                    f"{counted(sounds, 'film')} with sound: voices identify "
                    "people, and stay as they are; --sound drop leaves them out"
                )

    def _count(self, plan: Plan) -> None:
        self._bar.total = plan.source.count()

    def show_searched(self) -> None:
        """Show that one more picture was searched for people before the run began."""
        self._searched += 1
        # The time that it takes says nothing of how long the rest will take.
        self._bar.unpause()
        self._bar.set_description(f"{self._searched} searched")

    def show_progress(self, job: Job, progress: Progress) -> None:
        """Show how far a film has come."""
        name = shown(PurePosixPath(job.name).name)
        if progress.phase != self._phases.get(job.name, (None, 0.0))[0]:
            self._phases[job.name] = progress.phase, time.monotonic()
        _, start = self._phases[job.name]
        rate = progress.done / max(time.monotonic() - start, 1e-3)
        left = max(progress.total - progress.done, 0) / max(rate, 1e-3)
        share = min(100 * progress.done // max(progress.total, 1), 100)
        self._bar.set_description_str(
            f"{_end_of(name)}: {DOING[progress.phase]} {share} %, "
            f"{rate:.0f} frames/s, {tqdm.format_interval(left)} left"
        )

    def tell_of_faces(self, outcome: Outcome) -> None:
        """Name a picture that has faces, however quiet the run is to be."""
        if number := outcome.face_count:
            self._print(f"{shown(outcome.job.label)}: {counted(number, 'face')}")

    def show(self, outcome: Outcome) -> None:
        """Count an outcome, and say what is to be said of it."""
        self.summary.add(outcome)
        name = shown(outcome.job.label)
        if outcome.is_ignored:
            if self._verbose:
                self._print(f"{name}: ignored: {outcome.error}")
            return
        if outcome.status is Status.FAILED:
            self._print(f"{name}: {shown(outcome.error)}")
            if outcome.traceback and self._verbose > 1:
                self._print(outcome.traceback.rstrip())
        elif self._verbose:
            faces = f", {outcome.face_count} faces" if outcome.faces else ""
            what = outcome.status.replace("_", " ")
            self._print(f"{name}: {what}{faces}, {outcome.seconds:.2f} s")
        for note in outcome.notes:
            self.say(f"{name}: note: {note}")
        if outcome.job.member:
            # What was counted are files, and nobody knows how many pictures they hold.
            self._bar.total = None
        if self._phases.pop(outcome.job.name, None) and not self._phases:
            self._bar.set_description_str("")
        self._bar.set_postfix(
            faces=self.summary.counts.faces,
            failed=self.summary.counts.statuses[Status.FAILED],
            refresh=False,
        )
        self._bar.update()

    def _print(self, text: str) -> None:
        with self._bar.external_write_mode(file=sys.stderr):
            sys.stderr.write(f"{text}\n")


def _end_of(name: str) -> str:
    return name if len(name) <= _NAME else f"...{name[3 - _NAME :]}"
