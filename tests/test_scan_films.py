"""The leak scanner on films: what is planted is found, and nothing where none is."""

import json
import re
import shutil
import struct
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Run
from containers import NAME, THUMBNAIL, box
from faceanon.audit.scan import Finding, Kind, scan
from film_leaks import CLEAN_FILMS, FILM_LEAKS
from films import FRAME, Track, block, element, mkv, mp4, sound, unit, user_data

CLEAN_KINDS = {Kind.FRAMES, Kind.SETTINGS, Kind.CAMERA}


def identifying(data: bytes | Path) -> list[Finding]:
    return [finding for finding in scan(data) if finding.identifies]


@pytest.mark.parametrize("name", FILM_LEAKS)
def test_what_is_planted_is_found(name: str) -> None:
    data, kind = FILM_LEAKS[name]
    assert kind in {finding.kind for finding in identifying(data)}


PICTURES = [
    name
    for name, (data, kind) in FILM_LEAKS.items()
    if kind is Kind.PICTURE and THUMBNAIL in data and not name.endswith("avi")
]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_found_where_it_is(name: str) -> None:
    data, _ = FILM_LEAKS[name]
    at = data.find(THUMBNAIL)
    assert any(
        finding.offset is not None
        and finding.offset <= at
        and finding.offset + finding.length >= at + len(THUMBNAIL)
        for finding in identifying(data)
        if finding.kind is Kind.PICTURE
    )


@pytest.mark.parametrize("name", CLEAN_FILMS)
def test_where_nothing_is_planted_nothing_is_found(name: str) -> None:
    assert identifying(CLEAN_FILMS[name]) == []


def test_what_a_film_says_is_told_only_as_a_value() -> None:
    for name, (data, _) in FILM_LEAKS.items():
        for finding in scan(data):
            assert NAME not in finding.what + finding.path, name


def test_all_frames_and_all_sound_that_are_hidden_are_counted() -> None:
    frames = mp4(Track(edit=(500, 250)))
    (found,) = identifying(frames)
    # Ten of 100 units each: two end before 250, two begin after 750.
    assert found.what == "4 frames that an edit list hides"
    (found,) = identifying(mp4(Track(), sound(edit=(300, 300))))
    assert found.what == "0.50 s of sound that an edit list hides"


def test_frames_are_hidden_by_when_they_are_shown_and_not_by_their_order() -> None:
    assert identifying(mp4(Track(shift=200, edit=(1000, 200)))) == []
    (found,) = identifying(mp4(Track(shift=200, edit=(900, 300))))
    assert found.what == "1 frame that an edit list hides"


def test_of_large_films_only_the_headers_are_read(tmp_path: Path) -> None:
    frames, hole = [FRAME] * 10, [1 << 30] * 5
    head = box(b"ftyp", b"isom", bytes(4))
    start = len(head) + 16
    film = mp4(
        Track(samples=frames, place=start + sum(hole)),
        sound(samples=[], sizes=hole, place=start),
        movie=user_data(box(b"SNum", b"4711")),
    )
    path = tmp_path / "large.mp4"
    with path.open("wb") as file:
        size = 16 + sum(hole) + len(FRAME) * 10
        file.write(head + struct.pack(">I4sQ", 1, b"mdat", size))
        file.seek(start + sum(hole))
        file.write(b"".join(frames) + film[film.index(b"moov") - 4 :])
    began = time.process_time()
    (found,) = identifying(path)
    assert (found.kind, found.value) == (Kind.SERIAL, "4711")
    assert found.offset is not None
    assert found.offset > 1 << 32
    assert time.process_time() - began < 2


SMALL = [data for data, _ in FILM_LEAKS.values()]


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_damage_is_no_obstacle(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(SMALL)))
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=8)):
        damaged[at] = data.draw(
            st.sampled_from([0, 1, 0x7F, 0xFF]) | st.integers(0, 255)
        )
    damaged = damaged[: data.draw(st.integers(0, len(damaged)) | st.none())]
    assert all(finding.length >= 0 for finding in scan(bytes(damaged)))


def claiming(code: bytes, at: int, number: bytes) -> bytes:
    """A film in which a box tells a number of its own at a place in it."""
    film = bytearray(mp4(Track(), sound()))
    start = film.index(code) + 4 + at
    film[start : start + len(number)] = number
    return bytes(film)


