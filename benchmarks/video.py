"""How many faces of films a run leaves open, at which cost, beside another tool.

    python benchmarks/video.py FOLDER [--deface PATH] [--accuracy balanced] [--jobs 1]

FOLDER holds films and, where the faces are known, a file NAME.json for each as
`benchmarks/tracking.py` describes it. Each film is hidden by the command as it is
installed, with black bars, and by `deface` if it is given, one after the other. What
is printed comes from the pixels of the outputs: a face that can be seen (60 % of it, 16
pixels and more) is open where less than 80 % of its box is black; it blinks where it is
open between frames in which it is not. Lost is the share of the picture that was
painted off any face. Processor time is that of the whole command, encoding included.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SEEN, SMALLEST, LARGE, COVERED = 0.6, 16, 32, 0.8
BLACK = 40
"""Ringing beside a black box is grey."""

BRIGHT = 80
SUFFIXES = {".mp4", ".mkv", ".mov", ".webm"}
COMMAND = Path(sysconfig.get_path("scripts")) / "faceanon"


@dataclass
class Score:
    """What was seen in outputs."""

    frames: int = 0
    seconds: float = 0.0
    pairs: int = 0
    open: int = 0
    large: int = 0
    large_open: int = 0
    blinks: int = 0
    lost: float = 0.0
    scored: int = 0

    def add(self, other: "Score") -> None:
        for name in vars(other):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __str__(self) -> str:
        cost = f"{1000 * self.seconds / max(self.frames, 1):6.0f} ms a frame"
        if not self.pairs:
            return cost
        return (
            f"{cost}, open {100 * self.open / self.pairs:5.2f} %, of {LARGE} px "
            f"{100 * self.large_open / max(self.large, 1):5.2f} %, blinks "
            f"{self.blinks}, lost {100 * self.lost / max(self.scored, 1):5.2f} %"
        )


def frames_of(path: Path) -> Iterator[NDArray[Any]]:
    film = cv2.VideoCapture(str(path))
    while True:
        is_there, frame = film.read()
        if not is_there:
            return
        yield frame


def timed(command: Sequence[str]) -> float:
    """The processor time that a command and its processes take, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # What an earlier run has found is not to be taken for this one's work.
    environment = {**os.environ, "FACEANON_CACHE": ""}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def scored(truth: dict[str, Any], source: Path, target: Path) -> Score:
    """Compare an output with what is known of its film."""
    score = Score()
    history: dict[Any, list[tuple[int, bool]]] = defaultdict(list)
    films = zip(truth["faces"], frames_of(source), frames_of(target), strict=True)
    for number, (faces, before, after) in enumerate(films):
        black, dark = after.max(axis=2) <= BLACK, before.max(axis=2) <= BLACK
        off = np.ones(black.shape, bool)
        for face in faces:
            left, top, right, bottom = face["box"]
            dx, dy = (right - left) * 0.4, (bottom - top) * 0.4
            rows = slice(max(int(top - dy), 0), max(int(bottom + dy) + 1, 0))
            off[rows, max(int(left - dx), 0) : max(int(right + dx) + 1, 0)] = False
            part = (
                slice(max(round(top), 0), max(round(bottom), 0)),
                slice(max(round(left), 0), max(round(right), 0)),
            )
            size = min(right - left, bottom - top)
            is_seen = face["seen"] >= SEEN and size >= SMALLEST and black[part].size
            if not is_seen or dark[part].mean() > 0.5:
                continue
            is_open = bool(black[part].mean() < COVERED)
            score.pairs += 1
            score.open += is_open
            score.large += size >= LARGE
            score.large_open += is_open and size >= LARGE
            history[face["id"]].append((number, is_open))
        score.lost += float((black & (before.max(axis=2) > BRIGHT) & off).mean())
        score.scored += 1
    score.blinks = sum(blinks(np.array(row)) for row in history.values())
    return score


def blinks(row: NDArray[np.int64]) -> int:
    """How often a face is open between frames in which it is hidden."""
    count = 0
    for part in np.split(row, np.flatnonzero(np.diff(row[:, 0]) != 1) + 1):
        is_open = part[:, 1].astype(bool)
        hidden = np.flatnonzero(~is_open)
        if len(hidden):
            middle = is_open[hidden[0] : hidden[-1] + 1]
            count += int((middle[1:] & ~middle[:-1]).sum())
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--deface", type=Path)
    parser.add_argument("--accuracy", default="balanced")
    parser.add_argument("--jobs", default="1")
    chosen = parser.parse_args()
    films = [p for p in sorted(chosen.folder.iterdir()) if p.suffix in SUFFIXES]
    if not films:
        sys.exit(f"there is no film in {chosen.folder}")
    ours = ["--accuracy", chosen.accuracy, "--jobs", chosen.jobs, "--sound", "drop"]
    totals = {"faceanon": Score()}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.mp4"
        hide = [str(COMMAND), "blackbar", "--overwrite", "--format", "mp4", *ours]
        tools = {"faceanon": [*hide, "{}", str(target)]}
        if chosen.deface:
            solid = ["--replacewith", "solid", "-o", str(target)]
            tools["deface"] = [str(chosen.deface), "{}", *solid]
            totals["deface"] = Score()
        for film in films:
            for tool, command in tools.items():
                seconds = timed([part.format(film) for part in command])
                truth = film.with_suffix(".json")
                score = Score()
                if truth.exists():
                    score = scored(json.loads(truth.read_text()), film, target)
                score.frames = sum(1 for _ in frames_of(target))
                score.seconds = seconds
                print(f"{film.name:24} {tool:9} {score}", flush=True)
                totals[tool].add(score)
                target.unlink()
    for tool, total in totals.items():
        print(f"{'all':24} {tool:9} {total}")


if __name__ == "__main__":
    main()
