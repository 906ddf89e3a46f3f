"""The descriptors of MPEG-4 (ISO/IEC 14496-1, 7.2.6): what sets up a decoder."""

from collections.abc import Iterator

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Damaged, Part, Walk, unknown

_STREAM, _DECODER, _SET_UP, _SYNC = 3, 4, 5, 6
_DECODER_LENGTH, _LARGEST_SYNC = 13, 32


def set_up(esds: Part) -> Part | None:
    """What the decoder has to know before the first sample, if it has to.

    Raises:
        Damaged: there are no descriptors.
    """
    for tag, content in _all(esds):
        if tag == _SET_UP:
            return content
    return None


def beside(esds: Part) -> Walk:
    """Descriptors that a film does not need."""
    for tag, content in _all(esds):
        if tag not in (_STREAM, _DECODER, _SET_UP, _SYNC):
            yield from unknown(content, "a descriptor that is not known")
        elif tag == _SYNC and len(content) > _LARGEST_SYNC:
            yield content.finding(Kind.UNKNOWN, "a descriptor that is too long")


def _all(esds: Part) -> Iterator[tuple[int, Part]]:
    """The descriptors, those in others too, with their tags."""
    pending = [esds.part(4)]
    while pending:
        part, at = pending.pop(), 0
        while at < len(part):
            tag, size, at = part.number(at, 1), 0, at + 1
            for _ in range(4):
                byte, at = part.number(at, 1), at + 1
                size = size << 7 | byte & 127
                if byte < 128:
                    break
            content = part.part(at, min(size, len(part) - at), f"descriptor {tag}")
            if tag == _STREAM:
                pending.append(content.part(_stream_header(content)))
            elif tag == _DECODER:
                pending.append(content.part(_DECODER_LENGTH))
            yield tag, content
            at += size


def _stream_header(content: Part) -> int:
    flags = content.number(2, 1)
    if flags & 64:
        raise Damaged("a descriptor that refers to another file")
    return 3 + 2 * (flags >> 7) + 2 * (flags >> 5 & 1)
