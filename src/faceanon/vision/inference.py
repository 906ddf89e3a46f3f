"""Running the networks of `data/models/` on the CPU: OpenVINO, else OpenCV.

OpenVINO is several times faster. The environment variable `FACEANON_INFERENCE`,
"openvino" or "opencv", chooses; without it, OpenCV runs where OpenVINO is not
installed.
"""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import as_file
from types import ModuleType
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.errors import OptionError
from faceanon.resources import data_dir, read_data

Tensor = NDArray[np.float32]

# The shapes to compile for. CenterFace takes sides that are multiples of 32, although
# its file declares ten pictures of 32 x 32. Compiling once for any size costs a new
# size some 0.01 s in its first run and nothing later; compiling for each size costs
# 0.15 s and its memory.
_INPUT_SHAPES = {
    "centerface.onnx": (1, 3, -1, -1),
    "face_landmarks_detector.tflite": (1, 256, 256, 3),
    "sface.onnx": (1, 3, 112, 112),
}

# Networks that need all 24 bits of a float. Others run in bfloat16 where the processor
# has it, twice as fast: CenterFace's boxes move by a hundredth of their size. Landmarks
# would move by a whole pixel, as numbers over 128 have no fractions there; embeddings
# would differ from processor to processor, and so who is recognised.
_FULL_PRECISION = {"face_landmarks_detector.tflite", "sface.onnx"}

# Importing OpenVINO imports its converter, which reports the import to a web service
# and leaves an identifier in the home directory. `openvino` does well without both.
_REPORTING_MODULES = ("openvino.tools.ovc", "openvino_telemetry")


class Network(Protocol):
    """A network ready to run: one input, its outputs by name."""

    def __call__(self, blob: Tensor) -> dict[str, Tensor]:
        """Run the network on one input tensor, in the layout that its file declares.

        The outputs are valid until the next call.
        """


@cache
def load(name: str) -> Network:
    """Load `data/models/<name>` (ONNX or TFLite), once in a process.

    Raises:
        OptionError: `FACEANON_INFERENCE` is neither "openvino" nor "opencv".
        ImportError: it is "openvino", which is not installed.
    """
    engine = os.environ.get("FACEANON_INFERENCE", "")
    if engine not in ("", "openvino", "opencv"):
        raise OptionError(
            f"FACEANON_INFERENCE must be openvino or opencv, not {engine!r}; unset it "
            "to take the faster one"
        )
    if engine != "opencv":
        try:
            return OpenVINONetwork(name)
        except ImportError:
            if engine:
                raise
    return OpenCVNetwork(name)


class OpenVINONetwork:
    """A network run by OpenVINO on one thread."""

    def __init__(self, name: str) -> None:
        openvino = _import_openvino()
        core = openvino.Core()
        # From a path, as OpenVINO reads ONNX files from memory, but not TFLite files.
        with as_file(data_dir() / "models" / name) as path:
            model = core.read_model(path)
        model.reshape(list(_INPUT_SHAPES[name]))
        config: dict[str, Any] = {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            # Pinned, the threads of several worker processes share one core.
            "ENABLE_CPU_PINNING": False,
            # What is prepared for a shape is kept; without a bound as good as for ever,
            # which over a folder of many shapes comes to a gigabyte.
            "CPU_RUNTIME_CACHE_CAPACITY": 1000,
        }
        if name in _FULL_PRECISION:
            config["INFERENCE_PRECISION_HINT"] = "f32"
        self._request = core.compile_model(model, "CPU", config).create_infer_request()

    def __call__(self, blob: Tensor) -> dict[str, Tensor]:
        """Run the network; see `Network`."""
        outputs = self._request.infer([blob], share_inputs=True, share_outputs=True)
        return {port.any_name: tensor for port, tensor in outputs.items()}


class OpenCVNetwork:
    """A network run by OpenCV's `dnn` module."""

    def __init__(self, name: str) -> None:
        data = np.frombuffer(read_data(f"models/{name}"), np.uint8)
        # OpenCV turns a TFLite network, channels last, into its own layout.
        self._channels_last = name.endswith(".tflite")
        if self._channels_last:
            self._net = cv2.dnn.readNetFromTFLite(data)
        else:
            self._net = cv2.dnn.readNetFromONNX(data)
        # With layers fused, OpenCV 4.14 gives wrong outputs after the input has changed
        # its shape.
        self._net.enableFusion(False)
        self._names = self._net.getUnconnectedOutLayersNames()

    def __call__(self, blob: Tensor) -> dict[str, Tensor]:
        """Run the network; see `Network`."""
        if self._channels_last:
            blob = np.ascontiguousarray(blob.transpose(0, 3, 1, 2))
        self._net.setInput(blob)
        outputs = dict(zip(self._names, self._net.forward(self._names), strict=True))
        return {name: self._laid_out(output) for name, output in outputs.items()}

    def _laid_out(self, output: Any) -> Tensor:
        if self._channels_last and output.ndim == 4:
            output = output.transpose(0, 2, 3, 1)
        return np.asarray(output, np.float32)


def _import_openvino() -> ModuleType:
    """Import OpenVINO without the modules that report its use over the network."""
    with _hidden(_REPORTING_MODULES):
        return importlib.import_module("openvino")


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Let imports of these modules fail, except of those that are loaded already."""
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
