"""CenterFace: a small network that marks face centres, run at several sizes.

Y. Xu, W. Yan, G. Yang et al., "CenterFace: Joint Face Detection and Alignment Using
Face as Point", Scientific Programming, 2020. The picture is shown to the network
scaled to several sizes, as it knows faces of some 10 to 300 pixels best.
"""

import math

import cv2
import numpy as np

from faceanon.detectors.candidates import Candidates
from faceanon.detectors.levels import ACCURACIES, LEVELS, Accuracy, Pass
from faceanon.detectors.voting import voted
from faceanon.errors import OptionError
from faceanon.inference import Network, Tensor, load
from faceanon.model import Box, Face, Image

# The network halves its input five times.
_MULTIPLE = 32

# Input pixels to a cell of the heat map.
_STRIDE = 4

_MIN_SCORE = 0.2
_SAME_FACE = 0.4


def make(accuracy: Accuracy) -> "CenterFace":
    """Make the detector; see `faceanon.detectors.make`."""
    if accuracy not in LEVELS:
        raise OptionError(
            f"accuracy must be one of {', '.join(ACCURACIES)}, not {accuracy!r}"
        )
    return CenterFace(load("centerface.onnx"), LEVELS[accuracy])


class CenterFace:
    """The detector: a network and the passes it makes over a picture."""

    def __init__(self, network: Network, passes: tuple[Pass, ...]) -> None:
        self.min_score = _MIN_SCORE
        self._network = network
        self._passes = passes

    def __call__(
        self, image: Image, min_score: float | None = None
    ) -> tuple[Face, ...]:
        """Find the faces in an image; see `faceanon.detectors.Detector`."""
        least = _MIN_SCORE if min_score is None else min_score
        candidates = Candidates.joined(
            [run_pass(self._network, image, each, least) for each in self._passes]
        )
        found = voted(candidates, _SAME_FACE)
        return tuple(_face(found, index) for index in range(len(found)))


def run_pass(network: Network, image: Image, one: Pass, min_score: float) -> Candidates:
    """The candidates of one pass, in pixels of the image."""
    height, width = image.shape[:2]
    scale = one.long_side / max(height, width)
    shown_width, shown_height = (
        math.ceil(side * scale / _MULTIPLE) * _MULTIPLE for side in (width, height)
    )
    shown = scaled(image, shown_width, shown_height)
    if one.mirrored:
        shown = cv2.flip(shown, 1)
    blob = cv2.dnn.blobFromImage(shown, swapRB=True)
    candidates = decoded(network(blob), min_score)
    if one.mirrored:
        candidates = candidates.mirrored(shown_width)
    sizes = candidates.sizes
    answered = (sizes >= one.smallest) & (sizes <= one.largest)
    return candidates[answered].mapped(
        (width / shown_width, height / shown_height), (0, 0)
    )


def scaled(image: Image, width: int, height: int) -> Image:
    """The image scaled to a width and height, without aliasing."""
    if image.shape[:2] == (height, width):
        return image
    smaller = width < image.shape[1] and height < image.shape[0]
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=interpolation)


def decoded(outputs: dict[str, Tensor], min_score: float) -> Candidates:
    """The candidates that the network's outputs stand for, in pixels of its input.

    Args:
        outputs: "537", the heat map of face centres, shape (1, 1, H / 4, W / 4);
            "538", logarithms of height and width in cells; "539", the centre's y and x
            inside its cell; "540", y and x of five points, relative to the box.
        min_score: the least score of a candidate.
    """
    heat = outputs["537"][0, 0]
    rows, columns = np.nonzero(heat >= min_score)
    scores = heat[rows, columns]
    sides = np.exp(outputs["538"][0, ::-1, rows, columns]) * _STRIDE
    cells = np.stack((columns, rows), axis=1).astype(np.float32)
    centres = (cells + outputs["539"][0, ::-1, rows, columns] + 0.5) * _STRIDE
    boxes = np.hstack((centres - sides / 2, centres + sides / 2))
    points = outputs["540"][0, :, rows, columns].reshape(-1, 5, 2)[:, :, ::-1]
    points = points * sides[:, None] + boxes[:, None, :2]
    return Candidates(boxes, scores, points)


def _face(found: Candidates, index: int) -> Face:
    left, top, right, bottom = (round(float(side)) for side in found.boxes[index])
    first, second, third, fourth, fifth = (
        (float(x), float(y)) for x, y in found.points[index]
    )
    return Face(
        Box(left, top, right, bottom),
        float(found.scores[index]),
        (first, second, third, fourth, fifth),
    )
