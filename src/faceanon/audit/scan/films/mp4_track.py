"""A track of an MP4 or QuickTime film: its headers, and what its samples are."""

from dataclasses import dataclass, field

from faceanon.audit.scan.boxes import Box
from faceanon.audit.scan.films.esds import beside, set_up
from faceanon.audit.scan.films.mp4_boxes import (
    LISTS,
    SIZES,
    TABLES,
    each,
    numbers,
    other,
)
from faceanon.audit.scan.films.mp4_metadata import color, handler_name, unneeded
from faceanon.audit.scan.films.words import is_program
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Part, Walk, free_text, leftover
from faceanon.audit.scan.tracks import creation_time

VIDEO, SOUND, TEXT = b"vide", b"soun", {b"text", b"sbtl", b"subt", b"clcp", b"subp"}

_CONFIGS = {b"avcC", b"hvcC", b"av1C", b"dfLa", b"glbl"}
_LARGEST_REFERENCE = 64
_VIDEO_ENTRY, _SOUND_ENTRIES = 78, {0: 28, 1: 44, 2: 64}
_NAME_AT, _NAME_LENGTH = 42, 32

# A group of samples, such as those to begin at: what it is called, and numbers.
_GROUPS = {b"roll", b"prol", b"rap ", b"sync", b"tele", b"tsas", b"stsa", b"alst"}
_LARGEST_GROUP = 1024
_SEVERAL = {b"sgpd", b"sbgp"}

_SELF_CONTAINED = 1


@dataclass
class Track:
    """What the headers of a track tell.

    Attributes:
        part: what its box holds.
        number: by which fragments call it.
        handler: of which kind it is.
        format: the code of its codec.
        entry: what the sample description holds.
        timescale: units a second.
        elst: the edit list, if it has one.
        config: what its decoder has to know, if it has to.
        tables: the boxes of the sample table.
        sample_size: of uncompressed sound: what a sample takes up, if the table of the
            sizes counts in samples; else 0.
    """

    part: Part
    number: int = 0
    handler: bytes = b""
    format: bytes = b""
    entry: Part | None = None
    timescale: int = 0
    elst: Part | None = None
    config: Part | None = None
    tables: dict[bytes, Part] = field(default_factory=dict)
    sample_size: int = 0

    def walk(self) -> Walk:
        """Read the headers, and tell what a film does not need."""
        yield from each(self.part, self._box)

    def _box(self, box: Box) -> Walk:
        content = box.content
        if box.kind == b"tkhd":
            yield from creation_time(content)
            yield from numbers(box)
            self.number = content.number(20 if content.number(0, 1) else 12, 4)
        elif box.kind == b"edts":
            yield from each(content, self._edit)
        elif box.kind == b"mdia":
            yield from each(content, self._media)
        elif box.kind == b"tapt":
            yield from each(content, other)
        elif box.kind == b"tref":
            yield from each(content, _track_reference)
        else:
            yield from unneeded(box)

    def _edit(self, box: Box) -> Walk:
        if box.kind == b"elst":
            self.elst = box.content
            width = 20 if box.content.number(0, 1) else 12
            used = 8 + width * box.content.number(4, 4)
            rest = box.content.part(min(used, len(box.content)), None, "rest")
            yield from leftover(rest, Kind.GAP, "bytes after the edits")
        else:
            yield from other(box)

    def _media(self, box: Box) -> Walk:
        if box.kind == b"mdhd":
            yield from creation_time(box.content)
            yield from numbers(box)
            self.timescale = box.content.number(
                20 if box.content.number(0, 1) else 12, 4
            )
        elif box.kind == b"hdlr":
            self.handler = box.content.read(8, 4)
            yield from handler_name(box)
        elif box.kind == b"elng":
            yield from _language(box.content)
        elif box.kind == b"minf":
            yield from each(box.content, self._information)
        else:
            yield from unneeded(box)

    def _information(self, box: Box) -> Walk:
        if box.kind == b"hdlr":
            yield from handler_name(box)
        elif box.kind == b"stbl":
            yield from each(box.content, self._table)
        elif box.kind == b"dinf":
            yield from each(box.content, _references)
        elif box.kind == b"gmhd":
            yield from each(box.content, other)
        else:
            yield from other(box)

    def _table(self, box: Box) -> Walk:
        if box.kind in self.tables and box.kind not in _SEVERAL:
            what = "one more table of the same: it is not looked into"
            yield box.content.finding(Kind.UNREAD, what)
        self.tables.setdefault(box.kind, box.content)
        if box.kind == b"stsd":
            yield from each(box.content, self._description, 8)
        elif box.kind == b"sgpd" and (
            box.content.read(4, 4) not in _GROUPS or len(box.content) > _LARGEST_GROUP
        ):
            yield box.content.finding(Kind.UNKNOWN, "a group of samples")
        elif box.kind in TABLES or box.kind in LISTS or box.kind in SIZES:
            yield from numbers(box)
        else:
            yield from other(box)

    def _description(self, box: Box) -> Walk:
        entry = box.content
        if self.entry is None:
            self.format, self.entry = box.kind, entry
        else:
            what = "one more set-up: what is in its samples is not looked into"
            yield entry.finding(Kind.UNREAD, what)
        if self.handler in (VIDEO, b"pict", b"auxv"):
            if len(entry) > _VIDEO_ENTRY:
                yield from _compressor(entry.part(_NAME_AT, _NAME_LENGTH, "name"))
                yield from each(entry, self._extension, _VIDEO_ENTRY)
        elif self.handler == SOUND:
            version = entry.number(8, 2)
            if version == 0:
                self.sample_size = entry.number(16, 2) * entry.number(18, 2) // 8
            elif version == 1 and entry.number(28, 4) == 1:
                self.sample_size = entry.number(36, 4)
            start = _SOUND_ENTRIES.get(version, _SOUND_ENTRIES[0])
            yield from each(entry, self._extension, min(start, len(entry)))

    def _extension(self, box: Box) -> Walk:
        content = box.content
        if box.kind == b"esds":
            self.config = self.config or set_up(content)
            yield from beside(content)
        elif box.kind in _CONFIGS:
            self.config = self.config or content
        elif box.kind == b"colr":
            yield from color(box)
        elif box.kind == b"wave":
            yield from each(content, self._extension)
        elif box.kind in (b"avcE", b"hvcE"):
            yield content.finding(Kind.VIDEO, "a second layer: another picture")
        else:
            yield from unneeded(box)


