"""Many pictures: what is done already, what remains, and each output put in place."""

import os
import stat
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from os.path import lexists
from pathlib import Path

from faceanon.batch import first_pass as census
from faceanon.batch.engines.dispatch import dispatched
from faceanon.batch.engines.local import Item
from faceanon.batch.ledger import State, made_by
from faceanon.batch.output_names import Claims
from faceanon.batch.planning import folder as files
from faceanon.batch.planning.plan import Plan
from faceanon.batch.planning.shards import Shard
from faceanon.boxes import NOT_SPOKEN_OF
from faceanon.errors import StorageError
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.settings import RunOptions, Settings
from faceanon.storage.buckets.listing import check
from faceanon.storage.files import refusal
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject, Place, place
from faceanon.storage.renaming import Numbering, numbered


def run(
    plan: Plan, settings: Settings, run_options: RunOptions
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
        state, fingerprint = None, settings.fingerprint()
        if isinstance(plan.root, BucketObject):
            check(plan.root)
        elif plan.root is not None:
            state = stack.enter_context(
                State(plan.root, fingerprint, plan.renaming, plan.shard)
            )
        claims = stack.enter_context(closing(Claims()))
        run_ = _Run(state, claims, fingerprint, settings, run_options)
        stack.callback(run_.clean_up)
        if settings.disguises and not plan.is_stream:
            crowd = census.take(plan, settings, run_options)
            settings = replace(settings, crowd=crowd)
        items = run_.items(plan.jobs(), plan)
        outcomes = dispatched(items, settings, run_options, stack)
        for outcome in stack.enter_context(closing(outcomes)):
            settled = run_.settle(outcome)
            yield from settled.pictures()
            if settled.stop:
                raise StorageError(settled.error)
        for folder, reason in plan.walk.problems:
            yield Outcome(Job(folder, place(folder), None), Status.FAILED, error=reason)


class _Run:
    """What is under way, and the one who puts outputs in place."""

    def __init__(
        self,
        state: State | None,
        claims: Claims,
        fingerprint: bytes,
        settings: Settings,
        run_options: RunOptions,
    ) -> None:
        self._state = state
        self._claims = claims
        self._fingerprint = fingerprint
        self._also_detect = settings.also_detect
        self._overwrite = run_options.overwrite
        self._under_way: set[Job] = set()
        self._mode = 0o666 & ~_umask()

    def items(self, jobs: Iterable[Job], plan: Plan) -> Iterator[Item]:
        """The jobs that remain, and outcomes for those that do not."""
        folder, problem = None, ""
        for job in jobs:
            if job.problem:
                yield Outcome(job, Status.FAILED, error=job.problem)
                continue
            if isinstance(plan.renaming, Numbering):
                job = self._numbered(job)  # noqa: PLW2901  from here on it is this one
            if isinstance(plan.root, Path) and _folder(job) != folder:
                folder = _folder(job)
                problem = _prepare(folder, plan.root, plan.shard) if folder else ""
            item: Item
            if problem:
                item = Outcome(job, Status.FAILED, error=problem)
            else:
                item = self._item(job, plan)
            if isinstance(item, Job):
                self._under_way.add(item)
            yield item

    def _numbered(self, job: Job) -> Job:
        if self._state is None or not isinstance(job.target, Path):
            return job
        shard, number = self._state.number(job.name)
        return replace(job, target=numbered(job.target, number, shard))

    def _item(self, job: Job, plan: Plan) -> Item:
        """The job with its record, or what is known of it without doing it."""
        job = plan.with_records(job)
        is_told_of = job.record is not None or job.is_dataset
        if plan.records is not None and not (is_told_of or self._also_detect):
            return Outcome(job, Status.FAILED, error=NOT_SPOKEN_OF)
        target = job.target
        if target is None:
            return job
        is_claimed = self._claims.claim(target)
        if not self._overwrite and self._state:
            if self._state.is_finished(job):
                return Outcome(job, Status.SKIPPED)
            job = replace(job, resumes=self._state.is_begun(job))
        if is_claimed:
            reason = self._obstacle(target, job.resumes)
        else:
            reason = _collision(target)
        if reason:
            return Outcome(job, Status.FAILED, error=reason)
        if isinstance(job.target, BucketObject):
            made = made_by(self._fingerprint, job)
            return replace(job, made_by=made, overwrite=self._overwrite)
        return job

    def _obstacle(self, target: Place, is_ours: bool) -> str:
        """Why an output cannot be put there, or nothing."""
        if isinstance(target, BucketObject):
            return ""  # the worker looks
        try:
            mode = target.lstat().st_mode
        except FileNotFoundError:
            return ""
        except OSError as error:
            return _unwritable(target, error)
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            return f"{shown(target)} is a folder or device; name another output"
        return "" if self._overwrite or is_ours else refusal(target)

    def settle(self, outcome: Outcome) -> Outcome:
        """Put the output of a job in place."""
        job = outcome.job
        if job not in self._under_way:
            return outcome
        if outcome.status is not Status.FAILED:
            outcome = self._put_in_place(outcome)
        self._remove_temporary(job)
        self._under_way.discard(job)
        return outcome

    def _put_in_place(self, outcome: Outcome) -> Outcome:
        job, target = outcome.job, outcome.job.target
        if isinstance(target, BucketObject):
            return outcome  # the worker has put it there
        is_written = outcome.target_stamp is not None
        try:
            if target and job.resumes and self._state and self._state.is_begun(job):
                # Should the run be killed just now, the next one does all of it anew.
                target.unlink()
            if is_written and not self._overwrite and target and lexists(target):
                # Somebody made it since it was planned.
                return _failed(outcome, refusal(target))
            if self._state is not None:
                self._state.remember(outcome)
            if is_written and job.temporary and target:
                job.temporary.chmod(self._mode)
                job.temporary.replace(target)
        except StorageError as error:
            return replace(_failed(outcome, str(error)), stop=True)
        except OSError as error:
            return _failed(outcome, _unwritable(target, error))
        return outcome

    def clean_up(self) -> None:
        """Remove what unfinished jobs have written."""
        for job in self._under_way:
            self._remove_temporary(job)

    @staticmethod
    def _remove_temporary(job: Job) -> None:
        if job.temporary is not None:
            # Where its folder cannot be written to, there is none.
            with suppress(OSError):
                job.temporary.unlink()


def _folder(job: Job) -> Path | None:
    return job.target.parent if isinstance(job.target, Path) else None


def _failed(outcome: Outcome, reason: str) -> Outcome:
    """The outcome of a job whose output cannot be put in place."""
    return replace(outcome, status=Status.FAILED, error=reason, members=())


def _prepare(folder: Path, root: Path, shard: Shard | None) -> str:
    """Clean a folder of outputs up; why it cannot be written to, or nothing."""
    try:
        if not folder.resolve().is_relative_to(root.resolve()):
            return f"{shown(folder)} is a link that leads out of OUTPUT; remove it"
        files.sweep(folder, shard)
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
        return _unwritable(folder, error)
    return ""


def _umask() -> int:
    # The system gives it only in exchange for another; for that moment, a strict one.
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _unwritable(path: Path | None, error: OSError | RuntimeError) -> str:
    return f"cannot write to {shown(path)}: {getattr(error, 'strerror', error)}"


def _collision(target: Place) -> str:
    return (
        f"another picture becomes {shown(target)}, or a name that differs from it only "
        "in case or accents; rename one of the two"
    )
