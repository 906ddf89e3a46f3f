"""Put stickers on faces."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers import stickers
from faceanon.anonymizers.base import SteadyAnonymizer, Treated
from faceanon.anonymizers.painter import coarse_turn, rotation
from faceanon.anonymizers.stickers import Sticker
from faceanon.anonymizers.tracks import (
    Past,
    Tracks,
    eye_line,
    rngs_of_tracks,
    smooth_turn,
)
from faceanon.errors import OptionError
from faceanon.model import Box, Cover, Face, Image, Point, is_grey, white
from faceanon.options import option

# The disc is this much larger than what it covers, in pixels of the picture: its edge
# is smooth, and it must be opaque where the cover ends.
_MARGIN = 1.5

# The disc holds at least the ellipse in this cover, which is larger than the box of a
# small face by more, as that is less exact.
_LEAST_COVER = Cover(1.2)

# A sticker's size says how large the face is, and its turn how the head is held, so
# that people can be compared. Both vary at random: by this factor at most, and by so
# many degrees to either side.
_LARGER = 1.15
_TURNED = 15.0

# In a film a sticker changes its size and its turn in about so many frames. It is
# larger than it must be by the first of these factors, so that it need not follow each
# frame, and by no more than the second.
_CALM_FRAMES = 5.0
_ROOM, _MOST_ROOM = 1.03, 1.1

# So many emoji, the last by name, are for faces that cannot be told where the others
# are for people: a random one must not be taken for somebody's.
_FOR_UNKNOWN = 4

# A sticker is pasted in strips of so many pixels, as it may be larger than the picture
# needs memory for otherwise.
_STRIP_PIXELS = 1 << 20


@dataclass(frozen=True)
class Emoji(SteadyAnonymizer):
    """Put an emoji on each face, large enough to hide all of it.

    Nothing of the face is left in the picture. All faces get the same emoji, or random
    ones, which say nothing about the person unless --consistent is given.
    """

    # The disc around a box reaches well beyond it; grown as much as a rectangle has to
    # be, it would hide the neighbours too.
    default_cover: ClassVar[Cover] = Cover(grow=1.1)

    emoji: str | None = option(
        None,
        "An emoji, its name in --list, or a PNG file of your own with a transparent "
        "background. Give several with commas between, or 'mixed', and each face gets "
        "a random one.",
        parse=stickers.parse,
        metavar="EMOJI|FILE",
        default_text="smile, or mixed with --consistent",
    )
    consistent: bool = option(
        False,
        "Give the same person the same emoji in all pictures, as far as people can be "
        "told apart. It shows who is the same person: to know somebody in one picture "
        "is to know them in all. The pictures are looked at twice.",
    )

    def __post_init__(self) -> None:
        """Check the options; see `Anonymizer`."""
        super().__post_init__()
        if self.consistent and self.emoji not in (None, stickers.MIXED):
            raise OptionError(
                "people are told apart by all the emoji that there are; leave out "
                "--emoji or --consistent"
            )

    def cautions(self) -> tuple[str, ...]:
        """Say what it gives away that people keep their emoji."""
        if not self.consistent:
            return ()
        return (
            "--consistent shows who is the same person in all pictures; who knows "
            "somebody in one of them knows them in all",
        )

    def content(self) -> bytes:
        """See `Anonymizer.content`: the user's own stickers."""
        return stickers.content(stickers.parse(self._choice))

    @property
    def pseudonyms(self) -> int:
        """See `Anonymizer.pseudonyms`; the others are for those who cannot be told."""
        return len(stickers.CHARACTERS) - _FOR_UNKNOWN if self.consistent else 0

    @classmethod
    def catalogue(cls) -> tuple[str, ...]:
        """The emoji that come with faceanon: name, then character."""
        width = max(map(len, stickers.CHARACTERS))
        return tuple(
            f"{name:{width}}  {character}"
            for name, character in stickers.CHARACTERS.items()
        )

    @property
    def _choice(self) -> str:
        return self.emoji or (stickers.MIXED if self.consistent else "smile")

    def affected_box(self, face: Face, cover: Cover) -> Box | None:
        """See `Anonymizer.affected_box`."""
        reach = stickers.FARTHEST
        if self._choice != stickers.MIXED:  # all of which would have to be loaded
            names = stickers.parse(self._choice)
            reach = max(stickers.load(name).reach for name in names)
        larger = _LARGER if face.track is None else _LARGER * _MOST_ROOM
        return _around(face.box.middle, larger * _radius(face, cover) * reach)

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
        """Put a sticker on each face; see `SteadyAnonymizer.go_on`."""
        result = image.copy()
        names = stickers.parse(self._choice)
        of_tracks = rngs_of_tracks(faces, rng)
        # In an animation without tracks the faces come in another order in each frame.
        of_frame = rng.uniform(size=2)
        number_of_frame = int(rng.integers(self.pseudonyms, len(names)))
        # Faces in front are larger, mostly; their stickers go on top.
        for face, past in tracks.back_to_front(faces):
            own = rng if face.track is None else of_tracks[face.track]
            # Drawn also where it is not needed: whether somebody can be told in a frame
            # must not change what the others wear.
            number = int(own.integers(self.pseudonyms, len(names)))
            size, turn = own.uniform(size=2)
            if face.frame is not None and face.track is None:
                number, (size, turn) = number_of_frame, of_frame
            if self.consistent and face.pseudonym is not None:
                number = face.pseudonym
            sticker = stickers.load(names[number])
            if self.consistent:  # whose emoji are many, and the same in each run
                size, turn = 0.0, 0.5
            least = _radius(face, cover) * (1 + (_LARGER - 1) * size)
            radius, degrees = _held(face, least, past)
            degrees += _TURNED * (2 * turn - 1)
            region = _around(face.box.middle, radius * sticker.reach)
            strips = list(_strips(region.clipped(*image.shape[:2])))
            # A yellow face in an old photograph would be all that anybody sees. A film
            # that begins in black has colours later.
            grey = all(is_grey(image[strip.slices]) for strip in strips)
            if past.kept("grey", grey, lambda before: not before):
                sticker = stickers.in_grey(sticker)
            _paste(result, strips, sticker, face.box.middle, (radius, degrees))
        return Treated(result)


