"""What is done to each job, by whichever engine; the hard work is in `perform`.

These are plain data: whoever hands out work needs neither pictures nor networks for it.
"""

from dataclasses import dataclass
from typing import Any

from faceanon.batch.isolated import Isolated
from faceanon.batch.ledgers.bucket import BucketLedger
from faceanon.batch.workers import Limits
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.pipeline.steps import Step

# How often a dataset file is begun whose worker dies. It did not die of a picture, as
# those are done in other processes.
_DATASET_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Task:
    """A job, and its input if others have read it.

    Attributes:
        job: what is to be done.
        data: the input; None to read it from where the job says.
    """

    job: Job
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a task.

    Attributes:
        outcome: the outcome of the job.
        output: the output, if others are to write it; else None.
    """

    outcome: Outcome
    output: bytes | None = None


class JobWork:
    """Does a step with jobs; see `isolated.Work`.

    Args:
        step: what to do.
        limits: what a picture may take.
        ledger: of a bucket that outputs are put into; None for other places.
        count: how many pictures of a dataset file are done at the same time, and how
            many threads a film takes.
    """

    def __init__(
        self,
        step: Step,
        limits: Limits,
        ledger: BucketLedger | None = None,
        count: int = 1,
    ) -> None:
        self.step = step
        self.limits = limits
        self.ledger = ledger
        self.count = count
        self._of_members: Isolated[Task, Result] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process has processes of its own.
        return JobWork, (self.step, self.limits, self.ledger, self.count)

    def __call__(self, task: Task) -> Result:
        """Do a job; whatever goes wrong becomes text in the outcome."""
        from faceanon.batch import perform  # noqa: PLC0415  brings all that is heavy

        if task.job.is_dataset:
            outcome = perform.rewrite_dataset(
                task.job, self.step, self.ledger, self.of_members
            )
            return Result(outcome)
        return perform.do_picture(task, self.step, self.ledger, self.count)

    @property
    def of_members(self) -> Isolated[Task, Result]:
        """Processes for the pictures of dataset files, which may die of them."""
        if self._of_members is None:
            work = JobWork(self.step, self.limits)
            self._of_members = Isolated(work, self.count, self.limits)
        return self._of_members

    def failed(self, task: Task, reason: str) -> Result:
        """See `isolated.Work`."""
        return Result(Outcome(task.job, Status.FAILED, error=reason))

    def clear_away(self, task: Task) -> None:
        """See `isolated.Work`."""
        if task.job.temporary is not None:
            task.job.temporary.unlink(missing_ok=True)

    def attempts(self, task: Task) -> int:
        """See `isolated.Work`."""
        return _DATASET_ATTEMPTS if task.job.is_dataset else 1

    def has_time_limit(self, task: Task) -> bool:
        """The pictures of a dataset file have the limit, each for itself."""
        return not task.job.is_dataset
