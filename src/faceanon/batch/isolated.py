"""Work in processes that may die or hang of it, and cost one task only.

Each process does one task at a time and has a pipe of its own, so that whatever becomes
of one, the others have nothing to wait for. It is started by name, not by importing the
program that uses it: that program needs no guard for it.
"""

import math
import os
import pickle
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from subprocess import DEVNULL, PIPE, Popen
from threading import Event, Lock, Thread
from typing import Any, Generic, Protocol, TypeVar

from faceanon.batch.workers import Limits, death, interrupts_for_others, lateness
from faceanon.errors import StorageError
from faceanon.pipeline.progress import Extent, Progress

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")
_TaskT_contra = TypeVar("_TaskT_contra", contravariant=True)
_ResultT_co = TypeVar("_ResultT_co", covariant=True)

# Seconds between two looks at how long processes have been at work.
_TICK = 0.2

# How often in a row a process may die before it is ready for its first task.
_STARTS = 3


# What comes of asking a process that is dead. Also an answer that cannot be read to its
# end is none.
_NO_ANSWER = (OSError, EOFError, pickle.UnpicklingError)


class Work(Protocol[_TaskT_contra, _ResultT_co]):
    """What is done to each task; plain data, so that it can be sent to processes."""

    def __call__(self, task: _TaskT_contra, /) -> _ResultT_co:
        """Do a task, in a process of its own. It raises nothing that is expected."""

    def failed(self, task: _TaskT_contra, reason: str, /) -> _ResultT_co:
        """What comes of a task whose process did not survive it, or was too slow."""

    def clear_away(self, task: _TaskT_contra, /) -> None:
        """Remove what an attempt has left that is over."""

    def attempts(self, task: _TaskT_contra, /) -> int:
        """How often a task is done whose process dies."""

    def has_time_limit(self, task: _TaskT_contra, /) -> bool:
        """Whether the limit of time holds for a task."""


class Isolated(Generic[TaskT, ResultT]):
    """Some processes, started when they are needed; a context manager.

    Args:
        work: what they do.
        count: how many they are.
        limits: what a task may take. Whenever a task tells its progress, it may take as
            long again. When it tells how many pixels it has, its time is by these.
        on_progress: hears of it, in a thread of its own.
    """

    def __init__(
        self,
        work: Work[TaskT, ResultT],
        count: int,
        limits: Limits,
        on_progress: Callable[[TaskT, Progress], object] = lambda *_: None,
    ) -> None:
        self.count = count
        self._on_progress = on_progress
        self._work = work
        self._limits = limits
        self._processes = [_Process(work, limits) for _ in range(count)]
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        # A thread waits for each of them.
        self._threads = ThreadPoolExecutor(count)
        self._watch = _Watch(self._processes)

    def __enter__(self) -> "Isolated[TaskT, ResultT]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End them, whatever they are doing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.end()
        self._threads.shutdown()
        self._watch.stop()
        for process in self._processes:
            process.bury()

    def submit(self, task: TaskT) -> Future[ResultT]:
        """Do a task as soon as a process is free; also its failure is a result.

        Raises:
            StorageError: by the future: processes cannot be started.
        """
        with interrupts_for_others():
            self._watch.start()
            return self._threads.submit(self._do, task)

    def _do(self, task: TaskT) -> ResultT:
        process = self._idle.get()
        try:
            return self._attempted(process, task)
        finally:
            self._idle.put(process)

    def _attempted(self, process: "_Process", task: TaskT) -> ResultT:
        is_limited = self._work.has_time_limit(task)
        reason = ""
        for _ in range(self._work.attempts(task)):
            try:
                return process.do(  # type: ignore[no-any-return]  # as pickles are
                    task, partial(self._on_progress, task), is_limited=is_limited
                )
            except _Died as error:
                self._work.clear_away(task)
                reason = str(error)
                if error.is_late:
                    break
        return self._work.failed(task, reason)


class _Died(Exception):
    """A process did not survive a task."""

    def __init__(self, text: str, is_late: bool) -> None:
        super().__init__(text)
        self.is_late = is_late


