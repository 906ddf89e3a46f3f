"""faceanon for Python programs."""

import doctest
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

import faceanon
from faceanon.model import Image
from support import EXAMPLES, exif_turned, read, with_examples


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
        ("pixelate", {"channels": "grb"}, "channels must be one of bgr, rgb"),
    ],
)
def test_wrong_options_are_explained(
    image: Image, method: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(faceanon.OptionError, match=message):
        faceanon.anonymize(image, method, **options)


@pytest.mark.parametrize("order", ["bgr", "rgb"])
@pytest.mark.parametrize("method", ["blackbar", "pixelate"])
def test_the_order_of_channels_is_that_of_what_is_given(
    image: Image, order: Literal["bgr", "rgb"], method: str
) -> None:
    """A file, a picture of Pillow and arrays of both orders look the same after it."""
    options: dict[str, Any] = {"seed": 1, "accuracy": "fast"}
    expected = faceanon.anonymize(image, method, **options)
    assert (expected != image).any()
    given = image if order == "bgr" else image[:, :, ::-1]
    (face,) = faceanon.detect(given, channels=order)
    hidden = faceanon.anonymize(given, method, channels=order, **options)
    assert (hidden == (expected if order == "bgr" else expected[:, :, ::-1])).all()
    path = EXAMPLES / "astronaut.png"
    assert faceanon.detect(path) == faceanon.detect(str(path)) == (face,)
    assert (faceanon.anonymize(path, method, **options) == expected).all()
    with PillowImage.open(path) as picture:
        assert faceanon.detect(picture) == (face,)
        of_pillow = faceanon.anonymize(picture, method, **options)
    assert of_pillow.mode == "RGB"
    assert (np.asarray(of_pillow)[:, :, ::-1] == expected).all()


def test_files_and_pictures_of_pillow_are_upright_and_on_white(
    image: Image, tmp_path: Path
) -> None:
    turned = PillowImage.fromarray(image[:, ::-1, ::-1]).convert("RGBA")
    turned = turned.transpose(PillowImage.Transpose.ROTATE_90)
    turned.putpixel((0, 0), (0, 0, 0, 0))
    exif = exif_turned(6)
    turned.save(tmp_path / "turned.png", exif=exif)
    with PillowImage.open(tmp_path / "turned.png") as picture:
        safe = faceanon.anonymize(picture, "blackbar", faces=[])
    upright = cv2.cvtColor(np.asarray(safe), cv2.COLOR_RGB2BGR)
    of_file = faceanon.anonymize(tmp_path / "turned.png", "blackbar", faces=[])
    assert (upright == of_file).all()
    assert (upright == 255).all(axis=2).any()
    assert faceanon.detect(safe) == faceanon.detect(tmp_path / "turned.png")


WRONG: list[tuple[Any, type[Exception], str]] = [
    (None, TypeError, "not NoneType; cv2.imread gives None"),
    ([[1, 2], [3, 4]], TypeError, "an array, a picture of Pillow or a path, not list"),
    ("nowhere.jpg", faceanon.PictureError, "nowhere.jpg: cannot be read"),
    (Path(__file__), faceanon.PictureError, "test_api.py: it is not a picture"),
    (
        np.zeros((10, 10), np.uint8),
        ValueError,
        r"the shape \(H, W, 3\), not \(10, 10\)",
    ),
    (np.zeros((10, 10, 4), np.uint8), ValueError, r"the shape \(H, W, 3\)"),
    (np.zeros((0, 0, 3), np.uint8), ValueError, "an image has pixels"),
    (np.zeros((10, 10, 3), np.float32), ValueError, "uint8 or uint16, not float32"),
    (PillowImage.new("F", (9, 9)), ValueError, "mode F is not taken"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), WRONG)
def test_what_is_no_picture_is_refused_in_plain_words(
    wrong: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        faceanon.detect(wrong)
    with pytest.raises(error, match=message):
        faceanon.anonymize(wrong, "blur")


@pytest.mark.parametrize(
    ("faces", "error", "message"),
    [
        ([(10, 10, 50, 50)], TypeError, "a face is a Face, not tuple: faceanon.Face"),
        (faceanon.Face(faceanon.Box(0, 0, 9, 9), 1), TypeError, "a sequence of Face"),
        (5, TypeError, "a sequence of Face, not int"),
        ([faceanon.Face(faceanon.Box(9, 9, 9, 20), 1)], ValueError, "holds nothing"),
        ([faceanon.Face(faceanon.Box(600, 0, 650, 9), 1)], ValueError, "512 x 512"),
        (
            [faceanon.Face(faceanon.Box(0.5, 0, 9, 9), 1)],  # type: ignore[arg-type]
            TypeError,
            "whole numbers",
        ),
    ],
)
def test_faces_that_cannot_be_hidden_are_refused(
    image: Image, faces: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        faceanon.anonymize(image, "blackbar", faces=faces)


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


PROGRAM = """
import faceanon

for outcome in faceanon.run("in", "out", "blackbar", jobs=2, detector="haar"):
    print(outcome.status.value)
"""


def test_a_program_needs_no_guard_and_no_file(tmp_path: Path) -> None:
    with_examples(tmp_path / "in", "astronaut.png", "cat.png")
    done = subprocess.run(
        [sys.executable, "-"],
        input=PROGRAM,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.split()) == ["anonymized", "no_faces"]


def test_the_examples_of_the_documentation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_examples(tmp_path / "photos", "astronaut.png", "cat.png")
    monkeypatch.chdir(tmp_path)
    page = EXAMPLES.parent / "docs" / "python.md"
    flags = doctest.IGNORE_EXCEPTION_DETAIL
    assert doctest.testfile(str(page), module_relative=False, optionflags=flags) == (
        0,
        sum(line.startswith(">>> ") for line in page.read_text().splitlines()),
    )


def test_the_package_tells_what_it_has() -> None:
    assert dir(faceanon) == sorted(faceanon.__all__)
    assert all(hasattr(faceanon, name) for name in faceanon.__all__)
    assert faceanon.__version__ == version("faceanon")
    with pytest.raises(AttributeError, match="no attribute 'blur'"):
        _ = faceanon.blur


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
