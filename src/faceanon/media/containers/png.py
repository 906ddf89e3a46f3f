"""The chunks of a PNG (its third edition, section 5)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

from faceanon.media.containers import Readable

SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where a chunk is.

    Attributes:
        kind: its name.
        start: where its content begins; behind that of a file that was cut off.
        end: where its content ends, and its checksum of four bytes begins.
    """

    kind: bytes
    start: int
    end: int

    def content(self, data: Readable) -> bytes:
        """What it holds."""
        return data[self.start : self.end]

    def is_whole(self, data: Readable) -> bool:
        """Whether its checksum is right."""
        check = data[self.end : self.end + 4]
        return check == struct.pack(">I", crc32(self.kind + self.content(data)))


def chunks(data: Readable) -> Iterator[Chunk]:
    """The chunks up to the end of the picture; the last may be cut off."""
    offset = len(SIGNATURE)
    while offset + 12 <= len(data):
        head = data[offset : offset + 8]
        start = offset + 8
        end = start + int.from_bytes(head[:4])
        yield Chunk(head[4:], start, end)
        if head[4:] == b"IEND":
            return  # whatever comes behind is none
        offset = end + 4


def packed(kind: bytes, content: bytes) -> bytes:
    """A chunk as it stands in a file."""
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", crc32(checked))
