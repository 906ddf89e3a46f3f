"""Covers that are painted from what surrounds them.

A filter weakens what it is laid over, and what is weak can be trained on, imitated or
averaged back. What is painted here never was the face: it comes from the picture around
the cover, which everybody sees anyway, and from a few coarse numbers.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.base import SteadyAnonymizer, Treated, lay_over
from faceanon.anonymizers.tracks import Past, Tracks, eye_line, smooth_turn
from faceanon.model import Box, Cover, Face, Image, is_grey, white

# The ring around a cover from which it is painted, in widths of the face, and the least
# in pixels.
_RING = 0.15
_LEAST_RING = 3

# The tone of a face is the mean of so much of its box, about the middle.
_CORE = 0.5

# Steps of the tone in CIELAB: of its lightness and its two colours. Thirteen tones of
# grey, by far not enough to tell people by.
_LIGHTNESS_STEP = 100 * 22 / 255
_COLOR_STEP = 8.0

# Steps by which the line of the eyes is turned, in degrees. In a film a step is taken
# when the line is so much farther than half a step, and then in about so many frames.
_TURN_STEP = 15
_TURN_LATE = 3
_TURN_FRAMES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """A place where a cover goes, with nothing in it of what was there.

    Attributes:
        surroundings: a part of the picture, shape (h, w, 3), BGR, uint8 or uint16; 0
            where it is not `known`.
        known: which pixels may be used: those outside of all covers, and of all faces
            that stay. Shape (h, w).
        cover: the box of the whole cover, by pixels of the surroundings. It may reach
            over their edge, where the picture ends.
        visible: the part of it that lies in the picture, likewise.
        face: the face's box, likewise; its middle is that of the cover.
        tone: the colour of the face in coarse steps: (blue, green, red), 0 to 1.
        turn: the line of the eyes in coarse steps, in degrees, clockwise as seen; in a
            film it goes slowly from one to the next.
        past: what is remembered of the track.
    """

    surroundings: Image
    known: NDArray[np.bool_]
    cover: Box
    visible: Box
    face: Box
    tone: tuple[float, float, float]
    turn: float
    past: Past = field(default_factory=Past)

    @property
    def is_grey(self) -> bool:
        """Whether there is no colour in it at all."""
        return len(set(self.tone)) == 1 and is_grey(self.surroundings)


class Painter(SteadyAnonymizer):
    """A method that paints a cover over each face, and never sees the face."""

    def affected_box(self, face: Face, cover: Cover) -> Box | None:
        """See `Anonymizer.affected_box`: the cover, and the ring around it."""
        return cover.reach(face).widened(_ring(face))

    @abstractmethod
    def paint(self, hole: Hole, rng: np.random.Generator) -> Image:
        """Paint a cover.

        Args:
            hole: the place.
            rng: the only source of randomness; in a film the same in each frame, and
                another one for each track.

        Returns:
            The visible part of the cover: shape (height, width, 3), with the dtype of
            the surroundings.
        """

    def go_on(
        self,
        image: Image,
        faces: Sequence[Face],
        others: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
        *,
        tracks: Tracks,
    ) -> Treated:
        """Paint a cover over each face; see `SteadyAnonymizer.go_on`."""
        result = image.copy()
        known = np.ones(image.shape[:2], bool)
        shares = {face: cover.share(face, image) for face in faces}
        for face, share in shares.items():
            known[cover.box(face, image).slices] &= share <= 0
        for face in others:
            known[cover.grown(face).clipped(*image.shape[:2]).slices] = False
        drawn = int(rng.integers(2**63))
        # Faces in front are larger, mostly; their covers go on top.
        for number, (face, past) in enumerate(tracks.back_to_front(faces)):
            box = cover.box(face, image)
            if not box.is_empty:
                own = np.random.default_rng([drawn, _variation(face, number)])
                patch = self.paint(_hole(image, known, face, cover, past), own)
                lay_over(result[box.slices], patch, shares[face])
        return Treated(result)


def _variation(face: Face, number: int) -> int:
    """Which of the variations a face gets, of which there is one for each track.

    In an animation without tracks all have the same: in the next frame their order is
    another.
    """
    if face.track is not None:
        return face.track
    return number if face.frame is None else 0


def _hole(
    image: Image, known: NDArray[np.bool_], face: Face, cover: Cover, past: Past
) -> Hole:
    window = cover.reach(face).widened(_ring(face)).clipped(*image.shape[:2])
    usable = known[window.slices]
    right, down = -window.left, -window.top
    return Hole(
        cv2.copyTo(image[window.slices], usable.view(np.uint8)),
        usable,
        cover.reach(face).placed(right=right, down=down),
        cover.box(face, image).placed(right=right, down=down),
        face.box.placed(right=right, down=down),
        _tone(image, face, past),
        _turn(face, past),
        past,
    )


def _ring(face: Face) -> int:
    return max(_LEAST_RING, math.ceil(_RING * face.box.width))


def core_of(box: Box, image: Image) -> Box:
    """The middle of a box, from which a tone is taken; all of it near an edge."""
    core = box.grown(_CORE).clipped(*image.shape[:2])
    return box.clipped(*image.shape[:2]) if core.is_empty else core


def _tone(image: Image, face: Face, past: Past) -> tuple[float, float, float]:
    """The usual colour of the middle of a face, in coarse steps: BGR, 0 to 1."""
    if face.tone is not None:
        return _coarse(np.array(face.tone))
    core = core_of(face.box, image)
    tone = _coarse(np.array(cv2.mean(image[core.slices])[:3]) / white(image))
    # A face at the border between two tones would go to and fro.
    return past.kept("tone", tone, lambda _: True)


def _coarse(tone: NDArray[np.float64]) -> tuple[float, float, float]:
    lab = cv2.cvtColor(tone.astype(np.float32)[None, None], cv2.COLOR_BGR2LAB)[0, 0]
    steps = np.array([_LIGHTNESS_STEP, _COLOR_STEP, _COLOR_STEP])
    coarse = (lab / steps).round() * steps
    coarse[0] = min(coarse[0], 100)
    lab = coarse.astype(np.float32)[None, None]
    tone = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR)[0, 0]).clip(0, 1)
    if not coarse[1:].any():
        # Grey to the last bit: a grey picture stays one.
        tone = np.full(3, tone.mean())
    blue, green, red = tone.tolist()
    return blue, green, red


def coarse_turn(face: Face) -> int:
    """How far the line of the eyes is turned, in steps: degrees, clockwise as seen.

    0 where that cannot be said.
    """
    line = eye_line(face)
    return 0 if line is None else round(line / _TURN_STEP) * _TURN_STEP


def _turn(face: Face, past: Past) -> float:
    """See `Hole.turn`."""
    if face.track is None:
        return coarse_turn(face)
    line = eye_line(face)

    def is_near(step: int) -> bool:
        away = 0.0 if line is None else abs((line - step + 180) % 360 - 180)
        return away <= _TURN_STEP / 2 + _TURN_LATE

    step = past.kept("step", coarse_turn(face), is_near)
    return smooth_turn(past, step, _TURN_FRAMES)


def rotation(degrees: float) -> NDArray[np.float64]:
    """The rotation by so much, clockwise as seen: shape (2, 2), for columns (x, y)."""
    turn = math.radians(degrees)
    cosine, sine = math.cos(turn), math.sin(turn)
    return np.array([[cosine, -sine], [sine, cosine]])
