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
from faceanon.vision.detection import turned
from faceanon.vision.detection.candidates import Candidates, Floats, sizes
from faceanon.vision.detection.levels import LEVELS, Accuracy, Level, ScalePass
from faceanon.vision.detection.tiles import (
    BLOCK,
    Region,
    cut_out,
    regions_around,
    tiles,
)
from faceanon.vision.detection.voting import PassResult, voted
from faceanon.vision.inference import Inference, Network, Tensor, load, run_together

# Cells of the heat map below this are not looked at.
_LEAST = 0.05

# Input pixels to a cell of the heat map.
_STRIDE = 4

# No picture is enlarged more than this: there is nothing more to see.
_MAX_SCALE = 2.0

# How far around hints of small faces the picture is shown, in pixels of the first pass.
_HINT_MARGIN = 48

# How far around hints a large picture is shown, in its own pixels.
_LARGE_MARGIN = 64

# So many pixels are one million.
_MEGA = 1 << 20

# From this score on, no further passes are made to find a first face.
_CERTAIN = 0.5


def make(accuracy: Accuracy) -> "CenterFace":
    """Make the detector; see `faceanon.vision.detection.make`."""
    return CenterFace(load("centerface.onnx"), LEVELS[accuracy])


class CenterFace:
    """The detector: a network and the passes it makes over a picture."""

    def __init__(self, network: Network, level: Level) -> None:
        self.threshold = level.threshold
        self.batch = network.batch
        self._network = network
        self._level = level

    def scale(self, height: int, width: int) -> float:
        """The scale of the largest pass; see `faceanon.vision.detection.Detector`."""
        level = self._level
        passes = (level.first, *level.others, *level.if_uncertain)
        return self._largest_scale(passes, height, width)

    def smallest_face(self, height: int, width: int) -> int:
        """See `faceanon.vision.detection.Detector`."""
        passes = (self._level.first, *self._level.others)
        everywhere = [one for one in passes if one.everywhere]
        shown = self._largest_scale(everywhere, height, width)
        return math.ceil(self._level.visible / shown)

    def __call__(
        self, images: Sequence[Image], min_score: float | None = None
    ) -> list[tuple[Face, ...]]:
        """Find the faces in images; see `faceanon.vision.detection.Detector`."""
        least = self.threshold.lowest if min_score is None else min_score
        found = run_together(
            self._network, [self._search(image, least) for image in images]
        )
        if min_score is None:
            found = [self.threshold.split(faces)[0] for faces in found]
        return found

    def _search(self, image: Image, least: float) -> Inference[tuple[Face, ...]]:
        """The passes over one image."""
        level = self._level
        whole = Region(0, 0, image.shape[1], image.shape[0])
        is_large = self._is_large(*image.shape[:2])
        result, hints, doubts = yield from self._pass(image, level.first, whole)
        results, all_doubts = [result], [doubts]
        for one in level.others:
            if one.everywhere and (is_large or not one.large_only):
                result, more_hints, doubts = yield from self._pass(image, one, whole)
                results.append(result)
                all_doubts.append(doubts)
                if is_large:
                    hints = np.concatenate((hints, more_hints))
        for region in self._regions(image, hints):
            for one in level.others:
                if not one.everywhere:
                    result, _, _ = yield from self._pass(image, one, region)
                    results.append(result)
        # What the passes are does not depend on the score that is asked for.
        floor = min(least, _CERTAIN)
        found, seen_by = voted(results, floor)
        if found.scores.max(initial=0) < _CERTAIN:
            for one in level.if_uncertain:
                result, _, _ = yield from self._pass(image, one, whole)
                results.append(result)
            found, seen_by = voted(results, floor)
        names = [results[index].made.name for index in seen_by]
        found, names = yield from self._with_turned(
            image, found, names, all_doubts, floor
        )
        order = np.argsort(-found.scores, kind="stable")
        order = order[found.scores[order] >= least]
        return _faces(found[order], [names[index] for index in order])

    def _with_turned(
        self,
        image: Image,
        found: Candidates,
        names: list[str],
        doubts: Sequence[turned.Hints],
        least: float,
    ) -> Inference[tuple[Candidates, list[str]]]:
        """Look turned at the best hints, and join what is seen to what was found.

        Args:
            image: the picture.
            found: the faces found upright.
            names: of each, what saw it best.
            doubts: what may be turned faces.
            least: the least score of what joins.

        Returns:
            The faces, and of each what saw it best.
        """
        level = self._level
        most = level.most_turned * math.ceil(image.shape[0] * image.shape[1] / _MEGA)
        squares = turned.squares(doubts, found, most)
        for quarters in turned.TURNS if squares else ():
            seen = []
            for square in squares:
                seen.append((yield from _seen_in(image, square, quarters)))
            more = turned.faces(Candidates.joined(seen), least)
            stay, join = turned.reconciled(found, more)
            names = [name for name, stays in zip(names, stay, strict=True) if stays]
            names += [f"turned {90 * quarters}"] * int(join.sum())
            found = Candidates.joined([found[stay], more[join]])
        return found, names

    def _pass(
        self, image: Image, one: ScalePass, region: Region
    ) -> Inference[tuple[PassResult, Floats, turned.Hints]]:
        """What a pass finds, and its hints.

        Returns:
            The result; hints at small faces, boxes of shape (N, 4); and hints at faces
            that are turned.
        """
        level = self._level
        scale = self._scale(one, *image.shape[:2])
        seen = yield from _seen(image, one, scale, region)
        small = sizes(seen.boxes) * scale < level.hint_size
        hints = seen.boxes[small & (seen.scores >= level.hint_score)]
        doubts = turned.Hints.of(seen, scale, level.turned_score)
        return PassResult.of(one, scale, region, seen), hints, doubts

    def _regions(self, image: Image, hints: Floats) -> list[Region]:
        """Where the picture is looked at again for small faces."""
        if not len(hints):
            return []
        if self._is_large(*image.shape[:2]):
            return regions_around(hints, _LARGE_MARGIN)
        scale = self._scale(self._level.first, *image.shape[:2])
        return [Region.around(hints, _HINT_MARGIN / scale)]

    def _largest_scale(
        self, passes: Sequence[ScalePass], height: int, width: int
    ) -> float:
        """The largest scale at which one of the passes shows an image of this size."""
        is_large = self._is_large(height, width)
        return max(
            self._scale(one, height, width)
            for one in passes
            if is_large or not one.large_only
        )

    def _scale(self, one: ScalePass, height: int, width: int) -> float:
        """Shown pixels to a pixel of an image of this size."""
        if math.isinf(one.long_side):
            return 1
        longer = max(height, width)
        # The longer side of a 3:2 picture with as many pixels.
        scale = one.long_side / math.sqrt(1.5 * height * width)
        if self._is_large(height, width) and scale < one.least_scale:
            return one.least_scale
        blocks = max(round(longer * scale / BLOCK), 1)
        return min(blocks * BLOCK / longer, _MAX_SCALE)

    def _is_large(self, height: int, width: int) -> bool:
        """Whether small faces do not appear in the first pass over such an image."""
        return height * width > self._level.large


