"""The scan of a file: every part by what knows it, within limits."""

import errno
import mmap
import zlib
from collections.abc import Iterator
from pathlib import Path

from faceanon.audit.scan.findings import SIGNATURES_ONLY, Finding, Kind
from faceanon.audit.scan.part import Damaged, Embedded, Part, Walk
from faceanon.audit.scan.signatures import search, walker_of
from faceanon.audit.scan.strangers import named

MAX_DEPTH = 12
"""Parts in parts deeper than this are not looked into."""

MAX_FINDINGS = 10_000
"""A file with more findings is left there."""

# Parts may hold one another, and every one is read, but all together not more than so
# many times the size of the file, plus so many bytes of what is unpacked.
_READ_TIMES = 2 * MAX_DEPTH
_UNPACKED = 1 << 26


class _Exhausted(Exception):
    """A limit was reached; the text says which."""


def scan(source: bytes | Path) -> Iterator[Finding]:
    """Find everything in a file that is not the picture itself.

    Damaged files, and those that are neither pictures nor films that are known, are
    searched for what can be found without understanding them; a finding of the kind
    `unread` says so, and what they are.

    Args:
        source: the bytes of a file, or its path.

    Raises:
        OSError: the file cannot be read.

    >>> [finding.kind.value for finding in scan(b"GIF89a")]
    ['unread']
    """
    data = source if isinstance(source, bytes) else _mapped(source)
    yield from _Scanner(len(data)).walk_file(Part(memoryview(data)))


def _mapped(path: Path) -> mmap.mmap | bytes:
    if not path.is_file():
        # A pipe might keep the reader waiting for ever.
        raise OSError(errno.EINVAL, "it is no regular file")
    with path.open("rb") as file:
        if file.seek(0, 2) == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


class _Scanner:
    """What is left of the limits while a file is scanned."""

    def __init__(self, size: int) -> None:
        self._bytes_left = _READ_TIMES * size + _UNPACKED
        self._findings_left = MAX_FINDINGS

    def walk_file(self, file: Part) -> Iterator[Finding]:
        """The findings in a whole file."""
        try:
            for finding in self._walk(Embedded(file, is_picture=True), 0):
                if self._findings_left == 0:
                    raise _Exhausted(f"more than {MAX_FINDINGS} findings: left there")
                self._findings_left -= 1
                yield finding
        except _Exhausted as limit:
            yield file.finding(Kind.UNREAD, str(limit))
        if walker_of(file) is None:
            yield file.finding(Kind.UNREAD, f"{named(file)}: {SIGNATURES_ONLY}")

    def _walk(self, embedded: Embedded, depth: int) -> Iterator[Finding]:
        part = embedded.part
        if depth > MAX_DEPTH:
            yield part.finding(Kind.UNREAD, "too deep to be looked into")
            return
        try:
            if embedded.deflated:
                part = self._inflated(part)
            self._spend(len(part))
            for item in self._walker(embedded, part):
                if isinstance(item, Embedded):
                    yield from self._walk(item, depth + 1)
                else:
                    yield item
        except Damaged as damage:
            yield part.finding(Kind.UNREAD, f"damaged: {damage}")
            # Not from its first byte on: it would be taken for what it is once more.
            yield from self._walk(Embedded(part.part(1), search), depth + 1)

    def _walker(self, embedded: Embedded, part: Part) -> Walk:
        walker = embedded.walker
        if walker is None and embedded.is_picture:
            walker = walker_of(part)
        return (walker or search)(part)

    def _inflated(self, part: Part) -> Part:
        inflate = zlib.decompressobj()
        try:
            data = inflate.decompress(part.data, min(self._bytes_left, _UNPACKED))
        except zlib.error as error:
            raise Damaged("data that cannot be inflated") from error
        if inflate.unconsumed_tail:
            raise _Exhausted("it unpacks to more than can be looked at")
        return part.unpacked(data)

    def _spend(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise _Exhausted("it holds more parts in parts than can be looked at")
