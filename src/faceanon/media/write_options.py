"""What users choose of how outputs are written."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from faceanon import options
from faceanon.media.video.options import VideoOptions
from faceanon.options import option
from faceanon.storage.suffixes import (
    FILM_FORMATS,
    SUFFIXES,
    AnyFormat,
    FilmFormat,
    Format,
    film_only,
    picture_format,
)

Level: TypeAlias = Literal["none", "safe", "all-but-identity"]

LEVELS: tuple[Level, ...] = ("none", "safe", "all-but-identity")
"""How much of the metadata is kept, each more than the one before."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How outputs are written."""

    format: AnyFormat | None = option(
        None,
        "Format of the outputs. A picture format applies to pictures, a film format "
        "to films.",
        choices=(*SUFFIXES, *FILM_FORMATS),
        default_text="that of each input",
    )
    quality: int | None = option(
        None,
        "Quality of lossy formats. By default, JPEGs keep every block outside the "
        "faces as it is.",
        minimum=1,
        maximum=100,
        default_text="that of each input",
    )
    metadata: Level = option(
        "safe",
        "What outputs keep of the metadata. none: what the colours need. safe: also "
        "resolution, day and exposure. all-but-identity: also time, camera and lens.",
        choices=LEVELS,
    )
    thumbnail: bool = option(
        False, "Put a thumbnail of the anonymized picture into JPEG outputs."
    )

    video: VideoOptions = options.group(VideoOptions)

    @property
    def picture_format(self) -> Format | None:
        """The format of pictures that is asked for; None for that of each input."""
        return picture_format(self.format)

    @property
    def film_format(self) -> FilmFormat | None:
        """The format of films that is asked for; None for the usual one."""
        return film_only(self.format)

    def __post_init__(self) -> None:
        """Check the values against what is declared."""
        options.check(self)
