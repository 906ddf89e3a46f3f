"""Where the time goes: the work itself, and everything around it.

    python benchmarks/shares.py [FOLDER] [--count 100] [--rounds 3]

Scales pictures of FOLDER to one megapixel and prints which share of a run each step
takes, what is left for everything else, and how much faster two workers are than one.
For the shares the run does its work in this process, where it can be timed.
"""

import argparse
import statistics
import subprocess
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np

from faceanon.batch import perform, runs
from faceanon.batch.engines.local import Known
from faceanon.batch.planning.make_plan import make_plan
from faceanon.batch.run_options import RunOptions
from faceanon.batch.work import Result, Task
from faceanon.pipeline import process
from faceanon.pipeline.steps import Hide, Step
from faceanon.requests.settings import make_settings

COMMAND = Path(sysconfig.get_path("scripts")) / "faceanon"
EXAMPLES = Path(__file__).parents[1] / "examples"
SUFFIXES = {".jpg", ".jpeg", ".png"}

# The functions of `pipeline.process` that are the work itself, but for the headers.
STEPS = {"find": "decode, detect", "write": "hide, encode"}
HEADERS = "read headers"


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

    def timed(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                seconds[step] += time.perf_counter() - start

        return call

    with ExitStack() as stack:
        for name, step in STEPS.items():
            function = timed(step, getattr(process, name))
            stack.enter_context(patch.object(process, name, function))
        work = timed("work", process.transform)
        stack.enter_context(patch.object(perform, "transform", work))
        stack.enter_context(patch.object(runs, "results_of", results_here))
        pixelate = Hide(make_settings("pixelate", {}))
        start = time.perf_counter()
        for _ in runs.run(make_plan(source, target), pixelate, RunOptions()):
            pass
        seconds["run"] = time.perf_counter() - start
    seconds[HEADERS] = seconds["work"] - sum(seconds[step] for step in STEPS.values())
    return seconds


def results_here(
    items: Iterable[Task | Known[Result]], step: Step, *_: object
) -> Iterator[Result]:
    """What comes of jobs that are done in this process; see `engines.results_of`."""
    for item in items:
        if isinstance(item, Known):
            yield item.result
        else:
            yield perform.do_picture(item, step, None)


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
    for step in (HEADERS, *STEPS.values()):
        share = statistics.median(seconds[step] / seconds["run"] for seconds in rounds)
        print(f"{step:14} {share:6.1%}")
    others = statistics.median(
        1 - seconds["work"] / seconds["run"] for seconds in rounds
    )
    print(f"{'all the rest':14} {others:6.1%}")
    one, two = (statistics.median(walls[jobs]) for jobs in (1, 2))
    print(f"one worker {one:.2f} s, two workers {two:.2f} s: {one / two:.2f} times")


if __name__ == "__main__":
    main()
