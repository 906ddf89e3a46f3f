"""The tracks of a sequence of pictures, and where in the file their samples are."""

from collections.abc import Generator

from faceanon.audit.scan.boxes import boxes
from faceanon.audit.scan.findings import Finding, Kind
from faceanon.audit.scan.part import Embedded, Part, Walk, free_text, unknown

_PICTURES, _SOUND, _VIDEO = (b"pict", b"auxv"), b"soun", b"vide"
_STRUCTURE = {b"tkhd", b"mdia", b"edts", b"tref"}
_CHUNK_OFFSETS = {b"stco": 4, b"co64": 8}
_MAX_SAMPLES = 1_000_000
_DAY = 86_400  # seconds
_HANDLER_NAME_LENGTH = 32


def creation_time(header: Part) -> Walk:
    """The time that a movie, track or media header holds, if it holds one."""
    size = 8 if header.number(0, 1) == 1 else 4
    moments = header.number(4, size), header.number(4 + size, size)
    if any(moments):
        # They count from a midnight on: one of a day only is another midnight.
        is_timed = any(moment % _DAY for moment in moments)
        what = "time of creation or change"
        yield header.part(4, 2 * size).finding(Kind.DATE, what, identifies=is_timed)


def handler_name(box: Part) -> Walk:
    """The text in a handler box, unless it is as short as the names of programs."""
    name = box.part(20, None, "name")
    if len(name) > _HANDLER_NAME_LENGTH:
        yield from free_text(name, Kind.COMMENT, "a handler with a long name")


def track(
    part: Part, used: list[tuple[int, int]]
) -> Generator[Finding | Embedded, None, int]:
    """A track.

    Args:
        part: what the track's box holds.
        used: the places of its samples in the file are added to it.

    Returns:
        The number of frames, if it is one of pictures.
    """
    handler, tables = b"", {}
    for box in boxes(part):
        if box.kind == b"tkhd":
            yield from creation_time(box.content)
        if box.kind not in _STRUCTURE:
            yield from unknown(box.content, "a box that is not known")
        if box.kind != b"mdia":
            continue
        for inner in boxes(box.content):
            if inner.kind == b"mdhd":
                yield from creation_time(inner.content)
            elif inner.kind == b"hdlr":
                handler = inner.content.read(8, 4)
                yield from handler_name(inner.content)
            elif inner.kind == b"minf":
                tables = _tables(inner.content)
    extents = list(_samples(tables))
    used.extend(extents)
    if handler in _PICTURES:
        return _count(tables) if b"stsz" in tables else len(extents)
    kinds = {_SOUND: Kind.SOUND, _VIDEO: Kind.VIDEO}
    yield part.finding(kinds.get(handler, Kind.UNKNOWN), "a track beside the picture")
    return 0


def _tables(minf: Part) -> dict[bytes, Part]:
    return {
        table.kind: table.content
        for box in boxes(minf)
        if box.kind == b"stbl"
        for table in boxes(box.content)
    }


def _count(tables: dict[bytes, Part]) -> int:
    return tables[b"stsz"].number(8, 4)


def _samples(tables: dict[bytes, Part]) -> Generator[tuple[int, int], None, None]:
    """Where chunks of samples are: first byte, and last plus one (14496-12, 8.7)."""
    kind = next((kind for kind in _CHUNK_OFFSETS if kind in tables), None)
    if kind is None or not {b"stsz", b"stsc"} <= tables.keys():
        return
    offsets, sizes, runs = tables[kind], tables[b"stsz"], tables[b"stsc"]
    same_size = sizes.number(4, 4)
    entries = runs.number(4, 4)
    sample = run = 0
    for chunk in range(min(offsets.number(4, 4), _MAX_SAMPLES)):
        while run + 1 < entries and runs.number(8 + 12 * (run + 1), 4) <= chunk + 1:
            run += 1
        per_chunk = runs.number(8 + 12 * run + 4, 4)
        last = min(sample + per_chunk, _count(tables))
        length = (
            same_size * (last - sample)
            if same_size
            else sum(sizes.number(12 + 4 * index, 4) for index in range(sample, last))
        )
        sample = last
        width = _CHUNK_OFFSETS[kind]
        start = offsets.number(8 + width * chunk, width)
        yield start, start + length
