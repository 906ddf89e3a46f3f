"""When the frames of a film are shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class FrameTimes(Mapping[int, Fraction]):
    """The times of frames in seconds, exactly: `times[7]` is that of frame 7.

    Those that a box file gives lack the frames without a face.

    Attributes:
        frames: numbers of frames, ascending; shape (N,), int32.
        pts: when each is shown (its presentation timestamp), in units of `base`; shape
            (N,), int64.
        base: seconds.
    """

    frames: NDArray[np.int32]
    pts: NDArray[np.int64]
    base: Fraction

    @classmethod
    def of_all(cls, pts: NDArray[np.int64], base: Fraction) -> "FrameTimes":
        """The times of all frames of a film."""
        return cls(np.arange(len(pts), dtype=np.int32), pts, base)

    def __getitem__(self, number: int) -> Fraction:
        # A number of another type would have all of the array converted.
        row = int(np.searchsorted(self.frames, np.int32(number)))
        if row == len(self.frames) or self.frames[row] != number:
            raise KeyError(number)
        return int(self.pts[row]) * self.base

    def __iter__(self) -> Iterator[int]:
        yield from self.frames.tolist()

    def __len__(self) -> int:
        return len(self.frames)

    def __hash__(self) -> int:
        # Equal times may have different bases.
        return hash(self.frames.tobytes())
