"""Box files of the MOTChallenge, which trackers write: one film, a face a line.

`frame,id,x,y,w,h,conf,-1,-1,-1`, with frames from 1. Which film it is, no line tells.
"""

from collections.abc import Iterable, Iterator

from faceanon.boxes.film import in_frames
from faceanon.boxes.record import Record
from faceanon.boxes.table import FaceRows
from faceanon.boxes.values import finite, reason, rounded_box
from faceanon.errors import BoxesError
from faceanon.model import Face


def to_mot(record: Record) -> Iterator[str]:
    """The lines of the faces to hide, without their ends.

    Raises:
        BoxesError: it is no film, or has a face of all frames.
    """
    for face in in_frames(record):
        assert face.frame is not None, "it was checked"
        track = -1 if face.track is None else face.track
        box = face.box
        yield (
            f"{face.frame + 1},{track},{box.left},{box.top},{box.width},{box.height},"
            f"{round(face.score, 4)},-1,-1,-1"
        )


def from_mot(lines: Iterable[str], film: str) -> Record:
    """The record that lines stand for.

    Args:
        lines: those of a file.
        film: the name of the film.

    Raises:
        BoxesError: one is not such a line.
    """
    rows = FaceRows()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.add(_face(line))
        except BoxesError as error:
            raise BoxesError(f"line {number}: {error}") from error
        except ValueError as error:
            raise BoxesError(
                f"line {number}: not a line of a MOT file: {reason(error)}"
            ) from error
    return Record(film, 0, 0, hidden=rows.table({}))


def _face(line: str) -> Face:
    numbers = [finite(float(text)) for text in line.split(",")]
    if len(numbers) < 6:
        raise BoxesError(f"not a line of a MOT file: {len(numbers)} numbers, not 10")
    frame, track, left, top, width, height = numbers[:6]
    if frame < 1 or frame != int(frame):
        raise BoxesError(f"frame {frame:g}: MOT files count frames 1, 2, 3")
    # Others write a flag there, or what is no share; both are of faces that are sure.
    confidence = numbers[6] if len(numbers) > 6 else 1.0
    return Face(
        rounded_box(left, top, left + width, top + height),
        confidence if 0 < confidence <= 1 else 1.0,
        found_by="mot",
        frame=int(frame) - 1,
        track=int(track) if track >= 0 else None,
    )
