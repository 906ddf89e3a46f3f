"""What a method is: a frozen dataclass whose fields are its options."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon import options
from faceanon.anonymizers.tracks import Tracks, rngs_of_tracks
from faceanon.model import Box, Cover, Face, Image


class Guarantee(StrEnum):
    """What holds of the outputs of a method, so that `faceanon verify` can check it.

    Whatever the method, nothing but the picture itself may tell who is in it.
    """

    HIDDEN = "hidden"
    """No face can be told, or seen."""

    MOVED = "moved"
    """No face is in its own place."""

    NONE = "none"
    """Nothing: faces can be told."""


LEFT_ALONE = ""
"""Stands in `Treated.otherwise` for a face that looks as it did before."""


@dataclass(frozen=True, slots=True)
class Treated:
    """A picture after a method, and which faces the method itself could not treat.

    Attributes:
        image: a copy of the original, of its shape and dtype.
        otherwise: the faces that were treated otherwise than this method does it: the
            name of the method that hid each of them, or `LEFT_ALONE`.
    """

    image: Image
    otherwise: Mapping[Face, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A face of a film where it is seen well.

    Attributes:
        image: the part of the frame around it: shape (H, W, 3), BGR, uint8 or uint16,
            upright.
        face: where it lies in the image.
        others: other faces in it.
    """

    image: Image
    face: Face
    others: Sequence[Face] = ()


