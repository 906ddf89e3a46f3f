"""JPEG XL: kept where it must be, hidden where it must be, and nothing else in it."""

import io
import json
import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

import faceanon
from conftest import Run
from containers import box
from faceanon.audit.scan import Kind, scan
from faceanon.errors import PictureError
from faceanon.media.metadata import LEVELS, Level, Metadata, clean_profile
from faceanon.media.picture import Encoding, Picture
from faceanon.media.reading import decode
from faceanon.media.writing import encode
from faceanon.model import Image
from faceanon.storage.suffixes import Format
from leaky import (
    MARK,
    PHOTO,
    XMP,
    exif_block,
    leaky_jpeg,
    motion_video,
    run_at_each_level,
    secrets_in,
    small_jpeg,
)
from support import EXAMPLES, SRGB, exif_turned, read, write_png
from test_mutations import MUTATIONS

imagecodecs = pytest.importorskip("imagecodecs", reason="needs the extra 'jxl'")

LIMIT = 10_000_000
SIGNATURE = box(b"JXL ", b"\r\n\x87\n")
FILE_TYPE = box(b"ftyp", b"jxl \0\0\0\0jxl ")
GREY = np.full((20, 30, 3), 90, np.uint8)
WIDE = ("cICP", (9, 16, 0, 1))


def photo(channels: int) -> Image:
    """A part of a real photo, RGB, with this many channels."""
    pixels = read(EXAMPLES / "grace_hopper.jpg")[40:160, 150:250, ::-1]
    alpha = np.linspace(0, 255, pixels.shape[1]).astype(np.uint8)
    pixels = np.dstack((pixels, np.broadcast_to(alpha, pixels.shape[:2])))
    chosen = {1: [1], 2: [1, 3], 3: [0, 1, 2], 4: [0, 1, 2, 3]}[channels]
    return pixels[:, :, chosen].squeeze()


def bgr(pixels: Image) -> Image:
    return pixels if pixels.ndim == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]


def curved_profile() -> bytes:
    """A profile that no name stands for: sRGB with the curve of CIE lightness."""
    x = np.linspace(0, 1, 1024)
    light = np.where(x > 0.08, ((x + 0.16) / 1.16) ** 3, x / 9.033) * 65_535
    curve = struct.pack(">4sII1024H", b"curv", 0, 1024, *light.astype(int))
    profile = bytearray(SRGB)
    for entry in range(132, 132 + 12 * int.from_bytes(profile[128:132]), 12):
        if profile[entry + 1 : entry + 4] == b"TRC":
            struct.pack_into(">II", profile, entry + 4, len(profile), len(curve))
    struct.pack_into(">I", profile, 0, len(profile) + len(curve))
    cleaned = clean_profile(bytes(profile) + curve)
    assert cleaned is not None
    return cleaned


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kinds and contents of boxes that fill a file to its last byte."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4]) or len(data) - at
        assert 8 <= size <= len(data) - at
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def transcoded(orientation: int = 1) -> bytes:
    """A JPEG as JPEG XL, with what it takes to make the same JPEG again."""
    stored, exif = io.BytesIO(), exif_turned(orientation)
    with PillowImage.open(PHOTO) as image:
        image.resize((96, 120)).save(stored, "JPEG", quality=95, exif=exif)
    jxl: bytes = imagecodecs.jpegxl_encode_jpeg(stored.getvalue(), usecontainer=True)
    return jxl


