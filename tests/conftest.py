"""What the tests share: the sample pictures, and the installed command."""

import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from support import EXAMPLES

COMMAND = Path(sysconfig.get_path("scripts")) / "faceanon"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def examples() -> Path:
    return EXAMPLES


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment that the command gets; tests may add to it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FACEANON_")}
    return kept


@pytest.fixture
def faceanon(environment: dict[str, str]) -> Run:
    """Run the installed command; its output is text, undecodable bytes escaped."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *(os.fsencode(str(a)) for a in arguments)],
            capture_output=True,
            text=True,
            errors="backslashreplace",
            env=environment,
            timeout=120,
            check=False,
            **options,
        )

    return run
