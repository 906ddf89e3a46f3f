"""A folder of pictures on a Ray cluster of two nodes, with all that can go wrong."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from conftest import COMMAND, Run
from support import EXAMPLES, read, write_png
from test_command import PLUGINS, lines, pictures, tree

pytest.importorskip("ray", reason="needs the extra 'ray'")


@dataclass(frozen=True)
class Cluster:
    """A cluster in processes of its own."""

    address: str
    orders: IO[str]
    answers: IO[str]

    def stop_second_node(self) -> None:
        self.orders.write("stop\n")
        self.orders.flush()
        assert self.answers.readline() == "stopped\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    before = os.environ.get("PYTHONPATH", "")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PLUGINS), before])),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("ray_cluster.py")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the cluster did not start"
        yield Cluster(address, process.stdin, process.stdout)
        process.stdin.close()


@pytest.fixture
def on_ray(faceanon: Run, environment: dict[str, str], cluster: Cluster) -> Run:
    """The command, with the plug-in `faulty` installed, on the cluster."""
    before = environment.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PLUGINS), before]))
    environment["RAY_ADDRESS"] = cluster.address

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return faceanon(*arguments, "--engine", "ray")

    return run


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Forty pictures with a face, each of another width: 200 to 239."""
    folder = tmp_path / "many"
    folder.mkdir()
    face = read(EXAMPLES / "astronaut.png")[20:240]
    for number in range(40):
        width = 200 + number
        write_png(folder / f"{number:02}.png", face[:, 120 : 120 + width])
    return folder


def workers() -> set[int]:
    """The processes in which Ray does our work at the moment."""
    listed = subprocess.run(
        ["pgrep", "-f", "^ray::_work"], capture_output=True, text=True, check=False
    )
    return {int(line) for line in listed.stdout.split()}


def test_people_keep_their_emoji_on_a_cluster(
    faceanon: Run, on_ray: Run, tmp_path: Path
) -> None:
    """Those who do the pictures know nothing of each other."""
    source, here, there = tmp_path / "in", tmp_path / "here", tmp_path / "there"
    source.mkdir()
    for name in ("astronaut.png", "curies.jpg", "grace_hopper.jpg"):
        shutil.copy(EXAMPLES / name, source)
        shutil.copy(EXAMPLES / name, source / f"again_{name}")
    command = ("--accuracy", "fast", "--consistent", "--seed", 3)
    assert faceanon("emoji", source, here, *command).returncode == 0
    done = on_ray("emoji", source, there, *command)
    assert done.returncode == 0, done.stderr
    assert pictures(there) == pictures(here)


def test_a_run_on_a_cluster_is_the_same_run(
    faceanon: Run, on_ray: Run, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    (source / "album").mkdir(parents=True)
    for name in ("astronaut.png", "cat.png", "grace_hopper.jpg"):
        shutil.copy(EXAMPLES / name, source)
    shutil.copy(EXAMPLES / "curies.jpg", source / "album")
    (source / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    here, there = tmp_path / "here", tmp_path / "there"
    common = ("--accuracy", "fast", "--report")
    local = faceanon("blackbar", source, here, *common, tmp_path / "here.jsonl")
    remote = on_ray("blackbar", source, there, *common, tmp_path / "there.jsonl")
    assert remote.returncode == local.returncode == 1
    assert pictures(there) == pictures(here)
    assert "broken.jpg" in remote.stderr

    def told(path: Path) -> list[tuple[object, ...]]:
        keys = ("picture", "status", "error", "faces", "width", "height")
        return sorted(tuple(str(x[key]) for key in keys) for x in lines(path))

    assert told(tmp_path / "there.jsonl") == told(tmp_path / "here.jsonl")
    again = on_ray("blackbar", source, there, "--accuracy", "fast")
    assert "4 already done" in again.stderr


@pytest.mark.parametrize(
    ("fault", "options"), [("kill", ()), ("crash", ()), ("hang", ("--timeout", 4))]
)
def test_only_the_culprit_fails(
    on_ray: Run, many: Path, tmp_path: Path, fault: str, options: tuple[object, ...]
) -> None:
    report, out = tmp_path / "report.jsonl", tmp_path / "out"
    done = on_ray(
        *("faulty", many, out, "--fault", fault, "--width", 237, "--report", report),
        *options,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = (x for x in done.stderr.splitlines() if "37.png" in x)
    assert "its worker process died" in line
    assert set(pictures(out)) == {f"{n:02}.png" for n in range(40)} - {"37.png"}
    assert not [name for name in tree(out) if name.endswith(".tmp")]
    assert len(lines(report)) == 40


def test_an_interrupted_run_can_be_finished(
    on_ray: Run, many: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    out = tmp_path / "out"
    arguments = ["faulty", many, out, "--fault", "slow"]
    command = [COMMAND, *arguments, "--engine", "ray"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        wait_for_some(out)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"interrupted" in errors
    assert not [name for name in tree(out) if name.endswith(".tmp")]
    finished = len(pictures(out))
    again = on_ray(*arguments)
    assert again.returncode == 0
    assert f"{finished} already done" in again.stderr
    assert len(pictures(out)) == 40


def test_killed_workers_and_a_lost_node_cost_nothing(
    many: Path,
    tmp_path: Path,
    on_ray: Run,
    environment: dict[str, str],
    cluster: Cluster,
) -> None:
    """The last test on the cluster, as it stops one of its nodes."""
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    command = [COMMAND, "faulty", many, out, "--fault", "slow", "--report", report]
    with subprocess.Popen(
        [*command, "--engine", "ray"], env=environment, stderr=subprocess.PIPE
    ) as process:
        wait_for_some(out)
        os.kill(min(workers()), signal.SIGKILL)
        time.sleep(1)
        cluster.stop_second_node()
        _, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors
    assert set(pictures(out)) == {f"{n:02}.png" for n in range(40)}
    assert not [name for name in tree(out) if name.endswith(".tmp")]
    assert len({str(line["picture"]) for line in lines(report)}) == 40
    assert len(lines(report)) == 40


def wait_for_some(out: Path) -> None:
    end = time.monotonic() + 60
    while len(pictures(out)) < 3:
        assert time.monotonic() < end, "no picture within a minute"
        time.sleep(0.1)


def test_a_cluster_that_is_not_there_is_named(
    faceanon: Run, many: Path, tmp_path: Path
) -> None:
    done = faceanon(
        *("blackbar", many, tmp_path / "out", "--engine", "ray"),
        *("--ray-address", "127.0.0.1:1"),
    )
    assert done.returncode == 2
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
