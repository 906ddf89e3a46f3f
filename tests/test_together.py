"""Several images at once, and several threads: each gets what it gets alone."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import pytest

import faceanon
from faceanon.model import Face, Image
from faceanon.vision import detection, inference
from faceanon.vision.detection.centerface import CenterFace
from faceanon.vision.detection.levels import LEVELS
from support import EXAMPLES, read

NAMES = ("astronaut.png", "curies.jpg", "grace_hopper.jpg", "cat.png")


def sides(face: Face) -> tuple[int, int, int, int]:
    return face.box.left, face.box.top, face.box.right, face.box.bottom


@pytest.fixture(scope="module")
def images() -> list[Image]:
    """Of different shapes, and some of the same."""
    images = [read(EXAMPLES / name) for name in NAMES]
    return [*images, cv2.flip(images[0], 1), images[1][::-1].copy()]


@pytest.mark.parametrize("batch", [2, 5])
def test_images_that_are_looked_at_together_have_the_faces_they_have_alone(
    images: list[Image], batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = inference.load("centerface.onnx")
    alone = CenterFace(network, LEVELS["balanced"])
    expected = [alone([image])[0] for image in images]
    monkeypatch.setattr(network, "batch", batch)
    together = CenterFace(network, LEVELS["balanced"])
    assert together.batch == batch
    found = together(images)
    assert [len(faces) for faces in found] == [len(faces) for faces in expected]
    for ours, theirs in zip(found, expected, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            # A processor may add up in another order for more images.
            assert one.score == pytest.approx(other.score, abs=0.02)
            assert sides(one) == pytest.approx(sides(other), abs=2)


def test_detectors_take_no_images_at_all() -> None:
    for name in detection.names():
        assert detection.make(name)([]) == []


THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
import cv2, faceanon
images = [cv2.imread(path) for path in sys.argv[2:]]
def found(image):
    return faceanon.detect(image, detector=sys.argv[1], accuracy="fast")
alone = [found(image) for image in images]
assert any(alone)
with ThreadPoolExecutor(8) as threads:
    assert list(threads.map(found, images * 4)) == alone * 4
"""


@pytest.mark.parametrize(
    ("engine", "detector"),
    [("openvino", "centerface"), ("opencv", "centerface"), ("opencv", "haar")],
)
def test_any_number_of_threads_may_look_for_faces(
    environment: dict[str, str], engine: str, detector: str
) -> None:
    environment["FACEANON_INFERENCE"] = engine
    names = NAMES[:1] if detector == "haar" else NAMES  # it takes its time
    pictures = [EXAMPLES / name for name in names]
    done = subprocess.run(
        [sys.executable, "-c", THREADS, detector, *pictures],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_threads_that_hide_faces_do_not_get_into_each_others_way(
    images: list[Image],
) -> None:
    """Landmarks, too, are found by a network that the threads share."""

    def hidden(image: Image) -> bytes:
        return faceanon.anonymize(image, "eyecolor", accuracy="fast").tobytes()

    some = images[:3]
    alone = [hidden(image) for image in some]
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(hidden, some * 4)) == alone * 4