def _compressor(name: Part) -> Walk:
    length = min(name.number(0, 1), _NAME_LENGTH - 1)
    text = name.read(1, length).decode("utf-8", "replace").strip("\0 ")
    if is_program(text):
        yield name.finding(Kind.SETTINGS, "the name of a codec: FFmpeg", value=text)
    elif text not in _CODECS and text:
        yield name.finding(Kind.COMMENT, "the name of a codec", value=text)
    rest = name.part(1 + length)
    yield from leftover(rest, Kind.GAP, "bytes after the name of a codec")


_CODECS = {"AVC Coding", "HEVC Coding", "AOM Coding", "H.264", "HEVC", "VPC Coding"}
_CODECS |= {"Photo - JPEG", "DV/DVCPRO - NTSC", "DV - PAL", "DVCPRO HD", "AV1 Coding"}
_CODECS |= {"JVT/AVC Coding", "h264", "Apple ProRes 422", "H.265", "mp4v"}


def _language(content: Part) -> Walk:
    text = content.part(min(4, len(content))).text()
    if not text.replace("-", "").isalnum() or len(text) > 16:
        yield from free_text(content.part(4), Kind.COMMENT, "a language")


def _track_reference(box: Box) -> Walk:
    """Which other tracks belong to a track: their numbers."""
    if len(box.content) > _LARGEST_REFERENCE:
        yield box.content.finding(Kind.UNKNOWN, "references to more tracks than usual")


def _references(box: Box) -> Walk:
    """Where the samples are: in the file itself, or in another one."""
    if box.kind == b"dref":
        yield from each(box.content, _reference, 8)
    else:
        yield from other(box)


def _reference(box: Box) -> Walk:
    if len(box.content) > 4 and not box.content.part(4).is_uniform():
        path = box.content.part(4, None, "path")
        what = "the path of another file"
        yield path.finding(Kind.NAME, what, value=path.text())
    if not box.content.number(3, 1) & _SELF_CONTAINED:
        what = "its data are in another file: they are not looked into"
        yield box.content.finding(Kind.UNREAD, what)
