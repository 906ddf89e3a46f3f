"""Doing many jobs on a Ray cluster, or on one that Ray starts on this machine.

Plain tasks, each a chunk of pictures, or a dataset file. A worker that dies costs no
other picture: Ray does its chunk again, and when that keeps happening, the pictures of
the chunk are done singly, so that only the culprit fails.

Every node needs faceanon in the same version, and INPUT and OUTPUT at the same paths.
"""

import logging
import os
import signal
import socket
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from faceanon.batch.datasets.rewriting import perform
from faceanon.batch.engines.local import Item
from faceanon.batch.isolated import PictureProcesses
from faceanon.batch.workers import Limits, keep_freed_memory
from faceanon.errors import FaceanonError
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.pipeline.process import process
from faceanon.settings import Settings
from faceanon.storage.places import Place

# Pictures of one task, once the run is under way. Ray needs 1 to 2 ms of processor time
# for a task, which is nothing beside these.
_CHUNK = 16

# Tasks handed out ahead, for each processor of the cluster.
_AHEAD = 2

# How often Ray does a chunk again whose worker died.
_RETRIES = 3


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the work is done.

    Attributes:
        address: of the cluster, in Ray's words; None for that of RAY_ADDRESS, or for a
            cluster on this machine where that is not set.
        processors: how many this machine gives when the cluster is started on it.
    """

    address: str | None
    processors: int


def run_ray(
    items: Iterable[Item], settings: Settings, cluster: Cluster, limits: Limits
) -> Generator[Outcome, None, None]:
    """Do the jobs as tasks of Ray.

    Args:
        items: jobs, taken as the cluster has room, and outcomes to hand on.
        settings: what to do with each.
        cluster: where.
        limits: what a job may take.

    Raises:
        FaceanonError: Ray is not installed, cannot be reached, or its nodes have
            another faceanon.
    """
    with _connected(cluster) as ray:
        tasks = _Tasks(ray, settings, limits)
        queue = iter(items)
        chunk: list[Job] = []
        exhausted = False
        while not exhausted or tasks.busy:
            while not exhausted and tasks.have_room:
                item = next(queue, None)
                if isinstance(item, Outcome):
                    yield item
                    continue
                exhausted = item is None
                if item is not None and item.is_dataset:
                    tasks.submit([item])
                elif item is not None:
                    chunk.append(item)
                if chunk and (exhausted or len(chunk) >= tasks.next_size):
                    tasks.submit(chunk)
                    chunk = []
            yield from tasks.finished()


class _Tasks:
    """The chunks that are under way."""

    def __init__(self, ray: Any, settings: Settings, limits: Limits) -> None:
        self._ray = ray
        self._common = ray.put((settings, limits, version("faceanon")))
        self._work = ray.remote(max_retries=_RETRIES)(_work)
        self._work_once = ray.remote(max_retries=0)(_work)
        self._most = _AHEAD * max(int(ray.cluster_resources().get("CPU", 1)), 1)
        self._submitted = 0
        self.busy: dict[Any, list[Job]] = {}

    @property
    def have_room(self) -> bool:
        """Whether the cluster can take another chunk."""
        return len(self.busy) < self._most

    @property
    def next_size(self) -> int:
        """Pictures for the next chunk: few at first, so that all nodes get some."""
        return min(1 + self._submitted // self._most, _CHUNK)

    def submit(self, jobs: list[Job], *, again: bool = False) -> None:
        """Hand out a chunk; `again` when it was in one that kept dying."""
        work = self._work_once if again else self._work
        self.busy[work.remote(self._common, [_absolute(job) for job in jobs])] = jobs
        self._submitted += not again

    def finished(self) -> Iterator[Outcome]:
        """Wait for at least one chunk, and give what came of those that are done."""
        if not self.busy:
            return
        done, _ = self._ray.wait(list(self.busy), num_returns=1)
        for reference in done:
            jobs = self.busy.pop(reference)
            try:
                outcomes = self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                # The work itself never raises: this node cannot work at all.
                raise FaceanonError(_one_line(error.cause)) from error
            except self._ray.exceptions.RayError as error:
                yield from self._after_death(jobs, error)
            else:
                for job, outcome in zip(jobs, outcomes, strict=True):
                    yield replace(outcome, job=job)

    def _after_death(self, jobs: list[Job], error: Exception) -> Iterator[Outcome]:
        """Do the pictures of a chunk singly; a single one has failed."""
        if len(jobs) > 1:
            for job in jobs:
                self.submit([job], again=True)
        else:
            reason = (
                "its worker process died, or took too long (--timeout): "
                f"{type(error).__name__}"
            )
            yield Outcome(jobs[0], Status.FAILED, error=reason)


def _absolute(job: Job) -> Job:
    """The job for a process that may stand in another folder."""

    def absolute(place: Place | None) -> Place | None:
        return place.absolute() if isinstance(place, Path) else place

    return replace(
        job,
        source=absolute(job.source),
        target=absolute(job.target),
        temporary=job.temporary.absolute() if job.temporary else None,
    )


@contextmanager
def _connected(cluster: Cluster) -> Iterator[Any]:
    """Ray, connected to the cluster until the run ends, however it ends."""
    # Ray tells its makers about its use unless it is told not to.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # The behaviour that future versions have; without it each start says so.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray  # noqa: PLC0415  an extra, and slow to import
    except ImportError as error:
        raise FaceanonError(
            "--engine ray needs the extra 'ray': pip install 'faceanon[ray]'"
        ) from error
    address = cluster.address or os.environ.get("RAY_ADDRESS") or "local"
    _check_somebody_listens(address)
    terminate = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=address,
            num_cpus=cluster.processors if address == "local" else None,
            include_dashboard=False if address == "local" else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise FaceanonError(
            f"Ray cannot be reached at {address}: {_one_line(error)}"
        ) from error
    # Ray puts a handler of its own there, which ends a run without a word.
    signal.signal(signal.SIGTERM, terminate)
    try:
        yield ray
    finally:
        # Ends the tasks of this run, and a cluster that was started for it.
        ray.shutdown()


def _check_somebody_listens(address: str) -> None:
    """Refuse an address where nothing is; Ray itself waits there for minutes."""
    host, separator, port = address.rpartition("://")[2].rpartition(":")
    if not separator or not port.isdecimal():
        return  # "local", "auto"
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise FaceanonError(f"Ray cannot be reached at {address}: {error}") from error


def _one_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _work(common: tuple[Settings, Limits, str], jobs: Sequence[Job]) -> list[Outcome]:
    """Do a chunk, in a worker of Ray."""
    settings, limits, asked = common
    if asked != version("faceanon"):
        raise FaceanonError(
            f"a node has faceanon {version('faceanon')}, this machine {asked}; "
            "install the same version everywhere"
        )
    import cv2  # noqa: PLC0415  only where the work is done

    cv2.setNumThreads(1)
    keep_freed_memory()
    with _memory_limited(limits.megabytes):
        return [_do(job, settings, limits) for job in jobs]


def _do(job: Job, settings: Settings, limits: Limits) -> Outcome:
    if job.temporary is not None:
        # An attempt that died may have left it half-written.
        job.temporary.unlink(missing_ok=True)
    if job.is_dataset:
        with PictureProcesses(settings, limits, 1) as processes:
            return perform(job, settings, processes)
    if not hasattr(signal, "setitimer"):
        return process(job, settings)
    # Ray has no time limit for a task. The alarm ends this process, even one that
    # hangs in a codec, and Ray sees it die.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds)
    try:
        return process(job, settings)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _memory_limited(megabytes: int) -> Iterator[None]:
    if sys.platform != "linux":
        yield
        return
    import resource  # noqa: PLC0415  not on every system

    # Only the soft limit, and only as long as this process works for us.
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 2**20, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
