"""A clip: what a file shows, be it one picture, an animation, or pages.

A still is a clip of one frame. Frames come one after the other and are never all in
memory, and a clip can be walked any number of times.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from faceanon.media.picture import Picture
from faceanon.model import Box, Image
from faceanon.storage.suffixes import Format

Kind: TypeAlias = Literal["still", "film", "pages"]
"""One picture; frames that follow each other in time; pages, each for itself."""

Change: TypeAlias = Callable[[Box, Image], tuple[Image, NDArray[np.bool_]]]
"""Change an area of a frame: its place, and its pixels, shape (H, W, 3), BGR, uint8 or
uint16, upright. Returns the pixels after the change, and which count as changed, shape
(H, W)."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a clip before its frames are read.

    Attributes:
        format: of the file; of a film with sound, that of a frame made a picture.
        kind: what the frames are to each other.
        width: of the first frame, upright, in pixels.
        height: likewise.
        count: how many frames there are; of a film with sound, about so many.
        loop: how often a film is repeated, 0 for ever; None when it is shown once.
        has_cover: whether the first frame is shown only by programs that know no
            animations (PNG).
    """

    format: Format
    kind: Kind
    width: int
    height: int
    count: int = 1
    loop: int | None = None
    has_cover: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be changed in a frame, once its pixels are there.

    Attributes:
        change: makes the change.
        areas: boxes inside the frame, outside of which nothing is changed, and each of
            which can be changed without the rest; None where all of it is needed.
    """

    change: Change
    areas: Sequence[Box] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a clip.

    Attributes:
        picture: as it is shown, with all that earlier frames have left.
        seconds: how long it is shown; 0 for a still and for a page.
        edit: what is to be changed when it is written; None for nothing.
        time: when it is shown, exactly, in seconds; None where only the durations are
            known.
        is_damaged: whether it is not what was filmed, and must not be shown.
    """

    picture: Picture
    seconds: float = 0.0
    edit: Edit | None = None
    time: Fraction | None = None
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class EditedFrame:
    """A frame as it is to be written.

    Attributes:
        picture: with all changes.
        seconds: how long it is shown.
        changed: which pixels count as changed, shape (H, W); None for none.
    """

    picture: Picture
    seconds: float = 0.0
    changed: NDArray[np.bool_] | None = None


class Clip(Protocol):
    """A file, open for reading; each format has an implementation.

    Attributes:
        header: what is known of it.
        notes: what the user should know although it can be read, as far as that is
            known; more may be known when its pixels are.
    """

    @property
    def header(self) -> Header:
        """What is known of it."""

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know."""

    def frames(self) -> Iterator[Frame]:
        """The frames from the first to the last; may be called again.

        Raises:
            PictureError: the file is damaged, or a frame is of a kind that is not
                supported; also when the pixels of a frame are asked for.
        """


@dataclass(frozen=True, slots=True)
class Still:
    """A clip of one frame.

    Attributes:
        picture: what it shows.
        seconds: how long it would be shown, were it one of several.
        loop: likewise how often.
        found: what the user should know of the file.
    """

    picture: Picture
    seconds: float = 0.0
    loop: int | None = None
    found: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """See `Clip`."""
        jpeg = self.picture.jpeg
        return self.found + (jpeg.notes if jpeg else ())

    @property
    def header(self) -> Header:
        """See `Clip`."""
        height, width = self.picture.shape
        format_ = self.picture.encoding.format
        return Header(format_, "still", width, height, loop=self.loop)

    def frames(self) -> Iterator[Frame]:
        """See `Clip`."""
        yield Frame(self.picture, self.seconds)


def edited(frame: Frame) -> EditedFrame:
    """Make the change of a frame.

    Raises:
        PictureError: it is a damaged JPEG, or the change cannot be made.
    """
    if frame.edit is None:
        return EditedFrame(frame.picture, frame.seconds)
    height, width = frame.picture.shape
    whole = Box(0, 0, width, height)
    after, changed = frame.edit.change(whole, frame.picture.color)
    return EditedFrame(frame.picture.with_color(after, changed), frame.seconds, changed)
