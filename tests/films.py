"""Films with something planted in them, put together by hand."""

import struct
from dataclasses import dataclass, field

from containers import NAME, THUMBNAIL, box

VIDEO_HANDLER, SOUND_HANDLER = "VideoHandler", "SoundHandler"
SPS = bytes.fromhex(
    "6764000aacd9428df92100000300010000030030 0f122596".replace(" ", "")
)
PPS = bytes.fromhex("68ebe3cb22c0")
SLICE = b"\x65" + bytes(range(1, 60))
VIDEO_ID = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")


def unit(data: bytes) -> bytes:
    """A unit of H.264 or H.265 after its length."""
    return struct.pack(">I", len(data)) + data


def message(kind: int, data: bytes, header: bytes = b"\x06") -> bytes:
    """A unit with a message (SEI)."""
    size = b"\xff" * (len(data) // 255) + bytes([len(data) % 255])
    return unit(header + bytes([kind]) + size + data + b"\x80")


FRAME = unit(SLICE)
AVC = box(
    b"avcC",
    b"\1\x64\0\x0a\xff\xe1",
    *(struct.pack(">H", len(SPS)), SPS, b"\1", struct.pack(">H", len(PPS)), PPS),
    b"\xfd\xf8\xf8\0",
)


def hvc(*arrays: tuple[int, bytes]) -> bytes:
    """How H.265 is set up, with a unit in each array."""
    content = bytes(21) + b"\x03" + bytes([len(arrays)])
    for kind, data in arrays:
        content += bytes([kind]) + struct.pack(">HH", 1, len(data)) + data
    return box(b"hvcC", content)


def video_entry(
    code: bytes = b"avc1", setup: bytes = AVC, compressor: bytes = b""
) -> bytes:
    head = bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HH", 160, 90)
    head += bytes(14) + bytes([len(compressor)]) + compressor.ljust(31, b"\0")
    return box(code, head, b"\0\x18\xff\xff", setup)


def sound_entry() -> bytes:
    head = bytes(6) + b"\0\1" + bytes(8) + struct.pack(">HHI", 1, 16, 0)
    return box(b"sowt", head, struct.pack(">I", 8000 << 16))


def header(created: int, scale: int, *rest: bytes) -> bytes:
    """Version, times of creation and change, units a second."""
    return struct.pack(">IIII", 0, created, created, scale) + b"".join(rest)


@dataclass
class Track:
    """A track of samples that last 100 of 1,000 units each."""

    handler: bytes = b"vide"
    samples: list[bytes] = field(default_factory=lambda: [FRAME] * 10)
    entry: bytes = field(default_factory=video_entry)
    name: str = VIDEO_HANDLER
    edit: tuple[int, int] | None = None
    """Of the edit list: duration and start."""
    extra: bytes = b""
    created: int = 0
    media_created: int = 0
    reference: bytes = field(default=box(b"url ", b"\0\0\0\1"))
    duration: int = 100
    shift: int = 0
    """How much later than it is decoded each sample is shown."""
    place: int | None = None
    """Where the samples are, in 64 bits; None for where they are put."""
    sizes: list[int] | None = None
    tables: tuple[bytes, ...] = ()
    """More boxes of the sample table."""

    def box(self, number: int, start: int) -> bytes:
        """Its box; the samples begin at `start` of the file."""
        sizes = self.sizes or [len(sample) for sample in self.samples]
        count = len(sizes)
        tables = [
            box(b"stsd", struct.pack(">II", 0, 1), self.entry),
            box(b"stts", struct.pack(">IIII", 0, 1, count, self.duration)),
            box(b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1)),
            box(b"stsz", struct.pack(f">III{count}I", 0, 0, count, *sizes)),
        ]
        if self.place is None:
            tables.append(box(b"stco", struct.pack(">III", 0, 1, start)))
        else:
            tables.append(box(b"co64", struct.pack(">IIQ", 0, 1, self.place)))
        if self.shift:
            shifts = struct.pack(">IIII", 0, 1, count, self.shift)
            tables.append(box(b"ctts", shifts))
        tables += self.tables
        references = box(b"dref", struct.pack(">II", 0, 1), self.reference)
        media = box(
            b"mdia",
            box(b"mdhd", header(self.media_created, 1000, bytes(8))),
            box(b"hdlr", bytes(8), self.handler, bytes(12), self.name.encode(), b"\0"),
            box(b"minf", box(b"dinf", references), box(b"stbl", *tables)),
        )
        edits = b""
        if self.edit is not None:
            entry = struct.pack(">IIIiI", 0, 1, *self.edit, 0x10000)
            edits = box(b"edts", box(b"elst", entry))
        times = struct.pack(">IIIII", 3, self.created, self.created, number, 0)
        head = box(b"tkhd", times, bytes(64))
        return box(b"trak", head, edits, media, self.extra)


