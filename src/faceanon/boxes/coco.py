"""Box files as COCO documents, which labelling tools read and write."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from faceanon.boxes.record import Record
from faceanon.boxes.table import table_if_tracked
from faceanon.boxes.values import (
    finite,
    frame_of,
    reason,
    rounded_box,
    text_of,
    track_of,
    whole,
)
from faceanon.errors import BoxesError
from faceanon.model import Face
from faceanon.storage.names import shown

FACE_CATEGORY = {"id": 1, "name": "face", "supercategory": "person"}


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
                    **({} if face.track is None else {"track": face.track}),
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
                picture=text_of(image["file_name"]),
                width=whole(image["width"]),
                height=whole(image["height"]),
                content=text_of(image.get("content") or ""),
                hidden=tuple(faces[image["id"]]),
            )
            known = records.get(record.picture)
            records[record.picture] = _joined(known, record) if known else record
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise BoxesError(f"not a COCO document: {reason(error)}") from error
    for record in records.values():
        yield replace(record, hidden=table_if_tracked(record.hidden))


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
    return replace(one, content=content, hidden=(*one.hidden, *other.hidden))


def _face_from_coco(annotation: Mapping[str, Any]) -> Face:
    x, y, width, height = (finite(number) for number in annotation["bbox"])
    score = annotation.get("score")
    return Face(
        rounded_box(x, y, x + width, y + height),
        1.0 if score is None else finite(score),
        found_by="coco",
        frame=frame_of(annotation),
        track=track_of(annotation),
    )
