"""What a worker does with a job: read, do the step, and write where it belongs."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from faceanon.batch.datasets import rewriting
from faceanon.batch.isolated import Isolated
from faceanon.batch.ledgers import State
from faceanon.batch.ledgers.bucket import BucketLedger
from faceanon.batch.work import Result, Task
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.pipeline.process import attempted, transform
from faceanon.pipeline.steps import Step
from faceanon.storage.files import file_stamp, open_source, open_target
from faceanon.storage.places import BucketObject, Stamp


def do_picture(
    task: Task, step: Step, ledger: BucketLedger | None, threads: int = 1
) -> Result:
    """Do the job of a picture, or of a clip.

    An output that is a file is written to the job's temporary file: to put it in place
    is for the parent, which can then account for it exactly once. One in a bucket is
    put there at once, unless it is there already. Any other is in the result.

    Args:
        task: the job.
        step: what to do.
        ledger: of a bucket that outputs are put into; None for other places.
        threads: how many a film may take.
    """
    job, output = task.job, io.BytesIO()

    def do(job: Job) -> Outcome:
        if task.data is not None:
            stamp = Stamp(len(task.data), 0) if job.member else None
            outcome = _transformed(job, io.BytesIO(task.data), output, step, threads)
            return replace(outcome, source_stamp=stamp)
        assert job.source is not None, "what comes by a stream was read"
        with open_source(job.source, is_plain=job.is_plain) as source:
            outcome = _transformed(job, source.file, output, step, threads)
            source.check_unchanged()
            return replace(outcome, source_stamp=source.stamp)

    outcome = attempted(job, lambda: _published(job, ledger, do))
    if outcome.status is Status.FAILED and task.data is not None and job.member:
        outcome = replace(outcome, source_stamp=Stamp(len(task.data), 0))
    is_in_place = job.temporary is not None or _ledger_of(job, ledger) is not None
    if outcome.target_stamp is None or is_in_place:
        return Result(outcome)
    return Result(outcome, output.getvalue())


def _transformed(
    job: Job, source: BinaryIO, output: io.BytesIO, step: Step, threads: int
) -> Outcome:
    """Do the step; the output goes to the temporary file, or else into memory."""
    is_written = False

    @contextmanager
    def target() -> Iterator[BinaryIO]:
        nonlocal is_written
        is_written = True
        if job.temporary is None:
            yield output
        else:
            with open_target(job.temporary) as file:
                yield file

    outcome = transform(job, source, target, step, threads)
    if not is_written:
        return outcome
    if job.temporary is not None:
        return replace(outcome, target_stamp=file_stamp(job.temporary))
    return replace(outcome, target_stamp=Stamp(len(output.getbuffer()), 0))


def rewrite_dataset(
    job: Job,
    step: Step,
    ledger: BucketLedger | None,
    processes: Isolated[Task, Result],
) -> Outcome:
    """Do the job of a dataset file."""

    def do(job: Job) -> Outcome:
        return rewriting.rewrite(job, step, processes)

    return attempted(job, lambda: _published(job, ledger, do))


def _published(
    job: Job, ledger: BucketLedger | None, do: Callable[[Job], Outcome]
) -> Outcome:
    """Do a job; if its output belongs into a bucket, put it there."""
    ledger = _ledger_of(job, ledger)
    if ledger is None:
        return do(job)
    standing = ledger.standing(job)
    if standing.state is State.FINISHED:
        return Outcome(job, Status.SKIPPED, earlier=standing.counts)
    with TemporaryDirectory(prefix="faceanon-") as folder:
        resumes = standing.state is State.PARTIAL
        here = replace(job, temporary=Path(folder) / "output", resumes=resumes)
        outcome = do(here)
        if outcome.target_stamp is not None:
            outcome = ledger.publish(outcome)
    return replace(outcome, job=job)


def _ledger_of(job: Job, ledger: BucketLedger | None) -> BucketLedger | None:
    """The ledger that puts the output of a job in place; None where none does.

    What a picture in a dataset file becomes goes into the output of the file.
    """
    is_object = isinstance(job.target, BucketObject) and not job.member
    return ledger if is_object else None
