"""Checking what was read from a box file."""

from collections.abc import Mapping
from typing import Any

from faceanon.errors import BoxesError
from faceanon.model import Points


def reason(error: Exception) -> str:
    """What is wrong, in a few words."""
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def text_of(value: Any) -> str:
    """The value, if it is a text; BoxesError if not."""
    if not isinstance(value, str):
        raise BoxesError(f"{value!r} is not a text")
    return value


def finite(value: Any) -> float:
    """The value, if it is a number of pixels; BoxesError if not."""
    # The bound keeps what follows within whole numbers that arrays can hold.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) < 2**31:
        raise BoxesError(f"{value!r} is not a number of pixels")
    return float(value)


def whole(value: Any) -> int:
    """The value, if it is a whole number of pixels; BoxesError if not."""
    number = finite(value)
    if number != int(number):
        raise BoxesError(f"{value!r} is not a whole number")
    return int(number)


def frame_of(data: Mapping[str, Any]) -> int | None:
    """The frame that a face says it is in; None where it says none."""
    frame = data.get("frame")
    return None if frame is None else whole(frame)


def points_of(value: Any) -> Points | None:
    """Five points, if the value is such a list; BoxesError if not."""
    if value is None:
        return None
    first, second, third, fourth, fifth = ((finite(x), finite(y)) for x, y in value)
    return first, second, third, fourth, fifth
