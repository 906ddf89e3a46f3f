"""Matroska and WebM: every element, and what stands after the last."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from faceanon.audit.scan.films import matroska_elements as known
from faceanon.audit.scan.films.codecs import looked_into
from faceanon.audit.scan.films.ebml import (
    Element,
    each,
    read_element,
    vint,
    visited,
)
from faceanon.audit.scan.films.matroska_values import (
    attachment,
    is_harmless,
    other,
    tag,
)
from faceanon.audit.scan.films.words import frames, text_kind
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Part,
    Walk,
    leftover,
    unknown,
)

_VIDEO, _SOUND, _SUBTITLES = 1, 2, 17
_HEADER_STRIPPING = 3
_INVISIBLE, _LACING = 0x08, 0x06
_FOURCC = "V_MS/VFW/FOURCC"

_NANOSECONDS = 10**9
_DAY = 86400 * _NANOSECONDS
_PRIMING = _NANOSECONDS // 10
_LOOKED_AT = 20

_MAX_ELEMENTS = 8_000_000
_MAX_NUMBERS, _ANY_OTHER = 1000, -1


@dataclass
class _Track:
    """What is known of a track."""

    part: Part
    number: int = 0
    kind: int = 0
    codec: str = ""
    config: Part | None = None
    delay: int = 0
    prefix: bytes = b""
    is_compressed: bool = False


@dataclass
class _Blocks:
    """The blocks of a track.

    Attributes:
        first: what the first holds.
        starts: of each frame, its first byte in the file.
        sizes: of each frame, in bytes; 0 where several are laced together.
        invisible: how many blocks are not shown.
        laced: how many hold several frames.
    """

    first: Part
    starts: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    invisible: int = 0
    laced: int = 0


@dataclass
class _Film:
    """A walk along the elements, which notes the tracks and their blocks."""

    part: Part
    tracks: list[_Track] = field(default_factory=list)
    blocks: dict[int, _Blocks] = field(default_factory=dict)
    documents: int = 0
    additions: int = 0

    def walk(self) -> Walk:
        """All elements, then what is in the tracks, then what follows."""
        # The end of the segment, if it tells its size.
        at, end, count = 0, 0, 0
        while at < len(self.part):
            count += 1
            if count > _MAX_ELEMENTS:
                what = f"more than {_MAX_ELEMENTS} elements: left there"
                yield self.part.part(at).finding(Kind.UNREAD, what)
                break
            try:
                element = read_element(self.part, at, known.name)
            except Damaged:
                break
            is_inside = at < end and not element.missing
            is_known = at < end or not end or element.number in known.BETWEEN_FILMS
            if not is_inside and not (is_known and known.is_known(element.number)):
                break
            if element.number in (known.SEGMENT, known.CLUSTER):
                # What is in them is read as if it stood beside them: so it is all the
                # same whether they tell their sizes.
                at = element.end - len(element.content)
                if element.number == known.SEGMENT:
                    end = 0 if element.is_open else element.end
                    if element.missing:
                        what = f"damaged: {element.missing} bytes are missing"
                        yield element.content.finding(Kind.UNREAD, what)
                continue
            at = element.end
            if element.number == known.SIMPLE_BLOCK and len(element.content) > 4:
                self._block(element.content)
                continue
            yield from visited(element, self._element)
        if not self.tracks:
            raise Damaged("a film without tracks")
        seen: set[int] = set()
        for track in self.tracks:
            yield from self._track(track, seen)
        yield from self._strays()
        rest = self.part.part(at, None, "after the end")
        yield from leftover(rest, Kind.TRAILER, "data after the end of the film")

    def _element(self, element: Element) -> Walk:
        number, content = element.number, element.content
        if number == known.EBML:
            self.documents += 1
            if self.documents > 1:
                yield content.finding(Kind.VIDEO, "one more film after the first")
        if number == known.TRACK_ENTRY:
            self.tracks.append(_Track(content))
            yield from each(content, known.name, self._entry)
        elif number == known.SIMPLE_TAG:
            yield from tag(content)
        elif number == known.ATTACHED_FILE:
            yield from attachment(content)
        elif number in known.MASTERS:
            if number == known.CHAPTERS:
                yield content.finding(Kind.COMMENT, "chapters")
            yield from each(content, known.name, self._element)
        elif number in (known.SIMPLE_BLOCK, known.BLOCK):
            self._block(content)
        else:
            yield from self._value(number, content)

    def _value(self, number: int, content: Part) -> Walk:
        if number == known.DATE:
            at_day = content.number(0, min(len(content), 8)) % _DAY == 0
            what = "when the film was made"
            yield content.finding(Kind.DATE, what, identifies=not at_day)
        elif number == known.DISCARD_PADDING:
            padding = int.from_bytes(content.read(0, min(len(content), 8)), signed=True)
            if abs(padding) > _PRIMING:
                yield content.finding(Kind.SOUND, "sound that is not played")
        elif number == known.BLOCK_ADDITIONS:
            self.additions += 1
            if self.additions == 1:
                yield from unknown(content, "data beside frames, such as transparency")
        elif number == known.VOID:
            yield from leftover(content, Kind.GAP, "bytes of an element that is free")
        elif number in known.UNREADABLE:
            yield content.finding(Kind.UNREAD, known.UNREADABLE[number])
        elif not is_harmless(number, content):
            yield from other(number, content)

    def _entry(self, element: Element) -> Walk:
        """What the entry of a track holds."""
        track, number, content = self.tracks[-1], element.number, element.content
        if number == known.TRACK_NUMBER:
            track.number = _unsigned(content)
        elif number == known.TRACK_TYPE:
            track.kind = _unsigned(content)
        elif number == known.CODEC_DELAY:
            track.delay = _unsigned(content)
        elif number == known.CODEC_ID:
            track.codec = content.text()
        elif number == known.CODEC_PRIVATE:
            track.config = content
        elif number == known.COMPRESSION_SETTINGS:
            track.prefix = content.read(0, len(content))
        elif number == known.COMPRESSION_KIND:
            track.is_compressed = _unsigned(content) != _HEADER_STRIPPING
        elif number == known.COMPRESSION:
            # By default it is zlib.
            track.is_compressed = True
        if number in known.MASTERS:
            yield from each(content, known.name, self._entry)
        else:
            yield from self._value(number, content)

    def _block(self, content: Part) -> None:
        """Note where the frame of a block is."""
        track, length = vint(content, 0)
        flags, header = content.number(length + 2, 1), length + 3
        if track not in self.blocks and len(self.blocks) >= _MAX_NUMBERS:
            track = _ANY_OTHER
        blocks = self.blocks.setdefault(track, _Blocks(content))
        blocks.invisible += bool(flags & _INVISIBLE)
        blocks.laced += bool(flags & _LACING)
        if content.offset is not None:
            blocks.starts.append(content.offset + header)
            blocks.sizes.append(0 if flags & _LACING else len(content) - header)

    def _track(self, track: _Track, seen: set[int]) -> Walk:
        """What a track is for, and what is in its frames."""
        blocks = self.blocks.get(track.number, _Blocks(track.part))
        if track.kind not in (_VIDEO, _SOUND):
            yield from self._beside(track, blocks)
            return
        is_video = track.kind == _VIDEO
        if track.kind in seen:
            kind = Kind.VIDEO if is_video else Kind.SOUND
            yield track.part.finding(kind, f"one more {kind.value} track")
        elif is_video and len(blocks.starts) > 1:
            what = frames(len(blocks.starts))
            yield track.part.part(0, 0).finding(Kind.FRAMES, what)
        seen.add(track.kind)
        if is_video and blocks.invisible:
            what = f"{frames(blocks.invisible)} that are not shown"
            yield track.part.finding(Kind.VIDEO, what)
        if is_video and blocks.laced:
            what = f"{blocks.laced} blocks of several frames: they are not looked into"
            yield track.part.finding(Kind.UNREAD, what)
        if not is_video and track.delay > _PRIMING:
            yield track.part.finding(Kind.SOUND, "sound that is not played")
        if track.is_compressed:
            what = "compressed once more: its data are not looked into"
            yield track.part.finding(Kind.UNREAD, what)
            return
        codec, config = track.codec, track.config
        if codec == _FOURCC and config is not None:
            codec, config = config.read(16, 4).decode("latin-1"), None
        try:
            yield from looked_into(
                codec, self._frames(track, blocks), config, track.part
            )
        except Damaged as damage:
            yield track.part.finding(Kind.UNREAD, f"damaged: {damage}")

    def _beside(self, track: _Track, blocks: _Blocks) -> Walk:
        """A track that is neither pictures nor sound."""
        first = list(islice(self._frames(track, blocks), _LOOKED_AT))
        said = [frame.text() for frame in first]
        kinds = {text_kind(text) for text in said}
        value = next((text for text in said if text), None)
        if track.kind == _SUBTITLES:
            kind = Kind.PLACE if Kind.PLACE in kinds else Kind.COMMENT
            yield track.part.finding(kind, "a track of subtitles", value=value)
        else:
            what = "a track beside pictures and sound"
            yield track.part.finding(Kind.UNKNOWN, what)
            for frame in first:
                yield Embedded(frame)

    def _strays(self) -> Walk:
        """Blocks of tracks that are none."""
        for number in self.blocks.keys() - {track.number for track in self.tracks}:
            blocks = self.blocks[number]
            what = f"of a track that is not declared: {len(blocks.starts)} blocks"
            yield blocks.first.finding(Kind.UNKNOWN, what)
            for frame in islice(self._frames(None, blocks), _LOOKED_AT):
                yield Embedded(frame)

    def _frames(self, track: _Track | None, blocks: _Blocks) -> Iterator[Part]:
        base = self.part.offset or 0
        for start, size in zip(blocks.starts, blocks.sizes, strict=True):
            frame = self.part.part(start - base, size, "Cluster/frame")
            if track is not None and track.prefix:
                frame = frame.unpacked(track.prefix + frame.read(0, size))
            yield frame


def matroska(part: Part) -> Walk:
    """A film of Matroska, and what stands after it."""
    yield from _Film(part).walk()


def _unsigned(content: Part) -> int:
    return content.number(0, min(len(content), 8))