@pytest.mark.parametrize("icc_profile", [None, SRGB], ids=["plain", "icc"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_lossless_keeps_pixels_and_alpha(
    channels: int, icc_profile: bytes | None
) -> None:
    pixels = bgr(photo(channels))
    if channels == 1:
        icc_profile = None
    written = encode(Picture(pixels, Encoding("jxl", lossless=True), icc_profile))
    again = decode(written, LIMIT)
    np.testing.assert_array_equal(again.pixels, pixels)
    assert again.encoding == Encoding("jxl", lossless=True)
    elsewhere = bgr(imagecodecs.jpegxl_decode(written))
    np.testing.assert_array_equal(elsewhere, pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_another_program_writes_is_read_as_it_is(channels: int) -> None:
    pixels = photo(channels)
    read_ = decode(imagecodecs.jpegxl_encode(pixels, lossless=True), LIMIT).pixels
    if channels == 2:
        pixels = pixels[:, :, [0, 0, 0, 1]]
    np.testing.assert_array_equal(read_, bgr(pixels))


@pytest.mark.skipif(
    shutil.which("cjxl") is None, reason="not installed: cjxl (Debian: libjxl-tools)"
)
def test_sixteen_bits_are_read_and_written_to_other_formats(tmp_path: Path) -> None:
    pixels = photo(3).astype(np.uint16) * 257 + 3
    source, target = tmp_path / "a.png", tmp_path / "a.jxl"
    write_png(source, pixels)
    subprocess.run(["cjxl", "-d", "0", source, target], check=True, capture_output=True)
    picture = decode(target.read_bytes(), LIMIT)
    np.testing.assert_array_equal(picture.pixels, pixels)
    again = decode(encode(picture, "png"), LIMIT)
    np.testing.assert_array_equal(again.pixels, pixels)
    with pytest.raises(PictureError, match="more than 8 bits, which jxl cannot hold"):
        encode(picture)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright_and_without_one(orientation: int) -> None:
    data = transcoded(orientation)
    picture = decode(encode(decode(data, LIMIT)), LIMIT)
    expected = imagecodecs.jpegxl_decode(data)
    assert picture.pixels.shape == ((120, 96, 3), (96, 120, 3))[orientation > 4]
    assert np.abs(picture.pixels.astype(int) - bgr(expected)).mean() < 3
    unturned = imagecodecs.jpegxl_decode(encode(picture), keeporientation=True)
    assert np.abs(unturned.astype(int) - expected).mean() < 3


def test_lossy_stays_lossy_and_lossless_stays_lossless() -> None:
    pixels = photo(3)
    lossless = decode(imagecodecs.jpegxl_encode(pixels, lossless=True), LIMIT)
    lossy = decode(imagecodecs.jpegxl_encode(pixels, distance=1.0), LIMIT)
    assert lossless.encoding.lossless
    assert not lossy.encoding.lossless
    assert not decode(transcoded(), LIMIT).encoding.lossless
    sizes = {
        quality: len(encode(lossless, quality=quality)) for quality in (30, 60, 90)
    }
    assert sizes[30] < sizes[60] < sizes[90] < len(encode(lossless))
    assert len(encode(lossy)) < len(encode(lossless)) / 2
    again = decode(encode(lossless, quality=90), LIMIT).pixels
    assert np.abs(again.astype(int) - bgr(pixels)).mean() < 3
    np.testing.assert_array_equal(
        decode(encode(lossy, quality=100), LIMIT).pixels, lossy.pixels
    )


@pytest.mark.parametrize("format_", ["png", "tiff", "webp"])
def test_lossless_formats_and_jpeg_xl_change_no_pixel_of_each_other(
    format_: Format,
) -> None:
    pixels = bgr(photo(3))
    picture = Picture(pixels, Encoding(format_, lossless=format_ == "webp"))
    there = decode(encode(picture, "jxl"), LIMIT)
    back = decode(encode(there, format_), LIMIT)
    assert there.encoding.lossless
    np.testing.assert_array_equal(there.pixels, pixels)
    np.testing.assert_array_equal(back.pixels, pixels)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (Picture(GREY, Encoding("png"), curved_profile()), "not sRGB"),
        (
            Picture(GREY, Encoding("png"), None, Metadata(png_colors=(WIDE,))),
            "colours",
        ),
        (Picture(GREY.astype(np.uint16), Encoding("png")), "more than 8 bits"),
        (Picture(GREY.astype(np.float32), Encoding("tiff")), "floating point"),
        (
            Picture(
                np.dstack((GREY, GREY[:, :, :1])),
                Encoding("tiff", is_premultiplied=True),
            ),
            "multiplied",
        ),
    ],
    ids=["profile", "named colours", "16 bits", "float", "premultiplied"],
)
def test_what_cannot_be_written_is_named(picture: Picture, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        encode(picture, "jxl")


def leaky_jxl(*, transcode: bool) -> bytes:
    """A photo with all that can be planted around it."""
    if transcode:
        # Other colours than sRGB are refused.
        jpeg = leaky_jpeg(has_profile=False)
        file = imagecodecs.jpegxl_encode_jpeg(jpeg, usecontainer=True)
        parts = [box(kind, content) for kind, content in boxes(file)]
    else:
        with PillowImage.open(PHOTO) as image:
            pixels = np.asarray(image)
        stream = imagecodecs.jpegxl_encode(pixels, lossless=True, usecontainer=False)
        parts = [
            *(SIGNATURE, FILE_TYPE, box(b"Exif", bytes(4), exif_block())),
            *(box(b"xml ", XMP), box(b"jxlc", stream)),
        ]
    return b"".join(
        [
            *parts,
            box(b"jumb", box(b"jumd", f"{MARK}-c2pa".encode()), small_jpeg()),
            box(b"uuid", bytes(16), f"{MARK}-uuid".encode()),
            box(b"brob", b"priv", f"{MARK}-compressed".encode()),
            motion_video(),
        ]
    )


@pytest.fixture(scope="module")
def leaky_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaky")
    (folder / "boxes.jxl").write_bytes(leaky_jxl(transcode=False))
    (folder / "transcoded.jxl").write_bytes(leaky_jxl(transcode=True))
    return folder


@pytest.fixture(scope="module")
def outputs(
    leaky_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[Level, Path]:
    """What whole runs make of these files, at each level."""
    return run_at_each_level(leaky_folder, tmp_path_factory)


@pytest.mark.parametrize("level", LEVELS)
def test_no_leak_comes_through_a_run(
    leaky_folder: Path, outputs: dict[Level, Path], level: Level
) -> None:
    for source in sorted(leaky_folder.iterdir()):
        assert secrets_in(source.read_bytes())
        output = outputs[level] / source.name
        data = output.read_bytes()
        assert secrets_in(data.replace(b"ftypjxl ", b"")) == []
        kinds = {kind for kind, _ in boxes(data)} if data[0] == 0 else set()
        assert kinds <= {b"JXL ", b"ftyp", b"jxll", b"jxlc", b"jxlp", b"Exif"}
        findings = scan(output)
        if level == "safe":
            assert not any(finding.identifies for finding in findings)
        assert {finding.kind for finding in findings} <= {
            *(Kind.DATE, Kind.SETTINGS, Kind.CAMERA, Kind.PROFILE)
        }


@pytest.mark.skipif(
    shutil.which("exiftool") is None,
    reason="exiftool is not installed (Debian: libimage-exiftool-perl)",
)
def test_exiftool_finds_the_day_and_the_camera_and_no_more(
    outputs: dict[Level, Path],
) -> None:
    expected = {
        "none": (None, None),
        "safe": ("2021:06:05 00:00:00", None),
        "all-but-identity": ("2021:06:05 14:03:02", "Canon"),
    }
    for level, folder in outputs.items():
        listed = subprocess.run(
            ["exiftool", "-a", "-G1", "-ee3", "-j", folder],
            capture_output=True,
            check=True,
        )
        for tags in json.loads(listed.stdout):
            date, make = tags.get("ExifIFD:DateTimeOriginal"), tags.get("IFD0:Make")
            assert (date, make) == expected[level]
            groups = {name.partition(":")[0] for name in tags}
            assert groups <= {
                *("SourceFile", "ExifTool", "System", "File", "Composite"),
                *("Jpeg2000", "IFD0", "ExifIFD"),
            }


def test_only_what_is_covered_changes_and_the_face_is_gone(
    leaky_folder: Path, outputs: dict[Level, Path]
) -> None:
    before = decode((leaky_folder / "boxes.jxl").read_bytes(), LIMIT)
    after = decode((outputs["safe"] / "boxes.jxl").read_bytes(), LIMIT)
    (hidden,) = faceanon.detect(before.pixels, accuracy="fast")
    left, top, right, bottom = (
        *(int(hidden.box.left), int(hidden.box.top)),
        *(int(hidden.box.right), int(hidden.box.bottom)),
    )
    assert after.pixels[top:bottom, left:right].max() == 0
    changed = (before.pixels != after.pixels).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert (after.pixels[changed] == 0).all()
    assert np.ptp(rows) < 2 * (bottom - top)
    assert np.ptp(columns) < 2 * (right - left)


@pytest.mark.parametrize("size", [500, 300_000])
def test_exif_is_read_whatever_its_size_and_wherever_it_stands(size: int) -> None:
    stream = imagecodecs.jpegxl_encode(photo(3), usecontainer=False)
    block = exif_block(with_thumbnail=False)
    content = struct.pack(">I", size) + bytes(size) + block
    exif, picture = box(b"Exif", content), box(b"jxlc", stream)
    for parts in ((exif, picture), (picture, exif)):
        data = SIGNATURE + FILE_TYPE + b"".join(parts)
        assert decode(data, LIMIT).metadata.captured == datetime(2021, 6, 5, 14, 3, 2)


def test_a_truncated_file_is_refused_wherever_it_is_cut() -> None:
    pixels = photo(3)
    for data in (
        imagecodecs.jpegxl_encode(pixels, lossless=True, usecontainer=True),
        imagecodecs.jpegxl_encode(pixels, distance=1.0, usecontainer=False),
        transcoded(),
    ):
        decode(data, LIMIT)
        cuts = {*range(60), *range(60, len(data), 211), len(data) - 1}
        for cut in cuts:
            with pytest.raises(PictureError):
                decode(data[:cut], LIMIT)


def test_damage_is_told_and_does_no_harm() -> None:
    pixels = photo(3)
    data = imagecodecs.jpegxl_encode(pixels, lossless=True)
    other = imagecodecs.jpegxl_encode(pixels[::-1], distance=1.0)
    random_ = random.Random(1)
    untold = 0
    for number in range(140):
        damaged = bytes(
            MUTATIONS[number % len(MUTATIONS)](bytearray(data), other, random_)
        )
        with suppress(PictureError):
            untold += not np.array_equal(decode(damaged, LIMIT).pixels, bgr(pixels))
    assert untold < 5


def test_size_is_limited_before_anything_is_decoded() -> None:
    data = imagecodecs.jpegxl_encode(np.zeros((3000, 4000), np.uint8), lossless=True)
    assert len(data) < 10_000
    with pytest.raises(PictureError, match="4000 x 3000 pixels, more than the limit"):
        decode(data, 11_999_999)


@pytest.mark.parametrize(
    ("pixels", "options", "message"),
    [
        (np.zeros((2, 32, 48, 3), np.uint8), {}, "animated"),
        (np.zeros((3, 32, 48), np.uint8), {"planar": True}, "channels of ink"),
        (np.zeros((32, 48, 3), np.uint16), {}, "other colours than sRGB"),
        (np.zeros((32, 48, 3), np.float32), {}, "floating point"),
    ],
    ids=["animation", "channels", "linear", "float"],
)
def test_what_cannot_be_read_is_named(
    pixels: Image, options: dict[str, object], message: str
) -> None:
    if options:
        options = {**options, "photometric": "GRAY"}
    data = imagecodecs.jpegxl_encode(pixels, lossless=True, **options)
    with pytest.raises(PictureError, match=message):
        decode(data, LIMIT)


def test_the_command_reads_and_writes_jpeg_xl(faceanon: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = imagecodecs.jpegxl_encode(read(EXAMPLES / "astronaut.png")[:, :, ::-1])
    (folder / "good.jxl").write_bytes(good)
    (folder / "cut.jxl").write_bytes(good[: len(good) // 2])
    shutil.copy(EXAMPLES / "astronaut.png", folder)
    done = faceanon(
        *("pixelate", folder, tmp_path / "out", "--format", "jxl", "-j", 1),
    )
    assert done.returncode == 1
    assert "cut.jxl: the file is damaged" in done.stderr
    written = {path.name for path in (tmp_path / "out").glob("*.*") if path.suffix}
    assert {"good.jxl", "astronaut.jxl"} <= written
    assert "cut.jxl" not in written


def test_without_the_extra_a_jpeg_xl_fails_and_tells_what_to_install(
    faceanon: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    data = imagecodecs.jpegxl_encode(photo(3))
    (tmp_path / "in" / "a.jxl").write_bytes(data)
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "imagecodecs.py").write_text("raise ImportError")
    environment["PYTHONPATH"] = str(tmp_path / "without")
    done = faceanon("blackbar", tmp_path / "in", tmp_path / "out")
    assert done.returncode == 1
    assert "a.jxl: it is a JPEG XL; " in done.stderr
    assert "pip install '.[jxl]'" in done.stderr
