"""Films in which something is planted, and films in which nothing is."""

import struct
import uuid

from containers import JPEG, NAME, PLACE, SERIAL, THUMBNAIL, box, jpeg_with_exif
from containers import xmp as xmp_packet
from faceanon.audit.scan import Kind
from films import (
    ALIAS,
    AVC,
    FRAME,
    VIDEO_ID,
    Track,
    attachment,
    avi,
    block,
    by_key,
    chapter,
    element,
    entry,
    fragmented,
    hvc,
    item,
    message,
    meta,
    mkv,
    mp4,
    riff,
    sound,
    tag,
    text_box,
    timed,
    unit,
    user_data,
    video_entry,
)
from leaks import CREATOR, GPS

POSITION = "+48.8577+002.2950+035/"
TIME = 3_800_000_000
DAY = TIME - TIME % 86_400
CAPTIONS = b"\xb5\0\x31GA94\3\xc1\xff\xfc\x94\x20"
ENCODER = (
    b"x264 - core 165 - H.264/MPEG-4 AVC codec - Copyleft 2003-2025 - "
    b"http://www.videolan.org/x264.html - options: cabac=1 ref=3 analyse=0x3:0x113 "
    b"me=hex rc=crf qcomp=0.60 aq=1:1.00"
)
XMP_ID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
CANON_ID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
FACES = box(b"keys", box(b"\0\0\0\1", b"mdtacom.apple.quicktime.detected-face"))
FIXES = box(b"keys", box(b"\0\0\0\1", b"mdtacom.apple.quicktime.location.ISO6709"))
INSTA360 = bytes(range(80)) + b"8db42d694ccc418790edff439fe026bf"
SPOKEN = struct.pack(">H", len(NAME)) + NAME.encode()
FIX = struct.pack(">H", 30) + b"GPS(48.8577,2.2950,35) F/2.8 "
JPEG_TRACK = Track(samples=[jpeg_with_exif(gps=GPS)], entry=video_entry(b"jpeg", b""))


def sei(kind: int, data: bytes) -> bytes:
    """A film with a message in its third frame."""
    frames = [FRAME, FRAME, message(kind, data) + FRAME, FRAME]
    return mp4(Track(samples=frames))


def hidden_sound(start: int) -> bytes:
    return mp4(Track(), sound(edit=(800 - start, start)))


def contradicting(code: bytes, at: int, number: int) -> bytes:
    """A film in which a table tells a number of its own."""
    film = bytearray(mp4())
    start = film.index(code) + 4 + at
    film[start : start + 4] = struct.pack(">I", number)
    return bytes(film)