def sound(**changes: object) -> Track:
    """Sound of 8,000 samples of 1 unit, in 8 packets."""
    track = Track(b"soun", [bytes(range(200))] * 8, sound_entry(), SOUND_HANDLER)
    for name, value in changes.items():
        setattr(track, name, value)
    return track


def mp4(
    *tracks: Track,
    movie: bytes = b"",
    created: int = 0,
    gap: bytes = b"",
    before: bytes = b"",
    after: bytes = b"",
    brand: bytes = b"isom",
) -> bytes:
    """A film of tracks; `movie` stands in moov, `gap` in mdat, `after` at the end."""
    tracks = tracks or (Track(),)
    start = box(b"ftyp", brand, b"\0\0\2\0", b"isommp41") + before
    at, boxes, media = len(start) + 8, [], b""
    for number, track in enumerate(tracks, start=1):
        boxes.append(track.box(number, at + len(media)))
        media += b"".join(track.samples)
    movie_header = box(b"mvhd", header(created, 1000, bytes(84)))
    moov = box(b"moov", movie_header, *boxes, movie)
    return start + box(b"mdat", media, gap) + moov + after


def user_data(*boxes: bytes) -> bytes:
    return box(b"udta", *boxes)


def text_box(code: bytes, text: str) -> bytes:
    """A text of QuickTime: its length, a language, and itself."""
    data = text.encode()
    return box(code, struct.pack(">HH", len(data), 0x15C7), data)


def item(code: bytes, value: bytes, form: int = 1) -> bytes:
    return box(code, box(b"data", struct.pack(">II", form, 0), value))


def meta(*items: bytes, keys: tuple[str, ...] = ()) -> bytes:
    """Metadata as iTunes writes them, or by keys as QuickTime does."""
    kind = b"mdta" if keys else b"mdir"
    boxes = [box(b"hdlr", bytes(8), kind, bytes(13))]
    if keys:
        names = [box(b"mdta", key.encode()) for key in keys]
        boxes.append(box(b"keys", struct.pack(">II", 0, len(keys)), *names))
    return box(b"meta", bytes(4), *boxes, box(b"ilst", *items))


def by_key(key: str, value: str) -> bytes:
    return meta(item(struct.pack(">I", 1), value.encode()), keys=(key,))


def timed(
    code: bytes, *samples: bytes, handler: bytes = b"meta", entry: bytes = b""
) -> Track:
    """A track beside pictures and sound."""
    return Track(handler, list(samples), box(code, bytes(8), entry), "")


