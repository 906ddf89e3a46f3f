"""Who is the same person all over a run: people without names, and their pseudonyms.

A pseudonym is a number that stands for a person in all pictures, such as which of its
emoji a method gives them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from faceanon.vision.recognition.embedding import SIZE, Embedding, direction

SAME = 0.45
"""From this similarity to somebody on, a face is theirs; measured in
`docs/methods/emoji.md`."""

# Keeps the pseudonyms apart from all else that is drawn from a seed.
_PURPOSE = int.from_bytes(b"crowd", "big")


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """A clear face in a picture.

    Attributes:
        place: in which part of the picture's width and height its middle lies.
        embedding: what it is recognised by.
    """

    place: tuple[int, int]
    embedding: Embedding


@dataclass(frozen=True, slots=True, eq=False)
class ObservedPicture:
    """The clear faces of one picture.

    Attributes:
        content: a digest of the picture, in hexadecimal digits.
        observations: the faces, frame by frame and in each from left to right.
    """

    content: str
    observations: Sequence[Observation]


@dataclass(frozen=True, slots=True, eq=False)
class Identities:
    """The people of a run, and the pseudonym of each.

    It holds what they can be recognised by: it stays in memory.

    Attributes:
        directions: the mean direction of each person's embeddings, of length 1; shape
            (people, 128).
        pseudonyms: the pseudonym of each person; shape (people,).
    """

    directions: NDArray[np.float32]
    pseudonyms: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        pictures: Iterable[ObservedPicture],
        pseudonyms: int,
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
        or a number rounded in another way, changes the pseudonyms of few others.

        Args:
            pictures: in an order that is the same in each run.
            pseudonyms: how many there are. The first so many people get different ones,
                the next ones at least others than those whom they are first met with.
            seed: what the pseudonyms are drawn by, too; without one, whoever has the
                pictures can know them.
            same: the similarity from which on a face joins a person, -1 to 1.
        """
        totals = _Totals(same)
        drawn: list[int] = []
        for picture in pictures:
            seen = picture.observations
            people = [totals.add(direction(each.embedding)) for each in seen]
            known = {person for person in people if person < len(drawn)}
            here = Counter(drawn[person] for person in known)
            for person, observation in zip(people, seen, strict=True):
                if person == len(drawn):
                    order = _order(picture.content, observation.place, pseudonyms, seed)
                    chosen = min(order, key=lambda it: (here[it], it in drawn))
                    drawn.append(chosen)
                    here[chosen] += 1
        return cls(totals.directions, np.array(drawn, np.intp))

    def pseudonym(self, embedding: Embedding) -> int | None:
        """The pseudonym of whom a face resembles most; None where there is nobody."""
        if not len(self.directions):
            return None
        # Each clear face has made one of the people, or joined one.
        return int(self.pseudonyms[np.argmax(self.directions @ direction(embedding))])


def _order(
    content: str, place: tuple[int, int], pseudonyms: int, seed: int | None
) -> list[int]:
    """All pseudonyms, in the order of who is first met there."""
    secret = () if seed is None else (seed,)
    rng = np.random.default_rng([*secret, _PURPOSE, int(content, 16), *place])
    return [int(each) for each in rng.permutation(pseudonyms)]


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
