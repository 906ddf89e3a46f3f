"""Measure how well people are told apart, at every similarity.

    python benchmarks/people.py PEOPLE [--groups GROUPS.json] [--strangers FOLDER]

PEOPLE is a folder of one folder a person, as Labeled Faces in the Wild has it, or a
JSON file that holds, by name, the files of a person's pictures, below its folder. Each
good picture is compared with the person that one, two or three of the others make, so a
friend is met, and with each other person's pictures, so a stranger is. Those whose file
shows the same photograph are left out. GROUPS.json holds, by name, a person's group,
such as "women": strangers of one group are counted by themselves, too. FOLDER holds
pictures of other people: every clear face in it is somebody, met by all the others.

Each row tells how many comparisons it is made of; the second line, what share of all
comparisons it may be by this number (Wilson's upper bound, 95 %). Those of one person
are not independent: where people are few, the truth may lie beyond it.
"""

import argparse
import json
import math
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

THRESHOLDS = (0.20, 0.25, 0.33, 0.36, 0.40, 0.42, 0.45, 0.47, 0.50, 0.55, 0.60, 0.70)

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
    if not np.array_equal(grey, image):
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


People = dict[str, list[Shot]]


def people_of(path: Path) -> People:
    """The people of a folder of folders, or of a JSON file."""
    if path.is_dir():
        files = {
            folder.name: sorted(each for each in folder.iterdir() if each.is_file())
            for folder in sorted(path.iterdir())
            if folder.is_dir()
        }
    else:
        files = {
            name: [path.parent / each for each in names]
            for name, names in json.loads(path.read_text()).items()
        }
    return {name: shots(paths) for name, paths in files.items()}


def friends(people: People) -> dict[tuple[str, int], list[tuple[float, bool]]]:
    """Similarity to oneself and clearness, by how one is shown and by references."""
    found: dict[tuple[str, int], list[tuple[float, bool]]] = defaultdict(list)
    for own in people.values():
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


def among(people: People, names: Sequence[str]) -> Floats:
    """Similarities of clear pictures, as they are, to those of each other person."""
    of, references, probes, of_probes = [], [], [], []
    for number, name in enumerate(names):
        for shot in people[name]:
            of.append(number)
            references.append(direction(shot.reference))
            kind, probe = shot.probes[0] if shot.probes else ("", None)
            if kind == "as it is" and probe and not probe.problem:
                assert probe.embedding is not None, "assessed() gives no other"
                of_probes.append(number)
                probes.append(direction(probe.embedding))
    if not probes:
        return np.zeros(0, np.float32)
    similar: Floats = np.array(references) @ np.array(probes).T
    others: Floats = similar[np.array(of)[:, None] != np.array(of_probes)[None, :]]
    return others


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
    parser.add_argument("people", type=Path)
    parser.add_argument("--groups", type=Path, help="JSON: a group by name")
    parser.add_argument("--strangers", type=Path, help="a folder of other people")
    args = parser.parse_args()

    cv2.setNumThreads(1)
    people = people_of(args.people)
    print(f"{sum(map(len, people.values()))} photographs of {len(people)} people")
    print(f"{'similarity':64}" + "".join(f"{each:9.2f}" for each in THRESHOLDS))
    for (kind, count), pairs in friends(people).items():
        similar = np.array([similarity for similarity, _ in pairs], np.float32)
        clear = np.array([is_clear for _, is_clear in pairs])
        who = f"friend, {kind}, {count} references"
        tell(
            f"{who}: hidden by --except",
            [~((similar >= t) & clear) for t in THRESHOLDS],
        )
        tell(f"{who}: left by --only", [(similar < t) & clear for t in THRESHOLDS])
    shown(f"stranger among {len(people)} people", among(people, list(people)))
    by_group: dict[str, list[str]] = defaultdict(list)
    for name, group in (
        json.loads(args.groups.read_text()) if args.groups else {}
    ).items():
        by_group[group].append(name)
    for group, names in by_group.items():
        shown(f"stranger among {len(names)} {group}", among(people, names))
    if args.strangers:
        similar, clear, together = strangers(args.strangers)
        shown("clear stranger", similar[clear])
        shown("clear stranger in the same picture", together)


def shown(who: str, similar: Floats) -> None:
    """How many strangers `--except` shows, and `--only` hides."""
    tell(f"{who}: shown", [similar >= t for t in THRESHOLDS])


def tell(title: str, cases: Sequence[Mask]) -> None:
    """Two lines of the table: shares, and what they may be at most."""
    count = len(cases[0])
    if not count:
        return
    shares = [float(case.mean()) for case in cases]
    print(f"{f'{title} ({count})':64}" + "".join(f"{each:9.5f}" for each in shares))
    most = [at_most(share, count) for share in shares]
    print(f"{'':64}" + "".join(f"<{each:8.5f}" for each in most))


def at_most(share: float, count: int) -> float:
    """The upper bound of a share, 95 % sure.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical
    Inference", 1927, one-sided: of none in n it makes 2.7 / n.
    """
    z = 1.645
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    return (middle + spread) / (1 + z * z / count)


if __name__ == "__main__":
    main()
