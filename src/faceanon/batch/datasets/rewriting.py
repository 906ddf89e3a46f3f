"""One dataset file: its input, its output, and the outcome of each picture."""

from contextlib import ExitStack
from dataclasses import replace

from faceanon.batch.datasets import parquet, tar
from faceanon.batch.datasets.pictures import Pictures
from faceanon.batch.isolated import Isolated
from faceanon.batch.work import Result, Task
from faceanon.errors import PictureError
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.pipeline.steps import Step
from faceanon.storage.buckets.objects import described
from faceanon.storage.dataset_names import kind_of
from faceanon.storage.files import file_stamp, open_source, open_target
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject, Place


def rewrite(job: Job, step: Step, processes: Isolated[Task, Result]) -> Outcome:
    """Do all pictures of a dataset file.

    It has failed only where there is no output at all; its pictures' outcomes are in
    `Outcome.members`.

    Args:
        job: the dataset file; its output goes to its temporary file.
        step: what to do with its pictures.
        processes: do them.

    Raises:
        PictureError: it cannot be done.
    """
    _check(job, step)
    assert job.source is not None, "it was found in a folder, or named"
    pictures = Pictures(job, step.settings, processes)
    module = parquet if kind_of(job.name) == "parquet" else tar
    with ExitStack() as stack:
        source = stack.enter_context(open_source(job.source, is_plain=job.is_plain))
        earlier = target = None
        if job.resumes and job.target is not None:
            place = _listed(job.target)
            earlier = stack.enter_context(open_source(place, is_plain=True)).file
        if job.temporary is not None:
            target = stack.enter_context(open_target(job.temporary))
        module.rewrite(source.file, target, earlier, pictures)
        source.check_unchanged()
    if not pictures.outcomes:
        raise PictureError("there is no picture in it")
    outcome = Outcome(
        job,
        Status.FOUND,
        source_stamp=source.stamp,
        members=tuple(pictures.outcomes),
    )
    if job.temporary is None:
        return outcome
    stamp = file_stamp(job.temporary)
    return replace(outcome, status=Status.ANONYMIZED, target_stamp=stamp)


def _listed(place: Place) -> Place:
    """The place with what is known of the object there, as it is to be read."""
    if isinstance(place, BucketObject):
        return described(place) or place
    return place


def _check(job: Job, step: Step) -> None:
    """Refuse what cannot be done to a dataset file."""
    if step.settings.rename is not None:
        raise PictureError(
            "--rename is for single pictures only: by the names in a dataset file its "
            "parts are found"
        )
    kind = kind_of(job.name)
    if not step.writes:
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
