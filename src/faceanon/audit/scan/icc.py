"""Colour profiles (ICC.1): harmless as far as they are what they say."""

from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Embedded, Part, Walk, leftover, unknown


def icc_profile(part: Part) -> Walk:
    """A colour profile: its tags may be searched, its texts name a colour space."""
    if len(part) < 132 or not part.starts_with(b"acsp", 36):
        yield from unknown(part, "said to be a colour profile, but none")
        return
    size = min(part.number(0, 4), len(part))
    yield part.part(0, size).finding(Kind.PROFILE, "a colour profile")
    yield Embedded(part.part(0, size))
    yield from leftover(part.part(size), Kind.GAP, "bytes after a colour profile")
