"""How fast: whole commands over a folder of pictures, side by side in one run.

    python benchmarks/throughput.py FOLDER [--jobs 1 2] [--rounds 3]

Prints pictures a second, CPU seconds a picture and the peak memory of the largest
process. When `deface` is installed beside faceanon it runs in turn with it, and the
last column is the ratio of CPU seconds to deface's, the median over the rounds.
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
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True)
class Cost:
    """What one run of a command took.

    Attributes:
        wall: seconds from start to end.
        cpu: processor seconds of the command and its workers.
        peak: resident memory of its largest process, in MB.
    """

    wall: float
    cpu: float
    peak: float


def measured(command: list[str]) -> Cost:
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"status {process.returncode} from: {' '.join(command)}")
    # Linux gives kilobytes, macOS bytes.
    peak = usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak)


def commands(
    pictures: list[Path], scratch: Path, options: argparse.Namespace
) -> dict[str, list[str]]:
    """Each command by its name; outputs go below `scratch`, made anew for each run."""
    scripts = Path(sysconfig.get_path("scripts"))
    found: dict[str, list[str]] = {}
    deface = scripts / "deface"
    if deface.exists():
        found["deface"] = [
            *(str(deface), "--replacewith", "solid", "--boxes"),
            *(str(picture) for picture in pictures),
        ]
    for method in options.methods:
        for accuracy in options.accuracy:
            for jobs in options.jobs:
                found[f"{method} {accuracy} -j {jobs}"] = [
                    *(str(scripts / "faceanon"), method),
                    *(str(scratch / "in"), str(scratch / "out"), "-q"),
                    *("--accuracy", accuracy, "--jobs", str(jobs)),
                ]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1])
    parser.add_argument("--methods", nargs="+", default=["blackbar"])
    parser.add_argument("--accuracy", nargs="+", default=["fast", "balanced"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, default=100, help="pictures to take")
    options = parser.parse_args()

    names = sorted(p for p in options.folder.iterdir() if p.suffix.lower() in SUFFIXES)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / "in").mkdir()
        pictures = [
            Path(shutil.copy(name, scratch / "in")) for name in names[: options.most]
        ]
        costs: dict[str, list[Cost]] = {}
        for _ in range(options.rounds):
            for name, command in commands(pictures, scratch, options).items():
                shutil.rmtree(scratch / "out", ignore_errors=True)
                costs.setdefault(name, []).append(measured(command))
                for written in (scratch / "in").glob("*_anonymized.*"):
                    written.unlink()

    count = len(pictures)
    print(f"{count} pictures, {options.rounds} rounds in turn, medians")
    print(f"{'command':28} {'pictures/s':>10} {'CPU s each':>10} {'peak MB':>8} ratio")
    for name, runs in costs.items():
        wall = statistics.median(run.wall for run in runs)
        cpu = statistics.median(run.cpu for run in runs)
        peak = max(run.peak for run in runs)
        ratio = ""
        if "deface" in costs:
            pairs = zip(runs, costs["deface"], strict=True)
            ratio = f"{statistics.median(a.cpu / b.cpu for a, b in pairs):.3f}"
        print(f"{name:28} {count / wall:10.2f} {cpu / count:10.4f} {peak:8.0f} {ratio}")


if __name__ == "__main__":
    main()
