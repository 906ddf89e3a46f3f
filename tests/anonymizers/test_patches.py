"""Laws of the methods that cover each face by itself: blackbar, pixelate, blur."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceanon.anonymizers.base import Anonymizer
from faceanon.anonymizers.blackbar import BlackBar
from faceanon.anonymizers.blur import Blur
from faceanon.anonymizers.pixelate import Pixelate
from faceanon.errors import OptionError
from faceanon.model import Box, Cover, Face, Image
from support import scaled_face

METHODS = (BlackBar(), Pixelate(), Blur(), Blur(strength=0.15))
SIZES = (8, 12, 20, 35, 60, 110, 200, 380, 720)

boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    *(st.integers(-30, 60), st.integers(-30, 60)),
    *(st.integers(1, 40), st.integers(1, 40)),
)
covers = st.builds(
    Cover, grow=st.floats(1, 3), shape=st.sampled_from(["box", "ellipse"])
)


DEFAULT_COVER = Cover()


def hidden(
    method: Anonymizer,
    image: Image,
    face: Face,
    seed: int,
    cover: Cover = DEFAULT_COVER,
) -> Image:
    return method.hide(image, [face], cover, np.random.default_rng(seed))


def fine_detail(image: Image, face: Face) -> NDArray[np.float64]:
    """What is finer than the cells of a mosaic: what tells one person from another."""
    grey = cv2.cvtColor(image[face.box.slices], cv2.COLOR_BGR2GRAY)
    shrink = min(1.0, 96 / face.box.width)
    grey = cv2.resize(
        grey.astype(np.float64),
        None,
        fx=shrink,
        fy=shrink,
        interpolation=cv2.INTER_AREA,
    )
    coarse = cv2.GaussianBlur(grey, (0, 0), max(grey.shape[1] / 24, 1.0))
    return np.asarray(grey - coarse, np.float64)


def share_left(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """How strongly the detail that was there is still there: 1 wholly, 0 not at all."""
    before, after = before - before.mean(), after - after.mean()
    return float((before * after).sum() / (before * before).sum())


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("method", METHODS[:3], ids=lambda m: type(m).__name__)
def test_fine_detail_of_a_face_cannot_be_told_at_any_size(
    method: Anonymizer, width: int
) -> None:
    image, face = scaled_face(width)
    left = [
        share_left(
            fine_detail(image, face),
            fine_detail(hidden(method, image, face, seed), face),
        )
        for seed in range(12)
    ]
    # On a small face hardly anything is finer than a cell, and noise is most of it.
    assert abs(np.mean(left)) < (0.15 if width >= 60 else 0.3)
    if width >= 60:
        assert np.abs(left).max() < 0.3


@pytest.mark.parametrize("width", SIZES)
def test_pixelating_leaves_few_cells_and_each_is_noisy(width: int) -> None:
    image, face = scaled_face(width)
    drawn = [hidden(Pixelate(), image, face, seed) for seed in range(30)]
    middle_row = drawn[0][(face.box.top + face.box.bottom) // 2]
    across = middle_row[face.box.left : face.box.right].astype(int)
    changes = np.abs(np.diff(across, axis=0)).max(axis=1) > 0
    assert changes.sum() <= 7
    x, y = (face.box.left + face.box.right) // 2, (face.box.top + face.box.bottom) // 2
    brightness = [float(np.mean(picture[y, x])) for picture in drawn]
    assert np.std(brightness) > 30


def test_the_cells_of_a_mosaic_are_true_means() -> None:
    """A sample of one pixel, or of a few, would show more than the mean does."""
    image, face = scaled_face(200)
    drawn = hidden(Pixelate(noise=0), image, face, 1)
    cover = Cover().box(face, image)
    patch, cells = image[cover.slices], drawn[cover.slices]
    colors = np.unique(cells.reshape(-1, 3), axis=0)
    assert len(colors) < 150
    for color in colors:
        covered = (cells == color).all(axis=2)
        np.testing.assert_allclose(patch[covered].mean(axis=0), color, atol=0.51)


# On smaller faces all that is left of the contrast is noise.
@pytest.mark.parametrize("width", SIZES[2:])
@pytest.mark.parametrize("method", METHODS[2:], ids=lambda m: f"{m.strength}")
def test_blur_leaves_nothing_finer_than_its_strength(method: Blur, width: int) -> None:
    """Contrast at the scale of features is a small part of what it was."""
    image, face = scaled_face(width)
    before = fine_detail(image, face).std()
    after = fine_detail(hidden(method, image, face, 0), face).std()
    assert after < 0.25 * before


def test_strength_follows_the_face_not_the_pixels() -> None:
    """A face twice as large is hidden as well: the same picture, twice as large."""
    small_image, small_face = scaled_face(100)
    large_image, large_face = scaled_face(400)
    for method in (Pixelate(noise=0), Blur()):
        small = hidden(method, small_image, small_face, 5)
        large = hidden(method, large_image, large_face, 5)
        shrunk = cv2.resize(
            large, small.shape[1::-1], interpolation=cv2.INTER_AREA
        ).astype(float)
        inside = small_face.box.slices
        difference = np.abs(shrunk - small)[inside].mean()
        assert difference < 6, type(method).__name__


def test_a_black_bar_is_one_colour_whatever_was_under_it() -> None:
    image, face = scaled_face(100)
    other = 255 - image
    cover = Cover().box(face, image)
    for method in (BlackBar(), BlackBar(color="#0080ff")):
        bar = hidden(method, image, face, 0)[cover.slices]
        assert (bar == bar[0, 0]).all()
        assert (bar == hidden(method, other, face, 0)[cover.slices]).all()
    assert tuple(bar[0, 0]) == (255, 128, 0)  # blue, green, red


@settings(max_examples=60, deadline=None)
@given(boxes, covers, st.sampled_from(METHODS), st.sampled_from([np.uint8, np.uint16]))
def test_only_the_cover_changes_and_the_input_never_does(
    box: Box, cover: Cover, method: Anonymizer, dtype: type
) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, np.iinfo(dtype).max, (41, 53, 3), dtype=dtype)
    before = image.copy()
    face = Face(box, 0.5)
    result = hidden(method, image, face, 3, cover)
    assert result.shape == image.shape
    assert result.dtype == image.dtype
    assert not np.shares_memory(result, image)
    assert (image == before).all()
    covered = np.zeros(image.shape[:2], bool)
    covered[cover.box(face, image).slices] = cover.mask(face, image)
    assert (result[~covered] == image[~covered]).all()
    assert (result == hidden(method, image, face, 3, cover)).all()


def test_a_face_at_each_edge_is_covered_to_the_last_row_and_column() -> None:
    image = np.full((60, 80, 3), 200, np.uint8)
    for box in (
        Box(-10, 20, 15, 45),
        Box(65, 20, 95, 45),
        Box(30, -12, 50, 14),
        Box(30, 45, 50, 75),
    ):
        result = hidden(BlackBar(), image, Face(box, 0.9), 0, Cover(1.0))
        inside = box.clipped(60, 80)
        assert (result[inside.slices] == 0).all()
        assert (result == 0).all(axis=2).sum() == inside.width * inside.height


def test_overlapping_faces_are_each_hidden_from_the_original() -> None:
    image, face = scaled_face(100)
    neighbour = Face(
        Box(face.box.left + 30, face.box.top, face.box.right + 30, face.box.bottom), 0.8
    )
    both = Blur().hide(image, [face, neighbour], Cover(), np.random.default_rng(0))
    alone = Blur().hide(image, [face], Cover(), np.random.default_rng(0))
    only_first = Cover().box(face, image).slices
    edge = np.s_[only_first[0], only_first[1].start : only_first[1].start + 15]
    assert (both[edge] == alone[edge]).all()


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_a_part_taken_for_a_face_does_not_weaken_the_whole(
    method: Anonymizer, first: int
) -> None:
    """Strength for a small face would show the large one that it is a part of."""
    image, face = scaled_face(120)
    part = Face(face.box.grown(0.4), 0.9)
    pair = [face, part] if first == 0 else [part, face]
    rng = np.random.default_rng
    both = method.hide(image, pair, DEFAULT_COVER, rng(2))
    middle = DEFAULT_COVER.box(part, image).slices
    changes = np.abs(np.diff(both[middle].astype(int), axis=1)).max(axis=2) > 0
    if isinstance(method, Pixelate):
        # Six cells across the whole face are three across the part.
        assert changes.any(axis=0).sum() <= 5
    left = share_left(fine_detail(image, face), fine_detail(both, face))
    assert abs(left) < 0.3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Blur(strength=0.1), "strength must be at least 0.15"),
        (lambda: Blur(strength=float("nan")), "strength must be at least 0.15"),
        (lambda: Pixelate(cells=0), "cells must be at least 1"),
        (lambda: Pixelate(noise=-1), "noise must be at least 0"),
        (lambda: BlackBar(color="octarine"), "'octarine' is not a colour"),
        (lambda: BlackBar(color="#00000080"), "is transparent"),
    ],
)
def test_options_that_would_not_hide_are_refused(
    make: Callable[[], Anonymizer], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        make()


def test_weak_options_are_cautioned_against_and_defaults_are_not() -> None:
    assert Pixelate().cautions() == ()
    assert BlackBar().cautions() == ()
    assert any("9 cells" in caution for caution in Pixelate(cells=9).cautions())
    assert any("noise" in caution for caution in Pixelate(noise=10).cautions())
    assert any("cosmetic" in caution for caution in Blur().cautions())
