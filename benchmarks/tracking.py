"""How many faces of films a run leaves open, frame by frame and when it follows them.

    python benchmarks/tracking.py FOLDER [--accuracy balanced] [--cache FOLDER]

FOLDER holds films and, for each, a file NAME.json with the faces in each frame:
`{"width": 960, "height": 540, "fps": 30, "faces": [[{"id": 0, "box": [left, top, right,
bottom], "seen": 1.0}, ...], ...]}`. A face counts in a frame where 60 % of it can be
seen and its shorter side has 16 pixels. It is open where less than 80 % of its box is
covered, and blinks where it is open between frames in which it is covered. Lost is the
share of the picture that is covered off any face.

Prints this for every film and for all of them: when each frame is taken by itself, when
faces are followed, and when they are followed and only some frames are looked at: ten
a second, with and without those in between where something happens.
"""

import argparse
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Box, Cover, Face, Image
from faceanon.vision import detection
from faceanon.vision.detection import Detector
from faceanon.vision.detection.levels import ACCURACIES, Accuracy
from faceanon.vision.tracking.camera import Camera, CameraMotion
from faceanon.vision.tracking.finds import Finds
from faceanon.vision.tracking.sampling import is_calm, stride
from faceanon.vision.tracking.tracker import Tracks, follow

SUFFIXES = {".mp4", ".mkv", ".gif"}
SEEN, SMALLEST, LARGE, COVERED = 0.6, 16, 32, 0.8
LEAST_SCORE = 0.05
COVER = Cover()

Truth = list[list[dict[str, Any]]]


@dataclass
class Film:
    """A film, what a detector found in all its frames, and what is in them."""

    name: str
    size: tuple[int, int]
    rate: float
    motion: CameraMotion
    finds: Finds
    truth: Truth
    camera_seconds: float

    @property
    def count(self) -> int:
        return len(self.motion.path)

    def follow(self, looked: NDArray[np.bool_]) -> Tracks:
        times = np.arange(self.count) / self.rate
        finds = picked(self.finds, looked[self.finds.frames])
        return follow(finds, self.motion, looked, times, self.size)


@dataclass
class Score:
    """What was counted."""

    faces: int = 0
    open: int = 0
    large: int = 0
    open_large: int = 0
    blinks: int = 0
    frames: int = 0
    looks: int = 0
    lost: float = 0.0
    seconds: float = 0.0

    def add(self, other: "Score") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def __str__(self) -> str:
        frames = max(self.frames, 1)
        shares = share(self.open, self.faces), share(self.open_large, self.large)
        return (
            f"{shares[0]:7.2f} {shares[1]:7.2f} {self.blinks:7}"
            f" {share(self.lost, frames):7.2f} {share(self.looks, frames):7.0f}"
            f" {1000 * self.seconds / frames:7.2f}"
        )


def share(part: float, whole: float) -> float:
    """In percent."""
    return 100 * part / max(whole, 1)


def images(path: Path) -> Iterator[Image]:
    film = cv2.VideoCapture(str(path))
    while True:
        is_there, image = film.read()
        if not is_there:
            return
        yield image


def find(path: Path, detector: Detector) -> Finds:
    """What is found in each frame."""
    rows: list[tuple[int, Face, bool]] = []
    for number, image in enumerate(images(path)):
        sure, unsure = detector.threshold.split(detector([image], LEAST_SCORE)[0])
        rows += [(number, face, True) for face in sure]
        rows += [(number, face, False) for face in unsure]
    unknown = ((math.nan, math.nan),) * 5
    boxes = [sides(face.box) for _, face, _ in rows]
    points = [face.points or unknown for _, face, _ in rows]
    return Finds(
        frames=np.array([number for number, _, _ in rows], np.int32),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        scores=np.array([face.score for _, face, _ in rows], np.float32),
        points=np.array(points, np.float32).reshape(-1, 5, 2),
        is_sure=np.array([is_sure for *_, is_sure in rows], bool),
        found_by=np.zeros(len(rows), np.uint8),
        tones=np.zeros((len(rows), 3), np.uint8),
    )


def picked(finds: Finds, which: NDArray[np.bool_]) -> Finds:
    return Finds(**{name: getattr(finds, name)[which] for name in Finds.__slots__})


