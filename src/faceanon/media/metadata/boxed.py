"""What the colours of an AVIF or HEIF are, where no profile says so.

The code points of ITU-T H.273 stand in a colour box (ISO/IEC 14496-12, section 12.1.5)
among the properties of the picture (ISO/IEC 23008-12, section 9.3). EXIF is not read
and written here: the codecs do.
"""

from faceanon.media.containers import Readable
from faceanon.media.containers.iso import Box, all_boxes, boxes
from faceanon.media.metadata.model import NO_METADATA, Metadata

_SRGB = (1, 13)
_UNSPECIFIED = (2, 2)
_HDR_TRANSFERS = (16, 18)
_NCLX = b"nclx"
_PROFILES = (b"prof", b"rICC")


def read(data: Readable) -> Metadata:
    """Read the code points of the picture that is shown, as a PNG would tell them."""
    try:
        colors = _color_boxes(data)
    except IndexError:  # a box that ends before what it should hold
        return NO_METADATA
    has_profile = any(box[:4] in _PROFILES for box in colors)
    for box in colors:
        if box[:4] != _NCLX or len(box) < 8:
            continue
        primaries, transfer = _number(box, 4, 2), _number(box, 6, 2)
        says_nothing = (primaries, transfer) in (_SRGB, _UNSPECIFIED)
        # Encoders put those of sRGB, or worse, beside any profile.
        is_doubtful = has_profile and transfer not in _HDR_TRANSFERS
        if says_nothing or is_doubtful or max(primaries, transfer) > 255:
            break
        # What is decoded is RGB in full range.
        return Metadata(png_colors=(("cICP", (primaries, transfer, 0, 1)),))
    return NO_METADATA


def write(
    data: bytes, metadata: Metadata, orientation: int, thumbnail: bytes | None
) -> bytes:
    """Put code points in the place of those that the encoder has written."""
    code_points = dict(metadata.png_colors).get("cICP")
    if code_points is None:
        return data
    primaries, transfer, *_ = code_points
    changed = bytearray(data)
    for box in all_boxes(data):
        if box.kind == b"colr" and data[box.start : box.start + 4] == _NCLX:
            start = box.start + 4
            changed[start : start + 4] = bytes((0, primaries, 0, transfer))
    return bytes(changed)


def _color_boxes(data: Readable) -> list[bytes]:
    """What the colour boxes of the primary picture hold."""
    meta = next((box for box in boxes(data) if box.kind == b"meta"), None)
    if meta is None:
        return []
    parts = {box.kind: box for box in boxes(data, meta.start + 4, meta.end)}
    if b"pitm" not in parts or b"iprp" not in parts:
        return []
    start = parts[b"pitm"].start
    primary = _number(data, start + 4, 2 if data[start] == 0 else 4)
    properties: list[Box] = []
    owned: set[int] = set()
    for box in boxes(data, parts[b"iprp"].start, parts[b"iprp"].end):
        if box.kind == b"ipco":
            properties = list(boxes(data, box.start, box.end))
        elif box.kind == b"ipma":
            owned |= _properties_of(primary, box.content(data))
    return [
        box.content(data)
        for index, box in enumerate(properties, start=1)
        if box.kind == b"colr" and index in owned
    ]


def _properties_of(item: int, associations: bytes) -> set[int]:
    """The numbers of an item's properties."""
    id_size = 2 if associations[0] == 0 else 4
    index_size, mask = (2, 0x7FFF) if associations[3] & 1 else (1, 0x7F)
    owned = set()
    at = 8
    for _ in range(_number(associations, 4, 4)):
        is_wanted = _number(associations, at, id_size) == item
        at += id_size
        count, at = associations[at], at + 1
        if is_wanted:
            owned |= {
                _number(associations, at + index * index_size, index_size) & mask
                for index in range(count)
            }
        at += count * index_size
    return owned


def _number(data: Readable, at: int, size: int) -> int:
    if at + size > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + size])
