"""AVI: the chunks of its RIFF container."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from faceanon.audit.scan.films.codecs import looked_into
from faceanon.audit.scan.films.words import frames, of_kind
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Part,
    Walk,
    free_text,
    leftover,
    printable,
    unknown,
)

_LIST, _RIFF = b"LIST", b"RIFF"
_LISTS = {b"hdrl", b"odml", b"movi", b"rec ", b"INFO"}
_NUMBERS = {b"avih": 64, b"dmlh": 256, b"vprp": 512}
_INDEXES = {b"idx1", b"indx"}
_FREE = {b"JUNK", b"PAD ", b"FLLR"}
# Where FFmpeg leaves room for indexes, it begins them.
_PLACEHOLDER = re.compile(
    rb"\x04\0[\0\x01]\0.{4}\d\d(dc|db|wb)\0*|odmldmlh\xf8\0\0\0\0*", re.DOTALL
)
_VIDEO, _SOUND = b"vids", b"auds"
_LOOKED_AT = 300
_LARGEST_FORMAT = 4096

_NAMED: dict[bytes, tuple[Kind, str]] = {
    b"IDIT": (Kind.DATE, "when it was recorded"),
    b"ISMP": (Kind.DATE, "a time code"),
    b"strd": (Kind.MAKER_NOTE, "a camera's own data"),
    b"ncdt": (Kind.MAKER_NOTE, "Nikon's metadata"),
    b"exif": (Kind.MAKER_NOTE, "a camera's own data"),
    b"_PMX": (Kind.COMMENT, "XMP"),
    # Of the list INFO.
    b"ISFT": (Kind.COMMENT, "a program"),
    b"ICRD": (Kind.DATE, "the date"),
    b"INAM": (Kind.COMMENT, "the title"),
    b"IART": (Kind.NAME, "the artist"),
    b"ICOP": (Kind.NAME, "the copyright"),
    b"IENG": (Kind.NAME, "the engineer"),
    b"ITCH": (Kind.NAME, "the technician"),
    b"ICMS": (Kind.NAME, "who commissioned it"),
    b"IARL": (Kind.PLACE, "where it is kept"),
    b"ICMT": (Kind.COMMENT, "a comment"),
    b"IKEY": (Kind.COMMENT, "keywords"),
    b"ISBJ": (Kind.COMMENT, "the subject"),
    b"ISRC": (Kind.NAME, "the source"),
    b"IMAK": (Kind.CAMERA, "the make"),
    b"IMOD": (Kind.CAMERA, "the model"),
}


@dataclass
class _Stream:
    """A stream: what it is of, and its first frames."""

    part: Part
    kind: bytes = b""
    codec: str = ""
    frames: list[Part] = field(default_factory=list)
    count: int = 0


@dataclass
class _Film:
    """A walk along the chunks, which notes the streams and their frames."""

    streams: list[_Stream] = field(default_factory=list)

    def visit(self, kind: bytes, chunk: Part) -> Walk:
        """A chunk of the file, or of a list in it."""
        if kind in (_LIST, _RIFF):
            yield from self._list(chunk)
        elif kind[:2].isdigit() and kind[2:] in (b"dc", b"db", b"wb", b"iv"):
            self._frame(int(kind[:2]), chunk)
        elif kind in _NUMBERS:
            if len(chunk) > _NUMBERS[kind]:
                yield from unknown(chunk, "more numbers than there are")
        elif kind in _FREE:
            if len(chunk) < _LARGEST_FORMAT * 2 and _PLACEHOLDER.fullmatch(chunk.data):
                return
            yield from leftover(chunk, Kind.GAP, "bytes of a chunk that is free")
        elif kind in _INDEXES or (kind[:2] == b"ix" and kind[2:].isdigit()):
            return
        elif kind in (b"strh", b"strf"):
            yield from self._header(kind, chunk)
        elif kind == b"strn":
            yield from free_text(chunk, Kind.COMMENT, "the title of a track")
        elif chunk:
            yield from _named(kind, chunk)

    def _header(self, kind: bytes, chunk: Part) -> Walk:
        if not self.streams:
            raise Damaged("the header of no stream")
        stream = self.streams[-1]
        if kind == b"strh":
            stream.kind = chunk.read(0, 4)
        elif stream.kind == _VIDEO:
            stream.codec = chunk.read(16, 4).decode("latin-1")
        if len(chunk) > _LARGEST_FORMAT:
            yield from unknown(chunk, "a set-up that is too long")

    def _list(self, chunk: Part) -> Walk:
        form = chunk.read(0, 4)
        content = chunk.part(4, None, printable(form))
        if form == b"strl":
            self.streams.append(_Stream(content))
            yield from _each(content, self.visit)
        elif form in _LISTS or form in (b"AVI ", b"AVIX"):
            yield from _each(content, self.visit)
        else:
            yield from _named(form, content)

    def _frame(self, number: int, chunk: Part) -> None:
        if number < len(self.streams):
            stream = self.streams[number]
            stream.count += 1
            if len(stream.frames) < _LOOKED_AT:
                stream.frames.append(chunk)

    def walk_streams(self) -> Walk:
        """What the streams are, and what is in their first frames."""
        seen: set[bytes] = set()
        for stream in self.streams:
            if stream.kind not in (_VIDEO, _SOUND):
                what = "a track beside pictures and sound"
                yield stream.part.finding(Kind.UNKNOWN, what)
            elif stream.kind in seen:
                kind = Kind.VIDEO if stream.kind == _VIDEO else Kind.SOUND
                yield stream.part.finding(kind, f"one more {kind.value} track")
            elif stream.kind == _VIDEO and stream.count > 1:
                what = frames(stream.count)
                yield stream.part.part(0, 0).finding(Kind.FRAMES, what)
            if stream.kind == _VIDEO:
                first = iter(stream.frames)
                yield from looked_into(stream.codec, first, None, stream.part)
            seen.add(stream.kind)


def avi(part: Part) -> Walk:
    """An AVI film, and what stands after it."""
    film, at = _Film(), 0
    while part.starts_with(_RIFF, at):
        size = part.number(at + 4, 4, "little")
        end = min(at + 8 + size, len(part))
        if end < at + 8 + size:
            missing = at + 8 + size - end
            what = f"damaged: {missing} bytes of the film are missing"
            yield part.part(at, end - at).finding(Kind.UNREAD, what)
        yield from film.visit(_RIFF, part.part(at + 8, end - at - 8))
        at = end + (end % 2 and end < len(part) and part.data[end] == 0)
    if not film.streams:
        raise Damaged("a film without tracks")
    yield from film.walk_streams()
    rest = part.part(at, None, "after the end")
    yield from leftover(rest, Kind.TRAILER, "data after the end of the film")


def _each(part: Part, visit: Callable[[bytes, Part], Walk]) -> Walk:
    part.check_depth()
    at = 0
    while at + 8 <= len(part):
        kind, size = part.read(at, 4), part.number(at + 4, 4, "little")
        chunk = part.part(at + 8, min(size, len(part) - at - 8), printable(kind))
        try:
            yield from visit(kind, chunk)
        except Damaged as damage:
            yield chunk.finding(Kind.UNREAD, f"damaged: {damage}")
            yield Embedded(chunk)
        at = min(at + 8 + size + size % 2, len(part))
    rest = part.part(at, None, "rest")
    yield from leftover(rest, Kind.GAP, "bytes that are no chunk")


def _named(kind: bytes, chunk: Part) -> Walk:
    """A chunk that identifies, by its code."""
    of_code, what = _NAMED.get(kind, (Kind.UNKNOWN, "a chunk that is not known"))
    if kind[:1] == b"I" and kind in _NAMED:
        if value := chunk.text().strip():
            yield of_kind(chunk, of_code, what, value)
    else:
        yield chunk.finding(of_code, what)
    yield Embedded(chunk)
