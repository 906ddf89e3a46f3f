"""Measure how well people are told apart, at every similarity.

    python benchmarks/people.py IDENTITIES.json IMAGES [--strangers FOLDER]

IDENTITIES.json holds, by name, the file names of a person's pictures. Each good picture
is compared with the person that one, two or three of the others make: so a friend is
met. Those whose file shows the same photograph are left out. STRANGERS is a folder of
pictures of other people: every clear face in it is somebody, met by all the others.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Face, Image
from faceanon.vision import detection
from faceanon.vision.recognition.embedding import Embedding, direction
from faceanon.vision.recognition.gallery import Person
from faceanon.vision.recognition.quality import (
    ENROLMENT,
    PROBE,
    Assessment,
    Requirement,
    assess,
)

THRESHOLDS = (0.20, 0.25, 0.30, 0.33, 0.36, 0.40, 0.42, 0.46, 0.50, 0.55, 0.60, 0.70)

# Faces of friends are shown anew at these widths, in pixels.
WIDTHS = (48, 32, 24, 16)

# From this similarity on, two files show one photograph, cut or scaled.
SAME_PHOTOGRAPH = 0.9

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def read(path: Path) -> Image:
    """A picture; raises ValueError where it is none."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} is no picture that OpenCV reads")
    return image


def assessed(
    image: Image, requirement: Requirement = PROBE
) -> Iterator[tuple[Face, Assessment]]:
    """The faces of a picture that have an embedding, the largest first."""
    (faces,) = detection.make("centerface")([image])
    for face in sorted(faces, key=lambda face: -face.box.width):
        seen = assess(image, face, requirement)
        if seen.embedding is not None:
            yield face, seen


def variants(image: Image, face: Face) -> Iterator[tuple[str, Image]]:
    """A picture in other ways: smaller, and grey."""
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    yield "as it is", image
    yield "grey", grey
    for width in WIDTHS:
        scale = width / face.box.width
        if scale < 1:
            yield (
                f"{width} pixels wide",
                cv2.resize(
                    image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
                ),
            )


@dataclass(frozen=True)
class Shot:
    """A photograph of a person: as a reference, and in the ways it may be met."""

    reference: Embedding
    probes: list[tuple[str, Assessment]]


def shots(paths: Sequence[Path]) -> list[Shot]:
    """Those pictures of a person that would do as references, each photograph once."""
    taken: list[Shot] = []
    for path in paths:
        image = read(path)
        for face, seen in islice(assessed(image, ENROLMENT), 1):
            if seen.embedding is None or seen.problem:
                continue
            person = Person.of("", [seen.embedding])
            similar = (person.similarity(shot.reference) for shot in taken)
            if any(each > SAME_PHOTOGRAPH for each in similar):
                continue
            probes = [
                (kind, probe)
                for kind, other in variants(image, face)
                for _, probe in islice(assessed(other), 1)
            ]
            taken.append(Shot(seen.embedding, probes))
    return taken


def friends(
    identities: dict[str, list[str]], images: Path
) -> dict[tuple[str, int], list[tuple[float, bool]]]:
    """Similarity to oneself and clearness, by how one is shown and by references."""
    found: dict[tuple[str, int], list[tuple[float, bool]]] = defaultdict(list)
    for names in identities.values():
        own = shots([images / name for name in names])
        for shot in own:
            others = [other.reference for other in own if other is not shot]
            for count in range(1, min(3, len(others)) + 1):
                for chosen in combinations(others, count):
                    person = Person.of("", chosen)
                    for kind, probe in shot.probes:
                        assert probe.embedding is not None, "assessed() gives no other"
                        similar = person.similarity(probe.embedding)
                        found[kind, count].append((similar, not probe.problem))
    return found


def strangers(folder: Path) -> tuple[Floats, Mask, Floats]:
    """Similarities of faces that would do as references to those of others.

    Returns:
        To faces of other pictures; which of those are clear; and to clear faces of the
        same picture.
    """
    names, boxes, vectors, clear, enrolled = [], [], [], [], []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        image = read(path)
        for face, seen in assessed(image):
            assert seen.embedding is not None, "assessed() gives no other"
            names.append(str(path))
            boxes.append(face.box)
            vectors.append(direction(seen.embedding))
            clear.append(not seen.problem)
            reference = assess(image, face, ENROLMENT)
            enrolled.append(reference.embedding is not None and not reference.problem)
    print(f"{sum(enrolled)} references, {sum(clear)} clear faces of {len(clear)}")
    directions, is_clear = np.array(vectors), np.array(clear)
    apart, is_apart_clear, together = [], [], []
    for number in np.flatnonzero(enrolled):
        similar = directions @ directions[number]
        elsewhere = np.array([name != names[number] for name in names])
        apart.append(similar[elsewhere])
        is_apart_clear.append(is_clear[elsewhere])
        near = [
            other
            for other in np.flatnonzero(~elsewhere & is_clear)
            if other != number and not boxes[other].shared(boxes[number])
        ]
        together.append(similar[near])
    return (
        np.concatenate(apart),
        np.concatenate(is_apart_clear),
        np.concatenate(together),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("identities", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--strangers", type=Path, help="a folder of other people")
    args = parser.parse_args()

    cv2.setNumThreads(1)
    print(row("similarity", THRESHOLDS))
    for (kind, count), pairs in friends(
        json.loads(args.identities.read_text()), args.images
    ).items():
        similar = np.array([similarity for similarity, _ in pairs])
        clear = np.array([is_clear for _, is_clear in pairs])
        who = f"friend, {kind}, {count} references ({len(pairs)})"
        hidden = [1 - ((similar >= t) & clear).mean() for t in THRESHOLDS]
        print(row(f"{who}: hidden by --except", hidden))
        left = [((similar < t) & clear).mean() for t in THRESHOLDS]
        print(row(f"{who}: left by --only", left))
    if args.strangers:
        similar, clear, together = strangers(args.strangers)
        shown = [((similar >= t) & clear).mean() for t in THRESHOLDS]
        print(row(f"stranger ({len(similar)}): shown by --except", shown))
        shown = [(similar[clear] >= t).mean() for t in THRESHOLDS]
        print(row(f"clear stranger ({clear.sum()}): shown, hidden by --only", shown))
        shown = [(together >= t).mean() for t in THRESHOLDS]
        print(row(f"clear, of one picture ({len(together)}): shown", shown))


def row(title: str, shares: Sequence[float]) -> str:
    """A line of the table."""
    return f"{title:64}" + "".join(f"{share:9.5f}" for share in shares)


if __name__ == "__main__":
    main()
