"""What a bucket of outputs holds: each object is marked with what it was made from.

A mark is a digest: who reads it learns nothing of the input. Workers look at marks and
set them, so that many requests are under way at the same time.
"""

import secrets
from dataclasses import dataclass, replace
from hashlib import blake2b

from faceanon.batch.ledgers import Standing, made_by
from faceanon.errors import PictureError
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
            return Standing.ABSENT
        with bucket_errors():
            mark = objects.mark(target)
        if mark is None:
            return Standing.ABSENT
        stamp = source_stamp(job.source)
        if mark == self._mark(job, stamp, is_complete=True):
            return Standing.FINISHED
        if job.is_dataset and mark == self._mark(job, stamp, is_complete=False):
            return Standing.PARTIAL
        raise PictureError(refusal(target))

    def publish(self, outcome: Outcome) -> Outcome:
        """See `Ledger`; one atomic request for an output of a usual size.

        Raises:
            StorageError: nothing more can be written there.
            PictureError: this output cannot be written.
        """
        job, target = outcome.job, _target(outcome.job)
        assert job.temporary is not None, "there is an output"
        mark = self._mark(job, outcome.source_stamp, is_complete=outcome.is_complete)
        with bucket_errors(), job.temporary.open("rb") as body:
            try:
                objects.put(target, body, mark, self.overwrite or job.resumes)
            except BucketError as error:
                if error.what != "exists":
                    raise
                # It is this one where an answer was lost, or somebody else made the
                # same.
                if objects.mark(target) != mark:
                    raise PictureError(refusal(target)) from error
        # The provider sets the time.
        return replace(outcome, target_stamp=Stamp(job.temporary.stat().st_size, 0))

    def _mark(self, job: Job, made_from: Stamp | None, *, is_complete: bool) -> str:
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


def _target(job: Job) -> BucketObject:
    assert isinstance(job.target, BucketObject), "it is for buckets"
    return job.target
