"""The numbers by which faces are compared: close for one person, apart for two."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

SIZE = 128

Embedding: TypeAlias = NDArray[np.float32]
"""Shape (128,). Its direction tells whose face it is; its length, how much of a face
there is to see: 9 to 15 for faces that can be recognised, less for those that are
blurred, in the dark or behind something, 3 to 6 for what is no face."""


def direction(vector: NDArray[np.floating[Any]]) -> Embedding:
    """The vector, scaled to the length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
