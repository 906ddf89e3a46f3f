"""Detectors find the faces, where they are, and not much else."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from faceanon.errors import OptionError
from faceanon.media.picture import Encoding, Picture
from faceanon.model import Box, Cover, Face, Image
from faceanon.vision import detection
from faceanon.vision.detection import DetectorOptions, centerface
from faceanon.vision.detection.candidates import Candidates
from faceanon.vision.detection.find import find_faces
from faceanon.vision.detection.levels import ACCURACIES, LEVELS, Accuracy, ScalePass
from faceanon.vision.detection.threshold import Threshold
from faceanon.vision.detection.tiles import Region, regions_around
from faceanon.vision.detection.voting import PassResult, voted
from faceanon.vision.inference.opencv import OpenCVNetwork
from support import EXAMPLES, read

# Annotated by eye: left, top, right, bottom.
FACES = {
    "astronaut.png": [Box(178, 62, 272, 178)],
    "grace_hopper.jpg": [Box(172, 122, 355, 335)],
    "curies.jpg": [Box(270, 160, 358, 278), Box(540, 101, 614, 234)],
    "group.jpg": [
        Box(1015, 490, 1340, 943),
        Box(385, 750, 750, 1185),
        Box(1797, 430, 2107, 860),
        Box(2333, 465, 2628, 840),
    ],
}


def overlap(first: Box, second: Box) -> float:
    """Intersection over union."""
    width = min(first.right, second.right) - max(first.left, second.left)
    height = min(first.bottom, second.bottom) - max(first.top, second.top)
    shared = max(width, 0) * max(height, 0)
    areas = first.width * first.height + second.width * second.height
    return shared / (areas - shared)


def finds(faces: tuple[Face, ...], box: Box, least: float = 0.5) -> bool:
    """Whether one of the faces is that of the box."""
    return any(overlap(face.box, box) >= least for face in faces)


def assert_same(
    first: tuple[Face, ...], second: tuple[Face, ...], least: float
) -> None:
    """Both found the same faces, in whatever order."""
    assert len(first) == len(second) > 0
    assert all(finds(second, face.box, least) for face in first)


@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("name", FACES)
def test_faces_are_found_where_they_are(name: str, accuracy: str) -> None:
    (faces,) = detection.make("centerface", accuracy)([read(EXAMPLES / name)])
    assert all(finds(faces, box, 0.7) for box in FACES[name])
    scores = [face.score for face in faces]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[-1] <= scores[0] <= 1


@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("detector", detection.names())
def test_a_cat_is_no_face(detector: str, accuracy: str) -> None:
    cat = read(EXAMPLES / "cat.png")
    assert detection.make(detector, accuracy)([cat]) == [()]


def test_points_lie_on_eyes_nose_and_mouth() -> None:
    """As seen in the picture, the left eye comes first."""
    ((face,),) = detection.make("centerface")([read(EXAMPLES / "astronaut.png")])
    assert face.points is not None
    known = ((203, 109), (247, 107), (226, 132), (207, 148), (248, 147))
    assert np.abs(np.subtract(face.points, known)).max() < 8


def test_a_mirrored_picture_has_the_mirrored_faces() -> None:
    image = read(EXAMPLES / "curies.jpg")
    detector = detection.make("centerface", "fast")
    faces, mirrored = detector([image, cv2.flip(image, 1)])
    for face in mirrored:
        box = face.box
        width = image.shape[1]
        back = Box(width - box.right, box.top, width - box.left, box.bottom)
        assert finds(faces, back, 0.6)
        assert face.points is not None
        assert face.points[0][0] < face.points[1][0]


@pytest.mark.parametrize("accuracy", ACCURACIES)
def test_size_of_the_picture_does_not_move_the_faces(accuracy: str) -> None:
    detector = detection.make("centerface", accuracy)
    image = read(EXAMPLES / "astronaut.png")
    ((face, *_),) = detector([image])
    box = face.box
    (larger,) = detector([cv2.resize(image, None, fx=3, fy=3)])
    assert finds(
        larger, Box(3 * box.left, 3 * box.top, 3 * box.right, 3 * box.bottom), 0.8
    )
    border = (40, 25, 130, 60, cv2.BORDER_REPLICATE)
    (padded,) = detector([cv2.copyMakeBorder(image, *border)])
    moved = Box(box.left + 130, box.top + 40, box.right + 130, box.bottom + 40)
    assert finds(padded, moved, 0.8)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_portrait_that_lies_on_its_side_is_found(quarters: int) -> None:
    turned = np.ascontiguousarray(
        np.rot90(read(EXAMPLES / "grace_hopper.jpg"), quarters)
    )
    box = FACES["grace_hopper.jpg"][0]
    upright = np.zeros((600, 512), np.uint8)
    upright[box.slices] = 1
    rows, columns = np.nonzero(np.rot90(upright, quarters))
    known = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    (faces,) = detection.make("centerface", "thorough")([turned])
    assert finds(faces, known, 0.5)


@pytest.mark.parametrize("quarters", [1, 2, 3])
@pytest.mark.parametrize("accuracy", ["balanced", "thorough"])
def test_a_turned_face_in_company_is_found_once(
    accuracy: Accuracy, quarters: int
) -> None:
    """One of four who stand side by side is turned; the others are not."""
    image = read(EXAMPLES / "group.jpg")
    known = FACES["group.jpg"][1]
    around = known.grown(1.4)
    half = around.height // 2
    x, y = (around.left + around.right) // 2, (around.top + around.bottom) // 2
    square = slice(y - half, y + half), slice(x - half, x + half)
    image[square] = np.rot90(image[square], quarters).copy()
    image = cv2.resize(image, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    (faces,) = detection.make("centerface", accuracy)([image])
    middles = [
        ((face.box.left + face.box.right) / 0.6, (face.box.top + face.box.bottom) / 0.6)
        for face in faces
    ]
    near = [max(abs(mx - x), abs(my - y)) < half / 2 for mx, my in middles]
    assert sum(near) == 1
    for box in (FACES["group.jpg"][index] for index in (0, 2, 3)):
        small = Box(
            *(round(0.3 * side) for side in (box.left, box.top, box.right, box.bottom))
        )
        assert finds(faces, small, 0.5)


@pytest.mark.parametrize(
    ("accuracy", "width"), [("fast", 40), ("balanced", 24), ("thorough", 16)]
)
def test_the_smallest_face_does_not_grow_with_the_picture(
    accuracy: Accuracy, width: int
) -> None:
    """As many are found in what a camera takes as in a small picture."""
    scale = width / FACES["astronaut.png"][0].width
    head = cv2.resize(
        read(EXAMPLES / "astronaut.png")[:250, 100:350],
        None,
        fx=scale,
        fy=scale,
        interpolation=cv2.INTER_AREA,
    )
    left, top, right, bottom = (round(side * scale) for side in (78, 62, 172, 178))
    rng = np.random.default_rng(1)
    for shape in ((800, 1200), (1080, 1920), (3000, 4000), (700, 9000)):
        picture = np.full((*shape, 3), 110, np.uint8)
        picture += rng.integers(0, 6, picture.shape, np.uint8)
        places = [(shape[0] // 7, shape[1] // 5), (shape[0] // 2, shape[1] * 4 // 5)]
        for y, x in places:
            picture[y : y + len(head), x : x + len(head[0])] = head
        (faces,) = detection.make("centerface", accuracy)([picture])
        for y, x in places:
            known = Box(left + x, top + y, right + x, bottom + y)
            assert finds(faces, known, 0.4), (shape, known)


def test_regions_around_hints_hold_all_of_them_and_touch_none() -> None:
    rng = np.random.default_rng(1)
    corners = rng.integers(0, 5000, (200, 2))
    boxes = np.hstack((corners, corners + rng.integers(5, 60, (200, 2))))
    regions = regions_around(boxes.astype(np.float32), 64)
    assert 1 < len(regions) < 200
    for box in boxes.astype(np.float32):
        assert sum(region.holds(box[None]).all() for region in regions) == 1
    for region in regions:
        assert not any(region.touches(o) for o in regions if o is not region)


def test_a_tiny_face_in_a_huge_picture_is_found_by_thorough() -> None:
    """20 pixels in 24 million, which no view of the whole picture shows."""
    small = cv2.resize(read(EXAMPLES / "astronaut.png"), (110, 110), interpolation=3)
    huge = np.full((4000, 6000, 3), 128, np.uint8)
    face = Box(38, 13, 58, 38)
    for left, top in ((4000, 3000), (1020, 975)):
        huge[top : top + 110, left : left + 110] = small
    (faces,) = detection.make("centerface", "thorough")([huge])
    for left, top in ((4000, 3000), (1020, 975)):
        known = Box(
            face.left + left, face.top + top, face.right + left, face.bottom + top
        )
        assert finds(faces, known, 0.4)


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (3000, 10), (10, 3000), (33, 31)])
@pytest.mark.parametrize("detector", detection.names())
def test_odd_shapes_hold_no_face_and_do_no_harm(
    detector: str, shape: tuple[int, int]
) -> None:
    image = np.full((*shape, 3), 90, np.uint8)
    for accuracy in ACCURACIES:
        assert detection.make(detector, accuracy)([image]) == [()]


def aged(image: Image) -> Image:
    """As an old print is scanned: grey, soft, faint and grainy."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (0, 0), 1.5)
    rng, shape = np.random.default_rng(1), image.shape[:2]
    coarse = cv2.GaussianBlur(rng.normal(0, 1, shape), (0, 0), 1) * 60
    fine = rng.normal(0, 1, shape) * 8
    faint = (grey.astype(float) - 128) * 0.4 + 130 + coarse + fine
    return cv2.merge([np.clip(faint, 0, 255).astype(np.uint8)] * 3)


