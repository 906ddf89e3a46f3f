"""The leak scanner: what is planted in a file is found, and nothing where none is."""

import ast
import json
import os
import struct
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import faceanon.audit.scan
from conftest import COMMAND, Run
from containers import (
    NAME,
    THUMBNAIL,
    ascii_,
    box,
    chunk,
    directory,
    jpeg_with,
    jpeg_with_exif,
    long,
    png_with,
    segment,
)
from faceanon.audit.scan import Kind, scan
from leaks import CLEAN, LEAKS
from support import EXAMPLES


def identifying(data: bytes | Path) -> set[Kind]:
    return {finding.kind for finding in scan(data) if finding.identifies}


@pytest.mark.parametrize("name", LEAKS)
def test_what_is_planted_is_found(name: str) -> None:
    data, kind = LEAKS[name]
    assert kind in identifying(data)


@pytest.mark.parametrize("name", CLEAN)
def test_where_nothing_is_planted_nothing_is_found(name: str) -> None:
    assert identifying(CLEAN[name]) == set()


WHOLE = [
    name
    for name, (data, kind) in LEAKS.items()
    if kind is Kind.PICTURE and THUMBNAIL in data
]


@pytest.mark.parametrize("name", WHOLE)
def test_a_picture_is_found_where_it_is(name: str) -> None:
    data, _ = LEAKS[name]
    at = data.find(THUMBNAIL)
    assert any(
        finding.offset is not None
        and finding.offset <= at
        and finding.offset + finding.length >= at + len(THUMBNAIL)
        for finding in scan(data)
        if finding.kind is Kind.PICTURE
    )


def test_what_a_hidden_picture_hides_is_found_too() -> None:
    hidden = jpeg_with_exif([ascii_(315, NAME)])
    for name, data in {
        "after the end": jpeg_with(after=hidden),
        "thumbnail": jpeg_with_exif(thumbnail=hidden),
        "chunk": png_with(chunk(b"prVt", hidden)),
    }.items():
        assert {Kind.PICTURE, Kind.NAME} <= identifying(data), name


def test_every_directory_of_a_tiff_is_walked() -> None:
    found = [
        finding for finding in scan(LEAKS["previews.tif"][0]) if finding.identifies
    ]
    assert [(finding.kind, finding.path) for finding in found] == [
        (Kind.PICTURE, "IFD0/SubIFD0/pixels"),
        (Kind.PICTURE, "IFD0/SubIFD1/pixels"),
    ]


def test_padding_after_the_end_is_harmless() -> None:
    (finding,) = scan(jpeg_with(after=bytes(512)))
    assert (finding.kind, finding.identifies) == (Kind.TRAILER, False)


def test_the_days_of_dates_are_harmless_and_their_times_are_not() -> None:
    for text, identifies in {
        "2024:05:01 00:00:00": False,
        "2024:05:01": False,
        "    :  :     :  :  ": False,
        "2024:05:01 13:45:10": True,
    }.items():
        data = jpeg_with_exif(exif_=[ascii_(36867, text)])
        dates = [f.identifies for f in scan(data) if f.kind is Kind.DATE]
        assert dates == [identifies], text


def test_what_is_harmless_is_told_apart() -> None:
    kinds = {finding.kind for finding in scan(CLEAN["settings.jpeg"])}
    assert kinds == {Kind.CAMERA, Kind.DATE, Kind.SETTINGS, Kind.PROFILE}
    for format_ in ("gif", "png", "webp", "tiff"):
        frames = [
            f for f in scan(CLEAN[f"animated.{format_}"]) if f.kind is Kind.FRAMES
        ]
        assert [frame.what.partition(" ")[0] for frame in frames] == ["3"]


def test_times_of_exposures_and_names_of_programs_are_no_dates_and_no_people() -> None:
    found = list(scan((EXAMPLES / "cat.png").read_bytes()))
    assert any("xmp:CreateDate" in finding.path for finding in found)
    assert not any("ExposureTime" in finding.path for finding in found)
    (tool,) = (finding for finding in found if "CreatorTool" in finding.path)
    assert tool.kind is Kind.COMMENT


def test_texts_are_read_in_the_character_sets_that_there_are() -> None:
    wide, wide_big = NAME.encode("utf-16-le"), NAME.encode("utf-16-be")
    for entries in (
        [(40093, 1, len(wide), wide)],
        [(37510, 7, len(wide) + 8, b"UNICODE\0" + wide)],
        [(37510, 7, len(wide) + 8, b"UNICODE\0" + wide_big)],
        [(37510, 7, len(NAME) + 8, b"ASCII\0\0\0" + NAME.encode())],
    ):
        findings = list(scan(jpeg_with_exif(entries)))
        assert [finding.value for finding in findings if finding.identifies] == [NAME]


