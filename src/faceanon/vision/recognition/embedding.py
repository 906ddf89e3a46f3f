"""The numbers by which faces are compared: close for one person, apart for two.

SFace: Y. Zhong, W. Deng, J. Hu, D. Zhao, X. Li and D. Wen, "SFace: Sigmoid-Constrained
Hypersphere Loss for Robust Face Recognition", IEEE Transactions on Image Processing 30,
2021 (arXiv 2205.12010).
"""

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Image
from faceanon.vision.inference import load

SIZE = 128

Embedding: TypeAlias = NDArray[np.float32]
"""Shape (128,). Its direction tells whose face it is; its length, how much of a face
there is to see: 9 to 15 for faces that can be recognised, less for those that are
blurred, in the dark or behind something, 3 to 6 for what is no face."""


def embed(upright: Image) -> Embedding:
    """The embedding of an aligned face: shape (112, 112, 3), BGR, uint8."""
    blob = cv2.dnn.blobFromImage(upright, swapRB=True)
    (output,) = load("sface.onnx")(np.asarray(blob, np.float32)).values()
    return np.array(output[0], np.float32)


def direction(vector: NDArray[np.floating[Any]]) -> Embedding:
    """The vector, scaled to the length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
