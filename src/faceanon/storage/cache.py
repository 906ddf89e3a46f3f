"""What is kept from one run to the next, in the user's own folder for such things.

It is never in a folder of outputs, which may be published.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

import platformdirs

from faceanon.storage.names import temporary_name
from faceanon.storage.private import private_opener

_VARIABLE = "FACEANON_CACHE"

# What was not used for so long is removed, in seconds; and so much is kept, in bytes.
_LONGEST = 30 * 86_400
_MOST = 2**30


def _folder() -> Path | None:
    """Where it is kept; None for nowhere."""
    named = os.environ.get(_VARIABLE)
    if named is not None:
        return Path(named) if named else None
    return Path(platformdirs.user_cache_dir("faceanon", False))


def recall(name: str) -> bytes | None:
    """What is kept under a name; None if nothing is, or it cannot be read."""
    folder = _folder()
    if folder is None:
        return None
    try:
        data = (folder / name).read_bytes()
        os.utime(folder / name)  # it was used
    except OSError:
        return None
    return data


def keep(name: str, data: bytes) -> None:
    """Keep something under a name; where that cannot be written, it is not kept."""
    folder = _folder()
    if folder is None:
        return
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = folder / temporary_name()
        try:
            with open(temporary, "xb", opener=private_opener) as file:
                file.write(data)
            temporary.replace(folder / name)
        finally:
            temporary.unlink(missing_ok=True)
        _remove_old(folder)


def _remove_old(folder: Path) -> None:
    files = []
    for path in folder.iterdir():
        with suppress(OSError):
            status = path.stat()
            files.append((status.st_mtime, status.st_size, path))
    total = 0
    for used, size, path in sorted(files, reverse=True):
        total += size
        if total > _MOST or used < time.time() - _LONGEST:
            with suppress(OSError):
                path.unlink()
