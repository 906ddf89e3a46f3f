"""Reading and writing box files."""

import json
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, TextIO, TypeAlias

from faceanon.boxes.coco import from_coco, to_coco
from faceanon.boxes.cvat import from_cvat, to_cvat
from faceanon.boxes.film import check_is_of
from faceanon.boxes.jsonl import from_lines, to_lines
from faceanon.boxes.mot import from_mot, to_mot
from faceanon.boxes.record import Record
from faceanon.boxes.values import reason
from faceanon.errors import BoxesError
from faceanon.storage.names import shown, temporary_name

BoxesFormat: TypeAlias = Literal["jsonl", "coco", "mot", "cvat"]

FOR_ONE_FILM = frozenset[BoxesFormat]({"mot", "cvat"})
"""The forms of which a file is about one film, which nothing in it names for sure."""

_MOT_LINE = re.compile(r"\s*[0-9]+(\.0*)?\s*,")

_LINES: Mapping[BoxesFormat, Callable[[Record], Iterator[str]]] = {
    "jsonl": to_lines,
    "mot": to_mot,
    "cvat": to_cvat,
}


def lines_of(record: Record, form: BoxesFormat) -> Iterator[str]:
    """A record as lines without their ends, in a form other than COCO.

    Raises:
        BoxesError: this form cannot hold it.
    """
    return _LINES[form](record)


def read(path: Path, film: str = "") -> dict[str, Record]:
    """All records of a box file by picture; its form is told by its content.

    Args:
        path: the file.
        film: the name of INPUT, where it is a single file. Without it, a file about
            one film, MOT or CVAT, is refused.

    Raises:
        BoxesError: it cannot be read, is of no form, or of another film; the text names
            the line.
    """
    try:
        form = form_of(path)
        if form in FOR_ONE_FILM and not film:
            raise BoxesError(
                f"a {form.upper()} file is about one film; give it with that film as "
                "INPUT"
            )
        return {record.picture: record for record in _records(path, form, film)}
    except OSError as error:
        raise BoxesError(f"{shown(path)} cannot be read: {error}") from error
    except UnicodeError as error:
        raise BoxesError(
            f"{shown(path)} cannot be read: it is no text; save it as UTF-8"
        ) from error
    except BoxesError as error:
        raise BoxesError(f"{shown(path)}: {error}") from error


def form_of(path: Path) -> BoxesFormat:
    """The form of a box file; where it is of none, the one that tells best why.

    Raises:
        OSError: it cannot be read.
    """
    with _text(path, errors="replace") as file:
        first = next((line for line in file if line.strip()), "")
        if first.lstrip().startswith("<"):
            return "cvat"
        if _MOT_LINE.match(first):
            return "mot"
        is_coco = _is_object(first, with_images=True) or (
            # COCO is one document, over many lines or a single one.
            not _is_object(first) and _is_object(first + file.read(), with_images=True)
        )
    return "coco" if is_coco else "jsonl"


def _text(path: Path, errors: str = "strict") -> TextIO:
    """The file, open as text: programs on Windows write UTF-16, or marks before UTF-8.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        encoding = json.detect_encoding(file.read(4))
    return path.open(encoding=encoding, errors=errors)


def _is_object(text: str, *, with_images: bool = False) -> bool:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and (not with_images or "images" in document)


def _records(path: Path, form: BoxesFormat, film: str) -> Iterator[Record]:
    if form == "cvat":
        with path.open("rb") as data:
            yield from_cvat(data, film, path.stem)
        return
    with _text(path) as file:
        if form == "mot":
            check_is_of(film, [path.stem])
            yield from_mot(file, film)
        elif form == "coco":
            try:
                document = json.load(file)
            except (ValueError, RecursionError) as error:
                raise BoxesError(f"not a COCO document: {reason(error)}") from error
            yield from from_coco(document)
        else:
            yield from from_lines(file)


def write(path: Path, records: Iterable[Record], form: BoxesFormat = "jsonl") -> None:
    """Write a box file whole: it is the old one or the new one, never a part.

    It keeps the permissions of the old one, where they can be set.

    Raises:
        BoxesError: this form cannot hold the records.
        OSError: it cannot be written.
    """
    temporary = path.with_name(temporary_name())
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, 0o666 if mode is None else mode)

    try:
        with open(temporary, "x", encoding="ascii", opener=opener) as file:
            if form == "coco":
                json.dump(to_coco(records), file)
            else:
                for record in records:
                    file.writelines(line + "\n" for line in lines_of(record, form))
        if mode is not None:
            with suppress(OSError):  # some shares let nobody change a mode
                temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