def masked(image: Image, box: Box) -> Image:
    """With a surgical mask over the lower half of the face."""
    middle, width = (box.left + box.right) / 2, box.width
    shape = (
        (-0.45, 0.5),
        (0, 0.42),
        (0.45, 0.5),
        (0.35, 0.85),
        (0, 1.0),
        (-0.35, 0.85),
    )
    corners = [(middle + x * width, box.top + y * box.height) for x, y in shape]
    result = image.copy()
    cv2.fillPoly(result, [np.array(corners).round().astype(int)], (220, 190, 140))
    return result


@pytest.mark.parametrize("accuracy", ACCURACIES)
@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg", "curies.jpg"])
def test_faces_behind_masks_and_in_grainy_old_prints_are_found(
    name: str, accuracy: str
) -> None:
    image, box = read(EXAMPLES / name), FACES[name][0]
    detector = detection.make("centerface", accuracy)
    assert all(
        finds(faces, box) for faces in detector([masked(image, box), aged(image)])
    )


def test_faces_tell_which_pass_found_them() -> None:
    """A large face is seen by the pass that shows it small; a small one by another."""
    image = np.full((1000, 1500, 3), 128, np.uint8)
    portrait = read(EXAMPLES / "astronaut.png")
    image[400:912, 900:1412] = portrait
    image[100:228, 100:228] = cv2.resize(portrait, (128, 128), interpolation=3)
    (faces,) = detection.make("centerface", "balanced")([image], 0.5)
    large, small = sorted(faces, key=lambda face: face.box.width, reverse=True)
    assert large.found_by == "centerface 640"
    level = LEVELS["balanced"]
    assert small.found_by in {f"centerface {one.name}" for one in level.others}


