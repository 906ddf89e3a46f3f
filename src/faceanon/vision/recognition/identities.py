"""Who is the same person all over a run: people without names, and their disguises."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from faceanon.boxes import content_digest
from faceanon.model import Face, Image
from faceanon.vision.recognition.embedding import SIZE, Embedding, direction
from faceanon.vision.recognition.quality import MET, look

SAME = 0.45
"""From this similarity to somebody on, a face is theirs; measured in
`docs/methods/emoji.md`."""

# Keeps the disguises apart from all else that is drawn from a seed.
_PURPOSE = int.from_bytes(b"crowd", "big")

# Places in a picture are told by so many parts of its width and height: few faces pass
# from one to another where boxes are a pixel off, as on another processor. An odd
# number, so that no border runs through the middle, where portraits have theirs.
_PARTS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """A clear face in a picture.

    Attributes:
        place: in which part of the picture's width and height its middle lies.
        embedding: what it is recognised by.
    """

    place: tuple[int, int]
    embedding: Embedding


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The clear faces of one picture.

    Attributes:
        content: `boxes.content_digest` of the picture.
        sights: the faces; in several frames, those of one after those of the other.
    """

    content: str
    sights: Sequence[Sight]


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """The people of a run, and the disguise of each.

    It holds what they can be recognised by: it stays in memory.

    Attributes:
        directions: the mean direction of each person's embeddings, of length 1; shape
            (people, 128).
        disguises: the disguise of each person; shape (people,).
    """

    directions: NDArray[np.float32]
    disguises: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        scenes: Iterable[Scene],
        disguises: int,
        seed: int | None,
        same: float = SAME,
    ) -> Self:
        """The people in pictures.

        The leader algorithm (J. A. Hartigan, "Clustering Algorithms", 1975) with
        running means: each face joins the person whom it resembles most, or if it
        resembles nobody well enough, is a new one. So people stay who they are when
        pictures are added at the end.

        What somebody wears is drawn by the picture in which they are first met, and
        where in it, whoever else there is: one person more or less, by a picture added
        or a number rounded in another way, changes the disguises of few others.

        Args:
            scenes: in an order that is the same in each run.
            disguises: how many there are. The first so many people get different ones,
                the next ones at least others than those whom they are first met with.
            seed: what the disguises are drawn by, too; without one, whoever has the
                pictures can know them.
            same: the similarity from which on a face joins a person, -1 to 1.
        """
        totals = _Totals(same)
        worn: list[int] = []
        for scene in scenes:
            people = [totals.add(direction(each.embedding)) for each in scene.sights]
            known = {person for person in people if person < len(worn)}
            here = Counter(worn[person] for person in known)
            for person, sight in zip(people, scene.sights, strict=True):
                if person == len(worn):
                    order = _order(scene.content, sight.place, disguises, seed)
                    chosen = min(order, key=lambda it: (here[it], it in worn))
                    worn.append(chosen)
                    here[chosen] += 1
        return cls(totals.directions, np.array(worn, np.intp))

    def disguised(self, image: Image, faces: Sequence[Face]) -> tuple[Face, ...]:
        """The faces, each that is clear with the disguise of its person.

        Args:
            image: shape (H, W, 3), BGR, uint8.
            faces: in the image.
        """
        return tuple(
            replace(face, disguise=self._disguise(_clear(image, face)))
            for face in faces
        )

    def _disguise(self, embedding: Embedding | None) -> int | None:
        if embedding is None or not len(self.directions):
            return None
        # Each clear face has made one of the people, or joined one.
        return int(self.disguises[np.argmax(self.directions @ direction(embedding))])


def disguised_alone(
    image: Image, faces: Sequence[Face], disguises: int, seed: int | None
) -> tuple[Face, ...]:
    """The faces of an image that is no part of a run; see `Crowd`.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        faces: in the image.
        disguises: how many there are.
        seed: what they are drawn by, too.
    """
    scene = Scene(content_digest(image.tobytes()), sights(image, faces))
    return Crowd.of([scene], disguises, seed).disguised(image, faces)


def sights(image: Image, faces: Iterable[Face]) -> tuple[Sight, ...]:
    """Those faces of an image that are clear, from left to right.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        faces: in the image, in any order: that by score changes with the processor.
    """
    in_order = sorted(faces, key=lambda face: (face.box.left, face.box.top))
    seen = ((face, _clear(image, face)) for face in in_order)
    return tuple(
        Sight(_place(image, face), embedding)
        for face, embedding in seen
        if embedding is not None
    )


def _place(image: Image, face: Face) -> tuple[int, int]:
    """See `Sight.place`."""
    height, width = image.shape[:2]
    x, y = (face.box.left + face.box.right) / 2, (face.box.top + face.box.bottom) / 2
    column, row = int(_PARTS * x / width), int(_PARTS * y / height)
    return min(max(column, 0), _PARTS - 1), min(max(row, 0), _PARTS - 1)


def _order(
    content: str, place: tuple[int, int], disguises: int, seed: int | None
) -> list[int]:
    """All disguises, in the order of who is first met there."""
    secret = () if seed is None else (seed,)
    rng = np.random.default_rng([*secret, _PURPOSE, int(content, 16), *place])
    return [int(each) for each in rng.permutation(disguises)]


def _clear(image: Image, face: Face) -> Embedding | None:
    seen = look(image, face, MET)
    return None if seen.problem else seen.embedding


class _Totals:
    """The sums of the directions of each person's faces, in an array that grows."""

    def __init__(self, same: float) -> None:
        self._same = same
        self._sums = np.zeros((16, SIZE), np.float32)
        self._directions = np.zeros((16, SIZE), np.float32)
        self._count = 0

    @property
    def directions(self) -> NDArray[np.float32]:
        """The mean directions, of length 1; shape (people, 128)."""
        return self._directions[: self._count].copy()

    def add(self, face: Embedding) -> int:
        """Add a face to the person whom it resembles most, or as a new one.

        Returns:
            The number of the person; of a new one, how many there were.
        """
        similar = self._directions[: self._count] @ face
        if self._count and similar.max() >= self._same:
            person = int(similar.argmax())
        else:
            person = self._count
            self._count += 1
            if self._count > len(self._sums):
                self._sums = np.concatenate((self._sums, np.zeros_like(self._sums)))
                self._directions = np.concatenate(
                    (self._directions, np.zeros_like(self._directions))
                )
        self._sums[person] += face
        self._directions[person] = direction(self._sums[person])
        return person
