"""Laws of the method that puts stickers on faces."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceanon.anonymizers import stickers
from faceanon.anonymizers.emoji import Emoji
from faceanon.errors import OptionError
from faceanon.model import Box, Cover, Face, Image, Shape
from support import EXAMPLES, five_points, read, scaled_face, write_png


def pasted(
    method: Emoji, image: Image, faces: list[Face], cover: Cover, seed: int = 0
) -> Image:
    return method.hide(image, faces, cover, np.random.default_rng(seed))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A PNG of one's own: a thin ring, with next to no opaque disc in it."""
    pixels = np.zeros((100, 140, 4), np.uint8)
    cv2.circle(pixels, (70, 50), 40, (10, 200, 30, 255), 6)
    return write_png(tmp_path / "ring.png", pixels)


@pytest.mark.parametrize("shape", ["box", "ellipse"])
@pytest.mark.parametrize("width", [8, 23, 90, 350, 720])
def test_what_was_under_a_sticker_does_not_matter(
    width: int, shape: Shape, own: Path
) -> None:
    """The law: two pictures come out the same, wherever a face is covered."""
    image, face = scaled_face(width)
    other = np.ascontiguousarray(255 - image[::-1])
    turned = replace(
        face,
        points=five_points(
            (face.box.left + width * x, face.box.top + width * y)
            for x, y in ((0.2, 0.3), (0.8, 0.6), (0.5, 0.8), (0.3, 1), (0.7, 1.1))
        ),
    )
    cover = Cover(1.1, shape)
    for method in (Emoji("smile"), Emoji("lion"), Emoji(str(own))):
        first = pasted(method, image, [turned], cover)
        second = pasted(method, other, [turned], cover)
        inside = cover.box(turned, image).slices
        mask = cover.mask(turned, image)
        assert (first[inside][mask] == second[inside][mask]).all()


def test_a_sticker_does_not_reach_far_beyond_the_face() -> None:
    image, face = scaled_face(60)
    canvas = np.full((600, 600, 3), 90, np.uint8)
    canvas[200 : 200 + image.shape[0], 200 : 200 + image.shape[1]] = image
    box = face.box
    moved = Face(
        type(box)(box.left + 200, box.top + 200, box.right + 200, box.bottom + 200), 1.0
    )
    for name in stickers.names():
        result = pasted(Emoji(name), canvas, [moved], Cover(1.1))
        ys, xs = np.nonzero((result != canvas).any(axis=2))
        diagonal = float(np.hypot(box.width, box.height)) * 1.1
        assert max(np.ptp(ys), np.ptp(xs)) < 1.75 * diagonal, name


def test_all_of_a_sticker_lies_in_its_reach(own: Path) -> None:
    """Outside of it nothing is changed, so that no more of a JPEG is decoded."""
    image = np.full((500, 500, 3), 90, np.uint8)
    face = replace(scaled_face(40)[1], box=Box(230, 225, 270, 280))
    for name in (*stickers.names(), str(own)):
        method = Emoji(name)
        changed = pasted(method, image, [face], Cover()) != image
        assert changed.any()
        affected = method.affected_box(face, Cover())
        assert affected is not None
        changed[affected.clipped(500, 500).slices] = False
        assert not changed.any(), name


def test_it_is_turned_with_the_line_of_the_eyes() -> None:
    image = np.full((400, 400, 3), 128, np.uint8)
    _, face = scaled_face(100)
    box = type(face.box)(150, 140, 250, 260)

    def drawn(left: tuple[float, float], right: tuple[float, float]) -> Image:
        points = (left, right, (200.0, 210.0), (180.0, 230.0), (220.0, 230.0))
        return pasted(Emoji("panda"), image, [Face(box, 1.0, points)], Cover(1.1))

    level = drawn((170, 190), (230, 190))
    # A quarter turn to the right: the eye on the left goes up, that on the right down.
    turned = drawn((200, 160), (200, 220))
    expected = cv2.rotate(level[:, :], cv2.ROTATE_90_CLOCKWISE)
    assert np.abs(turned.astype(int) - expected).mean() < 2
    assert np.abs(turned.astype(int) - level).mean() > 5


def test_one_name_is_used_for_all_and_none_draws_from_all() -> None:
    image = np.zeros((300, 2000, 3), np.uint8)
    _, face = scaled_face(60)
    row = [
        Face(type(face.box)(left, 100, left + 60, 180), 1.0)
        for left in range(40, 1900, 160)
    ]

    def looks(result: Image) -> set[tuple[int, ...]]:
        """The mean colours of the stickers, one for each that is different."""
        return {
            tuple(result[face.box.slices].mean(axis=(0, 1)).round().astype(int))
            for face in row
        }

    assert len(looks(pasted(Emoji("joy"), image, row, Cover(1.1)))) == 1
    assert len(looks(pasted(Emoji(), image, row, Cover(1.1)))) > 5


def test_faces_at_the_edge_and_sixteen_bits() -> None:
    image = np.full((120, 160, 3), 40000, np.uint16)
    _, face = scaled_face(60)
    for left, top in ((-30, -20), (140, 90), (-200, 10), (60, 110)):
        box = type(face.box)(left, top, left + 60, top + 75)
        result = pasted(Emoji("moon"), image, [Face(box, 1.0)], Cover(1.1))
        inside = box.clipped(120, 160)
        assert (result[inside.slices] != 40000).any(axis=2).all()
        assert result.dtype == np.uint16
        if not inside.is_empty:
            assert result[inside.slices].max() > 45000


def test_there_are_a_dozen_large_and_opaque_stickers() -> None:
    names = Emoji.catalogue()
    assert len(names) >= 12
    for name in names:
        sticker = stickers.load(name)
        assert min(sticker.levels[0].shape[:2]) >= 512
        assert sticker.radius > 0.33 * 512


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "neither a PNG file nor one of bear"),
        (b"", "cannot be read"),
        (b"\x89PNG\r\n\x1a\nbroken", "cannot be read"),
    ],
)
def test_a_sticker_that_cannot_be_used_is_named(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "own.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OptionError, match=message) as error:
        Emoji(str(path))
    assert "own.png" in str(error.value)


def test_a_transparent_sticker_is_refused(tmp_path: Path) -> None:
    path = write_png(tmp_path / "glass.png", np.full((64, 64, 4), 100, np.uint8))
    with pytest.raises(OptionError, match="transparent all over"):
        Emoji(str(path))


def test_a_photo_of_ones_own_can_be_a_sticker() -> None:
    image, face = scaled_face(100)
    result = pasted(Emoji(str(EXAMPLES / "cat.png")), image, [face], Cover(1.1))
    orange = read(EXAMPLES / "cat.png").mean(axis=(0, 1))
    assert np.abs(result[face.box.slices].mean(axis=(0, 1)) - orange).max() < 60
