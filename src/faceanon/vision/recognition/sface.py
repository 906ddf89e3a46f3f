"""The network that makes embeddings.

SFace: Y. Zhong, W. Deng, J. Hu, D. Zhao, X. Li and D. Wen, "SFace: Sigmoid-Constrained
Hypersphere Loss for Robust Face Recognition", IEEE Transactions on Image Processing 30,
2021 (arXiv 2205.12010).
"""

import cv2
import numpy as np

from faceanon.model import Image
from faceanon.vision.inference import load
from faceanon.vision.recognition.embedding import Embedding


def embed(upright: Image) -> Embedding:
    """The embedding of an aligned face: shape (112, 112, 3), BGR, uint8."""
    blob = cv2.dnn.blobFromImage(upright, swapRB=True)
    (output,) = load("sface.onnx")(np.asarray(blob, np.float32)).values()
    return np.array(output[0], np.float32)
