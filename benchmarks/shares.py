"""Where the time goes: the work itself, and everything around it.

    python benchmarks/shares.py [FOLDER] [--count 100] [--rounds 3]

Scales pictures of FOLDER to one megapixel and prints which share of a run each step
takes, what is left for everything else, and how much faster two workers are than one.
"""

import argparse
import statistics
import subprocess
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from faceanon import api
from faceanon.batch import runs as batch
from faceanon.batch.planning import folder as files
from faceanon.pipeline import process as pipeline
from faceanon.settings import RunOptions

COMMAND = Path(sysconfig.get_path("scripts")) / "faceanon"
EXAMPLES = Path(__file__).parents[1] / "examples"
SUFFIXES = {".jpg", ".jpeg", ".png"}

# The functions of `pipeline` that are the work itself.
STEPS = {
    "decode": "read headers",
    "find_faces": "decode, detect",
    "make_hidden": "hide, encode",
    "make_output": "encode",
}


def make_pictures(originals: Path, folder: Path, count: int) -> None:
    """Fill a folder with JPEGs of one megapixel."""
    folder.mkdir()
    names = sorted(p for p in originals.rglob("*") if p.suffix.lower() in SUFFIXES)
    for number in range(count):
        data = np.frombuffer(names[number % len(names)].read_bytes(), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert image is not None, names[number % len(names)]
        scale = (1e6 / (image.shape[0] * image.shape[1])) ** 0.5
        image = cv2.resize(image, None, fx=scale, fy=scale)
        cv2.imwrite(str(folder / f"{number}.jpg"), image)


def shares(source: Path, target: Path) -> dict[str, float]:
    """Seconds that each step of a run in this process takes, and the whole run."""
    seconds: dict[str, float] = defaultdict(float)
    settings = api.make_settings("pixelate", {})

    def timed(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                seconds[step] += time.perf_counter() - start

        return call

    originals = {name: getattr(pipeline, name) for name in STEPS}
    try:
        for name, step in STEPS.items():
            setattr(pipeline, name, timed(step, originals[name]))
        start = time.perf_counter()
        for _ in batch.run(files.plan(source, target), settings, RunOptions(jobs=1)):
            pass
        seconds["run"] = time.perf_counter() - start
    finally:
        for name, function in originals.items():
            setattr(pipeline, name, function)
    return seconds


def command_seconds(source: Path, target: Path, jobs: int) -> float:
    start = time.perf_counter()
    command = [
        str(COMMAND),
        "pixelate",
        str(source),
        str(target),
        "-q",
        "-j",
        str(jobs),
    ]
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=EXAMPLES)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        make_pictures(options.folder, scratch / "in", options.count)
        rounds = [
            shares(scratch / "in", scratch / f"here{number}")
            for number in range(options.rounds)
        ]
        walls = {
            jobs: [
                command_seconds(scratch / "in", scratch / f"out{jobs}-{number}", jobs)
                for number in range(options.rounds)
            ]
            for jobs in (1, 2)
        }
    print(
        f"{options.count} pictures of one megapixel, medians of {options.rounds} runs"
    )
    for step in STEPS.values():
        share = statistics.median(seconds[step] / seconds["run"] for seconds in rounds)
        print(f"{step:14} {share:6.1%}")
    others = statistics.median(
        1 - sum(seconds[step] for step in STEPS.values()) / seconds["run"]
        for seconds in rounds
    )
    print(f"{'all the rest':14} {others:6.1%}")
    one, two = (statistics.median(walls[jobs]) for jobs in (1, 2))
    print(f"one worker {one:.2f} s, two workers {two:.2f} s: {one / two:.2f} times")


if __name__ == "__main__":
    main()
