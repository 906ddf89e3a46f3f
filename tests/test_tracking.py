"""The tracker: laws over made-up finds, whose truth is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceanon.model import Box, Face, Image
from faceanon.vision.tracking.camera import Camera, CameraMotion
from faceanon.vision.tracking.finds import Finds
from faceanon.vision.tracking.sampling import is_calm
from faceanon.vision.tracking.tracker import BETWEEN, HELD, WEAK, Tracks, follow

SIZE = (640, 480)
SECOND = 30
FOUND_BY = 7

Rect = tuple[float, float, float, float]
Path = Callable[[int], Rect]


@dataclass(frozen=True)
class Find:
    frame: int
    box: Rect
    score: float = 0.9


def rect(x: float, y: float, side: float = 40) -> Rect:
    return x - side / 2, y - side / 2, x + side / 2, y + side / 2


def still(frame: int) -> Rect:
    return rect(300, 200)


def walking(frame: int) -> Rect:
    return rect(100 + 4 * frame, 200)


def finds_of(found: Sequence[Find]) -> Finds:
    rows = sorted(found, key=lambda find: find.frame)
    boxes = np.array([find.box for find in rows], np.float32).reshape(-1, 4)
    scores = np.array([find.score for find in rows], np.float32)
    # Five points, of which the middle one is that of the box.
    shares = np.array([(0.3, 0.4), (0.7, 0.4), (0.5, 0.5), (0.35, 0.8), (0.65, 0.8)])
    sides = (boxes[:, 2:] - boxes[:, :2])[:, None]
    return Finds(
        frames=np.array([find.frame for find in rows], np.int32),
        boxes=boxes,
        scores=scores,
        points=(boxes[:, None, :2] + shares * sides).astype(np.float32),
        is_sure=scores >= 0.28,
        found_by=np.full(len(rows), FOUND_BY, np.uint8),
        tones=np.full((len(rows), 3), 90, np.uint8),
    )


def standing(count: int) -> CameraMotion:
    return CameraMotion(np.zeros((count, 2)), np.zeros(count, np.int32))


def followed(
    found: Sequence[Find],
    count: int,
    motion: CameraMotion | None = None,
    times: NDArray[Any] | None = None,
    step: int = 1,
) -> Tracks:
    looked = np.zeros(count, bool)
    looked[::step] = True
    if times is None:
        times = np.arange(count) / SECOND
    return follow(
        finds_of([find for find in found if looked[find.frame]]),
        motion or standing(count),
        looked,
        times,
        SIZE,
    )


def frames_of(tracks: Tracks, track: int = 0) -> list[int]:
    return [int(frame) for frame in tracks.frames[tracks.tracks == track]]


def holds(box: NDArray[np.int32], other: Rect, short: float = 0) -> bool:
    return bool(
        (box[:2] <= np.array(other[:2]) + short).all()
        and (box[2:] >= np.array(other[2:]) - short).all()
    )


def is_hidden(tracks: Tracks, frame: int, truth: Rect, short: float = 0) -> bool:
    boxes = tracks.boxes[tracks.frames == frame]
    return any(holds(box, truth, short) for box in boxes)


def shaky(seed: int, count: int) -> tuple[list[Find], CameraMotion]:
    """Faces that turn and shake before a moving camera, and are lost now and then."""
    rng = np.random.default_rng(seed)
    path = np.cumsum(rng.normal(0, 1, (count, 2)), axis=0)
    found = []
    for face in range(4):
        x, y, side = 100 + 130 * face, rng.uniform(100, 380), rng.uniform(24, 90)
        speed = rng.normal(0, 0.5, 2)
        for frame in range(count):
            middle = (x, y) + path[frame] + speed * frame + rng.normal(0, 1, 2)
            score = rng.choice([0.02, 0.12, 0.6, 0.95], p=[0.1, 0.2, 0.3, 0.4])
            box = rect(middle[0], middle[1], side * rng.uniform(0.93, 1.07))
            found.append(Find(frame, box, score))
    return found, CameraMotion(path - path[0], np.zeros(count, np.int32))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rate", [5, 30, 120])
def test_no_box_is_smaller_than_its_find(seed: int, rate: float) -> None:
    found, motion = shaky(seed, 60)
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.3, 1.7, 60)) / rate
    tracks = followed(found, 60, motion, times)
    for find in found:
        if find.score >= 0.28:
            assert is_hidden(tracks, find.frame, find.box), find


@pytest.mark.parametrize("path", [still, walking])
@pytest.mark.parametrize("pan", [0, -9])
def test_a_gap_is_closed_where_the_face_went(path: Path, pan: int) -> None:
    shift = np.stack((pan * np.arange(60.0), np.zeros(60)), axis=1)
    shift[30:] += (0, 25)  # the camera jerks while the face is lost
    motion = CameraMotion(shift, np.zeros(60, np.int32))
    start = 290 if pan else 0

    def seen(frame: int) -> Rect:
        left, top, right, bottom = path(frame)
        x, y = shift[frame]
        return left + start + x, top + y, right + start + x, bottom + y

    found = [Find(frame, seen(frame)) for frame in range(60) if not 20 <= frame < 40]
    tracks = followed(found, 60, motion)
    assert set(tracks.tracks) == {0}
    for frame in range(20, 40):
        assert is_hidden(tracks, frame, seen(frame))
    between = tracks.found_by == BETWEEN
    assert frames_of(tracks) == list(range(60))
    assert set(tracks.frames[between]) == set(range(20, 40))
    assert set(tracks.found_by[~between]) == {FOUND_BY}
    for frame, points in zip(tracks.frames, tracks.points, strict=True):
        left, top, right, bottom = seen(frame)
        middle = (left + right) / 2, (top + bottom) / 2
        assert np.abs(points[2] - middle).max() < 2


def test_a_loss_of_more_than_a_second_is_the_end() -> None:
    found = [Find(frame, still(frame)) for frame in (*range(20), *range(80, 100))]
    tracks = followed(found, 100)
    assert set(tracks.tracks) == {0, 1}
    assert not is_hidden(tracks, 60, still(60), 20)


def test_steady_weak_finds_are_a_face() -> None:
    finds = [
        Find(frame, walking(frame), 0.2 if frame % 5 == 0 else 0.1)
        for frame in range(20, 40)
        if frame % 3
    ]
    tracks = followed(finds, 60)
    assert frames_of(tracks) == list(range(19, 40))
    assert set(tracks.found_by) == {WEAK, BETWEEN, HELD}
    for frame in range(20, 39):
        assert is_hidden(tracks, frame, walking(frame), 1)
    assert tracks.tones.tolist() == [[90, 90, 90]]
    # Their covers are those of a face, hardly certain as it is.
    assert tracks.scores.min() == pytest.approx(0.2)
    # They are too short, too rarely clear, too far apart, or of two shots.
    assert not len(followed(finds[:9], 60).frames)
    assert not len(followed([replace(find, score=0.1) for find in finds], 60).frames)
    assert not len(followed(finds[::10], 60).frames)
    halves = CameraMotion(np.zeros((60, 2)), (np.arange(60) >= 30).astype(np.int32))
    assert not len(followed(finds, 60, halves).frames)


@pytest.mark.parametrize("seed", range(4))
def test_chance_finds_are_no_face(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = [
        Find(
            frame,
            rect(rng.uniform(40, 600), rng.uniform(40, 440), 30),
            rng.uniform(0.08, 0.27),
        )
        for frame in range(150)
        for _ in range(4)
    ]
    assert not len(followed(found, 150).frames)


def test_what_is_doubtful_is_continued_by_steady_finds_only() -> None:
    doubtful = [Find(32, walking(32), 0.3)]
    weak = [Find(frame, walking(frame), 0.1) for frame in range(33, 50)]
    assert frames_of(followed(doubtful + weak, 60)) == [31, 32, 33]
    weak[3:5] = [replace(find, score=0.2) for find in weak[3:5]]
    assert frames_of(followed(doubtful + weak, 60)) == list(range(31, 51))


def test_weak_finds_continue_a_track_and_begin_none() -> None:
    weak = [Find(frame, walking(frame), 0.1) for frame in range(60)]
    assert not len(followed(weak, 60).frames)
    sure = [Find(frame, walking(frame)) for frame in range(28, 32)]
    tracks = followed(weak[:28] + sure + weak[32:], 60)
    assert frames_of(tracks) == list(range(60))
    assert (tracks.found_by == WEAK).sum() == 56
    # Their covers are those of a face.
    assert tracks.scores.min() == pytest.approx(0.9)
    noise = [replace(find, score=0.06) for find in weak]
    tracks = followed(noise[:28] + sure + noise[32:], 60)
    assert WEAK not in tracks.found_by


@pytest.mark.parametrize("cut", [30, 31])
def test_nothing_crosses_a_cut(cut: int) -> None:
    motion = CameraMotion(np.zeros((60, 2)), (np.arange(60) >= cut).astype(np.int32))
    found = [Find(frame, still(frame)) for frame in range(25, 36)]
    lost = [find for find in found if find.frame not in (29, 30)]
    assert not followed(found, 60, motion).is_lost[0]
    tracks = followed(lost, 60, motion)
    for track in (0, 1):
        shots = motion.shots[frames_of(tracks, track)]
        assert len(set(shots)) == 1
    assert tracks.tones.shape == (2, 3)
    # There, a face is held as far as the cut.
    assert max(frames_of(tracks, 0)) == cut - 1
    assert min(frames_of(tracks, 1)) == cut


def test_a_reversed_film_is_followed_alike() -> None:
    found, motion = shaky(5, 90)
    back = [replace(find, frame=89 - find.frame) for find in found]
    path = motion.path[::-1] - motion.path[-1]
    forth = hidden_pixels(followed(found, 90, motion))
    turned = hidden_pixels(followed(back, 90, replace(motion, path=path)))[::-1]
    assert np.abs(forth - turned).max() <= 0.02 * forth.max()


def hidden_pixels(tracks: Tracks, count: int = 90) -> NDArray[np.int64]:
    """How many pixels are hidden in each frame."""
    hidden = np.zeros((count, SIZE[1], SIZE[0]), bool)
    for frame, box in zip(tracks.frames, tracks.boxes, strict=True):
        left, top, right, bottom = np.maximum(box, 0)
        hidden[frame, top:bottom, left:right] = True
    return np.asarray(hidden.sum(axis=(1, 2)))


def test_faces_that_cross_keep_their_tracks() -> None:
    found = [
        Find(frame, box)
        for frame in range(60)
        for box in (rect(80 + 8 * frame, 200), rect(560 - 8 * frame, 216, 44))
    ]
    tracks = followed(found, 60)
    middles = (tracks.boxes[:, 0] + tracks.boxes[:, 2]) / 2
    ends = {
        int(track): (
            middles[(tracks.tracks == track) & (tracks.frames == 0)],
            middles[(tracks.tracks == track) & (tracks.frames == 59)],
        )
        for track in set(tracks.tracks)
    }
    assert len(ends) == 2
    assert all(abs(start - end) > 400 for start, end in ends.values())


def test_each_face_of_a_crowd_has_one_track() -> None:
    rng = np.random.default_rng(3)
    places = [(40 + 40 * x, 30 + 42 * y) for x in range(15) for y in range(10)]
    count = 450
    found = [
        Find(frame, rect(x + rng.normal(0, 2), y + rng.normal(0, 2), 28))
        for frame in range(count)
        for x, y in places
        if rng.uniform() < 0.9
    ]
    tracks = followed(found, count)
    assert len(tracks.tones) == len(places)
    assert (np.bincount(tracks.tracks) == count).all()
    for frame in (0, 200, count - 1):
        assert all(is_hidden(tracks, frame, rect(x, y, 28), 6) for x, y in places)


@pytest.mark.parametrize("rate", [10, 25, 60])
def test_durations_are_in_seconds(rate: int) -> None:
    count = 4 * rate
    found = [Find(frame, still(frame)) for frame in range(rate, rate + rate // 2)]
    # Those who are certain are held longer.
    found = [replace(find, score=0.4) for find in found]
    tracks = followed(found, count, times=np.arange(count) / rate)
    held = np.array(frames_of(tracks)) / rate
    assert held.min() == pytest.approx(1 - 0.25, abs=1 / rate)
    assert held.max() == pytest.approx(1.5 + 0.25, abs=2 / rate)
    assert set(tracks.found_by[tracks.frames < rate]) == {HELD}


def test_times_of_frames_may_vary() -> None:
    # A second in ten frames, then one in a hundred.
    times = np.concatenate((np.arange(10) / 10, 1 + np.arange(100) / 100))
    found = [Find(0, rect(100, 200)), Find(9, rect(136, 200)), Find(59, rect(160, 200))]
    found = [replace(find, score=0.4) for find in found]
    tracks = followed(found, 110, times=times)
    (at,) = np.flatnonzero(tracks.frames == 5)
    assert tracks.boxes[at, ::2].mean() == pytest.approx(120, abs=3)
    (at,) = np.flatnonzero(tracks.frames == 34)
    assert tracks.boxes[at, ::2].mean() == pytest.approx(136 + 24 * 0.34 / 0.59, abs=3)
    # 0.25 s are 25 frames here.
    assert max(frames_of(tracks)) == 59 + 25


def test_the_slowest_film_is_held_and_joined_too() -> None:
    times = np.arange(6) * 2.0
    found = [Find(frame, still(frame)) for frame in (1, 2, 4)]
    tracks = followed(found, 6, times=times)
    assert frames_of(tracks) == list(range(6))
    assert frames_of(followed(found[:1], 2, times=times[:2])) == [0, 1]


def test_who_vanishes_inside_the_picture_is_held_and_told() -> None:
    count = 90
    found = [Find(frame, walking(frame)) for frame in range(30)]
    tracks = followed(found, count)
    assert tracks.is_lost.tolist() == [True]
    assert max(frames_of(tracks)) == 29 + SECOND
    # Somebody steps before them.
    other = [Find(frame, rect(230, 200, 60)) for frame in range(28, 90)]
    assert not followed(found + other, count).is_lost.any()
    # They go out of the picture.
    out = [Find(frame, rect(620 - 4 * frame, 200)) for frame in range(30)]
    out = [replace(find, frame=29 - find.frame) for find in out]
    tracks = followed(out, count)
    assert tracks.is_lost.tolist() == [False]
    assert max(frames_of(tracks)) < 29 + SECOND / 3
    # The film ends.
    assert not followed(found, 30).is_lost.any()


def test_what_is_seen_once_and_hardly_is_not_held() -> None:
    hardly = followed([Find(30, still(30), 0.3)], 60)
    assert frames_of(hardly) == [29, 30, 31]
    clearly = followed([Find(30, still(30), 0.6)], 60)
    assert len(frames_of(clearly)) > 10


def test_what_is_held_hides_no_face_twice() -> None:
    small = [Find(frame, rect(300, 200, 40)) for frame in range(30)]
    large = [Find(frame, rect(300, 200, 100)) for frame in range(30, 60)]
    tracks = followed(small + large, 60)
    assert len(tracks.tones) == 2
    assert frames_of(tracks, 0) == list(range(30))
    assert (np.bincount(tracks.frames)[30:] == 1).all()


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("rate", [10, 30])
def test_a_cover_is_not_late(rate: int, step: int) -> None:
    found = [Find(frame, rect(100 + 12 * frame, 200)) for frame in range(40)]
    tracks = followed(found, 40, times=np.arange(40) / rate, step=step)
    for frame in range(1, 38):
        # Where it is a sixtieth of a second before and after; and where nobody has
        # looked, in the frames before and after.
        is_looked_at = frame % step == 0
        part = rate / 60 if is_looked_at else 1
        for x in (-12 * part, 12 * part):
            assert is_hidden(tracks, frame, rect(100 + 12 * frame + x, 200), 1)
        if step == 1 and 10 < frame < 30:
            width = np.diff(tracks.boxes[tracks.frames == frame, ::2])
            assert width <= 40 + 2 * 12 * part + 2


def test_every_third_frame_suffices_where_all_is_calm() -> None:
    found = [Find(frame, walking(frame)) for frame in range(58)]
    tracks = followed(found, 58, step=3)
    for find in found:
        assert is_hidden(tracks, find.frame, find.box, 1)


def test_covers_hardly_shake() -> None:
    rng = np.random.default_rng(1)
    found = [
        Find(frame, rect(100 + 3 * frame + rng.normal(0, 2), 200 + rng.normal(0, 2)))
        for frame in range(90)
    ]
    tracks = followed(found, 90)

    def shaking(values: NDArray[Any]) -> float:
        return float(np.abs(np.diff(values, n=2, axis=0)).mean())

    assert shaking(tracks.boxes) < shaking(finds_of(found).boxes) / 3
    assert shaking(tracks.points[:, 2]) < shaking(finds_of(found).points[:, 2]) / 3


def test_what_is_not_known_stays_unknown() -> None:
    finds = finds_of([Find(frame, still(frame)) for frame in (0, 5, 9)])
    points = finds.points.copy()
    points[1:] = np.nan
    looked, times = np.ones(12, bool), np.arange(12) / SECOND
    finds = replace(finds, points=points, tones=np.array([[1] * 3, [9] * 3, [7] * 3]))
    tracks = follow(finds, standing(12), looked, times, SIZE)
    known = {
        int(frame): not np.isnan(points).any()
        for frame, points in zip(tracks.frames, tracks.points, strict=True)
    }
    assert known == {frame: frame < 5 for frame in range(12)}
    assert tracks.tones.tolist() == [[7, 7, 7]]


def test_a_film_without_faces_has_no_tracks() -> None:
    tracks = followed([], 5)
    assert tracks.boxes.shape == (0, 4)
    assert tracks.points.shape == (0, 5, 2)
    assert tracks.tones.shape == (0, 3)


def scene(seed: int) -> Image:
    """Something to see, larger than the film."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    return cv2.resize(small, (1280, 960), interpolation=cv2.INTER_CUBIC)


