"""TIFF and BigTIFF: the directories of a file, or of a block of EXIF."""

import re
from collections.abc import Iterator

from faceanon.audit.scan import tags
from faceanon.audit.scan.entry import ASCII, SIZES, UNDEFINED, Entry
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.icc import icc_profile
from faceanon.audit.scan.iptc import iptc
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Order,
    Part,
    Walk,
    leftover,
    picture,
    unknown,
)
from faceanon.audit.scan.photoshop import image_resources
from faceanon.audit.scan.values import kind_of_product, tells_time
from faceanon.audit.scan.xmp import xmp

_JPEG_COMPRESSIONS = {6, 7, 34892}

# A setting that needs more is none; a text of a harmless kind has no need for more.
_SETTING_SIZE = 64

# A longer text is searched for pictures, too.
_TEXT_LENGTH = 1000

_MAX_ENTRIES = 20_000
_MAX_VALUES = 1_000_000
_MAX_SUB_IFDS = 256

# Pillow begins every page with a header of its own.
_HEADER_OF_A_PAGE = re.compile(rb"\0*(II\*\0|MM\0\*).{4}\0*", re.DOTALL)

# A bit of NewSubfileType: a smaller version of another picture in the file.
_REDUCED = 1

_GPS = "GPS"

_BLOCKS = {
    tags.XMP: xmp,
    tags.IPTC: iptc,
    tags.PHOTOSHOP: image_resources,
    tags.ICC_PROFILE: icc_profile,
}


def tiff(part: Part) -> Walk:
    """A TIFF file: its pages are the picture."""
    yield from _Tiff(part, is_file=True).walk()


def exif(part: Part) -> Walk:
    """A block of EXIF: every picture in it is one too many."""
    start = 6 if part.starts_with(b"Exif\0") else 0
    yield from _Tiff(part.part(start), is_file=False).walk()


