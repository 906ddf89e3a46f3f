"""Frames, and what holds them together."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from faceanon.media.metadata import NO_METADATA, Metadata
from faceanon.media.orientation import is_across
from faceanon.media.picture import Encoding
from faceanon.model import Image

Format: TypeAlias = Literal["gif", "png", "webp", "avif", "tiff"]
"""The formats that can hold several pictures."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of several.

    Attributes:
        pixels: upright and as shown, with all that earlier frames have left; see
            `Picture.pixels`.
        encoding: how it was stored.
        seconds: how long it is shown; 0 for a page.
        changed: where it was changed, shape (H, W); None for nowhere.
    """

    pixels: Image
    encoding: Encoding
    seconds: float = 0.0
    changed: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """What all frames share.

    Attributes:
        width: of the first frame, in pixels.
        height: of the first frame, in pixels.
        count: how many frames there are.
        loop: how often it is repeated, 0 for ever; None when it is shown once.
        has_cover: whether the first frame is shown only by programs that know no
            animations (PNG).
        is_lossless: whether the pixels are stored exactly.
        icc_profile: the colour profile; None if there is none.
        metadata: what may be kept of what else the file tells.
    """

    width: int
    height: int
    count: int
    loop: int | None = None
    has_cover: bool = False
    is_lossless: bool = True
    icc_profile: bytes | None = None
    metadata: Metadata = NO_METADATA

    def turned(self, orientation: int) -> "Header":
        """The same for frames turned by an EXIF orientation."""
        metadata = self.metadata.turned(orientation)
        if not is_across(orientation):
            return replace(self, metadata=metadata)
        width, height = self.height, self.width
        return replace(self, width=width, height=height, metadata=metadata)
