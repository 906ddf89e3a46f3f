"""The bytes of an output: a JPEG with its own blocks where it can, else encoded."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from faceanon.encoding import encode
from faceanon.jpeg.rewriting import rewrite, stored
from faceanon.jpeg.structure import CannotKeep
from faceanon.metadata import make_thumbnail, write_into
from faceanon.model import Face, Image
from faceanon.picture import Picture
from faceanon.settings import Settings

KEPT = "kept"

# Rows that are compared at once: few enough to stay in the processor's cache.
_STRIP = 16


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
        PictureError: the format cannot hold the picture.
    """
    jpeg = before.jpeg
    if jpeg is None or settings.format not in (None, "jpeg"):
        return _encoded(after, settings), ""
    try:
        if settings.quality is not None:
            raise CannotKeep("a quality was asked for")
        changed = None
        if after is not before:
            changed = _changed(before.pixels, after.pixels, faces, settings)
        data = rewrite(
            jpeg.data, jpeg.orientation, before.icc_profile, after.pixels, changed
        )
    except CannotKeep as error:
        return _encoded(after, settings), f"re-encoded: {error}"
    thumbnail = None
    if settings.thumbnail:
        thumbnail = make_thumbnail(stored(after.color, jpeg.orientation))
    data = write_into(
        data,
        "jpeg",
        after.metadata,
        orientation=jpeg.orientation,
        thumbnail=thumbnail,
    )
    return data, KEPT


def _encoded(picture: Picture, settings: Settings) -> bytes:
    return encode(
        picture, settings.format, settings.quality, thumbnail=settings.thumbnail
    )


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
    if settings.anonymizer is not None and settings.anonymizer.stays_under_covers:
        return changed
    for top in range(0, len(before), _STRIP):
        strip = slice(top, top + _STRIP)
        if np.array_equal(before[strip], after[strip]):
            continue
        differing = before[strip] != after[strip]
        for channel in np.atleast_3d(differing).transpose(2, 0, 1):
            changed[strip] |= channel
    return changed
