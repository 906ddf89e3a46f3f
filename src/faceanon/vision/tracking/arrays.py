"""What the modules of the tracker do to arrays."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]


def medians(values: NDArray[Any], groups: Rows) -> NDArray[Any]:
    """The median of each group, the lower of two; groups are 0 to G - 1."""
    order = np.lexsort((values, groups))
    counts = np.bincount(groups)
    middles = np.cumsum(counts) - counts + (counts - 1) // 2
    return np.asarray(values[order][middles])


def ranges(first: Rows, end: Rows) -> tuple[Rows, Rows]:
    """All numbers of some ranges, and before them which range each is of."""
    counts = end - first
    rows = np.repeat(np.arange(len(first)), counts)
    offset = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, first[rows] + offset
