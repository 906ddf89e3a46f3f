"""Laws of swapping: who was where is gone, and the rest is untouched."""

from collections import Counter

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceanon import detect
from faceanon.anonymizers.swap import Swap, derangement
from faceanon.errors import PictureError
from faceanon.model import Box, Cover, Face, Image
from faceanon.vision.landmarks import find_landmarks
from support import ASTRONAUT_FACE, EXAMPLES, read


@pytest.fixture(scope="module")
def pair() -> tuple[Image, list[Face]]:
    """Two portraits side by side."""
    first = read(EXAMPLES / "astronaut.png")
    second = cv2.resize(read(EXAMPLES / "grace_hopper.jpg"), (437, 512))
    image = np.hstack((first, second))
    return image, sorted(detect(image)[:2], key=lambda face: face.box.left)


@pytest.fixture(scope="module")
def group() -> tuple[Image, list[Face]]:
    image = read(EXAMPLES / "group.jpg")
    image = cv2.resize(image, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    return image, list(detect(image))


def swapped(image: Image, faces: list[Face], seed: int = 0) -> Image:
    return Swap().hide(image, faces, Cover(), np.random.default_rng(seed))


def features(image: Image, face: Face) -> NDArray[np.float64]:
    """What tells faces apart: the middle of a face, 48 x 48, without its light."""
    mesh = find_landmarks(image, face)
    assert mesh is not None
    outline = mesh.outline
    low, high = outline.min(axis=0), outline.max(axis=0)
    margin = (high - low) * 0.15
    left, top = (low + margin).astype(int)
    right, bottom = (high - margin).astype(int)
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    grey = cv2.resize(grey.astype(float), (48, 48), interpolation=cv2.INTER_AREA)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), 8), np.float64)


def likeness(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Normalized correlation, at the best of a few shifts: 1 for the same."""
    middle = b[6:-6, 6:-6].astype(np.float32)
    found = cv2.matchTemplate(a.astype(np.float32), middle, cv2.TM_CCOEFF_NORMED)
    return float(found.max())


def test_each_place_shows_the_other_face(pair: tuple[Image, list[Face]]) -> None:
    image, faces = pair
    result = swapped(image, faces)
    before = [features(image, face) for face in faces]
    after = [features(result, face) for face in faces]
    for here, there in ((0, 1), (1, 0)):
        assert likeness(after[here], before[there]) > 0.5
        assert likeness(after[here], before[here]) < 0.45


def test_nobody_in_a_group_keeps_their_face(group: tuple[Image, list[Face]]) -> None:
    image, faces = group
    known = [face for face in faces if find_landmarks(image, face) is not None]
    assert len(known) == 4
    before = [features(image, face) for face in known]
    strangers = max(likeness(a, b) for a in before for b in before if a is not b)
    margins = []
    for seed in range(3):
        result = swapped(image, faces, seed)
        for number, face in enumerate(known):
            likely = [likeness(features(result, face), other) for other in before]
            own = likely.pop(number)
            # No more alike than two of them who never were swapped.
            assert own < strangers + 0.05
            margins.append(max(likely) - own)
    assert np.mean(margins) > 0.1


def test_only_faces_change(group: tuple[Image, list[Face]]) -> None:
    image, faces = group
    before = image.copy()
    result = swapped(image, faces)
    assert (image == before).all()
    far = np.ones(image.shape[:2], bool)
    for face in faces:
        far[face.box.grown(1.6).clipped(*image.shape[:2]).slices] = False
    assert (result[far] == image[far]).all()
    assert (result[~far] != image[~far]).any(axis=1).mean() > 0.3


def test_faces_that_cannot_be_swapped_are_hidden(
    group: tuple[Image, list[Face]],
) -> None:
    """Two people in the background are seen from the side."""
    image, faces = group
    result = swapped(image, faces)
    others = [face for face in faces if find_landmarks(image, face) is None]
    assert others
    for face in others:
        inside = face.box.clipped(*image.shape[:2]).slices
        assert (result[inside] != image[inside]).any(axis=2).mean() > 0.95


def test_two_faces_of_which_none_can_be_swapped_are_hidden() -> None:
    image = read(EXAMPLES / "curies.jpg")
    faces = [face for face in detect(image) if face.box.width > 40]
    assert len(faces) == 2
    result = swapped(image, faces)
    for face in faces:
        assert (result[face.box.slices] != image[face.box.slices]).mean() > 0.8


def test_there_is_no_seam(pair: tuple[Image, list[Face]]) -> None:
    """Along the new face's outline the picture is no rougher than it was."""
    image, faces = pair
    result = swapped(image, faces)
    for face in faces:
        mesh = find_landmarks(image, face)
        assert mesh is not None
        ring = np.zeros(image.shape[:2], np.uint8)
        cv2.polylines(ring, [mesh.outline.round().astype(np.int32)], True, 1, 3)

        def roughness(picture: Image) -> float:
            grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(float)
            edges = np.abs(cv2.Laplacian(grey, cv2.CV_64F))
            return float(edges[ring > 0].mean())  # noqa: B023  called at once

        assert roughness(result) < 1.2 * roughness(image)


def test_sixteen_bits_give_the_same_picture(pair: tuple[Image, list[Face]]) -> None:
    image, faces = pair
    eight = swapped(image, faces)
    sixteen = swapped(image.astype(np.uint16) * 257, faces)
    assert sixteen.dtype == np.uint16
    assert np.abs(sixteen / 257 - eight).mean() < 0.2


def test_a_face_over_the_edge_is_swapped_or_hidden() -> None:
    first = read(EXAMPLES / "astronaut.png")[:, 215:]
    second = read(EXAMPLES / "grace_hopper.jpg")[:512]
    image = np.hstack((first, second))
    box = ASTRONAUT_FACE.box
    cut = Face(Box(box.left - 215, box.top, box.right - 215, box.bottom), 0.9)
    whole = max(detect(image), key=lambda face: face.box.width)
    result = swapped(image, [cut, whole])
    inside = cut.box.clipped(*image.shape[:2]).slices
    assert (result[inside] != image[inside]).any(axis=2).mean() > 0.7


def test_one_face_is_refused() -> None:
    image = read(EXAMPLES / "astronaut.png")
    with pytest.raises(PictureError, match="at least two faces"):
        swapped(image, [ASTRONAUT_FACE])


def test_a_face_found_twice_is_one_face(pair: tuple[Image, list[Face]]) -> None:
    image, faces = pair
    box = faces[0].box
    again = Face(box.grown(0.85), 0.4, faces[0].points)
    with pytest.raises(PictureError, match="one to hide"):
        swapped(image, [faces[0], again])
    for seed in range(4):
        result = swapped(image, [*faces, again], seed)
        assert (result == swapped(image, faces, seed)).all()


def test_every_order_without_a_fixed_place_is_equally_likely() -> None:
    rng = np.random.default_rng(0)
    drawn = Counter(tuple(derangement(4, rng)) for _ in range(9000))
    assert len(drawn) == 9
    assert all(order[place] != place for order in drawn for place in range(4))
    assert min(drawn.values()) > 850
