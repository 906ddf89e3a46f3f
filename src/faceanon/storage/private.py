"""Files that only their owner can read, from their first moment on."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from faceanon.errors import FaceanonError
from faceanon.storage.names import shown


def private_opener(path: str, flags: int) -> int:
    """An opener for `open`."""
    return os.open(path, flags, 0o600)


@contextmanager
def new_private_file(path: Path | None) -> Iterator[IO[str]]:
    """A new text file; it is removed when what is written to it does not end well.

    Nothing that is there is replaced, and no link is followed. Without a path it is
    standard output.

    Raises:
        FaceanonError: there is one already, or it cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    try:
        with open(path, "x", encoding="utf-8", opener=private_opener) as file:
            try:
                yield file
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except FileExistsError as error:
        raise FaceanonError(
            f"{shown(path)} exists already; remove it, or name another file"
        ) from error
    except OSError as error:
        raise FaceanonError(
            f"{shown(path)} cannot be written: {error.strerror}"
        ) from error
