"""The segments of a JPEG file (ITU-T T.81, annex B), without decoding it."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from faceanon.media.containers.jpeg import EOI, SOI, Segment, header, markers

ColorSpace: TypeAlias = Literal["grey", "ycc", "rgb"]


class Marker(enum.IntEnum):
    """The second byte of the markers that are told apart here."""

    SOF0, SOF1, SOF2 = 0xC0, 0xC1, 0xC2
    DHT, EOI, SOS, DQT, DRI = 0xC4, 0xD9, 0xDA, 0xDB, 0xDD
    APP0, APP1, APP2, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
    COM = 0xFE


_FRAMES = (Marker.SOF0, Marker.SOF1, Marker.SOF2)
_PICTURE = (*_FRAMES, Marker.DHT, Marker.SOS, Marker.DQT, Marker.DRI)
_METADATA = (*range(Marker.APP0, Marker.APP15 + 1), Marker.COM)


def _zigzag(place: int) -> tuple[int, int]:
    """Sorts the places of an 8x8 block into the order of coefficients in a file."""
    row, column = divmod(place, 8)
    diagonal = row + column
    return diagonal, row if diagonal % 2 else column


_ZIGZAG = np.array(sorted(range(64), key=_zigzag))


# How many bits a difference of first coefficients has at most, and any other one.
_MOST_FIRST_BITS, _MOST_BITS = 11, 10


class CannotTranscode(Exception):
    """Why the blocks of a JPEG cannot be kept, in a few words."""


@dataclass(frozen=True, slots=True)
class Component:
    """A colour component.

    Attributes:
        id: as its scans name it.
        across: how many pixels of a row share one sample.
        down: how many pixels of a column share one sample.
        quantization: the table, shape (8, 8), float32.
    """

    id: int
    across: int
    down: int
    quantization: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Structure:
    """What a JPEG file is made of.

    Attributes:
        segments: those that hold the picture: frame, tables and scans, in their order.
        width: in pixels, as stored.
        height: likewise.
        unit_width: of the units (MCU) that hold whole blocks of all components, pixels.
        unit_height: likewise.
        components: one for grey, three for colour.
        color_space: what the components are.
        is_progressive: whether it is coded in several passes over the picture.
        is_optimized: whether its Huffman tables are its own.
        is_bounded: whether its tables have no codes for coefficients, but for the first
            of a block, that are too large for baseline coding.
        is_jfif: whether it has a JFIF segment.
        transform: the colour transform of its Adobe segment; None where there is none.
    """

    segments: tuple[Segment, ...]
    width: int
    height: int
    unit_width: int
    unit_height: int
    components: tuple[Component, ...]
    color_space: ColorSpace
    is_progressive: bool
    is_optimized: bool
    is_bounded: bool
    is_jfif: bool
    transform: int | None


def read_structure(data: bytes) -> Structure:
    """Read the structure of a JPEG file up to the end of its first picture.

    Raises:
        CannotTranscode: it is of a kind whose blocks cannot be kept, or damaged.
    """
    try:
        return _read_structure(data)
    except (IndexError, ValueError):
        raise CannotTranscode("its segments are damaged") from None


def assembled(data: bytes, structure: Structure, colors: bytes) -> bytes:
    """A JPEG that holds a picture and nothing else.

    Args:
        data: the file to which the segments of the structure belong.
        structure: what it is made of.
        colors: the segments that say how its colours are to be read.
    """
    parts = (data[part.start : part.end] for part in structure.segments)
    return b"".join((SOI, colors, *parts, EOI))


def _read_structure(data: bytes) -> Structure:
    segments = tuple(_segments(data))
    kept = tuple(part for part in segments if part.marker not in _METADATA)
    found = [part.marker for part in kept]
    frames = [part for part in kept if part.marker in _FRAMES]
    if len(frames) != 1 or not set(found) <= set(_PICTURE):
        raise CannotTranscode("it is of a rare kind of JPEG")
    if Marker.DQT in found[found.index(Marker.SOS) :]:
        raise CannotTranscode("its quantization changes between scans")
    frame = frames[0].body(data)
    if frame[0] != 8:
        raise CannotTranscode(f"it has {frame[0]} bits a sample")
    tables: dict[int, NDArray[np.float32]] = {}
    huffman: set[bytes] = set()
    for part in kept:
        if part.marker == Marker.DQT:
            tables.update(_quantization(part.body(data)))
        elif part.marker == Marker.DHT:
            huffman.update(_huffman(part.body(data)))
    components = _components(frame, tables)
    is_jfif = _is_jfif(data, segments)
    transform = _transform(data, segments)
    is_progressive = frames[0].marker == Marker.SOF2
    unit_across, unit_down = _unit(frame)
    return Structure(
        kept,
        width=int.from_bytes(frame[3:5]),
        height=int.from_bytes(frame[1:3]),
        unit_width=8 * unit_across,
        unit_height=8 * unit_down,
        components=components,
        color_space=_color_space(components, is_jfif, transform),
        is_progressive=is_progressive,
        is_optimized=not huffman <= _standard_huffman(),
        is_bounded=not is_progressive and all(map(_has_small_codes, huffman)),
        is_jfif=is_jfif,
        transform=transform,
    )


def _segments(data: bytes) -> Iterator[Segment]:
    offset = 0
    for segment in header(data):
        offset = segment.start if segment.marker == Marker.SOS else segment.end
        if segment.marker != Marker.SOS:
            yield segment
    places = markers(data)
    while (marker := data[offset + 1]) != Marker.EOI or data[offset] != 0xFF:
        if data[offset] != 0xFF:
            raise CannotTranscode("its segments are damaged")
        if marker == 0xFF:  # a fill byte
            offset += 1
            continue
        end = offset + 2 + int.from_bytes(data[offset + 2 : offset + 4])
        if marker == Marker.SOS:
            end = int(places[np.searchsorted(places, end)])
        yield Segment(marker, offset, end)
        offset = end


def _quantization(body: bytes) -> Iterator[tuple[int, NDArray[np.float32]]]:
    while body:
        wide, number = divmod(body[0], 16)
        size = 128 if wide else 64
        values = np.frombuffer(body[1 : 1 + size], ">u2" if wide else "u1")
        table = np.empty(64, np.float32)
        table[_ZIGZAG] = values
        yield number, table.reshape(8, 8)
        body = body[1 + size :]


def _huffman(body: bytes) -> Iterator[bytes]:
    """The tables of a segment, each as it stands in the file."""
    while body:
        size = 17 + sum(body[1:17])
        yield body[:size]
        body = body[size:]


def _has_small_codes(table: bytes) -> bool:
    """Whether what a table codes is within baseline coding (T.81, tables F.1, F.2).

    The codes of a table for first coefficients stand for their number of bits, those of
    others for a number of zeros and, in the lower half, of bits.
    """
    is_first = table[0] < 16
    if is_first:
        return max(table[17:], default=0) <= _MOST_FIRST_BITS
    return all(code % 16 <= _MOST_BITS for code in table[17:])


@cache
def _standard_huffman() -> frozenset[bytes]:
    """The tables of annex K, which encoders write that do not make their own."""
    data = simplejpeg.encode_jpeg(np.zeros((8, 8, 3), np.uint8))
    return frozenset(
        table
        for part in _segments(data)
        if part.marker == Marker.DHT
        for table in _huffman(part.body(data))
    )


def _is_jfif(data: bytes, segments: tuple[Segment, ...]) -> bool:
    """Whether there is a JFIF segment (ITU-T T.871, section 10.1)."""
    return any(
        part.marker == Marker.APP0 and part.body(data).startswith(b"JFIF\0")
        for part in segments
    )


def _transform(data: bytes, segments: tuple[Segment, ...]) -> int | None:
    """The colour transform of the Adobe segment (Adobe's technical note 5116)."""
    for part in segments:
        body = part.body(data)
        if part.marker == Marker.APP14 and body.startswith(b"Adobe"):
            return body[11] if len(body) >= 12 else None
    return None


def _unit(frame: bytes) -> tuple[int, int]:
    """How many blocks lie side by side, and upon each other, in a unit (T.81, A.2)."""
    if frame[5] == 1:  # a block is a unit, whatever the factors are
        return 1, 1
    factors = [divmod(factor, 16) for factor in frame[7::3]]
    return max(across for across, _ in factors), max(down for _, down in factors)


def _components(
    frame: bytes, tables: dict[int, NDArray[np.float32]]
) -> tuple[Component, ...]:
    count = frame[5]
    if count not in (1, 3):
        raise CannotTranscode(f"it has {count} components")
    entries = [frame[6 + 3 * i : 9 + 3 * i] for i in range(count)]
    factors = [divmod(entry[1], 16) for entry in entries]
    most_across = max(across for across, _ in factors)
    most_down = max(down for _, down in factors)
    components = []
    for (id_, _, table), (across, down) in zip(entries, factors, strict=True):
        if not across * down or most_across % across or most_down % down:
            raise CannotTranscode("its subsampling is of a rare kind")
        if table not in tables or not tables[table].all():
            raise CannotTranscode("its quantization tables are damaged")
        components.append(
            Component(id_, most_across // across, most_down // down, tables[table])
        )
    return tuple(components)


def _color_space(
    components: tuple[Component, ...], is_jfif: bool, transform: int | None
) -> ColorSpace:
    """What the components are, as libjpeg and so nearly every decoder takes them."""
    if len(components) == 1:
        return "grey"
    if is_jfif:
        return "ycc"
    if transform is not None:
        return "rgb" if transform == 0 else "ycc"
    return "rgb" if bytes(part.id for part in components) == b"RGB" else "ycc"
