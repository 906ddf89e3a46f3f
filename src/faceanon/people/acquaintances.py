"""People without names: who is in more than one picture of a run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from faceanon.model import Face, Image
from faceanon.people.clarity import MET, look
from faceanon.people.embedding import Embedding, direction
from faceanon.picture import eight_bit

# The similarity to a person's mean from which on a face is taken for theirs; measured
# in docs/methods/emoji.md.
_SAME = 0.45


@dataclass(frozen=True, slots=True, eq=False)
class Acquaintances:
    """The people who were met, told apart by their faces alone.

    Attributes:
        directions: shape (N, 128), the mean direction of the embeddings of each.
        first: the number of the first of them.
    """

    directions: NDArray[np.float32]
    first: int = 0


def embedded(image: Image, faces: Sequence[Face]) -> tuple[Face, ...]:
    """Faces with their embeddings, as far as they are clear.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        faces: in the image.
    """
    seen = eight_bit(image)
    looks = [look(seen, face, MET) for face in faces]
    return tuple(
        face
        if one.problem or one.embedding is None
        else replace(face, embedding=one.embedding.tobytes())
        for face, one in zip(faces, looks, strict=True)
    )


def recognised(faces: Sequence[Face], acquaintances: Acquaintances) -> tuple[Face, ...]:
    """Faces with the person whose they are, where that can be told.

    Nobody is twice in a picture: of two faces, only the more similar one is a person's.

    Args:
        faces: those of one picture, with their embeddings.
        acquaintances: the people.
    """
    best: dict[int, tuple[float, int]] = {}
    for index, face in enumerate(faces):
        if face.embedding and len(acquaintances.directions):
            unit = direction(np.frombuffer(face.embedding, np.float32))
            similarities = acquaintances.directions @ unit
            person = int(similarities.argmax())
            similarity = float(similarities[person])
            if similarity >= _SAME:
                best[person] = max(best.get(person, (0.0, 0)), (similarity, index))
    person_of = {index: person for person, (_, index) in best.items()}
    return tuple(
        replace(face, embedding=b"", person=acquaintances.first + person_of[index])
        if index in person_of
        else replace(face, embedding=b"")
        for index, face in enumerate(faces)
    )


def met(embeddings: Iterable[Embedding], first: int = 0) -> Acquaintances:
    """Tell people apart by leader clustering.

    Each face joins the person to whose mean it is most similar, or is somebody new
    (J. A. Hartigan, "Clustering Algorithms", 1975, section 3.2; here with means that
    move). Who is met first is numbered first, and keeps the number whoever comes later.

    Args:
        embeddings: of clear faces, in an order that is always the same.
        first: the number of the first person.
    """
    sums = np.zeros((16, 128), np.float32)
    directions = np.zeros_like(sums)
    count = 0
    for embedding in embeddings:
        unit = direction(embedding)
        similarities = directions[:count] @ unit
        person = int(similarities.argmax()) if count else 0
        if not count or similarities[person] < _SAME:
            person, count = count, count + 1
            if count > len(sums):
                sums = np.concatenate((sums, np.zeros_like(sums)))
                directions = np.concatenate((directions, np.zeros_like(directions)))
        sums[person] += unit
        directions[person] = direction(sums[person])
    return Acquaintances(directions[:count].copy(), first)
