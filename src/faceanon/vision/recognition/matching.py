"""Whose the faces of a picture are, and with that which of them are hidden."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from faceanon.media.picture import eight_bit
from faceanon.model import Face, Image, Match, Verdict
from faceanon.vision.recognition.quality import PROBE, assess
from faceanon.vision.recognition.selection import Selection
from faceanon.vision.template import fit_a_face

# Why a face that resembles a person is not taken for that person.
_SECOND = "another face in the picture resembles them more"

# Points that lie on average this near to another face's, as a share of its width, are
# that face's.
_SAME_POINTS = 0.1


def compared(image: Image, faces: Sequence[Face], selection: Selection) -> list[Face]:
    """The faces of a picture, each with its `match`: an embedding is made of each.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        faces: in the image.
        selection: the people, and how alike a face has to be.
    """
    seen = eight_bit(image)
    return [replace(face, match=match(seen, face, selection)) for face in faces]


def split(
    faces: Sequence[Face], selection: Selection
) -> tuple[tuple[Face, ...], tuple[Face, ...]]:
    """Sort the faces of a picture into those to hide and those to show.

    Args:
        faces: all that would be hidden without a selection, as `compared` gives them.
        selection: whom to hide.
    """
    known = _one_of_each(faces)
    shown = [face for face in known if _verdict(face) == selection.shows]
    rest = [face for face in known if _verdict(face) != selection.shows]
    parts = [
        face
        for face in rest
        if _verdict(face) == "unsure" and any(_is_part(face, whole) for whole in shown)
    ]
    hidden = [face for face in rest if face not in parts]
    return tuple(hidden), tuple(shown + parts)


def match(image: Image, face: Face, selection: Selection) -> Match:
    """Compare a face with the people of a selection.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        face: in the image.
        selection: the people, and how alike a face has to be.
    """
    seen = assess(image, face, PROBE)
    if seen.embedding is None:
        return Match("", None, "unsure", seen.problem)
    person, similarity = selection.people.closest(seen.embedding)
    thresholds = selection.thresholds
    if seen.problem:
        return Match(person.name, similarity, "unsure", seen.problem)
    if similarity >= thresholds.same:
        return Match(person.name, similarity, "same")
    if similarity < thresholds.other:
        return Match(person.name, similarity, "other")
    return Match(person.name, similarity, "unsure", "in doubt")


def _one_of_each(faces: Sequence[Face]) -> list[Face]:
    """The faces, of which only the most similar is taken for a person.

    Nobody is twice in a picture, but brothers and sisters are in one together.
    """
    best: dict[str, float] = {}
    for face in faces:
        if face.match and face.match.verdict == "same":
            similarity = face.match.similarity or 0
            best[face.match.person] = max(similarity, best.get(face.match.person, 0))
    return [
        replace(face, match=replace(face.match, verdict="unsure", reason=_SECOND))
        if face.match
        and face.match.verdict == "same"
        and face.match.similarity != best[face.match.person]
        else face
        for face in faces
    ]


def _is_part(face: Face, whole: Face) -> bool:
    """Whether a find is but a part of a face, such as its mouth or its left half.

    It is not when its own points lie as those of a face do: it is somebody before the
    other, or a portrait on a card. What has no points was marked by hand or in a box
    file, for a reason.
    """
    if face.points is None or whole.points is None or not face.lies_in(whole):
        return False
    own, others = np.array(face.points), np.array(whole.points)
    apart = np.linalg.norm(own - others, axis=1).mean()
    return bool(apart < _SAME_POINTS * whole.box.width or not fit_a_face(own[None])[0])


def _verdict(face: Face) -> Verdict:
    return face.match.verdict if face.match else "unsure"
