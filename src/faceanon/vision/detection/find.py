"""Which faces of a picture are sure enough to be hidden, and which are not."""

from dataclasses import dataclass

from faceanon.media.picture import Picture
from faceanon.model import Face
from faceanon.settings import Settings
from faceanon.vision import detection as detectors
from faceanon.vision.recognition.identities import Sight

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
        shown: those not to hide, by who they are.
        sights: the clear ones of those to hide, where people are told apart.
    """

    sure: tuple[Face, ...]
    unsure: tuple[Face, ...] = ()
    shown: tuple[Face, ...] = ()
    sights: tuple[Sight, ...] = ()


def find_faces(picture: Picture, settings: Settings) -> Found:
    """Find the faces in a picture."""
    detector = detectors.make(settings.detector, settings.accuracy)
    least = detector.min_score if settings.min_score is None else settings.min_score
    image, factor = picture.shown(detector.scale(*picture.shape))
    faces = detector(image, least * UNSURE_SHARE)
    if factor > 1:
        faces = tuple(face.placed(factor) for face in faces)
    return Found(
        tuple(face for face in faces if face.score >= least),
        tuple(face for face in faces if face.score < least),
    )
