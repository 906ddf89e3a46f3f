"""Filters that keep something of the face: what `--faithful` asks for."""

from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.anonymizers.base import PatchAnonymizer
from faceanon.anonymizers.mosaic import mosaic
from faceanon.model import Image

MOST_CELLS = 8
"""With more cells across a face, a recogniser that knows nothing of the filter begins
to name people (20 % of nine people at 10 cells, 64 % at 12)."""

LEAST_NOISE = 40.0
"""With less, one who pixelates photos of known people in the same way finds the
matching one still more often."""

LEAST_STRENGTH = 0.15
"""With less, a recogniser that knows nothing of the filter names people."""

_CAUTION = (
    "--faithful shows the pixels of the face, only weaker: people who are looked for "
    "can be recognised; leave it out to protect them"
)

# The mosaic under a blur.
_CELLS = 6

# A blurred face holds nothing finer than this many pixels across it can show, so the
# blur is computed at that size: its cost does not grow with the face.
_WORKING_WIDTH = 24


@dataclass(frozen=True)
class FaithfulMosaic(PatchAnonymizer):
    """A mosaic of a few cells, each the mean of its pixels plus noise.

    Attributes:
        cells: across the width of a face.
        noise: scale of the noise on each cell, in grey levels of 0 to 255.
    """

    cells: float
    noise: float

    def cautions(self) -> tuple[str, ...]:
        """Say that it protects little, and when it protects less than that."""
        cautions = [_CAUTION]
        if self.cells > MOST_CELLS:
            cautions.append(
                f"{self.cells:g} cells across a face can leave it recognisable; "
                f"use {MOST_CELLS} or fewer"
            )
        if self.noise < LEAST_NOISE:
            cautions.append(
                f"noise of {self.noise:g} grey levels lets one who pixelates photos of "
                f"known people in the same way find the match; use {LEAST_NOISE:g} or "
                "more"
            )
        return tuple(cautions)

    def hide_patch(
        self, patch: Image, face_width: float, rng: np.random.Generator
    ) -> Image:
        """Draw the mosaic of the patch; see `PatchAnonymizer.hide_patch`."""
        cells = mosaic(patch, face_width / self.cells, self.noise, rng)
        colors = cells.cells.round().astype(patch.dtype)
        return colors[:, cells.columns][cells.rows]


@dataclass(frozen=True)
class FaithfulBlur(PatchAnonymizer):
    """A Gaussian blur of a noisy mosaic.

    Attributes:
        strength: standard deviation, as a share of the face's width.
    """

    strength: float

    def cautions(self) -> tuple[str, ...]:
        """Say that it protects little."""
        return (_CAUTION,)

    def hide_patch(
        self, patch: Image, face_width: float, rng: np.random.Generator
    ) -> Image:
        """Blur the mosaic of the patch; see `PatchAnonymizer.hide_patch`."""
        height, width = patch.shape[:2]
        cells = mosaic(patch, face_width / _CELLS, LEAST_NOISE, rng)
        shrink = min(1.0, _WORKING_WIDTH / face_width)
        small = cells.sampled(
            max(1, round(height * shrink)), max(1, round(width * shrink))
        )
        sigma = self.strength * face_width * shrink
        blurred = cv2.GaussianBlur(
            small, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE
        )
        full = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
        return full.round().astype(patch.dtype)