TRAPS = {
    "boxes.mp4": mp4(movie=box(b"free") * 300_000),
    "items.mp4": mp4(
        movie=user_data(box(b"meta", bytes(4), box(b"ilst", box(b"abcd") * 100_000)))
    ),
    "samples.mp4": claiming(b"stsz", 4, b"\0\0\0\1\xff\xff\xff\xff"),
    "chunks.mp4": claiming(b"stco", 4, b"\xff\xff\xff\xff"),
    "runs.mp4": claiming(b"stsc", 12, b"\xff\xff\xff\xff"),
    "times.mp4": claiming(b"stts", 8, b"\xff\xff\xff\xff\xff\xff\xff\xff"),
    "units.mp4": mp4(Track(samples=[bytes(1_000_000), unit(b"")])),
    "settings.mp4": mp4(
        Track(samples=[unit(b"\6\5\xff\xff" + b"x264 - core 1 - " * 30_000)])
    ),
    "keys.mp4": mp4(
        movie=box(b"meta", bytes(4), box(b"hdlr", bytes(25)), box(b"keys", b"\xff" * 8))
    ),
    "fragment.mp4": mp4()
    + box(
        b"moof",
        box(
            b"traf",
            box(b"tfhd", struct.pack(">II", 0x20000, 1)),
            box(b"trun", struct.pack(">II", 0, 0xFFFFFFFF)),
        ),
    ),
    "messages.mp4": mp4(Track(samples=[unit(b"\6" + b"\1\0" * 500_000), FRAME])),
    "tracks of all bytes.mp4": mp4(
        *[Track(samples=[], sizes=[100_000], place=28)] * 300, gap=bytes(100_000)
    ),
    "numbers of tracks.mkv": mkv(
        blocks=b"".join(
            element(0xA3, b"\x10" + number.to_bytes(3) + bytes(4))
            for number in range(1, 50_000)
        )
    ),
    "elements.mkv": mkv(element(0xEC) * 100_000),
    "blocks.mkv": mkv(blocks=block(b"") * 100_000),
    "nested tags.mkv": mkv(
        element(0x1254C367, element(0x7373, b"\x67\xc8\xff" * 9000))
    ),
    "chunks.avi": b"RIFF\xff\xff\xff\xffAVI " + b"LIST\xff\xff\xff\xffhdrl" * 5000,
}


@pytest.mark.parametrize("name", TRAPS)
def test_no_film_takes_it_long(name: str) -> None:
    began = time.process_time()
    findings = sum(1 for _ in scan(TRAPS[name]))
    assert time.process_time() - began < 10
    assert 0 < findings <= 10_002


@pytest.mark.parametrize("same_size", [0, 1])
def test_tables_of_millions_of_samples_take_no_memory(same_size: int) -> None:
    count = 1 << 31 if same_size else 3_000_000
    sizes = struct.pack(">III", 0, same_size, count)
    sizes = box(b"stsz", sizes, b"" if same_size else bytes(4 * count))
    film = mp4(Track())
    start, end = film.index(b"stsz") - 4, film.index(b"stco") - 4
    grown = bytearray(film[:start] + sizes + film[end:])
    for code in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        at = grown.index(code) - 4
        (size,) = struct.unpack_from(">I", grown, at)
        struct.pack_into(">I", grown, at, size + len(grown) - len(film))
    data = bytes(grown)
    tracemalloc.start()
    kinds = {finding.kind for finding in scan(data)}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert Kind.UNREAD in kinds
    assert peak < 10_000_000


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_folder_of_films(faceanon: Run, tmp_path: Path) -> None:
    for name, (data, _) in FILM_LEAKS.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "clean.mp4").write_bytes(CLEAN_FILMS["plain.mp4"])
    (tmp_path / "code.ts").write_text("export const answer: number = 42;\n")
    done = faceanon("scan", tmp_path)
    assert done.returncode == 1
    leaking = {
        Path(line["file"]).name for line in lines(done.stdout) if line["identifies"]
    }
    assert leaking == {*FILM_LEAKS, "code.ts"}
    assert f"scanned {len(FILM_LEAKS) + 2} files: " in done.stderr
    assert NAME not in done.stdout


def test_films_alone(faceanon: Run, tmp_path: Path) -> None:
    for name, data in CLEAN_FILMS.items():
        (tmp_path / name).write_bytes(data)
    clean = faceanon("scan", tmp_path)
    assert clean.returncode == 0, clean.stdout
    assert "nothing that can identify" in clean.stderr
    # A container that is not looked into is never called clean.
    (tmp_path / "film.wmv").write_bytes(FILM_LEAKS["film.wmv"][0])
    done = faceanon("scan", tmp_path / "film.wmv")
    assert done.returncode == 1
    (line,) = lines(done.stdout)
    assert line["kind"] == "unread"
    assert "ASF" in line["what"]
    telling = faceanon("scan", tmp_path / "film.wmv", tmp_path, "--show-values")
    assert telling.returncode == 1


