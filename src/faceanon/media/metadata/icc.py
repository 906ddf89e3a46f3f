"""Colour profiles: kept as they are where they hold colours only, else made anew.

A profile says what the numbers of the pixels mean; without it the colours change. But
it can hold texts and private tags too: the profile of a screen, which a screenshot
carries, names the model, the serial number and at times the owner (ICC.1:2022).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER_SIZE, _TAG_SIZE = 128, 12
_SIGNATURE = b"acsp"
_MOST_TAGS = 100
# Those of printers have some two million bytes.
_LARGEST = 16_000_000

_TABLES = (b"mft1", b"mft2", b"mAB ", b"mBA ")
_SCALES = (b"A2B", b"B2A", b"D2B", b"B2D", b"pre")

# The tags that say what colours are, and the types that their data can have.
_COLOR_TAGS: dict[bytes, tuple[bytes, ...]] = {
    **dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"bkpt", b"lumi"), (b"XYZ ",)),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), (b"curv", b"para")),
    **{b"%s%d" % (scale, i): _TABLES for scale in _SCALES[:2] for i in range(3)},
    **{b"%s%d" % (scale, i): (b"mpet",) for scale in _SCALES[2:4] for i in range(4)},
    **{b"pre%d" % i: _TABLES for i in range(3)},
    b"gamt": _TABLES,
    b"chad": (b"sf32",),
    b"chrm": (b"chrm",),
    b"cicp": (b"cicp",),
    b"meas": (b"meas",),
    b"rig0": (b"sig ",),
    b"rig2": (b"sig ",),
    b"tech": (b"sig ",),
    b"view": (b"view",),
}
# How long data of a type can be, where that is known without reading it.
_SIZES = {
    b"XYZ ": (20,),
    b"sf32": (44,),
    b"chrm": (36,),
    b"cicp": (12,),
    b"meas": (36,),
    b"sig ": (12,),
    b"view": (36,),
    b"para": (16, 24, 28, 32, 40),
}
_TEXT_TAGS = (b"desc", b"cprt", b"dmnd", b"dmdd", b"vued")

# The words that the names and notices of published profiles are made of: colours,
# standards, and the firms that publish profiles. Any other word may be a name.
_WORDS = """
    a ab aces acescg adobe all and appearance apple association b beta black bt built c
    camera cc ch cie cinema cm cmm cmyk co coated color colormatch colorspace colour
    companies company compatible compensation computer condition consortium copyright
    corp corporation custom d dci dcip default display dot e eastman eci european
    facebook fb fogra for free freely from gain gamma generated generic gimp gmbh google
    gracol graustufen gray grayscale grey greyscale group hdr hewlett hlg hp http https
    icc iec image in inc incorporated input intent international iso itu japan jpeg
    kodak lab lcms limited linear llc ltd medium metric microsoft minolta n native new
    nikon no ntsc of open output p packard pal per perceptual photo photoshop point
    portions pq preference primaries profile prophoto public rec reference reserved rgb
    rights romm s samsung scaled scene secam simple smpte sony sp space srgb standard
    swop system systems tm to transfer trc u ucs uncoated use v version viewing web
    white wide with working www xyb xyz
"""
_PUBLIC_WORDS = frozenset(_WORDS.split())
_WORD = re.compile(r"[A-Za-z]+|[0-9]+")
_LONGEST_NUMBER = 5

_NAME, _NOTICE = "profile", "unknown"


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag of a profile: its signature, and where its data lies."""

    signature: bytes
    start: int
    end: int


def clean_profile(profile: bytes | None) -> bytes | None:
    """A profile with the same colours and without private parts.

    Args:
        profile: as it was found; None for none.

    Returns:
        The same bytes, if there is nothing in them but colours and the words of
        published profiles; else a new profile of the tags that say what colours are;
        None if it is not a profile.
    """
    if not profile:
        return None
    tags = _tags(profile)
    if tags is None:
        return None
    is_public = all(_is_public(profile, tag) for tag in tags)
    if is_public and not any(profile[100:_HEADER_SIZE]) and _is_tight(profile, tags):
        return profile
    return _rebuilt(profile, tags)


def _tags(profile: bytes) -> list[_Tag] | None:
    """The tags; None where the structure is not that of a profile."""
    if not _HEADER_SIZE + 4 <= len(profile) <= _LARGEST:
        return None
    size, count = (
        struct.unpack_from(">I", profile, offset)[0] for offset in (0, _HEADER_SIZE)
    )
    if profile[36:40] != _SIGNATURE or size != len(profile) or count > _MOST_TAGS:
        return None
    table = profile[_HEADER_SIZE + 4 : _HEADER_SIZE + 4 + count * _TAG_SIZE]
    if len(table) < count * _TAG_SIZE:
        return None
    tags = [
        _Tag(signature, start, start + length)
        for signature, start, length in struct.iter_unpack(">4sII", table)
    ]
    first = _HEADER_SIZE + 4 + len(table)
    is_sound = all(first <= tag.start <= tag.end - 8 <= size - 8 for tag in tags)
    return tags if is_sound and tags else None


def _is_public(profile: bytes, tag: _Tag) -> bool:
    data = profile[tag.start : tag.end]
    if tag.signature in _TEXT_TAGS:
        texts = _texts(data)
        return texts is not None and all(_is_plain(text) for text in texts)
    return _is_color(tag.signature, data)


