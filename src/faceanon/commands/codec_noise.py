"""What codecs in C say on standard error."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from faceanon.storage import streams


@contextmanager
def codecs_silenced() -> Iterator[None]:
    """Keep away what codecs in C write to file 2; what Python says still gets there.

    It names no picture, and is in the outcome anyway.
    """
    try:
        before = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    python, nowhere = sys.stderr, os.open(os.devnull, os.O_WRONLY)
    kept = io.FileIO(before, "w")
    own = streams.messages_to(kept)
    try:
        sys.stderr = own
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(before, 2)
        sys.stderr = python
        own.close()
        kept.close()
        os.close(nowhere)
