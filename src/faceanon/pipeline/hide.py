"""The second half of the way: from frames and the record of their faces to new frames.

Nothing is looked for here. The changes are made when a frame is written, and of a JPEG
only where they are needed.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from faceanon.boxes import Record, faces_by_frame
from faceanon.errors import PictureError
from faceanon.media.clip import Change, Clip, Edit, Frame
from faceanon.media.picture import Picture
from faceanon.model import Box, Face, Image
from faceanon.pipeline.preview import drawn
from faceanon.settings import Settings

# Rows that are compared at once: few enough to stay in the processor's cache.
_STRIP = 16


def hidden_frames(
    clip: Clip, record: Record, settings: Settings, rng: np.random.Generator
) -> Iterator[Frame]:
    """The frames of a clip, each with the edit that hides its faces.

    Args:
        clip: the input.
        record: its faces.
        settings: how to hide them.
        rng: the source of randomness, the same in every frame, so that nothing
            flickers.
    """
    by_frame = faces_by_frame(record.hidden)
    for number, frame in enumerate(clip.frames()):
        faces = by_frame.get(number)
        if faces:
            edit = hiding(frame.picture, faces, settings, copy.deepcopy(rng))
            yield replace(frame, edit=edit)
        else:
            yield frame


def previewed_frames(clip: Clip, record: Record) -> Iterator[Frame]:
    """The frames of a clip, each with the edit that draws boxes around its faces."""
    sure, unsure = faces_by_frame(record.hidden), faces_by_frame(record.unsure)
    for number, frame in enumerate(clip.frames()):
        if number in sure or number in unsure:
            faces = sure.get(number, ()), unsure.get(number, ())
            yield replace(frame, edit=_drawing(*faces))
        else:
            yield frame


def _drawing(sure: Sequence[Face], unsure: Sequence[Face]) -> Edit:
    def change(_: Box, pixels: Image) -> tuple[Image, NDArray[np.bool_]]:
        after = drawn(pixels, sure, unsure)
        return after, _differing(pixels, after)

    return Edit(change)


def hiding(
    picture: Picture,
    faces: Sequence[Face],
    settings: Settings,
    rng: np.random.Generator,
) -> Edit:
    """The edit that hides faces in a picture.

    Args:
        picture: whose faces they are.
        faces: one or more.
        settings: how to hide them.
        rng: the only source of randomness.
    """
    affected = _affected_boxes(picture, faces, settings)
    if affected is None:
        return Edit(_hiding_all(faces, settings, rng))
    areas = list(affected.values())
    return Edit(_hiding_in_parts(faces, affected, settings, rng), areas)


def hide_faces(
    image: Image,
    faces: Sequence[Face],
    settings: Settings,
    rng: np.random.Generator,
) -> Image:
    """A copy of an image with these faces hidden.

    Raises:
        PictureError: they cannot be hidden in this way.
    """
    assert settings.anonymizer is not None, "these settings are not for hiding"
    hidden = settings.anonymizer.hide(image, faces, settings.cover, rng)
    if hidden.shape != image.shape or hidden.dtype != image.dtype:
        # A plug-in's mistake must not become a picture of another size or depth.
        raise PictureError(
            f"the method {settings.method} made {hidden.dtype} {hidden.shape} of "
            f"{image.dtype} {image.shape}; tell its author"
        )
    return hidden


def _affected_boxes(
    picture: Picture, faces: Sequence[Face], settings: Settings
) -> dict[Face, Box] | None:
    """In which part of a picture each of its faces can be hidden, without the rest.

    Those that lie outside of the picture are left out. None where all of the picture is
    needed.
    """
    assert settings.anonymizer is not None, "these settings are not for hiding"
    affected = {}
    for face in faces:
        box = settings.anonymizer.affected_box(face, settings.cover)
        if box is None:
            return None
        clipped = box.clipped(*picture.shape)
        if not clipped.is_empty:
            affected[face] = clipped
    return affected


def _hiding_all(
    faces: Sequence[Face], settings: Settings, rng: np.random.Generator
) -> Change:
    def change(_: Box, pixels: Image) -> tuple[Image, NDArray[np.bool_]]:
        after = hide_faces(pixels, faces, settings, rng)
        return after, _changed(pixels, after, faces, settings)

    return change


def _hiding_in_parts(
    faces: Sequence[Face],
    affected: Mapping[Face, Box],
    settings: Settings,
    rng: np.random.Generator,
) -> Change:
    """Hide in an area those faces whose affected boxes lie in it."""

    def change(area: Box, pixels: Image) -> tuple[Image, NDArray[np.bool_]]:
        here = [
            face.placed(right=-area.left, down=-area.top)
            for face in faces
            if face in affected and area.holds(affected[face])
        ]
        if not here:
            return pixels, np.zeros(pixels.shape[:2], dtype=bool)
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
    changed = _differing(before, after)
    cover = settings.cover
    for face in faces:
        place = cover.box(face, before).slices
        changed[place] |= True if cover.shape == "box" else cover.mask(face, before)
    return changed


def _differing(before: Image, after: Image) -> NDArray[np.bool_]:
    """Which pixels are not what they were: shape (H, W)."""
    differing = np.zeros(before.shape[:2], dtype=bool)
    for top in range(0, len(before), _STRIP):
        strip = slice(top, top + _STRIP)
        if np.array_equal(before[strip], after[strip]):
            continue
        for channel in (before[strip] != after[strip]).transpose(2, 0, 1):
            differing[strip] |= channel
    return differing
