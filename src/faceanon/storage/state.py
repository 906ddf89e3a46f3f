"""The key by which this user knows outputs again, kept outside of them.

What a folder of outputs remembers of its inputs is digests under this key: whoever is
handed the folder can neither read them nor try guesses.
"""

import os
import secrets
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import platformdirs

from faceanon.errors import FaceanonError
from faceanon.storage.names import shown, temporary_name
from faceanon.storage.private import private_opener

_VARIABLE = "FACEANON_STATE"
_NAME = "key"
_SIZE = 32


def state_key(folder: Path | None = None) -> bytes:
    """The key of this user, 32 bytes; it is made when there is none.

    Args:
        folder: where it is kept; None for the user's own folder for such things.

    Raises:
        FaceanonError: it can be neither read nor written.
    """
    usual = os.environ.get(_VARIABLE) or platformdirs.user_state_dir("faceanon", False)
    folder = folder or Path(usual)
    path = folder / _NAME
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise FaceanonError(
            f"{shown(path)} cannot be read or written: {error.strerror}; name another "
            "folder for it with --state"
        ) from error
    if len(key) != _SIZE:
        raise FaceanonError(
            f"{shown(path)} is not a key of faceanon; remove it, or name another "
            "folder with --state"
        )
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.parent / temporary_name()
    try:
        with open(temporary, "xb", opener=private_opener) as file:
            file.write(secrets.token_bytes(_SIZE))
        # Of several runs that start at once, all take the key of the first.
        with suppress(FileExistsError):
            _put(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _put(temporary: Path, path: Path) -> None:
    """Give a file its name, unless that is taken.

    Raises:
        FileExistsError: it is.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # not every file system has links
        if not path.exists():
            temporary.replace(path)


def keyed(key: bytes, purpose: bytes, *parts: bytes) -> bytes:
    """A digest that nobody can make or try without the key, 16 bytes.

    Args:
        key: up to 64 bytes.
        purpose: up to 16 bytes; digests for different purposes tell nothing of each
            other.
        *parts: what is digested; where one ends and the next begins counts.
    """
    digest = blake2b(key=key, person=purpose, digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()
