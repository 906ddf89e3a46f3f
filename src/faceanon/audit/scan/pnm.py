"""PBM, PGM, PPM and PAM: comments, and what stands behind the pixels."""

import re

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import (
    Damaged,
    Part,
    Walk,
    free_text,
    leftover,
    unknown,
)

_LONGEST_HEADER = 2**20
_BITMAPS, _PLAIN, _COLOR = (1, 4), (1, 2, 3), (3, 6)
_DEEP = 255
# White space, a comment, or a number.
_TOKEN = re.compile(rb"\s+|#[^\r\n]*|\d{1,9}")
_COMMENT = re.compile(rb"#[^\r\n]*")
_PAM_LINES = re.compile(
    rb"(WIDTH|HEIGHT|DEPTH|MAXVAL) +\d+|ENDHDR|"
    rb"TUPLTYPE (BLACKANDWHITE|GRAYSCALE|RGB)(_ALPHA)?"
)


def pnm(part: Part) -> Walk:
    """A picture, and what stands after it in the part."""
    kind = part.number(1, 1) - ord("0")
    if kind == 7:
        yield from _pam(part)
        return
    header = bytes(part.data[:_LONGEST_HEADER])
    numbers: list[int] = []
    at = 2
    while len(numbers) < (2 if kind in _BITMAPS else 3):
        token = _TOKEN.match(header, at)
        if token is None:
            raise Damaged("a Netpbm file whose header is no header")
        if token.group().isdigit():
            numbers.append(int(token.group()))
        yield from _comment(part, token)
        at = token.end()
    while (token := _COMMENT.match(header, at)) is not None:
        yield from _comment(part, token)
        at = token.end()
    at += 1
    width, height, largest = (*numbers, 1)[:3]
    samples = width * height * (3 if kind in _COLOR else 1)
    if kind in _PLAIN:
        yield from _written_out(part.part(at, None, "pixels"), samples, kind)
        return
    if kind == 4:
        yield from _behind(part, at + -(-width // 8) * height)
    else:
        yield from _behind(part, at + samples * (1 + (largest > _DEEP)))


def _comment(part: Part, token: re.Match[bytes]) -> Walk:
    if token.group().startswith(b"#"):
        start = token.start() + 1
        place = part.part(start, token.end() - start, "comment")
        yield from free_text(place, Kind.COMMENT, "a comment")


def _written_out(pixels: Part, samples: int, kind: int) -> Walk:
    """Pixels as numbers, among which comments may stand."""
    text = bytes(pixels.data)
    for comment in _COMMENT.finditer(text):
        yield from _comment(pixels, comment)
    numbers = _COMMENT.sub(b" ", text)
    if kind in _BITMAPS:
        count, digits = len(b"".join(numbers.split())), b"01"
    else:
        count, digits = len(numbers.split()), b"0123456789"
    if count > samples or numbers.strip(digits + b" \t\r\n\v\f"):
        yield pixels.finding(Kind.TRAILER, "more than the pixels")


def _pam(part: Part) -> Walk:
    header = bytes(part.data[:_LONGEST_HEADER])
    end = re.search(rb"\nENDHDR[ \t]*\n", header)
    if end is None:
        raise Damaged("a PAM whose header is no header")
    said: dict[bytes, int] = {}
    for line in re.finditer(rb"[^\n]+", header[: end.start()]):
        name, _, value = line.group().partition(b" ")
        if name.startswith(b"#"):
            yield from _comment(part, line)
        elif value.strip().isdigit():
            said[name] = int(value)
        if line.start() and not (
            name.startswith(b"#") or _PAM_LINES.fullmatch(line.group().strip())
        ):
            place = part.part(line.start(), len(line.group()), "line")
            yield from unknown(place, "a line that is not known")
    names = (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")
    if not all(name in said for name in names):
        raise Damaged("a PAM without a size")
    width, height, depth, largest = (said[name] for name in names)
    size = width * height * depth * (1 + (largest > _DEEP))
    yield from _behind(part, end.end() + size)


def _behind(part: Part, end: int) -> Walk:
    trailer = part.part(end, None, "trailer")
    yield from leftover(trailer, Kind.TRAILER, "data after the end of the picture")
