"""What an engine costs a picture, and what a second worker brings.

    python benchmarks/scale.py FOLDER [--pictures 200] [--rounds 3]

Runs whole commands over links to the pictures of FOLDER, once over a third of them and
once over all, and takes the difference, so that the start of an engine, which is
printed by itself, does not count. `--engine ray` starts a cluster on this machine.
Prints the median over the rounds.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png"}
COMMAND = Path(sysconfig.get_path("scripts")) / "faceanon"


def folder_of(pictures: list[Path], count: int, folder: Path) -> Path:
    """A folder of so many pictures, copies of those given by turns."""
    folder.mkdir()
    for number, picture in enumerate(islice(cycle(pictures), count)):
        os.link(picture, folder / f"{number:06}{picture.suffix}")
    return folder


def wall_seconds(source: Path, target: Path, engine: str, jobs: int) -> float:
    shutil.rmtree(target, ignore_errors=True)
    command = [str(COMMAND), "blackbar", str(source), str(target), "-q"]
    start = time.perf_counter()
    subprocess.run(
        [*command, "--engine", engine, "--jobs", str(jobs)],
        check=True,
        env={**os.environ, "RAY_ADDRESS": ""},
    )
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found = [p for p in sorted(options.folder.iterdir()) if p.suffix in SUFFIXES]
    if not found:
        sys.exit(f"no pictures in {options.folder}")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        copies = [Path(shutil.copy(p, scratch)) for p in found[: options.pictures]]
        some = folder_of(copies, options.pictures // 3, scratch / "some")
        many = folder_of(copies, options.pictures, scratch / "many")
        more = options.pictures - options.pictures // 3
        times: dict[tuple[str, int], list[tuple[float, float]]] = {}
        for _ in range(options.rounds):
            for jobs in (1, 2):
                for engine in ("local", "ray"):
                    short = wall_seconds(some, scratch / "out", engine, jobs)
                    long = wall_seconds(many, scratch / "out", engine, jobs)
                    each = (long - short) / more
                    start = short - each * (options.pictures // 3)
                    times.setdefault((engine, jobs), []).append((each, start))
    print(f"{'engine':8}{'workers':>8}{'ms a picture':>14}{'start, s':>10}")
    each_of = {}
    for (engine, jobs), rounds in times.items():
        each_of[engine, jobs] = statistics.median(each for each, _ in rounds)
        start = statistics.median(start for _, start in rounds)
        print(f"{engine:8}{jobs:8}{each_of[engine, jobs] * 1000:14.1f}{start:10.2f}")
    for engine in ("local", "ray"):
        growth = each_of[engine, 1] / each_of[engine, 2]
        print(f"{engine}: two workers do {growth:.2f} times what one does")
    for jobs in (1, 2):
        overhead = each_of["ray", jobs] - each_of["local", jobs]
        print(f"ray over local, {jobs} at a time: {overhead * 1000:+.1f} ms a picture")


if __name__ == "__main__":
    main()
