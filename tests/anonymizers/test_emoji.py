"""Laws of the method that puts stickers on faces."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import Run
from faceanon.anonymizers import stickers
from faceanon.anonymizers.emoji import Emoji
from faceanon.errors import OptionError
from faceanon.model import Box, Cover, Face, Image, Shape, white
from support import (
    ASTRONAUT_FACE,
    EXAMPLES,
    encoded,
    five_points,
    read,
    scaled_face,
    write_png,
)


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
        inside = cover.grown(turned).clipped(*image.shape[:2]).slices
        assert (first[inside] == second[inside]).all()


@pytest.mark.parametrize("width", [10, 33, 60, 200])
def test_a_sticker_hides_the_box_and_is_no_larger_than_that_takes(width: int) -> None:
    """Its disc: the largest ones have a hat, a halo or a mane around it."""
    image, face = scaled_face(width)
    image = np.pad(image, ((300, 300), (300, 300), (0, 0)), constant_values=90)
    box, other = face.placed(right=300, down=300).box, 255 - image
    diagonal = float(np.hypot(box.width, box.height))
    for name in stickers.CHARACTERS:
        result = pasted(Emoji(name), image, [Face(box, 1.0)], Cover(1))
        opaque = (result == pasted(Emoji(name), other, [Face(box, 1.0)], Cover(1))).all(
            axis=2
        )
        assert opaque[box.slices].all(), name
        y, x = np.nonzero(opaque)
        if name in {"smile", "grin", "wink", "moon"}:
            assert max(np.ptp(y), np.ptp(x)) < 1.2 * max(diagonal, 1.2 * box.height) + 4
        y, x = np.nonzero((result != image).any(axis=2))
        assert max(np.ptp(y), np.ptp(x)) < 1.75 * max(diagonal, 1.2 * box.height) + 4


def test_its_size_and_turn_tell_little_of_a_face() -> None:
    """The same face gets other ones each time, but in a film where nothing moves."""
    image = np.full((500, 500, 3), 90, np.uint8)
    face = Face(Box(200, 190, 300, 310), 1.0)

    def drawn(seed: int, frame: int | None) -> bytes:
        faces = [replace(face, frame=frame)]
        return (
            Emoji().hide(image, faces, Cover(1), np.random.default_rng(seed)).tobytes()
        )

    assert len({drawn(seed, None) for seed in range(20)}) == 20
    widths = []
    for seed in range(20):
        pixels = np.frombuffer(drawn(seed, None), np.uint8).reshape(image.shape)
        widths.append(np.ptp(np.nonzero((pixels != image).any(axis=(0, 2)))))
    assert max(widths) > 1.08 * min(widths)
    # What comes besides it, and in which order, makes no difference to a film.
    other = Face(Box(20, 20, 40, 45), 1.0, frame=0)
    both = Emoji().hide(
        image, [replace(face, frame=0), other], Cover(1), np.random.default_rng(1)
    )
    alone = np.frombuffer(drawn(1, 0), np.uint8).reshape(image.shape)
    assert (both[150:, 150:] == alone[150:, 150:]).all()


def test_all_of_a_sticker_lies_in_its_reach(own: Path) -> None:
    """Outside of it nothing is changed, so that no more of a JPEG is decoded."""
    image = np.full((500, 500, 3), 90, np.uint8)
    face = replace(scaled_face(40)[1], box=Box(230, 225, 270, 280))
    for name in (*stickers.CHARACTERS, stickers.MIXED, str(own)):
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


def looks_of_a_row(method: Emoji) -> list[NDArray[np.float64]]:
    """The mean colours of the stickers on twelve faces, one for each that differs.

    Size and turn, which vary by chance, make little difference to them.
    """
    image = np.full((300, 2000, 3), (0, 0, 9), np.uint8)
    row = [Face(Box(left, 100, left + 60, 180), 1.0) for left in range(40, 1900, 160)]
    result = pasted(method, image, row, Cover(1))
    looks: list[NDArray[np.float64]] = []
    for face in row:
        color = np.asarray(result[face.box.slices].mean(axis=(0, 1)))
        if all(np.abs(color - known).max() > 8 for known in looks):
            looks.append(color)
    return looks


def test_all_faces_smile_unless_there_is_a_choice() -> None:
    (usual,), (smile,) = looks_of_a_row(Emoji()), looks_of_a_row(Emoji("smile"))
    assert (usual == smile).all()
    assert len(looks_of_a_row(Emoji("joy,panda , \N{PIG FACE}"))) == 3
    assert len(looks_of_a_row(Emoji("mixed"))) > 5
    assert len(looks_of_a_row(Emoji(consistent=True))) > 1


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\N{SLIGHTLY SMILING FACE}", "smile"),
        ("\N{SLIGHTLY SMILING FACE}\N{VARIATION SELECTOR-16}", "smile"),
        ("\N{BEAR FACE}\u200d\u2744\ufe0f", "polarbear"),
        ("\N{BEAR FACE}\u200d\u2744", "polarbear"),
    ],
)
def test_an_emoji_can_be_typed_as_it_is(
    faceanon: Run, tmp_path: Path, character: str, name: str
) -> None:
    typed, named = tmp_path / "typed.png", tmp_path / "named.png"
    for out, value in ((typed, character), (named, name)):
        picture = EXAMPLES / "astronaut.png"
        done = faceanon("emoji", picture, out, "--emoji", value, "--seed", 1)
        assert done.returncode == 0, done.stderr
    assert typed.read_bytes() == named.read_bytes()


def test_the_list_shows_names_and_characters(
    faceanon: Run, environment: dict[str, str]
) -> None:
    listed = [line.split() for line in faceanon("emoji", "--list").stdout.splitlines()]
    assert ["smile", "\N{SLIGHTLY SMILING FACE}"] in listed
    assert len(listed) >= 12
    for name, character in listed:
        assert stickers.load(name).color == stickers.load(character).color
    # An old terminal, or Windows with its output in a file, lacks the characters.
    environment["PYTHONIOENCODING"] = "latin-1"
    done = faceanon("emoji", "--list")
    assert done.returncode == 0
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names == [name for name, _ in listed]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_grey_picture_stays_grey_and_a_colour_one_gets_colours(dtype: type) -> None:
    image, face = scaled_face(60)
    grey: Image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(dtype)
    grey *= white(grey) // 255
    without = cv2.merge([grey] * 3)
    result = pasted(Emoji("hearts"), without, [face], Cover(1))
    assert (result.min(axis=2) == result.max(axis=2)).all()
    assert (result != without).any()
    # A coloured corner, far away, changes nothing; one under the sticker does.
    inside = Emoji("hearts").affected_box(face, Cover(1))
    assert inside is not None
    clipped = inside.clipped(*grey.shape)
    for place, colored in (
        ((clipped.bottom, clipped.right), False),
        ((face.box.top + 2, face.box.left + 2), True),
    ):
        with_one = without.copy()
        with_one[place] = (0, 0, 255)
        result = pasted(Emoji("hearts"), with_one, [face], Cover(1))
        middle = result[face.box.slices]
        assert (middle.min(axis=2) < middle.max(axis=2)).any() == colored


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_a_file_of_one_channel_keeps_it(
    faceanon: Run, tmp_path: Path, suffix: str
) -> None:
    source, out = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    grey = read(EXAMPLES / "astronaut.png", cv2.IMREAD_GRAYSCALE)
    source.write_bytes(encoded(grey, f".{suffix}"))
    assert faceanon("emoji", source, out).returncode == 0
    after = read(out, cv2.IMREAD_UNCHANGED)
    assert after.ndim == 2
    expected = pasted(Emoji(), cv2.merge([grey] * 3), [ASTRONAUT_FACE], Cover(1))
    middle = ASTRONAUT_FACE.box.grown(0.3).slices
    assert abs(float(after[middle].mean() - expected[middle].mean())) < 6


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
    assert len(stickers.CHARACTERS) >= 12
    for name in stickers.CHARACTERS:
        sticker = stickers.load(name)
        assert sticker.radius > 0.33 * 512
        assert sticker.reach <= stickers.FARTHEST


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "neither a PNG file nor one of the emoji that"),
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
    pixels = np.full((64, 64, 4), 100, np.uint8)
    pixels[0, 0] = 0
    path = write_png(tmp_path / "glass.png", pixels)
    with pytest.raises(OptionError, match="transparent all over"):
        Emoji(str(path))


@pytest.mark.parametrize("picture", ["opaque.png", "cat.png", "curies.jpg"])
def test_a_photo_is_no_sticker(faceanon: Run, tmp_path: Path, picture: str) -> None:
    path = EXAMPLES / picture
    if not path.exists():
        cat = read(EXAMPLES / "cat.png")
        path = tmp_path / picture
        write_png(path, np.dstack((cat, np.full_like(cat[:, :, 0], 255))))
    done = faceanon("emoji", EXAMPLES, tmp_path / "out", "--emoji", path)
    assert done.returncode == 2
    assert "a PNG file with a transparent background" in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_drawing_of_ones_own_can_be_a_sticker(tmp_path: Path) -> None:
    """Of 8 or 16 bits, with a margin around it or without, alone or beside others."""
    pixels = np.zeros((200, 260, 4), np.uint8)
    cv2.circle(pixels, (100, 90), 60, (10, 200, 30, 255), -1)
    image, face = scaled_face(100)
    results = []
    for name, drawing in (
        ("a.png", pixels),
        ("cropped, twice.png", pixels[29:152, 39:162]),
        ("deep.png", pixels.astype(np.uint16) * 257),
    ):
        path = write_png(tmp_path / name, drawing)
        results.append(pasted(Emoji(str(path)), image, [face], Cover(1)))
        assert (results[-1][face.box.slices] == (10, 200, 30)).all()
        assert (results[-1] == results[0]).all()
    several = f"{tmp_path / 'a.png'},smile"
    assert len(looks_of_a_row(Emoji(several))) == 2


def test_a_drawing_without_a_middle_is_no_larger_than_others(own: Path) -> None:
    """The disc under it is as large as it is; of the face, nothing is seen."""
    image = np.full((500, 500, 3), (90, 120, 60), np.uint8)
    face = Face(Box(225, 220, 275, 285), 1.0)
    changed = (pasted(Emoji(str(own)), image, [face], Cover(1)) != image).any(axis=2)
    y, x = np.nonzero(changed)
    diagonal = float(np.hypot(face.box.width, face.box.height))
    assert max(np.ptp(y), np.ptp(x)) < 1.25 * 1.15 * diagonal + 4
    assert changed[face.box.slices].all()
