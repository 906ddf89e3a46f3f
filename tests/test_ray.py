"""A folder of pictures on a Ray cluster of two nodes, with all that can go wrong."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import LEAST_WORK, PLUGINS, Run, Start, add_to_path
from processes import GUARD, Server, ray_worker_of, server, wait_until
from support import (
    EXAMPLES,
    faces_of_all_widths,
    lines,
    pictures,
    tree,
    with_examples,
)

pytest.importorskip("ray", reason="needs the extra 'ray'")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Server]:
    environment = os.environ | LEAST_WORK | {"RAY_USAGE_STATS_ENABLED": "0"}
    add_to_path(environment, PLUGINS)
    with server("ray_cluster.py", environment) as cluster:
        yield cluster


@pytest.fixture
def on_ray(faulty: Run, environment: dict[str, str], cluster: Server) -> Run:
    """The command, with the plug-in `faulty` installed, on the cluster."""
    environment["RAY_ADDRESS"] = cluster.address

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return faulty(*arguments, "--engine", "ray")

    return run


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Twenty pictures with a face, each of another width: 200 to 219."""
    return faces_of_all_widths(tmp_path / "many", 20)


def test_people_keep_their_emoji_on_a_cluster(
    faceanon: Run, on_ray: Run, tmp_path: Path
) -> None:
    """Those who do the pictures know nothing of each other."""
    source, here, there = tmp_path / "in", tmp_path / "here", tmp_path / "there"
    source.mkdir()
    for name in ("astronaut.png", "curies.jpg", "grace_hopper.jpg"):
        shutil.copy(EXAMPLES / name, source)
        shutil.copy(EXAMPLES / name, source / f"again_{name}")
    command = ("--consistent", "--seed", 3)
    assert faceanon("emoji", source, here, *command).returncode == 0
    done = on_ray("emoji", source, there, *command)
    assert done.returncode == 0, done.stderr
    assert pictures(there) == pictures(here)


def test_films_are_jobs_of_a_cluster(on_ray: Run, tmp_path: Path) -> None:
    films = pytest.importorskip("face_video")
    (tmp_path / "in").mkdir()
    for name in ("a.mp4", "b.mkv"):
        films.write_film(tmp_path / "in" / name)
    done = on_ray("blackbar", tmp_path / "in", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    for name in ("a.mp4", "b.mkv"):
        films.check_hidden(tmp_path / "out" / name)


def test_a_run_on_a_cluster_is_the_same_run(
    faceanon: Run, on_ray: Run, tmp_path: Path
) -> None:
    with_examples(tmp_path / "in" / "album", "curies.jpg")
    names = ("astronaut.png", "cat.png", "grace_hopper.jpg")
    source = with_examples(tmp_path / "in", *names)
    (source / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    here, there = tmp_path / "here", tmp_path / "there"
    local = faceanon("blackbar", source, here, "--report", tmp_path / "here.jsonl")
    remote = on_ray("blackbar", source, there, "--report", tmp_path / "there.jsonl")
    assert remote.returncode == local.returncode == 1
    assert pictures(there) == pictures(here)
    assert "broken.jpg" in remote.stderr

    def told(path: Path) -> list[tuple[object, ...]]:
        keys = ("picture", "status", "error", "faces", "width", "height")
        return sorted(tuple(str(x[key]) for key in keys) for x in lines(path))

    assert told(tmp_path / "there.jsonl") == told(tmp_path / "here.jsonl")
    again = on_ray("blackbar", source, there)
    assert "4 already done" in again.stderr


@pytest.mark.parametrize(
    ("fault", "options", "message"),
    [
        ("kill", (), "its worker process died (SIGKILL, perhaps for want of memory)"),
        ("crash", (), "its worker process died (SIGABRT)"),
        ("hang", ("--timeout", 20), "took longer than 20 seconds"),
    ],
)
def test_only_the_culprit_fails(
    on_ray: Run,
    many: Path,
    tmp_path: Path,
    fault: str,
    options: tuple[object, ...],
    message: str,
) -> None:
    report, out = tmp_path / "report.jsonl", tmp_path / "out"
    done = on_ray(
        *("faulty", many, out, "--fault", fault, "--width", 217, "--report", report),
        *options,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = (x for x in done.stderr.splitlines() if "17.png" in x)
    assert message in line
    assert set(pictures(out)) == {f"{n:02}.png" for n in range(20)} - {"17.png"}
    assert not [name for name in tree(out) if name.endswith(".tmp")]
    assert len(lines(report)) == 20


def test_an_interrupted_run_can_be_finished(
    on_ray: Run, start: Start, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ("faulty", many, out, "--fault", "slow")
    run = start(*arguments, "--engine", "ray")
    wait_until(lambda: len(pictures(out)) >= 3, "three pictures")
    run.send_signal(signal.SIGTERM)
    _, errors = run.communicate(timeout=GUARD)
    assert run.returncode == 130
    assert b"interrupted" in errors
    assert not [name for name in tree(out) if name.endswith(".tmp")]
    finished = len(pictures(out))
    again = on_ray(*arguments)
    assert again.returncode == 0
    assert f"{finished} already done" in again.stderr
    assert len(pictures(out)) == 20


@pytest.mark.usefixtures("on_ray")
def test_killed_workers_and_a_lost_node_cost_nothing(
    many: Path, tmp_path: Path, start: Start, cluster: Server
) -> None:
    """The last test on the cluster, as it stops one of its nodes."""
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    run = start(
        *("faulty", many, out, "--fault", "slow", "--report", report),
        *("--engine", "ray"),
    )
    wait_until(lambda: len(pictures(out)) >= 3, "three pictures")
    os.kill(ray_worker_of(cluster.process.pid), signal.SIGKILL)
    time.sleep(1)
    assert cluster.order("stop") == "stopped"
    _, errors = run.communicate(timeout=GUARD)
    assert run.returncode == 0, errors
    assert set(pictures(out)) == {f"{n:02}.png" for n in range(20)}
    assert not [name for name in tree(out) if name.endswith(".tmp")]
    assert len({line["picture"] for line in lines(report)}) == 20
    assert len(lines(report)) == 20


def test_that_ray_is_too_slow_to_start_is_said_in_one_line(
    faceanon: Run, environment: dict[str, str], many: Path, tmp_path: Path
) -> None:
    """It gives up after 30 s; a stand-in does so at once, with the same exception."""
    stand_in = tmp_path / "modules" / "ray.py"
    stand_in.parent.mkdir()
    stand_in.write_text(
        "def init(**_):\n    raise Exception('The current node timed out\\nduring')\n"
    )
    add_to_path(environment, stand_in.parent)
    environment.pop("RAY_ADDRESS", None)
    done = faceanon("blackbar", many, tmp_path / "out", "--engine", "ray")
    assert done.returncode == 75
    assert "Ray cannot be reached at local: The current node timed out" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cluster_that_is_not_there_is_named(
    faceanon: Run, many: Path, tmp_path: Path
) -> None:
    done = faceanon(
        *("blackbar", many, tmp_path / "out", "--engine", "ray"),
        *("--ray-address", "127.0.0.1:1"),
    )
    assert done.returncode == 75
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
