"""Filters that keep something of the face: what `--faithful` asks for."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.anonymizers.base import SteadyAnonymizer, Treated, lay_over
from faceanon.anonymizers.mosaic import Mosaic, held_mosaic, mosaic
from faceanon.anonymizers.tracks import Tracks, rngs_of_tracks
from faceanon.model import Box, Cover, Face, Image

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


class FaithfulFilter(SteadyAnonymizer):
    """A method that draws a noisy mosaic of the pixels under each cover."""

    @property
    @abstractmethod
    def grain(self) -> tuple[float, float]:
        """How many cells a face is wide, and the scale of the noise on each.

        The noise is in grey levels of 0 to 255.
        """

    @abstractmethod
    def drawn(self, cells: Mosaic, face_width: float) -> Image:
        """Draw the mosaic of a patch.

        Args:
            cells: shape of the patch: (len(cells.rows), len(cells.columns)).
            face_width: in pixels.

        Returns:
            Shape (h, w, 3), values of the patch; they are rounded.
        """

    def cautions(self) -> tuple[str, ...]:
        """Say that it protects little."""
        return (_CAUTION,)

    def affected_box(self, face: Face, cover: Cover) -> Box | None:
        """See `Anonymizer.affected_box`."""
        return cover.reach(face)

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
        """Draw the mosaic of each face; see `SteadyAnonymizer.go_on`."""
        result = image.copy()
        of_tracks = rngs_of_tracks(faces, rng)
        # The largest last: where a detector has taken a part of a face for another, the
        # strength is that which the whole face needs.
        for face, past in tracks.back_to_front(faces):
            box = cover.box(face, image)
            if box.is_empty:
                continue
            # Cut from the original: where covers overlap, a blur is not blurred again.
            patch, width = image[box.slices], float(face.box.width)
            across, noise = self.grain
            if face.track is None:
                cells = mosaic(patch, width / across, noise, rng)
            else:
                whole = cover.reach(face).placed(right=-box.left, down=-box.top)
                cell, own = width / across, of_tracks[face.track]
                cells = held_mosaic(patch, whole, cell, noise, rng=own, past=past)
            drawn = self.drawn(cells, width).round().astype(image.dtype)
            lay_over(result[box.slices], drawn, cover.share(face, image))
        return Treated(result)


@dataclass(frozen=True)
class FaithfulMosaic(FaithfulFilter):
    """A mosaic of a few cells, each the mean of its pixels plus noise.

    Attributes:
        cells: across the width of a face.
        noise: scale of the noise on each cell, in grey levels of 0 to 255.
    """

    cells: float
    noise: float

    @property
    def grain(self) -> tuple[float, float]:
        """See `FaithfulFilter`."""
        return self.cells, self.noise

    def cautions(self) -> tuple[str, ...]:
        """Say that it protects little, and when it protects less than that."""
        cautions = [*super().cautions()]
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

    def drawn(self, cells: Mosaic, face_width: float) -> Image:
        """Draw the cells as they are; see `FaithfulFilter.drawn`."""
        return cells.cells.round()[:, cells.columns][cells.rows]


@dataclass(frozen=True)
class FaithfulBlur(FaithfulFilter):
    """A Gaussian blur of a noisy mosaic.

    Attributes:
        strength: standard deviation, as a share of the face's width.
    """

    strength: float

    @property
    def grain(self) -> tuple[float, float]:
        """See `FaithfulFilter`."""
        return _CELLS, LEAST_NOISE

    def drawn(self, cells: Mosaic, face_width: float) -> Image:
        """Blur the mosaic; see `FaithfulFilter.drawn`."""
        height, width = len(cells.rows), len(cells.columns)
        shrink = min(1.0, _WORKING_WIDTH / face_width)
        small = cells.sampled(
            max(1, round(height * shrink)), max(1, round(width * shrink))
        )
        sigma = self.strength * face_width * shrink
        blurred = cv2.GaussianBlur(
            small, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE
        )
        return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
