"""Laws of swapping: who was where is gone, and the rest is untouched."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import Run
from faceanon import detect
from faceanon.anonymizers.base import Treated
from faceanon.anonymizers.swap import Otherwise, Swap
from faceanon.errors import PictureError
from faceanon.model import Box, Cover, Face, Image
from faceanon.vision.landmarks import find_landmarks
from faceanon.vision.recognition.alignment import aligned
from faceanon.vision.recognition.embedding import direction
from faceanon.vision.recognition.sface import embed
from support import ASTRONAUT_FACE, EXAMPLES, read


@pytest.fixture(scope="module")
def group() -> tuple[Image, list[Face]]:
    """Four people who look at the camera, and two behind them who do not."""
    image = read(EXAMPLES / "group.jpg")
    image = cv2.resize(image, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    return image, sorted(detect(image), key=lambda face: -face.box.width)


@pytest.fixture(scope="module")
def pair(group: tuple[Image, list[Face]]) -> tuple[Image, list[Face]]:
    """The two men in the middle of the group."""
    image, faces = group
    front = sorted(faces[:4], key=lambda face: face.box.left)
    return image, front[1:3]


def treated(
    image: Image, faces: list[Face], seed: int = 0, otherwise: Otherwise = "pixelate"
) -> Treated:
    rng = np.random.default_rng(seed)
    return Swap(otherwise).treat(image, faces, (), Cover(), rng)


def swapped(image: Image, faces: list[Face], seed: int = 0) -> Image:
    """The picture in which all of the faces are swapped."""
    done = treated(image, faces, seed)
    assert not done.otherwise
    return done.image


def identity(image: Image, face: Face) -> NDArray[np.float32]:
    assert face.points is not None
    return direction(embed(aligned(image, face.points)))


def changed(before: Image, after: Image, box: Box) -> float:
    """The share of a box's pixels that are others now."""
    inside = box.clipped(*before.shape[:2]).slices
    return float((before[inside] != after[inside]).any(axis=2).mean())


def beside(left: Image, right: Image) -> Image:
    """Two pictures side by side, the lower one on black."""
    tall = max(left.shape[0], right.shape[0])
    return np.hstack(
        [
            np.pad(part, ((0, tall - len(part)), (0, 0), (0, 0)))
            for part in (left, right)
        ]
    )


def moved(face: Face, right: int = 0, factor: float = 1) -> Face:
    return face.placed(factor, right=right)


# --- Whom it swaps ---------------------------------------------------------------


def test_each_place_shows_the_other_face(pair: tuple[Image, list[Face]]) -> None:
    image, faces = pair
    result = swapped(image, faces)
    before = [identity(image, face) for face in faces]
    after = [identity(result, face) for face in faces]
    for here, there in ((0, 1), (1, 0)):
        assert after[here] @ before[there] > 0.363
        assert after[here] @ before[here] < after[here] @ before[there]


def test_all_of_a_group_who_look_at_the_camera_are_swapped(
    group: tuple[Image, list[Face]],
) -> None:
    image, faces = group
    results = []
    for seed in range(4):
        done = treated(image, faces, seed)
        assert set(done.otherwise) <= set(faces[3:])
        for face in set(faces) - set(done.otherwise):
            assert identity(image, face) @ identity(done.image, face) < 0.65
        results.append(done.image)
    # Who gets whose face is random.
    assert any((result != results[0]).any() for result in results)


def test_the_same_seed_gives_the_same_picture(group: tuple[Image, list[Face]]) -> None:
    image, faces = group
    before = image.copy()
    assert (treated(image, faces, 3).image == treated(image, faces, 3).image).all()
    assert (image == before).all()


