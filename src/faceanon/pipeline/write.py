"""The bytes of an output: a JPEG with its own blocks where it can, else encoded."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.media.formats.jpeg.areas import boxes_around
from faceanon.media.formats.jpeg.file import JpegFile
from faceanon.media.formats.jpeg.rewriting import Change, rewrite
from faceanon.media.formats.jpeg.structure import CannotKeep
from faceanon.media.metadata import make_thumbnail, write_into
from faceanon.media.orientation import stored
from faceanon.media.picture import Picture
from faceanon.media.writing import encode
from faceanon.model import Box, Face, Image
from faceanon.pipeline.hide import hide_faces
from faceanon.settings import Settings

KEPT = "kept"

# Rows that are compared at once: few enough to stay in the processor's cache.
_STRIP = 16


def make_hidden(
    picture: Picture,
    faces: Sequence[Face],
    settings: Settings,
    rng: np.random.Generator,
) -> tuple[bytes, str]:
    """Write a picture with faces hidden in it.

    Of a JPEG only what is around the faces is decoded, if the method needs no more.

    Args:
        picture: as it was read.
        faces: one or more.
        settings: how to hide them, and which format and quality to write.
        rng: the only source of randomness.

    Returns:
        See `make_output`.

    Raises:
        PictureError: the faces cannot be hidden in this way, the format cannot hold the
            picture, or it is damaged.
    """
    reaches = _reaches(picture, faces, settings)
    if reaches is not None:
        change = _hiding(reaches, settings, rng)
        boxes = list(reaches.values())
        try:
            return _kept(picture, picture, boxes, change, settings), KEPT
        except CannotKeep:
            pass  # the same comes of it when it is decoded whole, and is then told
    hidden = hide_faces(picture.color, faces, settings, rng)
    return make_output(picture, picture.with_color(hidden), faces, settings)


def make_output(
    before: Picture, after: Picture, faces: Sequence[Face], settings: Settings
) -> tuple[bytes, str]:
    """Write a picture in the format that the settings ask for.

    Args:
        before: the picture as it was read.
        after: the picture as it is to be written; `before` itself when nothing in it
            was changed.
        faces: those that are hidden.
        settings: which format and quality, and what is covered of each face.

    Returns:
        The bytes of the file, and what became of the blocks of a JPEG that is written
        as a JPEG: `KEPT`, or "re-encoded: " and why; else nothing.

    Raises:
        PictureError: the format cannot hold the picture, or it is damaged.
    """
    if before.jpeg is None or settings.format not in (None, "jpeg"):
        return _encoded(after, settings), ""
    boxes: list[Box] = []
    changed = np.zeros((0, 0), bool)
    if after is not before:
        changed = _changed(before.pixels, after.pixels, faces, settings)
        boxes = boxes_around(changed)

    def change(area: Box, _: Image) -> tuple[Image, NDArray[np.bool_]]:
        pixels = after.pixels[area.slices]
        if pixels.ndim == 2:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
        return pixels, changed[area.slices]

    try:
        return _kept(before, after, boxes, change, settings), KEPT
    except CannotKeep as error:
        return _encoded(after, settings), f"re-encoded: {error}"


def _encoded(picture: Picture, settings: Settings) -> bytes:
    return encode(
        picture, settings.format, settings.quality, thumbnail=settings.thumbnail
    )


def _kept(
    before: Picture,
    after: Picture,
    boxes: Sequence[Box],
    change: Change,
    settings: Settings,
) -> bytes:
    """The file of a JPEG with its blocks kept but for a change in some boxes.

    Raises:
        CannotKeep: that is not possible, or not what is asked for.
    """
    jpeg = before.jpeg
    if jpeg is None or settings.format not in (None, "jpeg"):
        raise CannotKeep("it is not written as a JPEG")
    if settings.quality is not None:
        raise CannotKeep("a quality was asked for")
    if not boxes and isinstance(before.source, JpegFile):
        before.source.check()  # nothing else reads all of it
    data = rewrite(jpeg.data, jpeg.orientation, before.icc_profile, boxes, change)
    thumbnail = None
    if settings.thumbnail:
        thumbnail = make_thumbnail(stored(after.color, jpeg.orientation))
    return write_into(
        data,
        "jpeg",
        after.metadata,
        orientation=jpeg.orientation,
        thumbnail=thumbnail,
    )


def _reaches(
    picture: Picture, faces: Sequence[Face], settings: Settings
) -> dict[Face, Box] | None:
    """In which part of a JPEG each of its faces can be hidden, without the rest.

    Those that lie outside of the picture are left out. None where all of the picture is
    needed.
    """
    method = settings.anonymizer
    if method is None or settings.thumbnail or not isinstance(picture.source, JpegFile):
        return None
    reaches = {}
    for face in faces:
        reach = method.reach(face, settings.cover)
        if reach is None:
            return None
        clipped = reach.clipped(*picture.shape)
        if not clipped.is_empty:
            reaches[face] = clipped
    return reaches


def _hiding(
    reaches: Mapping[Face, Box], settings: Settings, rng: np.random.Generator
) -> Change:
    """Hide in an area those faces whose reaches lie in it."""

    def change(area: Box, pixels: Image) -> tuple[Image, NDArray[np.bool_]]:
        here = [
            face.placed(right=-area.left, down=-area.top)
            for face, reach in reaches.items()
            if area.holds(reach)
        ]
        after = hide_faces(pixels, here, settings, rng)
        return after, _changed(pixels, after, here, settings)

    return change


def _changed(
    before: Image, after: Image, faces: Sequence[Face], settings: Settings
) -> NDArray[np.bool_]:
    """Which pixels are covered, or changed outside the covers: shape (H, W).

    What is covered counts as changed even where it happens to be as before, which
    would tell what was there.
    """
    changed = np.zeros(before.shape[:2], dtype=bool)
    cover = settings.cover
    for face in faces:
        place = cover.box(face, before).slices
        changed[place] |= True if cover.shape == "box" else cover.mask(face, before)
    for top in range(0, len(before), _STRIP):
        strip = slice(top, top + _STRIP)
        if np.array_equal(before[strip], after[strip]):
            continue
        differing = before[strip] != after[strip]
        for channel in np.atleast_3d(differing).transpose(2, 0, 1):
            changed[strip] |= channel
    return changed
