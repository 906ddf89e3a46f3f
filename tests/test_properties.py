"""Laws of the small things, for any values: geometry, options, names."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceanon import anonymizers
from faceanon.batch.run_options import RunOptions
from faceanon.errors import OptionError
from faceanon.model import Box, Cover, Face
from faceanon.options import build, declared, values
from faceanon.settings import Settings
from faceanon.storage.names import is_stale, shown, temporary_name

coordinates = st.integers(-(2**31), 2**31)
sizes = st.integers(1, 2**20)
boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    coordinates,
    coordinates,
    sizes,
    sizes,
)
near_boxes = st.builds(
    lambda left, top, width, height: Box(left, top, left + width, top + height),
    *(st.integers(-60, 60), st.integers(-60, 60)),
    *(st.integers(1, 90), st.integers(1, 90)),
)


@given(boxes, st.floats(1, 4))
def test_a_grown_box_holds_the_box_and_is_not_much_larger(
    box: Box, factor: float
) -> None:
    grown = box.grown(factor)
    assert grown.left <= box.left < box.right <= grown.right
    assert grown.top <= box.top < box.bottom <= grown.bottom
    assert grown.width <= box.width * factor + 2
    assert grown.height <= box.height * factor + 2


@given(boxes, st.integers(1, 10**5), st.integers(1, 10**5))
def test_a_clipped_box_lies_in_the_image(box: Box, height: int, width: int) -> None:
    clipped = box.clipped(height, width)
    assert box.clipped(height, width).clipped(height, width) == clipped
    if not clipped.is_empty:
        assert 0 <= clipped.left < clipped.right <= width
        assert 0 <= clipped.top < clipped.bottom <= height
        assert max(clipped.left, box.left) == clipped.left


@given(near_boxes, near_boxes)
def test_overlap_is_the_same_from_both_sides(one: Box, other: Box) -> None:
    assert one.overlap(other) == other.overlap(one)
    assert 0 <= one.overlap(other) <= 1
    assert (one.overlap(other) == 1) == (one == other)


@given(near_boxes, st.floats(1, 4), st.sampled_from(["box", "ellipse"]))
def test_a_cover_fits_its_box_and_covers_the_middle_of_the_face(
    box: Box, grow: float, shape: Any
) -> None:
    image = np.zeros((50, 40, 3), np.uint8)
    face, cover = Face(box, 1.0), Cover(grow, shape)
    mask = cover.mask(face, image)
    covered = np.zeros((50, 40), bool)
    clipped = cover.box(face, image)
    if clipped.is_empty:
        assert not mask.any()
        return
    covered[clipped.slices] = mask
    x, y = (box.left + box.right) // 2, (box.top + box.bottom) // 2
    if 0 <= x < 40 and 0 <= y < 50 and min(box.width, box.height) > 2:
        assert covered[y, x]


anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.tuples(st.text(max_size=3))
)


@pytest.mark.parametrize("owner", [Settings, RunOptions, *anonymizers.names()])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_value_of_an_option_is_taken_or_explained(
    owner: Any, data: st.DataObject
) -> None:
    if isinstance(owner, str):
        owner = anonymizers.get(owner)
    options = list(declared(owner))
    if not options:
        return
    option = data.draw(st.sampled_from(options))
    value = data.draw(anything)
    try:
        made = build(owner, {option.name: value})
    except OptionError:
        return
    kept = values(made)[option.name]  # None of a seed, which nobody is to find
    if kept is not None and option.type in (int, float) and option.minimum is not None:
        assert kept >= option.minimum


@given(st.binary(max_size=40) | st.text().map(lambda text: text.encode()))
def test_any_file_name_is_shown_in_one_printable_line(name: bytes) -> None:
    text = shown(name.decode("utf-8", "surrogateescape"))
    assert text.isprintable()
    text.encode()  # no half of a surrogate pair is left
    if name.isascii() and name.decode().isprintable():
        assert text == name.decode()


def test_temporary_names_are_known_and_never_the_same() -> None:
    names = {temporary_name() for _ in range(1000)}
    assert len(names) == 1000
    assert all(is_stale(name) for name in names)
    # What another shard may be putting together is left alone.
    assert not any(is_stale(temporary_name("1of4"), "2of4") for _ in range(10))
    assert is_stale(temporary_name("1of4"), "1of4")
    assert is_stale(temporary_name("1of4"))
