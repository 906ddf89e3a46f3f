"""Checking what was read from a box file."""

import math
from collections.abc import Mapping
from typing import Any

from faceanon.errors import BoxesError
from faceanon.model import Box, Points


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
    if type(value) is float and -(2**31) < value < 2**31:
        return value  # nearly all are, and there are millions
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) < 2**31:
        raise BoxesError(f"{value!r} is not a number of pixels")
    return float(value)


def whole(value: Any) -> int:
    """The value, if it is a whole number of pixels; BoxesError if not."""
    if type(value) is int and -(2**31) < value < 2**31:
        return value
    number = finite(value)
    if number != int(number):
        raise BoxesError(f"{value!r} is not a whole number")
    return int(number)


def rounded_box(left: float, top: float, right: float, bottom: float) -> Box:
    """The box of whole pixels around one of parts of pixels; BoxesError if empty."""
    if not (left < right and top < bottom):
        raise BoxesError(f"an empty box, {right - left:g} x {bottom - top:g} pixels")
    return Box(
        whole(math.floor(left)),
        whole(math.floor(top)),
        whole(math.ceil(right)),
        whole(math.ceil(bottom)),
    )


def frame_of(data: Mapping[str, Any]) -> int | None:
    """The frame that a face says it is in; None where it says none."""
    frame = data.get("frame")
    return None if frame is None else whole(frame)


def track_of(data: Mapping[str, Any]) -> int | None:
    """The track that a face says it is of; None where it says none."""
    track = data.get("track")
    if track is None:
        return None
    number = whole(track)
    if number < 0:
        raise BoxesError(f"track {number}: tracks are counted from 0")
    return number


def points_of(value: Any) -> Points | None:
    """Five points, if the value is such a list; BoxesError if not."""
    if value is None:
        return None
    first, second, third, fourth, fifth = [(finite(x), finite(y)) for x, y in value]
    return first, second, third, fourth, fifth


def tone_of(value: Any) -> tuple[float, float, float] | None:
    """A colour of three shares, if the value is one; BoxesError if not."""
    if value is None:
        return None
    blue, green, red = (finite(channel) for channel in value)
    if not all(0 <= channel <= 1 for channel in (blue, green, red)):
        raise BoxesError(f"{value!r} is no colour of three numbers from 0 to 1")
    return blue, green, red
