"""Parts of a file, read with every access checked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from faceanon.audit.scan.findings import HARMLESS, VALUE_LENGTH, Finding, Kind

Order: TypeAlias = Literal["big", "little"]

_MAX_NESTED = 40
"""Boxes in boxes deeper than this are not read."""


class Damaged(Exception):
    """The structure of a file is not what it should be; the text says where."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a file.

    Attributes:
        data: the bytes.
        path: the way to them through the structure of the file.
        offset: of the first byte in the file; None for what was unpacked.
    """

    data: memoryview
    path: str = ""
    offset: int | None = 0

    def __len__(self) -> int:
        return len(self.data)

    def read(self, start: int, length: int) -> bytes:
        """Some of the bytes, copied.

        Raises:
            Damaged: they are not all there.
        """
        if start < 0 or length < 0 or start + length > len(self.data):
            raise Damaged(f"{length} bytes at {start} are missing")
        return bytes(self.data[start : start + length])

    def number(self, start: int, length: int, order: Order = "big") -> int:
        """An unsigned number of `length` bytes.

        Raises:
            Damaged: they are not all there.
        """
        return int.from_bytes(self.read(start, length), order)

    def starts_with(self, magic: bytes, start: int = 0) -> bool:
        """Whether the bytes from `start` on begin with others."""
        return bytes(self.data[start : start + len(magic)]) == magic

    def part(self, start: int, length: int | None = None, name: str = "") -> "Part":
        """A part of this one.

        Args:
            start: its first byte.
            length: in bytes; None for all that is left.
            name: put at the end of the path; nothing if it is empty.

        Raises:
            Damaged: it does not lie in this one.
        """
        end = len(self.data) if length is None else start + length
        if not 0 <= start <= end <= len(self.data):
            raise Damaged(f"{end - start} bytes at {start} are missing")
        offset = None if self.offset is None else self.offset + start
        return Part(self.data[start:end], self._path_of(name), offset)

    def unpacked(self, data: bytes, name: str = "") -> "Part":
        """What this part was decoded to."""
        return Part(memoryview(data), self._path_of(name), None)

    def _path_of(self, name: str) -> str:
        return "/".join(piece for piece in (self.path, name) if piece)

    def finding(
        self,
        kind: Kind,
        what: str,
        *,
        value: str | None = None,
        identifies: bool | None = None,
    ) -> Finding:
        """This part as a finding.

        Args:
            kind: what it is.
            what: the same in words.
            value: a text out of the file.
            identifies: whether it can identify; None for what is usual of its kind.
        """
        if identifies is None:
            identifies = kind not in HARMLESS
        if value is not None and len(value) > VALUE_LENGTH:
            value = value[:VALUE_LENGTH] + "..."
        return Finding(kind, self.path, self.offset, len(self), what, identifies, value)

    def text(self) -> str:
        """The beginning as a text, as well as can be guessed."""
        start = bytes(self.data[: 4 * VALUE_LENGTH])
        return start.decode("utf-8", "replace").strip("\0 ")

    def check_depth(self) -> None:
        """See that it is not nested without reason.

        Raises:
            Damaged: it is.
        """
        if self.path.count("/") > _MAX_NESTED:
            raise Damaged(f"nested deeper than {_MAX_NESTED}")

    def is_uniform(self) -> bool:
        """Whether it is one byte over and over, which says nothing."""
        size = 1 << 16
        first = bytes(self.data[:1]) * size
        return all(
            # Bytes compare at once, views one by one.
            bytes(self.data[start : start + size])
            == first[: min(size, len(self) - start)]
            for start in range(0, len(self), size)
        )


@dataclass(frozen=True, slots=True)
class Embedded:
    """A part that has to be looked into.

    Attributes:
        part: the part.
        walker: what knows its structure; None to go by its content.
        is_picture: whether it is itself a picture that was reported; else every
            picture in it is one more.
        deflated: whether it has to be inflated first (RFC 1950).
    """

    part: Part
    walker: "Walker | None" = None
    is_picture: bool = False
    deflated: bool = False


Walk: TypeAlias = Iterator[Finding | Embedded]
Walker: TypeAlias = Callable[[Part], Walk]


def leftover(part: Part, kind: Kind, what: str) -> Walk:
    """Report bytes that no structure refers to, and have them searched.

    One byte over and over is padding; it is worth a word at the end of a file only.
    """
    if part.is_uniform():
        if part and kind is Kind.TRAILER:
            yield part.finding(kind, f"{what}: one byte repeated", identifies=False)
    else:
        yield part.finding(kind, what)
        yield Embedded(part)


def unknown(part: Part, what: str) -> Walk:
    """Report what is not known, and have it searched."""
    if part:
        yield part.finding(Kind.UNKNOWN, what)
        yield Embedded(part)


def picture(part: Part, what: str) -> Walk:
    """Report a picture in the picture, and have it looked into."""
    if part:
        yield part.finding(Kind.PICTURE, what)
        yield Embedded(part, is_picture=True)


def free_text(part: Part, kind: Kind, what: str) -> Walk:
    """Report a text, unless it is blank."""
    if value := part.text():
        yield part.finding(kind, what, value=value)


def printable(code: bytes) -> str:
    r"""A four-character code for a path; what is not printable as its number.

    >>> printable(b"\xa9xyz"), printable(b"\0\0\0\1")
    ('©xyz', '0x00000001')
    """
    text = code.decode("latin-1")
    if text.removeprefix("©").isascii() and text.isprintable():
        return text
    return f"0x{code.hex()}"
