"""Directories of tagged values, of which TIFF files and EXIF consist (TIFF 6.0).

What is read comes from strangers: offsets and counts are checked, and only the tags
asked for are looked at. What is written is packed from numbers, with no byte of what
was read.
"""

import enum
import struct
from collections.abc import Container, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from faceanon.media.containers import Readable

ByteOrder: TypeAlias = Literal["<", ">"]
Value: TypeAlias = int | Fraction | str

# An entry of a classic TIFF is 12 bytes with 4 of them for a value or its offset.
ENTRY_SIZE, _FIELD_SIZE = 12, 4

# Cameras write a few dozen entries; the values of interest are short.
_MOST_ENTRIES = 2_000
_LONGEST_VALUE = 256


class Type(enum.IntEnum):
    """The types of values that are read and written."""

    BYTE, ASCII, SHORT, LONG, RATIONAL = 1, 2, 3, 4, 5
    UNDEFINED, SLONG, SRATIONAL = 7, 9, 10


_CODES = {
    Type.BYTE: "B",
    Type.SHORT: "H",
    Type.LONG: "I",
    Type.RATIONAL: "I",
    Type.SLONG: "i",
    Type.SRATIONAL: "i",
}
SIZES = {
    Type.BYTE: 1,
    Type.ASCII: 1,
    Type.SHORT: 2,
    Type.LONG: 4,
    Type.RATIONAL: 8,
    Type.UNDEFINED: 1,
    Type.SLONG: 4,
    Type.SRATIONAL: 8,
}


class Tiff:
    """A TIFF file, or an EXIF block, to read values from.

    Args:
        data: the bytes, from the byte order mark on.

    Raises:
        ValueError: it is none.
    """

    def __init__(self, data: Readable) -> None:
        self._data = data
        marks: dict[bytes, ByteOrder] = {b"II": "<", b"MM": ">"}
        if data[:2] not in marks:
            raise ValueError("it has no byte order mark")
        self.order = marks[data[:2]]
        version = self._number("H", 2)
        if version not in (42, 43):
            raise ValueError(f"TIFF has no version {version}")
        self.is_big = version == 43
        self.first = self._number("Q", 8) if self.is_big else self._number("I", 4)

    def values(
        self, directory: int, wanted: Container[int]
    ) -> dict[int, tuple[Value, ...]]:
        """The values of the wanted tags of a directory.

        Args:
            directory: its offset.
            wanted: tags; others are not looked at.

        Raises:
            ValueError: the directory lies outside of the data.
        """
        count_code, word, entry_size = ("Q", "Q", 20) if self.is_big else ("H", "I", 12)
        count = self._number(count_code, directory)
        if count > _MOST_ENTRIES:
            raise ValueError(f"a directory of {count} entries")
        found: dict[int, tuple[Value, ...]] = {}
        entries = directory + struct.calcsize(count_code)
        for entry in range(entries, entries + count * entry_size, entry_size):
            tag = self._number("H", entry)
            if tag in wanted and tag not in found:
                found[tag] = self._value(entry + 2, word)
        return found

    def _value(self, entry: int, word: str) -> tuple[Value, ...]:
        """The values of an entry, from its type on; none where it is damaged."""
        type_, count = self._number("H", entry), self._number(word, entry + 2)
        size = count * SIZES[Type(type_)] if type_ in SIZES else 0
        if not 0 < size <= _LONGEST_VALUE:
            return ()
        field = entry + 2 + struct.calcsize(word)
        if size > struct.calcsize(word):
            field = self._number(word, field)
        raw = self._data[field : field + size]
        return _unpacked(Type(type_), raw, self.order) if len(raw) == size else ()

    def _number(self, code: str, offset: int) -> int:
        size = struct.calcsize(self.order + code)
        raw = self._data[offset : offset + size]
        if len(raw) < size:
            raise ValueError("it ends too early")
        return int.from_bytes(raw, "little" if self.order == "<" else "big")


def _unpacked(type_: Type, raw: bytes, order: ByteOrder) -> tuple[Value, ...]:
    if type_ in (Type.ASCII, Type.UNDEFINED):
        return (raw.split(b"\0")[0].decode("latin-1"),)
    code = _CODES[type_]
    numbers = struct.unpack(f"{order}{len(raw) // struct.calcsize(code)}{code}", raw)
    if type_ not in (Type.RATIONAL, Type.SRATIONAL):
        return numbers
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    # A denominator of 0 stands for "unknown".
    return tuple(Fraction(*pair) for pair in pairs) if all(d for _, d in pairs) else ()


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that lie elsewhere in the file, with an entry that holds their offset."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a directory to be written.

    Attributes:
        tag: its number.
        type: one of `Type`, or any in an entry that is kept as it is.
        count: how many values.
        value: the numbers; or packed bytes; or entries of a directory of its own; or a
            blob.
    """

    tag: int
    type: int
    count: int
    value: "tuple[int, ...] | bytes | Directory | Blob"


class Directory(tuple[Entry, ...]):
    """The entries of a directory to be written, in any order."""

    __slots__ = ()


def shorts(tag: int, *values: int) -> Entry:
    """An entry of numbers from 0 to 65535."""
    return Entry(tag, Type.SHORT, len(values), values)


def ratio(tag: int, value: Fraction, type_: Type = Type.RATIONAL) -> Entry:
    """An entry of one fraction."""
    return Entry(tag, type_, 1, value.as_integer_ratio())


def text(tag: int, value: str) -> Entry:
    """An entry of ASCII text."""
    packed = value.encode("ascii") + b"\0"
    return Entry(tag, Type.ASCII, len(packed), packed)


def undefined(tag: int, value: bytes) -> Entry:
    """An entry of bytes without a type."""
    return Entry(tag, Type.UNDEFINED, len(value), value)


def elsewhere(tag: int, value: Directory | Blob) -> Entry:
    """An entry that points to a directory or to bytes."""
    return Entry(tag, Type.LONG, 1, value)


def pack(
    entries: Sequence[Entry], offset: int, order: ByteOrder, following: int = 0
) -> bytes:
    """Pack a directory with its values, and the directories that it points to.

    Args:
        entries: what it holds.
        offset: where it will begin in the file.
        order: of the bytes of the file.
        following: the offset of the next directory; 0 for none.
    """
    table = bytearray(struct.pack(f"{order}H", len(entries)))
    values = bytearray()
    start = offset + 2 + ENTRY_SIZE * len(entries) + _FIELD_SIZE
    for entry in sorted(entries, key=lambda entry: entry.tag):
        packed = _packed(entry, start + len(values), order)
        table += struct.pack(f"{order}HHI", entry.tag, entry.type, entry.count)
        if len(packed) <= _FIELD_SIZE and not isinstance(entry.value, Directory | Blob):
            table += packed.ljust(_FIELD_SIZE, b"\0")
        else:
            table += struct.pack(f"{order}I", start + len(values))
            values += packed + bytes(len(packed) % 2)
    return bytes(table) + struct.pack(f"{order}I", following) + bytes(values)


def _packed(entry: Entry, offset: int, order: ByteOrder) -> bytes:
    match entry.value:
        case bytes(packed):
            return packed
        case Blob(data):
            return data
        case Directory() as entries:
            return pack(entries, offset, order)
        case numbers:
            code = _CODES[Type(entry.type)]
            return struct.pack(f"{order}{len(numbers)}{code}", *numbers)