def test_a_part_of_a_face_is_no_second_face() -> None:
    """A mouth inside of a face is not; a child in front of somebody is."""
    whole = Region(0, 0, 1000, 1000)
    boxes = np.array([(100, 100, 300, 380), (160, 290, 240, 350), (250, 300, 330, 400)])
    scores = np.array((0.9, 0.6, 0.6), np.float32)
    seen = Candidates(boxes.astype(np.float32), scores, np.zeros((3, 5, 2), np.float32))
    found, seen_by = voted([PassResult(ScalePass(640), 1.0, whole, seen)], 0.1)
    assert np.abs(found.boxes - boxes[[0, 2]]).max() < 0.01
    assert seen_by.tolist() == [0, 0]


def test_covers_of_small_faces_are_grown_more() -> None:
    def factor(side: int, grow: float) -> float:
        return Cover(grow).grown(Face(Box(0, 0, side, side), 1.0)).width / side

    assert factor(4, 1.4) > factor(20, 1.4) > factor(80, 1.4)
    assert factor(80, 1.4) == factor(400, 1.4) == 1.4
    assert factor(20, 1.0) == 1


def test_covers_of_what_is_hardly_a_face_are_grown_less() -> None:
    likely, unlikely = (Face(Box(0, 0, 100, 100), score) for score in (0.2, 0.1))
    assert Cover(1.4).grown(likely).width == 140
    assert Cover(1.4).grown(unlikely).width == 120


