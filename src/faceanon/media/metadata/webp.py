"""Metadata in WebP files: the EXIF chunk of the RIFF container (RFC 9649)."""

import struct
from collections.abc import Iterator

from faceanon.media.metadata import exif
from faceanon.media.metadata.model import NO_METADATA, Metadata

_HEADER_SIZE = 12
_HAS_ALPHA, _HAS_EXIF = 0x10, 0x08


def read(data: bytes) -> Metadata:
    """Read the EXIF chunk, wherever it stands."""
    for kind, content in _chunks(data):
        if kind == b"EXIF":
            return exif.parse(content)
    return NO_METADATA


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = _HEADER_SIZE
    while offset + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, offset + 4)
        yield data[offset : offset + 4], data[offset + 8 : offset + 8 + size]
        offset += 8 + size + size % 2


def write(
    data: bytes, metadata: Metadata, orientation: int, thumbnail: bytes | None
) -> bytes:
    """Put an EXIF chunk at the end. Nobody shows thumbnails of WebP: none is put."""
    block = exif.block(metadata, orientation=orientation)
    if not block:
        return data
    chunks = list(_chunks(data))
    if chunks[0][0] != b"VP8X":
        chunks.insert(0, (b"VP8X", _extended_header(*chunks[0])))
    kind, header = chunks[0]
    chunks[0] = kind, bytes((header[0] | _HAS_EXIF,)) + header[1:]
    chunks.append((b"EXIF", block))
    body = b"WEBP" + b"".join(_packed(*chunk) for chunk in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _packed(kind: bytes, content: bytes) -> bytes:
    padding = bytes(len(content) % 2)
    return kind + struct.pack("<I", len(content)) + content + padding


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
