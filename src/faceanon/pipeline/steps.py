"""What can be done with an input; each step is plain data that crosses processes.

`Detect` ends in a record of the faces; `Preview` and `Hide` go on to write an output.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from faceanon.settings import Settings


@dataclass(frozen=True, slots=True)
class Detect:
    """Find the faces; write nothing."""

    settings: Settings
    writes: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class CollectIdentities:
    """Find the faces, and what tells people apart; write nothing."""

    settings: Settings
    writes: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Preview:
    """Find the faces, and draw boxes around them."""

    settings: Settings
    writes: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Hide:
    """Find the faces, and hide them by the method of the settings."""

    settings: Settings
    writes: ClassVar[bool] = True


Step: TypeAlias = Detect | CollectIdentities | Preview | Hide
