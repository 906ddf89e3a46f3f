"""Laws of recolouring irises."""

import cv2
import numpy as np
import pytest

from faceanon import detect
from faceanon.anonymizers.eyecolor import EyeColor
from faceanon.model import Cover, Face, Image
from faceanon.vision.landmarks import (
    LEFT_EYE,
    LEFT_IRIS,
    RIGHT_EYE,
    RIGHT_IRIS,
    Landmarks,
    find_landmarks,
)
from support import EXAMPLES, read, scaled_face


def recolored(image: Image, faces: list[Face]) -> Image:
    return EyeColor().hide(image, faces, Cover(), np.random.default_rng(0))


def irises(mesh: Landmarks) -> list[tuple[np.ndarray, float]]:
    return [
        (
            mesh.points[iris[0]],
            float(
                np.linalg.norm(
                    mesh.points[list(iris[1:])] - mesh.points[iris[0]], axis=1
                ).mean()
            ),
        )
        for iris in (LEFT_IRIS, RIGHT_IRIS)
    ]


def lab(pixels: Image) -> np.ndarray:
    return cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)


@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg", "group.jpg"])
def test_nothing_outside_of_the_irises_changes(name: str) -> None:
    image = read(EXAMPLES / name)
    faces = list(detect(image))
    result = recolored(image, faces)
    changed = (result != image).any(axis=2)
    assert changed.any()
    y, x = np.nonzero(changed)
    inside = np.zeros(len(x), bool)
    for face in faces:
        mesh = find_landmarks(image, face)
        if mesh is None:
            continue
        for lids in (LEFT_EYE, RIGHT_EYE):
            eye = mesh.points[list(lids)]
            low, high = eye.min(axis=0) - 1.5, eye.max(axis=0) + 1.5
            inside |= (low[0] <= x) & (x <= high[0]) & (low[1] <= y) & (y <= high[1])
        for centre, radius in irises(mesh):
            assert changed[
                round(float(centre[1] - 1.5 * radius)) - 40 :,
                round(float(centre[0] - 1.5 * radius)) :,
            ].any()
    assert inside.all()
    assert changed.sum() < 0.02 * changed.size


def test_the_iris_takes_the_colour_of_the_skin() -> None:
    image, face = scaled_face(600)
    mesh = find_landmarks(image, face)
    assert mesh is not None
    result = recolored(image, [face])
    cheek_x, cheek_y = mesh.points[50].astype(int)
    skin = np.median(
        lab(image[cheek_y - 25 : cheek_y + 25, cheek_x - 25 : cheek_x + 25]),
        axis=(0, 1),
    )
    changed = np.abs(result.astype(int) - image).max(axis=2) > 25
    after, before = lab(result)[changed], lab(image)[changed]
    # The colour is the skin's; the lightness is nearer to it than it was.
    assert np.abs(np.median(after[:, 1:], axis=0) - skin[1:]).max() < 8
    lightness = np.median(after[:, 0])
    assert np.median(before[:, 0]) < lightness < skin[0] + 5
    # What is lighter and darker within the iris still is.
    assert np.corrcoef(after[:, 0], before[:, 0])[0, 1] > 0.7


def test_pupil_and_lids_stay() -> None:
    image, face = scaled_face(600)
    mesh = find_landmarks(image, face)
    assert mesh is not None
    result = recolored(image, [face])
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    for centre, radius in irises(mesh):
        changed = (result != image).any(axis=2)
        near = np.hypot(x - centre[0], y - centre[1]) < 2 * radius
        pupil_x = float(x[changed & near].mean())
        pupil_y = float(y[changed & near].mean())
        pupil = np.hypot(x - pupil_x, y - pupil_y) < 0.25 * radius
        assert not changed[pupil].any()


@pytest.mark.parametrize("width", [60, 100, 250])
def test_small_irises_are_recoloured_too(width: int) -> None:
    image, face = scaled_face(width)
    result = recolored(image, [face])
    changed = (result != image).any(axis=2).sum()
    assert 4 <= changed < 0.03 * face.box.width * face.box.height


def test_faces_without_eyes_to_see_are_left_alone() -> None:
    image = read(EXAMPLES / "curies.jpg")
    pierre = max(detect(image)[:2], key=lambda face: face.box.left)
    assert (recolored(image, [pierre]) == image).all()
    small_image, small = scaled_face(14)
    assert (recolored(small_image, [small]) == small_image).all()


def test_sixteen_bits_give_the_same_picture() -> None:
    image, face = scaled_face(200)
    eight = recolored(image, [face])
    sixteen = recolored(image.astype(np.uint16) * 257, [face])
    assert sixteen.dtype == np.uint16
    assert np.abs(sixteen / 257 - eight).max() < 3


def test_it_says_that_it_protects_nobody() -> None:
    (caution,) = EyeColor().cautions()
    assert "unrecognisable" in caution
    assert "hides nobody" in str(EyeColor.__doc__)
