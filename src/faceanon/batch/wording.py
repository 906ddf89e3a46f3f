"""Numbers in sentences."""

from collections.abc import Mapping
from typing import TypeVar

NameT = TypeVar("NameT", bound=str)


def counted(number: int, noun: str) -> str:
    """So many of something.

    >>> counted(1, "face"), counted(12, "face")
    ('1 face', '12 faces')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"


def listed(counts: Mapping[NameT, int]) -> str:
    """What there is and how often, the most frequent first.

    >>> listed({"link": 1, "hidden": 3})
    'hidden (3), link (1)'
    """
    ordered = sorted(counts.items(), key=lambda each: -each[1])
    return ", ".join(f"{what} ({count})" for what, count in ordered)
