"""Box files: which faces there are in which pictures, to be read and corrected.

Two forms. JSON Lines, one picture a line, is the project's own; COCO, one JSON
document, is what labelling tools read and write. Both are described in `docs/boxes.md`.
"""

import json
import math
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

from faceanon.errors import BoxesError, PictureError
from faceanon.model import Box, Face, Points
from faceanon.storage.names import shown, temporary_name

_BLOCK = 2**20

SCHEMA = 1
"""The version of the lines' schema; readers refuse others."""

BoxesFormat: TypeAlias = Literal["jsonl", "coco"]

MEETS_NO_PICTURE = "the box file tells of it, but no picture in INPUT is called so"
"""Why an entry of a box file fails; it must not be dropped in silence."""

NOT_IN_BOX_FILE = "the box file does not speak of it; detect its faces first"
"""Why a picture fails of which a box file tells nothing."""

FACE_CATEGORY = {"id": 1, "name": "face", "supercategory": "person"}


@dataclass(frozen=True, slots=True)
class Record:
    """The faces of one picture.

    Attributes:
        picture: its path below INPUT, with slashes.
        width: of the upright picture, in pixels.
        height: of the upright picture, in pixels.
        content: `content_digest` of the file; empty when it is not known.
        hidden: the faces to hide.
        shown: faces, or what may be some, that are not to be hidden: those that
            somebody has dropped or chosen by who they are. Of a box file that was read,
            also those of which the detector was unsure.
        unsure: what may be faces, but is not sure enough to be hidden, as long as that
            is known.
        reviewed: whether somebody has looked at it.
    """

    picture: str
    width: int
    height: int
    content: str = ""
    hidden: tuple[Face, ...] = ()
    shown: tuple[Face, ...] = ()
    reviewed: bool = False
    unsure: tuple[Face, ...] = ()


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


def faces_by_frame(faces: Sequence[Face]) -> dict[int, list[Face]]:
    """The faces of each frame; those of a still are in the first."""
    by_frame: dict[int, list[Face]] = defaultdict(list)
    for face in faces:
        by_frame[face.frame or 0].append(face)
    return by_frame


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
    if size not in (None, (record.width, record.height)) or not is_same:
        raise PictureError(
            "it is not the picture that the box file speaks of: it has changed since; "
            "detect its faces again"
        )


def check_all_met(record: Record, met: Set[Face], frames: int) -> None:
    """Refuse a record of which a face hides nothing.

    Args:
        record: what a box file tells.
        met: those of its faces that lie, at least in part, in a frame that they are of.
        frames: how many frames there are.

    Raises:
        PictureError: a face to hide is nowhere in the picture.
    """
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


# --- JSON Lines ------------------------------------------------------------------


def to_line(record: Record) -> str:
    """The record as a line, without its end; ASCII, whatever the name holds."""
    faces = [
        *(face_to_json(face, hide=True) for face in record.hidden),
        *(face_to_json(face, hide=False) for face in (*record.unsure, *record.shown)),
    ]
    return json.dumps(
        {
            "schema": SCHEMA,
            "picture": record.picture,
            "width": record.width,
            "height": record.height,
            "content": record.content or None,
            "reviewed": record.reviewed,
            "faces": faces,
        }
    )


def from_line(line: str) -> Record:
    """The record that a line stands for.

    Raises:
        BoxesError: it is not such a line.
    """
    try:
        data = json.loads(line)
        if data["schema"] != SCHEMA:
            raise BoxesError(f"schema {data['schema']!r} is not known, only {SCHEMA}")
        faces = [(face["hide"], _face_from_json(face)) for face in data["faces"]]
        record = Record(
            picture=_text(data["picture"]),
            width=_whole(data["width"]),
            height=_whole(data["height"]),
            content=_text(data.get("content") or ""),
            hidden=tuple(face for hide, face in faces if hide is True),
            shown=tuple(face for hide, face in faces if hide is False),
            reviewed=data.get("reviewed") is True,
        )
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RecursionError,
    ) as error:
        raise BoxesError(f"not a line of a box file: {_reason(error)}") from error
    if len(record.hidden) + len(record.shown) != len(faces):
        raise BoxesError('not a line of a box file: "hide" must be true or false')
    return record


def face_to_json(face: Face, hide: bool) -> dict[str, Any]:
    """The face as an object of a line."""
    box, match = face.box, face.match
    told: dict[str, Any] = {
        "box": [box.left, box.top, box.right, box.bottom],
        "score": round(face.score, 4),
        "hide": hide,
        "points": face.points and [[round(x, 2), round(y, 2)] for x, y in face.points],
        "found_by": face.found_by,
    }
    if face.frame is not None:
        told["frame"] = face.frame
    if match is not None:
        told["match"] = {
            "person": match.person or None,
            "similarity": match.similarity and round(match.similarity, 4),
            "verdict": match.verdict,
            "reason": match.reason or None,
        }
    return told


def _face_from_json(data: Mapping[str, Any]) -> Face:
    left, top, right, bottom = (_whole(side) for side in data["box"])
    if not (left < right and top < bottom):
        raise BoxesError(f"an empty box {data['box']}")
    return Face(
        Box(left, top, right, bottom),
        _finite(data.get("score", 1.0)),
        _points(data.get("points")),
        _text(data.get("found_by", "")),
        _frame(data),
    )


