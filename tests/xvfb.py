"""A screen without a screen, and hands for it: Xvfb and xdotool."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from processes import GUARD

MISSING = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]


@dataclass(frozen=True)
class Screen:
    """A screen that nobody sees.

    Attributes:
        name: as in `DISPLAY`.
        process: the number of the process that keeps it.
    """

    name: str
    process: int


@contextmanager
def screen() -> Iterator[Screen]:
    """Start a screen of 1300 x 900 pixels."""
    read, write = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1300x900x24"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(write)
        try:
            with os.fdopen(read) as pipe:
                yield Screen(f":{pipe.readline().strip()}", server.pid)
        finally:
            server.terminate()


def hands(*arguments: object) -> None:
    """Let xdotool press keys or move and click the mouse."""
    subprocess.run(["xdotool", *map(str, arguments)], check=True, timeout=GUARD)
