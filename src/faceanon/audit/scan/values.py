"""What values tell by themselves, whatever their names promise."""

import re

from faceanon.audit.scan.findings import Kind

# With colons as in EXIF or dashes as in XMP, with or without a midnight.
_DAY = re.compile(r"\d{4}([-:]?\d\d){0,2}([T ]00:00:00)?")
_BLANK = re.compile(r"[\s0:\-.]*")

# No maker names a product by so many digits; some write its serial number behind it.
_LONG_NUMBER = re.compile(r"\d{6}")
_PRODUCT_LENGTH = 64


def tells_time(value: str) -> bool:
    """Whether a date says more than the day.

    >>> tells_time("2024:05:01 00:00:00"), tells_time("2024:05:01 13:45:10")
    (False, True)
    """
    return not (_DAY.fullmatch(value) or _BLANK.fullmatch(value))


def kind_of_product(name: str) -> Kind:
    """What the name of a camera or a lens is: not all of them are no more than that.

    >>> kind_of_product("Canon EOS 5D").value, kind_of_product("P45+ 004711").value
    ('camera', 'serial')
    """
    if len(name) > _PRODUCT_LENGTH:
        return Kind.COMMENT
    return Kind.SERIAL if _LONG_NUMBER.search(name) else Kind.CAMERA