# --- COCO ------------------------------------------------------------------------


def to_coco(records: Iterable[Record]) -> dict[str, Any]:
    """A COCO document; faces that are not to be hidden are left out of it."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for record in records:
        images.append(
            {
                "id": len(images) + 1,
                "file_name": record.picture,
                "width": record.width,
                "height": record.height,
                "content": record.content or None,
            }
        )
        for face in record.hidden:
            box = face.box
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": len(images),
                    "category_id": FACE_CATEGORY["id"],
                    "bbox": [box.left, box.top, box.width, box.height],
                    "area": box.width * box.height,
                    "iscrowd": 0,
                    "score": round(face.score, 4),
                    **({} if face.frame is None else {"frame": face.frame}),
                }
            )
    return {
        "info": {"description": "Faces found by faceanon"},
        "images": images,
        "annotations": annotations,
        "categories": [FACE_CATEGORY],
    }


def from_coco(document: Mapping[str, Any]) -> Iterator[Record]:
    """The records that a COCO document stands for; every annotation is a face.

    Several entries of one picture, as in documents that were put together, are one.

    Raises:
        BoxesError: it is not such a document, or entries of a picture differ.
    """
    records: dict[str, Record] = {}
    try:
        faces: dict[Any, list[Face]] = {image["id"]: [] for image in document["images"]}
        for annotation in document["annotations"]:
            faces[annotation["image_id"]].append(_face_from_coco(annotation))
        for image in document["images"]:
            record = Record(
                picture=_text(image["file_name"]),
                width=_whole(image["width"]),
                height=_whole(image["height"]),
                content=_text(image.get("content") or ""),
                hidden=tuple(faces[image["id"]]),
            )
            known = records.get(record.picture)
            records[record.picture] = _joined(known, record) if known else record
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise BoxesError(f"not a COCO document: {_reason(error)}") from error
    yield from records.values()


def _joined(one: Record, other: Record) -> Record:
    """The record of two entries of a picture.

    Raises:
        BoxesError: they are not of the same picture.
    """
    contents = {record.content for record in (one, other)} - {""}
    sizes = {(record.width, record.height) for record in (one, other)}
    if len(contents) > 1 or len(sizes) > 1:
        raise BoxesError(
            f"two entries of {shown(one.picture)} differ in size or content; correct "
            "one of them"
        )
    content = max(one.content, other.content)
    return replace(one, content=content, hidden=one.hidden + other.hidden)


def _face_from_coco(annotation: Mapping[str, Any]) -> Face:
    x, y, width, height = (_finite(number) for number in annotation["bbox"])
    box = Box(math.floor(x), math.floor(y), math.ceil(x + width), math.ceil(y + height))
    if box.is_empty:
        raise BoxesError(f"an empty box {annotation['bbox']}")
    score = annotation.get("score")
    return Face(
        box,
        1.0 if score is None else _finite(score),
        found_by="coco",
        frame=_frame(annotation),
    )


# --- Files -----------------------------------------------------------------------


def read(path: Path) -> dict[str, Record]:
    """All records of a box file, JSON Lines or COCO, by picture.

    A picture that has several lines has the last one: a file that is appended to can be
    corrected by appending.

    Raises:
        BoxesError: it cannot be read, or is neither; the text names the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BoxesError(f"{shown(path)} cannot be read: {error}") from error
    try:
        # Programs on Windows write UTF-16, or marks before UTF-8.
        text = data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        raise BoxesError(
            f"{shown(path)} cannot be read: it is no text; save it as UTF-8"
        ) from error
    try:
        return {record.picture: record for record in _records(text)}
    except BoxesError as error:
        raise BoxesError(f"{shown(path)}: {error}") from error


def _records(text: str) -> Iterator[Record]:
    document = _coco_document(text)
    if document is not None:
        yield from from_coco(document)
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield from_line(line)
        except BoxesError as error:
            raise BoxesError(f"line {number}: {error}") from error


def _coco_document(text: str) -> Mapping[str, Any] | None:
    """The document, if it is one; a single line of a box file has no images."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_coco = isinstance(document, dict) and "images" in document
    return document if is_coco else None


def write(path: Path, records: Iterable[Record], form: BoxesFormat = "jsonl") -> None:
    """Write a box file whole: it is the old one or the new one, never a part.

    It keeps the permissions of the old one.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(temporary_name())
    try:
        with temporary.open("x", encoding="ascii") as file:
            if form == "coco":
                json.dump(to_coco(records), file)
            else:
                file.writelines(to_line(record) + "\n" for record in records)
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


# --- Checking what was read ------------------------------------------------------


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BoxesError(f"{value!r} is not a text")
    return value


def _finite(value: Any) -> float:
    # The bound keeps what follows within whole numbers that arrays can hold.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) < 2**31:
        raise BoxesError(f"{value!r} is not a number of pixels")
    return float(value)


def _whole(value: Any) -> int:
    number = _finite(value)
    if number != int(number):
        raise BoxesError(f"{value!r} is not a whole number")
    return int(number)


def _frame(data: Mapping[str, Any]) -> int | None:
    frame = data.get("frame")
    return None if frame is None else _whole(frame)


def _points(value: Any) -> Points | None:
    if value is None:
        return None
    first, second, third, fourth, fifth = ((_finite(x), _finite(y)) for x, y in value)
    return first, second, third, fourth, fifth
