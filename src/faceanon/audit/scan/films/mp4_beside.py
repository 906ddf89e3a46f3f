"""The tracks of an MP4 or QuickTime film beside its pictures and its sound."""

from itertools import islice

from faceanon.audit.scan.films.mp4_track import TEXT, Track
from faceanon.audit.scan.films.samples import Samples
from faceanon.audit.scan.films.words import text_kind
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Embedded, Part, Walk

# Tracks of metadata, by the codes of their samples and by words in their descriptions.
_METADATA: dict[bytes, tuple[Kind, str]] = {
    b"gpmd": (Kind.PLACE, "GoPro's telemetry: place, speed, motion, faces"),
    b"camm": (Kind.PLACE, "Google's camera motion: place, motion"),
    b"djmd": (Kind.PLACE, "DJI's metadata: place, motion, serial number"),
    b"dbgi": (Kind.MAKER_NOTE, "DJI's records for debugging"),
    b"rtmd": (Kind.MAKER_NOTE, "Sony's metadata: lens, exposure, place"),
    b"fdsc": (Kind.MAKER_NOTE, "GoPro's record of the file"),
    b"mebx": (Kind.MAKER_NOTE, "Apple's timed metadata"),
    b"tmcd": (Kind.DATE, "a time code"),
    b"NAVI": (Kind.PLACE, "a drone's or dashcam's places"),
    b"gps0": (Kind.PLACE, "a dashcam's places"),
}
_WORDS = (
    (b"face", Kind.FACE_REGION, "Apple's timed metadata: where faces are"),
    (b"location", Kind.PLACE, "timed metadata: place"),
    (b"gps", Kind.PLACE, "timed metadata: place"),
)
_LOOKED_AT = 20
_HEAD = 1 << 16


def beside(file: Part, track: Track, samples: Samples) -> Walk:
    """A track that is neither pictures nor sound."""
    texts = list(islice(samples.parts(file), _LOOKED_AT))
    if track.handler in TEXT or track.format in (b"text", b"tx3g", b"wvtt"):
        said = [_text(sample) for sample in texts]
        value = next((text for text in said if text), "")
        kinds = {text_kind(text) for text in said}
        kind = Kind.PLACE if Kind.PLACE in kinds else Kind.COMMENT
        what = "a track of texts: subtitles, chapters or places"
        yield track.part.finding(kind, what, value=value)
        return
    kind, what = _METADATA.get(
        track.format, (Kind.UNKNOWN, "a track beside pictures and sound")
    )
    description = (
        b""
        if track.entry is None
        else track.entry.read(0, min(len(track.entry), _HEAD))
    )
    for word, of_word, words in _WORDS:
        if word in description.lower() and track.format not in (b"gpmd", b"tmcd"):
            kind, what = of_word, words
            break
    yield track.part.finding(kind, what)
    for sample in texts:
        yield Embedded(sample)


def _text(sample: Part) -> str:
    """The text of a sample: after its length, if it has one."""
    length = sample.number(0, 2) if len(sample) > 2 else 0
    if 0 < length <= len(sample) - 2:
        return sample.part(2, length).text()
    return sample.text()
