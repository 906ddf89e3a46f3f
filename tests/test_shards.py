"""Runs split among machines with `--shard I/N`."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from conftest import COMMAND, Run, Start
from processes import GUARD, wait_until
from support import EXAMPLES, pictures

NAMES = [
    f"{folder}{number:02}.png" for folder in ("", "album/") for number in range(20)
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Forty copies of one small picture without a face."""
    for name in NAMES:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXAMPLES / "cat.png", path)
    return tmp_path / "in"


@pytest.mark.parametrize("first", [0, 1])
def test_shards_cover_everything_once_and_at_the_same_time(
    source: Path, tmp_path: Path, start: Start, first: int
) -> None:
    out = tmp_path / "out"
    command = ("blackbar", source, out, "-j", 1)
    shards = [f"{first + index}/3" for index in range(3)]
    running = [start(*command, "--shard", shard) for shard in shards]
    said = [run.communicate(timeout=GUARD)[1].decode() for run in running]
    assert [run.returncode for run in running] == [0, 0, 0], said
    done = [int(text.split(" picture")[0].split()[-1]) for text in said]
    assert sum(done) == len(NAMES)
    assert min(done) > 0
    assert set(pictures(out)) == set(NAMES)


def test_what_shards_did_is_known_to_other_shards_and_to_a_run_over_everything(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ("blackbar", source, out, "-j", 1)
    for shard in ("0/2", "1/2"):
        assert faceanon(*command, "--shard", shard).returncode == 0
    again = [faceanon(*command, "--shard", f"{index}/3") for index in range(3)]
    assert [done.returncode for done in again] == [0, 0, 0]
    assert all("already done" in done.stderr for done in again)
    whole = faceanon(*command)
    assert whole.returncode == 0
    assert "40 already done" in whole.stderr
    assert [path.name for path in out.glob(".faceanon*")] == [".faceanon.db"]
    assert "already done" in faceanon(*command, "--shard", "1/2").stderr


def test_a_run_over_everything_waits_for_shards(
    faceanon: Run, source: Path, tmp_path: Path, start: Start
) -> None:
    out = tmp_path / "out"
    command = ("blackbar", source, out, "-j", 1, "--accuracy", "thorough")
    run = start(*command, "--shard", "0/2")
    wait_until(lambda: pictures(out), "a picture")
    # It must not come to its end before the others have started.
    os.killpg(run.pid, signal.SIGSTOP)
    assert run.poll() is None
    refused = faceanon("blackbar", source, out)
    twin = faceanon("blackbar", source, out, "--shard", "0/2")
    for done in (refused, twin):
        assert done.returncode == 75
        assert "another run writes into" in done.stderr


def test_a_shard_that_is_none_is_refused(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    for text in ("3", "5/4", "a/b", "1/0", "-1/2"):
        done = faceanon("blackbar", source, tmp_path / "out", "--shard", text)
        assert done.returncode == 2
        assert "is no shard; write I/N" in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


def test_the_example_of_an_array_job_runs(
    source: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    script = EXAMPLES.parent / "docs" / "examples" / "slurm.sh"
    out = tmp_path / "out"
    path = f"{COMMAND.parent}:{environment['PATH']}"
    for index in range(2):
        array = {"SLURM_ARRAY_TASK_ID": str(index), "SLURM_ARRAY_TASK_COUNT": "2"}
        subprocess.run(
            ["bash", script, source, out],
            env=environment | array | {"SLURM_CPUS_PER_TASK": "1", "PATH": path},
            check=True,
            capture_output=True,
        )
    assert set(pictures(out)) == set(NAMES)
    assert len(list(tmp_path.glob("out.report-?.jsonl"))) == 2


def test_the_example_of_an_indexed_job_names_options_that_there_are(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    text = (EXAMPLES.parent / "docs" / "examples" / "kubernetes.yaml").read_text()
    (job,) = yaml.safe_load_all(text)
    assert job["spec"]["completionMode"] == "Indexed"
    container = job["spec"]["template"]["spec"]["containers"][0]
    places = {"/data": str(tmp_path), "$(JOB_COMPLETION_INDEX)": "7", "photos": "in"}
    arguments = list(container["args"])
    for placeholder, value in places.items():
        arguments = [argument.replace(placeholder, value) for argument in arguments]
    assert f"--shard=7/{job['spec']['completions']}" in arguments
    assert faceanon(*arguments).returncode == 0
