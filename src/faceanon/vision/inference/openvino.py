"""Networks run by OpenVINO, on one thread of the processor for each call."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file
from threading import local
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceanon.resources import data_dir

# The shapes to compile for; -1 is any. CenterFace takes sides that are multiples of 32,
# although its file declares ten pictures of 32 x 32. Compiling once for any size costs
# a new size some 0.01 s in its first run and nothing later; compiling for each size
# costs 0.15 s and its memory.
_INPUT_SHAPES = {
    "centerface.onnx": (-1, 3, -1, -1),
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


class OpenVINONetwork:
    """A network run by OpenVINO; see `faceanon.vision.inference.Network`.

    Raises:
        ImportError: OpenVINO is not installed.
    """

    # A processor gains nothing by larger ones.
    batch = 1

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
        self._model = core.compile_model(model, "CPU", config)
        # A request holds its input and outputs: each thread has one of its own.
        self._of_thread = local()

    def __call__(self, blob: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run the network; see `faceanon.vision.inference.Network`."""
        request = getattr(self._of_thread, "request", None)
        if request is None:
            request = self._of_thread.request = self._model.create_infer_request()
        outputs = request.infer([blob], share_inputs=True, share_outputs=True)
        return {port.any_name: tensor for port, tensor in outputs.items()}


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