def _held(face: Face, least: float, past: Past) -> tuple[float, float]:
    """The radius of a sticker in pixels, at least so large, and its turn in degrees."""
    if face.track is None:
        return least, coarse_turn(face)
    calm = float(past.smoothed("radius", np.array(least), _CALM_FRAMES))
    radius = min(max(calm * _ROOM, least), least * _MOST_ROOM)
    return radius, smooth_turn(past, eye_line(face), _CALM_FRAMES)


def _paste(
    image: Image,
    strips: Sequence[Box],
    sticker: Sticker,
    centre: Point,
    held: tuple[float, float],
) -> None:
    """Put a sticker into strips of the image, held so large and so turned."""
    radius, degrees = held
    scale = radius / sticker.radius
    level = min(max(0, math.floor(-math.log2(scale))), len(sticker.levels) - 1)
    pixels = sticker.levels[level]
    turn = rotation(degrees) * scale
    to_full = np.array(sticker.levels[0].shape[1::-1]) / pixels.shape[1::-1]
    linear = turn * to_full
    offset = centre - turn @ np.array(sticker.centre)
    for strip in strips:
        # Pixel centres have whole coordinates in OpenCV; those of Point lie at a half.
        shift = linear @ (0.5, 0.5) + offset - (strip.left + 0.5, strip.top + 0.5)
        drawn = cv2.warpAffine(
            pixels,
            np.column_stack((linear, shift)),
            (strip.width, strip.height),
            flags=cv2.INTER_LINEAR,
        )
        disc = _disc(strip, centre, radius)
        _blend(image[strip.slices], _on_disc(drawn, sticker, disc))


def _radius(face: Face, cover: Cover) -> float:
    """The least radius of a disc that holds the cover of a face, in pixels."""
    grown, least = cover.grown(face), _LEAST_COVER.grown(face)
    diagonal = math.hypot(grown.width, grown.height)
    return max(diagonal, least.width, least.height) / 2 + _MARGIN


def _around(centre: Point, reach: float) -> Box:
    """The box that holds what reaches so far from a point, and its soft edge."""
    reach += 1
    return Box(
        math.floor(centre[0] - reach),
        math.floor(centre[1] - reach),
        math.ceil(centre[0] + reach),
        math.ceil(centre[1] + reach),
    )


def _strips(region: Box) -> Iterator[Box]:
    """A region from top to bottom, in parts that do not take much memory."""
    if region.is_empty:
        return
    rows = max(1, _STRIP_PIXELS // region.width)
    for top in range(region.top, region.bottom, rows):
        bottom = min(top + rows, region.bottom)
        yield Box(region.left, top, region.right, bottom)


def _disc(strip: Box, centre: Point, radius: float) -> NDArray[np.uint8]:
    """How far the disc covers each pixel of a strip: shape (h, w), 255 for wholly.

    It is opaque up to a pixel from its edge.
    """
    x = np.arange(strip.left, strip.right) + 0.5 - centre[0]
    y = np.arange(strip.top, strip.bottom) + 0.5 - centre[1]
    distance = np.sqrt((x * x)[None, :] + (y * y)[:, None])
    shares = (radius - distance).clip(0, 1)
    return np.asarray((shares * 255).round(), np.uint8)


def _on_disc(drawn: Image, sticker: Sticker, disc: NDArray[np.uint8]) -> Image:
    """A drawn sticker, BGRA multiplied by alpha, with a disc of its colour behind it.

    Whatever the sticker's alpha, nothing of the face shines through.
    """
    seen = cv2.multiply(disc, 255 - drawn[:, :, 3], scale=1 / 255)
    shares = [part / 255 for part in sticker.color]
    behind = [cv2.convertScaleAbs(seen, alpha=share) for share in (*shares, 1)]
    return cv2.add(drawn, cv2.merge(behind))


def _blend(under: Image, drawn: Image) -> None:
    """Put what is drawn, BGRA multiplied by alpha, onto the pixels under it."""
    paint = drawn.astype(under.dtype) * (white(under) // 255)
    share = cv2.merge([white(under) - paint[:, :, 3]] * 3)
    behind = cv2.multiply(under, share, scale=1 / white(under))
    # Where there is nothing of the sticker, pixels come out as they were.
    under[:] = cv2.add(cv2.cvtColor(paint, cv2.COLOR_BGRA2BGR), behind)
