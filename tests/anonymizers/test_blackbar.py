"""What is painted over faces by `blackbar`: its colour, and a label."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import Run
from faceanon.anonymizers.blackbar import BlackBar
from faceanon.errors import OptionError
from faceanon.model import Box, Cover, Face, Image, Shape
from support import EXAMPLES, lines, read, scaled_face, write_png


def bar(method: BlackBar, width: int, height: int, dtype: type = np.uint8) -> Image:
    """What is painted over a face of this size."""
    image: Image = np.full((height, width, 3), 77, dtype)
    face = Face(Box(0, 0, width, height), 0.9)
    return method.hide(image, [face], Cover(1), np.random.default_rng(0))


@pytest.mark.parametrize("color", ["#0080ff", "0080ff", "0080FF", "rgb(0, 128, 255)"])
def test_a_colour_can_be_written_in_any_way(
    faceanon: Run, tmp_path: Path, color: str
) -> None:
    out, report = tmp_path / "out.png", tmp_path / "report.jsonl"
    command = (EXAMPLES / "astronaut.png", out, "--color", color, "--report", report)
    done = faceanon("blackbar", *command)
    assert done.returncode == 0, done.stderr
    left, top, right, bottom = lines(report)[0]["faces"][0]["box"]
    assert (read(out)[top:bottom, left:right] == (255, 128, 0)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", ["box", "rounded", "ellipse"])
def test_the_average_is_of_what_no_face_covers(shape: Shape, dtype: type) -> None:
    level = np.iinfo(dtype).max // 255
    rng = np.random.default_rng(5)
    image: Image = np.full((240, 400, 3), (10, 200, 30), dtype) * level
    faces = [Face(Box(60, 60, 120, 140), 0.9), Face(Box(150, 70, 210, 140), 0.9)]
    stays = Face(Box(20, 100, 40, 126), 0.9)
    cover = Cover(1.4, shape)
    for face in faces:
        mask = cover.mask(face, image)
        noise = rng.integers(0, 255 * level, (*mask.shape, 3), dtype)
        image[cover.box(face, image).slices][mask] = noise[mask]
    image[cover.grown(stays).slices] = 0
    method = BlackBar(color="average")
    result = method.treat(image, faces, [stays], cover, rng).image
    for face in faces:
        mask = cover.mask(face, image)
        painted = result[cover.box(face, image).slices][mask]
        assert (painted == np.array([10, 200, 30]) * level).all()


def test_the_average_of_a_face_that_fills_the_picture_is_black() -> None:
    assert (bar(BlackBar(color="average"), 60, 80) == 0).all()


def test_the_average_of_a_grey_picture_is_grey_and_that_of_half_is_between() -> None:
    image, face = scaled_face(60)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    method = BlackBar(color="average", label="x")
    result = method.hide(grey, [face], Cover(1), np.random.default_rng(0))
    assert (np.ptp(result, axis=2) == 0).all()
    assert (result != grey).any()
    halves = np.zeros((200, 200, 3), np.uint8)
    halves[:, 100:] = 200
    method = BlackBar(color="average")
    face = Face(Box(70, 60, 130, 140), 0.9)
    result = method.hide(halves, [face], Cover(1), np.random.default_rng(0))
    assert (result[100, 100] == 100).all()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_picture_gets_bars_of_its_own_colours(
    faceanon: Run, tmp_path: Path, suffix: str
) -> None:
    """A JPEG is changed in parts, which must be large enough for that."""
    source, out = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    image = read(EXAMPLES / "astronaut.png")
    cv2.imwrite(str(source), image)
    report = tmp_path / "report.jsonl"
    command = (source, out, "--color", "average", "--report", report)
    assert faceanon("blackbar", *command).returncode == 0
    left, top, right, bottom = lines(report)[0]["faces"][0]["box"]
    painted = read(out)[top:bottom, left:right].reshape(-1, 3)
    assert painted.std(axis=0).max() < 1
    # The ring goes through hair, a beige wall and the collar of her suit.
    around = Box(left, top, right, bottom).grown(1.6).slices
    inner = Box(left, top, right, bottom).grown(1.4).slices
    outside = np.ones(image.shape[:2], bool)
    outside[inner] = False
    ring = image[around][outside[around]].mean(axis=0)
    assert np.abs(painted.mean(axis=0) - ring).max() < 20


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("color", "letters"),
    [("black", 255), ("white", 0), ("yellow", 0), ("navy", 255), ("808080", 0)],
)
def test_a_label_is_black_or_white_in_the_middle(
    color: str, letters: int, dtype: type
) -> None:
    level = np.iinfo(dtype).max // 255
    plain = bar(BlackBar(color=color), 100, 140, dtype)
    labelled = bar(BlackBar(color=color, label="Ω Ж égal"), 100, 140, dtype)
    assert (plain == plain[0, 0]).all()
    assert (labelled == letters * level).all(axis=2).any()
    ys, xs = np.nonzero((labelled != plain).any(axis=2))
    assert np.ptp(xs) > 60
    assert abs((xs.min() + xs.max() + 1) / 2 - 50) <= 1
    assert abs((ys.min() + ys.max() + 1) / 2 - 70) <= 1


def test_labels_are_as_large_as_fits_and_left_out_where_nobody_could_read_them() -> (
    None
):
    def height(label: str, width: int) -> int:
        drawn = bar(BlackBar(label=label), width, 3 * width // 2)
        ys, xs = np.nonzero(drawn.any(axis=2))
        if not len(ys):
            return 0
        # Also an ellipse holds it.
        x, y = (xs + 0.5) / width - 0.5, (ys + 0.5) / (3 * width // 2) - 0.5
        assert (x * x + y * y).max() < 0.25
        return int(np.ptp(ys)) + 1

    heights = [height("Anonym", width) for width in range(10, 300, 10)]
    assert heights == sorted(heights)
    assert heights[0] == 0
    # Two pixels are no letters.
    assert min(filter(None, heights)) >= 7
    # Two lines are larger than one, as covers are high.
    assert height("hidden hidden", 100) > 1.8 * height("hidden-hidden", 100)
    assert height("X", 100) <= 0.31 * 150


def test_a_label_says_nothing_of_the_face() -> None:
    image, face = scaled_face(100)
    method = BlackBar(label="Anonym")
    cover = Cover().box(face, image).slices
    rng = np.random.default_rng
    first, second = (
        method.hide(picture, [face], Cover(), rng(seed))[cover]
        for seed, picture in enumerate((image, 255 - image))
    )
    assert (first == second).all()
    assert first.any()


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_picture_gets_labels(faceanon: Run, tmp_path: Path, suffix: str) -> None:
    source, out = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    cv2.imwrite(str(source), read(EXAMPLES / "astronaut.png"))
    plain = tmp_path / f"plain.{suffix}"
    assert faceanon("blackbar", source, plain).returncode == 0
    assert faceanon("blackbar", source, out, "--label", "Hidden").returncode == 0
    before, after = read(plain), read(out)
    assert (before != after).any()
    assert after[110:140, 180:260].max() > 240
    # The same letters, written in the other way that Unicode has.
    composed, decomposed = tmp_path / "c.png", tmp_path / "d.png"
    picture = write_png(tmp_path / "picture.png", read(source))
    for path, label in ((composed, "verh\u00fcllt"), (decomposed, "verhu\u0308llt")):
        assert faceanon("blackbar", picture, path, "--label", label).returncode == 0
    assert composed.read_bytes() == decomposed.read_bytes()


@pytest.mark.parametrize(
    ("label", "named"), [("隠し", "'隠'"), ("a\nb", r"'\\n'"), ("hi 🙂", "'🙂'")]
)
def test_a_label_that_cannot_be_written_is_refused(label: str, named: str) -> None:
    with pytest.raises(OptionError, match=f"a label cannot have {named}"):
        BlackBar(label=label)


def test_an_empty_label_is_none() -> None:
    assert (bar(BlackBar(label=" "), 100, 140) == 0).all()
