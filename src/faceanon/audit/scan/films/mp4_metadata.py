"""The metadata of MP4 and QuickTime: udta, meta with its keys, and uuid."""

from collections.abc import Callable
from functools import partial

from faceanon.audit.scan.boxes import Box, boxes
from faceanon.audit.scan.films.mp4_boxes import NAMED, each, other
from faceanon.audit.scan.films.words import HANDLERS, of_key, of_kind, shown_key
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.icc import icc_profile
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Part,
    Walk,
    Walker,
    free_text,
    leftover,
    picture,
    unknown,
)
from faceanon.audit.scan.xmp import xmp

_UUIDS: dict[str, tuple[Kind, str]] = {
    "d8fec3d61b0e483c92975828877ec481": (Kind.PROVENANCE, "C2PA"),
    "85c0b687820f11e08111f4ce462b6a48": (Kind.MAKER_NOTE, "Canon's metadata"),
    "ffcc8263f8554a938814587a02521fdd": (Kind.COMMENT, "metadata of a 360 degree film"),
    "55534d5421d24fcebb88695cfac9c740": (Kind.MAKER_NOTE, "Sony's metadata"),
    "50524f4621d24fcebb88695cfac9c740": (Kind.MAKER_NOTE, "Sony's profile"),
}
_IPOD = bytes.fromhex("6b6840f25f244fc5ba39a51bcf0323f3")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")

# Of the user data: numbers of QuickTime's player.
_PLAYER = {b"WLOC": 4, b"LOOP": 4, b"SelO": 1, b"AllF": 1, b"ptv ": 8}

# 3GPP TS 26.244, clause 8: version, flags and language stand before the text.
_ASSET = {b"titl", b"dscp", b"cprt", b"perf", b"auth", b"gnre", b"albm", b"kywd"}

_UTF8, _UTF16, _PICTURES = 1, 2, {12, 13, 14, 27}
_INTEGERS, _FLOATS = {21, 22}, {23, 24}
_LARGEST_TEXT = 1 << 16


def uuid(box: Box) -> Walk:
    """A box whose kind is a UUID."""
    number, content = box.content.read(0, 16), box.content.part(16)
    if number == _XMP_UUID:
        yield Embedded(content.part(0, None, "XMP"), xmp)
        return
    if number == _IPOD and content.is_uniform():
        return
    kind, what = _UUIDS.get(number.hex(), (Kind.UNKNOWN, "a box that is not known"))
    yield box.content.finding(kind, what)
    yield Embedded(content)


def handler_name(box: Box) -> Walk:
    """The name in a handler box, unless programs give it to all films."""
    name = box.content.part(20, None, "name")
    data = name.read(0, min(len(name), 256)).strip(b"\0 ")
    if data[:1] and data[0] == len(data) - 1:
        # QuickTime's texts begin with their length.
        data = data[1:]
    if not data and name.is_uniform():
        return
    text = data.decode("utf-8", "replace")
    if text.strip("\0 ") not in HANDLERS or len(name) > 256:
        yield of_kind(name, Kind.COMMENT, "the name of a handler", text)


def user_data(part: Part) -> Walk:
    """The user data of a film or a track."""
    yield from each(part, _user_data_box)


def _user_data_box(box: Box) -> Walk:
    content = box.content
    if box.kind == b"meta":
        yield from metadata(content)
    elif box.kind == b"XMP_":
        yield Embedded(content, xmp)
    elif box.kind == b"uuid":
        yield from uuid(box)
    elif box.kind == b"chpl":
        yield from _chapters(content)
    elif box.kind in _PLAYER and len(content) <= _PLAYER[box.kind]:
        return
    elif (
        box.kind[:1] == b"\xa9" or box.kind in _ASSET or box.kind in (b"name", b"date")
    ):
        kind, what = NAMED.get(box.kind, (Kind.COMMENT, "a text"))
        if value := _text_of(box):
            yield of_kind(content, kind, what, value)
        else:
            yield from unknown(content, what)
        yield Embedded(content)
    elif content:
        yield from other(box)