def _is_color(signature: bytes, data: bytes) -> bool:
    type_ = data[:4]
    if type_ not in _COLOR_TAGS.get(signature, ()) or any(data[4:8]):
        return False
    if type_ == b"curv" and len(data) >= 12:
        size = 12 + 2 * int.from_bytes(data[8:12])
        return size <= len(data) < size + 4 and not any(data[size:])
    return type_ not in _SIZES or len(data) in _SIZES[type_]


def _is_tight(profile: bytes, tags: list[_Tag]) -> bool:
    """Whether between the tags there is nothing but zeros."""
    end = _HEADER_SIZE + 4 + len(tags) * _TAG_SIZE
    for tag in sorted(tags, key=lambda tag: tag.start):
        if any(profile[end : tag.start]):
            return False
        end = max(end, tag.end)
    return not any(profile[end:])


def _texts(data: bytes) -> list[str] | None:
    """All texts of a tag, in all languages; None where there is more than texts."""
    match data[:4]:
        case b"text":
            return [data[8:].rstrip(b"\0").decode("latin-1")]
        case b"desc":
            return _description(data)
        case b"mluc":
            return _localized(data)
    return None


def _description(data: bytes) -> list[str] | None:
    """The three texts of the type of version 2: ASCII, Unicode, Macintosh."""
    try:
        (size,) = struct.unpack_from(">I", data, 8)
        plain, offset = data[12 : 12 + size], 12 + size
        (count,) = struct.unpack_from(">4xI", data, offset)
        wide, offset = data[offset + 8 : offset + 8 + 2 * count], offset + 8 + 2 * count
        (short,) = struct.unpack_from(">2xB", data, offset)
        old, rest = data[offset + 3 : offset + 3 + short], data[offset + 3 + short :]
    except struct.error:
        return None
    if any(rest) or short > 67:
        return None
    texts = [plain.decode("latin-1"), wide.decode("utf-16-be", "replace")]
    # Macintosh texts may lack their last zero.
    return [text.strip("\0\ufeff") for text in (*texts, old.decode("latin-1"))]


def _localized(data: bytes) -> list[str] | None:
    """The texts of the type of version 4, one a language."""
    try:
        count, size = struct.unpack_from(">II", data, 8)
        if size != _TAG_SIZE or count > _MOST_TAGS:
            return None
        records = [
            struct.unpack_from(">4xII", data, 16 + i * size) for i in range(count)
        ]
    except struct.error:
        return None
    covered = bytearray(data)
    covered[: 16 + count * _TAG_SIZE] = bytes(16 + count * _TAG_SIZE)
    texts = []
    for length, start in records:
        raw = data[start : start + length]
        covered[start : start + length] = bytes(len(raw))
        texts.append(raw.decode("utf-16-be", "replace").strip("\0"))
    return None if any(covered) else texts


def _is_plain(text: str) -> bool:
    """Whether a text is made of the words of published profiles."""
    if not text.isascii() or not text.isprintable():
        return False
    return all(
        len(word) <= _LONGEST_NUMBER
        if word.isdigit()
        else word.lower() in _PUBLIC_WORDS
        for word in _WORD.findall(text)
    )


def _rebuilt(profile: bytes, tags: list[_Tag]) -> bytes:
    is_old = profile[8] < 4
    parts = dict(_kept(profile, tags))
    parts.setdefault(b"desc", _text(_NAME, is_old, is_name=True))
    parts.setdefault(b"cprt", _text(_NOTICE, is_old, is_name=False))
    start = _HEADER_SIZE + 4 + len(parts) * _TAG_SIZE
    table, content = bytearray(), bytearray()
    places: dict[bytes, int] = {}
    for signature, data in parts.items():
        if data not in places:
            # The curves of the three colours are often one and the same.
            places[data] = start + len(content)
            content += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", signature, places[data], len(data))
    header = bytearray(profile[:_HEADER_SIZE])
    struct.pack_into(">I", header, 0, start + len(content))
    # When, on what device and by whom it was made, and the digest of what it was.
    for private in (slice(24, 36), slice(48, 56), slice(80, _HEADER_SIZE)):
        header[private] = bytes(private.stop - private.start)
    return bytes(header) + struct.pack(">I", len(parts)) + bytes(table + content)


def _kept(profile: bytes, tags: list[_Tag]) -> Iterator[tuple[bytes, bytes]]:
    for tag in tags:
        if _is_public(profile, tag):
            yield tag.signature, profile[tag.start : tag.end]


def _text(text: str, is_old: bool, *, is_name: bool) -> bytes:
    """A text as a tag of version 2 or of version 4 holds it."""
    if is_old:
        plain = text.encode("ascii") + b"\0"
        if not is_name:
            return b"text" + bytes(4) + plain
        rest = bytes(4 + 4 + 2 + 1 + 67)
        return b"desc" + bytes(4) + struct.pack(">I", len(plain)) + plain + rest
    wide = text.encode("utf-16-be")
    return (
        b"mluc"
        + bytes(4)
        + struct.pack(">II4sII", 1, _TAG_SIZE, b"enUS", len(wide), 28)
        + wide
    )
