"""Names of outputs that tell nothing.

A plain digest of a name would not do: names can be guessed, and each guess be tried.
"""

import hashlib
import os
from pathlib import PurePosixPath

from faceanon.picture import SUFFIXES

_NAME_BYTES = 16


class Renaming:
    """Makes the same name from a name each time, and none that can be found without it.

    Args:
        secret: what the names are made from besides; who knows it can try guesses.
    """

    def __init__(self, secret: int) -> None:
        # Slow to compute, so that secrets, which may be short, cannot be tried quickly.
        self._key = hashlib.scrypt(
            str(secret).encode(), salt=b"faceanon names", n=2**14, r=8, p=1, dklen=32
        )

    def __call__(self, name: str) -> str:
        """The new name for a path below INPUT: without folders, with a usual suffix.

        >>> first, second = Renaming(1), Renaming(2)
        >>> first("anna/trip.JPG").endswith(".jpg")
        True
        >>> first("anna/trip.JPG") == second("anna/trip.JPG")
        False
        >>> "anna" in first("trip.anna")
        False
        """
        suffix = PurePosixPath(name).suffix.lower()
        is_usual = any(suffix in suffixes for suffixes in SUFFIXES.values())
        return self.digest(name).hex() + (suffix if is_usual else "")

    def digest(self, name: str) -> bytes:
        """16 bytes that stand for a name."""
        raw = os.fsencode(name)
        return hashlib.blake2b(raw, key=self._key, digest_size=_NAME_BYTES).digest()
