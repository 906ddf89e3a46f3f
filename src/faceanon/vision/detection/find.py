"""Which faces of a picture are sure enough to be hidden, and which are not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from faceanon.media.picture import Picture
from faceanon.model import Face
from faceanon.vision import detection
from faceanon.vision.detection import DetectorOptions
from faceanon.vision.detection.threshold import Threshold
from faceanon.vision.detection.voting import SAME_FACE

UNSURE_SHARE = 0.5
"""A find of this share of the least score, or more, is worth a look."""


@dataclass(frozen=True, slots=True)
class Found:
    """The faces of one picture, the most certain first.

    Attributes:
        sure: those to hide.
        unsure: what may be faces; not hidden, but worth a look.
    """

    sure: tuple[Face, ...]
    unsure: tuple[Face, ...] = ()


def find_faces(pictures: Sequence[Picture], options: DetectorOptions) -> list[Found]:
    """Find the faces in pictures, in whatever can be seen of them.

    Raises:
        PictureError: one is a damaged JPEG.
    """
    detector = detection.make(options.detector, options.accuracy)
    threshold = detector.threshold
    if options.min_score is not None:
        threshold = Threshold(options.min_score)
    least = min(threshold.score * UNSURE_SHARE, threshold.lowest)
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
