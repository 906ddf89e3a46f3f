"""Measure how well people keep their disguise over a folder, at every similarity.

    python benchmarks/crowd.py IDENTITIES.json IMAGES STRANGERS

IDENTITIES.json and IMAGES are those of `people.py`: each photograph of a person is met
as it is, in grey, and smaller. All of these are put into one folder, so to speak, with
the clear faces of STRANGERS, a folder of pictures of other people, in random orders.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from people import SAME_PHOTOGRAPH, looks, read, shots

from faceanon.people.crowd import Crowd
from faceanon.people.embedding import Embedding, direction

THRESHOLDS = (0.33, 0.36, 0.40, 0.42, 0.45, 0.50, 0.55, 0.60)
ORDERS = 10
DISGUISES = 16


def friends(
    identities: dict[str, list[str]], images: Path
) -> list[tuple[str, Embedding]]:
    """Clear faces of known people, each photograph in several ways."""
    return [
        (name, look.embedding)
        for name, files in identities.items()
        for shot in shots([images / file for file in files])
        for _, look in shot.met
        if look.embedding is not None and not look.problem
    ]


def strangers(folder: Path) -> list[tuple[str, Embedding]]:
    """Clear faces, each with its picture."""
    return [
        (str(path), look.embedding)
        for path in sorted(each for each in folder.rglob("*") if each.is_file())
        for _, look in looks(read(path))
        if look.embedding is not None and not look.problem
    ]


def shares(names: list[str], wearing: np.ndarray) -> tuple[float, float]:
    """Of the pairs of one person, and of two: how many wear the same."""
    who = np.array(names)
    pairs = np.triu_indices(len(who), 1)
    is_one = (who[:, None] == who)[pairs]
    is_same = (wearing[:, None] == wearing)[pairs]
    return float(is_same[is_one].mean()), float(is_same[~is_one].mean())


def joined(pictures: list[str], person: np.ndarray) -> float:
    """The share of faces that are taken for somebody of another picture."""
    picture = np.array(pictures)
    is_elsewhere = picture[:, None] != picture
    return float(((person[:, None] == person) & is_elsewhere).any(axis=1).mean())


def confused(pictures: list[str], person: np.ndarray) -> float:
    """Of the pairs of strangers in one picture: how many are taken for one person."""
    return shares(pictures, person)[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("identities", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("strangers", type=Path)
    args = parser.parse_args()

    cv2.setNumThreads(1)
    known = friends(json.loads(args.identities.read_text()), args.images)
    others = strangers(args.strangers)
    names, pictures = [name for name, _ in known], [name for name, _ in others]
    faces = np.array([direction(face) for _, face in known + others])
    print(f"{len(known)} faces of {len(set(names))} people, {len(others)} of strangers")
    print(f"(two files are one photograph from {SAME_PHOTOGRAPH} on)")
    print("similarity: one person, one emoji; two, one; strangers joined; two of one")
    print("picture joined; people")
    for same in THRESHOLDS:
        rows = []
        for seed in range(ORDERS):
            order = np.random.default_rng(seed).permutation(len(faces))
            crowd = Crowd.of(faces[order], DISGUISES, seed, same)
            person = (faces @ crowd.directions.T).argmax(axis=1)
            kept, shared = shares(names, crowd.disguises[person[: len(known)]])
            strange = joined(pictures, person[len(known) :])
            pair = confused(pictures, person[len(known) :])
            rows.append((kept, shared, strange, pair, len(crowd.directions)))
        kept, shared, strange, pair, people = np.mean(rows, axis=0)
        print(f"{same:.2f}: {kept:.3f} {shared:.3f} {strange:.3f} {pair:.4f} {people}")
    chosen = []
    for seed in range(ORDERS):
        random = np.random.default_rng(seed).normal(size=(DISGUISES, faces.shape[1]))
        random /= np.linalg.norm(random, axis=1)[:, None]
        chosen.append(shares(names, (faces @ random.T).argmax(axis=1)[: len(known)]))
    kept, shared = np.mean(chosen, axis=0)
    print(f"the nearest of {DISGUISES} random directions: {kept:.3f} {shared:.3f}")


if __name__ == "__main__":
    main()
