"""All frames of a file: found, hidden in, and written, a few at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from faceanon.errors import PictureError
from faceanon.media.clip import Frame
from faceanon.media.clip_reading import Animation
from faceanon.media.color_signalling import check_colors_fit
from faceanon.media.formats import avif, gif, png, webp
from faceanon.media.formats import tiff_writing as tiff
from faceanon.media.metadata import write_into
from faceanon.media.picture import Format, Picture
from faceanon.model import Face, Image
from faceanon.vision.detection.find import Found
from faceanon.vision.recognition.identities import Sight
from faceanon.vision.tracking.neighbours import with_neighbours

Find: TypeAlias = Callable[[Picture, int], Found]
"""The faces of a frame, by its number."""

Change: TypeAlias = Callable[[Image, Sequence[Face], Sequence[Face]], Image]
"""An image with its sure and its unsure faces to what is to be written instead."""


@dataclass
class Tally:
    """What is found while frames go by; each face with the number of its frame."""

    sure: list[Face] = field(default_factory=list)
    unsure: list[Face] = field(default_factory=list)
    shown: list[Face] = field(default_factory=list)
    sights: list[Sight] = field(default_factory=list)

    @property
    def found(self) -> Found:
        """The faces of all frames."""
        return Found(
            tuple(self.sure),
            tuple(self.unsure),
            tuple(self.shown),
            tuple(self.sights),
        )


def find_all(animation: Animation, find: Find) -> Found:
    """The faces of all frames."""
    tally = Tally()
    for number, frame in enumerate(animation.frames):
        _found(frame, number, find, tally)
    return tally.found


def rewrite(
    animation: Animation,
    find: Find,
    change: Change,
    *,
    reach: int,
    format_: Format,
    quality: int,
    max_pixels: int,
) -> tuple[bytes, Found]:
    """Write a file anew, with its faces hidden in every frame.

    Args:
        animation: what to read.
        find: finds the faces of a frame.
        change: hides them.
        reach: in how many frames before and after a face is hidden, too.
        format_: to write.
        quality: of lossy formats, 1 to 100.
        max_pixels: of all frames together, in formats that want them all at once.

    Returns:
        The bytes, and what was found; of faces that are hidden in a frame because they
        were found in another, `found_by` is "neighbour".

    Raises:
        PictureError: the format cannot hold it.
    """
    if animation.format == "tiff" and format_ != "tiff":
        raise PictureError(
            f"it has {animation.header.count} pages, which only TIFF holds; "
            "use --format tiff"
        )
    tally = Tally()
    header = animation.header
    check_colors_fit(header.metadata, header.icc_profile, format_)
    frames = _fitting(_changed(animation, find, change, reach, tally), format_)
    match format_:
        case "gif":
            data = gif.write(header, frames)
        case "png":
            data = png.write(header, frames)
        case "webp":
            data = webp.write(header, frames, quality)
        case "avif":
            data = avif.write(header, frames, quality, max_pixels)
        case "tiff":
            data = tiff.write(header, frames)
        case _:
            raise PictureError(
                f"it has {header.count} frames, of which {format_} holds one; "
                "use --format png, webp or gif"
            )
    data = write_into(data, format_, header.metadata)
    return data, tally.found


def _changed(
    animation: Animation, find: Find, change: Change, reach: int, tally: Tally
) -> Iterator[Frame]:
    unsure: dict[int, tuple[Face, ...]] = {}

    def sure(numbered: tuple[int, Frame]) -> Sequence[Face]:
        number, frame = numbered
        found = _found(frame, number, find, tally)
        unsure[number] = found.unsure
        return found.sure

    neighbours = with_neighbours(enumerate(animation.frames), sure, reach)
    for (number, frame), here in neighbours:
        faces = [replace(face, frame=number) for face in here]
        tally.sure += [face for face in faces if face.found_by == "neighbour"]
        picture = _picture(frame)
        doubtful = unsure.pop(number)
        if not (faces or doubtful):
            yield frame
            continue
        after = picture.with_color(change(picture.color, faces, doubtful)).pixels
        differing = after != frame.pixels
        changed = differing.any(axis=2) if differing.ndim == 3 else differing
        yield replace(frame, pixels=after, changed=np.asarray(changed))


def _fitting(frames: Iterator[Frame], format_: Format) -> Iterator[Frame]:
    """Refuse frames of more bits than a format holds."""
    for frame in frames:
        if frame.pixels.dtype != np.uint8 and format_ not in ("png", "tiff"):
            raise PictureError(
                f"it has more than 8 bits, which {format_} cannot hold; use --format "
                "png or tiff"
            )
        yield frame


def _found(frame: Frame, number: int, find: Find, tally: Tally) -> Found:
    found = find(_picture(frame), number)
    numbered = Found(
        tuple(replace(face, frame=number) for face in found.sure),
        tuple(replace(face, frame=number) for face in found.unsure),
        tuple(replace(face, frame=number) for face in found.shown),
    )
    tally.sure += numbered.sure
    tally.unsure += numbered.unsure
    tally.shown += numbered.shown
    tally.sights += found.sights
    return numbered


def _picture(frame: Frame) -> Picture:
    return Picture(frame.pixels, frame.encoding)
