"""Metadata in TIFF files: entries of their first directory (TIFF 6.0)."""

import io
import struct
from typing import BinaryIO

from faceanon.media.containers import FileView, Readable
from faceanon.media.metadata import exif, tiff
from faceanon.media.metadata.model import Metadata
from faceanon.media.metadata.tiff import ENTRY_SIZE, SIZES, Directory, Entry, Tiff, Type

_OFFSET_OF_FIRST = 4


def read(data: Readable) -> Metadata:
    """Read the first directory, and that of EXIF."""
    return exif.parse_tiff(data)


def write(
    data: bytes, metadata: Metadata, orientation: int, thumbnail: bytes | None
) -> bytes:
    """Put entries into the first directory; see `write_into`.

    A thumbnail would be a second page to those who read it: none is put.
    """
    file = io.BytesIO(data)
    write_into(file, metadata, orientation)
    return file.getvalue()


def write_into(file: BinaryIO, metadata: Metadata, orientation: int = 1) -> None:
    """Put entries into the first directory, which moves to the end of the file.

    Args:
        file: a TIFF of less than 4 GB, to be read and written.
        metadata: what to tell.
        orientation: in which the picture is stored, 1 to 8.
    """
    added = exif.entries(metadata, orientation=orientation)
    if not added:
        return
    data = FileView(file)
    source = Tiff(data)
    order, start = source.order, source.first
    (count,) = struct.unpack(f"{order}H", data[start : start + 2])
    end = start + 2 + count * ENTRY_SIZE
    (following,) = struct.unpack(f"{order}I", data[end : end + 4])
    tags = {entry.tag for entry in added}
    kept = []
    for offset in range(start + 2, end, ENTRY_SIZE):
        entry = data[offset : offset + ENTRY_SIZE]
        tag, type_, number = struct.unpack_from(f"{order}HHI", entry)
        if tag not in tags:
            # Four bytes: a value, or the offset of one that stays where it is.
            kept.append(Entry(tag, type_, number, entry[8:]))
        elif (size := number * SIZES[Type(type_)]) > 4:
            (value,) = struct.unpack_from(f"{order}I", entry, 8)
            _put(file, value, bytes(size))
    # What nothing points to any more should not look like hidden data.
    _put(file, start, bytes(end + 4 - start))
    moved = len(data) + len(data) % 2
    _put(file, _OFFSET_OF_FIRST, struct.pack(f"{order}I", moved))
    directory = tiff.pack(Directory([*kept, *added]), moved, order, following)
    _put(file, len(data), bytes(len(data) % 2) + directory)


def _put(file: BinaryIO, offset: int, data: bytes) -> None:
    file.seek(offset)
    file.write(data)
