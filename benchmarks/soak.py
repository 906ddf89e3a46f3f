"""A long run with everything that goes wrong: counts must match, memory stay flat.

    python benchmarks/soak.py [--count 20000] [--jobs 2]

Small pictures, one in a hundred damaged, and workers killed at random. Prints the
memory of the parent and of the workers in the first and in the last quarter, and ends
with status 1 when a picture is not accounted for exactly once. Needs Linux's /proc.
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

COMMAND = Path(sysconfig.get_path("scripts")) / "faceanon"
PHOTO = Path(__file__).parents[1] / "examples" / "astronaut.png"

DAMAGED_SHARE = 0.01
SECONDS_BETWEEN_KILLS = (2.0, 10.0)


@dataclass
class Watch:
    """What was seen of a run.

    Attributes:
        kills: how many workers were killed.
        parent: resident memory of the parent in MB, from time to time.
        workers: that of the largest worker at the same times.
    """

    kills: int = 0
    parent: list[float] = field(default_factory=list)
    workers: list[float] = field(default_factory=list)


def make_pictures(folder: Path, count: int, random_: random.Random) -> set[str]:
    """Fill a folder; the names of the damaged ones."""
    photo = cv2.imread(str(PHOTO))
    assert photo is not None
    kinds = [encoded(photo[20:240, 120:330], size) for size in range(80, 120)]
    damaged = set()
    for number in range(count):
        data = random_.choice(kinds)
        if random_.random() < DAMAGED_SHARE:
            damaged.add(f"{number}.jpg")
            data = random_.choice([b"", b"<html>", data[: len(data) // 2]])
        (folder / f"{number}.jpg").write_bytes(data)
    return damaged


def encoded(image: NDArray[Any], size: int) -> bytes:
    done, data = cv2.imencode(".jpg", cv2.resize(image, (size, size)))
    assert done
    return data.tobytes()


def watched(command: list[str], random_: random.Random) -> Watch:
    """Run a command, watch its memory, and kill its workers now and then."""
    watch = Watch()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    next_kill = time.monotonic() + 5
    while process.poll() is None:
        workers = workers_of(process.pid)
        sizes = [size for size in map(resident, workers) if size]
        if sizes:
            watch.parent.append(resident(process.pid))
            watch.workers.append(max(sizes))
        if workers and time.monotonic() > next_kill:
            os.kill(random_.choice(workers), signal.SIGKILL)
            watch.kills += 1
            next_kill = time.monotonic() + random_.uniform(*SECONDS_BETWEEN_KILLS)
        time.sleep(0.2)
    return watch


def workers_of(parent: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in task.read_text().split():
            try:
                line = Path(f"/proc/{child}/cmdline").read_bytes()
            except OSError:
                continue
            if b"faceanon.batch.isolated_main" in line:
                found.append(int(child))
    return found


def resident(process: int) -> float:
    """Resident memory in MB; 0 when the process has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def problems(
    source: Path, out: Path, report: Path, damaged: set[str], kills: int
) -> list[str]:
    """What is wrong with the end of a run; nothing when all is accounted for."""
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    counts = Counter(line["picture"] for line in lines)
    failed = {line["picture"] for line in lines if line["status"] == "failed"}
    names = {path.name for path in source.iterdir()}
    written = {path.name for path in out.glob("[!.]*")}
    left_behind = [path.name for path in out.glob(".*.tmp")]
    killed = failed - damaged
    checks = {
        f"{len(names - counts.keys())} pictures are in no line": counts.keys() >= names,
        "pictures are in several lines": max(counts.values()) == 1,
        "a damaged picture did not fail": failed >= damaged,
        f"{len(killed)} others failed, {kills} kills": len(killed) <= kills,
        "outputs are not those that did not fail": written == names - failed,
        f"left behind: {left_behind}": not left_behind,
    }
    return [problem for problem, holds in checks.items() if not holds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random_ = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        source, out, report = (Path(folder) / n for n in ("in", "out", "r.jsonl"))
        source.mkdir()
        damaged = make_pictures(source, options.count, random_)
        command = [
            *(str(COMMAND), "pixelate", str(source), str(out)),
            *("--jobs", str(options.jobs), "--report", str(report)),
        ]
        start = time.perf_counter()
        watch = watched(command, random_)
        seconds = time.perf_counter() - start
        wrong = problems(source, out, report, damaged, watch.kills)

        # What was killed is done by another run; the damaged ones fail again.
        again = Path(folder) / "again.jsonl"
        command[-1] = str(again)
        retry = ["--retry-failed", str(report)]
        subprocess.run([*command, *retry], stderr=subprocess.DEVNULL, check=False)
        lines = [json.loads(line) for line in again.read_text().splitlines()]
        still = {line["picture"] for line in lines if line["status"] == "failed"}
        if still != damaged:
            wrong.append(f"after a retry {len(still)} fail, {len(damaged)} are damaged")

    print(f"{options.count} pictures, {len(damaged)} damaged, {watch.kills} kills")
    print(f"{seconds:.0f} s, {options.count / seconds:.0f} pictures/s")
    print(f"{'MB':10} {'first quarter':>14} {'last quarter':>14} {'most':>6}")
    for name, sizes in (("parent", watch.parent), ("worker", watch.workers)):
        quarter = max(1, len(sizes) // 4)
        first, last = (
            statistics.median(s) for s in (sizes[:quarter], sizes[-quarter:])
        )
        print(f"{name:10} {first:14.1f} {last:14.1f} {max(sizes):6.0f}")
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
