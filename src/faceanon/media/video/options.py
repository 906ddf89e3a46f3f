"""What users choose of how films are read and written."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from faceanon import options
from faceanon.errors import OptionError
from faceanon.options import option

Codec: TypeAlias = Literal["h264", "hevc", "vp9", "av1"]

PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow"),
)
"""From the quickest to that which makes the smallest files."""

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?)")


def parse_time(text: str) -> Fraction:
    """A time within a film, in seconds.

    >>> parse_time("1:02:05.5"), parse_time("90")
    (Fraction(7451, 2), Fraction(90, 1))

    Raises:
        OptionError: it is none.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise OptionError(f"{text!r} is not a time; write 90, 1:30 or 0:01:30.5")
    hours, minutes, seconds = (Fraction(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """How films are read and written."""

    from_: str | None = option(
        None,
        "Start films at this time (90, 1:30, 0:01:30.5).",
        parse=parse_time,
        metavar="TIME",
        default_text="the beginning",
    )
    to: str | None = option(
        None,
        "End films at this time.",
        parse=parse_time,
        metavar="TIME",
        default_text="the end",
    )
    sound: Literal["keep", "drop"] = option(
        "keep",
        "Keep the sound of films, with its voices, or drop it.",
        choices=("keep", "drop"),
    )
    video_codec: Codec | None = option(
        None,
        "Codec of films.",
        choices=("h264", "hevc", "vp9", "av1"),
        default_text="as each input is, or h264",
    )
    crf: int | None = option(
        None,
        "Quality of films (constant rate factor). Lower is better and larger.",
        minimum=0,
        maximum=63,
        default_text="20 for h264, 24 for hevc, 32 for vp9 and av1",
    )
    preset: str = option(
        "veryfast",
        "Encoding speed of films. Slower presets make smaller files.",
        choices=PRESETS,
    )
    damaged: Literal["fail", "cover"] = option(
        "fail",
        "What to do with damaged files: fail, or cover the damaged frames of a film "
        "completely. With cover, JPEGs and PNGs whose end is missing are accepted.",
        choices=("fail", "cover"),
    )

    def __post_init__(self) -> None:
        """Check the values against what is declared, and each other."""
        options.check(self)
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise OptionError("the time of --from must be before that of --to")

    @property
    def start(self) -> Fraction | None:
        """When the part begins that is written, in seconds; None for all."""
        return None if self.from_ is None else parse_time(self.from_)

    @property
    def end(self) -> Fraction | None:
        """When it ends."""
        return None if self.to is None else parse_time(self.to)
