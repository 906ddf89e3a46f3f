"""Doing many tasks in worker processes of this machine.

An engine takes tasks and gives results, in whatever order they come. Between tasks it
may be given results that are known already; it hands those on.
"""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from faceanon.batch.isolated import Isolated, Work
from faceanon.batch.workers import Limits
from faceanon.pipeline.progress import Progress

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

# So many tasks a worker are handed out ahead, to keep it busy.
_AHEAD = 2

# Seconds after which a wait is begun anew: on Windows, Ctrl-C ends none.
_PATIENCE = 0.5


@dataclass(frozen=True, slots=True)
class Known(Generic[ResultT]):
    """A result that is known without doing anything.

    Attributes:
        result: the result.
    """

    result: ResultT


def run_local(
    items: Iterable[TaskT | Known[ResultT]],
    work: Work[TaskT, ResultT],
    workers: int,
    limits: Limits,
    on_progress: Callable[[TaskT, Progress], object] = lambda *_: None,
) -> Generator[ResultT, None, None]:
    """Do the tasks in worker processes.

    A worker that dies or takes too long costs the task it held, and no other.

    Args:
        items: tasks, taken as workers become free, and results to hand on.
        work: what to do with each.
        workers: how many processes.
        limits: what a task may take.
        on_progress: hears how far films have come, in any thread.

    Raises:
        StorageError: processes cannot be started.
    """
    queue = iter(items)
    done: SimpleQueue[Future[ResultT]] = SimpleQueue()
    busy = 0
    exhausted = False
    with Isolated(work, workers, limits, on_progress) as isolated:
        while busy or not exhausted:
            while not exhausted and busy < workers * _AHEAD:
                item = next(queue, None)
                if item is None:
                    exhausted = True
                elif isinstance(item, Known):
                    yield item.result
                    # What is done meanwhile does not wait for thousands of these.
                    break
                else:
                    isolated.submit(item).add_done_callback(done.put)
                    busy += 1
            is_full = exhausted or busy == workers * _AHEAD
            while busy and (future := _next(done, waits=is_full)) is not None:
                busy -= 1
                is_full = False
                yield future.result()


def _next(
    done: "SimpleQueue[Future[ResultT]]", *, waits: bool
) -> "Future[ResultT] | None":
    """What is done next; None if nothing is, and nobody is to wait."""
    while True:
        try:
            return done.get(block=waits, timeout=_PATIENCE)
        except Empty:
            if not waits:
                return None
