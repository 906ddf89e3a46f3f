"""JPEG: every segment, the entropy-coded data by its length, and what follows."""

import re
from collections.abc import Generator
from dataclasses import dataclass, field

from faceanon.audit.scan.findings import Finding, Kind
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Part,
    Walk,
    free_text,
    leftover,
    picture,
)
from faceanon.audit.scan.segments import Assembly, application_segment

_EOI, _SOS, _DHT, _DQT, _DRI, _COM = 0xD9, 0xDA, 0xC4, 0xDB, 0xDD, 0xFE
_DAC, _DNL, _EXP = 0xCC, 0xDC, 0xDF
_FRAMES = {*range(0xC0, 0xD0)} - {_DHT, _DAC, 0xC8}
_STANDALONE = {0x01, *range(0xD0, 0xD9)}

# Precision, or class, and number of a table.
_TABLES = {*range(4), *range(0x10, 0x14)}

# In entropy-coded data FF is followed by 00, by a restart marker, or by more FF.
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
_MARKER = re.compile(rb"\xff")

# More segments than this before a picture are no JPEG of a camera or a program.
_MAX_SEGMENTS = 64


def jpeg(part: Part) -> Walk:
    """A JPEG and what stands after it in the part."""
    yield from _Jpeg(part).walk()


def extent(part: Part) -> int:
    """The length of the JPEG at the beginning of a part; 0 if there is none.

    Cut off JPEGs count to the end of the part, and one with segments without end as far
    as it was followed: they, too, may show something.
    """
    at, segments, has_scan = 2, 0, False
    while has_scan or segments < _MAX_SEGMENTS:
        segments += 1
        if at + 4 > len(part):
            return len(part) if has_scan else 0
        marker = part.data[at + 1]
        if part.data[at] != 0xFF:
            return at if has_scan else 0
        if marker == _EOI:
            return at + 2 if has_scan else 0
        if marker == 0xFF:
            at += 1
        elif marker in _STANDALONE:
            at += 2
        elif marker < 0xC0:
            return at if has_scan else 0
        else:
            at += 2 + max(part.number(at + 2, 2), 2)
            if marker == _SOS:
                has_scan = True
                at = _end_of_scan(part, at)
    return at


def _end_of_scan(part: Part, start: int) -> int:
    found = _END_OF_SCAN.search(part.data, min(start, len(part)))
    return found.start() if found else len(part)


@dataclass
class _Jpeg:
    """A walk along the segments.

    Attributes:
        part: the JPEG and what follows it.
        assembly: what is spread over several segments.
    """

    part: Part
    assembly: Assembly = field(default_factory=Assembly)

    def walk(self) -> Walk:
        """All segments, what they form together, and the rest."""
        at, scans = 2, 0
        while True:
            at = yield from self._skip_to_marker(at)
            if at + 2 > len(self.part):
                if not scans:
                    raise Damaged("a JPEG without a picture")
                break
            marker = self.part.data[at + 1]
            at += 2
            if marker == _EOI:
                break
            if marker in _STANDALONE:
                continue
            length = self.part.number(at, 2)
            if length < 2:
                raise Damaged("a segment of no length")
            available = min(length - 2, len(self.part) - at - 2)
            yield from self._segment(marker, at + 2, available)
            at += 2 + available
            if marker == _SOS:
                scans += 1
                at = _end_of_scan(self.part, at)
        yield from self.assembly.walk()
        yield from self._trailer(at)

    def _skip_to_marker(self, at: int) -> Generator[Finding | Embedded, None, int]:
        start, data = at, self.part.data
        found = _MARKER.search(data, min(start, len(data)))
        at = found.start() if found else len(data)
        yield from leftover(
            self.part.part(start, at - start, "gap"),
            Kind.GAP,
            "bytes between segments",
        )
        while at + 1 < len(data) and data[at + 1] == 0xFF:
            at += 1
        return at

    def _segment(self, marker: int, start: int, length: int) -> Walk:
        name = f"APP{marker - 0xE0}" if 0xE0 <= marker < 0xF0 else f"0x{marker:02x}"
        segment = self.part.part(start, length, name)
        if 0xE0 <= marker < 0xF0:
            yield from application_segment(segment, marker - 0xE0, self.assembly)
        elif marker == _COM:
            yield from free_text(
                self.part.part(start, length, "COM"), Kind.COMMENT, "a comment"
            )
        else:
            used = min(_length_of_tables(marker, segment), length)
            yield from leftover(segment.part(used), Kind.GAP, "bytes after tables")

    def _trailer(self, start: int) -> Walk:
        """What follows the end: the pictures of the index, and the rest."""
        rest = self.part.part(start, None, "after the end")
        if not rest:
            return
        if rest.is_uniform():
            yield from leftover(rest, Kind.TRAILER, "data after the end")
            return
        yield rest.finding(Kind.TRAILER, "data after the end of the picture")
        base = self.part.offset or 0
        at = start
        for offset, length in sorted(self.assembly.pictures):
            begin = offset - base
            end = min(begin + length, len(self.part))
            if begin < at or end <= begin:
                continue
            yield Embedded(self.part.part(at, begin - at, "after the end"))
            indexed = self.part.part(begin, end - begin, "after the end/indexed")
            yield from picture(indexed, "a picture of the multi-picture index")
            at = end
        yield Embedded(self.part.part(at, None, "after the end"))


def _length_of_tables(marker: int, segment: Part) -> int:
    """How much of a segment its own structure takes up (ITU-T T.81, annex B)."""
    at = 0
    if marker == _DQT:
        while at < len(segment) and segment.data[at] in _TABLES:
            at += 129 if segment.data[at] >> 4 else 65
    elif marker == _DHT:
        while at + 17 <= len(segment) and segment.data[at] in _TABLES:
            at += 17 + sum(segment.data[at + 1 : at + 17])
    elif marker in _FRAMES:
        at = 6 + 3 * segment.number(5, 1)
    elif marker == _SOS:
        at = 4 + 2 * segment.number(0, 1)
    elif marker in (_DRI, _DNL):
        at = 2
    elif marker == _EXP:
        at = 1
    elif marker == _DAC:
        at = len(segment) // 2 * 2
    return at
