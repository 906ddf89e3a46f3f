"""Box files in JSON Lines, the project's own form: one picture a line."""

import json
from collections.abc import Mapping
from typing import Any

from faceanon.boxes.record import Record
from faceanon.boxes.values import finite, frame_of, points_of, reason, text_of, whole
from faceanon.errors import BoxesError
from faceanon.model import Box, Face, Match

SCHEMA = 1
"""The version of the lines' schema; readers refuse others."""


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
            picture=text_of(data["picture"]),
            width=whole(data["width"]),
            height=whole(data["height"]),
            content=text_of(data.get("content") or ""),
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
        raise BoxesError(f"not a line of a box file: {reason(error)}") from error
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
        told["match"] = match_to_json(match)
    return told


def match_to_json(match: Match) -> dict[str, Any]:
    """Whose a face is, as an object."""
    return {
        "person": match.person or None,
        "similarity": match.similarity and round(match.similarity, 4),
        "verdict": match.verdict,
        "reason": match.reason or None,
    }


def _face_from_json(data: Mapping[str, Any]) -> Face:
    left, top, right, bottom = (whole(side) for side in data["box"])
    if not (left < right and top < bottom):
        raise BoxesError(f"an empty box {data['box']}")
    return Face(
        Box(left, top, right, bottom),
        finite(data.get("score", 1.0)),
        points_of(data.get("points")),
        text_of(data.get("found_by", "")),
        frame_of(data),
    )
