"""EXIF: to `Metadata`, and from it to a block that holds nothing else (CIPA DC-008)."""

import re
import struct
from contextlib import suppress
from datetime import datetime
from typing import Any

from faceanon.media.containers import Readable
from faceanon.media.metadata import tiff
from faceanon.media.metadata.model import NO_METADATA, TAGS, Metadata, Resolution, Unit
from faceanon.media.metadata.tiff import Blob, Directory, Entry, Tiff

PREFIX = b"Exif\0\0"
"""What stands before the block in a JPEG, and in some files of other kinds."""

ORIENTATION = 0x0112
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
EXIF_DIRECTORY = 0x8769
_EXIF_VERSION, _COLOR_SPACE, _CAPTURED = 0x9000, 0xA001, 0x9003
_INTEROPERABILITY, _INTEROPERABILITY_INDEX = 0xA005, 0x0001
_COMPRESSION, _THUMBNAIL, _THUMBNAIL_LENGTH = 0x0103, 0x0201, 0x0202

_UNCALIBRATED = 0xFFFF
# Not in the standard, but written by cameras.
_ADOBE_RGB = 2
_ADOBE_RGB_INDEX = "R03"
_JPEG_COMPRESSION = 6

_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d)(?: (\d\d):(\d\d):(\d\d))?")
_FIRST_PHOTOGRAPH = 1826

_MAIN = {tag.number: name for name, tag in TAGS.items() if tag.in_main}
_EXPOSURE = {tag.number: name for name, tag in TAGS.items() if not tag.in_main}


def parse(block: bytes) -> Metadata:
    """Read an EXIF block.

    Whatever is damaged, out of range, or of another type than it should be counts as
    not there.

    Args:
        block: the bytes, with or without `PREFIX`.
    """
    return parse_tiff(block.removeprefix(PREFIX))


def parse_tiff(data: Readable) -> Metadata:
    """Read the first directory of a TIFF file, and that of EXIF; see `parse`."""
    try:
        source = Tiff(data)
        wanted = {X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, EXIF_DIRECTORY, *_MAIN}
        main = source.values(source.first, wanted)
    except ValueError:
        return NO_METADATA
    exposure: dict[int, tuple[tiff.Value, ...]] = {}
    interoperability: dict[int, tuple[tiff.Value, ...]] = {}
    wanted = {_COLOR_SPACE, _CAPTURED, _INTEROPERABILITY, *_EXPOSURE}
    with suppress(ValueError):
        exposure = source.values(_offset(main.get(EXIF_DIRECTORY)), wanted)
        interoperability = source.values(
            _offset(exposure.get(_INTEROPERABILITY)), {_INTEROPERABILITY_INDEX}
        )
    values: dict[str, Any] = {
        name: TAGS[name].kind.read(found[number])
        for found, names in ((main, _MAIN), (exposure, _EXPOSURE))
        for number, name in names.items()
        if number in found
    }
    color_space = exposure.get(_COLOR_SPACE, ())[:1]
    index = interoperability.get(_INTEROPERABILITY_INDEX)
    is_adobe_rgb = color_space == (_ADOBE_RGB,) or (
        color_space == (_UNCALIBRATED,) and index == (_ADOBE_RGB_INDEX,)
    )
    return Metadata(
        resolution=_resolution(main),
        is_adobe_rgb=is_adobe_rgb,
        captured=_time(exposure.get(_CAPTURED)),
        **values,
    )


def _offset(values: tuple[tiff.Value, ...] | None) -> int:
    if not values or not isinstance(values[0], int):
        raise ValueError("there is no such directory")
    return values[0]


def _resolution(main: dict[int, tuple[tiff.Value, ...]]) -> Resolution | None:
    values = [main.get(tag, ())[:1] for tag in (X_RESOLUTION, Y_RESOLUTION)]
    # Without a unit it is the inch, by TIFF 6.0.
    unit = main.get(RESOLUTION_UNIT, (Unit.INCH,))[:1]
    match values, unit:
        case [(x,), (y,)], (int(number),) if not isinstance(x, str | None):
            return None if isinstance(y, str) else Resolution.checked(x, y, number)
    return None


