"""Short texts in the middle of covers."""

import math
import unicodedata
from functools import cache, lru_cache
from io import BytesIO
from textwrap import TextWrapper

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from faceanon.errors import OptionError
from faceanon.model import Image
from faceanon.resources import read_data

# Its letters are this large when a text is measured, in pixels.
_MEASURED = 100

# Smaller letters cannot be read.
_LEAST_SIZE = 10

# A text takes no more of a cover than this: all of it of the ellipse in the cover, and
# one line of the cover's height.
_MOST_OF_ELLIPSE = 0.88
_MOST_HEIGHT = 0.3

# No font has a glyph for this; what it draws stands for all that it lacks.
_NO_CHARACTER = "\uffff"


@cache
def parse_label(text: str) -> str:
    """Check a label, and write it with as few characters as can be.

    Raises:
        OptionError: the font has no glyph for some of it.
    """
    text = unicodedata.normalize("NFC", text).strip()
    font = _font(_MEASURED)
    missing = bytes(font.getmask(_NO_CHARACTER))
    for character in text:
        if not character.isprintable() or bytes(font.getmask(character)) == missing:
            raise OptionError(
                f"a label cannot have {character!r}; its font has Latin, Greek and "
                "Cyrillic letters, digits and common signs"
            )
    return text


def draw_label(image: Image, text: str, shade: int, room: tuple[int, int]) -> None:
    """Write a text into the middle of an image, in place.

    It is as large as fits in the ellipse inside its room, or left out if that is too
    small to be read.

    Args:
        image: shape (h, w, 3), uint8 or uint16.
        text: what `parse_label` returns.
        shade: of the letters, in values of the image.
        room: height and width of what the text may take, the image's or less.
    """
    height, width = image.shape[:2]
    size, lines = max((_size(lines, *room), lines) for lines in _arrangements(text))
    if size < _LEAST_SIZE:
        return
    letters = _letters(lines, size)
    left, top = (width - letters.shape[1]) // 2, (height - letters.shape[0]) // 2
    under = image[top : top + letters.shape[0], left : left + letters.shape[1]]
    mixed = under + (shade - under.astype(np.float32)) * letters[:, :, None]
    under[:] = mixed.round().astype(image.dtype)


@cache
def _arrangements(text: str) -> tuple[str, ...]:
    """A text broken into lines between words, in the ways that keep lines short."""
    words = TextWrapper(break_long_words=False, break_on_hyphens=False)
    found = set()
    for words.width in range(1, len(text) + 1):
        found.add(words.fill(text))
    return tuple(sorted(found))


def _size(lines: str, height: int, width: int) -> int:
    """How large letters can be, in pixels, in a cover of this size."""
    measured_height, measured_width = _extent(lines)
    across, down = measured_width / width, measured_height / height
    most_height = _MOST_HEIGHT * (1 + lines.count("\n"))
    share = min(_MOST_OF_ELLIPSE / math.hypot(across, down), most_height / down)
    return math.floor(_MEASURED * share)


@cache
def _extent(lines: str) -> tuple[int, int]:
    """Height and width of a text whose letters are `_MEASURED` pixels large."""
    height, width = _letters(lines, _MEASURED).shape
    return height, width


@lru_cache(64)  # bars of like size, as in a crowd, have the same letters
def _letters(lines: str, size: int) -> NDArray[np.float32]:
    """How much of each pixel a text takes, 0 to 1, cut to where there is any of it."""
    # Letters stand at whole pixels: small ones, too far apart, would not fit.
    finer = math.ceil(_MEASURED / size)
    font = _font(size * finer)
    blank = ImageDraw.Draw(PillowImage.new("L", (1, 1)))
    box = blank.textbbox((0, 0), lines, font, spacing=0)
    left, top = math.floor(box[0]), math.floor(box[1])
    drawn = PillowImage.new("L", (math.ceil(box[2]) - left, math.ceil(box[3]) - top))
    draw = ImageDraw.Draw(drawn)
    draw.text((-left, -top), lines, 255, font, spacing=0, align="center")
    letters = np.asarray(drawn.crop(drawn.getbbox()), np.float32) / np.float32(255)
    height, width = (max(1, round(side / finer)) for side in letters.shape)
    smaller = cv2.resize(letters, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, np.float32)


def _font(size: int) -> ImageFont.FreeTypeFont:
    # The other layout engine is not there everywhere.
    return ImageFont.truetype(
        BytesIO(read_data("fonts/NotoSans-SemiBold.ttf")),
        size,
        layout_engine=ImageFont.Layout.BASIC,
    )