def sides(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right, box.bottom


def opened(path: Path, accuracy: Accuracy, cache: Path | None) -> Film:
    """A film with all its finds; these are kept in a folder if one is given."""
    kept = cache / f"{path.stem}.{accuracy}.npz" if cache else None
    if kept and kept.exists():
        with np.load(kept) as arrays:
            finds = Finds(**arrays)
    else:
        finds = find(path, detection.make("centerface", accuracy))
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.savez(kept, **{name: getattr(finds, name) for name in Finds.__slots__})
    known = json.loads(path.with_suffix(".json").read_text())
    size = known["width"], known["height"]
    camera, seconds = Camera(size), 0.0
    for image in images(path):
        start = time.process_time()
        camera.see(image)
        seconds += time.process_time() - start
    motion = camera.motion()
    return Film(path.stem, size, known["fps"], motion, finds, known["faces"], seconds)


def faces_by_frame(
    frames: NDArray[np.int32], boxes: NDArray[Any], scores: NDArray[np.float32]
) -> dict[int, list[Face]]:
    faces: dict[int, list[Face]] = defaultdict(list)
    for frame, box, score in zip(frames, boxes, scores, strict=True):
        faces[int(frame)].append(Face(Box(*map(int, box)), float(score)))
    return faces


def looks_on_demand(film: Film) -> NDArray[np.bool_]:
    """Which frames are looked at where calm stretches are skipped."""
    finds, path, shots = film.finds, film.motion.path, film.motion.shots
    faces = faces_by_frame(finds.frames, finds.boxes, finds.scores)
    looked = looks_every(film, stride(film.rate))
    for before, after in pairwise(map(int, np.flatnonzero(looked))):
        moved = path[after] - path[before]
        calm = is_calm(faces[before], faces[after], (moved[0], moved[1]))
        if shots[before] != shots[after] or not calm:
            looked[before:after] = True
    return looked


def looks_every(film: Film, step: int) -> NDArray[np.bool_]:
    looked = np.zeros(film.count, bool)
    looked[::step] = looked[-1] = True
    return looked


def score(film: Film, faces: dict[int, list[Face]]) -> Score:
    """How much of the faces the covers of these hide."""
    result = Score(frames=film.count)
    width, height = film.size
    picture = np.zeros((height, width, 3), np.uint8)
    is_open: dict[int, list[tuple[int, bool]]] = defaultdict(list)
    for number, truth in enumerate(film.truth[: film.count]):
        covered = np.zeros((height, width), bool)
        for face in faces.get(number, ()):
            covered[COVER.box(face, picture).slices] = True
        off = covered.copy()
        for known in truth:
            left, top, right, bottom = known["box"]
            box = Box(round(left), round(top), round(right), round(bottom))
            off[box.grown(1.8).clipped(height, width).slices] = False
            small = min(right - left, bottom - top)
            part = covered[box.clipped(height, width).slices]
            if known["seen"] < SEEN or small < SMALLEST or not part.size:
                continue
            is_open[known["id"]].append((number, bool(part.mean() < COVERED)))
            result.faces += 1
            result.open += is_open[known["id"]][-1][1]
            result.large += small >= LARGE
            result.open_large += is_open[known["id"]][-1][1] and small >= LARGE
        result.lost += float(off.mean())
    result.blinks = sum(blinks(one) for one in is_open.values())
    return result


def blinks(frames: Sequence[tuple[int, bool]]) -> int:
    """How often a face is open between frames in which it is covered."""
    rows = np.array(frames)
    count = 0
    for run in np.split(rows, np.flatnonzero(np.diff(rows[:, 0]) != 1) + 1):
        covered = np.flatnonzero(run[:, 1] == 0)
        if len(covered):
            between = run[covered[0] : covered[-1] + 1, 1]
            count += int((np.diff(between) == 1).sum())
    return count


def measured(film: Film, looked: NDArray[np.bool_]) -> Score:
    """The score of the tracker where it was looked for faces in these frames."""
    start = time.process_time()
    tracks = film.follow(looked)
    seconds = time.process_time() - start
    faces = faces_by_frame(tracks.frames, tracks.boxes, tracks.scores)
    result = score(film, faces)
    result.seconds, result.looks = seconds, int(looked.sum())
    return result


def alone(film: Film) -> Score:
    """The score of each frame by itself."""
    finds = picked(film.finds, film.finds.is_sure)
    result = score(film, faces_by_frame(finds.frames, finds.boxes, finds.scores))
    result.looks = film.count
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--accuracy", choices=ACCURACIES, default="balanced")
    parser.add_argument("--cache", type=Path, help="where finds are kept")
    parser.add_argument("--films", nargs="*", help="only these")
    args = parser.parse_args()
    cv2.setNumThreads(1)

    ways: dict[str, Callable[[Film], Score]] = {
        "each frame alone": alone,
        "followed": lambda film: measured(film, looks_every(film, 1)),
        "followed, on demand": lambda film: measured(film, looks_on_demand(film)),
        "followed, ten looks": lambda film: measured(
            film, looks_every(film, stride(film.rate))
        ),
    }
    films = [
        path
        for path in sorted(args.folder.iterdir())
        if path.suffix in SUFFIXES and path.with_suffix(".json").exists()
        if not args.films or path.stem in args.films
    ]
    total = {way: Score() for way in ways}
    columns = "% open", ">=32 px", "blinks", "% lost", "% looks", "ms"
    head = " " * 21 + "".join(f"{column:>8}" for column in columns)
    camera_seconds = 0.0
    for path in films:
        film = opened(path, args.accuracy, args.cache)
        camera_seconds += film.camera_seconds
        print(f"\n{film.name} ({film.count} frames)\n{head}")
        for way, measure in ways.items():
            result = measure(film)
            total[way].add(result)
            print(f"{way:21} {result}")
    print(f"\nall\n{head}")
    for way, result in total.items():
        print(f"{way:21} {result}")
    frames = max(total["followed"].frames, 1)
    print(f"camera: {1000 * camera_seconds / frames:.2f} ms a frame")


if __name__ == "__main__":
    main()
