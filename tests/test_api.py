"""faceanon for Python programs."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import faceanon
from faceanon.model import Image
from support import EXAMPLES, read


@pytest.fixture(scope="module")
def image() -> Image:
    return read(EXAMPLES / "astronaut.png")


def test_detect_and_anonymize(image: Image) -> None:
    before = image.copy()
    (face,) = faceanon.detect(image)
    result = faceanon.anonymize(image, "blackbar", grow=1.0, color="#ff0000")
    assert (image == before).all()
    assert (result[face.box.slices] == (0, 0, 255)).all()
    outside = np.ones(image.shape[:2], bool)
    outside[face.box.slices] = False
    assert (result[outside] == image[outside]).all()


def test_given_faces_are_hidden_and_no_others(image: Image) -> None:
    box = faceanon.Box(300, 300, 350, 360)
    result = faceanon.anonymize(
        image, "blackbar", faces=[faceanon.Face(box, 1.0)], grow=1
    )
    assert (result[box.slices] == 0).all()
    assert (result[60:190, 170:270] == image[60:190, 170:270]).all()
    same = faceanon.anonymize(image, "blackbar", faces=[])
    assert (same == image).all()
    assert not np.shares_memory(same, image)


def test_sixteen_bits_are_detected_and_hidden_alike(image: Image) -> None:
    # As a camera of 12 bits stores it: dark for who takes it for 16.
    deep = image.astype(np.uint16) << 4
    (face,) = faceanon.detect(deep)
    (expected,) = faceanon.detect(image)
    assert face.box.overlap(expected.box) > 0.9
    result = faceanon.anonymize(deep, "pixelate")
    assert result.dtype == np.uint16
    assert (result[400:] == deep[400:]).all()


def test_a_seed_repeats_the_noise(image: Image) -> None:
    first, second, third = (
        faceanon.anonymize(image, "pixelate", seed=seed) for seed in (7, 7, 8)
    )
    assert (first == second).all()
    assert (first != third).any()


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("smear", {}, "no method is called 'smear'"),
        ("blur", {"cells": 3}, "blur has no option cells"),
        ("blur", {"strength": 3}, "strength must be at most 2"),
        ("blur", {"strength": "much"}, "strength must be a number"),
        ("blur", {"detector": "eyes"}, "detector must be one of"),
        ("blur", {"grow": float("nan")}, "grow must be at least 1"),
        ("pixelate", {"seed": 1.5}, "seed must be a whole number"),
    ],
)
def test_wrong_options_are_explained(
    image: Image, method: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(faceanon.OptionError, match=message):
        faceanon.anonymize(image, method, faces=None, **options)


@pytest.mark.parametrize("wrong", ["picture.jpg", None, [[1, 2], [3, 4]]])
def test_what_is_no_array_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="an image is an array"):
        faceanon.detect(wrong)
    with pytest.raises(TypeError, match="an image is an array"):
        faceanon.anonymize(wrong, "blur")


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
    ],
)
def test_arrays_of_another_kind_are_refused(wrong: Image) -> None:
    with pytest.raises(ValueError, match="an image"):
        faceanon.detect(wrong)
    with pytest.raises(ValueError, match="an image"):
        faceanon.anonymize(wrong, "blur")


def test_swapping_one_face_raises(image: Image) -> None:
    with pytest.raises(faceanon.PictureError, match="two faces"):
        faceanon.anonymize(image, "swap")


def test_a_run_gives_outcomes_and_can_be_left_early(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in ("astronaut.png", "cat.png", "grace_hopper.jpg"):
        shutil.copy(EXAMPLES / name, source)
    threads = cv2.getNumThreads()
    outcomes = faceanon.run(source, tmp_path / "out", "blackbar", jobs=1)
    first = next(outcomes)
    outcomes.close()
    assert cv2.getNumThreads() == threads
    assert first.status in (faceanon.Status.ANONYMIZED, faceanon.Status.NO_FACES)
    written = [p for p in (tmp_path / "out").iterdir() if p.name[0] != "."]
    assert [path.name for path in written] == [first.job.name]
    rest = list(faceanon.run(source, tmp_path / "out", "blackbar", jobs=1))
    statuses = sorted(outcome.status.value for outcome in rest)
    assert statuses.count("skipped") == 1
    assert len(statuses) == 3


def test_importing_faceanon_is_light() -> None:
    """The command line needs to be quick to say its help."""
    loaded = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import faceanon, sys; print(sorted(m for m in ('cv2', 'numpy', 'openvino')"
            " if m in sys.modules)); faceanon.detect; print('cv2' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout == "[]\nTrue\n"
