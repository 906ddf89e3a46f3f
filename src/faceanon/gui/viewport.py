"""Which part of a picture is seen, and how large: arithmetic, no widget."""

from dataclasses import dataclass, replace

from faceanon.gui.preview_worker import Part
from faceanon.model import Box

LARGEST = 16.0
"""Pixels of the screen for one of the picture, at most."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """A picture behind a window.

    Attributes:
        picture: width and height of the picture.
        window: width and height of the window, in pixels of the screen.
        scale: pixels of the screen for one of the picture.
        left: where the picture's left edge is, in pixels of the screen.
        top: where its top edge is.
    """

    picture: tuple[int, int]
    window: tuple[int, int]
    scale: float = 1.0
    left: float = 0.0
    top: float = 0.0

    @property
    def fitting(self) -> float:
        """The scale at which the whole picture is seen, small ones not enlarged much.

        >>> Viewport((2000, 1000), (1000, 1000)).fitting
        0.5
        """
        scale = min(w / p for w, p in zip(self.window, self.picture, strict=True))
        return min(scale, 3.0)

    def fitted(self) -> "Viewport":
        """The whole picture, in the middle."""
        return replace(self, scale=self.fitting)._centered()

    def zoomed(self, factor: float, x: float, y: float) -> "Viewport":
        """Larger or smaller, while what is at a point of the screen stays there."""
        scale = min(max(self.scale * factor, self.fitting), max(LARGEST, self.fitting))
        ratio = scale / self.scale
        left, top = x - (x - self.left) * ratio, y - (y - self.top) * ratio
        return replace(self, scale=scale, left=left, top=top)._centered()

    def moved(self, dx: float, dy: float) -> "Viewport":
        """With the picture moved on the screen, but not out of sight."""
        return replace(self, left=self.left + dx, top=self.top + dy)._centered()

    def resized(self, window: tuple[int, int]) -> "Viewport":
        """In a window of another size; what was seen whole is seen whole again."""
        is_whole = abs(self.scale - self.fitting) < 1e-9
        other = replace(self, window=window)
        if is_whole or other.scale < other.fitting:
            return other.fitted()
        return other._centered()

    def on_screen(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the picture is on the screen."""
        return self.left + x * self.scale, self.top + y * self.scale

    def in_picture(self, x: float, y: float) -> tuple[float, float]:
        """Which point of the picture is at one of the screen."""
        return (x - self.left) / self.scale, (y - self.top) / self.scale

    def part(self) -> Part:
        """What is seen of the picture, whole pixels of it."""
        left, top = (int(max(0, side)) for side in self.in_picture(0, 0))
        right, bottom = (
            min(size, int(side) + 1)
            for size, side in zip(
                self.picture, self.in_picture(*self.window), strict=True
            )
        )
        box = Box(left, top, max(right, left + 1), max(bottom, top + 1))
        size = (
            max(1, round(box.width * self.scale)),
            max(1, round(box.height * self.scale)),
        )
        return Part(box, size)

    def _centered(self) -> "Viewport":
        """With no empty edge where there is picture to fill it."""
        places = []
        for place, size, window in zip(
            (self.left, self.top), self.picture, self.window, strict=True
        ):
            room = window - size * self.scale
            places.append(room / 2 if room >= 0 else min(0.0, max(room, place)))
        return replace(self, left=places[0], top=places[1])
