"""Laws of the methods that cover each face by itself: blackbar, pixelate, blur.

What is painted takes nothing from the face but a coarse tone; what `--faithful` asks
for is a filter of the face, and weakens it.
"""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceanon.anonymizers.base import Anonymizer
from faceanon.anonymizers.blackbar import BlackBar
from faceanon.anonymizers.blur import Blur
from faceanon.anonymizers.pixelate import Pixelate
from faceanon.errors import OptionError
from faceanon.model import Box, Cover, Face, Image, Shape, white
from support import scaled_face

FAITHFUL = (
    Pixelate(cells=6, faithful=True),
    Blur(faithful=True),
    Blur(strength=0.15, faithful=True),
)
PAINTED = (BlackBar(), Pixelate(), Blur())
METHODS = (*PAINTED, *FAITHFUL)
SIZES = (8, 12, 20, 35, 60, 110, 200, 380, 720)

boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    *(st.integers(-30, 60), st.integers(-30, 60)),
    *(st.integers(1, 40), st.integers(1, 40)),
)
covers = st.builds(
    Cover,
    grow=st.floats(1, 3),
    shape=st.sampled_from(["box", "rounded", "ellipse"]),
    feather=st.sampled_from([0.0, 0.1, 0.5]),
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
@pytest.mark.parametrize("method", METHODS[:5], ids=repr)
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
    drawn = [hidden(FAITHFUL[0], image, face, seed) for seed in range(30)]
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
    drawn = hidden(Pixelate(6, faithful=True, noise=0), image, face, 1)
    cover = Cover().box(face, image)
    patch, cells = image[cover.slices], drawn[cover.slices]
    colors = np.unique(cells.reshape(-1, 3), axis=0)
    assert len(colors) < 150
    for color in colors:
        covered = (cells == color).all(axis=2)
        np.testing.assert_allclose(patch[covered].mean(axis=0), color, atol=0.51)


# On smaller faces all that is left of the contrast is noise.
@pytest.mark.parametrize("width", SIZES[2:])
@pytest.mark.parametrize("method", METHODS[4:], ids=lambda m: f"{m.strength}")
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
    for method in (*PAINTED, Pixelate(6, faithful=True, noise=0), FAITHFUL[1]):
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
    blur, rng = FAITHFUL[1], np.random.default_rng
    both = blur.hide(image, [face, neighbour], Cover(), rng(0))
    alone = blur.hide(image, [face], Cover(), rng(0))
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
    if isinstance(method, Pixelate) and method.faithful:
        # Six cells across the whole face are three across the part.
        assert changes.any(axis=0).sum() <= 5
    left = share_left(fine_detail(image, face), fine_detail(both, face))
    assert abs(left) < 0.3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Blur(strength=0.1, faithful=True), "strength must be at least 0.15"),
        (lambda: Blur(strength=float("nan")), "strength must be at least 0"),
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


def test_what_shows_the_face_is_cautioned_against_and_defaults_are_not() -> None:
    for method in PAINTED:
        assert method.cautions() == ()
    for method in FAITHFUL:
        assert any("can be recognised" in caution for caution in method.cautions())
    fine, quiet = Pixelate(9, faithful=True), Pixelate(faithful=True, noise=10)
    assert any("9 cells" in caution for caution in fine.cautions())
    assert any("noise of 10" in caution for caution in quiet.cautions())


# --- What is painted never was the face ----------------------------------------------


def with_another_face(image: Image, place: Box, seed: int) -> Image:
    """The picture with other pixels in a place, of the same mean in its middle."""
    rng = np.random.default_rng(seed)
    other = image.copy()
    core = place.grown(0.5)
    outer = other[place.slices]
    outer[:] = rng.integers(0, white(image), outer.shape, dtype=image.dtype)
    pixels = image[core.slices].reshape(-1, 3)
    other[core.slices] = rng.permutation(pixels).reshape(other[core.slices].shape)
    return other


