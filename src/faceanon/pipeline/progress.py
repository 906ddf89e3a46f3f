"""How long a picture may take and how far a film has come, for those who wait."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from faceanon.media.clip import Header

Phase: TypeAlias = Literal["find", "look", "hide"]

DOING: Mapping[Phase, str] = {
    "find": "finding faces",
    "look": "looking at faces",
    "hide": "hiding",
}
"""What is done in each phase, in words."""

T = TypeVar("T")

# Seconds between two reports.
_PAUSE = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a film has come.

    Attributes:
        phase: what is done with its frames: faces are found, whose they are is looked
            at, or they are hidden.
        done: how many frames of this phase are done.
        total: how many there are, about.
    """

    phase: Phase
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Extent:
    """How much work is done before progress is told again.

    Attributes:
        pixels: of a picture, of all pages, or of one frame of a film.
    """

    pixels: int


_sinks: list[Callable[[Progress | Extent], None]] = []


def tell_to(sink: Callable[[Progress | Extent], None]) -> None:
    """From now on, tell somebody what this process works on."""
    _sinks[:] = [sink]


def tell_extent(header: Header) -> None:
    """Tell how large an input is that was opened."""
    frames = header.count if header.kind == "pages" else 1
    if _sinks:
        _sinks[0](Extent(header.width * header.height * frames))


def told(frames: Iterable[T], phase: Phase, total: int) -> Iterator[T]:
    """The frames one by one; how far they have come is told now and then."""
    last = 0.0
    for done, frame in enumerate(frames):
        now = time.monotonic()
        if _sinks and now - last > _PAUSE:
            last = now
            _sinks[0](Progress(phase, done, max(total, done)))
        yield frame
