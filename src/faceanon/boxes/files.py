"""Reading and writing box files."""

import json
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TextIO, TypeAlias

from faceanon.boxes.coco import from_coco, to_coco
from faceanon.boxes.jsonl import from_lines, to_lines
from faceanon.boxes.record import Record
from faceanon.boxes.values import reason
from faceanon.errors import BoxesError
from faceanon.storage.names import shown, temporary_name

BoxesFormat: TypeAlias = Literal["jsonl", "coco"]


def read(path: Path) -> dict[str, Record]:
    """All records of a box file by picture; its form is told by its content.

    Raises:
        BoxesError: it cannot be read, or is of no form; the text names the line.
    """
    try:
        with _text(path) as file:
            form = _form(file)
            file.seek(0)
            return {record.picture: record for record in _records(file, form)}
    except OSError as error:
        raise BoxesError(f"{shown(path)} cannot be read: {error}") from error
    except UnicodeError as error:
        raise BoxesError(
            f"{shown(path)} cannot be read: it is no text; save it as UTF-8"
        ) from error
    except BoxesError as error:
        raise BoxesError(f"{shown(path)}: {error}") from error


def form_of(path: Path) -> BoxesFormat:
    """The form of a box file that has been read."""
    with _text(path) as file:
        return _form(file)


def _text(path: Path) -> TextIO:
    """The file, open as text: programs on Windows write UTF-16, or marks before UTF-8.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        encoding = json.detect_encoding(file.read(4))
    return path.open(encoding=encoding)


def _form(file: TextIO) -> BoxesFormat:
    """The form of a box file; where it is none, that which explains best why."""
    first = next((line for line in file if line.strip()), "")
    is_coco = _is_object(first, with_images=True) or (
        # COCO is one document, over many lines or a single one.
        not _is_object(first) and _is_object(first + file.read(), with_images=True)
    )
    return "coco" if is_coco else "jsonl"


def _is_object(text: str, *, with_images: bool = False) -> bool:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and (not with_images or "images" in document)


def _records(file: TextIO, form: BoxesFormat) -> Iterator[Record]:
    if form == "coco":
        try:
            document = json.load(file)
        except (ValueError, RecursionError) as error:
            raise BoxesError(f"not a COCO document: {reason(error)}") from error
        return from_coco(document)
    return from_lines(file)


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
                file.writelines(
                    line + "\n" for record in records for line in to_lines(record)
                )
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
