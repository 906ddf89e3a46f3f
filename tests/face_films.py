"""Films for the tests, made of a still, and what an attacker makes of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.base import Anonymizer, Sample, Treated
from faceanon.model import Box, Cover, Face, Image
from support import ASTRONAUT_FACE, EXAMPLES, five_points, read

WIDTH = 96
"""Of the face in `walk`, in pixels."""

# How far boxes are off, as of a detector, in widths of the face.
_JITTER = 0.015


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A frame, and where its face really is.

    Attributes:
        image: shape (240, 280, 3), BGR, uint8.
        face: with a box that is a little off.
        moved: how far the picture is from that of the first frame, in pixels.
    """

    image: Image
    face: Face
    moved: NDArray[np.float64]


@cache
def walk(count: int = 60, track: int = 0) -> tuple[Shot, ...]:
    """A face that goes through a film in steps of parts of a pixel."""
    rng = np.random.default_rng(7)
    picture = read(EXAMPLES / "astronaut.png")
    scale = WIDTH / ASTRONAUT_FACE.box.width
    steps = rng.normal(0, 0.7, (count, 2)).cumsum(axis=0)
    shots = []
    for number, moved in enumerate(steps - steps[0]):
        place = np.array([[scale, 0, moved[0] - 100], [0, scale, moved[1] - 20]])
        image = cv2.warpAffine(picture, place, (280, 240), flags=cv2.INTER_AREA)
        shift = moved - (100, 20)
        box = ASTRONAUT_FACE.box
        corners = np.array([[box.left, box.top], [box.right, box.bottom]]) * scale
        corners += shift + rng.normal(0, _JITTER * WIDTH, corners.shape)
        (left, top), (right, bottom) = corners.round().astype(int).tolist()
        assert ASTRONAUT_FACE.points is not None
        face = Face(
            Box(left, top, right, bottom),
            0.9,
            five_points(np.array(ASTRONAUT_FACE.points) * scale + shift),
            frame=number,
            track=track,
            tone=(0.35, 0.45, 0.65),
        )
        shots.append(Shot(np.asarray(image), face, moved))
    return tuple(shots)


def film(
    method: Anonymizer,
    frames: Sequence[tuple[Image, Sequence[Face]]],
    cover: Cover | None = None,
    samples: Sequence[int] = (),
) -> Iterator[Treated]:
    """The frames of a film, each with its faces hidden, as the pipeline does it.

    Args:
        method: the plain method.
        frames: in their order.
        cover: the method's own if it is None.
        samples: in which frames the faces are seen best.
    """
    cover = cover or method.default_cover
    tracks: dict[int, list[Sample]] = {}
    for _, faces in frames:
        for face in faces:
            if face.track is not None:
                tracks.setdefault(face.track, [])
    for number in samples:
        image, faces = frames[number]
        for face in faces:
            assert face.track is not None
            others = [other for other in faces if other is not face]
            tracks[face.track].append(Sample(image, face, others))
    in_film = method.for_film(tracks, cover, np.random.default_rng(5))
    for image, faces in frames:
        yield in_film.treat(image, faces, (), cover, np.random.default_rng(5))


def walked(method: Anonymizer, shots: Sequence[Shot]) -> list[Image]:
    """The frames of a walk after a method."""
    frames = [(shot.image, [shot.face]) for shot in shots]
    return [treated.image for treated in film(method, frames)]


def aligned(image: Image, shot: Shot) -> NDArray[np.float64]:
    """The true place of the face in grey, as exactly as an attacker can have it."""
    x, y = ASTRONAUT_FACE.box.middle
    scale = WIDTH / ASTRONAUT_FACE.box.width
    middle = np.array((x, y)) * scale - (100, 20) + shot.moved
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    size = (WIDTH, WIDTH * 5 // 4)
    return cv2.getRectSubPix(grey, size, middle.tolist()).astype(np.float64)


def likeness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The correlation of two pictures of one size, -1 to 1."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
