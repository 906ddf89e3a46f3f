"""Haar cascades: upright faces from the front and the side, without a network.

P. Viola and M. Jones, "Rapid Object Detection using a Boosted Cascade of Simple
Features", CVPR 2001, with two of the cascades that OpenCV ships.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import cv2
import numpy as np

from faceanon.model import Box, Face, Image
from faceanon.resources import read_data
from faceanon.vision.detection.levels import Accuracy
from faceanon.vision.detection.threshold import Threshold
from faceanon.vision.detection.voting import groups

_MIN_SCORE = 0.4
_SAME_FACE = 0.3

# The longer side that a larger picture is scaled down to, in pixels. The time goes with
# its square. The smallest faces that are found are so wide in it.
_LONG_SIDE, _SMALLEST = 1024, 24


@dataclass(frozen=True, slots=True)
class _CascadePass:
    """One cascade and how it looks at a picture.

    Attributes:
        name: of its file in `data/cascades/`.
        mirrored: whether it looks at the mirror image: the profile cascade knows
            faces that look to the left only.
        middle: the weight of its last stage at which half of its finds are faces.
        spread: how much more weight multiplies the odds by e. Both were fitted to
            pictures with known faces.
    """

    name: str
    mirrored: bool
    middle: float
    spread: float

    def score(self, weight: float) -> float:
        """How likely a find of this weight is a face, 0 to 1."""
        return 1 / (1 + math.exp((self.middle - weight) / self.spread))


_PASSES = (
    _CascadePass("haarcascade_frontalface_default.xml", False, middle=3.0, spread=1.5),
    _CascadePass("haarcascade_profileface.xml", False, middle=0.3, spread=0.8),
    _CascadePass("haarcascade_profileface.xml", True, middle=0.3, spread=0.8),
)


def make(accuracy: Accuracy) -> "Haar":
    """Make the detector, which knows one accuracy only."""
    return Haar()


class Haar:
    """The detector: the frontal cascade, and the profile cascade both ways."""

    def __init__(self) -> None:
        self.threshold = Threshold(_MIN_SCORE)
        self.batch = 1
        self._cascades = {one.name: _load(one.name) for one in _PASSES}
        # A cascade is busy with one image at a time.
        self._lock = Lock()

    def scale(self, height: int, width: int) -> float:
        """The scale of its only pass; see `faceanon.vision.detection.Detector`."""
        return min(1.0, _LONG_SIDE / max(height, width))

    def smallest_face(self, height: int, width: int) -> int:
        """See `faceanon.vision.detection.Detector`."""
        return math.ceil(_SMALLEST / self.scale(height, width))

    def __call__(
        self, images: Sequence[Image], min_score: float | None = None
    ) -> list[tuple[Face, ...]]:
        """Find the faces in images; see `faceanon.vision.detection.Detector`."""
        least = self.threshold.score if min_score is None else min_score
        with self._lock:
            return [self._found(image, least) for image in images]

    def _found(self, image: Image, least: float) -> tuple[Face, ...]:
        height, width = image.shape[:2]
        scale = 1 / self.scale(height, width)
        shown = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        if scale > 1:
            size = max(round(width / scale), 1), max(round(height / scale), 1)
            shown = cv2.resize(shown, size, interpolation=cv2.INTER_AREA)
        found = [
            Face(_enlarged(box, scale), score)
            for one in _PASSES
            for box, score in self._detections(shown, one)
            if score >= least
        ]
        boxes = np.array([face.box.sides for face in found], np.float32)
        scores = np.array([face.score for face in found], np.float32)
        anyone = np.ones(len(found), bool)
        best, _ = groups(boxes.reshape(-1, 4), scores, _SAME_FACE, anyone)
        return tuple(found[index] for index in best)

    def _detections(self, shown: Image, one: _CascadePass) -> list[tuple[Box, float]]:
        """What one pass finds in a grey image, with scores."""
        seen = cv2.flip(shown, 1) if one.mirrored else shown
        rectangles, _, weights = self._cascades[one.name].detectMultiScale3(
            seen, scaleFactor=1.1, minNeighbors=3, outputRejectLevels=True
        )
        found = []
        for (x, y, width, height), weight in zip(rectangles, weights, strict=True):
            left = shown.shape[1] - x - width if one.mirrored else x
            box = Box(int(left), int(y), int(left + width), int(y + height))
            found.append((box, one.score(float(weight))))
        return found


def _load(name: str) -> cv2.CascadeClassifier:
    """Load a cascade of `data/cascades/` from memory."""
    text = read_data(f"cascades/{name}").decode()
    storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    cascade = cv2.CascadeClassifier()
    cascade.read(storage.getFirstTopLevelNode())
    return cascade


def _enlarged(box: Box, scale: float) -> Box:
    return Box(*(round(side * scale) for side in box.sides))
