"""What a method remembers of the faces of a film, from frame to frame.

In a film whatever is drawn at random, chosen or measured belongs to a track
(`Face.track`): what changes from frame to frame flickers, and is averaged away by
whoever has all the frames. In a picture there is nothing to remember.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from faceanon.model import Face

T = TypeVar("T")

# A track that was not seen for so many frames is forgotten: in an hour there are many.
_FORGOTTEN = 250

# What differs by less than this factor counts as the same.
_ALIKE = 1.4

# Of two faces in front of each other the larger is in front; they change places when it
# is the smaller one by this factor.
_SAME_DEPTH = 1.15

# Eyes closer to each other than this share of the face's width are those of a face seen
# from the side, whose line says nothing of how the head is held.
_LEAST_EYES = 0.2


class Past:
    """What is remembered of one track, up to the frame at hand.

    A new one remembers nothing: what is asked of it are the values of the frame at
    hand. A frame may be treated in several parts, and a face more than once in it: all
    is remembered from the frames before, not from this one.

    Attributes:
        step: how many frames ago the one before was; 0 in the first.
    """

    def __init__(self) -> None:
        self.step = 0
        self._frame: int | None = None
        self._before: dict[str, Any] = {}
        self._now: dict[str, Any] = {}

    @property
    def frame(self) -> int | None:
        """The number of the frame at hand."""
        return self._frame

    def begin(self, frame: int | None) -> None:
        """Go on to a frame; all is forgotten if that is an earlier one."""
        if frame is None or frame == self._frame:
            return
        if self._frame is None or frame < self._frame:
            self._now = {}
            self.step = 0
        else:
            self.step = frame - self._frame
        self._frame = frame
        self._before = dict(self._now)

    def recalled(self, what: str) -> Any:
        """A value of the frames before; None where there is none."""
        return self._before.get(what)

    def note(self, what: str, value: T) -> T:
        """Remember a value for the next frame."""
        self._now[what] = value
        return value

    def kept(self, what: str, new: T, fits: Callable[[T], bool]) -> T:
        """The value of the frame before as long as it fits, or a new one."""
        before = self.recalled(what)
        return self.note(what, before if before is not None and fits(before) else new)

    def smoothed(
        self, what: str, new: NDArray[np.floating[Any]], frames: float
    ) -> NDArray[np.floating[Any]]:
        """The exponential moving average of a value that changes from frame to frame.

        Args:
            what: its name.
            new: the value in the frame at hand. If its shape is another than before, or
                nothing is known from before, the average begins anew.
            frames: after so many frames 63 % of a change are done.
        """
        before = self.recalled(what)
        if before is None or before.shape != new.shape:
            return self.note(what, new)
        share = -math.expm1(-self.step / frames)
        moved = before + (new - before) * share
        return self.note(what, np.asarray(moved, new.dtype))


class Tracks:
    """What is remembered of all tracks of a film; nothing of faces without a track."""

    def __init__(self) -> None:
        self._pasts: dict[int, Past] = {}

    def of(self, face: Face) -> Past:
        """What is remembered of a face, in the frame in which it is."""
        if face.track is None:
            return Past()
        past = self._pasts.pop(face.track, None) or Past()
        past.begin(face.frame)
        self._pasts[face.track] = past
        # The one that was not asked for the longest comes first.
        oldest = next(iter(self._pasts))
        seen, now = self._pasts[oldest].frame, past.frame
        if seen is not None and now is not None and now - seen > _FORGOTTEN:
            del self._pasts[oldest]
        return past

    def back_to_front(self, faces: Sequence[Face]) -> list[tuple[Face, Past]]:
        """Faces with what is remembered of them; those in front, the larger, last.

        In a film two faces of about one size keep their order.
        """
        with_past = [(face, self.of(face)) for face in faces]
        return sorted(with_past, key=lambda pair: _depth(*pair))


def _depth(face: Face, past: Past) -> tuple[int, int]:
    width = face.box.width

    def is_near(before: int) -> bool:
        return before < width * _SAME_DEPTH and width < before * _SAME_DEPTH

    kept = past.kept("width", width, is_near)
    return kept, -1 if face.track is None else face.track


def rngs_of_tracks(
    faces: Iterable[Face], rng: np.random.Generator
) -> dict[int, np.random.Generator]:
    """A source of randomness for each track, the same in each frame of a film.

    Args:
        faces: those of a frame. Nothing is drawn where none of them has a track.
        rng: in the same state in each frame.
    """
    tracks = {face.track for face in faces if face.track is not None}
    if not tracks:
        return {}
    drawn = int(rng.integers(2**63))
    return {track: np.random.default_rng([drawn, track]) for track in tracks}


def are_alike(sizes: Sequence[float], others: Sequence[float]) -> bool:
    """Whether each of some sizes differs from the other one by less than 1.4 times."""
    return all(
        one < other * _ALIKE and other < one * _ALIKE
        for one, other in zip(sizes, others, strict=True)
    )


def eye_line(face: Face) -> float | None:
    """How far the line of the eyes is turned, in degrees, clockwise as seen.

    None where that cannot be said: without points, and for a face seen from the side.
    """
    if face.points is None:
        return None
    (left_x, left_y), (right_x, right_y) = face.points[:2]
    dx, dy = right_x - left_x, right_y - left_y
    if math.hypot(dx, dy) < _LEAST_EYES * face.box.width:
        return None
    return math.degrees(math.atan2(dy, dx))


def smooth_turn(past: Past, line: float | None, frames: float) -> float:
    """A turn in degrees that follows a line without jumps.

    Args:
        past: of the track.
        line: where it is to go, in degrees; None where that is not known: it stays.
        frames: see `Past.smoothed`.
    """
    if line is None:
        before = past.recalled("turn")
        toward = np.array([1.0, 0.0]) if before is None else before
    else:
        toward = np.array([math.cos(math.radians(line)), math.sin(math.radians(line))])
    cosine, sine = past.smoothed("turn", toward, frames).tolist()
    return math.degrees(math.atan2(sine, cosine))


def steady_shape(
    past: Past, points: NDArray[np.float32], frames: float
) -> NDArray[np.float32]:
    """Points of a face that do not tremble against each other.

    They are moved, turned and enlarged as those seen, at once, in the sense of least
    squares; only what remains, their shape, is smoothed.

    Args:
        past: of the track.
        points: those seen in the frame at hand, shape (N, 2).
        frames: see `Past.smoothed`.
    """
    seen = points.astype(np.float64) @ (1, 1j)
    middle = seen.mean()
    before = past.recalled("shape")
    held = seen - middle if before is None else before @ (1, 1j)
    turn = np.vdot(held, seen - middle) / max(np.vdot(held, held).real, 1e-9)
    if abs(turn) < 1e-9:
        return points
    shape = (seen - middle) / turn
    calm = past.smoothed("shape", np.column_stack((shape.real, shape.imag)), frames)
    placed = calm @ (1, 1j) * turn + middle
    return np.column_stack((placed.real, placed.imag)).astype(np.float32)
