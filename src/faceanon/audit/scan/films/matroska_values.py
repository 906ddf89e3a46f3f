"""The values of Matroska that a film does not need: tags, attachments, and others."""

import re
from dataclasses import replace

from faceanon.audit.scan.films import matroska_elements as known
from faceanon.audit.scan.films.ebml import Element, each
from faceanon.audit.scan.films.words import of_key, of_kind, shown_key
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import (
    Embedded,
    Part,
    Walk,
    free_text,
    picture,
    unknown,
)


def is_harmless(number: int, content: Part) -> bool:
    """Whether a value is one that a film may have."""
    if number in known.NUMBERS:
        return len(content) <= 8
    if number in known.BINARIES:
        return len(content) <= known.BINARIES[number]
    pattern = known.STRINGS.get(number)
    return pattern is not None and re.fullmatch(pattern, content.text()) is not None


def other(number: int, content: Part) -> Walk:
    """A value that a film does not need."""
    if number not in known.NAMED:
        yield from unknown(content, "an element that is not known")
        return
    kind, _, what = known.NAMED[number]
    if kind is Kind.SERIAL:
        yield content.finding(kind, what)
    elif value := content.text():
        yield of_kind(content, kind, what, value)
        yield Embedded(content)


def tag(content: Part) -> Walk:
    """A tag: its name and its value, and those below it."""
    key, values = "", []

    def collect(element: Element) -> Walk:
        nonlocal key
        if element.number == known.TAG_NAME:
            key = element.content.text()
        elif element.number in (known.TAG_STRING, known.TAG_BINARY):
            values.append(element)
        elif element.number == known.SIMPLE_TAG:
            yield from tag(element.content)
        elif not is_harmless(element.number, element.content):
            yield from other(element.number, element.content)

    yield from each(content, known.name, collect)
    for element in values:
        path = element.content.path.rpartition("/")[0]
        value = replace(element.content, path=f"{path}/{shown_key(key)}")
        if element.number == known.TAG_BINARY:
            yield from unknown(value, "a tag of bytes")
        elif text := value.text():
            yield of_key(value, key, text)
            yield Embedded(value)
    if not values and key:
        yield from free_text(content, Kind.COMMENT, "the name of a tag")


def attachment(content: Part) -> Walk:
    """A file in the film: a cover, a font, or anything."""
    is_picture = False

    def look(element: Element) -> Walk:
        nonlocal is_picture
        number, part = element.number, element.content
        if number in (known.FILE_NAME, known.FILE_DESCRIPTION):
            yield from free_text(part, Kind.COMMENT, "the name of an attachment")
        elif number == known.FILE_TYPE:
            is_picture = part.starts_with(b"image/")
        elif number == known.FILE_DATA:
            if is_picture:
                yield from picture(part, "an attached picture")
            else:
                yield from unknown(part, "an attached file")
        elif not is_harmless(number, part):
            yield from other(number, part)

    yield from each(content, known.name, look)