def shown(image: Image, x: int, y: int) -> Image:
    return image[y : y + SIZE[1], x : x + SIZE[0]]


def seen(images: Sequence[Image]) -> CameraMotion:
    camera = Camera(SIZE)
    for image in images:
        camera.see(image)
    return camera.motion()


@pytest.mark.parametrize("scale", [1, 0.5])
def test_the_camera_is_followed(scale: float) -> None:
    x, y = 10 * np.arange(40), np.linspace(300, 20, 40).astype(int)
    views = [shown(scene(1), x[frame], y[frame]) for frame in range(40)]
    motion = seen([cv2.resize(view, None, fx=scale, fy=scale) for view in views])
    # What the camera shows moves against it.
    truth = -np.stack((x - x[0], y - y[0]), axis=1)
    assert np.abs(motion.path - truth).max() < 12
    assert not motion.shots.any()


def test_a_cut_is_told_from_a_flash() -> None:
    before, after = scene(1), 255 - scene(2) // 2
    views = [shown(before, 4 * frame, 0) for frame in range(10)]
    others = [shown(after, 300, 4 * frame) for frame in range(10)]
    motion = seen([*views, *others])
    assert motion.shots.tolist() == [0] * 10 + [1] * 10
    assert motion.path[10].tolist() == [0, 0]
    assert motion.path[19][1] == pytest.approx(-36, abs=5)
    white = np.full_like(views[0], 255)
    for length in (1, 2):
        flashed = [*views[:5], *[white] * length, *views[5 + length :]]
        motion = seen(flashed)
        assert not motion.shots.any()
        assert motion.path[9][0] == pytest.approx(-36, abs=5)
    # Shots may be as short as a frame, at the end too.
    assert seen([*views, others[0]]).shots.tolist() == [0] * 10 + [1]
    assert seen([]).path.shape == (0, 2)


def face(x: float, score: float = 0.9, side: int = 40) -> Face:
    left, top, right, bottom = (round(value) for value in rect(x, 200, side))
    return Face(Box(left, top, right, bottom), score)


@pytest.mark.parametrize(
    ("before", "after", "calm"),
    [
        ([], [], True),
        ([face(100)], [face(112)], True),
        ([face(100)], [face(125)], False),
        ([face(100)], [], False),
        ([], [face(100)], False),
        ([face(100)], [face(105, 0.1)], True),
        ([face(100, 0.1)], [], True),
        ([face(100)], [face(100, side=90)], False),
        ([face(100), face(300)], [face(100)], False),
    ],
)
def test_frames_between_alike_ones_need_no_look(
    before: list[Face], after: list[Face], calm: bool
) -> None:
    assert is_calm(before, after, (0, 0)) is calm
    moved = [replace(each, box=each.box.placed(right=200)) for each in after]
    assert is_calm(before, moved, (200, 0)) is calm
