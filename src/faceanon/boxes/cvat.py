"""Box files of CVAT, a labelling tool: "CVAT for video 1.1", an XML file of one film.

A track is a list of boxes in some frames. In between, a box moves in straight lines; it
ends with one that is "outside", or with the film.

https://docs.cvat.ai/docs/manual/advanced/xml_format/
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO
from xml.parsers import expat
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from faceanon.boxes.film import check_is_of, in_frames
from faceanon.boxes.record import Record
from faceanon.boxes.table import FaceRows, FaceTable
from faceanon.boxes.values import finite, reason, whole
from faceanon.errors import BoxesError
from faceanon.storage.names import shown

# A file of a few bytes can have a box in two billion frames.
_MAX_FACES = 10_000_000

_FOUND_BY = "cvat"

_LABEL = "face"

_SIDES = ("xtl", "ytl", "xbr", "ybr")
_COUNTS = frozenset({"size", "stop_frame", "width", "height"})
_WITHOUT_FACES = frozenset({"version", "meta", "tag"})

# Boxes are within what the columns of a table can hold.
_FAR = 2**31 - 1

# So many rows become text at once, or so many boxes of tracks faces,
_BLOCK = 1024

# and these in pieces of so many.
_PIECE = 2**16


def to_cvat(record: Record) -> Iterator[str]:
    """The lines of the document of the faces to hide, without their ends; ASCII.

    A face without a track becomes a track of one frame.

    Raises:
        BoxesError: it is no film, or has a face of all frames.
    """
    table = in_frames(record)
    last = (
        max(record.frame_count or 1, int(table.frames[-1]) + 1 if len(table) else 0) - 1
    )
    yield from _meta(record, last)
    track, frame, box = -1, -1, ""
    for next_track, next_frame, (left, top, right, bottom) in _by_track(table):
        if next_track != track:
            if track >= 0:
                yield from _end_of_track(frame, last, box)
                yield "</track>"
            yield f'<track id="{next_track}" label="{_LABEL}" source="auto">'
        elif next_frame > frame + 1:
            yield _box(frame + 1, box, outside=True)
        track, frame = next_track, next_frame
        box = f'xtl="{left}" ytl="{top}" xbr="{right}" ybr="{bottom}"'
        yield _box(frame, box)
    if track >= 0:
        yield from _end_of_track(frame, last, box)
        yield "</track>"
    yield "</annotations>"


def _meta(record: Record, last: int) -> Iterator[str]:
    name = escape(shown(record.picture)).encode("ascii", "xmlcharrefreplace").decode()
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield "<annotations><version>1.1</version>"
    yield f"<meta><task><name>{name}</name><size>{last + 1}</size>"
    yield "<mode>interpolation</mode><start_frame>0</start_frame>"
    yield f"<stop_frame>{last}</stop_frame>"
    yield f"<labels><label><name>{_LABEL}</name><attributes/></label></labels>"
    yield (
        f"<original_size><width>{record.width}</width>"
        f"<height>{record.height}</height></original_size>"
    )
    yield f"<source>{name}</source></task></meta>"


def _by_track(table: FaceTable) -> Iterator[tuple[int, int, list[int]]]:
    """Track, frame and box of each face, by track and then by frame."""
    tracks = table.tracks.astype(np.int64)
    order = np.lexsort((table.frames, tracks))
    # What a track has besides in a frame is one of its own, too.
    is_second = np.zeros(len(table), bool)
    is_second[order[1:]] = (np.diff(tracks[order]) == 0) & (
        np.diff(table.frames[order]) == 0
    )
    alone = np.flatnonzero(is_second | (tracks < 0))
    tracks[alone] = tracks.max(initial=-1) + 1 + np.arange(len(alone))
    order = np.lexsort((table.frames, tracks))
    for start in range(0, len(order), _BLOCK):
        rows = order[start : start + _BLOCK]
        yield from zip(
            tracks[rows].tolist(),
            table.frames[rows].tolist(),
            table.boxes[rows].tolist(),
            strict=True,
        )


def _end_of_track(frame: int, last: int, box: str) -> Iterator[str]:
    if frame < last:
        yield _box(frame + 1, box, outside=True)


def _box(frame: int, box: str, *, outside: bool = False) -> str:
    return (
        f'<box frame="{frame}" outside="{int(outside)}" occluded="0" keyframe="1" '
        f'{box} z_order="0"/>'
    )


def from_cvat(file: BinaryIO, film: str, stem: str) -> Record:
    """The record that a document stands for; boxes of every label are faces.

    Args:
        file: the document.
        film: the name of the film.
        stem: what the film may be called, too, besides what the document calls it.

    Raises:
        BoxesError: it is not such a document, or is of another film.
    """
    reader = _Reader()
    try:
        reader.parser.ParseFile(file)
    except expat.ExpatError as error:
        why = expat.errors.messages.get(error.code, "damaged")
        raise BoxesError(f"line {error.lineno}: the XML is damaged: {why}") from error
    except BoxesError as error:
        raise BoxesError(f"{reader.line}: {error}") from error
    except (ValueError, LookupError) as error:
        raise BoxesError(f"{reader.line}: not a CVAT file: {reason(error)}") from error
    check_is_of(film, [*reader.names, stem])
    return reader.record(film)


class _Reader:
    """Takes a document as it is parsed.

    Attributes:
        parser: to be fed.
        names: what the film is called.
    """

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._take_text
        # Entities can name other files, and grow without end; CVAT writes none.
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.names: list[str] = []
        self._path: list[str] = []
        self._text = ""
        self._told: dict[str, int] = {}
        self._rows = FaceRows()
        self._track = -1
        self._keys: list[tuple[float, ...]] = []
        self._pending: list[tuple[float, ...]] = []
        self._count = 0

    @property
    def line(self) -> str:
        """Where in the document it is."""
        return f"line {self.parser.CurrentLineNumber}"

    def record(self, film: str) -> Record:
        """The record of all that was taken."""
        self._add_pending()
        width, height = (self._told.get(side, 0) for side in ("width", "height"))
        return Record(film, width, height, hidden=self._rows.table({}))

    def _refuse(self, *_: object) -> None:
        raise BoxesError("it has a document type (<!DOCTYPE ...>), which may do harm")

    def _start(self, name: str, values: dict[str, str]) -> None:
        within = self._path[-1] if self._path else ""
        self._path.append(name)
        self._text = ""
        if len(self._path) == 1 and name != "annotations":
            raise BoxesError(f"not a CVAT file: it begins with <{shown(name)}>")
        if within == "track":
            if name != "box":
                raise BoxesError(f"a track has a <{shown(name)}>; only boxes are read")
            self._take_box(values)
        elif within == "annotations":
            if name == "track":
                self._begin_track(values)
            elif name not in _WITHOUT_FACES:
                raise BoxesError(
                    f"it has <{shown(name)}> besides tracks; export it from CVAT as "
                    "'CVAT for video 1.1'"
                )

    def _end(self, name: str) -> None:
        within = self._path[:-1]
        self._path.pop()
        text = self._text.strip()
        if within == ["annotations"] and name == "track":
            self._end_track()
        elif within[:2] != ["annotations", "meta"]:
            return
        elif name in _COUNTS and len(within) <= 4:
            self._told[name] = whole(int(text))
        elif name == "source" or (name == "name" and len(within) == 3):
            self.names.append(text)

    def _take_text(self, text: str) -> None:
        self._text += text

    def _begin_track(self, values: Mapping[str, str]) -> None:
        if "task_id" in values:
            raise BoxesError("it is of a project; export a single task")
        self._track, self._keys = whole(int(values["id"])), []
        if self._track < 0:
            raise BoxesError(f"track {self._track}: tracks are counted from 0")

    def _take_box(self, values: Mapping[str, str]) -> None:
        frame = whole(int(values["frame"]))
        if frame < 0:
            raise BoxesError(f"frame {frame}: frames are counted from 0")
        left, top, right, bottom = (finite(float(values[side])) for side in _SIDES)
        is_outside = values.get("outside", "0") == "1"
        # Where nothing is seen, a box may have come to nothing.
        least = 0 if is_outside else 1e-6
        if right - left < least or bottom - top < least:
            raise BoxesError("an empty box")
        angle = finite(float(values.get("rotation", 0)))
        self._keys.append((frame, left, top, right, bottom, angle, is_outside))

    def _end_track(self) -> None:
        keys = sorted(self._keys)
        last = self._told.get("stop_frame", self._told.get("size", 0) - 1)
        for number, key in enumerate(keys):
            is_last = number + 1 == len(keys)
            end = max(last, int(key[0])) + 1 if is_last else int(keys[number + 1][0])
            if end == key[0]:
                raise BoxesError(f"track {self._track} has two boxes in a frame")
            count = 0 if key[-1] else end - int(key[0])
            self._count += count
            self._pending.append((*key, self._track, count, is_last))
        if self._count > _MAX_FACES:
            raise BoxesError(f"it has more than {_MAX_FACES:,} boxes")
        # Many short tracks at a time, as arrays are slow to begin with.
        if len(self._pending) >= _BLOCK:
            self._add_pending()

    def _add_pending(self) -> None:
        """Turn the boxes of whole tracks into faces: from each box to the next."""
        if not self._pending:
            return
        keys = np.array(self._pending, np.float64)
        self._pending = []
        here = np.arange(len(keys))
        following = np.where(keys[:, 9] > 0, here, here + 1)
        counts = keys[:, 8].astype(np.int64)
        row = np.repeat(here, counts)
        step = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        for start in range(0, len(row), _PIECE):
            some = slice(start, start + _PIECE)
            self._add_moving(
                keys[row[some]],
                keys[following[row[some]]],
                step[some],
                step[some] / counts[row[some]],
            )

    def _add_moving(
        self,
        one: NDArray[np.float64],
        two: NDArray[np.float64],
        step: NDArray[np.int64],
        way: NDArray[np.float64],
    ) -> None:
        """Add faces, each so many frames and such a share of the way between boxes.

        Args:
            one: the box before; shape (N, 10), as they are pending.
            two: the one after.
            step: shape (N,).
            way: 0 to 1; shape (N,).
        """
        boxes = one[:, 1:5] + (two[:, 1:5] - one[:, 1:5]) * way[:, None]
        # The shorter way round.
        turn = (two[:, 5] - one[:, 5] + 180) % 360 - 180
        boxes = _around(boxes, one[:, 5] + turn * way)
        boxes[:, :2], boxes[:, 2:] = np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])
        self._rows.add_block(
            (one[:, 0] + step).astype(np.int32),
            boxes.clip(-_FAR, _FAR).astype(np.int32),
            one[:, 7].astype(np.int32),
            _FOUND_BY,
        )


def _around(
    boxes: NDArray[np.float64], degrees: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The upright boxes around boxes that are turned about their middles.

    Args:
        boxes: left, top, right, bottom; shape (N, 4).
        degrees: shape (N,).
    """
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    middle = boxes[:, :2] + half
    cos, sin = np.abs(np.cos(np.radians(degrees))), np.abs(np.sin(np.radians(degrees)))
    width = half[:, 0] * cos + half[:, 1] * sin
    height = half[:, 0] * sin + half[:, 1] * cos
    reach = np.stack([width, height], 1)
    turned = np.concatenate([middle - reach, middle + reach], 1)
    return np.where(degrees[:, None] % 360 == 0, boxes, turned)
