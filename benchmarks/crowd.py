"""Measure how well people keep their disguise over a folder.

    python benchmarks/crowd.py IDENTITIES.json IMAGES STRANGERS

IDENTITIES.json and IMAGES are those of `people.py`: each photograph of a person is met
as it is, in grey, and smaller. All of these are put into one folder, so to speak, with
STRANGERS, a folder of pictures of other people, in random orders, and told apart at
every similarity.

Then, with STRANGERS alone: how many faces keep their disguise when the networks are run
by another engine, and when a picture is added or taken away.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path

import cv2
import numpy as np
from people import SAME_PHOTOGRAPH, read, shots

from faceanon.boxes import content_digest
from faceanon.vision import detection as detectors
from faceanon.vision import inference
from faceanon.vision.recognition.embedding import Embedding, direction
from faceanon.vision.recognition.identities import Crowd, Scene, Sight, sights

THRESHOLDS = (0.33, 0.36, 0.40, 0.42, 0.45, 0.50, 0.55, 0.60)
ORDERS = 10
DISGUISES = 16


def friends(identities: dict[str, list[str]], images: Path) -> list[tuple[str, Scene]]:
    """Known people, each photograph in several ways, in scenes of their own."""
    return [
        (name, _alone(look.embedding))
        for name, files in identities.items()
        for shot in shots([images / file for file in files])
        for _, look in shot.met
        if look.embedding is not None and not look.problem
    ]


def _alone(embedding: Embedding) -> Scene:
    content = blake2b(embedding.tobytes(), digest_size=16).hexdigest()
    return Scene(content, (Sight((0, 0), embedding),))


def strangers(folder: Path) -> list[Scene]:
    """The clear faces of all pictures that have any, by the names of these."""
    return [scene for scene in _scenes(folder) if scene.sights]


def _scenes(folder: Path) -> Iterator[Scene]:
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        image = read(path)
        faces = detectors.make("centerface")(image)
        yield Scene(content_digest(path.read_bytes()), sights(image, faces))


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


def directions(scenes: list[Scene]) -> np.ndarray:
    """Of all faces; shape (faces, 128)."""
    return np.array([direction(each.embedding) for it in scenes for each in it.sights])


def nearest(crowd: Crowd, faces: np.ndarray) -> np.ndarray:
    """The person of each face, by its direction."""
    return np.asarray((faces @ crowd.directions.T).argmax(axis=1))


def told_apart(known: list[tuple[str, Scene]], others: list[Scene]) -> None:
    """Print who keeps a disguise, and who is taken for whom, at every similarity."""
    names, scenes = [name for name, _ in known], [scene for _, scene in known] + others
    pictures = [scene.content for scene in others for _ in scene.sights]
    faces = directions(scenes)
    print(f"{len(names)} faces of {len(set(names))} people, {len(pictures)} of others")
    print(f"(two files are one photograph from {SAME_PHOTOGRAPH} on)")
    print("similarity: one person, one emoji; two, one; strangers joined; two of one")
    print("picture joined; people")
    for same in THRESHOLDS:
        rows = []
        for seed in range(ORDERS):
            order = np.random.default_rng(seed).permutation(len(scenes))
            crowd = Crowd.of((scenes[it] for it in order), DISGUISES, seed, same)
            person = nearest(crowd, faces)
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


def steady(scenes: list[Scene], by_other_engine: list[Scene], newcomer: Scene) -> None:
    """Print how many faces keep their disguise in another run."""
    changes: dict[str, Callable[[np.random.Generator], list[Scene]]] = {
        "run by the other engine": lambda rng: by_other_engine,
        "a picture of one person comes first": lambda rng: [newcomer, *scenes],
        "the first picture is taken away": lambda rng: scenes[1:],
        "a picture is taken away": lambda rng: _without(scenes, 1, rng),
        "a tenth of the pictures is taken away": lambda rng: _without(
            scenes, len(scenes) // 10, rng
        ),
    }
    for change, changed in changes.items():
        kept = []
        for seed in range(ORDERS):
            after = changed(np.random.default_rng(seed))
            kept.append(_kept(scenes, after, seed))
        print(f"{change}: {np.mean(kept):.3f} keep their disguise")


def _without(scenes: list[Scene], count: int, rng: np.random.Generator) -> list[Scene]:
    gone = set(rng.choice(len(scenes), count, replace=False))
    return [scene for number, scene in enumerate(scenes) if number not in gone]


def _kept(before: list[Scene], after: list[Scene], seed: int) -> float:
    """The share of the faces in both runs that wear the same in both."""
    worn_before = _worn(before, Crowd.of(before, DISGUISES, seed))
    worn_after = _worn(after, Crowd.of(after, DISGUISES, seed))
    is_same = []
    for content, (faces, worn) in worn_before.items():
        others, worn_by_others = worn_after.get(content, (faces[:0], worn[:0]))
        for face, own in zip(faces, worn, strict=True):
            similar = others @ face
            # Engines do not agree on the last pixel of a face, but on whose it is.
            if len(similar) and similar.max() > SAME_PHOTOGRAPH:
                is_same.append(own == worn_by_others[similar.argmax()])
    return float(np.mean(is_same))


def _worn(
    scenes: list[Scene], crowd: Crowd
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By picture, the directions of its faces, and what each wears."""
    faces = {scene.content: directions([scene]) for scene in scenes}
    return {
        content: (here, crowd.disguises[nearest(crowd, here)])
        for content, here in faces.items()
    }


def use(engine: str) -> None:
    """Run the networks by this engine from now on."""
    os.environ["FACEANON_INFERENCE"] = engine
    inference.load.cache_clear()
    detectors.make.cache_clear()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("identities", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("strangers", type=Path)
    args = parser.parse_args()

    cv2.setNumThreads(1)
    use("openvino")
    known = friends(json.loads(args.identities.read_text()), args.images)
    others = strangers(args.strangers)
    told_apart(known, others)
    use("opencv")
    steady(others, strangers(args.strangers), known[0][1])


if __name__ == "__main__":
    main()
