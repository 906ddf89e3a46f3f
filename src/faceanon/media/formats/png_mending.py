"""PNGs that are damaged beside their pixels, or whose end is missing."""

import struct
import zlib
from zlib import compress

from faceanon.media.containers import Readable
from faceanon.media.containers.png import SIGNATURE, Chunk, chunks, packed

# Ancillary chunks without which pixels would look otherwise, or frames be missing.
_NEEDED = (b"tRNS", b"acTL", b"fcTL", b"fdAT")
_ANIMATED = b"acTL"

# Samples of a pixel, by its type of colour (PNG, third edition, section 11.2.1).
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_HEADER = struct.Struct(">IIBBBBB")


def is_ancillary(chunk: Chunk) -> bool:
    """Whether decoders may pass over it (section 5.4)."""
    return bool(chunk.kind[:1].islower()) and chunk.kind not in _NEEDED


def without_damage_beside(data: Readable) -> tuple[bytes | None, tuple[str, ...]]:
    """A PNG without ancillary chunks whose checksums are wrong, as decoders take it.

    Returns:
        The file, and what the user should know; None where nothing of that is wrong.
    """
    found = list(chunks(data))
    damaged = [
        chunk for chunk in found if is_ancillary(chunk) and not chunk.is_whole(data)
    ]
    has_end = bool(found) and found[-1].kind == b"IEND"
    if has_end and not damaged:
        return None, ()
    if any(chunk.end + 4 > len(data) for chunk in damaged):
        return None, ()  # the length itself is wrong, or the file cut off in it
    notes = []
    if damaged:
        names = sorted({chunk.kind.decode("latin-1") for chunk in damaged})
        said = ", ".join(name for name in names if name.isalpha() and name.isascii())
        notes.append(
            f"damaged, but beside its pixels, and left out: {said or 'a part'}"
        )
    if not has_end:
        if not _is_picture_whole(data, found):
            return None, ()
        notes.append("its end mark is missing, but no pixel")
    kept = (
        data[chunk.start - 8 : chunk.end + 4]
        for chunk in found
        if chunk not in damaged and chunk.kind != b"IEND"
    )
    return b"".join((SIGNATURE, *kept, packed(b"IEND", b""))), tuple(notes)


def _is_picture_whole(data: Readable, found: list[Chunk]) -> bool:
    """Whether the pixels of a still are there to their checksum."""
    if any(chunk.kind == _ANIMATED or not chunk.is_whole(data) for chunk in found):
        return False
    stream = zlib.decompressobj()
    try:
        for chunk in found:
            rest = chunk.content(data) if chunk.kind == b"IDAT" else b""
            while rest and not stream.eof:
                stream.decompress(rest, 2**20)
                rest = stream.unconsumed_tail
    except zlib.error:
        return False
    return stream.eof


def filled_up(data: bytes) -> tuple[bytes, float] | None:
    """A still whose end is missing, with black or transparent rows in its place.

    Returns:
        The file, and which share of its rows is missing; None where not just the end is
        missing, or rows cannot be told (interlaced, animated).
    """
    found = list(chunks(data))
    if not found or found[0].kind != b"IHDR" or found[-1].kind == b"IEND":
        return None
    *before, last = found
    header = found[0].content(data)
    is_sound = all(chunk.is_whole(data) for chunk in before)
    kinds = {chunk.kind for chunk in found}
    if len(header) != _HEADER.size or not is_sound or _ANIMATED in kinds:
        return None
    width, height, bits, color, _, _, interlace = _HEADER.unpack(header)
    if interlace or color not in _CHANNELS or last.kind != b"IDAT":
        return None
    row = 1 + -(-width * bits * _CHANNELS[color] // 8)
    stream = zlib.decompressobj()
    pixels = b""
    try:
        for chunk in found:
            if chunk.kind == b"IDAT":
                room = row * height - len(pixels)
                pixels += stream.decompress(chunk.content(data), max(room, 1))
    except zlib.error:
        return None
    rows = min(len(pixels) // row, height)
    if not rows:
        return None
    pixels = pixels[: rows * row].ljust(row * height, b"\0")
    kept = (
        data[chunk.start - 8 : chunk.end + 4]
        for chunk in before
        if chunk.kind != b"IDAT"
    )
    stored = (packed(b"IDAT", compress(pixels, 1)), packed(b"IEND", b""))
    return b"".join((SIGNATURE, *kept, *stored)), 1 - rows / height
