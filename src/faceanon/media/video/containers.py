"""What films are kept in: how each is recognised, and what it becomes."""

from dataclasses import dataclass

from faceanon.storage.suffixes import FilmFormat


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file that holds a film.

    Attributes:
        demuxer: what FFmpeg calls what reads it. No other is ever tried: some of those
            open further files and addresses that a file names.
        name: for people.
        becomes: in which format a film is written that came in it, unless the name of
            the output says another.
        has_end: whether its file tells how long the film is, so that a missing end is
            seen.
    """

    demuxer: str
    name: str
    becomes: FilmFormat
    has_end: bool = True


_MP4 = Container("mov", "an MP4", "mp4")
_QUICKTIME = Container("mov", "a QuickTime film", "mov")
_MATROSKA = Container("matroska", "a Matroska film", "mkv")
_WEBM = Container("matroska", "a WebM", "webm")
_AVI = Container("avi", "an AVI", "mp4")
_ASF = Container("asf", "a Windows Media film", "mp4")
# Players of MP4 know no Vorbis.
_OGG = Container("ogg", "an Ogg film", "mkv", has_end=False)
_FLV = Container("flv", "a Flash film", "mp4")
_PROGRAM = Container("mpeg", "an MPEG program stream", "mp4", has_end=False)
_TRANSPORT = Container("mpegts", "an MPEG transport stream", "mp4", has_end=False)

# Where the first box of MP4 and QuickTime has its name, and names it can have there
# besides "ftyp".
_BOX = slice(4, 8)
_FIRST_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")

# Brands of files with pictures in the same boxes, which other code reads.
_PICTURE_BRANDS = (
    *(b"avif", b"avis", b"mif1", b"msf1", b"crx ", b"jxl "),
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    *(b"mif2", b"1pic", b"avci", b"avcs", b"j2ki", b"jpeg", b"vvic", b"vvis", b"unif"),
)

_EBML = b"\x1a\x45\xdf\xa3"
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11")

# The packets of a transport stream begin with this byte; Blu-ray puts four before each.
_SYNC = 0x47
_PACKETS = ((0, 188), (4, 192))
_PACKETS_LOOKED_AT = 4

HEAD = 1024
"""So many bytes at the beginning of a file say what it is."""


def container_of(head: bytes) -> Container | None:
    """The container of a film, by the first `HEAD` bytes of its file; None for none."""
    box, brand = head[_BOX], head[8:12]
    if box == b"ftyp" and brand not in _PICTURE_BRANDS:
        return _QUICKTIME if brand == b"qt  " else _MP4
    if box in _FIRST_BOXES and head[:4] != b"\0\0\0\0":
        return _QUICKTIME
    for magic, container in (
        (_EBML, _WEBM if b"webm" in head[:64] else _MATROSKA),
        (_ASF_HEADER, _ASF),
        (b"OggS", _OGG),
        (b"FLV\x01", _FLV),
        (b"\0\0\x01\xba", _PROGRAM),
    ):
        if head.startswith(magic):
            return container
    if head.startswith(b"RIFF") and brand == b"AVI ":
        return _AVI
    return _TRANSPORT if _is_transport_stream(head) else None


def _is_transport_stream(head: bytes) -> bool:
    return any(
        len(head) > first + size
        and all(
            head[place] == _SYNC
            for place in range(first, len(head), size)[:_PACKETS_LOOKED_AT]
        )
        for first, size in _PACKETS
    )