def _seen(
    image: Image, one: ScalePass, scale: float, region: Region
) -> Inference[Candidates]:
    """All candidates of a pass, in pixels of the image."""
    found = []
    for tile in tiles(image, scale, region):
        turned = _turned(tile.pixels, one)
        blob = np.asarray(cv2.dnn.blobFromImage(turned, swapRB=True), np.float32)
        candidates = decoded((yield blob), _LEAST)
        candidates = _turned_back(candidates, one, turned.shape[:2])
        found.append(tile.in_picture(candidates))
    return Candidates.joined(found)


def _seen_in(
    image: Image, square: turned.Square, quarters: int
) -> Inference[Candidates]:
    """All candidates of a square that is shown turned, in pixels of the image."""
    tile = cut_out(image, square.scale, square.region)
    shown = np.ascontiguousarray(np.rot90(tile.pixels, -quarters))
    blob = np.asarray(cv2.dnn.blobFromImage(shown, swapRB=True), np.float32)
    candidates = turned.plausible(decoded((yield blob), _LEAST))
    return tile.in_picture(_upright(candidates, quarters, shown.shape[:2]))


def _turned(pixels: Image, one: ScalePass) -> Image:
    """A tile as a pass shows it to the network."""
    if one.mirrored:
        pixels = cv2.flip(pixels, 1)
    return np.ascontiguousarray(np.rot90(pixels, -one.turned))


def _turned_back(
    candidates: Candidates, one: ScalePass, shape: tuple[int, ...]
) -> Candidates:
    """Candidates in what a pass has shown, in pixels of the tile."""
    upright = _upright(candidates, one.turned, shape)
    return upright.mirrored(shape[1 - one.turned % 2]) if one.mirrored else upright


def _upright(
    candidates: Candidates, quarters: int, shape: tuple[int, ...]
) -> Candidates:
    """Candidates in what was turned clockwise by quarters, where they lay before."""
    height, width = shape
    for _ in range(quarters):
        candidates = candidates.turned_back(width)
        height, width = width, height
    return candidates


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


def _faces(found: Candidates, seen_by: Sequence[str]) -> tuple[Face, ...]:
    """Candidates as faces, with the name of what saw each best."""
    boxes = np.rint(found.boxes).astype(int).tolist()
    points = found.points.tolist()
    return tuple(
        Face(Box(*box), score, _points(of_face), f"centerface {name}")
        for box, score, of_face, name in zip(
            boxes, found.scores.tolist(), points, seen_by, strict=True
        )
    )


def _points(pairs: list[list[float]]) -> Points:
    first, second, third, fourth, fifth = ((x, y) for x, y in pairs)
    return first, second, third, fourth, fifth
