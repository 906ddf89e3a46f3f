"""Doing many jobs on a Ray cluster, or on one that Ray starts on this machine.

Ray's tasks are chunks of pictures, or a dataset file. In each of its workers a process
of our own does the pictures, so that one that kills it costs nothing else. What Ray
sees die is a node, or a worker that somebody has killed; it does that chunk again.

Every node needs faceanon in the same version, and INPUT and OUTPUT at the same paths.
"""

import logging
import os
import signal
import socket
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

from faceanon.batch.engines.local import Known
from faceanon.batch.isolated import Isolated
from faceanon.batch.work import JobWork, Result, Task
from faceanon.batch.workers import Limits
from faceanon.errors import FaceanonError, UnavailableError
from faceanon.pipeline.job import Outcome, Status
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
    items: Iterable[Task | Known[Result]],
    work: JobWork,
    cluster: Cluster,
    limits: Limits,
) -> Generator[Result, None, None]:
    """Do the jobs as tasks of Ray.

    Args:
        items: tasks, taken as the cluster has room, and results to hand on.
        work: what to do with each.
        cluster: where.
        limits: what a job may take.

    Raises:
        FaceanonError: Ray is not installed, cannot be reached, or its nodes have
            another faceanon.
    """
    with _connected(cluster) as ray:
        chunks = _Chunks(ray, work, limits)
        queue = iter(items)
        chunk: list[Task] = []
        exhausted = False
        while not exhausted or chunks.busy:
            while not exhausted and chunks.have_room:
                item = next(queue, None)
                if isinstance(item, Known):
                    yield item.result
                    continue
                exhausted = item is None
                if item is not None and item.job.is_dataset:
                    chunks.submit([item])
                elif item is not None:
                    chunk.append(item)
                if chunk and (exhausted or len(chunk) >= chunks.next_size):
                    chunks.submit(chunk)
                    chunk = []
            yield from chunks.finished()


class _Chunks:
    """The chunks that are under way."""

    def __init__(self, ray: Any, work: JobWork, limits: Limits) -> None:
        self._ray = ray
        self._common = ray.put((uuid4().hex, work, limits, version("faceanon")))
        self._work = ray.remote(max_retries=_RETRIES)(_work)
        self._work_once = ray.remote(max_retries=0)(_work)
        self._most = _AHEAD * max(int(ray.cluster_resources().get("CPU", 1)), 1)
        self._submitted = 0
        self.busy: dict[Any, list[Task]] = {}

    @property
    def have_room(self) -> bool:
        """Whether the cluster can take another chunk."""
        return len(self.busy) < self._most

    @property
    def next_size(self) -> int:
        """Pictures for the next chunk: few at first, so that all nodes get some."""
        return min(1 + self._submitted // self._most, _CHUNK)

    def submit(self, tasks: list[Task], *, again: bool = False) -> None:
        """Hand out a chunk; `again` when it was in one that kept dying."""
        work = self._work_once if again else self._work
        reference = work.remote(self._common, [_absolute(task) for task in tasks])
        self.busy[reference] = tasks
        self._submitted += not again

    def finished(self) -> Iterator[Result]:
        """Wait for at least one chunk, and give the outcome of those that are done."""
        if not self.busy:
            return
        done, _ = self._ray.wait(list(self.busy), num_returns=1)
        for reference in done:
            tasks = self.busy.pop(reference)
            try:
                results = self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                # The work itself never raises: this node cannot work at all.
                raise FaceanonError(_one_line(error.cause)) from error
            except self._ray.exceptions.RayError as error:
                yield from self._after_death(tasks, error)
            else:
                for task, result in zip(tasks, results, strict=True):
                    outcome = replace(result.outcome, job=task.job)
                    yield replace(result, outcome=outcome)

    def _after_death(self, tasks: list[Task], error: Exception) -> Iterator[Result]:
        """Do the pictures of a chunk singly; a single one has failed."""
        if len(tasks) > 1:
            for task in tasks:
                self.submit([task], again=True)
        else:
            reason = f"its Ray worker died again and again: {type(error).__name__}"
            yield Result(Outcome(tasks[0].job, Status.FAILED, error=reason))


def _absolute(task: Task) -> Task:
    """The task for a process that may stand in another folder."""
    job = task.job

    def absolute(place: Place | None) -> Place | None:
        return place.absolute() if isinstance(place, Path) else place

    temporary = job.temporary.absolute() if job.temporary else None
    moved = replace(
        job,
        source=absolute(job.source),
        target=absolute(job.target),
        temporary=temporary,
    )
    return replace(task, job=moved)


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
            "--engine ray needs the extra 'ray': pip install '.[ray]' in the checkout"
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
    except Exception as error:  # a bare one where it starts too slowly
        raise UnavailableError(
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
        raise UnavailableError(
            f"Ray cannot be reached at {address}: {error}"
        ) from error


def _one_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _work(
    common: tuple[str, JobWork, Limits, str], tasks: Sequence[Task]
) -> list[Result]:
    """Do a chunk, in a worker of Ray."""
    run, work, limits, asked = common
    if asked != version("faceanon"):
        raise FaceanonError(
            f"a node has faceanon {version('faceanon')}, this machine {asked}; "
            "install the same version everywhere"
        )
    for task in tasks:
        # An attempt that died may have left it half-written.
        work.clear_away(task)
    process = _process(run, work, limits)
    return [process.submit(task).result() for task in tasks]


_kept: dict[str, Isolated[Task, Result]] = {}


def _process(run: str, work: JobWork, limits: Limits) -> Isolated[Task, Result]:
    """The process of this Ray worker for a run; those of earlier runs are ended."""
    if run not in _kept:
        for other in _kept.values():
            other.close()
        _kept.clear()
        _kept[run] = Isolated(work, 1, limits)
    return _kept[run]
