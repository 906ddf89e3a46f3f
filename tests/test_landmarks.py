"""The mesh of a face, on real faces."""

import math

import cv2
import numpy as np
import pytest

from faceanon import detect
from faceanon.model import Box, Face
from faceanon.vision.landmarks import (
    LEFT_EYE,
    LEFT_IRIS,
    RIGHT_EYE,
    RIGHT_IRIS,
    find_landmarks,
)
from support import ASTRONAUT_FACE, EXAMPLES, five_points, read, scaled_face


@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg", "group.jpg"])
def test_the_mesh_agrees_with_the_detector(name: str) -> None:
    image = read(EXAMPLES / name)
    faces = detect(image)
    found = [(face, find_landmarks(image, face)) for face in faces[:4]]
    meshes = [(face, mesh) for face, mesh in found if mesh is not None]
    assert len(meshes) == (4 if name == "group.jpg" else 1)
    for face, mesh in meshes:
        assert face.points is not None
        for lids, iris, seen in (
            (LEFT_EYE, LEFT_IRIS, face.points[0]),
            (RIGHT_EYE, RIGHT_IRIS, face.points[1]),
        ):
            eye = mesh.points[list(lids)]
            assert math.dist(eye.mean(axis=0), seen) < 0.1 * face.box.width
            # The iris lies between the corners of its eye.
            middle = mesh.points[iris[0]]
            assert eye[:, 0].min() < middle[0] < eye[:, 0].max()
        assert 0.6 < mesh.width / face.box.width < 1.4


@pytest.mark.parametrize("turn", [-60, -25, 40, 90, 180])
def test_a_turned_face_has_the_same_mesh_turned(turn: int) -> None:
    image = read(EXAMPLES / "astronaut.png")
    upright = find_landmarks(image, ASTRONAUT_FACE)
    assert upright is not None
    matrix = cv2.getRotationMatrix2D((222, 126), -turn, 1)
    turned_image = cv2.warpAffine(image, matrix, (512, 512))
    assert ASTRONAUT_FACE.points is not None
    points = np.array(ASTRONAUT_FACE.points) @ matrix[:, :2].T + matrix[:, 2]
    face = Face(Box(160, 64, 284, 188), 0.9, five_points(points))
    turned = find_landmarks(turned_image, face)
    assert turned is not None
    expected = upright.points @ matrix[:, :2].T + matrix[:, 2]
    error = np.linalg.norm(turned.points - expected, axis=1)
    assert np.median(error) < 0.03 * upright.width


@pytest.mark.parametrize("width", [30, 90, 400, 1500])
def test_size_does_not_move_the_mesh(width: int) -> None:
    reference_image, reference_face = scaled_face(200)
    reference = find_landmarks(reference_image, reference_face)
    image, face = scaled_face(width)
    mesh = find_landmarks(image, face)
    assert mesh is not None
    assert reference is not None
    error = np.linalg.norm(mesh.points * (200 / width) - reference.points, axis=1)
    assert np.median(error) < 0.03 * 200


def test_what_is_no_face_or_too_small_has_no_mesh() -> None:
    cat = read(EXAMPLES / "cat.png")
    flat = np.full((300, 300, 3), 128, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    face = Face(Box(80, 60, 220, 240), 0.9)
    assert find_landmarks(flat, face) is None
    assert find_landmarks(noise, face) is None
    assert find_landmarks(cat, Face(Box(300, 200, 420, 290), 0.9)) is None
    small_image, small = scaled_face(12)
    assert find_landmarks(small_image, small) is None


def test_a_profile_has_no_mesh() -> None:
    image = read(EXAMPLES / "curies.jpg")
    pierre = max(detect(image)[:2], key=lambda face: face.box.left)
    assert find_landmarks(image, pierre) is None