FILM_LEAKS: dict[str, tuple[bytes, Kind]] = {
    "place.mp4": (mp4(movie=user_data(text_box(b"\xa9xyz", POSITION))), Kind.PLACE),
    "place by key.mov": (
        mp4(movie=by_key("com.apple.quicktime.location.ISO6709", POSITION)),
        Kind.PLACE,
    ),
    "place.3gp": (
        mp4(movie=user_data(box(b"loci", bytes(6), PLACE.encode(), bytes(14)))),
        Kind.PLACE,
    ),
    "title.mp4": (
        mp4(movie=user_data(meta(item(b"\xa9nam", NAME.encode())))),
        Kind.COMMENT,
    ),
    "artist.mp4": (
        mp4(movie=user_data(meta(item(b"\xa9ART", NAME.encode())))),
        Kind.NAME,
    ),
    "own key.mp4": (mp4(movie=by_key("org.example.note", NAME)), Kind.COMMENT),
    "author by key.mov": (
        mp4(movie=by_key("com.apple.quicktime.author", NAME)),
        Kind.NAME,
    ),
    "live photo.mov": (
        mp4(movie=by_key("com.apple.quicktime.content.identifier", SERIAL)),
        Kind.SERIAL,
    ),
    "date by key.mov": (
        mp4(
            movie=by_key("com.apple.quicktime.creationdate", "2024-05-01T13:45:10+0200")
        ),
        Kind.DATE,
    ),
    "cover.mp4": (
        mp4(movie=user_data(meta(item(b"covr", THUMBNAIL, 13)))),
        Kind.PICTURE,
    ),
    "serial.mp4": (mp4(movie=user_data(box(b"SNum", SERIAL.encode()))), Kind.SERIAL),
    "thumbnail of Canon.mov": (
        mp4(movie=user_data(box(b"CNTH", box(b"CNDA", bytes(4), THUMBNAIL)))),
        Kind.PICTURE,
    ),
    "telemetry in the header.mp4": (
        mp4(movie=user_data(box(b"GPMF", b"DEVC" + bytes(range(40))))),
        Kind.PLACE,
    ),
    "unknown user data.mp4": (
        mp4(movie=user_data(box(b"priv", NAME.encode()))),
        Kind.UNKNOWN,
    ),
    "chapters.mp4": (
        mp4(
            movie=user_data(
                box(
                    b"chpl",
                    bytes(8),
                    b"\1",
                    bytes(8),
                    bytes([len(NAME)]),
                    NAME.encode(),
                )
            )
        ),
        Kind.COMMENT,
    ),
    "handler.mp4": (mp4(Track(name=NAME)), Kind.COMMENT),
    "title of a track.mp4": (
        mp4(Track(extra=user_data(box(b"name", NAME.encode())))),
        Kind.COMMENT,
    ),
    "codec name.mov": (
        mp4(Track(entry=video_entry(compressor=NAME.encode()))),
        Kind.COMMENT,
    ),
    "date of the film.mp4": (mp4(created=TIME), Kind.DATE),
    "date of a track.mp4": (mp4(Track(created=TIME)), Kind.DATE),
    "date of the media.mp4": (mp4(Track(media_created=TIME)), Kind.DATE),
    "path of a file.mov": (mp4(Track(reference=ALIAS)), Kind.NAME),
    "GoPro.mp4": (mp4(Track(), timed(b"gpmd", b"DEVC" + bytes(20))), Kind.PLACE),
    "camm.mp4": (mp4(Track(), timed(b"camm", bytes(30))), Kind.PLACE),
    "DJI.mp4": (mp4(Track(), timed(b"djmd", bytes(range(30)))), Kind.PLACE),
    "records of DJI.mp4": (mp4(Track(), timed(b"dbgi", bytes(3))), Kind.MAKER_NOTE),
    "Sony.mp4": (mp4(Track(), timed(b"rtmd", bytes(range(30)))), Kind.MAKER_NOTE),
    "faces of Apple.mov": (
        mp4(Track(), timed(b"mebx", bytes(16), entry=FACES)),
        Kind.FACE_REGION,
    ),
    "places of Apple.mov": (
        mp4(Track(), timed(b"mebx", bytes(16), entry=FIXES)),
        Kind.PLACE,
    ),
    "subtitles.mp4": (
        mp4(Track(), timed(b"tx3g", SPOKEN, handler=b"sbtl")),
        Kind.COMMENT,
    ),
    "places as subtitles.mp4": (
        mp4(Track(), timed(b"text", SPOKEN, FIX, handler=b"text")),
        Kind.PLACE,
    ),
    "time code.mov": (
        mp4(Track(), timed(b"tmcd", bytes(4), handler=b"tmcd")),
        Kind.DATE,
    ),
    "unknown track.mp4": (mp4(Track(), timed(b"abcd", bytes(4))), Kind.UNKNOWN),
    "second video.mp4": (mp4(Track(), Track()), Kind.VIDEO),
    "second sound.mp4": (mp4(Track(), sound(), sound()), Kind.SOUND),
    "hidden frames.mp4": (mp4(Track(edit=(700, 300))), Kind.VIDEO),
    "hidden last frame.mp4": (mp4(Track(edit=(900, 0))), Kind.VIDEO),
    "all hidden.mp4": (mp4(Track(edit=(500, -1))), Kind.VIDEO),
    "hidden sound.mp4": (hidden_sound(300), Kind.SOUND),
    "xmp.mp4": (mp4(after=box(b"uuid", XMP_ID, xmp_packet(CREATOR))), Kind.NAME),
    "xmp.mov": (mp4(movie=user_data(box(b"XMP_", xmp_packet(CREATOR)))), Kind.NAME),
    "Canon.mov": (mp4(movie=box(b"uuid", CANON_ID, bytes(9))), Kind.MAKER_NOTE),
    "uuid.mp4": (mp4(after=box(b"uuid", uuid.uuid4().bytes, THUMBNAIL)), Kind.PICTURE),
    "free.mp4": (mp4(after=box(b"free", THUMBNAIL)), Kind.PICTURE),
    "text in free.mp4": (mp4(before=box(b"skip", NAME.encode())), Kind.GAP),
    "unknown box.mp4": (mp4(after=box(b"abcd", NAME.encode())), Kind.UNKNOWN),
    "gap.mp4": (mp4(gap=THUMBNAIL), Kind.PICTURE),
    "dashcam.mp4": (mp4(gap=b"freeGPS " + bytes(range(50))), Kind.PLACE),
    "table of a dashcam.mp4": (mp4(movie=box(b"gps ", bytes(24))), Kind.PLACE),
    "trailing.mp4": (mp4(after=THUMBNAIL), Kind.PICTURE),
    "trailing text.mp4": (mp4(after=NAME.encode()), Kind.TRAILER),
    "short trailing text.mp4": (mp4(after=b"Erika"), Kind.TRAILER),
    "Insta360.mp4": (mp4(after=INSTA360), Kind.MAKER_NOTE),
    "text of a camera.mp4": (sei(5, bytes(16) + NAME.encode()), Kind.COMMENT),
    "text as settings.mp4": (
        sei(5, VIDEO_ID + ENCODER + b" note=Erika-Mustermann"),
        Kind.COMMENT,
    ),
    "unknown user data of frames.mp4": (sei(5, bytes(range(16)) * 3), Kind.UNKNOWN),
    "times of frames.mp4": (sei(5, b"MISPmicrosectime" + bytes(12)), Kind.DATE),
    "captions.mp4": (sei(4, CAPTIONS), Kind.COMMENT),
    "unknown unit.mp4": (
        mp4(Track(samples=[FRAME, unit(b"\x1f" + NAME.encode()) + FRAME])),
        Kind.UNKNOWN,
    ),
    "filler.mp4": (
        mp4(Track(samples=[FRAME, unit(b"\x0c" + NAME.encode()) + FRAME])),
        Kind.GAP,
    ),
    "text in the set-up.mp4": (
        mp4(
            Track(
                entry=video_entry(
                    b"hvc1",
                    hvc((39, b"\x4e\1\5\x20" + bytes(16) + NAME.encode() + b"\x80")),
                ),
                samples=[unit(b"\x26\1" + bytes(20))],
            )
        ),
        Kind.COMMENT,
    ),
    "second layer.mov": (
        mp4(
            Track(
                entry=video_entry(b"hvc1", hvc((32, b"\x40\1" + bytes(9)))),
                samples=[unit(b"\x26\1" + bytes(20)) + unit(b"\2\x09" + bytes(20))],
            )
        ),
        Kind.VIDEO,
    ),
    "captions of AV1.mp4": (
        mp4(
            Track(
                entry=video_entry(b"av01", box(b"av1C", b"\x81\0\0\0")),
                samples=[b"\x12\0\x2a" + bytes([len(CAPTIONS) + 1]) + b"\4" + CAPTIONS],
            )
        ),
        Kind.COMMENT,
    ),
    "old codec.mp4": (
        mp4(
            Track(
                entry=video_entry(b"mp4v", b""),
                samples=[b"\0\0\1\xb2" + NAME.encode() + b"\0\0\1\xb6" + bytes(20)],
            )
        ),
        Kind.COMMENT,
    ),
    "frames of JPEG.mov": (mp4(JPEG_TRACK), Kind.PLACE),
    "unknown codec.mp4": (mp4(Track(entry=video_entry(b"abcd", b""))), Kind.UNREAD),
    "fragments.mp4": (
        fragmented(FRAME, message(5, bytes(16) + NAME.encode()) + FRAME),
        Kind.COMMENT,
    ),
    "message in a fragment.mp4": (
        fragmented(FRAME, extra=box(b"emsg", NAME.encode())),
        Kind.COMMENT,
    ),
    "fragment of no track.mp4": (fragmented(FRAME, number=7), Kind.UNKNOWN),
    "chunk outside.mp4": (mp4(Track(place=1 << 33)), Kind.UNREAD),
    "chunk before the end.mp4": (mp4(Track(sizes=[900] * 10)), Kind.UNREAD),
    "shared bytes.mp4": (mp4(Track(place=40), Track(place=40)), Kind.UNREAD),
    "two tables.mp4": (
        mp4(Track(tables=(box(b"stco", struct.pack(">III", 0, 1, 40)),))),
        Kind.UNREAD,
    ),
    "two set-ups.mp4": (mp4(Track(entry=video_entry() * 2)), Kind.UNREAD),
    "too few durations.mp4": (contradicting(b"stts", 8, 9), Kind.UNREAD),
    "too many in a chunk.mp4": (contradicting(b"stsc", 12, 11), Kind.UNREAD),
    "too few in a chunk.mp4": (contradicting(b"stsc", 12, 9), Kind.UNREAD),
    "no first chunk.mp4": (contradicting(b"stsc", 8, 2), Kind.UNREAD),
    "too few shifts.mp4": (
        mp4(Track(tables=(box(b"ctts", struct.pack(">IIII", 0, 1, 3, 0)),))),
        Kind.UNREAD,
    ),
    "text as key frames.mp4": (
        mp4(Track(tables=(box(b"stss", struct.pack(">II", 0, 4), NAME.encode()),))),
        Kind.UNREAD,
    ),
    "text as dependencies.mp4": (
        mp4(Track(tables=(box(b"sdtp", bytes(4), NAME.encode()),))),
        Kind.UNREAD,
    ),
    "text after a group.mp4": (
        mp4(Track(tables=(box(b"sbgp", bytes(4), b"roll", bytes(4), NAME.encode()),))),
        Kind.GAP,
    ),
    "text after an index.mp4": (
        mp4(after=box(b"sidx", bytes(24), NAME.encode())),
        Kind.GAP,
    ),
    "text as references.mp4": (
        mp4(Track(extra=box(b"tref", box(b"hint", NAME.encode() * 5)))),
        Kind.UNKNOWN,
    ),
    "cut off.mp4": (mp4()[:-20], Kind.UNREAD),
    "enormous box.mp4": (
        mp4(after=struct.pack(">I4sQ", 1, b"free", 1 << 60) + b"ab"),
        Kind.UNREAD,
    ),
    "title.mkv": (mkv(info=element(0x7BA9, NAME.encode())), Kind.COMMENT),
    "program.mkv": (mkv(info=element(0x5741, b"Erika's cutter")), Kind.COMMENT),
    "date.mkv": (
        mkv(info=element(0x4461, struct.pack(">q", 7 * 10**17 + 1))),
        Kind.DATE,
    ),
    "number.mkv": (mkv(info=element(0x73A4, bytes(range(16)))), Kind.SERIAL),
    "name of a file.mkv": (mkv(info=element(0x3C83AB, NAME.encode())), Kind.COMMENT),
    "artist.mkv": (mkv(tag("ARTIST", NAME)), Kind.NAME),
    "place.mkv": (mkv(tag("RECORDING_LOCATION", PLACE)), Kind.PLACE),
    "count that is none.mkv": (mkv(tag("DURATION", NAME)), Kind.COMMENT),
    "own tag.webm": (mkv(tag(NAME, "1")), Kind.COMMENT),
    "chapters.mkv": (mkv(chapter(NAME)), Kind.COMMENT),
    "cover.mkv": (mkv(attachment(THUMBNAIL)), Kind.PICTURE),
    "attachment.mkv": (mkv(attachment(b"abc", "text/plain")), Kind.UNKNOWN),
    "title of a track.mkv": (
        mkv(entries=entry(1, "V_VP9", element(0x536E, NAME.encode()))),
        Kind.COMMENT,
    ),
    "subtitles.mkv": (
        mkv(
            entries=entry(1, "V_VP9") + entry(17, "S_TEXT/UTF8", number=2),
            blocks=block(bytes(50)) + block(NAME.encode(), 2),
        ),
        Kind.COMMENT,
    ),
    "second video.mkv": (
        mkv(entries=entry(1, "V_VP9") + entry(1, "V_VP9", number=2)),
        Kind.VIDEO,
    ),
    "invisible frame.mkv": (
        mkv(blocks=block(bytes(50)) + block(bytes(50), flags=0x08)),
        Kind.VIDEO,
    ),
    "text of a camera.mkv": (
        mkv(
            entries=entry(1, "V_MPEG4/ISO/AVC", element(0x63A2, AVC[8:])),
            blocks=block(message(5, bytes(16) + NAME.encode()) + FRAME),
        ),
        Kind.COMMENT,
    ),
    "block of no track.mkv": (
        mkv(blocks=block(bytes(50)) + block(NAME.encode(), 2)),
        Kind.UNKNOWN,
    ),
    "picture in a block of no track.mkv": (
        mkv(blocks=block(bytes(50)) + block(THUMBNAIL, 2)),
        Kind.PICTURE,
    ),
    "laced frames.mkv": (
        mkv(blocks=block(bytes(50)) + block(bytes(50), flags=0x82)),
        Kind.UNREAD,
    ),
    "long set-up.mkv": (
        mkv(entries=entry(1, "V_VP9", element(0x63A2, bytes(range(256)) * 3))),
        Kind.UNKNOWN,
    ),
    "void.mkv": (mkv(element(0xEC, THUMBNAIL)), Kind.PICTURE),
    "unknown element.mkv": (mkv(element(0x4999, NAME.encode())), Kind.UNKNOWN),
    "open sizes.mkv": (mkv(tag("ARTIST", NAME), is_open=True), Kind.NAME),
    "compressed frames.mkv": (
        mkv(
            entries=entry(
                1,
                "V_VP9",
                element(
                    0x6D80, element(0x6240, element(0x5034, element(0x4254, b"\0")))
                ),
            )
        ),
        Kind.UNREAD,
    ),
    "trailing.mkv": (mkv(after=b"\xff\xd8" + THUMBNAIL), Kind.PICTURE),
    "cut off.mkv": (mkv()[:-20], Kind.UNREAD),
    "date.avi": (avi(riff(b"IDIT", b"WED MAY 01 13:45:10 2024")), Kind.DATE),
    "artist.avi": (
        avi(riff(b"LIST", b"INFO", riff(b"IART", NAME.encode()))),
        Kind.NAME,
    ),
    "own data.avi": (avi(stream=riff(b"strd", bytes(range(20)))), Kind.MAKER_NOTE),
    "junk.avi": (avi(riff(b"JUNK", NAME.encode())), Kind.GAP),
    "stream that is none.avi": (
        avi(media=riff(b"01dc", NAME.encode())),
        Kind.UNKNOWN,
    ),
    "picture in a stream that is none.avi": (
        avi(media=riff(b"LIST", b"rec ", riff(b"07wb", THUMBNAIL))),
        Kind.PICTURE,
    ),
    "sound of pictures.avi": (avi(media=riff(b"00wb", NAME.encode())), Kind.UNKNOWN),
    "text in a list.avi": (
        avi(media=riff(b"LIST", b"rec ", riff(b"abcd", NAME.encode()))),
        Kind.UNKNOWN,
    ),
    "index that is none.avi": (
        avi(media=riff(b"idx1", NAME.encode() * 2)),
        Kind.UNKNOWN,
    ),
    "text after an index.avi": (
        avi(media=riff(b"ix00", b"\2\0\0\1" + bytes(20) + NAME.encode())),
        Kind.GAP,
    ),
    "trailing.avi": (avi(after=JPEG), Kind.PICTURE),
    "cut off.avi": (avi()[:-20], Kind.UNREAD),
    "film.wmv": (bytes.fromhex("3026b2758e66cf11") + bytes(40), Kind.UNREAD),
    "film.flv": (b"FLV\1\5\0\0\0\x09" + bytes(40), Kind.UNREAD),
    "film.ogv": (b"OggS\0\2" + bytes(40), Kind.UNREAD),
    "film.mpg": (b"\0\0\1\xba" + bytes(40), Kind.UNREAD),
    "film.ts": ((b"\x47" + bytes(187)) * 4, Kind.UNREAD),
    "film.m2ts": ((bytes(4) + b"\x47" + bytes(187)) * 4, Kind.UNREAD),
    "picture in a stream.ts": ((b"\x47" + bytes(187)) * 4 + THUMBNAIL, Kind.PICTURE),
}
"""Films with a leak, and the kind of the finding that it must be."""

