"""Faces that are found in one frame are hidden in those around it, too.

A detector loses a face for a frame now and then. In a film that is enough to see it.
"""

from collections.abc import Sequence
from dataclasses import replace

from faceanon.model import Face

NEIGHBOUR_FRAMES = 2
"""In so many frames before and after, a face is hidden at its place."""

FOUND_BY = "neighbour"
"""What has found a face that was found in another frame."""

# The overlap (intersection over union) from which on a face in another frame is the
# same, so that only the one that was found there is hidden.
_SAME_FACE = 0.5


def neighbours_of(
    found: Sequence[Sequence[Face]], frame: int, known: Sequence[Face]
) -> list[Face]:
    """The faces of the frames around one that it has not itself.

    Args:
        found: those of each frame.
        frame: the number of the frame.
        known: what is decided on it already: nothing is added at these places.
    """
    known = list(known)
    added = []
    # The nearest first: of a face that moves, its nearest place.
    for distance in range(1, NEIGHBOUR_FRAMES + 1):
        for other in (frame - distance, frame + distance):
            if 0 <= other < len(found):
                for face in found[other]:
                    if all(face.box.overlap(each.box) < _SAME_FACE for each in known):
                        neighbour = replace(face, found_by=FOUND_BY, frame=frame)
                        known.append(neighbour)
                        added.append(neighbour)
    return added
