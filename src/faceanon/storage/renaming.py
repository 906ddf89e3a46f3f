"""Names of outputs that tell nothing: hashes, or numbers.

A plain digest of a name would not do: names can be guessed, and each guess be tried.
"""

import hashlib
import os
from pathlib import Path, PurePosixPath
from typing import Protocol

from faceanon.errors import FaceanonError
from faceanon.storage.keys import Key
from faceanon.storage.names import shown
from faceanon.storage.places import Place
from faceanon.storage.suffixes import FILM_SUFFIXES, SUFFIXES

_NAME_BYTES = 16

# Stands in a name for the number that a picture gets when it is its turn.
_PLACE = "NUMBER"


class Renaming(Protocol):
    """Gives outputs other names than inputs have."""

    def __call__(self, name: str) -> str:
        """The new name for a path below INPUT: without folders, with a usual suffix."""


class Hashing:
    """Makes the same name from a name each time, and none that can be found without it.

    Args:
        key: what the names are made from besides; who has it can try guesses.
    """

    def __init__(self, key: Key) -> None:
        self._key = key.derived(b"names")

    def __call__(self, name: str) -> str:
        """See `Renaming`.

        >>> first, second = Hashing(Key.of(1)), Hashing(Key.of(2))
        >>> first("anna/trip.JPG").endswith(".jpg")
        True
        >>> first("anna/trip.JPG") == second("anna/trip.JPG")
        False
        >>> "anna" in first("trip.anna")
        False
        """
        raw = os.fsencode(name)
        digest = hashlib.blake2b(raw, key=self._key, digest_size=_NAME_BYTES)
        return digest.hexdigest() + _usual_suffix(name)


class Numbering:
    """Names of numbers, in the order in which pictures come.

    The folder of outputs gives the numbers, and remembers them; see
    `FolderLedger.number`.
    """

    def __call__(self, name: str) -> str:
        """A name that lacks its number; see `numbered`.

        >>> Numbering()("anna/trip.JPG")
        'NUMBER.jpg'
        """
        return _PLACE + _usual_suffix(name)


def numbered(path: Path, number: int, shard: str) -> Path:
    """A path that `Numbering` made, with its number.

    >>> numbered(Path("out/NUMBER.jpg"), 7, "").name
    '000007.jpg'

    Args:
        path: the path.
        number: 1 or more.
        shard: the label of the shard that counts by itself; empty without shards.
    """
    return path.with_stem(f"{f'{shard}-' if shard else ''}{number:06d}")


def _usual_suffix(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    is_usual = any(suffix in suffixes for suffixes in SUFFIXES.values())
    return suffix if is_usual or suffix in FILM_SUFFIXES else ""


def check_outside(path: Path, root: Place | None, option: str) -> None:
    """Refuse a file in OUTPUT that tells which input became which output.

    Raises:
        FaceanonError: it would lie there.
    """
    if isinstance(root, Path) and path.resolve().is_relative_to(root.resolve()):
        raise FaceanonError(
            f"{shown(path)} lies in OUTPUT, with which it would travel; "
            f"name a file elsewhere for {option}"
        )
