"""The pictures that the method `emoji` puts on faces."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.colors import contrasting
from faceanon.errors import OptionError
from faceanon.model import Image, Point
from faceanon.resources import read_data
from faceanon.storage.names import shown

MIXED = "mixed"
"""What stands for all the emoji that come with faceanon."""

CHARACTERS = {
    "bear": "🐻",
    "cowboy": "🤠",
    "grin": "😁",
    "halo": "😇",
    "hearts": "😍",
    "joy": "😂",
    "koala": "🐨",
    "lion": "🦁",
    "moon": "🌝",
    "nerd": "🤓",
    "panda": "🐼",
    "party": "🥳",
    "pig": "🐷",
    "polarbear": "🐻\u200d❄",
    "smile": "🙂",
    "stars": "🤩",
    "sunglasses": "😎",
    "tiger": "🐯",
    "wink": "😉",
    "zany": "🤪",
}
"""The emoji that come with faceanon, in the order of their names: the character of
each, without variation selectors. All have a large opaque disc, so that they hide a
face without being much larger than it."""

FARTHEST = 1.95
"""The most that `Sticker.reach` is of those."""

_NAMES = {character: name for name, character in CHARACTERS.items()}

# Keyboards add them to say that a character is an emoji, or a plain sign.
_VARIATION_SELECTORS = dict.fromkeys((0xFE0E, 0xFE0F))

_SMALLEST_LEVEL = 16

# A sticker whose opaque disc is narrower than this share of it would be enlarged until
# it hides the neighbours; it is put on a disc.
_LEAST_DISC = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Sticker:
    """A picture with alpha, ready to be pasted at any size.

    Attributes:
        levels: the picture at full, half, quarter size and so on; shape (h, w, 4),
            blue, green and red multiplied by alpha, and alpha; uint8.
        centre: the centre of the disc that has to hide a face, in pixels of the full
            size; it may have to be painted.
        radius: the disc's radius, in pixels of the full size.
        reach: how far from the centre anything of the sticker is seen, in radii.
        color: of what is behind it, (blue, green, red), 0 to 255.
    """

    levels: tuple[NDArray[np.uint8], ...]
    centre: Point
    radius: float
    reach: float
    color: tuple[float, float, float]


def parse(text: str) -> tuple[str, ...]:
    """Read what `--emoji` names: a sticker, several with commas between, or `MIXED`.

    Returns:
        What `load` takes.

    Raises:
        OptionError: one of them is no sticker.
    """
    if text == MIXED:
        return tuple(CHARACTERS)
    # A file may have a comma in its name.
    several = "," in text and not Path(text).exists()
    names = tuple(map(str.strip, text.split(","))) if several else (text,)
    for name in names:
        load(name)
    return names


def content(names: Iterable[str]) -> bytes:
    """A digest of those stickers that do not come with faceanon; 16 bytes.

    Raises:
        OptionError: one of them is no sticker.
    """
    digest = blake2b(digest_size=16)
    for name in names:
        if _plain(name) not in CHARACTERS:
            digest.update(load(name).levels[0].tobytes())
    return digest.digest()


@cache
def load(name: str) -> Sticker:
    """Load a sticker.

    Args:
        name: one of `CHARACTERS`, its name or itself, or a PNG file of the user's own.

    Raises:
        OptionError: it is none of these, or not fit to hide a face.
    """
    plain = _plain(name)
    if plain in CHARACTERS:
        data = read_data(f"emoji/{plain}.png")
    else:
        try:
            data = Path(name).read_bytes()
        except (OSError, ValueError):  # ValueError: a null byte
            raise OptionError(
                f"{shown(name)!r} is neither a PNG file nor one of the emoji that "
                f"'faceanon emoji --list' shows"
            ) from None
    encoded = np.frombuffer(data, np.uint8)
    pixels = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if data else None
    if pixels is None or pixels.dtype not in (np.uint8, np.uint16):
        raise OptionError(f"{shown(name)} cannot be read; a sticker is a PNG file")
    if pixels.dtype == np.uint16:
        pixels = cv2.convertScaleAbs(pixels, alpha=1 / 257)
    if pixels.shape[2:] != (4,) or pixels[:, :, 3].min() > 0:
        raise OptionError(
            f"{shown(name)} is no sticker: that is a drawing with nothing around it, "
            "a PNG file with a transparent background"
        )
    if pixels[:, :, 3].max() < 255:
        raise OptionError(
            f"{shown(name)} is transparent all over; a face needs an opaque sticker"
        )
    return _sticker(np.asarray(pixels, np.uint8))


def _plain(name: str) -> str:
    """The name of an emoji that comes with faceanon; any other name as it is."""
    plain = name.translate(_VARIATION_SELECTORS)
    return _NAMES.get(plain, plain)


@cache
def in_grey(sticker: Sticker) -> Sticker:
    """The sticker without its colours, for pictures that have none."""
    levels = []
    for level in sticker.levels:
        grey = cv2.cvtColor(level, cv2.COLOR_BGRA2GRAY)
        in_bgr = np.dstack((grey, grey, grey, level[:, :, 3]))
        levels.append(np.asarray(in_bgr, np.uint8))
    blue, green, red = sticker.color
    shade = 0.114 * blue + 0.587 * green + 0.299 * red
    return replace(sticker, levels=tuple(levels), color=(shade, shade, shade))


def _sticker(pixels: NDArray[np.uint8]) -> Sticker:
    left, top, width, height = cv2.boundingRect(pixels[:, :, 3])
    pixels = pixels[top : top + height, left : left + width]
    alpha = pixels[:, :, 3]
    opaque = (alpha == 255).astype(np.uint8)
    # Beyond the edge there is nothing, so the edge itself is a border of the disc.
    distance = cv2.distanceTransform(np.pad(opaque, 1), cv2.DIST_L2, cv2.DIST_MASK_5)
    _, radius, _, (x, y) = cv2.minMaxLoc(distance)
    centre_x, centre_y = x - 0.5, y - 0.5
    blue, green, red, _ = cv2.mean(pixels, opaque)
    needs_disc = radius < _LEAST_DISC * max(width, height) / 2
    if needs_disc:
        centre_x, centre_y = width / 2, height / 2
        blue = green = red = contrasting((red, green, blue))
    rows, columns = np.nonzero(alpha)
    distances = np.hypot(columns + 0.5 - centre_x, rows + 0.5 - centre_y)
    farthest = float(distances.max()) + 1
    if needs_disc:
        radius = farthest
    return Sticker(
        tuple(_levels(pixels)),
        (centre_x, centre_y),
        radius,
        max(farthest / radius, 1),
        (blue, green, red),
    )


def _levels(pixels: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    alpha = pixels[:, :, 3:].astype(np.float32) / 255
    level: Image = np.dstack((pixels[:, :, :3] * alpha, pixels[:, :, 3]))
    while True:
        yield level.round().astype(np.uint8)
        height, width = level.shape[:2]
        if min(height, width) < 2 * _SMALLEST_LEVEL:
            return
        level = cv2.resize(
            level, (width // 2, height // 2), interpolation=cv2.INTER_AREA
        )
