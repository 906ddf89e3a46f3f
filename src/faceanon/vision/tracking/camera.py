"""How the camera moves, and where a shot ends, told from small pictures."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.model import Image

SIDE = 160
"""The longer side of the small pictures, in pixels. A face that moves is too small in
them to be taken for the scene."""

# The least peak of the phase correlation (0 to 1) at which a movement is believed.
_CERTAIN = 0.15

# Two pictures are of different shots if so much of their colours differs (0 to 1) and
# the peak is no higher than this: a fast pan keeps its colours, a flash its outlines.
_OTHER_COLORS, _OTHER_SCENE = 0.25, 0.5

# Hues and brightnesses told apart.
_BINS = 12

# What differs for so many frames, and is then as before, is a flash.
_LONGEST_FLASH = 2


@dataclass(frozen=True, slots=True, eq=False)
class CameraMotion:
    """The camera's movement over a film of F frames.

    Attributes:
        path: shape (F, 2), float64: x and y, where the scene has moved to since the
            first frame of its shot, in pixels of the upright frame.
        shots: shape (F,), int32: the number of the shot that a frame is in, ascending.
    """

    path: NDArray[np.float64]
    shots: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A small picture of a frame: its outlines, and how often it has which colour."""

    grey: NDArray[np.float32]
    colors: NDArray[np.float32]


class Camera:
    """Is shown the frames of a film one after the other and tells how they move.

    A movement is the peak of the phase correlation of two frames (C. D. Kuglin and
    D. C. Hines, "The Phase Correlation Image Alignment Method", 1975).
    """

    def __init__(self, size: tuple[int, int]) -> None:
        """Begin with a film of this size.

        Args:
            size: width and height of the upright frames, in pixels.
        """
        width, height = size
        scale = SIDE / max(width, height)
        self._size = (
            max(round(width * scale), 2),
            max(round(height * scale), 2),
        )
        self._to_pixels = np.array(size, float) / self._size
        self._window = cv2.createHanningWindow(self._size, cv2.CV_32F)
        self._last: _View | None = None
        self._differing: list[_View] = []
        self._steps: list[tuple[float, float]] = []
        self._begins_shot: list[bool] = []

    def see(self, image: Image) -> tuple[float, float] | None:
        """Look at the next frame.

        Args:
            image: shape (H, W, 3), BGR, uint8, upright; as large as the film or
                smaller.

        Returns:
            By how much the scene has moved since the frame before, in pixels of the
            upright frame; None where it is another one, if only for a flash.
        """
        small = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
        bins, ranges = [_BINS, _BINS], [0, 180, 0, 256]
        colors = cv2.calcHist([hsv], [0, 2], None, bins, ranges).ravel()
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
        step = self._take(_View(grey, colors / colors.sum()))
        if step is None:
            return None
        across, down = np.array(step) * self._to_pixels
        return float(across), float(down)

    def motion(self) -> CameraMotion:
        """The movement over all frames seen so far."""
        steps, begins = list(self._steps), list(self._begins_shot)
        steps += [(0.0, 0.0)] * len(self._differing)
        begins += [number == 0 for number in range(len(self._differing))]
        moved = np.array(steps, float).reshape(-1, 2) * self._to_pixels
        shots = np.cumsum(begins, dtype=np.int32) - np.int32(1)
        path = np.cumsum(moved, axis=0)
        first = np.searchsorted(shots, shots)
        return CameraMotion(path - path[first], shots)

    def _take(self, view: _View) -> tuple[float, float] | None:
        if self._last is None:
            self._put(view, (0.0, 0.0), begins_shot=True)
            return None
        step, is_other = self._compared(self._last, view)
        if not is_other:
            # Over a flash, if there was one, in equal steps.
            count = len(self._differing) + 1
            for each in (*self._differing, view):
                part = (step[0] / count, step[1] / count)
                self._put(each, part, begins_shot=False)
            self._differing = []
            return step
        self._differing.append(view)
        if len(self._differing) > _LONGEST_FLASH:
            first, *others = self._differing
            self._differing = []
            self._put(first, (0.0, 0.0), begins_shot=True)
            for each in others:
                self._take(each)
        return None

    def _put(
        self, view: _View, step: tuple[float, float], *, begins_shot: bool
    ) -> None:
        self._last = view
        self._steps.append(step)
        self._begins_shot.append(begins_shot)

    def _compared(
        self, before: _View, after: _View
    ) -> tuple[tuple[float, float], bool]:
        """By how much the scene moved, and whether it is another one."""
        (right, down), peak = cv2.phaseCorrelate(before.grey, after.grey, self._window)
        other = float(np.abs(before.colors - after.colors).sum()) / 2
        step = (right, down) if peak > _CERTAIN else (0.0, 0.0)
        return step, other > _OTHER_COLORS and peak < _OTHER_SCENE
