"""Measure a detector on pictures with known faces.

    python benchmarks/accuracy.py GT.json IMAGES [--no-faces FOLDER] [--accuracy LEVEL]

GT.json holds, by file name, the list of a picture's faces: `box`, [left, top, width,
height] in pixels; `ignore`, whether it counts for nothing; and `attrs.subset`, the
names of the subsets "easy", "medium" and "hard" of WIDER FACE that it belongs to.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Cover, Face, Image
from faceanon.vision import detection
from faceanon.vision.detection.levels import ACCURACIES
from faceanon.vision.detection.threshold import Threshold

SUBSETS = ("easy", "medium", "hard")

# Faces smaller than this, in pixels, cannot be told from each other.
SMALLEST = 16

# A face is hidden when this share of its annotated box is covered.
HIDDEN = 0.8

# What is covered near a face, within its box grown by this, is not lost for nothing.
NEAR = 1.6

# Everything a detector knows, for the precision at each of its scores.
LEAST_SCORE = 0.01

SIZES = ((16, 32), (32, 64), (64, 128), (128, 1 << 30))

Boxes = NDArray[np.float64]


@dataclass
class Tally:
    """What is counted over all pictures at one threshold and one cover."""

    pictures: int = 0
    with_one_left: int = 0
    lost: float = 0
    faces: dict[tuple[int, int], int] = field(
        default_factory=lambda: dict.fromkeys(SIZES, 0)
    )
    hidden: dict[tuple[int, int], int] = field(
        default_factory=lambda: dict.fromkeys(SIZES, 0)
    )

    def add(
        self, image: Image, faces: Sequence[Face], truth: list[Any], cover: Cover
    ) -> None:
        """Count one picture."""
        covered = np.zeros(image.shape[:2], bool)
        for face in faces:
            covered[cover.box(face, image).slices] |= cover.mask(face, image)
        far, left = np.ones_like(covered), False
        for known in truth:
            x, y, width, height = (round(side) for side in known["box"])
            dx, dy = int(width * (NEAR - 1) / 2), int(height * (NEAR - 1) / 2)
            far[max(y - dy, 0) : y + height + dy, max(x - dx, 0) : x + width + dx] = (
                False
            )
            if known["ignore"] or min(width, height) < SMALLEST:
                continue
            inside = covered[max(y, 0) : y + height, max(x, 0) : x + width]
            ok = bool(inside.mean() >= HIDDEN)
            size = next(size for size in SIZES if min(width, height) < size[1])
            self.faces[size] += 1
            self.hidden[size] += ok
            left |= not ok
        self.pictures += 1
        self.with_one_left += left
        self.lost += float((covered & far).mean())

    def lines(self) -> list[str]:
        """The figures, for people."""
        rows = [
            f"  from {low} px on: {self.hidden[low, high]} of {count}"
            for (low, high), count in self.faces.items()
        ]
        share = sum(self.hidden.values()) / max(sum(self.faces.values()), 1)
        return [
            f"hidden faces of {SMALLEST} px and more: {share:.4f}",
            *rows,
            f"pictures with one left open: {self.with_one_left / self.pictures:.4f}",
            f"area lost for nothing: {self.lost / self.pictures:.5f}",
        ]


def average_precision(pictures: list[tuple[Boxes, list[Any]]], subset: str) -> float:
    """Average precision by the protocol of WIDER FACE.

    S. Yang, P. Luo, C. C. Loy and X. Tang, "WIDER FACE: A Face Detection Benchmark",
    CVPR 2016. A find belongs to the annotated face that it overlaps most, from an
    intersection over union of 0.5 on. One on a face outside of the subset counts
    neither for nor against; a second one on the same face counts against. Areas count
    the pixel at both ends, as the annotations do.

    Args:
        pictures: of each, the finds, shape (N, 5): left, top, width, height, score; and
            the annotated faces.
        subset: "easy", "medium" or "hard".
    """
    scores, right, faces = [], [], 0
    for finds, truth in pictures:
        wanted = [subset in known["attrs"]["subset"] for known in truth]
        faces += sum(wanted)
        boxes = np.array([known["box"] for known in truth], float).reshape(-1, 4)
        taken = set()
        for find in finds[np.argsort(-finds[:, 4], kind="stable")]:
            shares = overlaps(find[:4], boxes)
            best = int(shares.argmax()) if len(shares) else -1
            is_face = best >= 0 and shares[best] >= 0.5
            if is_face and not wanted[best]:
                continue
            scores.append(find[4])
            right.append(is_face and best not in taken)
            if is_face:
                taken.add(best)
    order = np.argsort(-np.array(scores), kind="stable")
    found = np.cumsum(np.array(right)[order])
    recall = found / max(faces, 1)
    precision = found / np.arange(1, len(found) + 1)
    # The best precision at this recall or a higher one.
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0) * envelope))


def overlaps(box: Boxes, boxes: Boxes) -> Boxes:
    """Intersection over union of (left, top, width, height), ends counted."""
    starts = np.maximum(box[:2], boxes[:, :2])
    ends = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:])
    shared = np.maximum(ends - starts + 1, 0).prod(axis=1)
    areas = (boxes[:, 2:] + 1).prod(axis=1) + (box[2:] + 1).prod()
    return np.asarray(shared / (areas - shared))


def as_row(face: Face) -> list[float]:
    """A face as the protocol wants it."""
    box = face.box
    return [box.left, box.top, box.width, box.height, face.score]


def read(path: Path) -> Image:
    """A picture; raises ValueError where it is none."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} is no picture that OpenCV reads")
    return image


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("truth", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--no-faces", type=Path, help="a folder without faces")
    parser.add_argument("--detector", choices=detection.names(), default="centerface")
    parser.add_argument("--accuracy", choices=ACCURACIES, default="balanced")
    parser.add_argument("--min-score", type=float, help="default: the detector's own")
    parser.add_argument("--grow", type=float, default=Cover().grow)
    parser.add_argument("--every", type=int, default=1, help="take one in so many")
    args = parser.parse_args()

    cv2.setNumThreads(1)
    detector = detection.make(args.detector, args.accuracy)
    truth = json.loads(args.truth.read_text())
    threshold = detector.threshold
    if args.min_score is not None:
        threshold = Threshold(args.min_score)
    tallies, seconds, pictures = (Tally(), Tally(), Tally()), [], []
    for number, name in enumerate(sorted(truth)[:: args.every]):
        image = read(args.images / name)
        start = time.process_time()
        (finds,) = detector([image], min(LEAST_SCORE, threshold.lowest))
        seconds.append(time.process_time() - start)
        faces, _ = threshold.split(finds)
        for tally in (tallies[0], tallies[1 + number % 2]):
            tally.add(image, faces, truth[name], Cover(args.grow))
        rows = [as_row(face) for face in finds if face.score >= LEAST_SCORE]
        pictures.append((np.array(rows).reshape(-1, 5), truth[name]))
    print(f"{args.detector}, {args.accuracy}")
    halves = (pictures, pictures[::2], pictures[1::2])
    for which, some, tally in zip(
        ("all", "the first, third, ... by name", "the others"),
        halves,
        tallies,
        strict=True,
    ):
        print(f"{which}: {len(some)} pictures")
        for subset in SUBSETS:
            print(f"AP {subset}: {average_precision(some, subset):.4f}")
        print(*tally.lines(), sep="\n")
    print(f"processor seconds a picture, detection alone: {np.mean(seconds):.4f}")
    if args.no_faces:
        others = sorted(args.no_faces.iterdir())
        found = {
            path.name: detector([read(path)], args.min_score)[0] for path in others
        }
        alarms = [name for name, faces in found.items() if faces]
        print(f"alarms in {len(alarms)} of {len(others)} pictures without faces:")
        print(*(f"  {name} {len(found[name])}" for name in alarms), sep="\n")


if __name__ == "__main__":
    main()
