"""Let the faces of a picture trade places."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from faceanon.anonymizers.base import Anonymizer, Guarantee
from faceanon.anonymizers.facewarp import put_in_place
from faceanon.anonymizers.pixelate import Pixelate
from faceanon.errors import PictureError
from faceanon.model import Cover, Face, Image
from faceanon.vision.landmarks import Landmarks, find_landmarks

# Nose to the nearer side of the face, by nose to the farther. Of a face that is turned
# further, half is missing, and it cannot be shown in another's place.
_LEAST_SYMMETRY = 0.3

# Meshes whose middles are nearer than this, in widths of the face, are of one face.
_ONE_FACE = 0.35


@dataclass(frozen=True)
class Swap(Anonymizer):
    """Let the faces of each picture trade places: nobody keeps their own.

    A picture with one face is an error. Faces that are too small or turned too far to
    be shown elsewhere are pixelated. The faces of all who were there can still be seen,
    on the shoulders of others.
    """

    guarantee: ClassVar[Guarantee] = Guarantee.MOVED

    def cautions(self) -> tuple[str, ...]:
        """Say that the faces are still in the picture."""
        return (
            "swap hides who stood where, not who was there: every face can still be "
            "seen, on another person",
        )

    def partners(
        self, image: Image, faces: Sequence[Face], others: Sequence[Face]
    ) -> Sequence[Face]:
        """Somebody for a single face to trade places with: the largest that can."""
        if len(_sorted_out(image, faces)[0]) != 1:
            return ()
        for face in sorted(others, key=lambda face: -face.box.width):
            if len(_sorted_out(image, (*faces, face))[0]) == 2:
                return (face,)
        return ()

    def hide(
        self,
        image: Image,
        faces: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Image:
        """Swap the faces; see `Anonymizer.hide`."""
        meshes, others = _sorted_out(image, faces)
        if len(meshes) + len(others) == 1:
            raise PictureError(
                "swap needs at least two faces and there is one to hide; use another "
                "method for this picture"
            )
        if len(meshes) < 2:
            return Pixelate().hide(image, faces, cover, rng)
        result = Pixelate().hide(image, others, cover, rng)
        sources = derangement(len(meshes), rng)
        # Faces in front are larger, mostly, and are drawn last.
        for number in sorted(range(len(meshes)), key=lambda n: meshes[n].width):
            put_in_place(result, image, meshes[sources[number]], meshes[number])
        return result


def _sorted_out(
    image: Image, faces: Sequence[Face]
) -> tuple[list[Landmarks], list[Face]]:
    """The meshes of those faces that can be swapped, each once, and the other faces.

    A detector may find a face and a part of it. As two, a face could trade places
    with itself, and a single face would be no error.
    """
    meshes: list[Landmarks] = []
    others: list[Face] = []
    for face in faces:
        mesh = find_landmarks(image, face)
        if mesh is None or mesh.symmetry < _LEAST_SYMMETRY:
            others.append(face)
        elif not any(_are_one(mesh, known) for known in meshes):
            meshes.append(mesh)
    parts = [face for face in others if any(_is_part(face, mesh) for mesh in meshes)]
    return meshes, [face for face in others if face not in parts]


def _is_part(face: Face, mesh: Landmarks) -> bool:
    """Whether all corners of a face's box lie in the outline of another, drawn anew."""
    box, outline = face.box, mesh.outline.reshape(-1, 1, 2)
    corners = [(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
    return all(cv2.pointPolygonTest(outline, corner, False) >= 0 for corner in corners)


def _are_one(mesh: Landmarks, other: Landmarks) -> bool:
    apart = math.dist(mesh.outline.mean(axis=0), other.outline.mean(axis=0))
    return apart < _ONE_FACE * max(mesh.width, other.width)


def derangement(number: int, rng: np.random.Generator) -> list[int]:
    """A random order of 0 .. number - 1 in which none is in its own place.

    All such orders are equally likely; about e orders are drawn for one.

    Args:
        number: 2 or more.
        rng: where the order comes from.
    """
    own = np.arange(number)
    while True:
        order = rng.permutation(number)
        if not (order == own).any():
            return [int(place) for place in order]
