"""What the report of a run tells that an audit wants to know."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from faceanon import anonymizers, options
from faceanon.anonymizers.base import Guarantee
from faceanon.batch.report import read_report
from faceanon.media.video.options import VideoOptions
from faceanon.model import Box
from faceanon.pipeline.job import Status

Shown: TypeAlias = tuple[Box, int | None]


@dataclass(frozen=True, slots=True)
class Track:
    """A face of a film.

    Attributes:
        first: the first frame of the output that it is in, from 0.
        last: the last one.
        is_hidden: whether it was to be hidden.
    """

    first: int
    last: int
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What a report tells of a picture.

    Attributes:
        output: the path of the output, as the run was given it; None if it made none.
        guarantee: what the method of the run promises.
        shown: the faces that were not to be hidden, by who they are: the box of each,
            and the number of its frame, if there are several.
        keeps_time: whether the run was told to keep times.
        tracks: the faces of a film.
        video: how the run was told to read and write films.
    """

    output: str | None
    guarantee: Guarantee
    shown: tuple[Shown, ...]
    keeps_time: bool
    tracks: tuple[Track, ...]
    video: VideoOptions


def read(path: Path) -> dict[str, Told]:
    """What a report tells of each picture, by its path below INPUT.

    A picture that several runs wrote about counts by its last line; that a run found it
    done already tells nothing new.

    Raises:
        FaceanonError: the report cannot be read, or is none.
    """
    told: dict[str, Told] = {}

    def take(line: dict[str, Any], run: dict[str, Any]) -> None:
        picture = str(line["picture"])
        if line["status"] == Status.IGNORED:
            return
        if not (line["status"] == Status.SKIPPED and picture in told):
            told[picture] = _told(line, run["settings"])

    read_report(path, take)
    return told


def _told(line: dict[str, Any], settings: dict[str, Any]) -> Told:
    return Told(
        None if line["output"] is None else str(line["output"]),
        anonymizers.get(str(settings["method"])).guarantee,
        tuple(
            (Box(*map(int, face["box"])), face.get("frame"))
            for face in line["faces"]
            if face["hide"] is False
        ),
        settings["metadata"] == "all-but-identity",
        tuple(
            Track(int(track["first"]), int(track["last"]), bool(track["hide"]))
            for track in line.get("tracks", ())
        ),
        options.build(VideoOptions, settings),
    )
