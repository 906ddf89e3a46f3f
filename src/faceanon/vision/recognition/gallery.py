"""The people that faces are compared with, and the file that keeps them.

The file holds biometric data: who has it can look for these people in any picture.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Self

import numpy as np

from faceanon.errors import PeopleError
from faceanon.storage.names import shown
from faceanon.storage.private import new_private_file
from faceanon.vision.recognition.embedding import SIZE, Embedding, direction

SCHEMA = 1
"""The version of the file; readers refuse others."""

NETWORK = "SFace 2021dec"
"""What made the embeddings; those of another network cannot be compared with them."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody by name.

    Attributes:
        name: as the folder of the reference pictures is called.
        direction: the mean direction of the pictures' embeddings, of length 1.
        pictures: how many there were.
    """

    name: str
    direction: Embedding
    pictures: int

    @classmethod
    def of(cls, name: str, embeddings: Sequence[Embedding]) -> Self:
        """A person from the embeddings of one or more reference pictures."""
        total = np.sum([direction(embedding) for embedding in embeddings], axis=0)
        return cls(name, direction(total), len(embeddings))

    def similarity(self, embedding: Embedding) -> float:
        """The cosine between the person and an embedding, -1 to 1."""
        return float(self.direction @ direction(embedding))


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """One or more persons, of different names."""

    persons: tuple[Person, ...]

    def closest(self, embedding: Embedding) -> tuple[Person, float]:
        """The person who resembles an embedding most, and their similarity."""
        person = max(self.persons, key=lambda person: person.similarity(embedding))
        return person, person.similarity(embedding)

    def pairs(self) -> Iterator[tuple[float, Person, Person]]:
        """The similarity of every two persons."""
        for first, second in combinations(self.persons, 2):
            yield first.similarity(second.direction), first, second


def save(people: People, path: Path | None) -> None:
    """Write people to a new file that only its owner can read; None for a stream.

    Raises:
        FaceanonError: there is a file already, or it cannot be written.
    """
    document = {
        "schema": SCHEMA,
        "network": NETWORK,
        "persons": [
            {
                "name": person.name,
                "pictures": person.pictures,
                "direction": [round(float(part), 6) for part in person.direction],
            }
            for person in people.persons
        ],
    }
    with new_private_file(path) as file:
        json.dump(document, file)
        file.write("\n")


def read(path: Path) -> People:
    """Read the people that `save` has written.

    Raises:
        PeopleError: it cannot be read, or is not such a file.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA or document["network"] != NETWORK:
            raise PeopleError(
                f"{shown(path)} was made by another version; make it anew from the "
                "reference pictures"
            )
        people = People(tuple(_person(entry) for entry in document["persons"]))
    except OSError as error:
        raise PeopleError(f"{shown(path)} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise PeopleError(
            f"{shown(path)} is neither a folder of reference pictures nor a file of "
            "--save-people"
        ) from error
    if len({person.name for person in people.persons}) != len(people.persons):
        raise PeopleError(f"{shown(path)} names a person twice")
    if not people.persons:
        raise PeopleError(f"{shown(path)} holds nobody")
    return people


def _person(entry: dict[str, Any]) -> Person:
    vector = np.array(entry["direction"], np.float32)
    is_one = vector.shape == (SIZE,) and abs(float(np.linalg.norm(vector)) - 1) < 0.01
    if not is_one or not isinstance(entry["name"], str):
        raise ValueError("not a person")
    return Person(entry["name"], direction(vector), int(entry["pictures"]))
