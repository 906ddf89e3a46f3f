"""Which faces of a picture are sure enough to be hidden, and which are not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import cv2
import numpy as np

from faceanon.media.picture import Picture
from faceanon.model import Face, Image
from faceanon.vision import detection
from faceanon.vision.detection import DetectorOptions
from faceanon.vision.detection.threshold import Threshold
from faceanon.vision.detection.voting import SAME_FACE
from faceanon.vision.template import fit_a_face

UNSURE_SHARE = 0.5
"""A find of this share of the least score, or more, is worth a look."""

# What is nearly sure enough to be hidden, as a share of the least score, and so large
# that somebody could be recognised, in pixels.
_NEARLY, _RECOGNISABLE = 0.9, 40

# Faces before another are looked for in those of this width and more, in pixels, shown
# with this as the longer side.
_LEAST_WHOLE, _WHOLE_SIDE = 40, 640

# What is before a face is at most as wide as this share of it; larger ones are mostly a
# second find of the same face, and those that are none are seen without a second look.
# This share of it, at least, is in the face's box.
_LARGEST_BEFORE, _BEFORE = 0.48, 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """The faces of one picture, the most certain first.

    Attributes:
        sure: those to hide.
        unsure: what may be faces; not hidden, but worth a look.
    """

    sure: tuple[Face, ...]
    unsure: tuple[Face, ...] = ()


def find_faces(
    pictures: Sequence[Picture], options: DetectorOptions, weakest: float = 1.0
) -> list[Found]:
    """Find the faces in pictures, in whatever can be seen of them.

    Args:
        pictures: what to look at.
        options: how.
        weakest: what is unsure is told down to this score, at least.

    Raises:
        PictureError: one is a damaged JPEG.
    """
    detector = detection.make(options.detector, options.accuracy)
    threshold = _threshold(options)
    least = min(threshold.score * UNSURE_SHARE, threshold.lowest, weakest)
    scaled = [
        picture.scaled_looks(detector.scale(*picture.shape)) for picture in pictures
    ]
    images = [look for looks, _ in scaled for look in looks]
    in_looks = iter(detector(images, least))
    found = []
    for looks, factor in scaled:
        faces = _united([next(in_looks) for _ in looks])
        if factor > 1:
            faces = [face.placed(factor) for face in faces]
        found.append(Found(*threshold.split(faces)))
    return found


def has_near_miss(unsure: Sequence[Face], options: DetectorOptions) -> bool:
    """Whether something is nearly sure enough to be hidden, and large.

    Args:
        unsure: what is not sure enough.
        options: how it was found.
    """
    threshold = _threshold(options)
    return any(
        min(face.box.width, face.box.height) >= _RECOGNISABLE
        and face.score >= _NEARLY * threshold.of(face.box)
        for face in unsure
    )


def _threshold(options: DetectorOptions) -> Threshold:
    if options.min_score is not None:
        return Threshold(options.min_score)
    return detection.make(options.detector, options.accuracy).threshold


def faces_before(
    image: Image, shown: Sequence[Face], options: DetectorOptions
) -> list[Face]:
    """Find faces before larger ones: a child held to a cheek, a card with a portrait.

    Beside a large face the network hardly sees a small one. So each is shown to it once
    more by itself, larger. In 284 views of faces with nothing before them it saw none.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        shown: the larger faces.
        options: how faces are looked for.
    """
    wholes = [face for face in shown if face.box.width >= _LEAST_WHOLE]
    regions = [face.box.grown(1.2).clipped(*image.shape[:2]) for face in wholes]
    scales = [_WHOLE_SIDE / max(region.width, region.height) for region in regions]
    views = [
        cv2.resize(
            image[region.slices],
            None,
            fx=scale,
            fy=scale,
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        )
        for region, scale in zip(regions, scales, strict=True)
    ]
    detector = detection.make(options.detector, options.accuracy)
    found: list[Face] = []
    for whole, region, scale, seen in zip(
        wholes, regions, scales, detector(views, options.min_score), strict=True
    ):
        for face in seen:
            placed = face.placed(1 / scale, region.left, region.top)
            if _is_before(placed, whole):
                found.append(replace(placed, found_by=f"{face.found_by} in a face"))
    return found


def _is_before(face: Face, whole: Face) -> bool:
    """Whether what was found in a face is another one, not a part of it."""
    return (
        face.points is not None
        and face.box.width <= _LARGEST_BEFORE * whole.box.width
        and face.box.shared(whole.box) >= _BEFORE * face.box.width * face.box.height
        and bool(fit_a_face(np.array([face.points]))[0])
    )


def is_same(one: Face, other: Face) -> bool:
    """Whether two finds are one face."""
    return one.box.overlap(other.box) >= SAME_FACE


def is_among(face: Face, others: Iterable[Face]) -> bool:
    """Whether one of several finds is this face."""
    return any(is_same(face, other) for other in others)


def _united(in_looks: Sequence[Sequence[Face]]) -> list[Face]:
    """The faces of all looks of a picture, each once, the most certain first."""
    first, *others = in_looks
    kept = list(first)
    for face in sorted(chain(*others), key=_certainty, reverse=True):
        same = [other for other in kept if is_same(face, other)]
        if all(face.score > other.score for other in same):
            kept = [other for other in kept if other not in same] + [face]
    return sorted(kept, key=_certainty, reverse=True)


def _certainty(face: Face) -> float:
    return face.score
