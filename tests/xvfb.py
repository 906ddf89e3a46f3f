"""A screen without a screen, and hands for it: Xvfb and xdotool."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

MISSING = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]


@contextmanager
def screen() -> Iterator[str]:
    """Start a screen of 1300 x 900 pixels; its name as in `DISPLAY`."""
    read, write = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1300x900x24"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(write)
        try:
            with os.fdopen(read) as pipe:
                yield f":{pipe.readline().strip()}"
        finally:
            server.terminate()


def hands(*arguments: object) -> None:
    """Let xdotool press keys or move and click the mouse."""
    subprocess.run(["xdotool", *map(str, arguments)], check=True, timeout=30)