def _time(values: tuple[tiff.Value, ...] | None) -> datetime | None:
    match = _TIME.match(values[0]) if values and isinstance(values[0], str) else None
    if match is None:
        return None
    numbers = [int(number) for number in match.groups(default="0")]
    if numbers[0] < _FIRST_PHOTOGRAPH:
        return None
    try:
        return datetime(*numbers)  # type: ignore[arg-type]  # six, no time zone
    except ValueError:
        return None


def entries(
    metadata: Metadata, *, orientation: int = 1, with_resolution: bool = True
) -> Directory:
    """The main directory of EXIF for metadata; empty where there is nothing to tell.

    Args:
        metadata: what to tell.
        orientation: in which the picture is stored, 1 to 8.
        with_resolution: whether to tell the resolution, which some formats hold
            outside of EXIF.
    """
    main = _tagged(metadata, in_main=True)
    exposure = _tagged(metadata, in_main=False)
    if orientation != 1:
        main.append(tiff.shorts(ORIENTATION, orientation))
    if with_resolution and metadata.resolution is not None:
        resolution = metadata.turned(orientation).resolution
        assert resolution is not None
        main.append(tiff.ratio(X_RESOLUTION, resolution.x))
        main.append(tiff.ratio(Y_RESOLUTION, resolution.y))
        main.append(tiff.shorts(RESOLUTION_UNIT, resolution.unit))
    if metadata.captured is not None:
        shown = metadata.captured.strftime("%Y:%m:%d %H:%M:%S")
        exposure.append(tiff.text(_CAPTURED, shown))
    if metadata.is_adobe_rgb:
        exposure.append(tiff.shorts(_COLOR_SPACE, _UNCALIBRATED))
        index = Directory([tiff.text(_INTEROPERABILITY_INDEX, _ADOBE_RGB_INDEX)])
        exposure.append(tiff.elsewhere(_INTEROPERABILITY, index))
    if exposure:
        exposure.append(tiff.undefined(_EXIF_VERSION, b"0232"))
        main.append(tiff.elsewhere(EXIF_DIRECTORY, Directory(exposure)))
    return Directory(main)


def _tagged(metadata: Metadata, *, in_main: bool) -> list[Entry]:
    return [
        tag.kind.write(tag.number, value)
        for name, tag in TAGS.items()
        if tag.in_main is in_main and (value := getattr(metadata, name)) is not None
    ]


def block(
    metadata: Metadata,
    *,
    orientation: int = 1,
    with_resolution: bool = True,
    thumbnail: bytes | None = None,
) -> bytes:
    """An EXIF block, without `PREFIX`; empty where there is nothing to tell.

    Args:
        metadata: what to tell.
        orientation: in which the picture is stored, 1 to 8.
        with_resolution: whether to tell the resolution.
        thumbnail: a JPEG to put in, turned as the picture is stored; None for none.
    """
    main = entries(metadata, orientation=orientation, with_resolution=with_resolution)
    if not main and thumbnail is None:
        return b""
    start = 8
    header = struct.pack(">2sHI", b"MM", 42, start)
    if thumbnail is None:
        return header + tiff.pack(main, start, ">")
    second = Directory(
        [
            tiff.shorts(_COMPRESSION, _JPEG_COMPRESSION),
            tiff.elsewhere(_THUMBNAIL, Blob(thumbnail)),
            Entry(_THUMBNAIL_LENGTH, tiff.Type.LONG, 1, (len(thumbnail),)),
        ]
    )
    following = start + len(tiff.pack(main, start, ">"))
    return (
        header
        + tiff.pack(main, start, ">", following)
        + tiff.pack(second, following, ">")
    )