class _Tiff:
    """A walk through the directories, which notes what they refer to."""

    def __init__(self, part: Part, is_file: bool) -> None:
        self._part = part
        self._is_file = is_file
        mark = part.read(0, 2)
        if mark not in (b"II", b"MM"):
            raise Damaged("no TIFF header")
        self._order: Order = "little" if mark == b"II" else "big"
        self._big = self._number(2, 2) == 43
        self._pages = 0
        self._entries = 0
        self._values_left = _MAX_VALUES
        self._seen: set[int] = set()
        self._used: list[tuple[int, int]] = [(0, 16 if self._big else 8)]

    def _number(self, start: int, length: int) -> int:
        return self._part.number(start, length, self._order)

    def walk(self) -> Walk:
        """All that there is in the block."""
        first = self._number(8, 8) if self._big else self._number(4, 4)
        yield from self._chain([first], "IFD")
        if self._pages > 1:
            yield self._part.finding(Kind.FRAMES, f"{self._pages} pages")
        yield from self._gaps()

    def _chain(self, pending: list[int], name: str) -> Walk:
        """Directories, the next one last in the list, and those that follow each."""
        index = 0
        while pending:
            offset = pending.pop()
            if offset and offset not in self._seen:
                yield from self._directory(offset, f"{name}{index}", pending)
                index += 1

    def _directory(
        self, offset: int, name: str, following: list[int] | None = None
    ) -> Walk:
        """A directory, and those below it; the offset of the next to `following`."""
        self._seen.add(offset)
        entries: list[Entry] = []
        try:
            for entry in self._read(offset, name, following):
                entries.append(entry)
        except Damaged as damage:
            place = self._part.part(0, 0, name)
            yield place.finding(Kind.UNREAD, f"a damaged directory: {damage}")
        yield from self._pictures(name, {entry.tag: entry for entry in entries})
        harmless = 0
        for entry in entries:
            if self._is_harmless(name, entry):
                harmless += 1
            else:
                yield from self._entry(name, entry)
        if harmless:
            place = self._part.part(offset, 0, name)
            yield place.finding(Kind.SETTINGS, f"{harmless} settings")

    def _read(
        self, offset: int, name: str, following: list[int] | None
    ) -> Iterator[Entry]:
        count_size, entry_size = (8, 20) if self._big else (2, 12)
        pointer_size = 8 if self._big else 4
        count = self._number(offset, count_size)
        # An empty directory counts, too: there might be one at every byte.
        self._entries += 1 + count
        if self._entries > _MAX_ENTRIES:
            raise Damaged(f"more than {_MAX_ENTRIES} entries")
        end = offset + count_size + count * entry_size
        self._used.append((offset, end))
        for start in range(offset + count_size, end, entry_size):
            tag, type_ = self._number(start, 2), self._number(start + 2, 2)
            count = self._number(start + 4, pointer_size)
            size = count * SIZES.get(type_, 1)
            at = start + 4 + pointer_size
            if size > pointer_size:
                at = self._number(at, pointer_size)
                if at + size > len(self._part):
                    # The value is not in the file, or not in this block of it.
                    size = max(len(self._part) - at, 0)
                    at = min(at, len(self._part))
                self._used.append((at, at + size))
            names = tags.GPS if name.endswith(_GPS) else tags.IDENTIFYING
            label = names[tag][1] if tag in names else f"0x{tag:04x}"
            value = self._part.part(at, size, f"{name}/{label}")
            yield Entry(tag, type_, value, self._order)
        self._used.append((end, end + pointer_size))
        if following is not None:
            following.append(self._number(end, pointer_size))

    def _is_harmless(self, name: str, entry: Entry) -> bool:
        if name.endswith("Interoperability"):
            return entry.tag in tags.INTEROPERABILITY and len(entry.value) < 32
        if entry.type == ASCII or name.endswith(_GPS):
            return False
        if entry.tag in tags.STRUCTURE:
            is_bytes = entry.type == UNDEFINED and entry.tag != tags.JPEG_TABLES
            return not is_bytes or len(entry.value) <= 8
        return entry.tag in tags.SETTINGS and len(entry.value) <= _SETTING_SIZE

    def _entry(self, name: str, entry: Entry) -> Walk:
        tag, value = entry.tag, entry.value
        if tag == tags.SUB_IFDS:
            offsets = entry.numbers(limit=_MAX_SUB_IFDS)
            yield from self._chain(offsets[::-1], f"{name}/SubIFD")
        elif directory := _DIRECTORIES.get(tag):
            for offset in entry.numbers(limit=1):
                if offset not in self._seen:
                    yield from self._directory(offset, f"{name}/{directory}")
        elif tag in _BLOCKS:
            yield Embedded(value, _BLOCKS[tag])
        elif tag == tags.PHOTOSHOP_LAYERS:
            yield from picture(value, "the layers of a Photoshop file")
        else:
            yield from self._value(name, entry)

    def _value(self, name: str, entry: Entry) -> Walk:
        value = entry.value
        if name.endswith(_GPS):
            kind, label = tags.GPS.get(entry.tag, (Kind.PLACE, "a tag of GPS"))
        elif entry.tag in tags.IDENTIFYING:
            kind, label = tags.IDENTIFYING[entry.tag]
        else:
            yield from unknown(value, f"tag 0x{entry.tag:04x}, which is not known")
            return
        if kind is Kind.DATE and entry.type == ASCII and "OffsetTime" not in label:
            text = value.text()
            yield value.finding(kind, label, value=text, identifies=tells_time(text))
        elif kind is Kind.CAMERA and len(value) > _SETTING_SIZE:
            yield from unknown(value, f"{label}, longer than any")
        elif entry.type == ASCII or kind in (Kind.NAME, Kind.COMMENT):
            if text := entry.text():
                kind = kind_of_product(text) if kind is Kind.CAMERA else kind
                yield value.finding(kind, label, value=text)
            if len(value) > _TEXT_LENGTH:
                yield Embedded(value)
        elif value:
            yield value.finding(kind, label)
            yield Embedded(value)

    def _pictures(self, name: str, entries: dict[int, Entry]) -> Walk:
        """The pixels that a directory refers to."""

        def numbers(tag: int) -> list[int]:
            if tag not in entries:
                return []
            values = entries[tag].numbers(limit=self._values_left)
            self._values_left -= len(values)
            return values

        subtype = (numbers(254) or [0])[0]
        is_page = self._is_file and "/" not in name and not subtype & _REDUCED
        self._pages += is_page
        is_jpeg = (numbers(259) or [0])[0] in _JPEG_COMPRESSIONS
        for offsets, lengths in ((273, 279), (324, 325), (513, 514)):
            pieces = [
                self._part.part(start, length, f"{name}/pixels")
                for start, length in self._extents(numbers(offsets), numbers(lengths))
            ]
            if is_page and is_jpeg:
                for piece in pieces:
                    yield Embedded(piece, is_picture=True)
            elif pieces and not (is_page and offsets != 513):
                total = sum(len(piece) for piece in pieces)
                what = f"a thumbnail or preview of {total} bytes"
                yield pieces[0].finding(Kind.PICTURE, what)
                yield Embedded(pieces[0], is_picture=True)

    def _extents(
        self, offsets: list[int], lengths: list[int]
    ) -> Iterator[tuple[int, int]]:
        for start, length in zip(offsets, lengths, strict=False):
            end = min(start + length, len(self._part))
            if start < end:
                self._used.append((start, end))
                yield start, end - start

    def _gaps(self) -> Walk:
        """What nothing in the block refers to."""
        end = 0
        for start, stop in [*sorted(self._used), (len(self._part), len(self._part))]:
            if start - end > 1:
                gap = self._part.part(end, start - end, "gap")
                if not (self._is_file and _HEADER_OF_A_PAGE.fullmatch(gap.data)):
                    yield from leftover(
                        gap, Kind.GAP, "bytes that no directory refers to"
                    )
            end = max(end, min(stop, len(self._part)))


_DIRECTORIES = {
    tags.EXIF_IFD: "Exif",
    tags.GPS_IFD: _GPS,
    tags.INTEROPERABILITY_IFD: "Interoperability",
}
