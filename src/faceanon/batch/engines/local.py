"""Doing many jobs: in this process, or in a pool of worker processes.

An engine takes jobs and gives outcomes, in whatever order they come. Between jobs it
may be given outcomes that are known already; it hands those on.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeAlias

import cv2
from cv2.utils import logging
from pebble import ProcessExpired, ProcessPool

from faceanon.batch.workers import (
    Limits,
    death,
    interrupts_for_others,
    lateness,
    settle_in,
)
from faceanon.pipeline.job import Job, Outcome, Status

Item: TypeAlias = Job | Outcome

Work: TypeAlias = Callable[[Job], Outcome]
"""What is done to each job. It raises nothing, and can be sent to other processes."""

# So many jobs a worker are handed out ahead, to keep it busy.
_AHEAD = 2

# When no worker answers for this long over the time limit, the pool itself is stuck: a
# worker was killed at a moment when it held the lock that all of them need.
_GRACE_SECONDS = 30.0

# How often a job may be in a pool that breaks before it takes the blame.
_ATTEMPTS = 10

# How often a dataset file is begun whose worker dies. It did not die of a picture, as
# those are done in other processes.
_DATASET_ATTEMPTS = 3


def run_here(items: Iterable[Item], work: Work) -> Generator[Outcome, None, None]:
    """Do the jobs one after the other, in this process."""
    threads, log_level = cv2.getNumThreads(), logging.getLogLevel()
    try:
        cv2.setNumThreads(1)
        # What is wrong with a picture is in its outcome; OpenCV would say it too.
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
        for item in items:
            yield work(item) if isinstance(item, Job) else item
    finally:
        cv2.setNumThreads(threads)
        logging.setLogLevel(log_level)


def run_pool(
    items: Iterable[Item], work: Work, workers: int, limits: Limits
) -> Generator[Outcome, None, None]:
    """Do the jobs in worker processes.

    A worker that dies or takes too long costs the picture it held, and no other.

    Args:
        items: jobs, taken as workers become free, and outcomes to hand on.
        work: what to do with each.
        workers: how many processes.
        limits: what a job may take.
    """
    pool = _Pool(work, workers, limits)
    queue = iter(items)
    try:
        exhausted = False
        while not exhausted or pool.busy:
            while not exhausted and len(pool.busy) < workers * _AHEAD:
                item = next(queue, None)
                if item is None:
                    exhausted = True
                elif isinstance(item, Job):
                    pool.submit(item)
                else:
                    yield item
            yield from pool.finished()
    finally:
        pool.stop()


class _Pool:
    """A pool of pebble's that is made anew when it breaks."""

    def __init__(self, work: Work, workers: int, limits: Limits) -> None:
        self._work = work
        self._workers = workers
        self._limits = limits
        self._attempts: dict[Job, int] = {}
        self.busy: dict[Any, Job] = {}
        self._pool = self._new_pool()

    def _new_pool(self) -> Any:
        return ProcessPool(
            max_workers=self._workers,
            initializer=_start_worker,
            initargs=(self._work, self._limits.megabytes),
            # A forked worker would inherit locks and threads in any state.
            context=multiprocessing.get_context("spawn"),
        )

    def submit(self, job: Job) -> None:
        self._attempts[job] = self._attempts.get(job, 0) + 1
        try:
            future = self._schedule(job)
        except RuntimeError:
            # All workers were killed while none had anything to do.
            self._renew()
            future = self._schedule(job)
        self.busy[future] = job

    def _schedule(self, job: Job) -> Any:
        # The pictures of a dataset file have the limit, each for itself.
        seconds = None if job.is_dataset else self._limits.seconds
        # The first job starts the pool's threads, and they start the workers.
        with interrupts_for_others():
            return self._pool.schedule(_work, args=[job], timeout=seconds)

    def finished(self) -> Iterator[Outcome]:
        """Wait for at least one job, and give what came of those that are done."""
        patience = None
        if not any(job.is_dataset for job in self.busy.values()):
            patience = self._limits.seconds + _GRACE_SECONDS
        done, _ = wait(self.busy, timeout=patience, return_when=FIRST_COMPLETED)
        if self.busy and not done:
            self._renew()
        # Renewing the pool does again all that is not accounted for: broken ones last.
        for future in sorted(done, key=_is_broken):
            outcome = self._outcome(future) if future in self.busy else None
            if outcome is not None:
                del self._attempts[outcome.job]
                yield outcome

    def _outcome(self, future: Any) -> Outcome | None:
        """What came of a job; None when it is to be done again."""
        job = self.busy[future]
        error = future.exception()
        if isinstance(error, BrokenProcessPool) and self._attempts[job] < _ATTEMPTS:
            self._renew()
            return None
        del self.busy[future]
        is_dead = isinstance(error, ProcessExpired)
        if is_dead and job.is_dataset and self._attempts[job] < _DATASET_ATTEMPTS:
            _clear_away(job)
            self.submit(job)
            return None
        if error is None:
            outcome: Outcome = future.result()
            return outcome
        if isinstance(error, TimeoutError):
            message = lateness(self._limits.seconds)
        elif isinstance(error, ProcessExpired):
            message = death(error.exitcode)
        elif isinstance(error, BrokenProcessPool):
            message = "the worker processes died again and again"
        else:
            message = f"its worker process could not answer: {error}"
        return Outcome(job, Status.FAILED, error=message)

    def _renew(self) -> None:
        """Replace a broken pool; its jobs are done again by the new one."""
        unfinished = list(self.busy.values())
        self.busy.clear()
        self._end(self._pool)
        self._pool = self._new_pool()
        for job in unfinished:
            _clear_away(job)
            self.submit(job)

    def stop(self) -> None:
        """End the workers, whatever they are doing."""
        self._end(self._pool)

    @staticmethod
    def _end(pool: Any) -> None:
        pool.stop()
        pool.join()


def _clear_away(job: Job) -> None:
    """Remove what an attempt has written that is over; it would be in the way."""
    if job.temporary is not None:
        job.temporary.unlink(missing_ok=True)


def _is_broken(future: Any) -> bool:
    return isinstance(future.exception(), BrokenProcessPool)


_worker_work: Work


def _start_worker(work: Work, megabytes: int) -> None:
    global _worker_work  # noqa: PLW0603  a worker has one run, with this work
    _worker_work = work
    # What a killed parent had under way must not go on beside the next run.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    settle_in(megabytes)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "only for workers"
    parent.join()
    os._exit(1)


def _work(job: Job) -> Outcome:
    return _worker_work(job)
