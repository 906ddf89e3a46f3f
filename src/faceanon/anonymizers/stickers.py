"""The pictures that the method `emoji` puts on faces."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.errors import OptionError
from faceanon.model import Image, Point
from faceanon.resources import data_dir, read_data
from faceanon.storage.names import shown

FARTHEST = 2.1
"""The most that `Sticker.reach` is of the stickers that come with faceanon."""

_SMALLEST_LEVEL = 16


@dataclass(frozen=True, slots=True, eq=False)
class Sticker:
    """A picture with alpha, ready to be pasted at any size.

    Attributes:
        levels: the picture at full, half, quarter size and so on; shape (h, w, 4),
            blue, green and red multiplied by alpha, and alpha; uint8.
        centre: the centre of its largest opaque disc, in pixels of the full size.
        radius: the disc's radius, in pixels of the full size.
        color: its mean colour, (blue, green, red), 0 to 255.
    """

    levels: tuple[NDArray[np.uint8], ...]
    centre: Point
    radius: float
    color: tuple[float, float, float]

    @property
    def reach(self) -> float:
        """How far from its centre the sticker reaches, in radii of its disc."""
        height, width = self.levels[0].shape[:2]
        x, y = self.centre
        return math.hypot(max(x, width - x), max(y, height - y)) / self.radius


def names() -> tuple[str, ...]:
    """The names of the stickers that come with faceanon."""
    files = (data_dir() / "emoji").iterdir()
    return tuple(sorted(file.name[:-4] for file in files if file.name.endswith(".png")))


@cache
def load(name: str) -> Sticker:
    """Load a sticker: one that comes with faceanon, or a PNG of the user's own.

    Raises:
        OptionError: there is no sticker of that name, and no usable file either.
    """
    if name in names():
        data = read_data(f"emoji/{name}.png")
    else:
        try:
            data = Path(name).read_bytes()
        except (OSError, ValueError):  # ValueError: a null byte
            raise OptionError(
                f"{shown(name)!r} is neither a PNG file nor one of {', '.join(names())}"
            ) from None
    encoded = np.frombuffer(data, np.uint8)
    pixels = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if data else None
    if pixels is None or pixels.dtype != np.uint8:
        raise OptionError(
            f"{shown(name)} cannot be read; it has to be a PNG of 8 bits a channel"
        )
    if pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    if pixels.shape[2] == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA)
    if not (pixels[:, :, 3] == 255).any():
        raise OptionError(
            f"{shown(name)} is transparent all over; a face needs an opaque sticker"
        )
    return _sticker(np.asarray(pixels, np.uint8))


def _sticker(pixels: NDArray[np.uint8]) -> Sticker:
    opaque = (pixels[:, :, 3] == 255).astype(np.uint8)
    # Beyond the edge there is nothing, so the edge itself is a border of the disc.
    distance = cv2.distanceTransform(np.pad(opaque, 1), cv2.DIST_L2, cv2.DIST_MASK_5)
    _, radius, _, (x, y) = cv2.minMaxLoc(distance)
    blue, green, red, _ = cv2.mean(pixels, opaque)
    return Sticker(
        tuple(_levels(pixels)), (x - 0.5, y - 0.5), radius, (blue, green, red)
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
