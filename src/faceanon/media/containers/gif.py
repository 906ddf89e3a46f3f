"""The frames of a GIF (GIF89a specification, sections 18 to 27)."""

import struct
from collections.abc import Iterator

from faceanon.media.containers import Readable
from faceanon.model import Box

_HEADER = 13
_FLAGS = 10
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B


def frames(data: Readable) -> Iterator[Box]:
    """Where each frame lies, as far as they are whole; it may reach over the screen.

    Args:
        data: the file.
    """
    if len(data) < _HEADER:
        return
    place = _HEADER + _table(data[_FLAGS])
    while place < len(data) and (kind := data[place]) != _TRAILER:
        if kind == _EXTENSION:
            place = _behind_blocks(data, place + 2)
        elif kind == _IMAGE:
            head = data[place + 1 : place + 10]
            if len(head) < 9:
                return
            left, top, width, height, flags = struct.unpack("<4HB", head)
            yield Box(left, top, left + width, top + height)
            place = _behind_blocks(data, place + 11 + _table(flags))
        else:
            place += 1  # as decoders do


def _table(flags: int) -> int:
    """The size of the table of colours that flags announce, in bytes."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _behind_blocks(data: Readable, place: int) -> int:
    """Where what follows a row of blocks begins."""
    while place < len(data) and (size := data[place]):
        place += size + 1
    return place + 1
