"""Colours as users write them."""

from PIL import ImageColor

from faceanon.errors import OptionError


def parse_color(text: str) -> tuple[int, int, int]:
    """Read a CSS colour name or `#rrggbb`: red, green, blue, each 0 to 255.

    >>> parse_color("#ff8000")
    (255, 128, 0)

    Raises:
        OptionError: the text is not a colour, or a transparent one.
    """
    try:
        color = ImageColor.getrgb(text)
    except ValueError:
        raise OptionError(
            f"{text!r} is not a colour; write a name such as 'black' or '#rrggbb'"
        ) from None
    if len(color) != 3:
        raise OptionError(f"{text!r} is transparent; a face needs an opaque colour")
    return color