def test_a_face_is_not_blown_up(pair: tuple[Image, list[Face]]) -> None:
    """Of two faces one is three times as large: none is shown in the other's place."""
    image, faces = pair
    small = cv2.resize(image, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
    both = [faces[0], faces[1].placed(1 / 3, right=image.shape[1])]
    done = treated(beside(image, small), both)
    assert set(done.otherwise) == set(both)


def test_a_soft_face_is_not_put_in_a_sharp_place(
    pair: tuple[Image, list[Face]],
) -> None:
    image, faces = pair
    soft = image.copy()
    blurred = cv2.GaussianBlur(image, (0, 0), 6)
    place = faces[1].box.grown(1.6).slices
    soft[place] = blurred[place]
    assert set(treated(soft, faces).otherwise) == set(faces)


def test_a_sharp_face_on_a_soft_picture_is_soft(
    pair: tuple[Image, list[Face]],
) -> None:
    image, faces = pair
    soft = image.copy()
    place = faces[1].box.grown(1.6).slices
    soft[place] = cv2.GaussianBlur(image, (0, 0), 1.1)[place]
    result = swapped(soft, faces)

    def sharpness(picture: Image, face: Face) -> float:
        grey = cv2.cvtColor(picture[face.box.slices], cv2.COLOR_BGR2GRAY)
        return float(cv2.Laplacian(grey.astype(float), cv2.CV_64F).std())

    assert sharpness(result, faces[1]) < 1.5 * sharpness(soft, faces[1])
    assert sharpness(result, faces[1]) < 0.7 * sharpness(image, faces[0])


def test_a_face_behind_a_thing_is_not_swapped(pair: tuple[Image, list[Face]]) -> None:
    """A camera before mouth and nose would be pasted as a moustache."""
    image, faces = pair
    box = faces[0].box
    behind = image.copy()
    behind[
        box.top + box.height // 2 : box.bottom, box.left : box.left + box.width * 2 // 3
    ] = (40, 30, 30)
    assert set(treated(behind, faces).otherwise) == set(faces)


# --- How it looks ----------------------------------------------------------------


def test_only_faces_change(pair: tuple[Image, list[Face]]) -> None:
    image, faces = pair
    result = swapped(image, faces)
    far = np.ones(image.shape[:2], bool)
    for face in faces:
        far[face.box.grown(1.3).clipped(*image.shape[:2]).slices] = False
        assert changed(image, result, face.box) > 0.5
    assert (result[far] == image[far]).all()


def test_there_is_no_seam(pair: tuple[Image, list[Face]]) -> None:
    """Along the new face's outline the picture is no rougher than it was."""
    image, faces = pair
    result = swapped(image, faces)
    for face in faces:
        mesh = find_landmarks(image, face)
        assert mesh is not None
        ring = np.zeros(image.shape[:2], np.uint8)
        cv2.polylines(ring, [mesh.outline.round().astype(np.int32)], True, 1, 5)

        def roughness(picture: Image) -> float:
            grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(float)
            edges = np.abs(cv2.Laplacian(grey, cv2.CV_64F))
            return float(edges[ring > 0].mean())  # noqa: B023  called at once

        assert roughness(result) < 1.1 * roughness(image)


def test_a_new_face_has_the_colour_and_light_of_the_place(
    pair: tuple[Image, list[Face]],
) -> None:
    """One face is half as bright, and bluish."""
    image, faces = pair
    lit = image.copy()
    place = faces[0].box.grown(1.6).slices
    lit[place] = (lit[place] * (0.6, 0.45, 0.4)).astype(np.uint8)
    result = swapped(lit, faces)
    for face in faces:
        inside = face.box.slices
        was, now = (picture[inside].mean(axis=(0, 1)) for picture in (lit, result))
        assert np.abs(now - was).max() < 12


def test_sixteen_bits_give_the_same_picture(pair: tuple[Image, list[Face]]) -> None:
    image, faces = pair
    eight = swapped(image, faces)
    sixteen = swapped(image.astype(np.uint16) * 257, faces)
    assert sixteen.dtype == np.uint16
    assert np.abs(sixteen / 257 - eight).mean() < 0.2


def test_a_grey_picture_stays_grey(pair: tuple[Image, list[Face]]) -> None:
    image, faces = pair
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    result = swapped(grey, faces)
    assert (result != grey).any()
    assert (result == result[:, :, :1]).all()


# --- Who cannot be swapped -------------------------------------------------------


@pytest.mark.parametrize("method", ["pixelate", "blur", "blackbar", "emoji"])
def test_faces_that_cannot_be_swapped_are_hidden_and_named(
    group: tuple[Image, list[Face]], method: Otherwise
) -> None:
    """Two people in the background are seen from the side."""
    image, faces = group
    done = treated(image, faces, otherwise=method)
    assert set(faces[4:]) <= set(done.otherwise)
    assert set(done.otherwise.values()) == {method}
    for face in done.otherwise:
        assert changed(image, done.image, face.box) > 0.9


def test_a_cover_lies_on_top_of_new_faces(pair: tuple[Image, list[Face]]) -> None:
    """What is found on the shoulder reaches into the face that was swapped."""
    image, faces = pair
    box = faces[0].box
    corner = Box(box.left, box.bottom - 10, box.left + 60, box.bottom + 60)
    cover = Cover()
    other = Face(corner, 0.9)
    done = treated(image, [*faces, other], otherwise="blackbar")
    assert done.otherwise == {other: "blackbar"}
    assert not done.image[cover.box(other, image).slices].any()


def test_where_nobody_can_be_swapped_all_are_hidden() -> None:
    image = read(EXAMPLES / "curies.jpg")
    faces = [face for face in detect(image) if face.box.width > 40]
    assert len(faces) == 2
    done = treated(image, faces)
    assert set(done.otherwise) == set(faces)
    for face in faces:
        assert changed(image, done.image, face.box) > 0.8


def test_a_single_face_that_can_be_swapped_is_hidden(
    group: tuple[Image, list[Face]],
) -> None:
    image, faces = group
    done = treated(image, [faces[0], faces[-1]])
    assert set(done.otherwise) == {faces[0], faces[-1]}


def test_a_face_over_the_edge_is_hidden(pair: tuple[Image, list[Face]]) -> None:
    image, faces = pair
    left = faces[0].box.left + faces[0].box.width // 3
    cut = np.ascontiguousarray(image[:, left:])
    both = [face.placed(right=-left) for face in faces]
    done = treated(cut, both)
    assert set(done.otherwise) == set(both)
    assert changed(cut, done.image, both[0].box) > 0.9


def test_one_face_is_refused() -> None:
    image = read(EXAMPLES / "astronaut.png")
    with pytest.raises(PictureError, match="at least two faces"):
        treated(image, [ASTRONAUT_FACE])


@pytest.mark.parametrize("shift", [0, 25, -25])
def test_a_doubtful_find_on_the_same_head_is_no_second_face(shift: int) -> None:
    image = read(EXAMPLES / "astronaut.png")
    again = Face(ASTRONAUT_FACE.box.placed(down=shift, right=shift), 0.2)
    with pytest.raises(PictureError, match="at least two faces"):
        treated(image, [ASTRONAUT_FACE, again])


def test_a_face_found_twice_is_one_face(pair: tuple[Image, list[Face]]) -> None:
    image, faces = pair
    again = Face(faces[0].box.grown(0.85), 0.4, faces[0].points)
    with pytest.raises(PictureError, match="one to hide"):
        treated(image, [faces[0], again])
    for seed in range(2):
        result = swapped(image, [*faces, again], seed)
        assert (result == swapped(image, faces, seed)).all()


def test_the_command_hides_the_rest_as_told(faceanon: Run, tmp_path: Path) -> None:
    source, out = EXAMPLES / "group.jpg", tmp_path / "out.png"
    report = tmp_path / "report.jsonl"
    done = faceanon(
        *("swap", source, out, "--otherwise", "blackbar", "--report", report)
    )
    assert done.returncode == 0, done.stderr
    after = read(out)
    faces = json.loads(report.read_text().splitlines()[-1])["faces"]
    smallest = sorted(faces, key=lambda face: face["box"][2] - face["box"][0])[:2]
    for face in smallest:
        left, top, right, bottom = face["box"]
        assert not after[top:bottom, left:right].any()


def test_the_command_fails_where_that_is_asked_for(
    faceanon: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    done = faceanon("swap", EXAMPLES / "group.jpg", out, "--otherwise", "fail")
    assert done.returncode == 1
    assert "cannot be swapped" in done.stderr
    assert not out.exists()
