"""Pictures of dataset files, each done in a process that may die of it.

Whoever reads a dataset file must not die of one of its pictures. So the pictures go, as
bytes, to processes that do nothing else. One that dies or takes too long costs the
picture it held, and is replaced.
"""

import os
import pickle
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from subprocess import DEVNULL, PIPE, Popen
from threading import Timer
from typing import Any, TypeAlias

from faceanon.batch.workers import Limits, death, interrupts_for_others, lateness
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.settings import Settings

Result: TypeAlias = tuple[Outcome, bytes | None]
"""What came of a picture, and its output; None where there is none."""


class PictureProcesses:
    """Some processes, started when they are needed; a context manager.

    Args:
        settings: what is done to each picture.
        limits: what a picture may take.
        count: how many processes.
    """

    def __init__(self, settings: Settings, limits: Limits, count: int) -> None:
        self.count = count
        self._arguments = settings, limits, count
        self._processes = [_Process(settings, limits) for _ in range(count)]
        self._idle: SimpleQueue[_Process] = SimpleQueue()
        for process in self._processes:
            self._idle.put(process)
        # A thread waits for each of them.
        self._threads = ThreadPoolExecutor(count)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process gets processes of its own.
        return PictureProcesses, self._arguments

    def __enter__(self) -> "PictureProcesses":
        return self

    def __exit__(self, *_: object) -> None:
        """End them, whatever they are doing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._processes:
            process.end()
        self._threads.shutdown()
        for process in self._processes:
            process.end()

    def submit(self, job: Job, data: bytes) -> Future[Result]:
        """Do a picture as soon as a process is free; also its failure is a result."""
        with interrupts_for_others():
            return self._threads.submit(self._do, job, data)

    def _do(self, job: Job, data: bytes) -> Result:
        process = self._idle.get()
        try:
            return process.do(job, data)
        finally:
            self._idle.put(process)


class _Process:
    """A process that does one picture at a time."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits
        self._running: Popen[bytes] | None = None

    def do(self, job: Job, data: bytes) -> Result:
        """Do a picture; should the process not survive it, the outcome says so."""
        is_late = False

        def give_up() -> None:
            nonlocal is_late
            is_late = True
            self.end()

        timer = Timer(self._limits.seconds, give_up)
        try:
            running = self._running or self._started()
            timer.start()
            result: Result = _asked(running, (job, data))
        except (OSError, EOFError, pickle.UnpicklingError):
            exit_code = self._buried()
            reason = lateness(self._limits.seconds) if is_late else death(exit_code)
            result = Outcome(job, Status.FAILED, error=reason), None
        finally:
            timer.cancel()
            if timer.is_alive():
                timer.join()
        if is_late:
            # The answer may have come at the last moment; the process is dead anyway.
            self._buried()
        return result

    def _started(self) -> "Popen[bytes]":
        # It must find the same modules, and none in the folder it happens to be in.
        path = os.pathsep.join(filter(None, sys.path))
        # It inherits the signals that the thread which starts it has blocked.
        with interrupts_for_others():
            running = Popen(
                [sys.executable, "-P", "-m", "faceanon.batch.isolated_main"],
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
            )
        self._running = running
        # What it takes to start does not count as the first picture's time.
        _asked(running, (self._settings, self._limits.megabytes))
        return running

    def _buried(self) -> int | None:
        """The exit code of the process, which is dead, or of no use any more."""
        running, self._running = self._running, None
        if running is None:
            return None
        running.kill()
        for stream in (running.stdin, running.stdout):
            assert stream is not None, "both are pipes"
            with suppress(OSError):
                stream.close()  # with what could not be sent any more
        return running.wait()

    def end(self) -> None:
        """End the process; a picture that it holds has failed."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()


def _asked(running: "Popen[bytes]", question: object) -> Any:
    """What a process answers.

    Raises:
        OSError, EOFError, UnpicklingError: it is dead.
    """
    assert running.stdin is not None, "it is a pipe"
    assert running.stdout is not None, "it is a pipe"
    pickle.dump(question, running.stdin, pickle.HIGHEST_PROTOCOL)
    running.stdin.flush()
    return pickle.load(running.stdout)