class _Process:
    """A process that does one task at a time, replaced when it has died."""

    def __init__(self, work: Any, limits: Limits) -> None:
        self._greeting = work, limits.megabytes
        self._limits = limits
        self._running: Popen[bytes] | None = None
        self._lock = Lock()
        self._is_closed = False
        self._seconds_left: float | None = None
        self._is_late = False

    def do(
        self,
        task: object,
        on_progress: Callable[[Progress], object],
        *,
        is_limited: bool,
    ) -> Any:
        """Do a task.

        Args:
            task: what to do.
            on_progress: hears how far it has come.
            is_limited: whether the limit of time holds.

        Raises:
            _Died: the process has not survived it, or was ended as it took too long.
            StorageError: processes cannot be started.
        """
        seconds = self._limits.seconds if is_limited else math.inf
        running = self._begun(task, seconds)
        try:
            answer = _answered(running)
            while isinstance(answer, (Progress, Extent)):
                if is_limited and isinstance(answer, Extent):
                    seconds = self._limits.time_for(answer.pixels)
                with self._lock:
                    if self._seconds_left is not None:
                        self._seconds_left = seconds
                if isinstance(answer, Progress):
                    on_progress(answer)
                answer = _answered(running)
        except _NO_ANSWER:
            exit_code = self._buried(running)
            text = lateness(seconds) if self._is_late else death(exit_code)
            raise _Died(text, self._is_late) from None
        finally:
            with self._lock:
                self._seconds_left = None
        if self._is_late:
            # The answer came at the last moment; the process is dead anyway.
            self._buried(running)
        return answer

    def tick(self, seconds: float) -> None:
        """Count time that was worked; end the process when there is none left."""
        with self._lock:
            if self._seconds_left is None:
                return
            self._seconds_left -= seconds
            if self._seconds_left <= 0:
                self._is_late, self._seconds_left = True, None
                self._kill()

    def end(self) -> None:
        """End the process; a task that it holds has failed, and there is no next."""
        with self._lock:
            self._is_closed = True
            self._kill()

    def bury(self) -> None:
        """Leave nothing of a process that was ended while it had no task."""
        if self._running is not None:
            self._buried(self._running)

    def _kill(self) -> None:
        if self._running is not None:
            self._running.kill()

    def _begun(self, task: object, seconds: float) -> "Popen[bytes]":
        """The process, once it has a task.

        One that is killed while it has none costs none: another takes it.

        Raises:
            _Died: processes die of taking it.
            StorageError: processes cannot be started.
        """
        exit_code = None
        for _ in range(_STARTS):
            running = self._running or self._started()
            with self._lock:
                self._is_late, self._seconds_left = False, seconds
            try:
                _asked(running, task)
            except _NO_ANSWER:
                exit_code = self._buried(running)
                with self._lock:
                    # What it takes to start another does not count.
                    self._seconds_left = None
                if self._is_late:
                    raise _Died(lateness(seconds), is_late=True) from None
            else:
                return running
        raise _Died(death(exit_code), is_late=False)

    def _started(self) -> "Popen[bytes]":
        exit_code = None
        for _ in range(_STARTS):
            with self._lock:
                if self._is_closed:
                    raise _Died("the run was ended", is_late=True)
                try:
                    running = self._running = _new_process()
                except OSError as error:
                    raise StorageError(
                        f"worker processes cannot be started: {error}"
                    ) from error
            try:
                # What it takes to start does not count as the first task's time.
                _asked(running, self._greeting)
            except _NO_ANSWER:
                exit_code = self._buried(running)
            else:
                return running
        raise StorageError(
            f"worker processes cannot be started: {death(exit_code)}; try "
            f"{sys.executable} -m {_MODULE}"
        )

    def _buried(self, running: "Popen[bytes]") -> int:
        """The exit code of a process that is dead, or of no use any more."""
        with self._lock:
            self._running = None
        running.kill()
        for stream in (running.stdin, running.stdout):
            assert stream is not None, "both are pipes"
            with suppress(OSError):
                stream.close()  # with what could not be sent any more
        return running.wait()


_MODULE = "faceanon.batch.isolated_main"


def _new_process() -> "Popen[bytes]":
    # It must find the same modules, and none in the folder it happens to be in.
    path = os.pathsep.join(filter(None, sys.path))
    # There is one for each processor: with threads of its own, OpenBLAS would only
    # take longer to start.
    environment = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
    # It inherits the signals that the thread which starts it has blocked.
    with interrupts_for_others():
        return Popen(
            [sys.executable, "-P", "-m", _MODULE],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=environment,
        )


def _asked(running: "Popen[bytes]", question: object) -> Any:
    """What a process answers.

    Raises:
        OSError, EOFError, UnpicklingError: it is dead; see `_NO_ANSWER`.
    """
    assert running.stdin is not None, "it is a pipe"
    pickle.dump(question, running.stdin, pickle.HIGHEST_PROTOCOL)
    running.stdin.flush()
    return _answered(running)


def _answered(running: "Popen[bytes]") -> Any:
    """What a process says next; see `_asked`."""
    assert running.stdout is not None, "it is a pipe"
    return pickle.load(running.stdout)


class _Watch:
    """Counts the time that processes are at work.

    Time in which this process itself stood still, as a laptop asleep does or a job that
    was stopped, is nobody's.
    """

    def __init__(self, processes: list[_Process]) -> None:
        self._processes = processes
        self._is_over = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._thread = Thread(target=self._run, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        before = time.monotonic()
        while not self._is_over.wait(_TICK):
            now = time.monotonic()
            passed, before = min(now - before, 2 * _TICK), now
            for process in self._processes:
                process.tick(passed)
