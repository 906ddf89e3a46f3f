"""Processes that do tasks: what befalls one of them costs what it did, and no more."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from faceanon.batch.isolated import Isolated
from faceanon.batch.workers import Limits
from faceanon.errors import StorageError
from faceanon.media.clip import Header
from faceanon.pipeline.progress import tell_extent
from processes import is_alive, wait_until

_GIVEN_UP = "took longer than 5 seconds (--timeout)"


@dataclass(frozen=True)
class Wait:
    """A task that waits for a file, and may tell that it is a large picture."""

    file: Path
    header: Header | None = None

    @property
    def begun(self) -> Path:
        """The file that tells that it waits."""
        return self.file.with_suffix(".begun")


class Waiting:
    """Waits for files, and then says which process it is; see `isolated.Work`."""

    def __call__(self, task: Wait) -> str:
        if task.header is not None:
            tell_extent(task.header)
        task.begun.touch()
        wait_until(task.file.exists)
        return str(os.getpid())

    def failed(self, task: Wait, reason: str) -> str:
        return reason

    def clear_away(self, task: Wait) -> None:
        """Nothing is left."""

    def attempts(self, task: Wait) -> int:
        return 1

    def has_time_limit(self, task: Wait) -> bool:
        return True


@pytest.mark.skipif(not Path("/proc/self/exe").exists(), reason="needs Linux's /proc")
def test_a_process_that_is_killed_between_two_tasks_costs_neither(
    tmp_path: Path,
) -> None:
    with Isolated(Waiting(), 1, Limits(100, 4096)) as processes:
        first = int(processes.submit(Wait(tmp_path)).result())
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: not is_alive(first), "its end")
        second = processes.submit(Wait(tmp_path)).result()
    assert second.isdecimal(), second
    assert int(second) != first


def test_large_pictures_have_more_time(tmp_path: Path) -> None:
    large = Wait(tmp_path / "large", Header("png", "still", 100_000, 100_000))
    with Isolated(Waiting(), 2, Limits(5, 4096)) as processes:
        done = processes.submit(large)
        wait_until(large.begun.exists)
        # It is begun later, and given up first.
        usual = processes.submit(Wait(tmp_path / "usual"))
        assert usual.result() == _GIVEN_UP
        large.file.touch()
        assert done.result().isdecimal(), done.result()


def test_that_none_can_be_started_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with Isolated(Waiting(), 1, Limits(100, 4096)) as processes:
        future = processes.submit(Wait(tmp_path))
        with pytest.raises(StorageError, match="worker processes cannot be started"):
            future.result()
