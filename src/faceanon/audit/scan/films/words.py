"""What the names of a film's metadata mean, whatever its container.

The only program that may be named is FFmpeg with its encoders, as it tells nothing of
anybody; everything that is on no list is a text, and so not harmless.
"""

import re

from faceanon.audit.scan.findings import Finding, Kind
from faceanon.audit.scan.part import Part
from faceanon.audit.scan.values import kind_of_product, tells_time

_PROGRAM = re.compile(
    r"(Lavf|Lavc)[\d.]{0,16}"
    r"( (lib(x264|x264rgb|x265|svtav1|aom-av1|rav1e|vpx|vpx-vp9|opus|vorbis|theora"
    r"|mp3lame|fdk_aac)|aac|ac3|eac3|alac|flac|opus|mp2|pcm_[sfu]\d\d[lb]e|mpeg4|mpeg[12]video"
    r"|mjpeg|prores(_ks|_aw)?|h263|ffv1|dvvideo|qtrle|png|dnxhd|rawvideo|wmv[12]"
    r"|(h264|hevc|av1)_(nvenc|qsv|vaapi|videotoolbox|amf|mf)))?"
)

HANDLERS = frozenset(
    [
        *("VideoHandler", "SoundHandler", "SubtitleHandler", "DataHandler"),
        *("TimeCodeHandler", "VideoHandle", "SoundHandle", "MetadHandler"),
        *("Video Media Handler", "Sound Media Handler", "Metadata"),
        *("Apple Video Media Handler", "Apple Sound Media Handler"),
        *("Apple Alias Data Handler", "Core Media Video", "Core Media Audio"),
        *("Core Media Data Handler", "Core Media Metadata", "Time Code Media Handler"),
        *("L-SMASH Video Handler", "L-SMASH Audio Handler", "Bento4 Video Handler"),
        *("GPAC ISO Video Handler", "GPAC ISO Audio Handler", "Bento4 Sound Handler"),
        *("ISO Media file produced by Google Inc.", "Mainconcept Video Media Handler"),
        *("Mainconcept MP4 Video Media Handler", "Mainconcept MP4 Sound Media Handler"),
        *("url ", "Alias Data Handler", "\x1fMainconcept Video Media Handler"),
    ]
)
"""The names that programs give to the handlers of all their films."""

# The first that fits a key decides; a key of no kind is a text.
_KINDS: tuple[tuple[re.Pattern[str], Kind, str], ...] = tuple(
    (re.compile(pattern), kind, what)
    for pattern, kind, what in (
        (r"location|gps|6709|latitude|longitude|altitude|xyz$", Kind.PLACE, "a place"),
        (r"\bface", Kind.FACE_REGION, "where faces are"),
        (
            r"serial|uuid|guid|umid|identifier|imei|isrc|(\b|_)id$",
            Kind.SERIAL,
            "a unique number",
        ),
        (r"date|time$|year", Kind.DATE, "a date"),
        (r"make$|model|manufacturer|\blens", Kind.CAMERA, "a make or model"),
        (
            r"artist|author|director|producer|performer|composer|creator|owner"
            r"|copyright|publisher|people|actor|credit|encoded_by|user|writer|contact",
            Kind.NAME,
            "a name",
        ),
        (r"encoder|software|writing_app|tool|vendor", Kind.COMMENT, "a program"),
    )
)
# Numbers that a program counts, if they are no more than that.
_COUNTS = {"duration", "bps", "number_of_frames", "number_of_bytes"}
_COUNTS |= {"com.android.capture.fps"}
_NUMBER = re.compile(r"[\d:.]{1,24}")

