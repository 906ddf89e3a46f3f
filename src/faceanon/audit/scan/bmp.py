"""BMP: its headers, the pixels they tell of, and everything else."""

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.icc import icc_profile
from faceanon.audit.scan.part import Damaged, Embedded, Part, Walk, free_text, leftover

_FILE_HEADER_LENGTH = 14
_CORE_HEADER_LENGTH, _V5_HEADER_LENGTH = 12, 124
_UNCOMPRESSED, _JPEG, _PNG = (0, 3, 6), 4, 5
_LINKED, _EMBEDDED = b"KNIL", b"DEBM"


def bmp(part: Part) -> Walk:
    """A BMP and what stands after it in the part."""
    header = part.number(14, 4, "little")
    pixels = part.number(10, 4, "little")
    if header < _CORE_HEADER_LENGTH or pixels < _FILE_HEADER_LENGTH + header:
        raise Damaged("a BMP whose header is no header")
    used = [(0, _palette_end(part, header)), (pixels, pixels + _size(part, header))]
    if header >= 40 and part.number(30, 4, "little") in (_JPEG, _PNG):
        yield Embedded(part.part(pixels, None, "pixels"), is_picture=True)
    if header >= _V5_HEADER_LENGTH and part.read(70, 4) in (_LINKED, _EMBEDDED):
        start = _FILE_HEADER_LENGTH + part.number(126, 4, "little")
        length = part.number(130, 4, "little")
        profile = part.part(start, length, "profile")
        used.append((start, start + length))
        if part.read(70, 4) == _LINKED:
            yield from free_text(profile, Kind.COMMENT, "the path of a profile")
        else:
            yield Embedded(profile, icc_profile)
    end = 0
    for start, stop in [*sorted(used), (len(part), len(part))]:
        if start > end:
            is_last = start == len(part)
            yield from leftover(
                part.part(end, min(start, len(part)) - end, "gap"),
                Kind.TRAILER if is_last else Kind.GAP,
                "bytes that no header refers to",
            )
        end = max(end, min(stop, len(part)))


def _palette_end(part: Part, header: int) -> int:
    end = _FILE_HEADER_LENGTH + header
    if header == _CORE_HEADER_LENGTH:
        bits = part.number(24, 2, "little")
        return end + (3 << bits if bits <= 8 else 0)
    bits, compression = part.number(28, 2, "little"), part.number(30, 4, "little")
    colors = part.number(46, 4, "little") or (1 << bits if bits <= 8 else 0)
    masks = {3: 12, 6: 16}.get(compression, 0) if header == 40 else 0
    return end + masks + 4 * colors


def _size(part: Part, header: int) -> int:
    """The number of bytes of the pixels."""
    if header == _CORE_HEADER_LENGTH:
        width, height = part.number(18, 2, "little"), part.number(20, 2, "little")
        bits = part.number(24, 2, "little")
    else:
        width, height = part.number(18, 4, "little"), part.number(22, 4, "little")
        # A negative height: the rows stand from the top.
        height = min(height, (1 << 32) - height)
        bits = part.number(28, 2, "little")
        if part.number(30, 4, "little") not in _UNCOMPRESSED:
            return part.number(34, 4, "little")
    return (width * bits + 31) // 32 * 4 * height
