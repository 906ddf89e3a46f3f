"""IPTC-IIM: the data sets of news agencies."""

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Damaged, Embedded, Part, Walk, leftover
from faceanon.audit.scan.values import tells_time

_DATA_SETS: dict[int, tuple[Kind, str]] = {
    0: (Kind.SETTINGS, "record version"),
    26: (Kind.PLACE, "content location code"),
    27: (Kind.PLACE, "content location"),
    30: (Kind.DATE, "release date"),
    35: (Kind.DATE, "release time"),
    55: (Kind.DATE, "date created"),
    60: (Kind.DATE, "time created"),
    62: (Kind.DATE, "date digitized"),
    63: (Kind.DATE, "time digitized"),
    80: (Kind.NAME, "by-line"),
    85: (Kind.NAME, "by-line title"),
    90: (Kind.PLACE, "city"),
    92: (Kind.PLACE, "sub-location"),
    95: (Kind.PLACE, "province"),
    100: (Kind.PLACE, "country code"),
    101: (Kind.PLACE, "country"),
    103: (Kind.SERIAL, "job identifier"),
    105: (Kind.COMMENT, "headline"),
    110: (Kind.NAME, "credit"),
    115: (Kind.NAME, "source"),
    116: (Kind.NAME, "copyright"),
    118: (Kind.NAME, "contact"),
    120: (Kind.COMMENT, "caption"),
    122: (Kind.NAME, "caption writer"),
    200: (Kind.SETTINGS, "preview format"),
    201: (Kind.SETTINGS, "preview version"),
    202: (Kind.PICTURE, "preview"),
    221: (Kind.COMMENT, "preferences of a program"),
    187: (Kind.SERIAL, "unique document identifier"),
}
_APPLICATION_RECORD = 2
_CODED_CHARACTER_SET = (1, 90)


def iptc(part: Part) -> Walk:
    """The data sets, one after the other (IIM 4.2, section 1.5)."""
    at = 0
    while at + 5 <= len(part) and part.data[at] == 0x1C:
        record, number = part.data[at + 1], part.data[at + 2]
        length, header = part.number(at + 3, 2), 5
        if length & 0x8000:
            size = length & 0x7FFF
            if size > 8:
                raise Damaged("a data set without end")
            length, header = part.number(at + 5, size), 5 + size
        value = part.part(at + header, length, f"{record}:{number:02d}")
        yield from _data_set(value, record, number)
        at += header + length
    if at == 0:
        raise Damaged("no IPTC data set")
    yield from leftover(part.part(at), Kind.GAP, "bytes after the last data set")


def _data_set(value: Part, record: int, number: int) -> Walk:
    kind, what = Kind.COMMENT, "a data set"
    if record == _APPLICATION_RECORD:
        kind, what = _DATA_SETS.get(number, (kind, what))
    elif (record, number) == _CODED_CHARACTER_SET:
        kind, what = Kind.SETTINGS, "character set"
    elif number == 0:
        kind, what = Kind.SETTINGS, "record version"
    text = value.text()
    if kind is Kind.SETTINGS and len(value) <= 4:
        yield value.finding(kind, what)
    elif kind is Kind.SETTINGS:
        yield value.finding(Kind.UNKNOWN, f"{what}, longer than any")
    elif kind is Kind.DATE:
        yield value.finding(kind, what, value=text, identifies=tells_time(text))
    elif text:
        yield value.finding(kind, what, value=text)
    if len(value) > 100:
        yield Embedded(value)
