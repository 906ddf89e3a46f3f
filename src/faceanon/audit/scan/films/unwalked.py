"""Films of containers that nothing here walks: they are named, never called clean."""

from faceanon.audit.scan.findings import SIGNATURES_ONLY, Kind
from faceanon.audit.scan.part import Embedded, Part, Walk, Walker

HEAD = 784
"""So many bytes from the beginning are enough to tell them."""

# Packets of 188 bytes, of Blu-ray's with 4 bytes of time before them.
_STREAM = rb"\x47.{187}\x47.{187}\x47|.{4}\x47.{191}\x47.{191}\x47"

_CONTAINERS = {
    rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "an ASF film (WMV)",
    rb"FLV\x01": "a Flash film (FLV)",
    rb"OggS\x00": "an Ogg film",
    rb"\x00\x00\x01\xba": "an MPEG film (MPG, VOB)",
    rb"\x00\x00\x01\xb3": "an MPEG film without a container",
    rb"\x00\x00\x00\x01[\x67\x40]|\x00\x00\x01\x67": "H.264 without a container",
    rb"DKIF": "an IVF film",
    rb"\.RMF": "a RealMedia film",
    rb"\x06\x0e\x2b\x34\x02\x05\x01\x01": "an MXF film",
    _STREAM: "an MPEG transport stream (TS, M2TS)",
}


def _walker(what: str) -> Walker:
    def walk(part: Part) -> Walk:
        yield part.finding(Kind.UNREAD, f"{what}: {SIGNATURES_ONLY}")
        yield Embedded(part.part(1))

    return walk


FORMATS: tuple[tuple[bytes, Walker], ...] = tuple(
    (pattern, _walker(what)) for pattern, what in _CONTAINERS.items()
)
"""What their first bytes match, and what says that they are not walked."""
