"""The nouns of the project: what is in a picture and how it is addressed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = NDArray[np.integer[Any] | np.floating[Any]]
"""An upright picture: shape (H, W, 3), channels blue, green, red, dtype uint8 (white is
255) or uint16 (white is 65535)."""

Point: TypeAlias = tuple[float, float]
"""(x, y) in pixels from the picture's left and top edge."""

Points: TypeAlias = tuple[Point, Point, Point, Point, Point]

Shape: TypeAlias = Literal["box", "rounded", "ellipse"]

Verdict: TypeAlias = Literal["same", "other", "unsure"]
"""Whether a face is a person's, somebody else's, or it cannot be told."""

# What is scored lower is mostly no face.
_UNLIKELY = 0.15

# A face that lies in another's box by this share is a part of it.
_PART = 0.85


def white(image: Image) -> int:
    """The value of white in an image of unsigned integers: 255 or 65535."""
    return int(np.iinfo(image.dtype.type).max)  # type: ignore[type-var]


def is_grey(image: Image) -> bool:
    """Whether the channels of an image are equal in all pixels."""
    blue, green, red = image.transpose(2, 0, 1)
    return np.array_equal(blue, green) and np.array_equal(green, red)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole pixels, half-open: `right` and `bottom` lie just outside.

    >>> Box(2, 3, 6, 4).width, Box(2, 3, 6, 4).height
    (4, 1)
    """

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels from left to right; 0 or less when the box is empty."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom; 0 or less when the box is empty."""
        return self.bottom - self.top

    @property
    def is_empty(self) -> bool:
        """Whether the box holds no pixel."""
        return self.width <= 0 or self.height <= 0

    @property
    def sides(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom, as rows of arrays have them."""
        return self.left, self.top, self.right, self.bottom

    @property
    def middle(self) -> Point:
        """The point in the middle of the box."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def slices(self) -> tuple[slice, slice]:
        """The index of the box's pixels in an image: `image[box.slices]`."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, factor: float) -> "Box":
        """The box with its sides multiplied by `factor` about its centre.

        >>> Box(10, 10, 20, 20).grown(1.5)
        Box(left=7, top=7, right=23, bottom=23)
        """
        dx, dy = self.width * (factor - 1) / 2, self.height * (factor - 1) / 2
        return Box(
            math.floor(self.left - dx),
            math.floor(self.top - dy),
            math.ceil(self.right + dx),
            math.ceil(self.bottom + dy),
        )

    def widened(self, by: int) -> "Box":
        """The box with so many pixels more on each side.

        >>> Box(2, 3, 6, 4).widened(1)
        Box(left=1, top=2, right=7, bottom=5)
        """
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def overlap(self, other: "Box") -> float:
        """Intersection over union of two boxes, 0 to 1.

        >>> Box(0, 0, 4, 2).overlap(Box(2, 0, 6, 2))
        0.3333333333333333
        """
        shared = self.shared(other)
        if not shared:
            return 0.0
        both = self.width * self.height + other.width * other.height
        return shared / (both - shared)

    def shared(self, other: "Box") -> int:
        """How many pixels two boxes have in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)

    def united(self, other: "Box") -> "Box":
        """The smallest box that holds both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def placed(self, factor: float = 1, right: int = 0, down: int = 0) -> "Box":
        """The box in a picture enlarged by a factor, then moved by so many pixels.

        >>> Box(1, 2, 3, 4).placed(2, right=10)
        Box(left=12, top=4, right=16, bottom=8)
        """
        return Box(
            round(self.left * factor) + right,
            round(self.top * factor) + down,
            round(self.right * factor) + right,
            round(self.bottom * factor) + down,
        )

    def holds(self, other: "Box") -> bool:
        """Whether all of another box lies in this one."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    def clipped(self, height: int, width: int) -> "Box":
        """The part of the box inside an image of this height and width.

        >>> Box(-3, 5, 4, 50).clipped(20, 30)
        Box(left=0, top=5, right=4, bottom=20)
        """
        return Box(
            min(max(self.left, 0), width),
            min(max(self.top, 0), height),
            max(min(self.right, width), 0),
            max(min(self.bottom, height), 0),
        )


