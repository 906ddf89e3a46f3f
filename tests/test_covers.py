"""Covers through the command: what shows in them, and what is told of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import Run
from faceanon.boxes import Record, to_line
from faceanon.model import Box, Face, Image
from support import (
    ASTRONAUT_FACE,
    EXAMPLES,
    digest,
    encoded,
    lines,
    read,
    write_png,
)

pytestmark = pytest.mark.usefixtures("as_installed")

PICTURE = "astronaut.png"
PAINTED = ("blackbar", "pixelate", "blur")


def written(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder


def boxes_of(folder: Path, name: str) -> Path:
    """A box file with the astronaut's face in a picture of the folder."""
    image = read(folder / name)
    height, width = image.shape[:2]
    record = Record(name, width, height, digest(folder / name), (ASTRONAUT_FACE,))
    path = folder.parent / f"{folder.name}.jsonl"
    path.write_text(to_line(record) + "\n")
    return path


def with_another_face(image: Image) -> Image:
    """Noise where the face is, with the old pixels of its middle in another order."""
    rng = np.random.default_rng(1)
    box, core = ASTRONAUT_FACE.box, ASTRONAUT_FACE.box.grown(0.5)
    other = image.copy()
    face = other[box.slices]
    face[:] = rng.integers(0, 256, face.shape, dtype=np.uint8)
    middle = image[core.slices]
    other[core.slices] = rng.permutation(middle.reshape(-1, 3)).reshape(middle.shape)
    return other


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("method", PAINTED)
def test_whoever_was_there_the_output_is_the_same_to_the_byte(
    faceanon: Run, tmp_path: Path, method: str, suffix: str
) -> None:
    image = read(EXAMPLES / PICTURE)
    outputs = []
    for number, pixels in enumerate((image, with_another_face(image))):
        name = f"picture{suffix}"
        folder = written(tmp_path / str(number), name, encoded(pixels, suffix))
        target = tmp_path / f"out{number}"
        boxes = boxes_of(folder, name)
        done = faceanon(method, folder, target, "--boxes", boxes, "--seed", "1")
        assert done.returncode == 0, done.stderr
        outputs.append((target / name).read_bytes())
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize("method", ["pixelate", "blur"])
def test_two_runs_of_a_faithful_filter_tell_no_more_than_one(
    faceanon: Run, tmp_path: Path, method: str
) -> None:
    source = written(tmp_path / "in", PICTURE, (EXAMPLES / PICTURE).read_bytes())
    # The same picture under another name, as copies in a folder are.
    written(source, "copy.png", (EXAMPLES / PICTURE).read_bytes())
    for target, options in (("a", ()), ("b", ()), ("c", ("--seed", str(2**70)))):
        done = faceanon(method, source, tmp_path / target, "--faithful", *options)
        assert done.returncode == 0, done.stderr
        assert "can be recognised" in done.stderr
    first = read(tmp_path / "a" / PICTURE)
    assert (first == read(tmp_path / "b" / PICTURE)).all()
    assert (first == read(tmp_path / "a" / "copy.png")).all()
    assert (first != read(tmp_path / "c" / PICTURE)).any()


def test_a_secret_that_can_be_tried_is_warned_about(
    faceanon: Run, tmp_path: Path
) -> None:
    source = written(tmp_path / "in", PICTURE, (EXAMPLES / PICTURE).read_bytes())
    said = {}
    for number, (seed, *options) in enumerate(
        (
            ("20261129", "--faithful"),
            ("20261129", "--rename", "hash"),
            (str(2**70), "--faithful"),
            ("20261129",),
        )
    ):
        target = tmp_path / str(number)
        done = faceanon("pixelate", source, target, "--seed", seed, *options)
        assert done.returncode == 0, done.stderr
        said[number] = "so short a seed" in done.stderr
    assert said == {0: True, 1: True, 2: False, 3: False}