def fragmented(*samples: bytes, extra: bytes = b"", number: int = 1) -> bytes:
    """A film whose samples are told of in a fragment, which stands before them."""
    empty = Track(samples=[])
    defaults = box(b"mvex", box(b"trex", struct.pack(">IIIIII", 0, 1, 1, 100, 0, 0)))
    movie = mp4(empty, movie=defaults)

    def moof(offset: int) -> bytes:
        sizes = struct.pack(f">{len(samples)}I", *map(len, samples))
        run = struct.pack(">IIi", 0x201, len(samples), offset) + sizes
        return box(
            b"moof",
            box(b"mfhd", bytes(8)),
            box(
                b"traf",
                box(b"tfhd", struct.pack(">II", 0x20000, number)),
                box(b"tfdt", bytes(8)),
                box(b"trun", run),
            ),
            extra,
        )

    return movie + moof(len(moof(0)) + 8) + box(b"mdat", *samples)


def element(number: int, *contents: bytes, is_open: bool = False) -> bytes:
    """An element of Matroska, with a size of 8 bytes, or of none that is known."""
    content = b"".join(contents)
    head = number.to_bytes((number.bit_length() + 7) // 8)
    if is_open:
        return head + b"\x01" + b"\xff" * 7 + content
    return head + (1 << 56 | len(content)).to_bytes(8) + content


def block(data: bytes, track: int = 1, flags: int = 0x80) -> bytes:
    return element(0xA3, bytes([0x80 | track, 0, 0, flags]), data)


def entry(kind: int, codec: str, *more: bytes, number: int = 1) -> bytes:
    """A track of Matroska: 1 video, 2 sound, 17 subtitles."""
    return element(
        0xAE,
        element(0xD7, bytes([number])),
        element(0x73C5, bytes([number])),
        element(0x83, bytes([kind])),
        element(0x86, codec.encode()),
        *more,
    )


def mkv(
    *elements: bytes,
    info: bytes = b"",
    entries: bytes | None = None,
    blocks: bytes = block(bytes(range(50))) * 3,
    after: bytes = b"",
    is_open: bool = False,
) -> bytes:
    """A film of Matroska; `elements` stand after its only cluster."""
    if entries is None:
        entries = entry(1, "V_VP9")
    head = element(0x1A45DFA3, element(0x4282, b"matroska"), element(0x4287, b"\4"))
    cluster = element(0x1F43B675, element(0xE7, b"\0"), blocks, is_open=is_open)
    segment = element(
        0x18538067,
        element(0x1549A966, element(0x2AD7B1, b"\x0f\x42\x40"), info),
        element(0x1654AE6B, entries),
        cluster,
        *elements,
        is_open=is_open,
    )
    return head + segment + after


def tag(name: str, value: str) -> bytes:
    simple = element(0x45A3, name.encode()), element(0x4487, value.encode())
    return element(0x1254C367, element(0x7373, element(0x67C8, *simple)))


def attachment(data: bytes, kind: str = "image/jpeg", name: str = "cover.jpg") -> bytes:
    return element(
        0x1941A469,
        element(
            0x61A7,
            element(0x466E, name.encode()),
            element(0x4660, kind.encode()),
            element(0x465C, data),
            element(0x46AE, b"\1"),
        ),
    )


def chapter(name: str) -> bytes:
    display = element(0x80, element(0x85, name.encode()))
    return element(0x1043A770, element(0x45B9, element(0xB6, display)))


def riff(kind: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def avi(
    *chunks: bytes, stream: bytes = b"", media: bytes = b"", after: bytes = b""
) -> bytes:
    """An AVI of small pictures of JPEG.

    `chunks` stand after its headers, `media` after its frames.
    """
    bitmap = struct.pack("<IiiHH", 40, 32, 32, 1, 24) + b"MJPG" + bytes(20)
    strl = riff(b"strh", b"vidsMJPG", bytes(48)) + riff(b"strf", bitmap) + stream
    return (
        riff(
            b"RIFF",
            b"AVI ",
            riff(
                b"LIST", b"hdrl", riff(b"avih", bytes(56)), riff(b"LIST", b"strl", strl)
            ),
            *chunks,
            riff(b"LIST", b"movi", riff(b"00dc", THUMBNAIL) * 2, media),
        )
        + after
    )


ALIAS = box(b"alis", b"\0\0\0\0", NAME.encode())