_SHOWN_KEYS = frozenset(
    [
        *(
            f"com.apple.quicktime.{name}"
            for name in (
                *("location.ISO6709", "location.name", "location.body", "make"),
                *("location.note", "location.role", "location.accuracy.horizontal"),
                *("location.date", "model", "software", "creationdate", "artist"),
                *("author", "title", "description", "comment", "copyright", "album"),
                *("content.identifier", "displayname", "keywords", "information"),
                *("producer", "director", "publisher", "performer", "year", "genre"),
                *("camera.identifier", "camera.framereadouttimeinmicroseconds"),
                *("direction.facing", "direction.motion", "detected-face.bounds"),
                *("live-photo.auto", "live-photo.vitality-score", "player.version"),
            )
        ),
        *("com.android.version", "com.android.manufacturer", "com.android.model"),
        *("com.android.capture.fps", "make", "model", "location", "location-eng"),
        *("TITLE", "ARTIST", "ALBUM", "COMMENT", "DESCRIPTION", "ENCODER", "DURATION"),
        *("DATE", "DATE_RECORDED", "DATE_RELEASED", "DATE_TAGGED", "DATE_ENCODED"),
        *("RECORDING_LOCATION", "DIRECTOR", "PRODUCER", "ACTOR", "COPYRIGHT", "BPS"),
        *("ENCODED_BY", "SUMMARY", "SYNOPSIS", "KEYWORDS", "CREATION_TIME", "TIMECODE"),
        *("HANDLER_NAME", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "ORIGINAL"),
        *("_STATISTICS_WRITING_APP", "_STATISTICS_WRITING_DATE_UTC"),
        "_STATISTICS_TAGS",
    ]
)

_PLACE = re.compile(r"gps|[-+]\d{1,2}\.\d{3,}[-+,; ]+[-+]?\d{1,3}\.\d{3,}", re.I)


def frames(count: int) -> str:
    """So many frames, in words.

    >>> frames(1), frames(2)
    ('1 frame', '2 frames')
    """
    return f"{count} frame" if count == 1 else f"{count} frames"


def shown_key(key: str) -> str:
    """A key for a path, if it is one that many films have: others may tell something.

    >>> shown_key("title"), shown_key("Erika")
    ('title', 'key')
    """
    return key if key in _SHOWN_KEYS or key.upper() in _SHOWN_KEYS else "key"


def is_program(value: str) -> bool:
    """Whether a text names FFmpeg, and nothing else.

    >>> is_program("Lavc62.28.100 libx264"), is_program("Lavf of Erika")
    (True, False)
    """
    return _PROGRAM.fullmatch(value) is not None


def text_kind(value: str) -> Kind:
    """What a text without a name is: a place, or just any text.

    >>> text_kind("GPS(48.8577,2.2950,35)").value, text_kind("Hello").value
    ('place', 'comment')
    """
    return Kind.PLACE if _PLACE.search(value) else Kind.COMMENT


def of_key(place: Part, key: str, value: str) -> Finding:
    """A value as a finding, by its key.

    Args:
        place: where it is.
        key: its name in the film.
        value: as a text.
    """
    lower = key.lower()
    if (lower in _COUNTS and _NUMBER.fullmatch(value)) or lower == "_statistics_tags":
        known = all(word.lower() in _COUNTS for word in value.split())
        if lower in _COUNTS or known:
            return place.finding(Kind.SETTINGS, "a count", value=value)
    if lower == "handler_name" and value in HANDLERS:
        return place.finding(Kind.SETTINGS, "the name of a handler", value=value)
    for pattern, kind, what in _KINDS:
        if pattern.search(lower):
            return of_kind(place, kind, what, value)
    return of_kind(place, text_kind(value), "a text", value)


def of_kind(place: Part, kind: Kind, what: str, value: str) -> Finding:
    """A value as a finding; what it says may tell that it harms nobody.

    Args:
        place: where it is.
        kind: what its name promises.
        what: the same in words.
        value: as a text.
    """
    if is_program(value):
        return place.finding(Kind.SETTINGS, f"{what}: FFmpeg", value=value)
    identifies = None
    if kind is Kind.CAMERA:
        kind = kind_of_product(value)
    elif kind is Kind.DATE:
        identifies = tells_time(value)
    return place.finding(kind, what, value=value, identifies=identifies)
