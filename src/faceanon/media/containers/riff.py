"""The chunks of a RIFF file, such as a WebP (RFC 9649, section 2)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from faceanon.media.containers import Readable

FIRST = 12
"""Where the first chunk of a file begins."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where a chunk is.

    Attributes:
        kind: its name.
        start: where its content begins.
        end: where its content ends, before the byte that fills it up to an even size.
    """

    kind: bytes
    start: int
    end: int

    def content(self, data: Readable) -> bytes:
        """What it holds."""
        return data[self.start : self.end]


def chunks(
    data: Readable, start: int = FIRST, end: int | None = None
) -> Iterator[Chunk]:
    """The chunks one after the other; the last may be cut off.

    Args:
        data: the file.
        start: where the first chunk begins.
        end: where the last one ends; None for the end that the file announces.
    """
    if end is None:
        end = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while start + 8 <= end:
        head = data[start : start + 8]
        body = start + 8
        size = int.from_bytes(head[4:], "little")
        yield Chunk(head[:4], body, body + size)
        start = body + size + size % 2


def packed(kind: bytes, content: bytes) -> bytes:
    """A chunk as it stands in a file."""
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
