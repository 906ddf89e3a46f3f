"""What users choose of how outputs are written."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from faceanon import options
from faceanon.options import option
from faceanon.storage.suffixes import SUFFIXES, Format

Level: TypeAlias = Literal["none", "safe", "all-but-identity"]

LEVELS: tuple[Level, ...] = ("none", "safe", "all-but-identity")
"""How much of the metadata is kept, each more than the one before."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How outputs are written."""

    format: Format | None = option(
        None,
        "Format of the outputs.",
        choices=tuple(SUFFIXES),
        default_text="that of each input",
    )
    quality: int | None = option(
        None,
        "Quality of outputs in lossy formats. Without it, JPEGs keep all but the "
        "blocks of their faces.",
        minimum=1,
        maximum=100,
        default_text="that of each input",
    )
    metadata: Level = option(
        "safe",
        "What outputs keep of the metadata: nothing but how colours look (none); "
        "resolution, day and exposure, too (safe); time, camera and lens, too.",
        choices=LEVELS,
    )
    thumbnail: bool = option(
        False, "Put a thumbnail of the anonymized picture into JPEG outputs."
    )

    def __post_init__(self) -> None:
        """Check the values against what is declared."""
        options.check(self)
