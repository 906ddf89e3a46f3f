"""Many pictures: what is done already, what remains, and each output put in place."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from faceanon import files
from faceanon.boxes import Record
from faceanon.engines import Item, Limits, run_here, run_pool
from faceanon.errors import StorageError
from faceanon.jobs import Job, Outcome, Status
from faceanon.names import shown
from faceanon.settings import RunOptions, Settings
from faceanon.state import State


def run(
    plan: files.Plan, settings: Settings, run_options: RunOptions
) -> Generator[Outcome, None, None]:
    """Do a plan: one outcome for each picture, as they come.

    An output appears under its name only when it is complete, and only after that its
    outcome is given. When the iterator is closed early, workers are ended and nothing
    unfinished stays behind.

    Raises:
        FaceanonError: another run writes to the same folder.
        StorageError: nothing more can be written; what was finished stays.
    """
    with ExitStack() as stack:
        state = None
        if plan.root is not None:
            state = stack.enter_context(State(plan.root, settings.fingerprint()))
        run_ = _Run(state, run_options.overwrite)
        stack.callback(run_.clean_up)
        items = run_.items(plan)
        limits = Limits(run_options.timeout, run_options.max_memory)
        workers = min(run_options.workers, plan.total)
        outcomes = (
            run_here(items, settings)
            if workers <= 1
            else run_pool(items, settings, workers, limits)
        )
        for outcome in stack.enter_context(closing(outcomes)):
            yield run_.settle(outcome)
        for folder, reason in plan.walk.problems:
            yield Outcome(Job(folder, Path(folder), None), Status.FAILED, error=reason)


class _Run:
    """What is under way, and the one who puts outputs in place."""

    def __init__(self, state: State | None, overwrite: bool) -> None:
        self._state = state
        self._overwrite = overwrite
        self._under_way: set[Job] = set()

    def items(self, plan: files.Plan) -> Iterator[Item]:
        """The jobs that remain, and outcomes for those that do not."""
        folder, is_inside = None, True
        for job in plan.jobs():
            if plan.root and job.target and job.target.parent != folder:
                folder = job.target.parent
                is_inside = folder.resolve().is_relative_to(plan.root.resolve())
                if is_inside:
                    files.sweep(folder)
            item: Item
            if is_inside:
                item = self._item(job, plan.records)
            else:
                error = f"{shown(folder)} is a link that leads out of OUTPUT; remove it"
                item = Outcome(job, Status.FAILED, error=error)
            if isinstance(item, Job):
                self._under_way.add(item)
            yield item

    def _item(self, job: Job, records: Mapping[str, Record] | None) -> Item:
        """The job with its record, or what is known of it without doing it."""
        if records is not None:
            record = records.get(job.name)
            if record is None:
                reason = "the box file does not speak of it; detect its faces first"
                return Outcome(job, Status.FAILED, error=reason)
            job = replace(job, record=record)
        if job.target is None or self._overwrite:
            return job
        if self._state is not None and self._state.is_finished(job):
            return Outcome(job, Status.SKIPPED)
        if job.target.is_symlink() or job.target.exists():
            return Outcome(job, Status.FAILED, error=_refusal(job.target))
        return job

    def settle(self, outcome: Outcome) -> Outcome:
        """Put the output of a job in place."""
        job = outcome.job
        if job not in self._under_way:
            return outcome
        if outcome.stop:
            raise StorageError(outcome.error)
        if outcome.status is not Status.FAILED:
            outcome = self._put_in_place(outcome)
        if job.temporary is not None:
            job.temporary.unlink(missing_ok=True)
        self._under_way.discard(job)
        return outcome

    def _put_in_place(self, outcome: Outcome) -> Outcome:
        job = outcome.job
        is_written = outcome.target_stamp is not None
        if is_written and not self._overwrite and job.target and job.target.exists():
            # Somebody made it since it was planned.
            return replace(outcome, status=Status.FAILED, error=_refusal(job.target))
        if self._state is not None:
            self._state.remember(outcome)
        if is_written and job.temporary and job.target:
            try:
                job.temporary.replace(job.target)
            except OSError as error:
                message = f"cannot write {shown(job.target)}: {error.strerror}"
                return replace(outcome, status=Status.FAILED, error=message)
        return outcome

    def clean_up(self) -> None:
        """Remove what unfinished jobs have written."""
        for job in self._under_way:
            if job.temporary is not None:
                job.temporary.unlink(missing_ok=True)


def _refusal(target: Path) -> str:
    return (
        f"{shown(target)} exists already, and not from this input with these settings; "
        "--overwrite replaces it"
    )