@dataclass(frozen=True, slots=True)
class Match:
    """Who a face was compared with, and its outcome.

    Attributes:
        person: the name of the person whom it resembles most; empty if it could not be
            compared.
        similarity: to that person, -1 to 1; None if it could not be compared.
        verdict: whether it is that person.
        reason: why that cannot be told; empty if it can.
    """

    person: str
    similarity: float | None
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """A face that a detector found.

    Attributes:
        box: from the forehead to the chin, as detected, not grown; it may reach over
            the edge of the picture.
        score: how sure the detector is, 0 to 1.
        points: the five points (x, y), in pixels, as seen in the picture: left eye,
            right eye, tip of the nose, left and right corner of the mouth; None when
            the detector does not tell them.
        found_by: what found it, such as a pass of the detector, or "hand".
        frame: in which of several frames or pages, counted from 0; None in a file of
            one picture.
        match: whose it is; None when nobody was asked for.
        pseudonym: the number that stands for its person all over a run; None where the
            person cannot be told, or the method has no pseudonyms.
        track: the number of its track: the finds of one face that follow each other in
            a film. None in a picture.
        tone: the usual colour of the middle of its box all over its track: (blue,
            green, red), 0 to 1; None where there is no track.
    """

    box: Box
    score: float
    points: Points | None = None
    found_by: str = ""
    frame: int | None = None
    match: Match | None = None
    pseudonym: int | None = None
    track: int | None = None
    tone: tuple[float, float, float] | None = None

    def placed(self, factor: float = 1, right: int = 0, down: int = 0) -> "Face":
        """The face in a picture enlarged by a factor, then moved by so many pixels."""
        points = self.points
        if points is not None:
            first, second, third, fourth, fifth = (
                (x * factor + right, y * factor + down) for x, y in points
            )
            points = first, second, third, fourth, fifth
        return replace(self, box=self.box.placed(factor, right, down), points=points)

    def lies_in(self, other: "Face") -> bool:
        """Whether nearly all of its box lies in the box of another, larger face."""
        shared = self.box.shared(other.box)
        own = self.box.width * self.box.height
        return own < other.box.width * other.box.height and shared >= _PART * own


# The exponents of |x|^p + |y|^p <= 1, the edges of these shapes (superellipses).
_EXPONENTS: Mapping[Shape, float] = {"box": math.inf, "rounded": 4, "ellipse": 2}


@dataclass(frozen=True, slots=True)
class Cover:
    """How much of the picture around a face is covered.

    Attributes:
        grow: the factor by which a face's box is grown, 1 or more. Boxes of faces below
            80 pixels, which are less exact, are grown more, up to twice as much; those
            of finds that are hardly faces (scored below 0.15) half as much.
        shape: of the solid part, which holds all of the grown box: a rounded one
            reaches beyond its sides by 1/10, an ellipse by 1/5.
        feather: over how much the cover fades out beyond its solid part, as a share of
            that part's size.
    """

    grow: float = 1.4
    shape: Shape = "box"
    feather: float = 0.0

    def grown(self, face: Face) -> Box:
        """The grown box of a face; it may reach over the edge of the picture."""
        size = math.sqrt(max(face.box.width, 1) * max(face.box.height, 1))
        by_size = min(max(7 / 8 + 10 / size, 1), 2)
        by_score = 0.5 if face.score < _UNLIKELY else 1
        return face.box.grown(1 + (self.grow - 1) * by_size * by_score)

    def reach(self, face: Face) -> Box:
        """The box of all that is covered; it may reach over the picture's edge."""
        widening = 2 ** (1 / _EXPONENTS[self.shape])
        return self.grown(face).grown(widening * (1 + self.feather))

    def box(self, face: Face, image: Image) -> Box:
        """The part of `reach` that lies in the image."""
        return self.reach(face).clipped(*image.shape[:2])

    def mask(self, face: Face, image: Image) -> NDArray[np.bool_]:
        """Which pixels of `box(face, image)` are covered: shape (box height, width)."""
        return self.share(face, image) > 0

    def share(self, face: Face, image: Image) -> NDArray[np.float32]:
        """How much of the cover each pixel of `box(face, image)` takes.

        Returns:
            1 in the solid part, falling to 0 at the end of the feather; shape (box
            height, box width).
        """
        reach, box = self.reach(face), self.box(face, image)
        if box.is_empty or reach.is_empty:
            return np.zeros((max(box.height, 0), max(box.width, 0)), np.float32)
        exponent = _EXPONENTS[self.shape]
        if math.isinf(exponent) and not self.feather:
            return np.ones((box.height, box.width), np.float32)
        # Distances from the middle in half sides of the solid part, taken at pixel
        # centres, so that a cover cut by the picture's edge keeps its shape.
        x = np.arange(box.left, box.right) + 0.5 - (reach.left + reach.right) / 2
        y = np.arange(box.top, box.bottom) + 0.5 - (reach.top + reach.bottom) / 2
        end = 1 + self.feather
        x = np.abs(x * (2 * end / reach.width)).astype(np.float32)
        y = np.abs(y * (2 * end / reach.height)).astype(np.float32)
        if math.isinf(exponent):
            distance = np.maximum(x[None, :], y[:, None])
        else:
            distance = (x**exponent)[None, :] + (y**exponent)[:, None]
        if not self.feather:
            return np.asarray(distance <= 1, np.float32)
        # Square roots are quicker than other powers, and powers of two all there are.
        while exponent > 1 and not math.isinf(exponent):
            np.sqrt(distance, out=distance)
            exponent /= 2
        left = ((end - distance) / np.float32(self.feather)).clip(0, 1)
        return np.asarray(left * left * (3 - 2 * left), np.float32)
