"""Dates: those of a day are harmless, those with a time of day are not."""

import re

# With colons as in EXIF or dashes as in XMP, with or without a midnight.
_DAY = re.compile(r"\d{4}([-:]?\d\d){0,2}([T ]00:00:00)?")
_BLANK = re.compile(r"[\s0:\-.]*")


def tells_time(value: str) -> bool:
    """Whether a date says more than the day.

    >>> tells_time("2024:05:01 00:00:00"), tells_time("2024:05:01 13:45:10")
    (False, True)
    """
    return not (_DAY.fullmatch(value) or _BLANK.fullmatch(value))
