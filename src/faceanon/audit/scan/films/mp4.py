"""MP4, QuickTime, M4V and 3GP: every box, and what in the file belongs to none."""

import re
from dataclasses import dataclass, field, replace

from faceanon.audit.scan.boxes import Box, read_box
from faceanon.audit.scan.films.codecs import looked_into
from faceanon.audit.scan.films.edits import Edits, edits
from faceanon.audit.scan.films.mp4_beside import beside
from faceanon.audit.scan.films.mp4_boxes import (
    FREE,
    MAX_BOXES,
    NAMED,
    each,
    numbers,
    other,
    visited,
)
from faceanon.audit.scan.films.mp4_fragments import Fragments
from faceanon.audit.scan.films.mp4_metadata import unneeded
from faceanon.audit.scan.films.mp4_track import SOUND, VIDEO, Track
from faceanon.audit.scan.films.samples import (
    MAX_CHUNKS,
    MAX_SAMPLES,
    NOTHING,
    Numbers,
    Samples,
    gaps,
    joined,
    of_tables,
    overlap,
)
from faceanon.audit.scan.films.words import frames
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Damaged, Embedded, Part, Walk, leftover
from faceanon.audit.scan.tracks import creation_time

_TOP = {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"meta", b"udta", b"uuid", b"mfra"}
_TOP |= {b"sidx", b"ssix"} | FREE

_BRANDS = re.compile(
    rb"iso[m2-9a-c]|mp4[12]|mp71|avc[1-4]|hvc1|hev1|av01|vp09|qt  |M4[VAPBF][ HP]"
    rb"|3g[pgrse2]\w|MSNV|dash|msdh|msix|cmf\w|dby1|f4v |isml|piff|lmsg"
)
_LARGEST_FTYP = 128

_INSTA360 = b"8db42d694ccc418790edff439fe026bf"
_DASHCAMS = (b"freeGPS ", b"LIGOGPSINFO")


