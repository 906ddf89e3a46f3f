"""Measure how well people keep their pseudonym over a folder.

    python benchmarks/crowd.py PEOPLE STRANGERS

PEOPLE is that of `people.py`: each photograph of a person is met as it is, in grey, and
smaller. All of these are put into one folder, so to speak, with STRANGERS, a folder of
pictures of other people, in random orders, and told apart at every similarity.

Then, with STRANGERS alone: how many faces keep their pseudonym when the networks are
run by another engine, and when a picture is added or taken away.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path

import cv2
import numpy as np
from people import SAME_PHOTOGRAPH, People, people_of

from faceanon.boxes import content_digest
from faceanon.media.reading import open_clip
from faceanon.pipeline.find import find
from faceanon.requests.settings import make_settings
from faceanon.vision import detection, inference
from faceanon.vision.recognition.embedding import Embedding, direction
from faceanon.vision.recognition.identities import (
    Identities,
    Observation,
    ObservedPicture,
)

THRESHOLDS = (0.33, 0.36, 0.40, 0.42, 0.45, 0.50, 0.55, 0.60)
ORDERS = 10
SETTINGS = make_settings("emoji", {})
PSEUDONYMS = 16


def friends(people: People) -> list[tuple[str, ObservedPicture]]:
    """Known people, each photograph in several ways, in pictures of their own."""
    return [
        (name, _alone(probe.embedding))
        for name, taken in people.items()
        for shot in taken
        for _, probe in shot.probes
        if probe.embedding is not None and not probe.problem
    ]


def _alone(embedding: Embedding) -> ObservedPicture:
    content = blake2b(embedding.tobytes(), digest_size=16).hexdigest()
    return ObservedPicture(content, (Observation((0, 0), embedding),))


def strangers(folder: Path) -> list[ObservedPicture]:
    """The clear faces of all pictures that have any, by the names of these."""
    return [picture for picture in _observed(folder) if picture.observations]


def _observed(folder: Path) -> Iterator[ObservedPicture]:
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        with path.open("rb") as file:
            content = content_digest(file)
            with open_clip(file, SETTINGS.max_pixels) as clip:
                found = find(clip, path.name, content, None, SETTINGS, observes=True)
        yield ObservedPicture(content, found.observations)


def shares(names: list[str], pseudonyms: np.ndarray) -> tuple[float, float]:
    """Of the pairs of one person, and of two: how many have the same pseudonym."""
    who = np.array(names)
    pairs = np.triu_indices(len(who), 1)
    is_one = (who[:, None] == who)[pairs]
    is_same = (pseudonyms[:, None] == pseudonyms)[pairs]
    return float(is_same[is_one].mean()), float(is_same[~is_one].mean())


def joined(pictures: list[str], person: np.ndarray) -> float:
    """The share of faces that are taken for somebody of another picture."""
    picture = np.array(pictures)
    is_elsewhere = picture[:, None] != picture
    return float(((person[:, None] == person) & is_elsewhere).any(axis=1).mean())


def confused(pictures: list[str], person: np.ndarray) -> float:
    """Of the pairs of strangers in one picture: how many are taken for one person."""
    return shares(pictures, person)[0]


def directions(pictures: list[ObservedPicture]) -> np.ndarray:
    """Of all faces; shape (faces, 128)."""
    return np.array(
        [direction(each.embedding) for it in pictures for each in it.observations]
    )


def nearest(people: Identities, faces: np.ndarray) -> np.ndarray:
    """The person of each face, by its direction."""
    return np.asarray((faces @ people.directions.T).argmax(axis=1))


def told_apart(
    known: list[tuple[str, ObservedPicture]], others: list[ObservedPicture]
) -> None:
    """Print who keeps a pseudonym, and who is taken for whom, at every similarity."""
    names = [name for name, _ in known]
    pictures = [picture for _, picture in known] + others
    places = [picture.content for picture in others for _ in picture.observations]
    faces = directions(pictures)
    print(f"{len(names)} faces of {len(set(names))} people, {len(places)} of others")
    print(f"(two files are one photograph from {SAME_PHOTOGRAPH} on)")
    print("similarity: one person, one emoji; two, one; strangers joined; two of one")
    print("picture joined; people")
    for same in THRESHOLDS:
        rows = []
        for seed in range(ORDERS):
            order = np.random.default_rng(seed).permutation(len(pictures))
            in_order = (pictures[it] for it in order)
            people = Identities.of(in_order, PSEUDONYMS, seed, same)
            person = nearest(people, faces)
            kept, shared = shares(names, people.pseudonyms[person[: len(known)]])
            strange = joined(places, person[len(known) :])
            pair = confused(places, person[len(known) :])
            rows.append((kept, shared, strange, pair, len(people.directions)))
        kept, shared, strange, pair, count = np.mean(rows, axis=0)
        print(f"{same:.2f}: {kept:.3f} {shared:.3f} {strange:.3f} {pair:.4f} {count}")
    chosen = []
    for seed in range(ORDERS):
        random = np.random.default_rng(seed).normal(size=(PSEUDONYMS, faces.shape[1]))
        random /= np.linalg.norm(random, axis=1)[:, None]
        chosen.append(shares(names, (faces @ random.T).argmax(axis=1)[: len(known)]))
    kept, shared = np.mean(chosen, axis=0)
    print(f"the nearest of {PSEUDONYMS} random directions: {kept:.3f} {shared:.3f}")


def steady(
    pictures: list[ObservedPicture],
    by_other_engine: list[ObservedPicture],
    newcomer: ObservedPicture,
) -> None:
    """Print how many faces keep their pseudonym in another run."""
    changes: dict[str, Callable[[np.random.Generator], list[ObservedPicture]]] = {
        "run by the other engine": lambda rng: by_other_engine,
        "a picture of one person comes first": lambda rng: [newcomer, *pictures],
        "the first picture is taken away": lambda rng: pictures[1:],
        "a picture is taken away": lambda rng: _without(pictures, 1, rng),
        "a tenth of the pictures is taken away": lambda rng: _without(
            pictures, len(pictures) // 10, rng
        ),
    }
    for change, changed in changes.items():
        kept = []
        for seed in range(ORDERS):
            after = changed(np.random.default_rng(seed))
            kept.append(_kept(pictures, after, seed))
        print(f"{change}: {np.mean(kept):.3f} keep their pseudonym")


def _without(
    pictures: list[ObservedPicture], count: int, rng: np.random.Generator
) -> list[ObservedPicture]:
    gone = set(rng.choice(len(pictures), count, replace=False))
    return [picture for number, picture in enumerate(pictures) if number not in gone]


def _kept(
    before: list[ObservedPicture], after: list[ObservedPicture], seed: int
) -> float:
    """The share of the faces in both runs that have the same pseudonym in both."""
    given_before, given_after = _given(before, seed), _given(after, seed)
    is_same = []
    for content, (faces, given) in given_before.items():
        others, given_to_others = given_after.get(content, (faces[:0], given[:0]))
        for face, own in zip(faces, given, strict=True):
            similar = others @ face
            # Engines do not agree on the last pixel of a face, but on whose it is.
            if len(similar) and similar.max() > SAME_PHOTOGRAPH:
                is_same.append(own == given_to_others[similar.argmax()])
    return float(np.mean(is_same))


def _given(
    pictures: list[ObservedPicture], seed: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By picture, the directions of its faces, and the pseudonym of each."""
    people = Identities.of(pictures, PSEUDONYMS, seed)
    faces = {picture.content: directions([picture]) for picture in pictures}
    return {
        content: (here, people.pseudonyms[nearest(people, here)])
        for content, here in faces.items()
    }


def use(engine: str) -> None:
    """Run the networks by this engine from now on."""
    os.environ["FACEANON_INFERENCE"] = engine
    inference.load.cache_clear()
    detection.make.cache_clear()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("people", type=Path)
    parser.add_argument("strangers", type=Path)
    args = parser.parse_args()

    cv2.setNumThreads(1)
    use("openvino")
    known = friends(people_of(args.people))
    others = strangers(args.strangers)
    told_apart(known, others)
    use("opencv")
    steady(others, strangers(args.strangers), known[0][1])


if __name__ == "__main__":
    main()
