"""The mesh of a face, on real faces."""

import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceanon import detect
from faceanon.model import Box, Face
from faceanon.vision.landmarks import (
    LEFT_EYE,
    LEFT_IRIS,
    MOUTH_CORNERS,
    NOSE_TIP,
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


@pytest.mark.parametrize("width", [90, 300, 1700])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_face_that_looks_aside_has_a_mesh(width: int, mirrored: bool) -> None:
    image = read(Path(__file__).parent / "pictures" / "looking_aside.jpg")
    interpolation = cv2.INTER_AREA if width < 208 else cv2.INTER_CUBIC
    size = (round(340 * width / 208), round(448 * width / 208))
    image = cv2.resize(image, size, interpolation=interpolation)
    if mirrored:
        image = np.ascontiguousarray(image[:, ::-1])
    (face,) = detect(image)
    assert face.points is not None
    mesh = find_landmarks(image, face)
    assert mesh is not None
    # Eyes, nose and mouth are where the detector sees them, and she looks aside.
    eyes = [mesh.points[list(lids)].mean(axis=0) for lids in (LEFT_EYE, RIGHT_EYE)]
    found = np.array([*eyes, *mesh.points[[NOSE_TIP, *MOUTH_CORNERS]]])
    distances = np.linalg.norm(found - face.points, axis=1)
    assert distances.max() < 0.12 * face.box.width
    assert mesh.symmetry < 0.2


@pytest.mark.parametrize("turn", [90, -90, 180])
def test_a_turned_face_of_which_only_the_box_is_known_has_a_mesh(turn: int) -> None:
    image = read(EXAMPLES / "astronaut.png")
    upright = find_landmarks(image, ASTRONAUT_FACE)
    assert upright is not None
    matrix = cv2.getRotationMatrix2D((222, 126), -turn, 1)
    turned_image = cv2.warpAffine(image, matrix, (512, 512))
    turned = find_landmarks(turned_image, Face(Box(160, 64, 284, 188), 0.9))
    assert turned is not None
    expected = upright.points @ matrix[:, :2].T + matrix[:, 2]
    error = np.linalg.norm(turned.points - expected, axis=1)
    assert np.median(error) < 0.03 * upright.width


def test_a_mesh_that_contradicts_the_detector_is_none() -> None:
    """The network sees the face, but the five points are those of another one."""
    image = read(EXAMPLES / "astronaut.png")
    points = five_points(np.array(ASTRONAUT_FACE.points) + np.array((0, 20)))
    assert find_landmarks(image, replace(ASTRONAUT_FACE, points=points)) is None


@pytest.mark.parametrize("width", [30, 90, 400, 1500])
def test_size_does_not_move_the_mesh(width: int) -> None:
    reference_image, reference_face = scaled_face(200)
    reference = find_landmarks(reference_image, reference_face)
    image, face = scaled_face(width)
    mesh = find_landmarks(image, face)
    assert mesh is not None
    assert reference is not None
    offset = mesh.points * (200 / width) - reference.points
    assert np.median(np.linalg.norm(offset, axis=1)) < 0.02 * 200
    # Nor does it move all points to one side.
    assert np.abs(np.median(offset, axis=0)).max() < 0.01 * 200


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