Write = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """A film of moving colours with sound, as PyAV writes it."""
    av = pytest.importorskip("av")

    def write(name: str, codec: str, voice: str | None, **options: str) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", container_options=options) as film:
            video = film.add_stream(codec, rate=25)
            video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
            video.codec_context.time_base = Fraction(1, 25)
            audio = film.add_stream(voice, rate=48000) if voice else None
            for index in range(20):
                pixels = np.full((64, 96, 3), 12 * index, np.uint8)
                pixels[:, : 4 * index] = 255
                frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
                frame.pts = index
                film.mux(video.encode(frame))
            film.mux(video.encode())
            if audio is not None:
                for index in range(30):
                    silence = np.zeros((2, 1024), np.float32)
                    heard = av.AudioFrame.from_ndarray(silence, "fltp", "stereo")
                    heard.sample_rate, heard.pts = 48000, 1024 * index
                    film.mux(audio.encode(heard))
                film.mux(audio.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("name", "codec", "voice", "options"),
    [
        ("a.mp4", "libx264", "aac", {}),
        ("a.mov", "libx264", "aac", {}),
        ("front.mp4", "libx264", "aac", {"movflags": "+faststart"}),
        ("parts.mp4", "libx264", "aac", {"movflags": "+frag_keyframe+empty_moov"}),
        ("b.mp4", "libx265", "aac", {}),
        ("c.mp4", "libsvtav1", None, {}),
        ("d.mp4", "mpeg4", "aac", {}),
        ("e.mkv", "libx264", "aac", {"fflags": "+bitexact"}),
        ("e.webm", "libvpx-vp9", "libopus", {}),
        ("f.avi", "mpeg4", "ac3", {}),
        ("h.3gp", "mpeg4", "aac", {}),
    ],
)
def test_what_a_clean_tool_wrote_has_no_leak(
    written: Write, name: str, codec: str, voice: str | None, options: dict[str, str]
) -> None:
    path = written(name, codec, voice, **options)
    findings = list(scan(path))
    assert [f for f in findings if f.identifies] == []
    assert {f.kind for f in findings} <= CLEAN_KINDS
    assert Kind.FRAMES in {f.kind for f in findings}


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm"])
def test_what_a_careless_tool_copied_is_found(written: Write, name: str) -> None:
    av = pytest.importorskip("av")
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    source = written(f"in-{name}", codec, None)
    path = source.with_name(name)
    tags = {"title": NAME, "artist": NAME, "creation_time": "2024-05-01T13:45:10Z"}
    with av.open(str(source)) as clean, av.open(str(path), "w") as film:
        film.metadata.update(tags)
        stream = film.add_stream_from_template(clean.streams.video[0])
        for packet in clean.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                film.mux(packet)
    kinds = {finding.kind for finding in identifying(path)}
    assert {Kind.COMMENT, Kind.NAME, Kind.DATE} <= kinds


# What exiftool calls a thing that identifies, and what it has to be here.
EXIFTOOL: dict[str, set[Kind]] = {
    r"\w+:GPS\w*|\w+:Location\w*": {Kind.PLACE, Kind.MAKER_NOTE},
    r"\w+:\w*SerialNumber": {Kind.SERIAL},
    r"\w+:(CoverArt|Thumbnail\w*|Preview(Image|PICT))": {Kind.PICTURE},
    r"\w+:AttachedFileData": {Kind.PICTURE, Kind.UNKNOWN},
    r"[\w-]+:(Artist|Author|Creator)": {Kind.NAME},
    r"\w+:(Title|Comment|Chapter\w*String|AttachedFileName)": {Kind.COMMENT},
    r"\w+:(CreateDate|ModifyDate|MediaCreateDate|TrackCreateDate)": {Kind.DATE},
    r"\w+:(DateTimeOriginal|CreationDate)": {Kind.DATE},
    r"\w+:(Text|SubtitleText)": {Kind.COMMENT, Kind.PLACE},
    r"\w+:ContentIdentifier": {Kind.SERIAL},
}
UNSET = {"0000:00:00 00:00:00"}


@pytest.mark.skipif(
    shutil.which("exiftool") is None,
    reason="exiftool is not installed (Debian: libimage-exiftool-perl)",
)
def test_what_exiftool_finds_is_found(tmp_path: Path) -> None:
    for name, (data, _) in FILM_LEAKS.items():
        (tmp_path / name).write_bytes(data)
    listed = subprocess.run(
        ["exiftool", "-a", "-G1", "-ee3", "-j", tmp_path],
        capture_output=True,
        check=False,
    )
    compared = 0
    for tags in json.loads(listed.stdout):
        path = Path(tags["SourceFile"])
        kinds = {finding.kind for finding in identifying(path)}
        for tag, value in tags.items():
            for pattern, wanted in EXIFTOOL.items():
                if re.fullmatch(pattern, tag) and value not in UNSET:
                    compared += 1
                    assert wanted & kinds, f"{path.name}: {tag}"
    assert compared > 20


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
def test_what_ffprobe_finds_is_found(tmp_path: Path) -> None:
    compared = 0
    for name, (data, _) in FILM_LEAKS.items():
        if NAME.encode() not in data:
            continue
        path = tmp_path / name
        path.write_bytes(data)
        told = subprocess.run(
            [
                *("ffprobe", "-v", "quiet", "-of", "json", "-show_format"),
                *("-show_streams", "-show_chapters", path),
            ],
            capture_output=True,
            check=False,
        )
        if NAME in told.stdout.decode("utf-8", "replace"):
            compared += 1
            assert identifying(path), name
    assert compared > 8
