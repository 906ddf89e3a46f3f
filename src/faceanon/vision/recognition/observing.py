"""Clear faces, by which people are told apart all over a run."""

from faceanon.model import Face, Image
from faceanon.vision.recognition.identities import Observation
from faceanon.vision.recognition.quality import PROBE, assess

# Places in a picture are told by so many parts of its width and height: few faces pass
# from one to another where boxes are a pixel off, as on another processor. An odd
# number, so that no border runs through the middle, where portraits have theirs.
_PARTS = 7


def observe(image: Image, face: Face) -> Observation | None:
    """What tells whose face it is; None where it is not clear enough.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        face: in the image.
    """
    assessed = assess(image, face, PROBE)
    if assessed.problem or assessed.embedding is None:
        return None
    return Observation(_place(image, face), assessed.embedding)


def _place(image: Image, face: Face) -> tuple[int, int]:
    """See `Observation.place`."""
    height, width = image.shape[:2]
    x, y = (face.box.left + face.box.right) / 2, (face.box.top + face.box.bottom) / 2
    column, row = int(_PARTS * x / width), int(_PARTS * y / height)
    return min(max(column, 0), _PARTS - 1), min(max(row, 0), _PARTS - 1)
