"""Laws of the methods in films.

Nothing flickers, and the mean of many frames shows no more than one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from face_films import aligned, film, likeness, walk, walked
from faceanon import detect
from faceanon.anonymizers.base import Anonymizer, PatchAnonymizer
from faceanon.anonymizers.blackbar import BlackBar
from faceanon.anonymizers.blur import Blur
from faceanon.anonymizers.emoji import Emoji
from faceanon.anonymizers.eyecolor import EyeColor
from faceanon.anonymizers.painter import Hole, Painter
from faceanon.anonymizers.pixelate import Pixelate
from faceanon.anonymizers.swap import Swap
from faceanon.errors import PictureError
from faceanon.model import Box, Cover, Face, Image
from support import ASTRONAUT_FACE, EXAMPLES, five_points, read, scaled_face

PAINTED = (Pixelate(), Blur(), BlackBar(), BlackBar("average", "hidden"))
STICKERS = (Emoji(), Emoji("mixed"), Emoji(consistent=True))
FAITHFUL = (
    Pixelate(6, faithful=True),
    Blur(faithful=True),
    Blur(strength=0.15, faithful=True),
)
ALL = (*PAINTED, *STICKERS, *FAITHFUL)

# So much more may the mean of 60 frames be like the face than one frame is.
MARGIN = 0.08

TONE = (0.3, 0.4, 0.6)


def background(seed: int = 1, shape: tuple[int, int] = (240, 480)) -> Image:
    """Soft blotches, as behind people."""
    rng = np.random.default_rng(seed)
    blotches = cv2.resize(rng.uniform(40, 220, (5, 9, 3)), shape[::-1])
    return np.asarray(blotches.round().astype(np.uint8))


def at(box: Box, frame: int, track: int = 0, roll: float | None = 0) -> Face:
    """A face in a frame, whose line of the eyes is turned by so many degrees."""
    face = Face(box, 0.9, None, frame=frame, track=track, tone=TONE)
    if roll is None:
        return face
    turn, middle = np.radians(roll), np.array(box.middle)
    across = np.array((np.cos(turn), np.sin(turn))) * box.width
    down = np.array((-across[1], across[0]))
    places = ((-0.2, -0.1), (0.2, -0.1), (0, 0.1), (-0.15, 0.3), (0.15, 0.3))
    points = five_points(middle + x * across + y * down for x, y in places)
    return replace(face, points=points)


def hidden(
    method: Anonymizer,
    frames: Sequence[tuple[Image, Sequence[Face]]],
    cover: Cover | None = None,
) -> list[Image]:
    return [treated.image for treated in film(method, frames, cover)]


# --- What is shown of the face -------------------------------------------------------


@pytest.mark.parametrize("method", [*PAINTED, *STICKERS], ids=repr)
def test_another_face_gives_the_same_film_byte_for_byte(method: Anonymizer) -> None:
    """So no mean of frames, nor anything else, can show more of it than one does."""
    rng = np.random.default_rng(3)
    shots = walk()[::4]
    others = []
    for shot in shots:
        other = shot.image.copy()
        place = shot.face.box.slices
        other[place] = rng.integers(0, 255, other[place].shape, dtype=np.uint8)
        others.append(replace(shot, image=other))
    for one, two in zip(walked(method, shots), walked(method, others), strict=True):
        assert (one == two).all()


@pytest.mark.parametrize("method", FAITHFUL, ids=repr)
def test_the_mean_of_many_frames_shows_no_more_than_one(method: Anonymizer) -> None:
    shots = walk()
    clean = aligned(shots[0].image, shots[0])
    seen = [
        aligned(image, shot)
        for image, shot in zip(walked(method, shots), shots, strict=True)
    ]
    one = float(np.mean([likeness(frame, clean) for frame in seen]))
    assert likeness(np.mean(seen, axis=0), clean) < one + MARGIN


def test_that_law_sees_noise_that_is_drawn_anew_in_each_frame() -> None:
    shots = walk()
    clean = aligned(shots[0].image, shots[0])
    seen = []
    for number, shot in enumerate(shots):
        rng = np.random.default_rng(number)
        image = FAITHFUL[0].treat(shot.image, [shot.face], (), Cover(), rng).image
        seen.append(aligned(image, shot))
    one = float(np.mean([likeness(frame, clean) for frame in seen]))
    assert likeness(np.mean(seen, axis=0), clean) > one + 3 * MARGIN


def test_a_faithful_mosaic_looks_at_a_face_about_once_a_second() -> None:
    """Each look is another sample of it for an attacker."""
    rng = np.random.default_rng(1)
    box = Box(150, 60, 250, 190)
    frames = []
    for number in range(60):
        image = background()
        image[box.slices] = rng.integers(0, 255, (130, 100, 3), dtype=np.uint8)
        frames.append((image, [at(box, number)]))
    results = hidden(Pixelate(6, faithful=True), frames)
    inside = Cover().grown(frames[0][1][0]).slices
    changed = [
        bool((one[inside] != two[inside]).any()) for one, two in pairwise(results)
    ]
    assert 0 < sum(changed) < 20
    # It does not jump: it fades into what is seen then.
    steps = [
        float(np.abs(one[inside].astype(float) - two[inside]).mean())
        for one, two in pairwise(results)
    ]
    assert max(steps) < 4


# --- What belongs to a track ---------------------------------------------------------


@pytest.mark.parametrize("method", ALL, ids=repr)
def test_a_track_looks_the_same_whatever_comes_and_goes_beside_it(
    method: Anonymizer,
) -> None:
    image = background()
    still = Box(60, 70, 130, 160)
    results = []
    for number in range(8):
        grown = 5 * (-1) ** number  # now larger, now smaller than the first
        other = at(Box(330, 70, 400 + grown, 160 + grown), number, track=1)
        faces = [replace(other, score=0.5 + 0.05 * number), at(still, number)]
        faces = faces[number % 2 :] if number % 3 else faces[::-1]
        results.append((image, faces))
    after = hidden(method, results)
    for frame in after[1:]:
        assert (frame[:, :230] == after[0][:, :230]).all()


@pytest.mark.parametrize(
    "method", [Pixelate(), Blur(), Emoji("mixed"), *FAITHFUL], ids=repr
)
def test_tracks_differ_from_each_other(method: Anonymizer) -> None:
    image = np.full((240, 480, 3), (120, 90, 60), np.uint8)
    box = Box(60, 70, 130, 160)
    faces = [at(box, 0), at(box.placed(right=240), 0, track=1)]
    (after,) = hidden(method, [(image, faces)])
    assert (after[:, :240] != after[:, 240:]).any()


def test_a_plugins_noise_belongs_to_the_track() -> None:
    @dataclass(frozen=True)
    class Grain(PatchAnonymizer):
        def hide_patch(
            self, patch: Image, face_width: float, rng: np.random.Generator
        ) -> Image:
            return rng.integers(0, 255, patch.shape, dtype=np.uint8)

    image, box = background(), Box(300, 70, 370, 160)
    alone = [at(box, 0, track=4)]
    both = [at(Box(60, 70, 150, 160), 1), at(box, 1, track=4)]
    one, two = hidden(Grain(), [(image, alone), (image, both)])
    assert (one[:, 240:] == two[:, 240:]).all()


@pytest.mark.parametrize("method", [Pixelate(), FAITHFUL[0]], ids=repr)
def test_the_number_of_cells_stays_while_a_box_trembles(method: Anonymizer) -> None:
    shots = walk()
    counts = {
        cells(image, shot.face)
        for image, shot in zip(walked(method, shots), shots, strict=True)
    }
    assert len(counts) == 1


def test_a_face_that_comes_nearer_changes_its_grid_rarely() -> None:
    image = background(shape=(600, 600))
    rng = np.random.default_rng(2)
    counts = []
    frames = []
    for number, width in enumerate(np.geomspace(10, 300, 120)):
        wide, high = np.array((width, 1.3 * width)) * rng.normal(1, 0.015, 2)
        left, top = round(300 - wide / 2), round(300 - high / 2)
        box = Box(left, top, left + round(wide), top + round(high))
        frames.append((image, [at(box, number)]))
    for after, (_, (face,)) in zip(hidden(FAITHFUL[0], frames), frames, strict=True):
        counts.append(cells(after, face))
    changes = sum(one != two for one, two in pairwise(counts))
    assert changes <= 4
    assert counts[-1] > counts[0]


def cells(image: Image, face: Face) -> tuple[int, int]:
    """How many rows and columns of cells a cover has that lies in the picture."""
    cover = image[Cover().box(face, image).slices].astype(int)
    rows, columns = (
        int((np.abs(np.diff(cover, axis=axis)).max(axis=(1 - axis, 2)) > 0).sum())
        for axis in (0, 1)
    )
    return rows + 1, columns + 1


# --- What is calm --------------------------------------------------------------------


@pytest.mark.parametrize("method", [Pixelate(), Blur(), BlackBar("average")], ids=repr)
def test_the_grain_of_a_film_does_not_flicker_in_a_cover(method: Painter) -> None:
    rng = np.random.default_rng(5)
    clean, box = background(), Box(200, 70, 290, 180)
    frames = []
    for number in range(24):
        grainy = clean + rng.normal(0, 25, clean.shape) + rng.normal(0, 12, 3)
        image = grainy.clip(0, 255).astype(np.uint8)
        frames.append((image, [at(box, number)]))
    calm = hidden(method, frames)
    alone = [hidden(method, [frame])[0] for frame in frames]
    place = box.slices

    def flicker(results: Sequence[Image]) -> float:
        values = np.array([image[place] for image in results], np.float32)
        return float(np.abs(np.diff(values, axis=0)).mean())

    assert flicker(calm) < 0.5 * flicker(alone)


def test_letters_of_a_label_change_their_shade_once_as_it_gets_lighter() -> None:
    rng = np.random.default_rng(3)
    box, shades = Box(180, 60, 300, 190), []
    frames = []
    for number, light in enumerate(np.linspace(90, 150, 120)):
        level = round(light + rng.normal(0, 6))
        frames.append((np.full((240, 480, 3), level, np.uint8), [at(box, number)]))
    for after in hidden(BlackBar("average", "hidden"), frames):
        place = after[box.slices]
        bar = int(place[0, 0, 0])
        shades.append(bool(place.max() - bar > bar - place.min()))
    assert shades[0]
    assert not shades[-1]
    assert sum(one != two for one, two in pairwise(shades)) == 1


def test_the_turn_of_a_face_is_coarse_and_goes_without_jumps() -> None:
    turns: list[float] = []

    @dataclass(frozen=True)
    class Recording(Painter):
        def paint(self, hole: Hole, rng: np.random.Generator) -> Image:
            turns.append(hole.turn)
            shape = (hole.visible.height, hole.visible.width, 3)
            return np.zeros(shape, hole.surroundings.dtype)

    rng = np.random.default_rng(4)
    # At the border between two steps, then over to another one, then not known.
    lines: list[float | None] = [*(7.5 + rng.normal(0, 1, 60)), *([38.0] * 80)]
    lines += [None] * 20
    box = Box(200, 70, 290, 180)
    frames = [(background(), [at(box, n, 0, line)]) for n, line in enumerate(lines)]
    hidden(Recording(), frames)
    assert np.ptp(turns[:60]) < 0.01
    assert np.abs(np.diff(turns)).max() < 5
    assert abs(turns[-1] - 45) < 1 or abs(turns[-1] - 30) < 1
    assert abs(turns[-1] - turns[139]) < 0.1


def test_a_sticker_rolls_with_the_head_without_steps() -> None:
    box = Box(200, 70, 290, 180)
    image = background()
    lines = np.linspace(-20, 20, 41)
    frames = [(image, [at(box, n, 0, line)]) for n, line in enumerate(lines)]
    frames += [(image, [at(box, n, 0, None)]) for n in range(41, 50)]
    results = hidden(Emoji("panda"), frames)
    steps = [
        float(np.abs(one.astype(float) - two).mean()) for one, two in pairwise(results)
    ]
    rolling = steps[10:40]
    assert min(rolling) > 0
    assert max(rolling) < 3 * float(np.median(rolling))
    # Where nobody can tell how the head is held, it stays as it was.
    assert max(steps[40:]) == 0


def test_a_sticker_is_never_too_small_and_lies_in_its_reach() -> None:
    rng = np.random.default_rng(6)
    method, cover = Emoji(), Emoji.default_cover
    sizes = [*(60 * rng.normal(1, 0.015, 12)), *np.linspace(60, 30, 10), 45, 70, 70]
    frames, others = [], []
    for number, size in enumerate(sizes):
        wide, high = round(size), round(1.3 * size)
        box = Box(240 - wide // 2, 120 - high // 2, 240 + wide // 2, 120 + high // 2)
        frames.append((background(1), [at(box, number)]))
        others.append((background(2), [at(box, number)]))
    results = zip(hidden(method, frames), hidden(method, others), frames, strict=True)
    for one, two, (image, (face,)) in results:
        place = cover.grown(face).slices
        assert (one[place] == two[place]).all()
        reach = method.affected_box(face, cover)
        assert reach is not None
        changed = (one != image).any(axis=2)
        changed[reach.clipped(*image.shape[:2]).slices] = False
        assert not changed.any()


def test_a_trembling_box_does_not_change_the_size_of_a_sticker() -> None:
    rng = np.random.default_rng(6)
    image = np.full((400, 480, 3), 90, np.uint8)
    frames = []
    for number in range(40):
        wide, high = (np.array((100, 130)) * rng.normal(1, 0.01, 2)).round().astype(int)
        box = Box(190, 130, 190 + int(wide), 130 + int(high))
        frames.append((image, [at(box, number)]))
    widths = [
        np.ptp(np.nonzero((after != image).any(axis=(0, 2)))[0])
        for after in hidden(Emoji(), frames)
    ]
    assert np.ptp(widths[5:]) <= 2


@pytest.mark.parametrize("method", ALL, ids=repr)
def test_a_part_of_the_frame_is_treated_as_in_the_whole(method: Anonymizer) -> None:
    frames, parts, places = [], [], []
    for number in range(12):
        box = Box(180 + 3 * number, 90, 240 + 3 * number, 170)
        face = at(box, number, 0, 2.0 * number)
        affected = method.affected_box(face, method.default_cover)
        assert affected is not None
        area = affected.widened(number % 4).clipped(240, 480)
        image = background()
        frames.append((image, [face]))
        placed = face.placed(right=-area.left, down=-area.top)
        parts.append((image[area.slices], [placed]))
        places.append(area)
    whole, alone = hidden(method, frames), hidden(method, parts)
    for frame, part, area in zip(whole, alone, places, strict=True):
        assert (frame[area.slices] == part).all()


@pytest.mark.parametrize("method", FAITHFUL[:2], ids=repr)
def test_a_face_that_leaves_the_picture_keeps_its_mosaic(method: Anonymizer) -> None:
    """The grid is that of the whole cover, not of what is seen of it."""
    picture = background(shape=(240, 600))
    frames, parts = [], []
    for number in range(10):
        face = at(Box(200, 60, 300, 190), number)
        frames.append((picture, [face]))
        # The left part of the same picture is out of the frame, more and more.
        cut = 150 + 12 * number
        parts.append((picture[:, cut:], [face.placed(right=-cut)]))
    first = hidden(method, frames)[0]
    mosaics = hidden(method, parts)
    if isinstance(method, Pixelate):
        for number, part in enumerate(mosaics):
            # But the cell at the edge, which is averaged over what is left of it.
            inside = first[:, 150 + 12 * number + 25 :]
            differing = (part[:, 25:] != inside).any(axis=2)
            assert differing.mean() < 0.02
    else:
        assert np.abs(mosaics[-1][120, 20] - first[120, 278].astype(int)).max() < 60


# --- Swap ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people() -> tuple[Image, list[Face]]:
    """Four people who look at the camera, on tracks of their own."""
    image = read(EXAMPLES / "group.jpg")
    image = cv2.resize(image, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    found = sorted(detect(image), key=lambda face: -face.box.width)[:4]
    found.sort(key=lambda face: face.box.left)
    faces = [replace(face, track=track) for track, face in enumerate(found)]
    return image, faces


def group_film(
    people: tuple[Image, list[Face]], count: int
) -> list[tuple[Image, list[Face]]]:
    """The group, a pixel farther to the right in each frame."""
    image, faces = people
    return [
        (
            np.roll(image, number, axis=1),
            [replace(face, frame=number).placed(right=number) for face in faces],
        )
        for number in range(count)
    ]


def test_partners_and_their_portraits_stay_all_over_a_film(
    people: tuple[Image, list[Face]],
) -> None:
    frames = group_film(people, 6)
    # In the last ones somebody is not seen any more; who has that face keeps it.
    gone = frames[0][1][1]
    for number in (4, 5):
        image, faces = frames[number]
        place = faces[1].box.grown(1.3).clipped(*image.shape[:2]).slices
        image[place] = 127
        frames[number] = image, [face for face in faces if face.track != gone.track]
    treated = list(film(Swap(), frames, samples=(0, 2)))
    assert not treated[0].otherwise
    for number, done in enumerate(treated[1:], start=1):
        assert not done.otherwise
        for face in frames[number][1]:
            before = frames[0][1][face.track or 0].box.grown(0.8).slices
            one = treated[0].image[before].mean(axis=2)
            two = done.image[face.box.grown(0.8).slices].mean(axis=2)
            assert likeness(one, two) > 0.9


def test_a_face_that_cannot_be_seen_in_a_frame_is_hidden_there_otherwise(
    people: tuple[Image, list[Face]],
) -> None:
    """Never shown, and not swapped and hidden by turns."""
    frames = [(image, faces[1:3]) for image, faces in group_film(people, 16)]
    rng = np.random.default_rng(0)
    bad = (4, 6)
    for number in bad:
        image, faces = frames[number]
        place = faces[1].box.slices
        image[place] = rng.integers(0, 255, image[place].shape, dtype=np.uint8)
    otherwise = []
    for (image, faces), done in zip(
        frames, film(Swap("blackbar"), frames, samples=(0,)), strict=True
    ):
        otherwise.append({face.track for face in done.otherwise})
        for face in faces:
            box = face.box if face in done.otherwise else face.box.grown(0.4)
            differing = (done.image[box.slices] != image[box.slices]).any(axis=2)
            # A fringe stays where it is.
            assert differing.mean() > (0.98 if face in done.otherwise else 0.6)
    assert set().union(*otherwise) == {2}
    assert [2 in frame for frame in otherwise[:8]] == [False] * 4 + [True] * 4
    assert not otherwise[15]


def test_a_film_with_one_face_is_an_error(people: tuple[Image, list[Face]]) -> None:
    frames = [(image, faces[:1]) for image, faces in group_film(people, 2)]
    with pytest.raises(PictureError, match="at least two faces"):
        list(film(Swap(), frames, samples=(0,)))


def test_one_who_is_two_tracks_does_not_get_their_own_face(
    people: tuple[Image, list[Face]],
) -> None:
    """After a cut somebody is another track."""
    image, faces = people
    first = (image, [replace(faces[1], frame=0)])
    mirrored = np.ascontiguousarray(image[:, ::-1])
    box, wide = faces[1].box, image.shape[1]
    assert faces[1].points is not None
    (a, b, c, d, e) = ((wide - x, y) for x, y in faces[1].points)
    there = replace(
        faces[1],
        box=Box(wide - box.right, box.top, wide - box.left, box.bottom),
        points=(b, a, c, e, d),
        track=7,
        frame=1,
    )
    frames = [first, (mirrored, [there])]
    for done in film(Swap(), frames, samples=(0, 1)):
        assert set(done.otherwise.values()) == {"pixelate"}
    with pytest.raises(PictureError, match="2 of 2 faces cannot be swapped"):
        list(film(Swap("fail"), frames, samples=(0, 1)))


# --- Eye colour ----------------------------------------------------------------------


def test_irises_do_not_flicker() -> None:
    """In a grainy film the eyes of a picture are found now and then."""
    rng = np.random.default_rng(0)
    width = 50
    picture, face = scaled_face(width)
    scale = width / ASTRONAUT_FACE.box.width
    assert ASTRONAUT_FACE.points is not None
    points = (np.array(ASTRONAUT_FACE.points) - (120, 20)) * scale
    face = replace(face, points=five_points(points), track=0, tone=TONE)
    picture = cv2.GaussianBlur(picture, (0, 0), 2)
    frames = []
    for number in range(20):
        grainy = picture + rng.normal(0, 12, picture.shape)
        image = grainy.clip(0, 255).astype(np.uint8)
        frames.append((image, [replace(face, frame=number)]))
    alone = [bool(next(film(EyeColor(), [frame])).otherwise) for frame in frames]
    together = [bool(done.otherwise) for done in film(EyeColor(), frames)]

    def changes(left_alone: Sequence[bool]) -> int:
        pairs = pairwise(left_alone)
        return sum(one != two for one, two in pairs)

    assert changes(alone) >= 6
    assert changes(together) <= changes(alone) / 3
    assert not together[-1]
