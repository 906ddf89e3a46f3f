"""Faces that are found in one frame are hidden in those around it, too.

A detector loses a face for a frame now and then. In a video that is enough to see it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from faceanon.model import Face

REACH = 2
"""In so many frames before and after, a face is hidden at its place."""

# The overlap (intersection over union) from which on a face in another frame is the
# same, so that only the one that was found there is hidden.
_SAME_FACE = 0.5

T = TypeVar("T")


def with_neighbours(
    frames: Iterable[T], find: Callable[[T], Sequence[Face]], reach: int = REACH
) -> Iterator[tuple[T, tuple[Face, ...]]]:
    """Each frame with its faces and those of its neighbours.

    No more than twice `reach` and one frames are held at a time.

    Args:
        frames: in their order.
        find: finds the faces of a frame; called once for each.
        reach: how many frames before and after count.

    Yields:
        A frame, its own faces, and then those of others that it has not.
    """
    window: deque[tuple[T, Sequence[Face]]] = deque()
    position = 0
    for frame in frames:
        window.append((frame, find(frame)))
        if len(window) > position + reach:
            yield _merged(window, position, reach)
            position += 1
        if position > reach:
            window.popleft()
            position -= 1
    while position < len(window):
        yield _merged(window, position, reach)
        position += 1


def _merged(
    window: Sequence[tuple[T, Sequence[Face]]], position: int, reach: int
) -> tuple[T, tuple[Face, ...]]:
    frame, own = window[position]
    faces = list(own)
    start = max(position - reach, 0)
    others = [faces_ for _, faces_ in list(window)[start : position + reach + 1]]
    # The nearest first: of a face that moves, its nearest place.
    for neighbour in sorted(
        range(len(others)), key=lambda index: abs(start + index - position)
    ):
        faces += [
            replace(face, found_by="neighbour")
            for face in others[neighbour]
            if start + neighbour != position
            and all(face.box.overlap(known.box) < _SAME_FACE for known in faces)
        ]
    return frame, tuple(faces)
