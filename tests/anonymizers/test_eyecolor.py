"""Laws of recolouring irises."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import Run
from faceanon import anonymizers, detect
from faceanon.anonymizers.base import LEFT_ALONE, Guarantee, Treated
from faceanon.anonymizers.eyecolor import EyeColor
from faceanon.model import Cover, Face, Image
from faceanon.vision.iris import Iris, find_irises
from faceanon.vision.landmarks import LEFT_EYE, RIGHT_EYE, Landmarks, find_landmarks
from support import EXAMPLES, read, scaled_face

LOOKING_ASIDE = Path(__file__).parents[1] / "pictures" / "looking_aside.jpg"


def treated(image: Image, faces: list[Face]) -> Treated:
    return EyeColor().treat(image, faces, (), Cover(), np.random.default_rng(0))


def recolored(image: Image, faces: list[Face]) -> Image:
    return EyeColor().hide(image, faces, Cover(), np.random.default_rng(0))


def mesh_of(image: Image, face: Face) -> Landmarks:
    mesh = find_landmarks(image, face)
    assert mesh is not None
    return mesh


def lab(pixels: Image) -> np.ndarray:
    return cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)


def radii_away(image: Image, iris: Iris) -> np.ndarray:
    """How far each pixel is from the middle of an iris, in its radii."""
    y, x = np.indices(image.shape[:2]) + 0.5
    far = np.hypot(x - iris.centre[0], y - iris.centre[1])
    return np.asarray(far / iris.radius)


def open_eyes(image: Image, mesh: Landmarks) -> np.ndarray:
    mask = np.zeros(image.shape[:2], np.uint8)
    for lids in (LEFT_EYE, RIGHT_EYE):
        cv2.fillPoly(mask, [mesh.points[list(lids)].round().astype(np.int32)], 1)
    return mask > 0


@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg", "group.jpg"])
def test_nothing_outside_of_the_eyes_changes(name: str) -> None:
    image = read(EXAMPLES / name)
    before = image.copy()
    faces = list(detect(image))
    changed = (recolored(image, faces) != image).any(axis=2)
    assert (image == before).all()
    assert changed.any()
    eyes = np.zeros(image.shape[:2], bool)
    for face in faces:
        mesh = find_landmarks(image, face)
        if mesh is not None:
            eyes |= open_eyes(image, mesh)
    margin = cv2.dilate(eyes.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert not (changed & ~margin).any()


@pytest.mark.parametrize("width", [150, 600])
def test_the_iris_takes_the_colour_of_the_face(width: int) -> None:
    image, face = scaled_face(width)
    mesh = mesh_of(image, face)
    result = recolored(image, [face])
    outline = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(outline, [mesh.outline.round().astype(np.int32)], 1)
    average = lab(image)[outline > 0].mean(axis=0)
    irises = find_irises(image, mesh)
    assert len(irises) == 2
    for iris in irises:
        far = radii_away(image, iris)
        body = (far > 0.5) & (far < 0.8) & open_eyes(image, mesh)
        before, after = (np.median(lab(of)[body], axis=0) for of in (image, result))
        # It gets most of the way, in lightness too; its white is still lighter.
        assert np.linalg.norm(after - average) < 0.6 * np.linalg.norm(before - average)
        assert before[0] + 10 < after[0] < iris.beside[0]


def test_it_still_looks_like_an_eye() -> None:
    image, face = scaled_face(600)
    mesh = mesh_of(image, face)
    before, after = (lab(of)[:, :, 0] for of in (image, recolored(image, [face])))
    for iris in find_irises(image, mesh):
        far = radii_away(image, iris)
        eye = open_eyes(image, mesh)
        body = np.median(after[(far > 0.5) & (far < 0.7) & eye])
        # The pupil stays as dark as it was, and the highlight as light.
        pupil = (far < 0.15) & (before < iris.color[0])
        assert np.abs(after - before)[pupil].max() < 5
        highlight = (far < 1) & (before > iris.color[0] + 45)
        assert highlight.any()
        assert np.abs(after - before)[highlight].max() < 3
        # The iris is darkest at its rim, and what differed within it still does.
        rim = np.median(after[(far > 0.85) & (far < 0.95) & eye])
        assert rim < body
        ring = (far > 0.5) & (far < 0.8) & eye
        assert np.corrcoef(before[ring], after[ring])[0, 1] > 0.7


def test_the_edge_is_soft() -> None:
    """No ring is painted: at the edge of an iris are no steps that there were not."""
    image, face = scaled_face(600)
    result = recolored(image, [face])
    for iris in find_irises(image, mesh_of(image, face)):
        far = radii_away(image, iris)[:, 1:]
        edge = (far > 0.8) & (far < 1.2)
        before, after = (
            np.abs(np.diff(lab(of)[:, :, 0], axis=1))[edge].max()
            for of in (image, result)
        )
        assert after <= before + 1


@pytest.mark.parametrize("width", [60, 100, 250])
def test_small_irises_are_recoloured_too(width: int) -> None:
    image, face = scaled_face(width)
    result = treated(image, [face])
    assert face not in result.otherwise
    changed = (result.image != image).any(axis=2).sum()
    assert 4 <= changed < 0.03 * face.box.width * face.box.height


def test_the_nearer_eye_of_a_face_that_looks_aside_is_recoloured() -> None:
    image = read(LOOKING_ASIDE)
    (face,) = detect(image)
    result = treated(image, [face])
    assert face not in result.otherwise
    changed = (result.image != image).any(axis=2)
    assert changed[150:200, 140:190].any()


@pytest.mark.parametrize("white", [255, 65535])
def test_grey_pictures_stay_grey(white: int) -> None:
    image, face = scaled_face(200)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[:, :, None].repeat(3, axis=2)
    if white == 65535:
        grey = grey.astype(np.uint16) * 257
    result = recolored(grey, [face])
    assert (result != grey).any()
    assert (result == result[:, :, :1]).all()


def test_sixteen_bits_give_the_same_picture() -> None:
    image, face = scaled_face(200)
    eight = recolored(image, [face])
    sixteen = recolored(image.astype(np.uint16) * 257, [face])
    assert sixteen.dtype == np.uint16
    assert np.abs(sixteen / 257 - eight).max() < 3


def test_faces_that_were_left_alone_are_told() -> None:
    image = read(EXAMPLES / "curies.jpg")
    marie, pierre = sorted(detect(image)[:2], key=lambda face: face.box.left)
    result = treated(image, [marie, pierre])
    assert (result.image != image).any()
    assert result.otherwise == {pierre: LEFT_ALONE}
    assert (recolored(image, [pierre]) == image).all()


def test_a_face_too_small_is_left_alone() -> None:
    image, face = scaled_face(14)
    result = treated(image, [face])
    assert result.otherwise == {face: LEFT_ALONE}
    assert (result.image == image).all()


@pytest.mark.parametrize("covered", [1, 2])
def test_eyes_that_cannot_be_seen_are_left_alone(covered: int) -> None:
    image, face = scaled_face(300)
    points = mesh_of(image, face).points
    for lids in (LEFT_EYE, RIGHT_EYE)[:covered]:
        low, high = points[list(lids)].min(axis=0), points[list(lids)].max(axis=0)
        left, top = (low - 8).astype(int)
        right, bottom = (high + 8).astype(int)
        image[top:bottom, left:right] = (40, 40, 40)
    result = treated(image, [face])
    # Who had one eye recoloured is not left alone.
    assert (face in result.otherwise) == (covered == 2)
    changed = (result.image != image).any(axis=2)
    assert changed.any() == (covered == 1)
    assert not changed[(image == 40).all(axis=2)].any()


def test_what_is_behind_coloured_glass_is_left_alone() -> None:
    image, face = scaled_face(300)
    points = mesh_of(image, face).points
    low, high = (
        points[[*LEFT_EYE, *RIGHT_EYE]].min(axis=0).astype(int) - 20,
        points[[*LEFT_EYE, *RIGHT_EYE]].max(axis=0).astype(int) + 20,
    )
    goggles = image[low[1] : high[1], low[0] : high[0]]
    goggles[:] = goggles * np.array((0.1, 0.3, 1.0))
    result = treated(image, [face])
    assert result.otherwise == {face: LEFT_ALONE}
    assert (result.image == image).all()


def test_it_says_that_it_protects_nobody() -> None:
    (caution,) = EyeColor().cautions()
    assert "unrecognisable" in caution
    assert "hides nobody" in str(EyeColor.__doc__)


def test_the_help_lists_it_apart(faceanon: Run) -> None:
    text = faceanon("--help").stdout
    methods, _, others = text.partition("Methods that hide nobody:")
    assert "eyecolor" not in methods
    assert others.split()[0] == "eyecolor"
    for name in ("blackbar", "pixelate", "blur", "swap", "emoji", "eyecolor"):
        hides_nobody = anonymizers.get(name).guarantee is Guarantee.NONE
        assert (name in anonymizers.HIDES_NOBODY) == hides_nobody
