"""The items of HEIF (ISO/IEC 23008-12): what they are, where, and which are shown."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from faceanon.audit.scan.boxes import boxes
from faceanon.audit.scan.part import Damaged, Part

_ALPHA = (
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0",
    b"urn:mpeg:hevc:2015:auxid:1\0",
    b"urn:mpeg:avc:2015:auxid:1\0",
)
_IN_FILE, _IN_IDAT = 0, 1

# Extents may take no bytes at all; pictures have some thousand tiles at most.
_MAX_EXTENTS = 100_000


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the meta box: its kind, name, and for MIME its content type."""

    kind: bytes
    name: bytes = b""
    content_type: bytes = b""


class Items:
    """The items of a file.

    Attributes:
        items: all of them, by number.
    """

    def __init__(self, file: Part, meta: Part) -> None:
        """Read the boxes that tell of items.

        Args:
            file: the whole file.
            meta: what the meta box holds.

        Raises:
            Damaged: they are not what they should be.
        """
        self.items: dict[int, Item] = {}
        self._file = file
        self._idat: Part | None = None
        self._primary = 0
        self._extents: dict[int, tuple[int, list[tuple[int, int]]]] = {}
        self._references: dict[bytes, dict[int, list[int]]] = defaultdict(dict)
        self._alpha: set[int] = set()
        readers = {
            b"pitm": self._read_primary,
            b"iinf": self._read_items,
            b"iloc": self._read_locations,
            b"iref": self._read_references,
            b"iprp": self._read_properties,
        }
        for box in boxes(meta, 4):
            if box.kind == b"idat":
                self._idat = box.content
            elif box.kind in readers:
                readers[box.kind](box.content)

    def extents(self) -> Iterator[tuple[int, int]]:
        """Where in the file there are data of items: first byte, and last plus one."""
        for method, extents in self._extents.values():
            if method == _IN_FILE:
                for start, length in extents:
                    yield start, start + length

    def data(self, number: int) -> Part | None:
        """The data of an item; None if they are not in the file."""
        method, extents = self._extents.get(number, (_IN_FILE, []))
        source = {_IN_FILE: self._file, _IN_IDAT: self._idat}.get(method)
        if source is None or not extents:
            return None
        kind = self.items[number].kind.decode("latin-1")
        name = f"item {number} {kind if kind.isprintable() else ''}".strip()
        parts = [
            source.part(start, length or None, name)
            for start, length in extents
            if start + length <= len(source)
        ]
        if len(parts) == 1:
            return parts[0]
        if sum(map(len, parts)) > len(source):
            raise Damaged("an item larger than the file")
        joined = b"".join(part.data for part in parts)
        return source.part(0, 0).unpacked(joined, name)

    def shown(self) -> set[int]:
        """The primary item, what it is made of, and its transparency."""
        shown = self._made_of(self._primary)
        for number, targets in self._references[b"auxl"].items():
            if number in self._alpha and shown.intersection(targets):
                shown |= self._made_of(number)
        return shown

    def _made_of(self, number: int) -> set[int]:
        found, pending = set(), [number]
        while pending:
            number = pending.pop()
            if number not in found:
                found.add(number)
                pending += self._references[b"dimg"].get(number, [])
        return found

    def role(self, number: int) -> str:
        """What a picture is that is not shown."""
        if number in self._references[b"thmb"]:
            return "a thumbnail"
        if number in self._references[b"auxl"]:
            return "an auxiliary picture, such as depth, a matte or a gain map"
        return "a picture that is not the one shown"

    def _read_primary(self, box: Part) -> None:
        self._primary = box.number(4, 2 if box.number(0, 1) == 0 else 4)

    def _read_items(self, box: Part) -> None:
        start = 6 if box.number(0, 1) == 0 else 8
        for entry in boxes(box, start):
            content = entry.content
            version = content.number(0, 1)
            if version < 2:
                # Without a kind: HEIF does not use these.
                self.items[content.number(4, 2)] = Item(b"")
                continue
            size = 2 if version == 2 else 4
            number, kind = content.number(4, size), content.read(6 + size, 4)
            texts = bytes(content.data[10 + size :]).split(b"\0")
            content_type = texts[1] if kind == b"mime" and len(texts) > 1 else b""
            self.items[number] = Item(kind, texts[0], content_type)

    def _read_locations(self, box: Part) -> None:
        version = box.number(0, 1)
        sizes = box.number(4, 2)
        offset_size, length_size = sizes >> 12, sizes >> 8 & 15
        base_size, index_size = sizes >> 4 & 15, sizes & 15 if version else 0
        wide = 4 if version == 2 else 2
        count, at, total = box.number(6, wide), 6 + wide, 0
        for _ in range(count):
            number, at = box.number(at, wide), at + wide
            method = box.number(at, 2) & 15 if version else _IN_FILE
            at += 4 if version else 2
            base, at = box.number(at, base_size), at + base_size
            extents, at = [], at + 2
            extent_count = box.number(at - 2, 2)
            total += extent_count
            if total > _MAX_EXTENTS:
                raise Damaged(f"more than {_MAX_EXTENTS} extents")
            for _ in range(extent_count):
                at += index_size
                start, at = base + box.number(at, offset_size), at + offset_size
                length, at = box.number(at, length_size), at + length_size
                extents.append((start, length))
            self._extents[number] = method, extents

    def _read_references(self, box: Part) -> None:
        size = 2 if box.number(0, 1) == 0 else 4
        for entry in boxes(box, 4):
            content = entry.content
            targets = [
                content.number(size + 2 + index * size, size)
                for index in range(content.number(size, 2))
            ]
            self._references[entry.kind].setdefault(content.number(0, size), []).extend(
                targets
            )

    def _read_properties(self, box: Part) -> None:
        """Which items are transparency, by the properties associated with them."""
        alpha: set[int] = set()
        for entry in boxes(box):
            if entry.kind == b"ipco":
                for index, owned in enumerate(boxes(entry.content), start=1):
                    if owned.kind == b"auxC" and any(
                        owned.content.starts_with(urn, 4) for urn in _ALPHA
                    ):
                        alpha.add(index)
            elif entry.kind == b"ipma":
                self._read_associations(entry.content, alpha)

    def _read_associations(self, box: Part, alpha: set[int]) -> None:
        id_size = 2 if box.number(0, 1) == 0 else 4
        index_size = 2 if box.number(3, 1) & 1 else 1
        at = 8
        for _ in range(box.number(4, 4)):
            number, count = box.number(at, id_size), box.number(at + id_size, 1)
            at += id_size + 1
            for _ in range(count):
                index = box.number(at, index_size) & (
                    0x7FFF if index_size == 2 else 0x7F
                )
                at += index_size
                if index in alpha:
                    self._alpha.add(number)
