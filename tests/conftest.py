"""What the tests share: the installed command, pictures to give it, and servers."""

import io
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import numpy as np
import pytest

from faceanon.cli import main
from faceanon.storage.buckets import stores
from processes import GUARD, Server, server, started
from s3 import Bucket
from support import faces_of_all_widths, with_examples, write_png

# What a shell runs in the background, and what nohup runs, ignores Ctrl-C, and so does
# all that is started by it; tests must be able to interrupt what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Installed packages are compiled. Where Python is told to keep nothing that it
# compiles, each process that is started here would compile all modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

COMMAND = Path(sysconfig.get_path("scripts")) / "faceanon"
PLUGINS = Path(__file__).parent / "plugins"

LEAST_WORK = {
    "FACEANON_ACCURACY": "fast",
    "FACEANON_JOBS": "1",
    # It starts sooner than OpenVINO.
    "FACEANON_INFERENCE": "opencv",
}

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[bytes]]


# --- How the tests are run -------------------------------------------------------

# Files of tests that take long, the longest first, so that no process of pytest is left
# alone with one of them in the end.
LONG = (
    *("test_buckets.py", "test_command.py", "test_ray.py", "test_verify_films.py"),
    *("test_verify.py", "test_reliability.py", "test_datasets.py"),
    *("test_animation.py", "test_people.py", "test_consistent.py"),
    *("test_gui_window.py", "test_shards.py"),
)

# Files of tests in which the command needs no process of its own.
AT_ONCE = frozenset(
    [
        *("test_animation.py", "test_boxes.py", "test_buckets.py", "test_covers.py"),
        *("test_datasets.py", "test_film_boxes.py", "test_people.py"),
        *("test_renaming.py", "test_verify.py"),
    ]
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have files of tests that take long go first."""
    rank = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONG)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests wait for much that takes none."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.fixture(scope="session", autouse=True)
def _no_key_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever runs the tests has a key of their own, which is not touched."""
    os.environ["FACEANON_STATE"] = str(tmp_path_factory.mktemp("state"))


# --- The command -----------------------------------------------------------------


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment that the command gets; tests may add to it.

    What is tested is seldom how faces are found: the least work will do. Tests that
    want more say so, or use `as_installed`.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("FACEANON_") or name == "FACEANON_STATE"
    }
    # What is found in a film is found by the test that wants it.
    return kept | LEAST_WORK | {"FACEANON_CACHE": ""}


def add_to_path(environment: dict[str, str], folder: Path) -> None:
    """Have Python find the modules and the plug-ins of a folder before others."""
    before = environment.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), before]))


@pytest.fixture
def installed(environment: dict[str, str]) -> Run:
    """Run the installed command; its output is text, undecodable bytes escaped."""

    def run(
        *arguments: object,
        cwd: Path | None = None,
        stdin: IO[bytes] | None = None,
        umask: int = -1,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [os.fsencode(COMMAND), *(os.fsencode(str(a)) for a in arguments)],
            capture_output=True,
            text=True,
            errors="backslashreplace",
            env=environment,
            timeout=2 * GUARD,
            check=False,
            cwd=cwd,
            stdin=stdin,
            umask=umask,
        )

    return run


@pytest.fixture
def faceanon(request: pytest.FixtureRequest) -> Run:
    """Run the command: as it is installed, or sooner where that is no matter."""
    name = "in_this_process" if request.path.name in AT_ONCE else "installed"
    run: Run = request.getfixturevalue(name)
    return run


@pytest.fixture
def in_this_process(environment: dict[str, str], installed: Run) -> Run:
    """Run the command without a process of its own; its workers have theirs.

    It takes half the time, most of which goes into importing, and serves where neither
    signals nor standard streams matter: `test_command.py` has those.
    """

    def run(
        *arguments: object, cwd: Path | None = None, **others: Any
    ) -> subprocess.CompletedProcess[str]:
        if others or environment.get("PYTHONPATH") != os.environ.get("PYTHONPATH"):
            return installed(*arguments, cwd=cwd, **others)
        # A process of its own would know no bucket yet.
        stores.store.cache_clear()
        stores.amazon.cache_clear()
        words = [os.fsdecode(os.fsencode(str(argument))) for argument in arguments]
        out, err = (
            io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace") for _ in "12"
        )
        with (
            patch.dict(os.environ, environment, clear=True),
            chdir(cwd or Path.cwd()),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            status = _status_of(words)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read())
        return subprocess.CompletedProcess(words, status, *texts)

    return run


def _status_of(words: list[str]) -> int:
    """What the command exits with."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        with patch.object(sys, "argv", ["faceanon", *words]):
            main()
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 1
    finally:
        # Python does so at the end of a process.
        sys.stdout.flush()
        sys.stderr.flush()
        signal.signal(signal.SIGTERM, before)
    return 0


@pytest.fixture
def as_installed(environment: dict[str, str]) -> None:
    """Have the command do what it does on the machine of somebody who sets nothing."""
    for name in LEAST_WORK:
        del environment[name]


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Start the installed command in a process group of its own.

    What it says goes into a pipe, or into a file. Nothing of it outlives the test.
    """
    with ExitStack() as running:

        def start(
            *arguments: object, stderr: int | IO[bytes] = subprocess.PIPE
        ) -> subprocess.Popen[bytes]:
            run = started(COMMAND, *arguments, environment=environment, stderr=stderr)
            return running.enter_context(run)

        yield start


@pytest.fixture
def faulty(installed: Run, environment: dict[str, str]) -> Run:
    """The command with the plug-in `faulty` installed, which `start` then has, too."""
    add_to_path(environment, PLUGINS)
    return installed


# --- Pictures --------------------------------------------------------------------


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small folder: one face, two faces in a folder below, none."""
    with_examples(tmp_path / "in" / "album", "curies.jpg")
    return with_examples(tmp_path / "in", "astronaut.png", "cat.png")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Two small pictures without a face."""
    folder = tmp_path / "plain"
    folder.mkdir()
    for number in (1, 2):
        shade = np.full((40, 50, 3), 60 * number, np.uint8)
        write_png(folder / f"{number}.png", shade)
    return folder


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Twelve pictures with a face, each of another width: 200 to 211."""
    return faces_of_all_widths(tmp_path / "many", 12)


# --- Buckets ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Server]:
    with server("s3_server.py") as started_server:
        yield started_server


@pytest.fixture
def bucket(s3_server: Server, environment: dict[str, str], tmp_path: Path) -> Bucket:
    """A bucket; the command has its credentials, and no others of this machine."""
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    environment.update(
        AWS_ENDPOINT_URL=s3_server.address,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_CONFIG_FILE=str(tmp_path / "aws" / "config"),
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "aws" / "credentials"),
        AWS_EC2_METADATA_DISABLED="true",
    )
    return Bucket(s3_server)
