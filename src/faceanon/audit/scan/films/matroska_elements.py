"""The elements of Matroska that are known (RFC 9559); all others are not harmless."""

from faceanon.audit.scan.findings import Kind

EBML, SEGMENT, CLUSTER, VOID, CRC = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xEC, 0xBF
BETWEEN_FILMS = {EBML, SEGMENT, VOID, CRC}
TRACK_ENTRY, SIMPLE_TAG, ATTACHED_FILE, CHAPTERS = 0xAE, 0x67C8, 0x61A7, 0x1043A770
SIMPLE_BLOCK, BLOCK, BLOCK_ADDITIONS, DISCARD_PADDING = 0xA3, 0xA1, 0x75A1, 0x75A2
DATE, MUXING_APP, WRITING_APP = 0x4461, 0x4D80, 0x5741
TRACK_NUMBER, TRACK_TYPE, CODEC_ID, CODEC_PRIVATE = 0xD7, 0x83, 0x86, 0x63A2
CODEC_DELAY, ENCODING, COMPRESSION = 0x56AA, 0x6240, 0x5034
COMPRESSION_KIND, COMPRESSION_SETTINGS = 0x4254, 0x4255
TAG_NAME, TAG_STRING, TAG_BINARY = 0x45A3, 0x4487, 0x4485
FILE_NAME, FILE_DESCRIPTION, FILE_TYPE, FILE_DATA = 0x466E, 0x467E, 0x4660, 0x465C

MASTERS: dict[int, str] = {
    EBML: "EBML",
    0x114D9B74: "SeekHead",
    0x4DBB: "Seek",
    0x1549A966: "Info",
    0x5854: "SilentTracks",
    0xA0: "BlockGroup",
    0x8E: "Slices",
    0xE8: "TimeSlice",
    0x1654AE6B: "Tracks",
    0xE0: "Video",
    0x55B0: "Colour",
    0x55D0: "MasteringMetadata",
    0x7670: "Projection",
    0xE1: "Audio",
    0x6D80: "ContentEncodings",
    ENCODING: "ContentEncoding",
    COMPRESSION: "ContentCompression",
    0x1C53BB6B: "Cues",
    0xBB: "CuePoint",
    0xB7: "CueTrackPositions",
    0xDB: "CueReference",
    0x1941A469: "Attachments",
    CHAPTERS: "Chapters",
    0x45B9: "EditionEntry",
    0xB6: "ChapterAtom",
    0x8F: "ChapterTrack",
    0x80: "ChapterDisplay",
    0x1254C367: "Tags",
    0x7373: "Tag",
    0x63C0: "Targets",
    TRACK_ENTRY: "TrackEntry",
    SIMPLE_TAG: "SimpleTag",
    ATTACHED_FILE: "AttachedFile",
}
"""Elements that hold others."""

NUMBERS = frozenset(
    [
        *(0x4286, 0x42F7, 0x42F2, 0x42F3, 0x4287, 0x4285),
        # Where things are in the file.
        *(0x53AB, 0x53AC, 0xB3, 0xF7, 0xF1, 0xF0, 0xB2, 0x5378, 0xEA, 0x96),
        # Times of the film and of its blocks.
        *(0x2AD7B1, 0x4489, 0xE7, 0x58D7, 0xA7, 0xAB, 0x9B, 0xFA, 0xFB, 0xC8),
        *(0xCC, 0xCB, 0xCD, 0xCE, 0xCF, DISCARD_PADDING),
        # Tracks.
        *(TRACK_NUMBER, 0x73C5, TRACK_TYPE, 0xB9, 0x88, 0x55AA, 0x55AB, 0x55AC),
        *(0x55AD, 0x55AE, 0x55AF, 0x9C, 0x6DE7, 0x6DF8, 0x23E383, 0x234E7A),
        *(0x23314F, 0x537F, 0x55EE, 0x7446, 0xAA, 0x6FAB, CODEC_DELAY, 0x56BB),
        # Pictures and sound.
        *(0x9A, 0x9D, 0x53B8, 0x53B9, 0x53C0, 0xB0, 0xBA, 0x54AA, 0x54BB, 0x54CC),
        *(0x54DD, 0x54B0, 0x54BA, 0x54B2, 0x54B3, 0x2EB524, 0x2FB523, 0x2383E3),
        *range(0x55B1, 0x55BE),
        *range(0x55D1, 0x55DB),
        *(0x7671, 0x7673, 0x7674, 0x7675, 0xB5, 0x78B5, 0x9F, 0x6264, 0x52F1),
        *(0x5031, 0x5032, 0x5033, COMPRESSION_KIND),
        # Numbers of chapters, tags and attachments, which are told of themselves.
        *(0x45BC, 0x45BD, 0x45DB, 0x45DD, 0x73C4, 0x91, 0x92, 0x98, 0x4598, 0x63C3),
        *(0x89, 0x68CA, 0x63C5, 0x63C9, 0x63C4, 0x63C6, 0x4484, 0x46AE),
    ]
)
"""Elements of a number, of up to 8 bytes."""

