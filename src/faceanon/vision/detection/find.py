"""Which faces of a picture are sure enough to be hidden, and which are not."""

from collections.abc import Sequence
from dataclasses import dataclass

from faceanon.media.picture import Picture
from faceanon.model import Face
from faceanon.vision import detection
from faceanon.vision.detection import DetectorOptions

UNSURE_SHARE = 0.5
"""A find of this share of the least score, or more, is worth a look."""

SAME_FACE = 0.4
"""The overlap (intersection over union) from which on two boxes are one face."""


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
    """Find the faces in pictures.

    Raises:
        PictureError: one is a damaged JPEG.
    """
    detector = detection.make(options.detector, options.accuracy)
    least = detector.min_score if options.min_score is None else options.min_score
    scaled = [picture.scaled(detector.scale(*picture.shape)) for picture in pictures]
    found = []
    for faces, (_, factor) in zip(
        detector([image for image, _ in scaled], least * UNSURE_SHARE),
        scaled,
        strict=True,
    ):
        if factor > 1:
            faces = tuple(face.placed(factor) for face in faces)  # noqa: PLW2901
        found.append(
            Found(
                tuple(face for face in faces if face.score >= least),
                tuple(face for face in faces if face.score < least),
            )
        )
    return found
