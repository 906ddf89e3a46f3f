"""Colours as users write them."""

import re
from collections.abc import Sequence

from PIL import ImageColor

from faceanon.errors import OptionError

_HEX = re.compile("[0-9a-fA-F]{6}")


def parse_color(text: str) -> tuple[int, int, int]:
    """Read a CSS colour name, `#rrggbb` or `rrggbb`: red, green, blue, each 0 to 255.

    >>> parse_color("ff8000")
    (255, 128, 0)

    Raises:
        OptionError: the text is not a colour, or a transparent one.
    """
    try:
        # A shell takes a '#' for the start of a comment.
        color = ImageColor.getrgb(f"#{text}" if _HEX.fullmatch(text) else text)
    except ValueError:
        raise OptionError(
            f"{text!r} is not a colour; write a name such as 'black' or 'rrggbb'"
        ) from None
    if len(color) != 3:
        raise OptionError(f"{text!r} is transparent; a face needs an opaque colour")
    return color


def contrasting(color: Sequence[float]) -> int:
    """Black or white, whichever is told better from a colour.

    By the contrast ratio of WCAG 2.

    Args:
        color: red, green, blue, each 0 to 255.

    Returns:
        0 for black, 255 for white.
    """
    red, green, blue = map(_linear, color)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 0 if (luminance + 0.05) ** 2 > 1.05 * 0.05 else 255


def _linear(part: float) -> float:
    """The light that a value of sRGB stands for, 0 to 1."""
    part /= 255
    linear: float = part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
    return linear