STRINGS: dict[int, str] = {
    0x4282: r"matroska|webm",
    CODEC_ID: r"[VASB]_[A-Z0-9/_.\-]{1,40}",
    0x22B59C: r"[a-z]{3}|[a-z]{2,3}-[a-zA-Z]{2}",
    0x22B59D: r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,2}",
    0x437C: r"[a-z]{3}|[a-z]{2,3}-[a-zA-Z]{2}",
    0x437D: r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,2}",
    0x447A: r"[a-z]{3}|[a-z]{2,3}-[a-zA-Z]{2}",
    0x447B: r"[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,2}",
}
"""Elements of a text, and what is a harmless one."""

BINARIES = {0x7672: 64, COMPRESSION_SETTINGS: 64, CRC: 4, CODEC_PRIVATE: 1 << 16}
"""Elements of bytes that a film may have, and how many are enough."""

NAMED: dict[int, tuple[Kind, str, str]] = {
    0x73A4: (Kind.SERIAL, "SegmentUUID", "the unique number of the film"),
    0x7384: (Kind.COMMENT, "SegmentFilename", "the name of the file"),
    0x3CB923: (Kind.SERIAL, "PrevUUID", "the unique number of another film"),
    0x3C83AB: (Kind.COMMENT, "PrevFilename", "the name of another file"),
    0x3EB923: (Kind.SERIAL, "NextUUID", "the unique number of another film"),
    0x3E83BB: (Kind.COMMENT, "NextFilename", "the name of another file"),
    0x4444: (Kind.SERIAL, "SegmentFamily", "the unique number of a series"),
    0x7BA9: (Kind.COMMENT, "Title", "the title"),
    MUXING_APP: (Kind.COMMENT, "MuxingApp", "a program"),
    WRITING_APP: (Kind.COMMENT, "WritingApp", "a program"),
    0x536E: (Kind.COMMENT, "Name", "the title of a track"),
    0x258688: (Kind.COMMENT, "CodecName", "the name of a codec"),
    0x85: (Kind.COMMENT, "ChapString", "the name of a chapter"),
    0x5654: (Kind.COMMENT, "ChapterStringUID", "what a chapter is called by"),
    0x437E: (Kind.PLACE, "ChapCountry", "a country"),
    0x63CA: (Kind.COMMENT, "TargetType", "what a tag is of"),
    0x4282: (Kind.UNKNOWN, "DocType", "a type of file that is not known"),
    CODEC_ID: (Kind.UNKNOWN, "CodecID", "a codec that is not known"),
    0x22B59C: (Kind.COMMENT, "Language", "a language that is none"),
    0x22B59D: (Kind.COMMENT, "LanguageBCP47", "a language that is none"),
}
"""Elements of texts and bytes that identify: the kind, the name, and what it is."""

UNREADABLE: dict[int, str] = {
    0x5035: "encrypted: it is not looked into",
    0xAF: "encrypted: it is not looked into",
    0x6944: "programs of chapters: they are not looked into",
}


def is_known(number: int) -> bool:
    """Whether it stands in a list, and so is no chance."""
    return number in (SEGMENT, CLUSTER, VOID, CRC, DATE) or number in _ALL


def name(number: int) -> str:
    """The name of an element for a path."""
    if number in MASTERS:
        return MASTERS[number]
    if number in NAMED:
        return NAMED[number][1]
    return _NAMES.get(number, f"0x{number:x}")


_NAMES = {SEGMENT: "Segment", CLUSTER: "Cluster", VOID: "Void", DATE: "DateUTC"}
_NAMES |= {SIMPLE_BLOCK: "SimpleBlock", BLOCK: "Block", FILE_DATA: "FileData"}
_NAMES |= {FILE_NAME: "FileName", FILE_DESCRIPTION: "FileDescription"}
_NAMES |= {TAG_STRING: "TagString", CODEC_PRIVATE: "CodecPrivate"}
_ALL = {*MASTERS, *NUMBERS, *STRINGS, *BINARIES, *NAMED, *UNREADABLE}
_ALL |= {SIMPLE_BLOCK, BLOCK, BLOCK_ADDITIONS}
