"""Show a blur in the place of faces."""

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from faceanon.anonymizers.faithful import LEAST_STRENGTH, FaithfulBlur
from faceanon.anonymizers.nobody import Floats, NobodyPainter, canvas
from faceanon.anonymizers.painter import Hole
from faceanon.errors import OptionError
from faceanon.model import Cover
from faceanon.options import option


@dataclass(frozen=True)
class Blur(NobodyPainter):
    """Cover each face with a soft blur that is drawn anew and shows nobody.

    Only the colour of the skin, in coarse steps, is taken from the face; all else comes
    from the picture around it and from a drawing. There is nothing to undo.
    """

    # Along its axes a rounded cover reaches as far as the box of other methods.
    default_cover: ClassVar[Cover] = Cover(1.2, "rounded", 0.12)
    interpolation: ClassVar[int] = cv2.INTER_LINEAR

    strength: float | None = option(
        None,
        "Standard deviation of the Gaussian, as a share of the face's width; with "
        f"--faithful {LEAST_STRENGTH:g} or more.",
        minimum=0,
        maximum=2,
        default_text="0.1, with --faithful 0.3",
    )
    faithful: bool = option(
        False,
        "Blur the face's own pixels, under noise. This protects less: people who are "
        "looked for can be recognised.",
    )

    def __post_init__(self) -> None:
        """Check the options; see `Anonymizer`."""
        super().__post_init__()
        if self.faithful and self._strength < LEAST_STRENGTH:
            raise OptionError(
                f"with --faithful the strength must be at least {LEAST_STRENGTH:g}, "
                f"not {self._strength:g}; less leaves faces recognisable"
            )

    @property
    def _strength(self) -> float:
        if self.strength is None:
            return 0.3 if self.faithful else 0.1
        return self.strength

    @property
    def filter(self) -> FaithfulBlur:
        """See `NobodyPainter`."""
        return FaithfulBlur(self._strength)

    def small(self, hole: Hole, rng: np.random.Generator) -> Floats:
        """Draw the blur; see `NobodyPainter.small`."""
        small = canvas(hole, rng)
        sigma = self._strength * hole.face.width * small.shape[1] / hole.cover.width
        if not sigma:
            return small
        edge = cv2.BORDER_REPLICATE
        blurred = cv2.GaussianBlur(small, (0, 0), sigma, borderType=edge)
        return np.asarray(blurred, np.float32).reshape(small.shape)