CLEAN_FILMS: dict[str, bytes] = {
    "plain.mp4": mp4(),
    "with sound.mp4": mp4(Track(), sound()),
    "priming.mp4": hidden_sound(90),
    "day.mp4": mp4(Track(created=DAY, media_created=DAY), created=DAY),
    "edited.mp4": mp4(Track(edit=(1000, 0))),
    "settings.mp4": sei(5, VIDEO_ID + ENCODER),
    "brightness.mp4": sei(144, bytes(4)),
    "room.mp4": mp4(after=box(b"free", bytes(1000))),
    "fragments.mp4": fragmented(FRAME, FRAME),
    "plain.mkv": mkv(),
    "open sizes.mkv": mkv(is_open=True),
    "counted.mkv": mkv(tag("DURATION", "00:00:01.250000000")),
    "room.mkv": mkv(element(0xEC, bytes(50))),
    "plain.avi": avi(riff(b"JUNK", bytes(50))),
    "index.avi": avi(media=riff(b"idx1", (b"00dc" + bytes(12)) * 2)),
    "key frames.mp4": mp4(
        Track(
            tables=(
                box(b"stss", struct.pack(">IIII", 0, 2, 1, 6)),
                box(b"sdtp", bytes(4), bytes(10)),
                box(b"sbgp", bytes(4), b"roll", struct.pack(">III", 1, 10, 1)),
            )
        )
    ),
}
"""Films that hold nothing but pictures and sound."""
