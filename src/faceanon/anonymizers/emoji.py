"""Put stickers on faces."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers import stickers
from faceanon.anonymizers.base import Anonymizer
from faceanon.anonymizers.stickers import Sticker
from faceanon.errors import OptionError
from faceanon.model import Box, Cover, Face, Image, Point, white
from faceanon.options import option

# The disc is this much larger than what it covers, in pixels of the picture: its edge
# is smooth, and it must be opaque where the cover ends.
_MARGIN = 1.5

# Eyes closer to each other than this share of the face's width are those of a face seen
# from the side, whose line says nothing of how the head is held.
_LEAST_EYES = 0.2

# So many emoji, the last by name, are for faces that cannot be told where the others
# are for people: a random one must not be taken for somebody's.
_FOR_UNKNOWN = 4

# A sticker is pasted in strips of so many pixels, as it may be larger than the picture
# needs memory for otherwise.
_STRIP_PIXELS = 1 << 20


@dataclass(frozen=True)
class Emoji(Anonymizer):
    """Put an emoji on each face, large enough to hide all of it.

    Nothing of the face is left in the picture. Which emoji a face gets is random and
    says nothing about the person, unless --consistent is given.
    """

    # The disc around a box reaches well beyond it; grown as much as a rectangle has to
    # be, it would hide the neighbours too.
    default_cover: ClassVar[Cover] = Cover(grow=1.1)

    emoji: str | None = option(
        None,
        "The emoji to use: a name from --list, or a PNG file of your own.",
        parse=stickers.load,
        metavar="NAME|FILE",
        default_text="another for each face",
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
        if self.consistent and self.emoji is not None:
            raise OptionError(
                "a single emoji for all tells nobody apart; leave out --emoji or "
                "--consistent"
            )

    def cautions(self) -> tuple[str, ...]:
        """Say what it gives away that people keep their emoji."""
        if not self.consistent:
            return ()
        return (
            "--consistent shows who is the same person in all pictures; who knows "
            "somebody in one of them knows them in all",
        )

    @property
    def pseudonyms(self) -> int:
        """See `Anonymizer.pseudonyms`; the others are for those who cannot be told."""
        return len(stickers.names()) - _FOR_UNKNOWN if self.consistent else 0

    @classmethod
    def catalogue(cls) -> tuple[str, ...]:
        """The names of the emoji that come with faceanon."""
        return stickers.names()

    def affected_box(self, face: Face, cover: Cover) -> Box | None:
        """See `Anonymizer.affected_box`."""
        reach = stickers.load(self.emoji).reach if self.emoji else stickers.FARTHEST
        box = cover.grown(face)
        return _around(_centre(box), (_radius(box, cover) + _MARGIN) * reach)

    def hide(
        self,
        image: Image,
        faces: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Image:
        """Put a sticker on each face; see `Anonymizer.hide`."""
        result = image.copy()
        names = stickers.names()
        # Faces in front are larger, mostly; their stickers go on top.
        for face in sorted(faces, key=lambda face: face.box.width):
            # Drawn also where it is not needed: whether somebody can be told in a frame
            # must not change what the others wear.
            drawn = int(rng.integers(self.pseudonyms, len(names)))
            number = drawn if face.pseudonym is None else face.pseudonym
            _paste(result, stickers.load(self.emoji or names[number]), face, cover)
        return result


def _paste(image: Image, sticker: Sticker, face: Face, cover: Cover) -> None:
    """Put a sticker over the cover of a face, into the image."""
    box = cover.grown(face)
    centre_x, centre_y = _centre(box)
    radius = _radius(box, cover) + _MARGIN
    scale = radius / sticker.radius
    region = _around((centre_x, centre_y), radius * sticker.reach)
    region = region.clipped(*image.shape[:2])
    if region.is_empty:
        return
    level = min(max(0, math.floor(-math.log2(scale))), len(sticker.levels) - 1)
    pixels = sticker.levels[level]
    turn = _turn(face) * scale
    full = sticker.levels[0]
    to_full = np.array(full.shape[1::-1]) / pixels.shape[1::-1]
    linear = turn * to_full
    offset = (centre_x, centre_y) - turn @ np.array(sticker.centre)
    rows = max(1, _STRIP_PIXELS // region.width)
    for top in range(region.top, region.bottom, rows):
        strip = Box(region.left, top, region.right, min(top + rows, region.bottom))
        # Pixel centres have whole coordinates in OpenCV; those of Point lie at a half.
        shift = linear @ (0.5, 0.5) + offset - (strip.left + 0.5, strip.top + 0.5)
        drawn = cv2.warpAffine(
            pixels,
            np.column_stack((linear, shift)),
            (strip.width, strip.height),
            flags=cv2.INTER_LINEAR,
        )
        under = image[strip.slices]
        _blend(under, drawn, sticker, strip, (centre_x, centre_y, radius))


def _radius(box: Box, cover: Cover) -> float:
    """The radius of the disc that holds the cover of a grown box."""
    if cover.shape == "ellipse":
        return max(box.width, box.height) / 2
    return math.hypot(box.width, box.height) / 2


def _turn(face: Face) -> NDArray[np.float64]:
    """The rotation, shape (2, 2), that lays a level line along the line of the eyes."""
    if face.points is None:
        return np.eye(2)
    (left_x, left_y), (right_x, right_y) = face.points[:2]
    dx, dy = right_x - left_x, right_y - left_y
    length = math.hypot(dx, dy)
    if length < _LEAST_EYES * face.box.width:
        return np.eye(2)
    cosine, sine = dx / length, dy / length
    return np.array([[cosine, -sine], [sine, cosine]])


def _centre(box: Box) -> Point:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _around(centre: Point, reach: float) -> Box:
    """The box that holds what reaches so far from a point, and its soft edge."""
    reach += 1
    return Box(
        math.floor(centre[0] - reach),
        math.floor(centre[1] - reach),
        math.ceil(centre[0] + reach),
        math.ceil(centre[1] + reach),
    )


def _blend(
    under: Image,
    drawn: Image,
    sticker: Sticker,
    strip: Box,
    disc: tuple[float, float, float],
) -> None:
    """Put a drawn strip of a sticker onto the pixels under it."""
    centre_x, centre_y, radius = disc
    x = np.arange(strip.left, strip.right) + 0.5 - centre_x
    y = np.arange(strip.top, strip.bottom) + 0.5 - centre_y
    covered = (x * x)[None, :] + (y * y)[:, None] <= radius * radius
    # Whatever the sticker's alpha, nothing of the face shines through.
    level = white(under) // 255
    color = (np.array(sticker.color) * level).round()
    base = under.copy()
    cv2.copyTo(np.full_like(under, color), covered.view(np.uint8), base)
    paint = drawn.astype(under.dtype) * level
    share = cv2.merge([white(under) - paint[:, :, 3]] * 3)
    behind = cv2.multiply(base, share, scale=1 / white(under))
    # Where there is nothing of the sticker, pixels come out as they were.
    under[:] = cv2.add(cv2.cvtColor(paint, cv2.COLOR_BGRA2BGR), behind)
