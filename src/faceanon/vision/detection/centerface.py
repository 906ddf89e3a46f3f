"""CenterFace: a small network that marks face centres, shown a picture at some sizes.

Y. Xu, W. Yan, G. Yang et al., "CenterFace: Joint Face Detection and Alignment Using
Face as Point", Scientific Programming, 2020. It knows faces of some 10 to 100 pixels
best; `levels.py` says at which sizes a picture is shown.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from faceanon.model import Box, Face, Image, Points
from faceanon.vision.detection.candidates import Candidates, sizes
from faceanon.vision.detection.levels import LEVELS, Accuracy, Level, Pass
from faceanon.vision.detection.views import BLOCK, Region, views
from faceanon.vision.detection.voting import Look, voted
from faceanon.vision.inference import Network, Tensor, load

# Cells of the heat map below this are not looked at.
_LEAST = 0.05

# Input pixels to a cell of the heat map.
_STRIDE = 4

# No picture is enlarged more than this: there is nothing more to see.
_MAX_SCALE = 2.0

# How far around hints of small faces the picture is shown, in pixels of the first pass.
_HINT_MARGIN = 48

# From this score on, no further passes are made to find a first face.
_CERTAIN = 0.5


def make(accuracy: Accuracy) -> "CenterFace":
    """Make the detector; see `faceanon.detectors.make`."""
    return CenterFace(load("centerface.onnx"), LEVELS[accuracy])


class CenterFace:
    """The detector: a network and the passes it makes over a picture."""

    def __init__(self, network: Network, level: Level) -> None:
        self.min_score = level.min_score
        self._network = network
        self._level = level

    def scale(self, height: int, width: int) -> float:
        """The scale of the largest look; see `faceanon.detectors.Detector`."""
        level = self._level
        passes = (level.first, *level.others, *level.if_uncertain)
        return max(_scale(one, height, width) for one in passes)

    def __call__(
        self, image: Image, min_score: float | None = None
    ) -> tuple[Face, ...]:
        """Find the faces in an image; see `faceanon.detectors.Detector`."""
        least = self.min_score if min_score is None else min_score
        level = self._level
        whole = Region(0, 0, image.shape[1], image.shape[0])
        first, hints = self._first_look(image, whole)
        looks = [first]
        for one in level.others:
            region = whole if one.everywhere else hints
            if region is not None:
                looks.append(self._look(image, one, region))
        # What the passes are does not depend on the score that is asked for.
        found, seen_by = voted(looks, min(least, _CERTAIN))
        if found.scores.max(initial=0) < _CERTAIN:
            looks += [self._look(image, one, whole) for one in level.if_uncertain]
            found, seen_by = voted(looks, least)
        sure = found.scores >= least
        return _faces(found[sure], [looks[look].made for look in seen_by[sure]])

    def _first_look(self, image: Image, whole: Region) -> tuple[Look, Region | None]:
        """The first pass, and the region in which it hints at small faces."""
        level = self._level
        scale = _scale(level.first, *image.shape[:2])
        seen = self._seen(image, level.first, scale, whole)
        small = sizes(seen.boxes) * scale < level.hint_size
        hints = seen.boxes[small & (seen.scores >= level.hint_score)]
        region = Region.around(hints, _HINT_MARGIN / scale) if len(hints) else None
        return Look.of(level.first, scale, whole, seen), region

    def _look(self, image: Image, one: Pass, region: Region) -> Look:
        scale = _scale(one, *image.shape[:2])
        return Look.of(one, scale, region, self._seen(image, one, scale, region))

    def _seen(
        self, image: Image, one: Pass, scale: float, region: Region
    ) -> Candidates:
        """All candidates of a pass, in pixels of the image."""
        return Candidates.joined(
            [
                view.in_picture(_shown_to(self._network, view.shown, one))
                for view in views(image, scale, region)
            ]
        )


def _scale(one: Pass, height: int, width: int) -> float:
    """Shown pixels to a pixel of an image of this size."""
    if math.isinf(one.long_side):
        return 1
    longer = max(height, width)
    # The longer side of a 3:2 picture with as many pixels.
    scale = one.long_side / math.sqrt(1.5 * height * width)
    blocks = max(round(longer * scale / BLOCK), 1)
    return min(blocks * BLOCK / longer, _MAX_SCALE)


def _shown_to(network: Network, shown: Image, one: Pass) -> Candidates:
    """The candidates in what is shown, in its pixels."""
    if one.mirrored:
        shown = cv2.flip(shown, 1)
    turned = np.ascontiguousarray(np.rot90(shown, -one.turned))
    blob = np.asarray(cv2.dnn.blobFromImage(turned, swapRB=True), np.float32)
    candidates = decoded(network(blob), _LEAST)
    for turn in range(one.turned):
        # Each turn back exchanges width and height, beginning with those turned last.
        side = turned.shape[1 - turn % 2]
        candidates = candidates.turned_back(side)
    return candidates.mirrored(shown.shape[1]) if one.mirrored else candidates


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
    sides = np.exp(outputs["538"][0, ::-1, rows, columns]) * _STRIDE
    cells = np.stack((columns, rows), axis=1).astype(np.float32)
    centres = (cells + outputs["539"][0, ::-1, rows, columns] + 0.5) * _STRIDE
    boxes = np.hstack((centres - sides / 2, centres + sides / 2)).astype(np.float32)
    points = outputs["540"][0, :, rows, columns].reshape(-1, 5, 2)[:, :, ::-1]
    points = points * sides[:, None] + boxes[:, None, :2]
    return Candidates(boxes, heat[rows, columns], points)


def _faces(found: Candidates, seen_by: Sequence[Pass]) -> tuple[Face, ...]:
    boxes = np.rint(found.boxes).astype(int).tolist()
    points = found.points.tolist()
    names = {made: f"centerface {made.name}" for made in set(seen_by)}
    return tuple(
        Face(Box(*box), score, _points(of_face), names[made])
        for box, score, of_face, made in zip(
            boxes, found.scores.tolist(), points, seen_by, strict=True
        )
    )


def _points(pairs: list[list[float]]) -> Points:
    first, second, third, fourth, fifth = ((x, y) for x, y in pairs)
    return first, second, third, fourth, fifth
