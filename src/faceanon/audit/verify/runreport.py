"""What the report of a run tells that an audit wants to know."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from faceanon import anonymizers
from faceanon.anonymizers.base import Promise
from faceanon.errors import FaceanonError, OptionError
from faceanon.model import Box
from faceanon.pipeline.job import Status
from faceanon.storage.names import shown

Shown: TypeAlias = tuple[Box, int | None]


@dataclass(frozen=True, slots=True)
class Told:
    """What a report tells of a picture.

    Attributes:
        output: the path of the output, as the run was given it; None if it made none.
        promise: what the method of the run promises.
        shown: the faces that were not to be hidden, by who they are: the box of each,
            and the number of its frame, if there are several.
        keeps_time: whether the run was told to keep times.
    """

    output: str | None
    promise: Promise
    shown: tuple[Shown, ...]
    keeps_time: bool


def read(path: Path) -> dict[str, Told]:
    """What a report tells of each picture, by its path below INPUT.

    A picture that several runs wrote about counts by its last line; that a run found it
    done already tells nothing new.

    Raises:
        FaceanonError: the report cannot be read, or is none.
    """
    told: dict[str, Told] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, start=1):
                if not text.endswith("\n"):
                    break  # cut off when the run was killed
                try:
                    line = json.loads(text)
                    is_done = line["status"] == Status.SKIPPED
                    if not (is_done and line["picture"] in told):
                        told[str(line["picture"])] = _told(line)
                except OptionError:
                    raise
                except _NO_LINE as error:
                    raise FaceanonError(
                        f"{shown(path)} is not a report: its line {number} is no line "
                        "of one"
                    ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise FaceanonError(f"{shown(path)} cannot be read: {error}") from error
    return told


# What comes of looking for what a line of a report has in another text.
_NO_LINE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def _told(line: dict[str, Any]) -> Told:
    settings = line["settings"]
    return Told(
        None if line["output"] is None else str(line["output"]),
        anonymizers.get(str(settings["method"])).promise,
        tuple(
            (Box(*map(int, face["box"])), face.get("frame"))
            for face in line["faces"]
            if face["hide"] is False
        ),
        settings["metadata"] == "all-but-identity",
    )
