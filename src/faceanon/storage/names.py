"""File names: how they are shown and compared, and how temporary ones are made."""

import os
import re
import secrets
import unicodedata
from hashlib import blake2b

STATE_FILE = ".faceanon.db"
"""In a folder of outputs, what remembers them."""

_STATE = re.compile(r"\.faceanon(-\d+of\d+)?\.db(-journal|-wal|-shm)?")

_TEMPORARY = re.compile(r"\.faceanon-(?:(?P<shard>\d+of\d+)-)?[0-9a-f]{16}\.tmp")


def is_state(name: str) -> bool:
    """Whether a file in a folder of outputs is what remembers them, by its name."""
    return _STATE.fullmatch(name) is not None


def temporary_name(shard: str = "") -> str:
    """A new name for a file that is being put together.

    It is short, whatever the file will be called: a name may have 255 bytes.

    Args:
        shard: the label of the shard that makes it, if there are several.
    """
    return f".faceanon-{f'{shard}-' if shard else ''}{secrets.token_hex(8)}.tmp"


def is_stale(name: str, shard: str = "") -> bool:
    """Whether it is a temporary name, and not that of another shard.

    Other shards may be at work; a run over everything has the folder for itself.
    """
    match = _TEMPORARY.fullmatch(name)
    if match is None:
        return False
    return not shard or match["shard"] in (None, shard)


def folded(name: str) -> str:
    """The same text for names that some file systems take for the same.

    Such names differ only in case or in how accents are written.
    """
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    return name.casefold()


def digest(name: str) -> bytes:
    """16 bytes that stand for a name, by which it can be recognised."""
    return blake2b(os.fsencode(name), digest_size=16).digest()


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
