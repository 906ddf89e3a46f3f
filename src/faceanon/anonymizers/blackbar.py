"""Paint faces over with one colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.anonymizers.colors import contrasting, parse_color
from faceanon.anonymizers.labels import draw_label, parse_label
from faceanon.anonymizers.painter import Hole, Painter
from faceanon.model import Image, white
from faceanon.options import option

_AVERAGE = "average"

# In a film the colour around a bar comes into it in about so many frames.
_CALM_FRAMES = 12.0

# In a film letters go from black to white, and back, when the other shade has been
# better for so many levels of 0 to 255.
_NUDGE = 20

# In a film a label keeps its size while its bar grows by up to this.
_ROOM_LEFT = 1.25


def _parse(text: str) -> None:
    """Check a colour, or what stands for that of the surroundings."""
    if text != _AVERAGE:
        parse_color(text)


@dataclass(frozen=True)
class BlackBar(Painter):
    """Paint a solid rectangle over each whole face.

    The strongest method: nothing of the face is left in the picture.
    """

    color: str = option(
        "black",
        "Colour of the bar: a name such as 'black' or 'white', 'rrggbb', or 'average', "
        "that of what surrounds it.",
        parse=_parse,
        metavar="COLOR",
    )
    label: str | None = option(
        None,
        "A short text on each bar that is large enough for it, the same for all.",
        parse=parse_label,
        metavar="TEXT",
        default_text="none",
    )

    def paint(self, hole: Hole, rng: np.random.Generator) -> Image:
        """Fill the cover; see `Painter.paint`."""
        level = white(hole.surroundings) // 255
        color: Sequence[float]
        if self.color == _AVERAGE:
            average = np.array(_average(hole))
            color = hole.past.smoothed("color", average, _CALM_FRAMES).tolist()
        else:
            color = parse_color(self.color)
        size = hole.visible.height, hole.visible.width, 3
        bar = np.empty(size, hole.surroundings.dtype)
        bar[:] = [round(part * level) for part in reversed(color)]
        if text := parse_label(self.label or ""):
            # In a film letters neither breathe with the bar nor change their shade.
            height, width = hole.past.kept(
                "label", bar.shape[:2], lambda room: _fits(room, bar.shape[:2])
            )
            shade = hole.past.kept(
                "shade", contrasting(color), lambda shade: _is_read(shade, color)
            )
            draw_label(bar, text, shade * level, (height, width))
        return bar


def _fits(room: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether room for a label is in a bar, and not far too small for it."""
    return all(
        one <= other <= _ROOM_LEFT * one for one, other in zip(room, size, strict=True)
    )


def _is_read(shade: int, color: Sequence[float]) -> bool:
    """Whether letters of a shade can be read on a colour about as well as others."""
    nudge = _NUDGE if shade == 0 else -_NUDGE
    return contrasting([min(max(part + nudge, 0), 255) for part in color]) == shade


def _average(hole: Hole) -> tuple[float, float, float]:
    """The mean colour around a cover: red, green, blue, each 0 to 255.

    Black where nothing is known, as the face fills the picture.
    """
    level = white(hole.surroundings) // 255
    means = cv2.mean(hole.surroundings, hole.known.view(np.uint8))
    blue, green, red = (mean / level for mean in means[:3])
    return red, green, blue
