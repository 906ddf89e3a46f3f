"""Who is the same person all over a run: people without names, and their disguises."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from faceanon.model import Face, Image
from faceanon.people.clarity import MET, look
from faceanon.people.embedding import SIZE, Embedding, direction

SAME = 0.45
"""From this similarity to somebody on, a face is theirs; measured in
`docs/methods/emoji.md`."""

# Keeps the order of the disguises apart from all else that is drawn from a seed.
_PURPOSE = int.from_bytes(b"crowd", "big")


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
        embeddings: Iterable[Embedding],
        disguises: int,
        seed: int | None,
        same: float = SAME,
    ) -> Self:
        """The people to whom embeddings belong.

        The leader algorithm (J. A. Hartigan, "Clustering Algorithms", 1975) with
        running means: each face joins the person whom it resembles most, or if it
        resembles nobody well enough, is a new one. So people stay who they are when
        faces are added at the end.

        Args:
            embeddings: of clear faces, in an order that is the same in each run.
            disguises: how many there are. The first so many people get different ones,
                the next ones share them evenly.
            seed: what the disguises are drawn by; without one, they come in an order
                that everybody can know.
            same: the similarity from which on a face joins a person, -1 to 1.
        """
        totals = _Totals(same)
        for embedding in embeddings:
            totals.add(direction(embedding))
        rng = np.random.default_rng([_PURPOSE] if seed is None else [seed, _PURPOSE])
        order = rng.permutation(disguises)
        return cls(totals.directions, np.resize(order, len(totals.directions)))

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


def clear_embeddings(image: Image, faces: Iterable[Face]) -> tuple[Embedding, ...]:
    """The embeddings of those faces of an image that are clear.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        faces: in the image.
    """
    seen = (_clear(image, face) for face in faces)
    return tuple(embedding for embedding in seen if embedding is not None)


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

    def add(self, face: Embedding) -> None:
        """Add a face to the person whom it resembles most, or as a new one."""
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
