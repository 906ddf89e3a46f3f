"""AVI: the chunks of its RIFF container."""

import re
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
_MAX_CHUNKS = 8_000_000

# The ends of the codes of chunks, by the kind of stream they belong to.
_OF_VIDEO, _OF_SOUND = {b"dc", b"db", b"iv"}, {b"wb"}

# An entry of the old index: a code, flags, a place and a size. The new ones begin with
# the numbers of 4 bytes of an entry, and with how many entries are used.
_ENTRY, _NEW_HEADER = 16, 24
_INDEXED = re.compile(rb"(?:(?:\d\d(?:dc|db|wb|iv|pc|tx)|rec ).{12})*+", re.DOTALL)
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
class _Strays:
    """Chunks of one code that belong to no stream."""

    first: Part
    count: int = 0


@dataclass
class _Film:
    """A walk along the chunks, which notes the streams and their frames."""

    streams: list[_Stream] = field(default_factory=list)
    strays: dict[bytes, _Strays] = field(default_factory=dict)
    chunks_left: int = _MAX_CHUNKS

    def visit(self, kind: bytes, chunk: Part) -> Walk:
        """A chunk of the file, or of a list in it."""
        if kind in (_LIST, _RIFF):
            yield from self._list(chunk)
        elif kind[:2].isdigit() and kind[2:] in _OF_VIDEO | _OF_SOUND:
            self._frame(kind, chunk)
        elif kind in _NUMBERS:
            if len(chunk) > _NUMBERS[kind]:
                yield from unknown(chunk, "more numbers than there are")
        elif kind in _FREE:
            if len(chunk) < _LARGEST_FORMAT * 2 and _PLACEHOLDER.fullmatch(chunk.data):
                return
            yield from leftover(chunk, Kind.GAP, "bytes of a chunk that is free")
        elif kind == b"idx1":
            yield from _old_index(chunk)
        elif kind == b"indx" or (kind[:2] == b"ix" and kind[2:].isdigit()):
            yield from _new_index(chunk)
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
            yield from self._each(content)
        elif form in _LISTS or form in (b"AVI ", b"AVIX"):
            yield from self._each(content)
        else:
            yield from _named(form, content)

    def _frame(self, kind: bytes, chunk: Part) -> None:
        number, is_sound = int(kind[:2]), kind[2:] in _OF_SOUND
        stream = self.streams[number] if number < len(self.streams) else None
        if stream is None or (is_sound and stream.kind == _VIDEO):
            stray = self.strays.setdefault(kind, _Strays(chunk))
            stray.count += 1
            return
        stream.count += 1
        if len(stream.frames) < _LOOKED_AT:
            stream.frames.append(chunk)

    def walk_strays(self) -> Walk:
        """Chunks of pictures and sound that belong to no stream."""
        for stray in self.strays.values():
            what = f"of a stream that is not declared: {stray.count} chunks"
            yield stray.first.finding(Kind.UNKNOWN, what)
            yield Embedded(stray.first)

    def _each(self, part: Part) -> Walk:
        part.check_depth()
        at = 0
        while at + 8 <= len(part):
            kind, size = part.read(at, 4), part.number(at + 4, 4, "little")
            chunk = part.part(at + 8, min(size, len(part) - at - 8), printable(kind))
            self.chunks_left -= 1
            if self.chunks_left < 0:
                raise Damaged(f"more than {_MAX_CHUNKS} chunks: left there")
            try:
                yield from self.visit(kind, chunk)
            except Damaged as damage:
                yield chunk.finding(Kind.UNREAD, f"damaged: {damage}")
                yield Embedded(chunk)
            at = min(at + 8 + size + size % 2, len(part))
        rest = part.part(at, None, "rest")
        yield from leftover(rest, Kind.GAP, "bytes that are no chunk")

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
    yield from film.walk_strays()
    rest = part.part(at, None, "after the end")
    yield from leftover(rest, Kind.TRAILER, "data after the end of the film")


def _old_index(chunk: Part) -> Walk:
    """The places of chunks; an index that is none may be anything."""
    entries = chunk.part(0, len(chunk) // _ENTRY * _ENTRY)
    if not _INDEXED.fullmatch(entries.data):
        yield from unknown(chunk, "an index that is none")
        return
    rest = chunk.part(len(entries))
    yield from leftover(rest, Kind.GAP, "bytes after an index")


def _new_index(chunk: Part) -> Walk:
    """Places of chunks as OpenDML has them."""
    width, count = 4 * chunk.number(0, 2, "little"), chunk.number(4, 4, "little")
    used = min(_NEW_HEADER + width * count, len(chunk))
    yield from leftover(chunk.part(used), Kind.GAP, "bytes after an index")


def _named(kind: bytes, chunk: Part) -> Walk:
    """A chunk that identifies, by its code."""
    of_code, what = _NAMED.get(kind, (Kind.UNKNOWN, "a chunk that is not known"))
    if kind[:1] == b"I" and kind in _NAMED:
        if value := chunk.text().strip():
            yield of_kind(chunk, of_code, what, value)
    else:
        yield chunk.finding(of_code, what)
    yield Embedded(chunk)
