"""Which frames of a film need no look of their own."""

from collections.abc import Sequence

from faceanon.model import Face

# The rate at which faces are looked for where nothing happens, in looks a second.
_LOOKS = 10

# Finds scored so high may be a face: in a steady run, they are one (see `linking`).
_CERTAIN = 0.18


def stride(frames_per_second: float) -> int:
    """Every which frame is looked at in calm stretches.

    >>> stride(30), stride(25), stride(12)
    (3, 2, 1)
    """
    return max(round(frames_per_second / _LOOKS), 1)


def is_calm(
    before: Sequence[Face], after: Sequence[Face], moved: tuple[float, float]
) -> bool:
    """Whether the frames between two looks need no look of their own.

    They need one where a certain face begins, ends, or moves by more than half its
    size against the scene.

    Args:
        before: all finds of the one frame, weak ones too.
        after: those of the other.
        moved: by how much the scene moved in between, in pixels to the right and down.
    """
    right, down = moved
    return _all_stay(before, after, right, down) and _all_stay(
        after, before, -right, -down
    )


def _all_stay(
    faces: Sequence[Face], others: Sequence[Face], right: float, down: float
) -> bool:
    return all(
        any(_is_near(face, other, right, down) for other in others)
        for face in faces
        if face.score >= _CERTAIN
    )


def _is_near(face: Face, other: Face, right: float, down: float) -> bool:
    (x, y), (other_x, other_y) = face.box.middle, other.box.middle
    width, height = face.box.width, face.box.height
    return (
        abs(x + right - other_x) < width / 2
        and abs(y + down - other_y) < height / 2
        and width / 2 < other.box.width < width * 2
    )
