"""Blur faces."""

from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.anonymizers.base import PatchAnonymizer
from faceanon.anonymizers.mosaic import mosaic
from faceanon.model import Image
from faceanon.options import option

CELLS = 6
NOISE = 40.0

# A blurred face holds nothing finer than this many pixels across it can show, so the
# blur is computed at that size: its cost does not grow with the face.
WORKING_WIDTH = 24


@dataclass(frozen=True)
class Blur(PatchAnonymizer):
    """Blur each face. This is cosmetic: it pleases the eye more than it protects.

    Blur can be undone in part, and one who blurs photos of known people in the same way
    can find the match. Use `blackbar` or `pixelate` where it matters that nobody is
    recognised.
    """

    strength: float = option(
        0.3,
        "Standard deviation of the Gaussian, as a share of the face's width.",
        minimum=0.15,
        maximum=2,
    )

    def cautions(self) -> tuple[str, ...]:
        """Say that blur is cosmetic."""
        return (
            "blur is cosmetic: people who are looked for can be recognised; "
            "blackbar and pixelate protect better",
        )

    def hide_patch(
        self, patch: Image, face_width: float, rng: np.random.Generator
    ) -> Image:
        """Blur the mosaic of the patch; see `PatchAnonymizer.hide_patch`."""
        height, width = patch.shape[:2]
        cells = mosaic(patch, face_width / CELLS, NOISE, rng)
        shrink = min(1.0, WORKING_WIDTH / face_width)
        small = cells.sampled(
            max(1, round(height * shrink)), max(1, round(width * shrink))
        )
        sigma = self.strength * face_width * shrink
        blurred = cv2.GaussianBlur(
            small, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE
        )
        full = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
        return full.round().astype(patch.dtype)