def test_a_picture_in_which_nothing_was_changed_is_not_called_anonymized(
    faceanon: Run, tmp_path: Path
) -> None:
    """Closed or tiny eyes have no colour to change."""
    image = read(EXAMPLES / PICTURE)
    small = cv2.resize(image, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    source = tmp_path / "in"
    source.mkdir()
    write_png(source / "small.png", small)
    write_png(source / "large.png", image)
    report = tmp_path / "report.jsonl"
    done = faceanon("eyecolor", source, tmp_path / "out", "--report", report)
    assert done.returncode == 0, done.stderr
    told = {line["picture"]: line for line in lines(report)}
    assert told["small.png"]["status"] == "unchanged"
    assert [face["done_by"] for face in told["small.png"]["faces"]] == [None]
    assert told["large.png"]["status"] == "anonymized"
    assert [face["done_by"] for face in told["large.png"]["faces"]] == ["eyecolor"]
    assert "1 left as they were" in done.stderr
    assert "1 UNCHANGED" in done.stderr
    assert (read(tmp_path / "out" / "small.png") == small).all()
    assert "nothing was changed: eyecolor can treat none of its faces" in done.stderr


def test_each_face_says_which_method_hid_it(faceanon: Run, tmp_path: Path) -> None:
    source = written(
        tmp_path / "in", "group.jpg", (EXAMPLES / "group.jpg").read_bytes()
    )
    report = tmp_path / "report.jsonl"
    done = faceanon("swap", source, tmp_path / "out", "--report", report)
    assert done.returncode == 0, done.stderr
    (line,) = lines(report)
    ways = [face["done_by"] for face in line["faces"]]
    assert set(ways) <= {"swap", "pixelate"}
    assert "swap" in ways
    if "pixelate" in ways:
        assert f"{ways.count('pixelate')} by pixelate instead" in done.stderr


def test_a_face_that_a_box_file_shows_is_not_painted_from(
    faceanon: Run, tmp_path: Path
) -> None:
    """Its colours would be carried into the cover beside it."""
    image = np.full((200, 300, 3), 128, np.uint8)
    face, neighbour = Face(Box(60, 60, 120, 130), 1), Face(Box(130, 60, 190, 130), 1)
    bars = []
    for color in ((128, 128, 128), (0, 0, 255)):
        image[neighbour.box.slices] = color
        source = written(tmp_path / f"{color[0]}", "a.png", encoded(image))
        content = digest(source / "a.png")
        record = Record("a.png", 300, 200, content, (face,), (neighbour,))
        boxes = tmp_path / f"{color[0]}.jsonl"
        boxes.write_text(to_line(record) + "\n")
        target = tmp_path / f"out{color[0]}"
        options = ("--color", "average", "--boxes", boxes)
        done = faceanon("blackbar", source, target, *options)
        assert done.returncode == 0, done.stderr
        bars.append(read(target / "a.png")[face.box.slices])
    assert (bars[0] == bars[1]).all()


@pytest.mark.parametrize("shape", ["rounded", "ellipse"])
def test_a_shape_hides_all_that_the_box_hides(
    faceanon: Run, tmp_path: Path, shape: str
) -> None:
    source = written(tmp_path / "in", PICTURE, (EXAMPLES / PICTURE).read_bytes())
    white = ("--color", "#00ff00")
    faceanon("blackbar", source, tmp_path / "box", *white)
    options = ("--shape", shape, "--feather", "0.2")
    done = faceanon("blackbar", source, tmp_path / "shape", *white, *options)
    assert done.returncode == 0, done.stderr
    box, other = (
        (read(tmp_path / folder / PICTURE) == (0, 255, 0)).all(axis=2)
        for folder in ("box", "shape")
    )
    assert other[box].all()
    assert other.sum() > box.sum()
    changed = (read(tmp_path / "shape" / PICTURE) != read(source / PICTURE)).any(axis=2)
    # The soft edge lies beyond.
    assert changed.sum() > 1.1 * other.sum()
