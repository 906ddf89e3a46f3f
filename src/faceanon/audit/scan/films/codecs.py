"""What the coded pictures and the sound of a track hold, whatever the container."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from faceanon.audit.scan.films import av1, nal
from faceanon.audit.scan.films.user_data import mpeg_user_data
from faceanon.audit.scan.films.words import is_program, of_key, shown_key
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import (
    Damaged,
    Embedded,
    Order,
    Part,
    Walk,
    leftover,
    unknown,
)

NAMES: dict[str, str] = {
    # By the codes of MP4 and of AVI, and the names of Matroska.
    **dict.fromkeys(
        ("avc1", "avc3", "V_MPEG4/ISO/AVC", "H264", "dva1", "dvav"), "h264"
    ),
    **dict.fromkeys(("hvc1", "hev1", "V_MPEGH/ISO/HEVC", "dvh1", "dvhe"), "h265"),
    **dict.fromkeys(("av01", "V_AV1"), "av1"),
    **dict.fromkeys(("mp4v", "V_MPEG4/ISO/ASP", "V_MPEG4/ISO/SP", "FMP4"), "mpeg"),
    **dict.fromkeys(("XVID", "DIVX", "DX50", "V_MPEG2", "V_MPEG1", "m2v1"), "mpeg"),
    **dict.fromkeys(("jpeg", "mjpa", "mjpb", "MJPG", "mjpg", "V_MJPEG"), "pictures"),
    **dict.fromkeys(("png ", "MPNG"), "pictures"),
    # Nothing is told in these but how they are shown.
    **dict.fromkeys(("vp08", "vp09", "V_VP8", "V_VP9", "VP80", "VP90"), "plain"),
    **dict.fromkeys(("s263", "h263", "SVQ3", "SVQ1", "raw ", "rle "), "plain"),
    **dict.fromkeys(("2vuy", "yuv2", "v210", "V_UNCOMPRESSED", "FFV1"), "plain"),
    **dict.fromkeys(("apch", "apcn", "apcs", "apco", "ap4h", "ap4x"), "plain"),
    **dict.fromkeys(("V_PRORES", "V_FFV1", "AVdn", "cvid"), "plain"),
    **dict.fromkeys(("dvc ", "dvcp", "dvpp", "dv5n", "dv5p", "dvhp", "dvsd"), "dv"),
    **dict.fromkeys(("dvhq", "dvh6", "dvh5", "dvh3", "dvh2", "dv25", "dv50"), "dv"),
    **dict.fromkeys(("mp4a", "alac", "Opus", "ac-3", "ec-3", "ac-4", "samr"), "plain"),
    **dict.fromkeys(("sowt", "twos", "lpcm", "ipcm", "fpcm", "in24", "in32"), "plain"),
    **dict.fromkeys(("fl32", "fl64", "ulaw", "alaw", "ima4", ".mp3", "sawb"), "plain"),
    **dict.fromkeys(("NONE", "sawp", "mhm1", "mha1", "QDM2", "QDMC", "MAC3"), "plain"),
    **dict.fromkeys(("dtsc", "dtsh", "dtsl", "dtse", "mlpa", "ms\0\2"), "plain"),
    **dict.fromkeys(("ms\0\x11", "ms\0U", "A_MS/ACM", "A_ALAC", "A_OPUS"), "plain"),
    **dict.fromkeys(("A_MPEG/L3", "A_MPEG/L2", "A_AC3", "A_EAC3"), "plain"),
    **dict.fromkeys(("A_DTS", "A_TRUEHD", "A_PCM/INT/LIT"), "plain"),
    **dict.fromkeys(("A_PCM/INT/BIG", "A_PCM/FLOAT/IEEE"), "plain"),
    **dict.fromkeys(("fLaC", "A_FLAC"), "flac"),
    "A_VORBIS": "vorbis",
    "V_THEORA": "vorbis",
}
"""What of their data is known, by codec; see `looked_into`."""

# Pictures and texts in a stream are alike: these are enough to tell.
_LOOKED_AT, _PICTURES = 300, 16

_LARGEST_SET_UP = 512


def looked_into(
    name: str, samples: Iterator[Part], config: Part | None, place: Part
) -> Walk:
    """What is in the samples of a track beside pictures and sound.

    Args:
        name: of the codec, in the container.
        samples: of the track.
        config: what decoders have to know before the first.
        place: what to call the place of the track if the codec is not known.
    """
    kind = NAMES.get(name, "AAC" if name.startswith("A_AAC") else "")
    if kind in ("h264", "h265"):
        yield from _units(kind, samples, config)
    elif kind == "av1":
        yield from av1.user_data(samples, config)
    elif kind == "mpeg":
        yield from mpeg_user_data(islice(samples, _LOOKED_AT), config)
    elif kind == "pictures":
        for sample in islice(samples, _PICTURES):
            yield Embedded(sample, is_picture=True)
    elif kind == "dv":
        yield place.finding(Kind.DATE, "DV, which tells when it was recorded")
    elif kind == "flac" and config is not None:
        yield from _flac(config)
    elif kind == "vorbis" and config is not None:
        yield from _xiph(config)
    elif kind == "plain" and config is not None and len(config) > _LARGEST_SET_UP:
        yield from unknown(config, "a set-up that is too long")
    elif not kind:
        what = "a codec that is not known: its data are not looked into"
        yield place.finding(Kind.UNREAD, what)


def _units(kind: str, samples: Iterator[Part], config: Part | None) -> Walk:
    codec, size = (nal.H264 if kind == "h264" else nal.H265), 0
    of_config: list[Part] = []
    if config is not None:
        read = nal.h264_config if kind == "h264" else nal.h265_config
        size, of_config = read(config)
    of_samples: Iterable[Iterable[Part]]
    if size:
        of_samples = (nal.units(sample, size) for sample in samples)
    else:
        few = islice(samples, _LOOKED_AT)
        of_samples = (nal.units_between_marks(sample) for sample in few)
    yield from nal.user_data(codec, chain([of_config], of_samples))


def _flac(config: Part) -> Walk:
    """The blocks of metadata before the frames (RFC 9639, clause 8)."""
    # MP4 puts a version there, Matroska what a file begins with.
    at, is_last = 4, False
    names = {1: "padding", 2: "data of a program", 4: "comments", 6: "a picture"}
    while not is_last and at + 4 <= len(config):
        head, length = config.number(at, 1), config.number(at + 1, 3)
        is_last, kind = head > 127, head & 127
        block = config.part(at + 4, length, f"block {kind}")
        if kind == 4:
            yield from _comments(block)
        elif kind == 1:
            yield from leftover(block, Kind.GAP, "padding that holds something")
        elif kind == 6:
            yield block.finding(Kind.PICTURE, "a cover picture")
            yield Embedded(block)
        elif kind not in (0, 3):
            what = names.get(kind, "a block that is not known")
            yield block.finding(Kind.UNKNOWN, what)
            yield Embedded(block)
        at += 4 + length


def _xiph(config: Part) -> Walk:
    """The three headers of Vorbis and Theora; the second holds comments."""
    sizes, at = [], 1
    for _ in range(config.number(0, 1)):
        size = 0
        while (byte := config.number(at, 1)) == 255:
            size, at = size + 255, at + 1
        sizes.append(size + byte)
        at += 1
    for size in sizes:
        header = config.part(at, size, "header")
        if header.starts_with(b"vorbis", 1) or header.starts_with(b"theora", 1):
            kind = header.number(0, 1)
            if kind in (0x03, 0x81):
                yield from _comments(header.part(7, None, "comments"))
        at += size


def _comments(block: Part) -> Walk:
    """The comments of Xiph's formats: a vendor, and keys with values."""
    order: Order = "little"
    length = block.number(0, 4, order)
    vendor = block.part(4, length, "vendor")
    text = vendor.text()
    known = ("Xiph.Org libVorbis", "Xiph.Org libtheora", "Lavf", "reference libFLAC")
    if text and not (is_program(text) or text.startswith(known)):
        yield vendor.finding(Kind.COMMENT, "a program", value=text)
    at = 4 + length
    count, at = block.number(at, 4, order), at + 4
    for _ in range(count):
        length = block.number(at, 4, order)
        comment = block.part(at + 4, length)
        key, _, value = comment.text().partition("=")
        yield of_key(block.part(at + 4, length, shown_key(key)), key, value)
        yield Embedded(comment)
        at += 4 + length
    if len(block) > at + 1:
        raise Damaged("bytes after the comments")
