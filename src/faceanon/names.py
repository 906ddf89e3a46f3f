"""File names: how they are shown, and how temporary ones are made."""

import secrets

_TEMPORARY_PREFIX = ".faceanon-"
_TEMPORARY_SUFFIX = ".tmp"


def temporary_name() -> str:
    """A new name for a file that is being put together.

    It is short, whatever the file will be called: a name may have 255 bytes.
    """
    return f"{_TEMPORARY_PREFIX}{secrets.token_hex(8)}{_TEMPORARY_SUFFIX}"


def is_temporary(name: str) -> bool:
    """Whether a file has such a name."""
    return name.startswith(_TEMPORARY_PREFIX) and name.endswith(_TEMPORARY_SUFFIX)


def shown(name: object) -> str:
    r"""A file name for people and logs: one line, printable whatever bytes it holds.

    >>> shown("a\nb\udcff")
    'a\\nb\\xff'
    """
    return "".join(
        f"\\x{ord(char) - 0xDC00:02x}"
        if "\udc80" <= char <= "\udcff"
        else char
        if char.isprintable()
        else char.encode("unicode_escape").decode()
        for char in str(name)
    )
