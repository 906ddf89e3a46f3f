"""What outputs there are, and what they were made from: how a run goes on.

A run that was interrupted does the rest when it is started again. For that, somebody
remembers what is there: a folder by a file in it, which the parent keeps, and a bucket
by a mark on each object, which workers look at and set.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import blake2b
from typing import Protocol

from faceanon import boxes
from faceanon.pipeline.counts import Counts
from faceanon.pipeline.job import Job, Outcome


class State(Enum):
    """What there is of the output of a job, made from the same input and settings."""

    ABSENT = "absent"
    """Nothing."""

    PARTIAL = "partial"
    """A dataset file in which pictures are missing that failed."""

    OLDER = "older"
    """All of it, made by another version and to be made anew."""

    FINISHED = "finished"
    """All of it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is of the output of a job.

    Attributes:
        state: whether there is any.
        counts: of a finished one, the outcome of the job then; None where nobody
            remembers.
    """

    state: State
    counts: Counts | None = None


ABSENT = Standing(State.ABSENT)
"""There is no output."""


class Ledger(Protocol):
    """Remembers the outputs of a place."""

    def standing(self, job: Job) -> Standing:
        """What there is of the output of a job.

        Raises:
            PictureError: something else is in its place, or it cannot be known.
            StorageError: nothing can be known of this place.
        """

    def publish(self, outcome: Outcome) -> Outcome:
        """Put the output of a job in its place, and note what it was made from.

        Args:
            outcome: of a job that has not failed; its output waits in the temporary
                file of the job.

        Returns:
            The outcome of the job in the end.
        """


def made_by(settings: bytes, job: Job) -> bytes:
    """A digest of all that decides on a job's output, besides its input.

    Args:
        settings: the fingerprint of the settings.
        job: the job, with its record or records.
    """
    digest = settings
    for record in job.all_records:
        for part in _parts(record):
            digest = blake2b(digest + part, digest_size=16).digest()
    return digest


def _parts(record: boxes.Record) -> Iterator[bytes]:
    """All of a record in parts; of a long film, lines would take minutes."""
    groups = record.hidden, record.shown, record.unsure
    for faces in groups:
        if isinstance(faces, boxes.FaceTable):
            yield faces.digest()
    hidden, shown, unsure = (
        () if isinstance(faces, boxes.FaceTable) else faces for faces in groups
    )
    rest = replace(record, times=None, hidden=hidden, shown=shown, unsure=unsure)
    for line in boxes.to_lines(rest):
        yield line.encode()
