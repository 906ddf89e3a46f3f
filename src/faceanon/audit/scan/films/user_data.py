"""What encoders and cameras write into coded pictures, gathered over a track."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from faceanon.audit.scan.films.words import is_program, text_kind
from faceanon.audit.scan.findings import Finding, Kind
from faceanon.audit.scan.part import Embedded, Part, Walk

MAX_UNITS = 4_000_000
"""A track with more units of data than this is left there."""

_LARGEST = 1 << 20

_X264 = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")
_X265 = bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e")
_MISB = b"MISPmicrosectime"

_ENCODERS = re.compile(
    r"x264 - core \d{1,4}( r\d{1,6}M? [\da-f]{4,10})? - H\.264/MPEG-4 AVC codec - "
    r"Copyleft 2003-\d{4} - http://www\.videolan\.org/x264\.html"
    r"|x265 \(build \d{1,4}\) - [\d.+a-z-]{1,40}:\[[\w ]{1,20}\]\[[\w. ]{1,20}\]"
    r"\[\d\d bit\] [\dbit+ ]{1,30} - H\.265/HEVC codec - "
    r"Copyright 2013-\d{4} \(c\) Multicoreware,? Inc\.? - http://x265\.org"
    r"|(Lavc|DivX|XviD)[\dbp.]{1,16}",
    re.ASCII,
)
# Of a setting only numbers and short words: no place for a text.
_SETTING = re.compile(
    r"[a-z\d_-]{1,40}"
    # x265 forgets a space here.
    r"(=([-+\d.,:/x()|]{1,48}(conformance-window-offsets)?|[a-z\d-]{1,12}))?"
)

# ITU-T T.35: the United States, and then who defines what follows.
_CAPTIONS, _ACTIVE_FORMAT = b"GA94\3", b"DTG1"
_LIGHT = {b"\xb5\x00\x3c", b"\xb5\x00\x3b", b"\xb5\x50\x04", b"\x26\x00\x04"}


@dataclass
class _Noted:
    finding: Finding
    place: Part
    count: int = 1


class UserData:
    """What was found in the samples of one track: each thing is told once."""

    def __init__(self) -> None:
        self._noted: dict[tuple[Kind, str], _Noted] = {}
        self._units = MAX_UNITS

    def spend(self) -> bool:
        """Count a unit of data; whether it may still be looked into."""
        self._units -= 1
        return self._units >= 0

    def note(
        self,
        place: Part,
        kind: Kind,
        what: str,
        value: str | None = None,
        identifies: bool | None = None,
    ) -> None:
        """Note a thing; of those alike the first is told, with their number."""
        noted = self._noted.get((kind, what))
        if noted is not None:
            noted.count += 1
            return
        finding = place.finding(kind, what, value=value, identifies=identifies)
        self._noted[kind, what] = _Noted(finding, place)

    def unregistered(self, place: Part, data: bytes) -> None:
        """User data with a UUID (SEI 5 of H.264 and H.265)."""
        uuid, rest = data[:16], data[16 : 16 + _LARGEST]
        text = rest.rstrip(b"\0\x80").decode("utf-8", "replace").strip()
        if uuid in (_X264, _X265):
            self.program(place, text)
        elif uuid == _MISB:
            self.note(place, Kind.DATE, "the time of the frames")
        elif text.isprintable() and text:
            self.note(place, text_kind(text), "user data: a text", text)
        else:
            self.note(place, Kind.UNKNOWN, "user data that are not known")

    def registered(self, place: Part, data: bytes) -> None:
        """User data by ITU-T T.35: country, provider, and what that defines."""
        if data[:3] in _LIGHT:
            self.note(place, Kind.SETTINGS, "numbers of brightness")
        elif data[3:8] == _CAPTIONS:
            self.note(place, Kind.COMMENT, "captions (A53)")
        elif data[3:7] == _ACTIVE_FORMAT:
            self.note(place, Kind.SETTINGS, "numbers of the active format")
        else:
            self.note(place, Kind.UNKNOWN, "registered user data")

    def program(self, place: Part, text: str) -> None:
        """The program that coded the pictures, and its settings."""
        head, _, options = text.partition(" - options:")
        is_known = _ENCODERS.fullmatch(head) or is_program(head)
        if is_known and all(map(_SETTING.fullmatch, options.split())):
            self.note(place, Kind.SETTINGS, "the settings of the encoder", text)
        else:
            self.note(place, Kind.COMMENT, "user data: a text of the encoder", text)

    def walk(self) -> Walk:
        """All that was noted."""
        for noted in self._noted.values():
            what = noted.finding.what
            if noted.count > 1:
                what += f", {noted.count} times"
            yield replace(noted.finding, what=what)
            if noted.finding.kind is Kind.UNKNOWN:
                yield Embedded(noted.place)
        if self._units < 0:
            place = next(iter(self._noted.values())).place if self._noted else None
            if place is None:
                place = Part(memoryview(b""), "samples", None)
            yield place.finding(Kind.UNREAD, f"more than {MAX_UNITS} units: left there")


def mpeg_user_data(samples: Iterator[Part], config: Part | None) -> Walk:
    """User data of MPEG-1, -2 and -4 Part 2, between the headers of pictures."""
    found = UserData()
    places = [config] if config is not None else []
    for place in [*places, *samples]:
        for hit in _USER_DATA.finditer(place.data):
            part = place.part(hit.start() + 4, hit.end() - hit.start() - 4, "user data")
            data = part.read(0, min(len(part), _LARGEST))
            text = data.rstrip(b"\0").decode("utf-8", "replace").strip()
            if data.startswith(_CAPTIONS):
                found.note(part, Kind.COMMENT, "captions (A53)")
            elif data.startswith(_ACTIVE_FORMAT):
                found.note(part, Kind.SETTINGS, "numbers of the active format")
            elif text:
                found.program(part, text)
    yield from found.walk()


_USER_DATA = re.compile(rb"\x00\x00\x01\xb2(?:(?!\x00\x00\x01).)*", re.DOTALL)
