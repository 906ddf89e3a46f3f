"""The second half of the way: from frames and the record of their faces to new frames.

Nothing is looked for here. The changes are made when a frame is written, and of a JPEG
only where they are needed.
"""

import copy
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.base import LEFT_ALONE, Anonymizer, Sample, Treated
from faceanon.boxes import Record, faces_of
from faceanon.errors import PictureError
from faceanon.media.clip import Change, Clip, Edit, Frame
from faceanon.media.picture import Picture
from faceanon.model import Box, Face, Image
from faceanon.pipeline.preview import drawn
from faceanon.pipeline.progress import told
from faceanon.settings import Settings

# Rows that are compared at once: few enough to stay in the processor's cache.
_STRIP = 16


class Otherwise:
    """Which faces were treated otherwise than the method does it; see `Treated`.

    Attributes:
        faces: those of pictures, each with the method that hid it instead.
        frames: of each track of a film, in how many frames which method hid it instead.
    """

    def __init__(self) -> None:
        self.faces: dict[Face, str] = {}
        self.frames: dict[int, Counter[str]] = defaultdict(Counter)

    def add(self, face: Face, method: str) -> None:
        """Take note of a face."""
        if face.track is None:
            self.faces[face] = method
        else:
            self.frames[face.track][method] += 1


def hidden_frames(
    clip: Clip,
    record: Record,
    settings: Settings,
    rng: np.random.Generator,
    otherwise: Otherwise,
    *,
    samples: Mapping[int, Sequence[Sample]],
) -> Iterator[Frame]:
    """The frames of a clip, each with the edit that hides its faces.

    Args:
        clip: the input.
        record: its faces; those that stay are all of `shown` and `unsure`, in every
            frame where they have none.
        settings: how to hide them.
        rng: the source of randomness, the same in every frame, so that nothing
            flickers.
        otherwise: takes what `Treated.otherwise` says, as the frames are written.
        samples: of a film, the frames in which each face is seen best, as many as the
            method wants.
    """
    method = settings.anonymizer
    assert method is not None, "these settings are not for hiding"
    header = clip.header
    frames: Iterable[Frame] = clip.frames()
    if header.kind == "film":
        method = method.for_film(samples, settings.cover, copy.deepcopy(rng))
        frames = told(frames, "hide", header.count)
    for number, frame in enumerate(frames):
        faces = faces_of(record.hidden, number)
        if faces:
            stay = [*faces_of(record.shown, number), *faces_of(record.unsure, number)]
            again = copy.deepcopy(rng)
            hiding = Hiding(faces, settings, again, stay, otherwise, method)
            yield replace(frame, edit=hiding.edit(frame.picture))
        else:
            yield frame


def previewed_frames(clip: Clip, record: Record) -> Iterator[Frame]:
    """The frames of a clip, each with the edit that draws boxes around its faces."""
    for number, frame in enumerate(clip.frames()):
        sure, unsure = faces_of(record.hidden, number), faces_of(record.unsure, number)
        if sure or unsure:
            yield replace(frame, edit=_drawing(sure, unsure))
        else:
            yield frame


def _drawing(sure: Sequence[Face], unsure: Sequence[Face]) -> Edit:
    def change(_: Box, pixels: Image) -> tuple[Image, NDArray[np.bool_]]:
        after = drawn(pixels, sure, unsure)
        return after, _differing(pixels, after)

    return Edit(change)


@dataclass(frozen=True, slots=True)
class Hiding:
    """What is to be done in one frame.

    Attributes:
        faces: one or more, to be hidden.
        settings: how to hide them.
        rng: the only source of randomness.
        others: its other faces.
        otherwise: see `hidden_frames`.
        method: the method, made ready for a film; None for that of the settings.
    """

    faces: Sequence[Face]
    settings: Settings
    rng: np.random.Generator
    others: Sequence[Face] = ()
    otherwise: Otherwise = field(default_factory=Otherwise)
    method: Anonymizer | None = None

    @property
    def _method(self) -> Anonymizer:
        method = self.method or self.settings.anonymizer
        assert method is not None, "these settings are not for hiding"
        return method

    def edit(self, picture: Picture) -> Edit:
        """The edit that hides the faces in their picture."""
        affected = self._affected_boxes(picture)
        if affected is None:
            return Edit(lambda _, pixels: self._change(pixels, self.faces, 0, 0))
        return Edit(self._hiding_in_parts(affected), list(affected.values()))

    def _hiding_in_parts(self, affected: Mapping[Face, Box]) -> Change:
        """Hide in an area those faces whose affected boxes lie in it."""

        def change(area: Box, pixels: Image) -> tuple[Image, NDArray[np.bool_]]:
            here = [
                face
                for face in self.faces
                if face in affected and area.holds(affected[face])
            ]
            if not here:
                return pixels, np.zeros(pixels.shape[:2], dtype=bool)
            return self._change(pixels, here, -area.left, -area.top)

        return change

    def _change(
        self, pixels: Image, faces: Sequence[Face], right: int, down: int
    ) -> tuple[Image, NDArray[np.bool_]]:
        """Hide faces in pixels that begin elsewhere than their picture."""
        placed = {face.placed(right=right, down=down): face for face in faces}
        others = [face.placed(right=right, down=down) for face in self.others]
        treated = hide_faces(
            pixels,
            list(placed),
            others,
            self.settings,
            self.rng,
            method=self._method,
        )
        for face, name in treated.otherwise.items():
            self.otherwise.add(placed[face], name)
        changed = _changed(pixels, treated, list(placed), self.settings)
        return treated.image, changed

    def _affected_boxes(self, picture: Picture) -> dict[Face, Box] | None:
        """In which part of the picture each face can be hidden, without the rest.

        Those that lie outside of the picture are left out. None where all of the
        picture is needed.
        """
        affected = {}
        for face in self.faces:
            box = self._method.affected_box(face, self.settings.cover)
            if box is None:
                return None
            clipped = box.clipped(*picture.shape)
            if not clipped.is_empty:
                affected[face] = clipped
        return affected


def hide_faces(
    image: Image,
    faces: Sequence[Face],
    others: Sequence[Face],
    settings: Settings,
    rng: np.random.Generator,
    *,
    method: Anonymizer | None = None,
) -> Treated:
    """A copy of an image with these faces hidden, and not the others.

    Args:
        image: shape (H, W, 3), BGR, uint8 or uint16.
        faces: to hide.
        others: its other faces.
        settings: how to hide them.
        rng: the only source of randomness.
        method: the method, made ready for a film; None for that of the settings.

    Raises:
        PictureError: they cannot be hidden in this way.
    """
    method = method or settings.anonymizer
    assert method is not None, "these settings are not for hiding"
    treated = method.treat(image, faces, others, settings.cover, rng)
    hidden = treated.image
    if hidden.shape != image.shape or hidden.dtype != image.dtype:
        # A plug-in's mistake must not become a picture of another size or depth.
        raise PictureError(
            f"the method {settings.method} made {hidden.dtype} {hidden.shape} of "
            f"{image.dtype} {image.shape}; tell its author"
        )
    return treated


def _changed(
    before: Image, treated: Treated, faces: Sequence[Face], settings: Settings
) -> NDArray[np.bool_]:
    """Which pixels are covered, or changed outside the covers: shape (H, W).

    What is covered counts as changed even where it happens to be as before, which
    would tell what was there.
    """
    changed = _differing(before, treated.image)
    cover = settings.cover
    for face in faces:
        if treated.otherwise.get(face) == LEFT_ALONE:
            continue
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
