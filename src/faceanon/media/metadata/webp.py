"""Metadata in WebP files: the EXIF chunk of the RIFF container (RFC 9649)."""

import struct

from faceanon.media.containers import Readable
from faceanon.media.containers.riff import chunks, packed
from faceanon.media.metadata import exif
from faceanon.media.metadata.model import NO_METADATA, Metadata

_HAS_ALPHA = 0x10
HAS_EXIF = 0x08
"""The flag in the chunk VP8X that says that there is EXIF."""


def read(data: Readable) -> Metadata:
    """Read the EXIF chunk, wherever it stands."""
    for chunk in chunks(data):
        if chunk.kind == b"EXIF":
            return exif.parse(chunk.content(data))
    return NO_METADATA


def write(
    data: bytes, metadata: Metadata, orientation: int, thumbnail: bytes | None
) -> bytes:
    """Put an EXIF chunk at the end. Nobody shows thumbnails of WebP: none is put."""
    block = exif.block(metadata, orientation=orientation)
    if not block:
        return data
    parts = [(chunk.kind, chunk.content(data)) for chunk in chunks(data)]
    if parts[0][0] != b"VP8X":
        parts.insert(0, (b"VP8X", _extended_header(*parts[0])))
    kind, header = parts[0]
    parts[0] = kind, bytes((header[0] | HAS_EXIF,)) + header[1:]
    parts.append((b"EXIF", block))
    return packed(b"RIFF", b"WEBP" + b"".join(packed(*part) for part in parts))


def _extended_header(kind: bytes, content: bytes) -> bytes:
    """The content of the chunk VP8X for the chunk of a picture that has none."""
    if kind == b"VP8L":
        # After the signature: 14 bits of width - 1, 14 of height - 1, 1 of alpha.
        bits = int.from_bytes(content[1:5], "little")
        width, height = bits & 0x3FFF, bits >> 14 & 0x3FFF
        flags = _HAS_ALPHA if bits >> 28 & 1 else 0
    else:
        # After the frame tag and start code of VP8 (RFC 6386): two bits are a scale.
        width, height = (
            (side & 0x3FFF) - 1 for side in struct.unpack_from("<HH", content, 6)
        )
        flags = 0
    sides = width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return bytes((flags, 0, 0, 0)) + sides
