"""What is known of the faces of one picture or clip."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from hashlib import blake2b
from typing import BinaryIO

from faceanon.boxes.times import FrameTimes
from faceanon.errors import PictureError
from faceanon.model import Face

_BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class Record:
    """The faces of one picture, or of one film.

    Those of a film are a `FaceTable`.

    Attributes:
        picture: its path below INPUT, with slashes.
        width: of the upright picture, in pixels; 0 when it is not known.
        height: likewise.
        content: `content_digest` of the file; empty when it is not known.
        hidden: the faces to hide.
        shown: faces, or what may be some, that are not to be hidden: those that
            somebody has dropped or chosen by who they are. Of a box file that was read,
            also those of which the detector was unsure.
        unsure: what may be faces, but is not sure enough to be hidden, as long as that
            is known.
        reviewed: whether somebody has looked at it.
        times: when frames of a film are shown, as far as it is known.
        frame_count: of how many frames of a film it tells, from the first on; None
            where it tells of all, how many there may be.
    """

    picture: str
    width: int
    height: int
    content: str = ""
    hidden: Sequence[Face] = ()
    shown: Sequence[Face] = ()
    reviewed: bool = False
    unsure: Sequence[Face] = ()
    times: FrameTimes | None = None
    frame_count: int | None = None


def content_digest(file: BinaryIO) -> str:
    """What tells whether a picture is still the one in which faces were found."""
    digest = blake2b(digest_size=16)
    update_by_file(digest, file)
    return digest.hexdigest()


def update_by_file(digest: blake2b, file: BinaryIO) -> None:
    """Put all that a file holds into a digest."""
    file.seek(0)
    while block := file.read(_BLOCK):
        digest.update(block)


def check_is_same(
    record: Record, *, size: tuple[int, int] | None = None, content: str = ""
) -> None:
    """Refuse a record that is of another picture.

    Args:
        record: what a box file tells.
        size: width and height of the upright picture, where they are known.
        content: `content_digest` of it; empty where that is not known.

    Raises:
        PictureError: it is another picture.
    """
    is_same = not (record.content and content) or record.content == content
    known = record.width, record.height
    if (size and any(known) and size != known) or not is_same:
        raise PictureError(
            "it is not the picture that the box file speaks of: it has changed since; "
            "detect its faces again"
        )


def check_all_met(record: Record, met: Set[Face], frames: int) -> None:
    """Refuse a record of which a face hides nothing, or that ends before the film.

    Args:
        record: what a box file tells.
        met: those of its faces that lie, at least in part, in a frame that they are of.
        frames: how many frames there are.

    Raises:
        PictureError: a face to hide is nowhere in the picture, or nothing is told of
            its last frames.
    """
    if record.frame_count is not None and frames > record.frame_count:
        raise PictureError(
            f"the box file tells only of its first {record.frame_count} frames, and "
            f"there are {frames}; detect its faces again"
        )
    for face in record.hidden:
        if face in met:
            continue
        box = face.box
        where = f"a box at {box.left},{box.top} to {box.right},{box.bottom}"
        if face.frame is not None and not 0 <= face.frame < frames:
            raise PictureError(
                f"the box file has {where} in frame {face.frame}, and there are only "
                f"{frames} (frames are counted from 0); correct the box file"
            )
        raise PictureError(
            f"the box file has {where}, which lies outside of the picture; correct "
            "the box file"
        )