def test_the_less_picture_a_cover_costs_the_less_certainty_it_needs() -> None:
    threshold = Threshold(0.3, by_size=True, beside=0.5)
    face = Face(Box(0, 0, 100, 100), 0.9)
    beside = Face(Box(90, 0, 130, 40), 0.2)
    apart = Face(Box(300, 0, 340, 40), 0.2)
    small, large = (Face(Box(500, 0, 500 + side, side), 0.3) for side in (16, 80))
    counting, others = threshold.split([face, beside, apart, small, large])
    assert counting == (face, beside, small)
    assert others == (apart, large)
    # What is beside another unsure find is not beside a face.
    assert threshold.split([replace(face, score=0.2), beside])[0] == ()
    assert threshold.lowest <= 0.15
    assert Threshold(0.3).split([small, large, beside]) == ((small, large), (beside,))


def test_min_score_is_the_only_threshold_where_it_is_given() -> None:
    """Small, large, beside others: what has the score counts, and nothing else."""
    pixels = read(EXAMPLES / "group.jpg")[::2, ::2].copy()
    picture = Picture(pixels, Encoding("png"))
    (found,) = find_faces([picture], DetectorOptions(min_score=0.4))
    assert all(face.score >= 0.4 for face in found.sure)
    assert all(0.2 <= face.score < 0.4 for face in found.unsure)


@pytest.mark.parametrize("detector", detection.names())
def test_the_same_picture_gives_the_same_faces_and_is_not_changed(
    detector: str,
) -> None:
    image = read(EXAMPLES / "curies.jpg")
    before = image.copy()
    other = read(EXAMPLES / "grace_hopper.jpg")
    find = detection.make(detector)
    (first,) = find([image])
    find([other])
    assert find([image]) == [first] != [()]
    assert np.array_equal(image, before)


@pytest.mark.parametrize("detector", detection.names())
def test_min_score_only_takes_away(detector: str) -> None:
    image = read(EXAMPLES / "group.jpg")
    find = detection.make(detector)
    (every,) = find([image], 0.05)
    (some,) = find([image], 0.6)
    assert 0 < len(some) <= len(every)
    assert all(face.score >= 0.6 for face in some)
    assert all(face.score >= 0.05 for face in every)
    assert all(finds(every, face.box, 0.9) for face in some)


def test_the_fallback_engine_finds_the_same() -> None:
    """On pictures of several shapes in a row, more than once."""
    slow = centerface.CenterFace(OpenCVNetwork("centerface.onnx"), LEVELS["fast"])
    quick = detection.make("centerface", "fast")
    for name in ("astronaut.png", "curies.jpg", "grace_hopper.jpg", "astronaut.png"):
        image = read(EXAMPLES / name)
        for first, second in zip(slow([image], 0.5), quick([image], 0.5), strict=True):
            assert_same(first, second, 0.85)


@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg"])
def test_haar_finds_faces_from_the_front(name: str) -> None:
    (faces,) = detection.make("haar")([read(EXAMPLES / name)])
    assert finds(faces, FACES[name][0])
    assert len(faces) == len({face.box for face in faces})


def test_haar_finds_the_mirrored_face_too() -> None:
    image: Image = cv2.flip(read(EXAMPLES / "astronaut.png"), 1)
    box = FACES["astronaut.png"][0]
    (faces,) = detection.make("haar")([image])
    assert finds(faces, Box(512 - box.right, box.top, 512 - box.left, box.bottom))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(OptionError, match="centerface, haar"):
        detection.make("eagle")
    with pytest.raises(OptionError, match="fast, balanced, thorough"):
        detection.make("centerface", "perfect")


def test_detectors_are_made_once() -> None:
    assert detection.make("haar") is detection.make("haar")
