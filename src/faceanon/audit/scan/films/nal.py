"""H.264 and H.265: what stands beside the slices of their pictures.

ITU-T H.264 and H.265, clause 7.3.1 for the units, annex D for the messages (SEI).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from faceanon.audit.scan.films.user_data import UserData
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Damaged, Part, Walk

_REGISTERED, _UNREGISTERED, _TIME_CODE = 4, 5, 136

# Messages of numbers about how pictures are decoded and shown.
_NUMBERS = {0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22}
_NUMBERS |= {23, 45, 47, 56, 128, 129, 130, 131, 132, 133, 134, 137, 142, 144, 147}
_NUMBERS |= {148, 149, 150, 151, 165, 168, 200}

_LARGEST_MESSAGE = 1 << 20
_MARK, _MOST_ZEROS = re.compile(rb"\x00\x00\x01"), 64


@dataclass(frozen=True)
class Codec:
    """How the units of a codec are told apart.

    Attributes:
        pictures: kinds of units that a picture needs, or numbers about it.
        messages: those that hold messages.
        filler: the one that holds nothing but FF.
        header: the bytes before what a unit holds.
        shift: where in the first byte its kind begins.
        mask: of the kind, likewise.
    """

    pictures: frozenset[int]
    messages: frozenset[int]
    filler: int
    header: int
    shift: int
    mask: int


H264 = Codec(
    frozenset([1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 13]), frozenset([6]), 12, 1, 0, 31
)
H265 = Codec(
    # 62: how Dolby Vision maps colours.
    frozenset([*range(10), *range(16, 22), *range(32, 38), 62]),
    *(frozenset([39, 40]), 38, 2, 1, 63),
)


def units(part: Part, size: int) -> Iterator[Part]:
    """The units in a sample, each after its length of `size` bytes."""
    at = 0
    while at + size < len(part):
        length = part.number(at, size)
        at += size
        yield part.part(at, min(length, len(part) - at), "unit")
        at += length


def units_between_marks(part: Part) -> Iterator[Part]:
    """The units in a stream, each after the bytes 00 00 01 (annex B)."""
    begin = None
    for mark in _MARK.finditer(part.data):
        if begin is not None:
            yield _unit(part, begin, mark.start())
        begin = mark.end()
    if begin is not None:
        yield _unit(part, begin, len(part))


def _unit(part: Part, begin: int, end: int) -> Part:
    """A unit, without the zeros that may follow it."""
    tail = bytes(part.data[max(begin, end - _MOST_ZEROS) : end])
    return part.part(begin, end - begin - len(tail) + len(tail.rstrip(b"\0")), "unit")


def user_data(codec: Codec, samples: Iterable[Iterable[Part]]) -> Walk:
    """What the units of the samples of a track hold beside pictures.

    Args:
        codec: of the track.
        samples: the units of each.
    """
    found = UserData()
    for sample in samples:
        for unit in sample:
            if not found.spend():
                yield from found.walk()
                return
            if unit:
                _look(codec, unit, found)
    yield from found.walk()


def _look(codec: Codec, unit: Part, found: UserData) -> None:
    first = unit.data[0]
    kind = first >> codec.shift & codec.mask
    if codec is H265 and len(unit) > 1 and kind not in codec.messages:
        layer = (first & 1) << 5 | unit.data[1] >> 3
        if layer:
            found.note(unit, Kind.VIDEO, "a second layer: depth, or another view")
            return
    if kind in codec.pictures:
        return
    content = unit.part(min(codec.header, len(unit)))
    if kind in codec.messages:
        _messages(content, found)
    elif kind == codec.filler:
        data = content.read(0, len(content)).strip(b"\xff")
        if data not in (b"", b"\x80"):
            found.note(unit, Kind.GAP, "filler that holds something")
    elif codec is H264 and kind in (14, 20, 21):
        found.note(unit, Kind.VIDEO, "a second layer: another view, or a larger one")
    elif codec is H264 and kind == 19:
        found.note(unit, Kind.PICTURE, "an auxiliary picture")
    else:
        found.note(unit, Kind.UNKNOWN, "a unit that is not known")


def _messages(content: Part, found: UserData) -> None:
    data = content.read(0, min(len(content), _LARGEST_MESSAGE))
    data = data.replace(b"\0\0\3", b"\0\0")
    at = 0
    while at + 2 <= len(data) and found.spend():
        kind, at = _number(data, at)
        size, at = _number(data, at)
        message = data[at : at + size]
        if kind == _UNREGISTERED:
            found.unregistered(content, message)
        elif kind == _REGISTERED:
            found.registered(content, message)
        elif kind == _TIME_CODE:
            found.note(content, Kind.DATE, "a time code")
        elif kind not in _NUMBERS:
            found.note(content, Kind.UNKNOWN, "a message that is not known")
        elif kind == 3 and message.strip(b"\xff"):
            found.note(content, Kind.GAP, "filler that holds something")
        at += size


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number as messages have it: FF stands for 255 more."""
    value = 0
    while at < len(data) and data[at] == 0xFF:
        value, at = value + 255, at + 1
    if at >= len(data):
        return value, at
    return value + data[at], at + 1


def h264_config(config: Part) -> tuple[int, list[Part]]:
    """The length of lengths, and the units, of an avcC box (ISO/IEC 14496-15, 5.3).

    Raises:
        Damaged: it is not what it should be.
    """
    sequences, at = _units_of(config, 6, config.number(5, 1) & 31)
    pictures, at = _units_of(config, at + 1, config.number(at, 1))
    if len(config) > at + 4 and not config.part(at).is_uniform():
        # High profiles have four bytes more, and extensions that nobody uses.
        raise Damaged("bytes after the parameters of the codec")
    return (config.number(4, 1) & 3) + 1, sequences + pictures


def h265_config(config: Part) -> tuple[int, list[Part]]:
    """The same of an hvcC box (ISO/IEC 14496-15, 8.3)."""
    found: list[Part] = []
    at = 23
    for _ in range(config.number(22, 1)):
        more, at = _units_of(config, at + 3, config.number(at + 1, 2))
        found += more
    if len(config) > at:
        raise Damaged("bytes after the parameters of the codec")
    return (config.number(21, 1) & 3) + 1, found


def _units_of(config: Part, at: int, count: int) -> tuple[list[Part], int]:
    """So many units, each after its length of two bytes, and where they end."""
    found = []
    for _ in range(count):
        length = config.number(at, 2)
        found.append(config.part(at + 2, length, "unit"))
        at += 2 + length
    return found, at