def _text_of(box: Box) -> str:
    """The text of a box of user data, however it is written."""
    data = box.content.read(0, min(len(box.content), _LARGEST_TEXT))
    if data[4:8] == b"data":
        data = data[16:]
    elif box.kind in _ASSET:
        data = data[6:]
    elif box.kind[:1] == b"\xa9" and int.from_bytes(data[:2]) in range(len(data) - 3):
        # A length, a language, and a text; more of them may follow.
        data = data[4 : 4 + int.from_bytes(data[:2])] or data[4:]
    if data[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return data.decode("utf-16", "replace").strip("\0 ")
    return data.decode("utf-8", "replace").strip("\0 ")


def _chapters(content: Part) -> Walk:
    """Nero's list of chapters: a time, and a name of up to 255 bytes."""
    at, count = 9, content.number(8, 1)
    for index in range(count):
        name = content.part(at + 9, content.number(at + 8, 1), f"{index + 1}")
        yield name.finding(Kind.COMMENT, "the name of a chapter", value=name.text())
        at += 9 + len(name)
    yield from leftover(content.part(at), Kind.GAP, "bytes after the chapters")


def metadata(content: Part) -> Walk:
    """A box of metadata, of ISO's or of QuickTime's form."""
    start = 0 if content.starts_with(b"hdlr", 4) else 4
    keys: list[str] = []
    for box in boxes(content, min(start, len(content))):
        if box.kind == b"keys":
            keys = _keys(box.content)
    yield from each(content, partial(_metadata_box, keys), start)


def _metadata_box(keys: list[str], box: Box) -> Walk:
    if box.kind == b"hdlr":
        yield from handler_name(box)
    elif box.kind == b"ilst":
        yield from each(box.content, partial(_item, keys))
    elif box.kind == b"keys":
        if not keys:
            yield from unknown(box.content, "keys that are not known")
    elif box.kind == b"uuid":
        yield from uuid(box)
    else:
        yield from other(box)


def _keys(content: Part) -> list[str]:
    """The names that items are called by, in their order."""
    keys, at = [], 8
    for _ in range(content.number(4, 4)):
        size = content.number(at, 4)
        if size < 8:
            raise Damaged("a key smaller than its header")
        keys.append(content.read(at + 8, size - 8).decode("utf-8", "replace"))
        at += size
    return keys


def _item(keys: list[str], item: Box) -> Walk:
    """An item of the list: what it is called, and its values."""
    index = int.from_bytes(item.kind)
    names = [
        box.content.read(4, min(len(box.content) - 4, 256)).decode("utf-8", "replace")
        for box in boxes(item.content)
        if box.kind in (b"mean", b"name") and len(box.content) > 4
    ]
    if 0 < index <= len(keys):
        key = keys[index - 1]
    else:
        key = " ".join(names) if item.kind == b"----" else ""
    visit: Callable[[Box], Walk] = partial(_value, item, key)
    yield from each(item.content, visit)


def _value(item: Box, key: str, box: Box) -> Walk:
    if box.kind in (b"mean", b"name"):
        if not key:
            yield from free_text(box.content, Kind.COMMENT, "the name of a text")
        return
    if box.kind != b"data":
        yield from other(box)
        return
    kind, what = NAMED.get(item.kind, (Kind.COMMENT, "a text"))
    form = box.content.number(0, 4)
    value = box.content.part(8, None, shown_key(key) if key else "")
    if form in _PICTURES or kind is Kind.PICTURE:
        yield from picture(value, "a cover picture")
        return
    text = _decoded(value, form)
    yield of_key(value, key, text) if key else of_kind(value, kind, what, text)
    if form not in _INTEGERS and form not in _FLOATS:
        yield Embedded(value)


def _decoded(value: Part, form: int) -> str:
    data = value.read(0, min(len(value), _LARGEST_TEXT))
    if form in _INTEGERS:
        return str(int.from_bytes(data, signed=True))
    if form == _UTF16:
        return data.decode("utf-16-be", "replace").strip("\0 ")
    if form == _UTF8 or data.isascii():
        return data.decode("utf-8", "replace").strip("\0 ")
    return data.hex()


def unneeded(box: Box) -> Walk:
    """A box that a film does not need, wherever it stands: metadata, or any other."""
    if box.kind == b"meta":
        yield from metadata(box.content)
    elif box.kind == b"udta":
        yield from user_data(box.content)
    elif box.kind == b"uuid":
        yield from uuid(box)
    else:
        yield from other(box)


def color(box: Box) -> Walk:
    """The colours of a film, as numbers or as a profile."""
    walker: Walker = icc_profile
    if box.content.read(0, 4) in (b"prof", b"rICC"):
        yield Embedded(box.content.part(4), walker)
    else:
        rest = box.content.part(min(11, len(box.content)))
        yield from leftover(rest, Kind.GAP, "bytes after the colours")