def test_what_is_not_understood_is_said_to_be_unread() -> None:
    assert identifying(b"%PDF-1.7 and more") == {Kind.UNREAD}
    assert Kind.UNREAD in identifying(jpeg_with(segment(0xE1, b"Exif\0\0MM\0*")))
    assert identifying(b"") == {Kind.UNREAD}


SMALL = [data for data, _ in LEAKS.values()]


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_damage_is_no_obstacle(data: st.DataObject) -> None:
    damaged = bytearray(data.draw(st.sampled_from(SMALL)))
    # Most structure stands at the beginning.
    place = st.integers(0, len(damaged) - 1) | st.integers(
        0, min(400, len(damaged) - 1)
    )
    for at in data.draw(st.lists(place, min_size=1, max_size=8)):
        damaged[at] = data.draw(
            st.sampled_from([0, 1, 0x7F, 0xFF]) | st.integers(0, 255)
        )
    damaged = damaged[: data.draw(st.integers(0, len(damaged)) | st.none())]
    assert all(finding.length >= 0 for finding in scan(bytes(damaged)))


def deflated(length: int) -> bytes:
    return b"Comment\0\0" + zlib.compress(bytes(length), 9)


def looping_tiff() -> bytes:
    """Directories that follow and hold each other, with values as large as the file."""
    entries = [long(330, 8, 200, 8), (700, 1, 400_000, struct.pack("<I", 0) * 2)]
    first = directory(8, entries, following=200)
    return (b"II*\0" + long(0, 8)[3] + first).ljust(200, b"\0") + (
        directory(200, entries, following=8) + b"<a>" * 133_000
    )


TRAPS = {
    "bombs.png": png_with(*[chunk(b"zTXt", deflated(100_000_000))] * 8),
    "segments.jpg": b"\xff\xd8" + b"\xff\xe0\0\4\xff\xd8" * 100_000,
    "headers": b"II*\0Exif\0\0<x:xmpmeta>RIFFftyp\xff\xd8\xff" * 20_000,
    "fill bytes.jpg": b"\xff\xd8\xff\xda\0\2" + b"\xff" * 1_000_000 + b"\0",
    "boxes.avif": box(b"ftyp", b"avif") + box(b"meta", bytes(4)) * 50_000,
    "extents.avif": box(b"ftyp", b"avif")
    + box(
        b"meta",
        bytes(4),
        box(b"iloc", bytes(6), b"\xff\xff", b"\0\1\0\0\xff\xff" * 60_000),
    ),
    "loop.tif": looping_tiff(),
    "entities.jpg": jpeg_with(
        segment(
            0xE1,
            b"http://ns.adobe.com/xap/1.0/\0"
            b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 9000 + b'">]><a>' + b"&b;" * 9000,
        )
    ),
}


@pytest.mark.parametrize("name", TRAPS)
def test_no_file_takes_it_long(name: str) -> None:
    start = time.process_time()
    findings = sum(1 for _ in scan(TRAPS[name]))
    assert time.process_time() - start < 10
    assert 0 < findings <= 10_002


def test_the_scanner_shares_no_code_with_what_it_checks() -> None:
    for path in Path(faceanon.audit.scan.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                package, *inner = node.module.split(".")
                is_own = inner[:2] == ["audit", "scan"]
                assert package != "faceanon" or is_own, path.name


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_outputs_hold_nothing_that_identifies(faceanon: Run, tmp_path: Path) -> None:
    done = faceanon("blackbar", EXAMPLES, tmp_path / "out")
    assert done.returncode == 0
    scanned = faceanon("scan", tmp_path / "out")
    assert scanned.returncode == 0, scanned.stdout
    assert not any(line["identifies"] for line in lines(scanned.stdout))
    assert "nothing that can identify" in scanned.stderr


def test_a_folder_with_leaks(faceanon: Run, tmp_path: Path) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "a.jpg").write_bytes(LEAKS["exif artist.jpg"][0])
    (tmp_path / "b.png").write_bytes(CLEAN["plain.png"])
    (tmp_path / "c.txt").write_bytes(b"text")
    done = faceanon("scan", tmp_path)
    assert done.returncode == 1
    line, text = [line for line in lines(done.stdout) if line["identifies"]]
    if line["kind"] == "unread":
        line, text = text, line
    assert (text["file"], text["kind"]) == (str(tmp_path / "c.txt"), "unread")
    assert line["file"] == str(tmp_path / "album" / "a.jpg")
    assert (line["schema"], line["kind"], line["what"]) == (1, "name", "Artist")
    assert line["path"] == "APP1/Exif/IFD0/Artist"
    data = (tmp_path / "album" / "a.jpg").read_bytes()
    assert data[line["offset"] :][: line["length"]] == NAME.encode() + b"\0"
    assert "3 files: 1 with what can identify: name (1); 1 UNREAD" in done.stderr


