"""What a bucket of outputs holds: each object is marked with what it was made from.

A mark is a digest, from which nobody learns anything of the input, and its outcome.
Workers look at marks and set them, so that many requests are under way at the same
time.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from hashlib import blake2b

from faceanon.batch.ledgers import ABSENT, Standing, State, made_by
from faceanon.errors import PictureError, RefusedError
from faceanon.pipeline.counts import Counts
from faceanon.pipeline.job import Job, Outcome
from faceanon.storage.buckets import objects
from faceanon.storage.buckets.stores import BucketError
from faceanon.storage.files import bucket_errors, refusal, source_stamp
from faceanon.storage.places import BucketObject, Stamp


@dataclass(frozen=True, slots=True)
class BucketLedger:
    """The memory of a bucket; see `Ledger`. Plain data, to be sent to workers.

    Attributes:
        settings: the fingerprint of the settings of this run.
        overwrite: whether what is there may be replaced.
    """

    settings: bytes
    overwrite: bool

    def standing(self, job: Job) -> Standing:
        """See `Ledger`."""
        target = _target(job)
        if self.overwrite:
            return ABSENT
        with bucket_errors():
            mark = objects.mark(target)
        if mark is None:
            return ABSENT
        made, _, counts = mark.partition(_BETWEEN)
        stamp = source_stamp(job.source)
        if made == self._made(job, stamp, is_complete=True):
            return Standing(State.FINISHED, _read(counts))
        if job.is_dataset and made == self._made(job, stamp, is_complete=False):
            return Standing(State.PARTIAL)
        raise PictureError(refusal(target))

    def publish(self, outcome: Outcome) -> Outcome:
        """See `Ledger`; one atomic request for an output of a usual size.

        Raises:
            StorageError: nothing more can be written there.
            PictureError: this output cannot be written.
        """
        job, target = outcome.job, _target(outcome.job)
        assert job.temporary is not None, "there is an output"
        made = self._made(job, outcome.source_stamp, is_complete=outcome.is_complete)
        mark = f"{made}{_BETWEEN}{_written(Counts.of(outcome))}"
        with bucket_errors(), job.temporary.open("rb") as body:
            try:
                objects.put(target, body, mark, self.overwrite or job.resumes)
            except BucketError as error:
                if error.what == "refused":
                    raise RefusedError(str(error)) from error
                if error.what != "exists":
                    raise
                # It is this one where an answer was lost, or somebody else made the
                # same.
                if objects.mark(target) != mark:
                    raise PictureError(refusal(target)) from error
        # The provider sets the time.
        return replace(outcome, target_stamp=Stamp(job.temporary.stat().st_size, 0))

    def _made(self, job: Job, made_from: Stamp | None, *, is_complete: bool) -> str:
        """What tells an output that is made from this input with these settings."""
        if made_from is None:
            # Nothing is known of the input, and so it is never the same again.
            return secrets.token_hex(16)
        etag = job.source.etag if isinstance(job.source, BucketObject) else ""
        text = f"{made_from.size} {made_from.mtime_ns} {etag} {job.name}"
        if not is_complete:
            text = f"begun {text}"
        made = made_by(self.settings, job) + text.encode(errors="surrogateescape")
        return blake2b(made, digest_size=16).hexdigest()


# Metadata of objects is text of few characters.
_BETWEEN = "."


def _written(counts: Counts) -> str:
    return urlsafe_b64encode(counts.to_json().encode()).decode()


def _read(text: str) -> Counts:
    return Counts.from_json(urlsafe_b64decode(text).decode())


def _target(job: Job) -> BucketObject:
    assert isinstance(job.target, BucketObject), "it is for buckets"
    return job.target
