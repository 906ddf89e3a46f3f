"""Metadata in TIFF files: entries of their first directory (TIFF 6.0)."""

import struct

from faceanon.media.metadata import exif, tiff
from faceanon.media.metadata.model import Metadata
from faceanon.media.metadata.tiff import ENTRY_SIZE, SIZES, Directory, Entry, Tiff, Type

_OFFSET_OF_FIRST = 4


def read(data: bytes) -> Metadata:
    """Read the first directory, and that of EXIF."""
    return exif.parse(data)


def write(
    data: bytes, metadata: Metadata, orientation: int, thumbnail: bytes | None
) -> bytes:
    """Put entries into the first directory, which moves to the end of the file.

    A thumbnail would be a second page to those who read it: none is put.

    Args:
        data: a TIFF of less than 4 GB.
        metadata: what to tell.
        orientation: in which the picture is stored, 1 to 8.
        thumbnail: is left out.
    """
    added = exif.entries(metadata, orientation=orientation)
    if not added:
        return data
    source = Tiff(data)
    order, start = source.order, source.first
    (count,) = struct.unpack_from(f"{order}H", data, start)
    end = start + 2 + count * ENTRY_SIZE
    (following,) = struct.unpack_from(f"{order}I", data, end)
    tags = {entry.tag for entry in added}
    written = bytearray(data)
    kept = []
    for offset in range(start + 2, end, ENTRY_SIZE):
        tag, type_, number = struct.unpack_from(f"{order}HHI", data, offset)
        if tag not in tags:
            # Four bytes: a value, or the offset of one that stays where it is.
            field = data[offset + 8 : offset + ENTRY_SIZE]
            kept.append(Entry(tag, type_, number, field))
        elif (size := number * SIZES[Type(type_)]) > 4:
            (value,) = struct.unpack_from(f"{order}I", data, offset + 8)
            written[value : value + size] = bytes(size)
    # What nothing points to any more should not look like hidden data.
    written[start : end + 4] = bytes(end + 4 - start)
    written += bytes(len(written) % 2)
    struct.pack_into(f"{order}I", written, _OFFSET_OF_FIRST, len(written))
    entries = Directory([*kept, *added])
    return bytes(written) + tiff.pack(entries, len(written), order, following)