@dataclass
class _Film:
    """A walk along the boxes, which notes what they refer to.

    Attributes:
        part: the file.
        fragments: the samples of fragments.
        tracks: what the movie header tells of.
        media: the boxes of samples.
        timescale: units a second of the film.
        used: the places of all samples.
    """

    part: Part
    fragments: Fragments
    tracks: list[Track] = field(default_factory=list)
    media: list[Box] = field(default_factory=list)
    timescale: int = 0
    used: list[Numbers] = field(default_factory=list)
    _samples_left: int = MAX_SAMPLES
    _chunks_left: int = MAX_CHUNKS
    _bytes_left: int = field(init=False)

    def __post_init__(self) -> None:
        """No two samples share their bytes."""
        self._bytes_left = len(self.part)

    def walk(self) -> Walk:
        """All boxes, then what the samples are, then what is none."""
        at = count = 0
        while at < len(self.part):
            try:
                box = read_box(self.part, at)
            except Damaged:
                break
            count += 1
            if count > MAX_BOXES:
                break
            is_known = box.kind in _TOP or box.kind in NAMED
            if not is_known and (box.missing or not _is_code(box.kind)):
                break
            yield from visited(box, self._box)
            at = box.end
        if not self.tracks:
            raise Damaged("a film without tracks")
        seen: set[bytes] = set()
        for track in self.tracks:
            yield from self._track(track, seen)
        yield from self._strays()
        yield from self._gaps()
        yield from self._trailer(self.part.part(at, None, "after the end"))

    def _box(self, box: Box) -> Walk:
        content = box.content
        if box.kind in (b"ftyp", b"styp"):
            yield from _brands(content)
        elif box.kind == b"moov":
            yield from each(content, self._movie)
        elif box.kind == b"moof":
            self.fragments.read(box)
            yield from each(content, _fragment)
        elif box.kind == b"mdat":
            self.media.append(box)
        elif box.kind == b"mfra":
            yield from each(content, other)
        elif box.kind in FREE and any(content.starts_with(m) for m in _DASHCAMS):
            yield content.finding(Kind.PLACE, "a dashcam's places")
        else:
            yield from unneeded(box)

    def _movie(self, box: Box) -> Walk:
        content = box.content
        if box.kind == b"mvhd":
            yield from creation_time(content)
            yield from numbers(box)
            self.timescale = content.number(20 if content.number(0, 1) else 12, 4)
        elif box.kind == b"trak":
            name = f"trak {len(self.tracks) + 1}"
            track = Track(replace(content, path=f"{content.path[:-4]}{name}"))
            self.tracks.append(track)
            yield from track.walk()
        elif box.kind == b"mvex":
            self.fragments.read_defaults(content)
            yield from each(content, other)
        else:
            yield from unneeded(box)

    def _track(self, track: Track, seen: set[bytes]) -> Walk:
        """What a track is for, what is in its samples, and what is not shown."""
        samples = NOTHING
        try:
            samples = self._samples(track)
            yield from self._claims(track, samples)
        except Damaged as damage:
            what = f"damaged: samples that cannot be found ({damage})"
            yield track.part.finding(Kind.UNREAD, what)
            samples = NOTHING
        is_first = track.handler not in seen
        seen.add(track.handler)
        if track.handler == VIDEO:
            if not is_first:
                yield track.part.finding(Kind.VIDEO, "one more video track")
            elif samples.count > 1:
                what = frames(samples.count)
                yield track.part.part(0, 0).finding(Kind.FRAMES, what)
        elif track.handler == SOUND:
            if not is_first:
                yield track.part.finding(Kind.SOUND, "one more sound track")
        else:
            yield from beside(self.part, track, samples)
            return
        try:
            # There may be a sample of sound for each of 48,000 moments a second; what
            # is told of them stands in the set-up of their codec.
            is_video = track.handler == VIDEO
            yield from looked_into(
                track.format.decode("latin-1"),
                samples.parts(self.part) if is_video else iter(()),
                track.config,
                track.part,
            )
            yield from self._hidden(track, samples)
        except Damaged as damage:
            yield track.part.finding(Kind.UNREAD, f"damaged: {damage}")

    def _samples(self, track: Track) -> Samples:
        runs = self.fragments.samples.get(track.number, [])
        if b"stsz" in track.tables or not runs:
            tables = track.tables
            sizes = tables.get(b"stsz", track.part)
            is_counted = track.sample_size and track.handler == SOUND
            if is_counted and b"stsz" in tables and sizes.number(4, 4) == 1:
                # QuickTime counts the samples of sound, and not their bytes.
                size = track.sample_size.to_bytes(4) + sizes.read(8, 4)
                tables = tables | {b"stsz": sizes.unpacked(bytes(4) + size)}
            runs = [of_tables(tables, self.part), *runs]
        samples = joined(runs)
        self._samples_left -= 0 if track.handler == SOUND else samples.count
        self._chunks_left -= len(samples.extents)
        if self._samples_left < 0 or self._chunks_left < 0:
            raise Damaged("more samples than can be looked at")
        return samples

    def _claims(self, track: Track, samples: Samples) -> Walk:
        """Whether the samples can be where they are said to be."""
        for contradiction in samples.contradictions:
            what = f"damaged: tables that contradict each other: {contradiction}"
            yield track.part.finding(Kind.UNREAD, what)
        inside, outside = samples.claimed(self.part)
        if outside:
            what = f"damaged: {outside} bytes of samples outside of the file"
            yield track.part.finding(Kind.UNREAD, what)
        self._bytes_left -= inside
        if self._bytes_left < 0:
            raise Damaged("samples of more bytes than there are")
        self.used.append(samples.extents)

    def _strays(self) -> Walk:
        """Samples in fragments of tracks that are none."""
        known = {track.number for track in self.tracks}
        for number in sorted(self.fragments.samples.keys() - known):
            for samples in self.fragments.samples[number]:
                for start, stop in samples.extents.tolist():
                    if 0 <= start < stop <= len(self.part):
                        stray = self.part.part(start, stop - start, "mdat/stray")
                        what = "samples of a track that is not declared"
                        yield stray.finding(Kind.UNKNOWN, what)

    def _hidden(self, track: Track, samples: Samples) -> Walk:
        """Samples that an edit list leaves out."""
        shown = Edits(((0, 1 << 62),))
        if track.elst is not None:
            shown = edits(track.elst, self.timescale, track.timescale)
        place = track.part if track.elst is None else track.elst
        if track.handler == VIDEO:
            if hidden := shown.hidden_frames(samples):
                what = f"{frames(hidden)} that an edit list hides"
                yield place.finding(Kind.VIDEO, what)
        elif hidden_time := shown.hidden_time(samples, track.timescale):
            what = f"{hidden_time:.2f} s of sound that an edit list hides"
            yield place.finding(Kind.SOUND, what)

    def _gaps(self) -> Walk:
        """Bytes of the media that no sample takes up, or that several do."""
        if shared := overlap(self.used):
            what = f"damaged: {shared} bytes that several samples take up"
            yield self.part.part(0, 0, "mdat").finding(Kind.UNREAD, what)
        for box in self.media:
            start = box.end - len(box.content)
            for begin, stop in gaps(self.used, start, box.end):
                gap = self.part.part(begin, stop - begin, "mdat/gap")
                if any(mark in gap.read(0, min(len(gap), 64)) for mark in _DASHCAMS):
                    yield gap.finding(Kind.PLACE, "a dashcam's places")
                else:
                    what = "bytes that no sample takes up"
                    yield from leftover(gap, Kind.GAP, what)

    def _trailer(self, rest: Part) -> Walk:
        if rest and bytes(rest.data[-32:]) == _INSTA360:
            what = "Insta360's trailer: place, motion, serial number, a preview"
            yield rest.finding(Kind.MAKER_NOTE, what)
            yield Embedded(rest)
        else:
            what = "data after the end of the film"
            yield from leftover(rest, Kind.TRAILER, what)


def mp4(part: Part) -> Walk:
    """A film of boxes, and what stands after them."""
    yield from _Film(part, Fragments(part)).walk()


def _is_code(kind: bytes) -> bool:
    text = kind.decode("latin-1")
    return text.removeprefix("©").isascii() and text.isprintable()


def _brands(content: Part) -> Walk:
    """The formats that a file says it is of."""
    if len(content) > _LARGEST_FTYP:
        yield content.finding(Kind.UNKNOWN, "a long list of formats")
        return
    for at in (0, *range(8, len(content) - 3, 4)):
        brand = content.read(at, 4)
        if not _BRANDS.fullmatch(brand) and any(brand):
            what = "a format that only some cameras or programs write"
            value = brand.decode("latin-1")
            yield content.part(at, 4, "brand").finding(Kind.CAMERA, what, value=value)


def _fragment(box: Box) -> Walk:
    if box.kind == b"traf":
        yield from each(box.content, _fragment)
    else:
        yield from unneeded(box)