STRANGERS = {
    "bare": (CLEAN["plain.png"], None),
    "photo.jpg_original": (LEAKS["exif artist.jpg"][0], "Artist"),
    "text.jpg": (b"no picture\n", "a text"),
    "page.svg": (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "an SVG"),
    "scanned.pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF"),
    "letter.docx": (
        b"PK\3\4\24" + bytes(21) + b"\x13\0\0\0[Content_Types].xml",
        "an Office document",
    ),
    "tape.tar": (b"a.jpg" + bytes(252) + b"ustar\0" + bytes(250), "a tar archive"),
    "film.rm": (b".RMF\0\0\0\x12", "a RealMedia film"),
    "film.mxf": (b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "an MXF film"),
    "sound.ogg": (b"OggS\0\2", "an Ogg film"),
    ".hidden/data": (b"\x93\x00\xfe\xff", "a format that is not known"),
}


def test_every_file_is_looked_into_or_named(faceanon: Run, tmp_path: Path) -> None:
    folder = tmp_path / "album"
    for name, (data, _) in STRANGERS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "link.jpg").symlink_to("bare")
    os.mkfifo(folder / "pipe")
    done = faceanon("scan", folder)
    assert done.returncode == 1
    told = {
        str(Path(line["file"]).relative_to(folder)): (line["kind"], line["what"])
        for line in lines(done.stdout)
        if line["identifies"]
    }
    assert told.pop("photo.jpg_original") == ("name", "Artist")
    unread = {name: what for name, (_, what) in STRANGERS.items() if what}
    del unread["photo.jpg_original"]
    unread |= {"link.jpg": "a link", "pipe": "a pipe, socket or device"}
    assert told.keys() == unread.keys()
    for name, (kind, what) in told.items():
        assert kind == "unread"
        assert what.startswith(f"{unread[name]}: it is not "), name
    assert f"scanned {len(STRANGERS) + 2} files: 1 with" in done.stderr
    assert f"; {len(unread)} UNREAD: what is in them is not known" in done.stderr

    some = faceanon("scan", folder, "--include", "BARE", "--include", "nothing/")
    assert (some.returncode, some.stdout) == (0, "")
    assert "scanned 1 file: nothing that can identify" in some.stderr
    assert "nothing there matches 'nothing/'" in some.stderr
    none = faceanon("scan", folder, "--exclude", "*")
    assert none.returncode == 1
    assert "scanned 0 files: nothing was looked at" in none.stderr


def test_standard_input_and_lines_for_people(
    faceanon: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(LEAKS["exif artist.jpg"][0])
    with path.open("rb") as file:
        piped = faceanon("scan", "-", stdin=file)
    (line,) = [line for line in lines(piped.stdout) if line["identifies"]]
    assert (line["file"], line["what"]) == ("-", "Artist")
    ours, terminal = os.openpty()
    command = [str(COMMAND), "scan", str(path), "--show-values"]
    subprocess.run(
        command,
        stdout=terminal,
        stderr=subprocess.DEVNULL,
        env=environment,
        check=False,
    )
    said = os.read(ours, 4096).decode()
    assert f"{path}: name: Artist: '{NAME}' (APP1/Exif/IFD0/Artist)\r\n" in said
    os.close(terminal)
    os.close(ours)


def test_values_are_told_only_when_asked_for(faceanon: Run, tmp_path: Path) -> None:
    for name, (data, _) in LEAKS.items():
        (tmp_path / name).write_bytes(data)
    silent = faceanon("scan", tmp_path)
    assert NAME not in silent.stdout
    assert not any("value" in line for line in lines(silent.stdout))
    telling = faceanon("scan", tmp_path / "exif artist.jpg", "--show-values")
    assert NAME in [line["value"] for line in lines(telling.stdout)]


def test_wrong_usage_and_what_cannot_be_read(faceanon: Run, tmp_path: Path) -> None:
    clean = tmp_path / "clean.png"
    clean.write_bytes(CLEAN["plain.png"])
    missing = faceanon("scan", clean, tmp_path / "none.jpg")
    assert missing.returncode == 2
    assert missing.stdout == ""
    assert "does not exist" in missing.stderr
    assert faceanon("scan").returncode == 2
    os.mkfifo(tmp_path / "pipe.jpg")
    pipe = faceanon("scan", tmp_path / "pipe.jpg", clean)
    assert pipe.returncode == 1
    (line,) = lines(pipe.stdout)
    assert line["file"] == str(tmp_path / "pipe.jpg")
    assert line["what"] == "it cannot be read: it is no regular file"
    assert "1 UNREAD: what is in them is not known" in pipe.stderr
    assert "nothing that can identify in the other 1" in pipe.stderr
