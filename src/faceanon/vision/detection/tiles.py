"""Showing a picture, or a part of it, at some size, and finding the way back."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.model import Image
from faceanon.vision.detection.candidates import Candidates, Floats, Mask

# Larger pictures are shown in tiles, so that memory stays the same for any size: about
# a million pixels at a time.
_TILE_PIXELS = 1 << 20
_TILE_SIDE = 1024

# How far tiles overlap, in shown pixels. A face whose centre is in a tile's own part
# is whole in the tile when it is no larger than this.
_OVERLAP = 128

BLOCK = 128
"""The longer side of a picture, and both sides of a part of one, are shown in multiples
of this many pixels, as far as they go: the network is twice as quick on shapes that it
has met before."""

# The network takes sides that are multiples of this.
_MULTIPLE = 32

# What is shown larger than this has sides that are multiples of twice as much, which
# stretches it less than it would something small.
_LARGE = 700


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture: left, top, right, bottom in its pixels, not rounded."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, boxes: Floats, margin: float) -> "Region":
        """The region that holds boxes, shape (N, 4), N at least 1, and a margin."""
        left, top = (boxes[:, :2].min(axis=0) - margin).tolist()
        right, bottom = (boxes[:, 2:].max(axis=0) + margin).tolist()
        return cls(left, top, right, bottom)

    def touches(self, other: "Region") -> bool:
        """Whether two regions have a point in common."""
        return (
            self.left <= other.right
            and other.left <= self.right
            and self.top <= other.bottom
            and other.top <= self.bottom
        )

    def joined(self, other: "Region") -> "Region":
        """The region that holds both."""
        return Region(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def holds(self, boxes: Floats) -> Mask:
        """Which boxes, shape (N, 4), have their centres here."""
        x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
        across = (x >= self.left) & (x < self.right)
        return np.asarray(across & (y >= self.top) & (y < self.bottom))


def regions_around(boxes: Floats, margin: float) -> list[Region]:
    """Regions that hold boxes, shape (N, 4), and a margin; none touches another."""
    regions: list[Region] = []
    for box in boxes:
        region = Region.around(box[None], margin)
        # What it joins may touch others then.
        while touching := [other for other in regions if region.touches(other)]:
            regions = [other for other in regions if other not in touching]
            for other in touching:
                region = region.joined(other)
        regions.append(region)
    return regions


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a picture as it is shown to the network.

    Attributes:
        pixels: the part, scaled; sides are multiples of 32.
        left: where the part begins in the picture, in pixels.
        top: likewise.
        scale: (x, y): picture pixels to a shown pixel.
        own: the part of the picture for which this tile answers.
    """

    pixels: Image
    left: int
    top: int
    scale: tuple[float, float]
    own: Region

    def in_picture(self, candidates: Candidates) -> Candidates:
        """Bring candidates from shown pixels to the picture; keep this tile's own."""
        moved = candidates.mapped(self.scale, (self.left, self.top))
        return moved[self.own.holds(moved.boxes)]


def tiles(image: Image, scale: float, region: Region) -> Iterator[Tile]:
    """Show a region of an image, in several tiles where it is large.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        scale: shown pixels to a pixel of the image.
        region: what to show; it may reach over the image's edges.
    """
    height, width = image.shape[:2]
    block = BLOCK / scale
    left, right = _in_blocks(region.left, region.right, block, width)
    top, bottom = _in_blocks(region.top, region.bottom, block, height)
    shown_sides = (
        max(side * scale, _MULTIPLE) for side in (right - left, bottom - top)
    )
    whole = math.prod(shown_sides) <= _TILE_PIXELS
    side, overlap = (math.inf if whole else _TILE_SIDE / scale), _OVERLAP / scale
    for y0, y1, own_top, own_bottom in _spans(top, bottom, side, overlap):
        for x0, x1, own_left, own_right in _spans(left, right, side, overlap):
            pixels, tile_scale = _scaled(image[y0:y1, x0:x1], scale)
            own = Region(own_left, own_top, own_right, own_bottom)
            yield Tile(pixels, x0, y0, tile_scale, own)


def cut_out(image: Image, scale: float, region: Region) -> Tile:
    """Show a region of an image in one tile, moved to lie inside where it can.

    Args:
        image: shape (H, W, 3), BGR, uint8.
        scale: shown pixels to a pixel of the image.
        region: what to show; it may reach over the image's edges.
    """
    height, width = image.shape[:2]
    left, right = _inside(region.left, region.right, width)
    top, bottom = _inside(region.top, region.bottom, height)
    pixels, tile_scale = _scaled(image[top:bottom, left:right], scale)
    return Tile(pixels, left, top, tile_scale, Region(left, top, right, bottom))


def _inside(start: float, stop: float, end: int) -> tuple[int, int]:
    """Move a span inside 0 to `end`, in whole pixels; shorten what is longer."""
    length = min(round(stop - start), end)
    first = min(max(round(start), 0), end - length)
    return first, first + length


def _in_blocks(start: float, stop: float, block: float, end: int) -> tuple[int, int]:
    """Extend a span to whole blocks about its middle, inside 0 to `end`."""
    length = min(math.ceil((stop - start) / block) * block, end)
    first = min(max((start + stop - length) / 2, 0), end - length)
    return round(first), round(first + length)


def _spans(
    start: int, stop: int, side: float, overlap: float
) -> Iterator[tuple[int, int, float, float]]:
    """Cut a span into overlapping tiles of one size, at most `side` long.

    Yields:
        Where a tile begins and ends, and where its own part does: those parts touch,
        the first and the last go on without end.
    """
    span = stop - start
    count = 1 if span <= side else math.ceil((span - overlap) / (side - overlap))
    step = (span - overlap) / count if count > 1 else span
    for index in range(count):
        begin = start + index * step
        end = begin + step + overlap if count > 1 else stop
        yield (
            math.floor(begin),
            min(math.ceil(end), stop),
            begin + overlap / 2 if index else -math.inf,
            end - overlap / 2 if index < count - 1 else math.inf,
        )


def _scaled(image: Image, scale: float) -> tuple[Image, tuple[float, float]]:
    """The image scaled, with sides that are multiples of 32.

    Less than one shown pixel may be missing on the right and at the bottom.

    Returns:
        It, and (x, y): pixels of the image to a shown one.
    """
    is_large = max(image.shape[:2]) * scale > _LARGE
    multiple = 2 * _MULTIPLE if is_large else _MULTIPLE
    height, width = (
        max(math.ceil((side * scale - _MULTIPLE / 8) / multiple), 1) * multiple
        for side in image.shape[:2]
    )
    # Down to half the size, each pixel still counts in a linear interpolation. What is
    # larger is averaged first, over a whole number of pixels: that is quick.
    whole = min(image.shape[0] // height, image.shape[1] // width)
    covered = image
    if 2 * width < image.shape[1] and 2 * height < image.shape[0]:
        rows, columns = (side // whole for side in image.shape[:2])
        covered = image[: rows * whole, : columns * whole]
        image = cv2.resize(covered, (columns, rows), interpolation=cv2.INTER_AREA)
    if image.shape[:2] != (height, width):
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return image, (covered.shape[1] / width, covered.shape[0] / height)
