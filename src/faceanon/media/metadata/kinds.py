"""Kinds of values: what of a stranger's value is believed, and how it is written."""

import re
from collections.abc import Container
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

from faceanon.media.metadata import tiff
from faceanon.media.metadata.tiff import Entry, Type, Value

Values: TypeAlias = tuple[Value, ...]


class Kind(Protocol):
    """A kind of value that a tag can have."""

    def read(self, values: Values) -> Any:
        """The value; None where it is not what the tag is for."""

    def write(self, tag: int, value: Any) -> Entry:
        """The entry for a value of this kind."""


@dataclass(frozen=True, slots=True)
class Code:
    """A number that stands for something, out of a few.

    Attributes:
        allowed: the numbers that EXIF gives a meaning.
    """

    allowed: Container[int]

    def read(self, values: Values) -> int | None:
        """The first value, if it is one of those allowed."""
        if values and isinstance(values[0], int) and values[0] in self.allowed:
            return values[0]
        return None

    def write(self, tag: int, value: int) -> Entry:
        """One short number."""
        return tiff.shorts(tag, value)


@dataclass(frozen=True, slots=True)
class Ratio:
    """A measured value.

    It is rounded: in a fraction of twice 32 bits there is room for a mark.

    Attributes:
        least: the smallest value that is believed.
        most: the largest value that is believed.
        finest: the largest denominator that is written.
    """

    least: float
    most: float
    finest: int = 100

    def read(self, values: Values) -> Fraction | None:
        """The first value, rounded, if it is a fraction within the limits."""
        if not values or not isinstance(values[0], Fraction):
            return None
        value = values[0].limit_denominator(self.finest)
        return value if self.least <= value <= self.most else None

    def write(self, tag: int, value: Fraction) -> Entry:
        """One fraction, with a sign where there can be one."""
        type_ = Type.SRATIONAL if self.least < 0 else Type.RATIONAL
        return tiff.ratio(tag, value, type_)


# A word of the names of cameras and lenses; no "@", ":" or "#", as in addresses.
_PRODUCT = re.compile(r"[A-Za-z0-9 +\-.,/()_&*]{1,64}")
# Some digital backs write their serial number behind the name of the model.
_SERIAL_NUMBER = re.compile(r"[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Product:
    """The name of a product: a maker, a model, a lens."""

    def read(self, values: Values) -> str | None:
        """The text, if it is short, plain and holds no long number."""
        if not values or not isinstance(values[0], str):
            return None
        name = values[0].strip()
        if not _PRODUCT.fullmatch(name) or _SERIAL_NUMBER.search(name):
            return None
        return name

    def write(self, tag: int, value: str) -> Entry:
        """ASCII text."""
        return tiff.text(tag, value)