class Anonymizer(ABC):
    """A way to hide faces.

    A method is a frozen dataclass: its docstring is the help of its subcommand, the
    fields that it declares with `faceanon.options.option` are its options. It holds
    nothing but those, so that it can be sent to other processes and compared.
    """

    default_cover: ClassVar[Cover] = Cover()
    """What this method covers around a face when the user does not say."""

    guarantee: ClassVar[Guarantee] = Guarantee.HIDDEN
    """What its outputs are held to."""

    samples: ClassVar[int] = 0
    """How many samples of each track of a film `for_film` needs, at most. Without need
    for any, a film is read once less."""

    def __post_init__(self) -> None:
        """Check the options against what they declare."""
        options.check(self)

    def cautions(self) -> tuple[str, ...]:
        """What the user must be told about the protection these options give."""
        return ()

    def content(self) -> bytes:
        """What covers are made from besides the options, such as files that these name.

        Outputs that were made from something else count as made with other options.
        """
        return b""

    @classmethod
    def catalogue(cls) -> tuple[str, ...]:
        """The lines that `--list` prints, each with a name first; empty for none."""
        return ()

    @property
    def pseudonyms(self) -> int:
        """How many pseudonyms it has for people who are to be told apart.

        Where there are any, `Face.pseudonym` says which of them a person has, the same
        in all pictures of a run. Where there is none, nobody is told apart.
        """
        return 0

    @property
    def weakened_by_repetition(self) -> bool:
        """Whether the mean of several outputs of one picture would show its faces.

        Its randomness is then the same whenever the same picture is treated.
        """
        return False

    def affected_box(self, face: Face, cover: Cover) -> Box | None:
        """The part of a picture in which a face is hidden; it may reach over the edge.

        Nothing outside of it is changed, nor makes a difference, but for the parts of
        other faces that it overlaps. None where that cannot be said.
        """
        return None

    def for_film(
        self,
        samples: Mapping[int, Sequence[Sample]],
        cover: Cover,
        rng: np.random.Generator,
    ) -> "Anonymizer":
        """The method for one film, the frames of which come one after the other.

        Whatever is random, chosen or measured from a face belongs to its track
        (`Face.track`), so that nothing flickers, and nothing is won from the mean of
        many frames. In each frame `treat` gets the same randomness; what must not
        change can be drawn by it and by the number of the track, and `Face.tone` is
        the same all over a track. What needs more than that, such as a partner chosen
        once, is remembered by what is returned here.

        Args:
            samples: of each track to hide, by its number, up to `samples` frames in
                which its face is seen best.
            cover: as for `treat`.
            rng: the source of randomness.
        """
        return self

    def partners(
        self, image: Image, faces: Sequence[Face], others: Sequence[Face]
    ) -> Sequence[Face]:
        """Those of the other faces that must be changed too to hide these ones.

        Args:
            image: shape (H, W, 3), BGR, uint8 or uint16, upright.
            faces: one or more that are to be hidden.
            others: the picture's other faces, which could stay.
        """
        return ()

    @abstractmethod
    def hide(
        self,
        image: Image,
        faces: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Image:
        """Return a copy of the image in which every one of the faces is hidden.

        Args:
            image: shape (H, W, 3), BGR, uint8 or uint16, upright. It is not changed.
            faces: one or more; their boxes may reach over the image's edge.
            cover: how much around each face is to be covered.
            rng: the only source of randomness.

        Returns:
            An array of the same shape and dtype, not sharing memory with `image`.

        Raises:
            PictureError: these faces cannot be hidden in this way.
        """

    def treat(
        self,
        image: Image,
        faces: Sequence[Face],
        others: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Treated:
        """Hide the faces, and say which of them were treated in another way.

        What is asked of `hide` is asked here. See `ReportingAnonymizer`.

        Args:
            image: as for `hide`.
            faces: as for `hide`.
            others: the picture's other faces, which are not hidden; none of their
                pixels may appear elsewhere.
            cover: as for `hide`.
            rng: as for `hide`.
        """
        return Treated(self.hide(image, faces, cover, rng))


class ReportingAnonymizer(Anonymizer):
    """A method that reports on each face, or must know the picture's other faces."""

    def hide(
        self,
        image: Image,
        faces: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Image:
        """See `Anonymizer.hide`."""
        return self.treat(image, faces, (), cover, rng).image

    @abstractmethod
    def treat(
        self,
        image: Image,
        faces: Sequence[Face],
        others: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Treated:
        """See `Anonymizer.treat`."""


class SteadyAnonymizer(ReportingAnonymizer):
    """A method that goes on in each frame of a film where it was in the one before."""

    def for_film(
        self,
        samples: Mapping[int, Sequence[Sample]],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Anonymizer:
        """See `Anonymizer.for_film`."""
        return _SteadyInFilm(self)

    def treat(
        self,
        image: Image,
        faces: Sequence[Face],
        others: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Treated:
        """See `Anonymizer.treat`: a picture is a film of one frame."""
        return self.go_on(image, faces, others, cover, rng, tracks=Tracks())

    @abstractmethod
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
        """Treat the next frame; see `Anonymizer.treat`.

        Args:
            image: as for `treat`.
            faces: as for `treat`.
            others: as for `treat`.
            cover: as for `treat`.
            rng: as for `treat`; in the same state in each frame of a film.
            tracks: what is remembered of the frames before.
        """


class InFilm(ReportingAnonymizer):
    """What `for_film` returns where something must be remembered.

    Attributes:
        method: the plain method. What holds of its class holds of this.
    """

    def __init__(self, method: Anonymizer) -> None:
        self.method = method
        # Of each class its own, which mypy takes for constants.
        self.default_cover = method.default_cover  # type: ignore[misc]
        self.guarantee = method.guarantee  # type: ignore[misc]

    def affected_box(self, face: Face, cover: Cover) -> Box | None:
        """See `Anonymizer.affected_box`."""
        return self.method.affected_box(face, cover)


class _SteadyInFilm(InFilm):
    method: SteadyAnonymizer

    def __init__(self, method: SteadyAnonymizer) -> None:
        super().__init__(method)
        self._tracks = Tracks()

    def treat(
        self,
        image: Image,
        faces: Sequence[Face],
        others: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Treated:
        return self.method.go_on(image, faces, others, cover, rng, tracks=self._tracks)


class PatchAnonymizer(Anonymizer):
    """A method that hides each face by itself, from the pixels under its cover."""

    def affected_box(self, face: Face, cover: Cover) -> Box | None:
        """See `Anonymizer.affected_box`; another `hide` may do anything."""
        is_own = type(self).hide is PatchAnonymizer.hide
        return cover.reach(face) if is_own else None

    @abstractmethod
    def hide_patch(
        self, patch: Image, face_width: float, rng: np.random.Generator
    ) -> Image:
        """Hide the face in a patch cut from the image.

        Args:
            patch: shape (h, w, 3), h and w at least 1. It is not changed.
            face_width: width of the face as detected, in pixels; strength is a share
                of it. The patch is wider, as the cover is grown, or narrower, where
                the image ends.
            rng: the only source of randomness; in a film the same in each frame, and
                another one for each track.

        Returns:
            An array of the patch's shape and dtype.
        """

    def hide(
        self,
        image: Image,
        faces: Sequence[Face],
        cover: Cover,
        rng: np.random.Generator,
    ) -> Image:
        """Hide the faces one after the other; see `Anonymizer.hide`."""
        result = image.copy()
        of_tracks = rngs_of_tracks(faces, rng)
        # The largest last: where a detector has taken a part of a face for another, the
        # strength is that which the whole face needs.
        for face in sorted(faces, key=lambda face: face.box.width):
            box = cover.box(face, image)
            if box.is_empty:
                continue
            # Cut from the original: where covers overlap, a blur is not blurred again.
            own = rng if face.track is None else of_tracks[face.track]
            patch = self.hide_patch(image[box.slices], float(face.box.width), own)
            lay_over(result[box.slices], patch, cover.share(face, image))
        return result


def lay_over(under: Image, patch: Image, share: NDArray[np.float32]) -> None:
    """Lay a patch over pixels, in place.

    Args:
        under: shape (h, w, 3), uint8 or uint16; changed where the share is above 0.
        patch: shape and dtype of `under`.
        share: how much of the patch each pixel takes, 0 to 1; shape (h, w).
    """
    if share.min() == 1:
        under[:] = patch
        return
    if under.dtype == np.uint8:
        under[:] = cv2.blendLinear(patch, under, share, 1 - share)
        return
    below = under.astype(np.float32)
    mixed = below + share[:, :, None] * (patch - below)
    under[:] = mixed.round().astype(under.dtype)
