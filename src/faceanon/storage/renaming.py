"""Names of outputs that tell nothing: hashes, or numbers.

A plain digest of a name would not do: names can be guessed, and each guess be tried.
"""

import hashlib
import os
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Protocol

from faceanon.errors import FaceanonError
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
        secret: what the names are made from besides; who knows it can try guesses.
    """

    def __init__(self, secret: int) -> None:
        self._key = stretched(secret, b"faceanon names")[:32]

    def __call__(self, name: str) -> str:
        """See `Renaming`.

        >>> first, second = Hashing(1), Hashing(2)
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


@cache
def stretched(seed: int, purpose: bytes) -> bytes:
    """A key made of a seed, 64 bytes, by scrypt (RFC 7914).

    It is slow to compute, so that what was made with a seed is no quick way to try
    seeds.

    Args:
        seed: 0 or more.
        purpose: what the key is for; keys for different purposes tell nothing of each
            other.
    """
    return hashlib.scrypt(str(seed).encode(), salt=purpose, n=2**14, r=8, p=1)
