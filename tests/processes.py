"""Processes that tests start, watch and end: the command, its workers, servers."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GUARD = 120
"""Seconds after which a test gives up waiting. They only keep it from hanging: nothing
that is tested takes so long, on a busy machine either, and no limit is tested by it."""


def wait_until(holds: Callable[[], object], what: str = "it") -> None:
    """Wait until something holds, and fail where it never does."""
    end = time.monotonic() + GUARD
    while not holds():
        assert time.monotonic() < end, f"{what} has not come in {GUARD} seconds"
        time.sleep(0.01)


@contextmanager
def started(
    *command: object,
    environment: Mapping[str, str] | None = None,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program in a process group of its own, of which nothing is left after."""
    process = subprocess.Popen(
        [os.fsencode(str(argument)) for argument in command],
        env=environment,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        process_group=0,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@dataclass(frozen=True)
class Server:
    """One of the scripts beside this file, which serves until its input ends.

    Attributes:
        process: where it runs.
        address: the line that it begins with.
    """

    process: subprocess.Popen[bytes]
    address: str

    def order(self, line: str) -> str:
        """Send it a line, and return its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()


@contextmanager
def server(
    script: str, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    with started(
        *(sys.executable, Path(__file__).with_name(script)),
        environment=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        assert address, f"{script} did not start"
        yield Server(process, address)
        process.stdin.close()
        process.wait(GUARD)


def is_group_alive(group: int) -> bool:
    """Whether any process of a process group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def is_alive(process: int) -> bool:
    """Whether a process has not ended, waited for or not (Linux)."""
    # What has ended and was not waited for has no program any more.
    return Path(f"/proc/{process}/exe").exists()


def are_idle(processes: Iterable[int]) -> bool:
    """Whether processes have had nothing to do for a moment (Linux).

    A process that only waits for a processor has something to do.
    """
    for _ in range(20):
        if not all(map(_sleeps, processes)):
            return False
        time.sleep(0.01)
    return True


def descendants(process: int) -> set[int]:
    """The processes that a process has started, and those that they have (Linux)."""
    found: set[int] = set()
    new = {process}
    while new:
        new = {child for parent in new for child in _children(parent)} - found
        found |= new
    return found


def workers_of(run: int) -> list[int]:
    """The processes in which a run does its pictures (Linux)."""
    return _descendants_named(run, b"faceanon.batch.isolated_main")


def ray_worker_of(cluster: int) -> int:
    """A process in which a cluster does our work at the moment (Linux).

    Between two tasks there may be none for a moment.
    """
    found: list[int] = []

    def is_at_work() -> bool:
        found[:] = _descendants_named(cluster, b"ray::_work")
        return bool(found)

    wait_until(is_at_work, "a worker of the cluster")
    return found[0]


def _sleeps(process: int) -> bool:
    """Whether no thread of a process wants to run, but the one that asks."""
    own = str(threading.get_native_id())
    with suppress(OSError):  # what has ended meanwhile has nothing to do
        for thread in Path(f"/proc/{process}/task").iterdir():
            _, _, state_and_more = (thread / "stat").read_text().rpartition(") ")
            if thread.name != own and state_and_more[0] != "S":
                return False
    return True


def _descendants_named(process: int, name: bytes) -> list[int]:
    found = sorted(descendants(process))
    return [descendant for descendant in found if name in _command_line(descendant)]


def _children(process: int) -> list[int]:
    children: list[int] = []
    with suppress(OSError):  # it may end meanwhile
        for thread in Path(f"/proc/{process}/task").iterdir():
            children += map(int, (thread / "children").read_text().split())
    return children


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""
