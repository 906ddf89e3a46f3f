"""One dataset file: from its input to its output, and to what came of each picture."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from faceanon.batch.datasets import parquet, tar
from faceanon.batch.datasets.pictures import Pictures
from faceanon.batch.isolated import PictureProcesses
from faceanon.errors import PictureError
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.pipeline.process import attempted, process
from faceanon.settings import Settings
from faceanon.storage.dataset_names import kind_of
from faceanon.storage.files import (
    bucket_errors,
    file_stamp,
    is_begun,
    is_finished,
    open_earlier,
    open_source,
    open_target,
    put_file,
    source_stamp,
)
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject


def perform(job: Job, settings: Settings, processes: PictureProcesses) -> Outcome:
    """Do a job, be it a picture or a dataset file.

    As with `pipeline.process`, whatever goes wrong becomes text in the outcome. A
    dataset file has failed only where there is no output at all; what came of its
    pictures is in `Outcome.members`.
    """
    if not job.is_dataset:
        return process(job, settings)
    return attempted(job, lambda: _from_source_to_target(job, settings, processes))


def _from_source_to_target(
    job: Job, settings: Settings, processes: PictureProcesses
) -> Outcome:
    _check(job, settings)
    resumed = replace(job, resumes=True, overwrite=True) if is_begun(job) else job
    if is_finished(resumed):
        return Outcome(job, Status.SKIPPED)
    stamp = source_stamp(job)
    pictures = Pictures(job, settings, processes)
    with bucket_errors(), _with_temporary(resumed) as prepared:
        _rewrite(prepared, pictures)
        if source_stamp(job) != stamp:
            raise PictureError("it changed while it was read; run again for it")
        if not pictures.outcomes:
            raise PictureError("there is no picture in it")
        members = tuple(pictures.outcomes)
        outcome = Outcome(job, Status.FOUND, source_stamp=stamp, members=members)
        if prepared.temporary is None:
            return outcome
        if isinstance(job.target, BucketObject):
            put = put_file(
                prepared, prepared.temporary, stamp, is_complete=outcome.is_complete
            )
        else:
            put = file_stamp(prepared.temporary)
        return replace(outcome, status=Status.ANONYMIZED, target_stamp=put)


def _check(job: Job, settings: Settings) -> None:
    """Refuse what cannot be done to a dataset file."""
    if settings.rename is not None:
        raise PictureError(
            "--rename is for single pictures only: by the names in a dataset file its "
            "parts are found"
        )
    kind = kind_of(job.name)
    if settings.only_looks:
        return
    if job.target is None:
        raise PictureError(
            "a dataset file is not written to standard output; name a file or folder"
        )
    if kind_of(job.target.name) != kind:
        raise PictureError(
            f"its output is a .{kind} file, too; name it so, and not "
            f"{shown(job.target.name)}"
        )


@contextmanager
def _with_temporary(job: Job) -> Iterator[Job]:
    """The job with a file of this machine in which its output is put together."""
    if not isinstance(job.target, BucketObject):
        yield job
        return
    with TemporaryDirectory(prefix="faceanon-") as folder:
        yield replace(job, temporary=Path(folder) / "output")


def _rewrite(job: Job, pictures: Pictures) -> None:
    rewrite = parquet.rewrite if kind_of(job.name) == "parquet" else tar.rewrite
    with ExitStack() as stack:
        source = stack.enter_context(open_source(job))
        earlier = stack.enter_context(open_earlier(job)) if job.resumes else None
        target = stack.enter_context(open_target(job)) if job.temporary else None
        rewrite(source, target, earlier, pictures)
