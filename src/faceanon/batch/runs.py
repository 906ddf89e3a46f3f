"""Many inputs: what is done already, what remains, and each output put in place."""

import secrets
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path

from faceanon.batch.control import Control
from faceanon.batch.engines import results_of
from faceanon.batch.engines.local import Known
from faceanon.batch.first_pass import collect_identities
from faceanon.batch.ledgers import Ledger, State
from faceanon.batch.ledgers.bucket import BucketLedger
from faceanon.batch.ledgers.folder import (
    FolderLedger,
    RunId,
    SingleLedger,
    unwritable,
)
from faceanon.batch.output_names import OutputNames
from faceanon.batch.planning.folder import sweep
from faceanon.batch.planning.plan import Plan
from faceanon.batch.planning.shards import Shard
from faceanon.batch.run_options import RunOptions
from faceanon.batch.wording import counted
from faceanon.batch.work import Result, Task
from faceanon.boxes import MEETS_NO_PICTURE, NOT_IN_BOX_FILE
from faceanon.errors import FaceanonError, PictureError, StorageError
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.pipeline.steps import Hide, Step
from faceanon.storage import streams
from faceanon.storage.buckets.listing import check
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject, Place, place
from faceanon.storage.renaming import Numbering, numbered
from faceanon.storage.state import state_key

# Standard input is held by this process and by a worker, whose memory it may fill by
# one part in so many.
_SHARE_OF_STREAM = 4


def run(
    plan: Plan, step: Step, run_options: RunOptions, control: Control | None = None
) -> Generator[Outcome, None, None]:
    """Do a plan: one outcome for each picture, as they come.

    An output appears under its name only when it is complete, and only after that its
    outcome is given. When the iterator is closed early, workers are ended and nothing
    unfinished stays behind.

    Args:
        plan: where jobs come from, and where outputs go.
        step: what to do with each.
        run_options: how the run goes.
        control: to stop it, and to hear of its first pass.

    Raises:
        FaceanonError: another run writes to the same folder.
        StorageError: nothing more can be written; what was finished stays.
    """
    control = control or Control()
    with ExitStack() as stack:
        ledger, of_bucket = _ledgers(plan, step, run_options, control, stack)
        if isinstance(ledger, FolderLedger):
            _tell_of(ledger, run_options, control)
        names = stack.enter_context(closing(OutputNames()))
        unmet = _names_to_meet(plan)
        room = run_options.max_memory * 2**20 // _SHARE_OF_STREAM
        publisher = _Publisher(plan, step, ledger, names, room)
        stack.callback(publisher.clean_up)
        settings = step.settings
        if isinstance(step, Hide) and settings.pseudonyms and not plan.is_stream:
            people = collect_identities(plan, settings, run_options, control)
            step = Hide(replace(settings, identities=people))
        items = publisher.items(control)
        results = stack.enter_context(
            closing(results_of(items, step, run_options, of_bucket, control.progressed))
        )
        for result in results:
            outcome = publisher.publish(result)
            for picture in outcome.pictures():
                unmet.discard(picture.job.name)
                yield picture
            if outcome.stop:
                raise StorageError(outcome.error)
            if outcome.job.is_dataset and not outcome.members:
                # Which pictures it holds is not known.
                unmet.difference_update(plan.with_records(outcome.job).records or ())
        for folder, reason in plan.walk.problems:
            yield Outcome(Job(folder, place(folder), None), Status.FAILED, error=reason)
        if not (control.is_stopped or plan.walk.problems):
            for name in sorted(unmet):
                job = Job(name, Path(name), None)
                yield Outcome(job, Status.FAILED, error=MEETS_NO_PICTURE)


def _names_to_meet(plan: Plan) -> set[str]:
    """The entries of the box file, where all pictures that there are will be met."""
    is_whole = plan.root is not None and plan.takes_all
    return set(plan.records or ()) if is_whole else set()


def _ledgers(
    plan: Plan,
    step: Step,
    run_options: RunOptions,
    control: Control,
    stack: ExitStack,
) -> tuple[Ledger, BucketLedger | None]:
    """What remembers the outputs, here and, for a bucket, where the work is done."""
    overwrite = run_options.overwrite
    if isinstance(plan.root or plan.target, BucketObject):
        if isinstance(plan.root, BucketObject):
            check(plan.root)
        bucket = BucketLedger(step.settings.fingerprint(), overwrite)
        return SingleLedger(overwrite), bucket
    if plan.root is None:
        return SingleLedger(overwrite), None
    assert isinstance(plan.root, Path), "it is no bucket"
    settings = step.settings
    run_id = RunId(
        _key(run_options, control),
        plan.origin,
        settings.fingerprint(),
        settings.command(),
        settings.made_with(),
    )
    folder = FolderLedger(
        plan.root,
        run_id,
        overwrite=overwrite,
        redo_older=run_options.redo_older,
        is_partial=plan.is_selected,
        shard=plan.shard,
    )
    return stack.enter_context(folder), None


def _key(run_options: RunOptions, control: Control) -> bytes:
    """The user's key; where there can be none, one that is forgotten after the run."""
    if run_options.state is not None:
        return state_key(Path(run_options.state))
    try:
        return state_key()
    except FaceanonError as error:
        control.said(f"a rerun will not know these outputs again: {error}")
        return secrets.token_bytes(32)


