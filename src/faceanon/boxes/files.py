"""Reading and writing box files."""

import json
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from faceanon.boxes.coco import from_coco, to_coco
from faceanon.boxes.jsonl import from_line, to_line
from faceanon.boxes.record import Record
from faceanon.errors import BoxesError
from faceanon.storage.names import shown, temporary_name

BoxesFormat: TypeAlias = Literal["jsonl", "coco"]


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
