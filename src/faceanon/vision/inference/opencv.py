"""Networks run by OpenCV's `dnn` module, which every installation has."""

from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.resources import read_data


class OpenCVNetwork:
    """A network run by OpenCV; see `faceanon.vision.inference.Network`."""

    batch = 1

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
        # The net keeps its input and its outputs; two threads would mix them up.
        self._lock = Lock()

    def __call__(self, blob: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run the network; see `faceanon.vision.inference.Network`."""
        if self._channels_last:
            blob = np.ascontiguousarray(blob.transpose(0, 3, 1, 2))
        with self._lock:
            self._net.setInput(blob)
            forwarded = self._net.forward(self._names)
            return {
                name: self._laid_out(output).copy()
                for name, output in zip(self._names, forwarded, strict=True)
            }

    def _laid_out(self, output: Any) -> NDArray[np.float32]:
        if self._channels_last and output.ndim == 4:
            output = output.transpose(0, 2, 3, 1)
        return np.asarray(output, np.float32)