def _tell_of(ledger: FolderLedger, run_options: RunOptions, control: Control) -> None:
    """What the user should know of outputs that are there."""
    if ledger.is_of_others and not run_options.overwrite:
        control.said(
            "OUTPUT was made by somebody else, or on another machine: what is there is "
            "not known here; --state names the folder with the key"
        )
    if ledger.older is None:
        return
    made_with, number = ledger.older
    pictures = counted(number, "picture")
    if run_options.redo_older:
        control.said(f"{pictures} made with {made_with} will be made anew")
    elif not run_options.overwrite:
        control.said(
            f"{pictures} in OUTPUT were made with {made_with}; --redo-older makes "
            "them anew"
        )


# After so many outputs that a bucket refused, and none that it took, a run stops.
_MOST_REFUSED = 3


class _Publisher:
    """Knows what is under way, and puts outputs in place."""

    def __init__(
        self, plan: Plan, step: Step, ledger: Ledger, names: OutputNames, room: int
    ) -> None:
        self._room = room
        self._plan = plan
        self._also_detect = step.settings.also_detect
        self._ledger = ledger
        self._names = names
        self._under_way: set[Job] = set()
        # How many outputs were refused before the first one was taken; None after it.
        self._refused: int | None = 0

    def items(self, control: Control) -> Iterator[Task | Known[Result]]:
        """The jobs that remain, and outcomes for those that do not."""
        plan, folder, problem = self._plan, None, ""
        for planned in plan.jobs():
            if control.is_stopped:
                return
            if isinstance(planned, Outcome):
                yield Known(Result(planned))
                continue
            job = self._numbered(planned)
            if isinstance(plan.root, Path) and _folder(job) != folder:
                folder = _folder(job)
                problem = _prepare(folder, plan.root, plan.shard) if folder else ""
            if problem:
                yield Known(Result(Outcome(job, Status.FAILED, error=problem)))
                continue
            item = self._looked_up(plan.with_records(job))
            if isinstance(item, Outcome):
                yield Known(Result(item))
                continue
            data = streams.read_input(self._room) if item.source is None else None
            if data is not None and len(data) > self._room:
                error = f"it has more than {self._room} bytes; name it as a file"
                yield Known(Result(Outcome(item, Status.FAILED, error=error)))
                continue
            self._under_way.add(item)
            yield Task(item, data)

    def _numbered(self, job: Job) -> Job:
        is_numbered = isinstance(self._plan.renaming, Numbering)
        if not (is_numbered and isinstance(self._ledger, FolderLedger)):
            return job
        if not isinstance(job.target, Path):
            return job
        shard, number = self._ledger.number(job.name)
        return replace(job, target=numbered(job.target, number, shard))

    def _looked_up(self, job: Job) -> Job | Outcome:
        """The job, or what is known of it without doing it."""
        is_told_of = job.record is not None or job.is_dataset
        has_boxes = self._plan.records is not None
        if has_boxes and not (is_told_of or self._also_detect):
            return Outcome(job, Status.FAILED, error=NOT_IN_BOX_FILE)
        if job.target is None:
            return job
        is_reserved = self._names.reserve(job.target)
        try:
            standing = self._ledger.standing(job)
        except PictureError as error:
            reason = str(error) if is_reserved else _collision(job.target)
            return Outcome(job, Status.FAILED, error=reason)
        if standing.state is State.FINISHED:
            return Outcome(job, Status.SKIPPED, earlier=standing.counts)
        if not is_reserved:
            return Outcome(job, Status.FAILED, error=_collision(job.target))
        return replace(
            job,
            resumes=standing.state is State.PARTIAL,
            redoes=standing.state is State.OLDER,
        )

    def publish(self, result: Result) -> Outcome:
        """Put the output of a job in place; its outcome in the end."""
        outcome = result.outcome
        job = outcome.job
        if job not in self._under_way:
            return outcome
        if outcome.status is not Status.FAILED:
            try:
                if result.output is not None:
                    _write_to_stdout(result.output)
                outcome = self._ledger.publish(outcome)
            except StorageError as error:
                outcome = replace(_failed(outcome, str(error)), stop=True)
            except PictureError as error:
                outcome = _failed(outcome, str(error))
        _remove_temporary(job)
        self._under_way.discard(job)
        return self._with_refusals_counted(outcome)

    def _with_refusals_counted(self, outcome: Outcome) -> Outcome:
        """The outcome; it stops a run of which no output at all is taken."""
        if outcome.target_stamp is not None and outcome.status is not Status.FAILED:
            self._refused = None
        if not outcome.is_refused or self._refused is None:
            return outcome
        self._refused += 1
        return replace(outcome, stop=self._refused >= _MOST_REFUSED)

    def clean_up(self) -> None:
        """Remove what unfinished jobs have written."""
        for job in self._under_way:
            _remove_temporary(job)


def _remove_temporary(job: Job) -> None:
    if job.temporary is not None:
        # Where its folder cannot be written to, there is none.
        with suppress(OSError):
            job.temporary.unlink()


def _write_to_stdout(output: bytes) -> None:
    try:
        sys.stdout.buffer.write(output)
        sys.stdout.buffer.flush()
    except StorageError as error:
        # It is the only picture: there is nothing more to stop.
        raise PictureError(str(error)) from error


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
        sweep(folder, shard)
    except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
        return unwritable(folder, error)
    return ""


def _collision(target: Place) -> str:
    return (
        f"another picture becomes {shown(target)}, or a name that differs from it only "
        "in case or accents; rename one of the two"
    )
