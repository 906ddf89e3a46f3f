"""The networks give the same answers on either engine, and tell nobody."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceanon.errors import OptionError
from faceanon.model import Image
from faceanon.vision import inference
from faceanon.vision.inference.opencv import OpenCVNetwork
from faceanon.vision.inference.openvino import OpenVINONetwork
from support import EXAMPLES, read

NETWORKS = ("centerface.onnx", "face_landmarks_detector.tflite", "sface.onnx")

# Imports OpenVINO and runs a network while every way out raises.
CUT_OFF = """
import sys

def refuse(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "os.fork", "subprocess.Popen",
                 "os.posix_spawn"):
        raise AssertionError(event)

sys.addaudithook(refuse)
import numpy as np
from faceanon.vision.inference.openvino import OpenVINONetwork
OpenVINONetwork("centerface.onnx")(np.zeros((1, 3, 64, 64), np.float32))
assert "openvino" in sys.modules
assert not [name for name in sys.modules if "telemetry" in name]
"""


def blob_of(image: Image) -> NDArray[np.float32]:
    """A picture as CenterFace and SFace want it."""
    return np.asarray(cv2.dnn.blobFromImage(image, swapRB=True), np.float32)


def face_blob(side: int = 256) -> NDArray[np.float32]:
    """The astronaut's face, about as the landmarks network wants it."""
    image = read(EXAMPLES / "astronaut.png")[20:220, 125:325]
    resized = cv2.resize(image, (side, side))
    return np.asarray(resized[None, :, :, ::-1] / 255, np.float32)


def test_landmarks_are_the_same_on_both_engines() -> None:
    name = "face_landmarks_detector.tflite"
    first = OpenVINONetwork(name)(face_blob())
    second = OpenCVNetwork(name)(face_blob())
    assert first.keys() == second.keys()
    for key in first:
        assert first[key].shape == second[key].shape
        assert np.abs(first[key] - second[key]).max() < 0.05


def test_embeddings_are_the_same_on_both_engines() -> None:
    upright = cv2.resize(read(EXAMPLES / "astronaut.png")[60:180, 165:285], (112, 112))
    blob = blob_of(upright)
    (first,) = OpenVINONetwork("sface.onnx")(blob).values()
    (second,) = OpenCVNetwork("sface.onnx")(blob).values()
    assert first.shape == (1, 128)
    assert np.abs(first - second).max() < 0.01


def test_landmarks_keep_fractions_of_pixels() -> None:
    outputs = OpenVINONetwork("face_landmarks_detector.tflite")(face_blob())
    points = next(tensor for tensor in outputs.values() if tensor.size == 478 * 3)
    right = points[points > 128]
    assert len(np.unique(right)) > len(right) / 2


def test_shapes_in_a_row_give_what_each_gives_alone() -> None:
    """OpenCV 4.14 goes wrong after a change of shape when its layers are fused."""
    image = read(EXAMPLES / "curies.jpg")
    network = OpenCVNetwork("centerface.onnx")
    for width, height in ((320, 256), (256, 320), (416, 352), (320, 256)):
        blob = blob_of(cv2.resize(image, (width, height)))
        alone = OpenCVNetwork("centerface.onnx")(blob)
        again = network(blob)
        for key in alone:
            assert np.allclose(alone[key], again[key], atol=1e-3)


@pytest.mark.parametrize("name", NETWORKS)
def test_engine_can_be_chosen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inference.load.cache_clear()
    monkeypatch.setenv("FACEANON_INFERENCE", "opencv")
    try:
        assert isinstance(inference.load(name), OpenCVNetwork)
        assert inference.load(name) is inference.load(name)
    finally:
        inference.load.cache_clear()


def test_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    inference.load.cache_clear()
    monkeypatch.setenv("FACEANON_INFERENCE", "abacus")
    with pytest.raises(OptionError, match="openvino or opencv"):
        inference.load("centerface.onnx")


def test_nothing_is_sent_anywhere() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CUT_OFF], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