def picture(seed: int, dtype: type = np.uint8) -> Image:
    """Soft blotches and grain, as of a photograph: shape (150, 210, 3)."""
    rng = np.random.default_rng(seed)
    blotches = cv2.resize(rng.uniform(0, 1, (6, 8, 3)), (210, 150))
    pixels = np.clip(blotches + rng.normal(0, 0.05, blotches.shape), 0, 1)
    return np.asarray((pixels * np.iinfo(dtype).max).astype(dtype))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(PAINTED),
    st.sampled_from([np.uint8, np.uint16]),
    st.integers(-20, 150),
    st.integers(-20, 100),
    st.integers(8, 80),
    st.sampled_from(["box", "rounded", "ellipse"]),
)
def test_another_face_in_the_same_place_gives_the_same_cover_byte_for_byte(
    method: Anonymizer, dtype: type, left: int, top: int, width: int, shape: Shape
) -> None:
    image = picture(1, dtype)
    face = Face(Box(left, top, left + width, top + width * 5 // 4), 0.9)
    other = with_another_face(image, face.box.clipped(*image.shape[:2]), 2)
    cover = Cover(shape=shape)
    assume(not cover.box(face, image).is_empty)
    # Cut off by the edge of the picture, the middle of the box is another one.
    assume(face.box == face.box.clipped(*image.shape[:2]))
    first, second = (hidden(method, each, face, 3, cover) for each in (image, other))
    assert (first == second).all()


@pytest.mark.parametrize("method", PAINTED, ids=repr)
@pytest.mark.parametrize("stays", [False, True], ids=["hidden", "shown"])
def test_nothing_of_a_neighbour_seeps_into_a_cover(
    method: Anonymizer, stays: bool
) -> None:
    image = picture(1)
    face = Face(Box(60, 40, 100, 90), 0.9)
    neighbour = Face(Box(112, 40, 152, 90), 0.9)
    other = with_another_face(image, neighbour.box, 2)
    covers = []
    for each in (image, other):
        faces = [face] if stays else [face, neighbour]
        others = [neighbour] if stays else []
        rng = np.random.default_rng(1)
        after = method.treat(each, faces, others, DEFAULT_COVER, rng).image
        covers.append(after[DEFAULT_COVER.box(face, image).slices])
    assert (covers[0] == covers[1]).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("method", PAINTED, ids=repr)
def test_grey_pictures_stay_grey(method: Anonymizer, dtype: type) -> None:
    grey = picture(4, dtype)[:, :, :1].repeat(3, axis=2)
    points = ((70.0, 60.0), (95.0, 66.0), (80.0, 75.0), (70.0, 85.0), (90.0, 88.0))
    face = Face(Box(60, 40, 105, 100), 0.9, points)
    for seed in range(5):
        after = hidden(method, grey, face, seed, type(method).default_cover)
        assert (after == after[:, :, :1]).all()


def test_a_face_has_one_of_few_tones() -> None:
    """Who knows the exact colour of a face knows something of whose it is."""
    tones = set()
    for level in range(256):
        image = np.full((90, 70, 3), level, np.uint8)
        # The whole picture: nothing around it to paint from.
        face = Face(Box(0, 0, 70, 90), 0.9)
        after = hidden(Pixelate(), image, face, 1)
        tones.add(after.tobytes())
    assert len(tones) <= 13


@pytest.mark.parametrize("method", PAINTED, ids=repr)
@pytest.mark.parametrize(
    "box",
    [
        *(Box(0, 0, 210, 150), Box(-900, -900, 900, 900), Box(100, 70, 101, 71)),
        *(Box(100, -1000, 110, 1000), Box(100, -(10**6), 110, 10**6)),
        Box(-(10**6), -(10**6), 10**6, 10**6),
    ],
    ids=["all", "beyond", "a pixel", "a line", "a long line", "far beyond"],
)
def test_a_face_of_any_size_is_covered(method: Anonymizer, box: Box) -> None:
    image = picture(1)
    face = Face(box, 0.9)
    after = hidden(method, image, face, 1)
    place = DEFAULT_COVER.box(face, image).slices
    assert (after[place] != image[place]).any(axis=2).mean() > 0.9


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_an_empty_box_covers_nothing(method: Anonymizer) -> None:
    image = picture(1)
    for box in (Box(50, 50, 50, 60), Box(50, 50, 60, 50), Box(300, 20, 340, 60)):
        assert (hidden(method, image, Face(box, 0.9), 1) == image).all()


def test_painting_along_a_cover_that_the_edge_cuts_off_keeps_its_grid() -> None:
    """Where a mosaic begins must not depend on how much of a face is in the picture."""
    image = np.full((200, 200, 3), 128, np.uint8)
    face = Face(Box(70, 70, 130, 145), 0.9)
    whole = hidden(Pixelate(), image, face, 1)
    cut = hidden(Pixelate(), image[:120], face, 1)
    rows = DEFAULT_COVER.box(face, image).slices[0].start

    def edges(pixels: Image) -> set[int]:
        column = pixels[rows:110, 100].astype(int)
        return set(np.flatnonzero(np.abs(np.diff(column, axis=0)).max(axis=1) > 0))

    assert edges(cut) == edges(whole)


@given(boxes, covers)
@settings(max_examples=60, deadline=None)
def test_every_shape_covers_all_that_the_box_covers(box: Box, cover: Cover) -> None:
    """Hair, ears and jaw at its corners would tell people apart."""
    image = np.zeros((120, 130, 3), np.uint8)
    face = Face(box, 0.9)
    solid = np.zeros(image.shape[:2], np.float32)
    solid[cover.box(face, image).slices] = cover.share(face, image)
    inside = Cover(cover.grow).box(face, image)
    assert (solid[inside.slices] == 1).all()
    if cover.feather:
        assert solid.max(initial=0) <= 1
        assert solid.min() >= 0
