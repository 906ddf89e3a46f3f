"""Metadata: what may be kept is there and right, and nothing else comes through."""

import io
import json
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageCms

import faceanon
from containers import chunk
from faceanon.media.metadata import (
    LEVELS,
    Level,
    Metadata,
    Resolution,
    Unit,
    clean_profile,
    exif_block,
    parse_exif,
    read_metadata,
    write_into,
)
from faceanon.media.picture import Encoding, Picture
from faceanon.media.reading import decode
from faceanon.media.thumbnail import make_thumbnail
from faceanon.media.writing import encode
from faceanon.model import Image
from faceanon.storage.suffixes import Format
from leaky import (
    JPEG_START,
    LEAKY,
    leaky_jpeg,
    leaky_png,
    leaky_webp,
    run_at_each_level,
    screen_profile,
    secrets_in,
)
from leaky import (
    exif_block as leaky_exif,
)
from support import EXAMPLES, decoded, read

LIMIT = 10_000_000
SUFFIXES = {
    "jpeg": ".jpg",
    "png": ".png",
    "webp": ".webp",
    "tiff": ".tif",
    "bmp": ".bmp",
}

CAPTURED = datetime(2021, 6, 5, 14, 3, 2)
CAMERA = Metadata(
    Resolution(Fraction(240), Fraction(240), Unit.INCH),
    captured=CAPTURED,
    exposure_time=Fraction(1, 60),
    f_number=Fraction(14, 5),
    exposure_program=3,
    iso=400,
    exposure_bias=Fraction(-1, 3),
    metering_mode=5,
    flash=16,
    focal_length=Fraction(50),
    white_balance=1,
    make="Canon",
    model="Canon EOS 5D Mark II",
    lens_model="EF50mm f/1.4 USM",
)
"""What may be kept of the EXIF in the leaky files."""


def anonymized(data: bytes, level: Level, format_: Format | None = None) -> bytes:
    picture = decode(data, LIMIT)
    return encode(replace(picture, metadata=picture.metadata.kept(level)), format_)


@pytest.fixture(scope="module")
def leaky_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("leaky")
    for format_, make in LEAKY.items():
        (folder / f"{format_}{SUFFIXES[format_]}").write_bytes(make())
    (folder / "lossless.webp").write_bytes(leaky_webp(lossless=True))
    shutil.copy(EXAMPLES / "group.jpg", folder)
    shutil.copy(EXAMPLES / "curies.jpg", folder)
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
        output = (outputs[level] / source.name).read_bytes()
        if source.name in {"group.jpg", "curies.jpg"}:
            assert not any(
                word in output for word in (b"Curie", b"http", b"Photoshop", b"JFXX")
            )
        else:
            assert secrets_in(source.read_bytes())
        if level == "safe" and source.suffix == ".jpg":
            # The one JPEG inside is the thumbnail that was asked for.
            assert output.count(JPEG_START) == 2
            assert set(secrets_in(output)) <= {"a JPEG inside"}
        else:
            assert secrets_in(output) == []


# By exiftool's groups and names. First what belongs to every file of a format.
STRUCTURE = {
    *("IFD0:ImageWidth", "IFD0:ImageHeight", "IFD0:BitsPerSample", "IFD0:Compression"),
    *("IFD0:PhotometricInterpretation", "IFD0:StripOffsets", "IFD0:StripByteCounts"),
    *("IFD0:SamplesPerPixel", "IFD0:RowsPerStrip", "IFD0:PlanarConfiguration"),
    *("JFIF:JFIFVersion", "JFIF:ResolutionUnit", "JFIF:XResolution"),
    *("JFIF:YResolution", "PNG:ImageWidth", "PNG:ImageHeight", "PNG:BitDepth"),
    *("PNG:ColorType", "PNG:Compression", "PNG:Filter", "PNG:Interlace"),
    *("PNG:ProfileName", "RIFF:WebP_Flags", "RIFF:ImageWidth", "RIFF:ImageHeight"),
    *("RIFF:VP8Version", "RIFF:HorizontalScale", "RIFF:VerticalScale"),
    *("RIFF:AlphaIsUsed",),
}
SAFE = STRUCTURE | {
    *("IFD0:XResolution", "IFD0:YResolution", "IFD0:ResolutionUnit"),
    *("PNG-pHYs:PixelsPerUnitX", "PNG-pHYs:PixelsPerUnitY", "PNG-pHYs:PixelUnits"),
    *("ExifIFD:ExifVersion", "ExifIFD:DateTimeOriginal", "ExifIFD:ExposureTime"),
    *("ExifIFD:FNumber", "ExifIFD:ExposureProgram", "ExifIFD:ISO"),
    *("ExifIFD:ExposureCompensation", "ExifIFD:MeteringMode", "ExifIFD:LightSource"),
    *("ExifIFD:Flash", "ExifIFD:FocalLength", "ExifIFD:ExposureMode"),
    *("ExifIFD:WhiteBalance", "ExifIFD:DigitalZoomRatio"),
    *("ExifIFD:FocalLengthIn35mmFormat", "ExifIFD:SceneCaptureType"),
    *("ExifIFD:GainControl", "ExifIFD:Contrast", "ExifIFD:Saturation"),
    *("ExifIFD:Sharpness",),
}
THUMBNAIL = {
    *("IFD1:Compression", "IFD1:ThumbnailOffset", "IFD1:ThumbnailLength"),
    *("IFD1:ThumbnailImage",),
}
ALLOWED: dict[Level, set[str]] = {
    "none": STRUCTURE,
    "safe": SAFE | THUMBNAIL,
    "all-but-identity": SAFE
    | {"IFD0:Make", "IFD0:Model", "ExifIFD:LensMake", "ExifIFD:LensModel"},
}
# What exiftool tells of a file itself, what it computes, and the colour profile.
ASIDE = ("SourceFile", "System", "ExifTool", "File", "Composite", "ICC")


def exiftool(folder: Path) -> list[dict[str, Any]]:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")
    done = subprocess.run(
        ["exiftool", "-a", "-G1", "-ee3", "-s", "-j", "-n", folder],
        capture_output=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("level", LEVELS)
def test_exiftool_finds_what_is_allowed_and_nothing_else(
    leaky_folder: Path, outputs: dict[Level, Path], level: Level
) -> None:
    found = exiftool(outputs[level])
    assert len(found) == len(list(leaky_folder.iterdir()))
    for tags in found:
        names = {name for name in tags if not name.startswith(ASIDE)}
        assert names <= ALLOWED[level], tags["SourceFile"]
        assert "ExifTool:Warning" not in tags, tags["SourceFile"]
        assert "File:Comment" not in tags, tags["SourceFile"]
        assert not any(
            name.startswith("ICC") and name.endswith(("ML", "MakeAndModel"))
            for name in tags
        )


def test_exiftool_reads_the_values_of_the_camera(outputs: dict[Level, Path]) -> None:
    expected = {
        "ExposureTime": pytest.approx(1 / 60),
        "FNumber": 2.8,
        "ISO": 400,
        "ExposureCompensation": pytest.approx(-1 / 3),
        "Flash": 16,
        "FocalLength": 50,
        "WhiteBalance": 1,
    }
    shown_times: dict[Level, str] = {
        "safe": "2021:06:05 00:00:00",
        "all-but-identity": "2021:06:05 14:03:02",
    }
    for level, shown in shown_times.items():
        for tags in exiftool(outputs[level]):
            name = Path(tags["SourceFile"]).name
            if name.startswith(("group", "curies", "bmp")):
                continue
            assert tags["ExifIFD:DateTimeOriginal"] == shown, name
            for tag, value in expected.items():
                assert tags[f"ExifIFD:{tag}"] == value, (name, tag)


@pytest.mark.parametrize("format_", ["jpeg", "png", "webp", "tiff"])
def test_what_is_kept_can_be_read_again(format_: Format) -> None:
    for level in LEVELS:
        written = anonymized(LEAKY[format_](), level)
        again = read_metadata(written, format_)
        assert replace(again, resolution=None) == replace(
            CAMERA.kept(level), resolution=None
        )


def test_the_day_is_kept_and_the_time_is_not() -> None:
    assert CAMERA.kept("none") == Metadata()
    assert CAMERA.kept("safe").captured == datetime(2021, 6, 5)
    assert CAMERA.kept("safe").model is None
    assert CAMERA.kept("safe").iso == 400
    assert CAMERA.kept("all-but-identity") == CAMERA


@pytest.mark.parametrize("target", ["jpeg", "png", "webp", "tiff", "bmp"])
@pytest.mark.parametrize("source", ["jpeg", "png", "webp", "tiff", "bmp"])
def test_the_resolution_is_kept_from_format_to_format(
    source: Format, target: Format
) -> None:
    data = LEAKY[source]()
    before = decode(data, LIMIT).metadata.resolution
    assert before is not None
    written = anonymized(data, "safe", target)
    after = decode(written, LIMIT).metadata.resolution
    assert after is not None
    assert after.per_inch() == pytest.approx(before.per_inch(), abs=0.02)
    assert decode(anonymized(data, "none", target), LIMIT).metadata.resolution is None
    if target != "webp":  # of which Pillow does not tell it
        with PillowImage.open(io.BytesIO(written)) as opened:
            assert opened.info["dpi"] == pytest.approx((240, 240), abs=0.02)


def test_resolution_turns_with_the_picture() -> None:
    stored = read(EXAMPLES / "grace_hopper.jpg")[:100, :60]
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    # Twice as many pixels along a row as stored.
    PillowImage.fromarray(stored).save(buffer, "JPEG", exif=exif, dpi=(200, 100))
    picture = decode(buffer.getvalue(), LIMIT)
    assert picture.pixels.shape == (60, 100, 3)
    assert picture.metadata.resolution == Resolution(
        Fraction(100), Fraction(200), Unit.INCH
    )
    # A writer that keeps the picture as it is stored gives it back as it was.
    plain = encode(replace(picture, metadata=Metadata()))
    written = write_into(plain, "jpeg", picture.metadata, orientation=6)
    with PillowImage.open(io.BytesIO(written)) as opened:
        assert opened.getexif()[0x0112] == 6
        assert opened.info["dpi"] == (200, 100)


@pytest.mark.parametrize("format_", ["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_orientation_can_be_written(format_: Format, orientation: int) -> None:
    picture = decode((EXAMPLES / "grace_hopper.jpg").read_bytes(), LIMIT)
    plain = encode(replace(picture, metadata=Metadata()), format_)
    written = write_into(plain, format_, Metadata(), orientation=orientation)
    assert (written == plain) is (orientation == 1)
    with PillowImage.open(io.BytesIO(written)) as opened:
        assert opened.getexif().get(0x0112, 1) == orientation


def _variants() -> Iterator[tuple[Image, Encoding]]:
    pixels = read(EXAMPLES / "grace_hopper.jpg")[40:161, 150:251]
    alpha = np.dstack((pixels, pixels[:, :, 0]))
    deep = pixels.astype(np.uint16) * 257
    grey = pixels[:, :, 0]
    for image in (pixels, alpha, deep, grey):
        yield image, Encoding("png")
        yield image, Encoding("tiff")
    for image in (pixels, alpha):
        yield image, Encoding("webp", lossless=True)
    yield from ((pixels, Encoding("webp")), (pixels, Encoding("bmp")))
    yield pixels, Encoding("jpeg")


@pytest.mark.parametrize("profile", [False, True], ids=["plain", "icc"])
@pytest.mark.parametrize(
    ("pixels", "encoding"),
    [pytest.param(*variant, id=variant[1].format) for variant in _variants()],
)
def test_metadata_changes_no_pixel_for_any_reader(
    pixels: Image, encoding: Encoding, profile: bool
) -> None:
    """OpenCV, Pillow and, where there is one, a third reader."""
    icc_profile = clean_profile(screen_profile()) if profile else None
    picture = Picture(pixels, encoding, icc_profile)
    plain = encode(picture)
    written = encode(replace(picture, metadata=CAMERA), thumbnail=True)
    assert len(written) > len(plain) or encoding.format == "bmp"
    before, after = (decoded(data, cv2.IMREAD_UNCHANGED) for data in (plain, written))
    np.testing.assert_array_equal(before, after)
    with (
        PillowImage.open(io.BytesIO(plain)) as first,
        PillowImage.open(io.BytesIO(written)) as second,
    ):
        assert getattr(second, "n_frames", 1) == 1
        assert (np.asarray(first) == np.asarray(second)).all()
        assert second.info.get("icc_profile") == first.info.get("icc_profile")
    if encoding.format == "tiff":
        pages = tifffile.TiffFile(io.BytesIO(written)).pages
        assert len(pages) == 1
        assert (tifffile.imread(io.BytesIO(plain)) == pages[0].asarray()).all()


def test_the_thumbnail_shows_the_anonymized_picture(
    outputs: dict[Level, Path],
) -> None:
    output = outputs["safe"] / "jpeg.jpg"
    data = output.read_bytes()
    start = data.index(JPEG_START, 3)
    thumbnail = decoded(data[start:])
    assert max(thumbnail.shape) == 160
    pictures = read(output), read(EXAMPLES / "grace_hopper.jpg")
    size = thumbnail.shape[1::-1]
    small = [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures]
    distances = [np.abs(p.astype(int) - thumbnail).mean() for p in small]
    assert distances[0] < 5
    assert distances[1] > 2 * distances[0], "the bar over the face is not in it"
    if shutil.which("exiftool"):
        shown = subprocess.run(
            ["exiftool", "-b", "-ThumbnailImage", output],
            capture_output=True,
            check=True,
        ).stdout
        assert shown == data[start : start + len(shown)]
        assert shown.endswith(b"\xff\xd9")


def test_a_thumbnail_fits_into_its_segment_whatever_it_shows() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
    assert len(make_thumbnail(noise)) < 50_000
    assert make_thumbnail(noise[:1, :1])
    wide = make_thumbnail(np.zeros((1, 5000, 3), np.uint8))
    with PillowImage.open(io.BytesIO(wide)) as opened:
        assert opened.size == (160, 1)


def test_colours_of_adobe_rgb_without_a_profile_are_kept_at_every_level() -> None:
    """Cameras say so in the interoperability directory only."""
    exif = PillowImage.Exif()
    detail = exif.get_ifd(0x8769)
    detail[0xA001] = 0xFFFF
    detail[0xA005] = {1: "R03"}
    buffer = io.BytesIO()
    PillowImage.new("RGB", (20, 20)).save(buffer, "JPEG", exif=exif)
    for level in LEVELS:
        written = anonymized(buffer.getvalue(), level)
        with PillowImage.open(io.BytesIO(written)) as opened:
            detail = opened.getexif().get_ifd(0x8769)
            assert detail[0xA001] == 0xFFFF
            assert opened.getexif().get_ifd(0xA005)[1] == "R03"
        assert read_metadata(written, "jpeg") == Metadata(is_adobe_rgb=True)


def test_what_the_colours_of_a_png_are_is_kept_at_every_level() -> None:
    colors = {
        "cICP": (9, 16, 0, 1),
        "gAMA": (100_000,),
        "cHRM": (31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600),
    }
    buffer = io.BytesIO()
    PillowImage.new("RGB", (20, 20), "teal").save(buffer, "PNG")
    data = buffer.getvalue()
    chunks = (
        chunk(b"cICP", bytes(colors["cICP"]))
        + chunk(b"gAMA", struct.pack(">I", *colors["gAMA"]))
        + chunk(b"cHRM", struct.pack(">8I", *colors["cHRM"]))
        + chunk(b"sRGB", b"Anna")
    )
    for level in LEVELS:
        written = anonymized(data[:33] + chunks + data[33:], level)
        assert chunks.removesuffix(chunk(b"sRGB", b"Anna")) in written
        assert dict(read_metadata(written, "png").png_colors) == colors
        assert b"Anna" not in written


def exif_of(tag: int, value: object, *, in_main: bool = False) -> Metadata:
    exif = PillowImage.Exif()
    (exif if in_main else exif.get_ifd(0x8769))[tag] = value
    return parse_exif(exif.tobytes())


@pytest.mark.parametrize(
    "text",
    [
        "Leaf Aptus 75(LI300095   )/Large Format",
        "Camera of anna@example.org",
        "http://example.org/anna",
        "Kamera von Jürgen",
        "x" * 65,
        "SN:12",
        "two\nlines",
    ],
)
def test_a_name_of_a_camera_that_is_more_than_that_is_dropped(text: str) -> None:
    assert exif_of(0x0110, text, in_main=True) == Metadata()


@pytest.mark.parametrize(
    "text", ["NIKON D810", "moto g(9) plus", "SM-G998B", "HP IL v1.1", "iPhone14,2"]
)
def test_names_of_cameras_are_kept(text: str) -> None:
    assert exif_of(0x0110, text, in_main=True).model == text


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x9209, 0x4D61),  # a flash that does not exist
        (0x9003, "Anna was here today"),
        (0x9003, "2021:13:45 10:00:00"),
        (0x9003, "0000:00:00 00:00:00"),
        (0x829D, 12),
        (0xA403, 700),
        (0x920A, "fifty"),
    ],
)
def test_values_that_a_tag_cannot_have_are_dropped(tag: int, value: object) -> None:
    assert exif_of(tag, value) == Metadata()


def test_fractions_are_rounded_so_that_they_hold_no_mark() -> None:
    from PIL.TiffImagePlugin import IFDRational

    marked = IFDRational(1_551_800_017, 274_361_029)
    length = exif_of(0x920A, marked).focal_length
    assert length is not None
    assert float(length) == pytest.approx(5.656, abs=0.001)
    assert length.denominator <= 100


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_exif_gives_allowed_values_or_none(data: st.DataObject) -> None:
    """Whatever is read can be written, and is then read as the same."""
    block = bytearray(leaky_exif(with_thumbnail=False))
    for _ in range(data.draw(st.integers(1, 8))):
        block[data.draw(st.integers(0, len(block) - 1))] = data.draw(
            st.integers(0, 255)
        )
    found = parse_exif(bytes(block[: data.draw(st.integers(0, len(block)))]))
    written = exif_block(found)
    assert parse_exif(written) == found
    assert b"hidden" not in written


@pytest.mark.parametrize("kept", [0, 1, 4, 10, 20, 26, 30, 40, 60, 100, 1000])
@pytest.mark.parametrize("format_", LEAKY)
def test_cut_files_tell_what_they_have_and_do_no_harm(
    format_: Format, kept: int
) -> None:
    assert isinstance(read_metadata(LEAKY[format_]()[:kept], format_), Metadata)


def test_big_tiff_is_read() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        read(EXAMPLES / "grace_hopper.jpg")[:50, :50, ::-1],
        photometric="rgb",
        bigtiff=True,
        resolution=(240, 240),
        resolutionunit="inch",
    )
    resolution = read_metadata(buffer.getvalue(), "tiff").resolution
    assert resolution == Resolution(Fraction(240), Fraction(240), Unit.INCH)


def test_exif_behind_the_pixels_of_a_png_is_read() -> None:
    data = leaky_png()
    start = data.index(b"eXIf") - 4
    (size,) = struct.unpack_from(">I", data, start)
    block = data[start : start + 12 + size]
    data = data.replace(block, b"")
    end = data.rindex(b"IEND") - 4
    moved = data[:end] + block + data[end:]
    assert read_metadata(moved, "png").captured == CAPTURED


def colors(profile: bytes) -> Image:
    """What a profile makes of some colours, in sRGB."""
    shades = np.arange(0, 256, 17, dtype=np.uint8)
    picture = np.stack(np.meshgrid(shades, shades, shades), -1).reshape(16, -1, 3)
    return np.asarray(
        ImageCms.profileToProfile(
            PillowImage.fromarray(picture),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
        )
    )


def test_the_profile_of_a_screen_keeps_its_colours_and_loses_its_owner() -> None:
    before = screen_profile()
    assert secrets_in(before)
    after = clean_profile(before)
    assert after is not None
    assert secrets_in(after) == []
    assert b"mmod" not in after
    assert (colors(after) == colors(before)).all()
    assert clean_profile(after) == after


def test_a_name_in_the_description_of_a_profile_is_replaced() -> None:
    public = clean_profile(screen_profile())
    assert public is not None
    name, other = (
        "sRGB built-in".encode("utf-16-be"),
        "Anna's screen".encode("utf-16-be"),
    )
    assert public.count(name) == 1
    after = clean_profile(public.replace(name, other))
    assert after is not None
    assert other[:8] not in after
    opened = ImageCms.ImageCmsProfile(io.BytesIO(after))
    assert ImageCms.getProfileDescription(opened).strip() == "profile"
    assert (colors(after) == colors(public)).all()


def test_a_published_profile_is_kept_byte_for_byte() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert clean_profile(profile) == profile


def test_what_is_no_profile_is_dropped() -> None:
    profile = screen_profile()
    assert clean_profile(None) is None
    assert clean_profile(b"Anna, Berlin" * 20) is None
    assert clean_profile(profile[:-4]) is None
    assert clean_profile(profile + b"Anna") is None
    broken = profile[:136] + struct.pack(">I", 1 << 30) + profile[140:]
    assert clean_profile(broken) is None


def test_outputs_get_the_time_at_which_they_are_made(tmp_path: Path) -> None:
    source = tmp_path / "in.jpg"
    source.write_bytes(leaky_jpeg())
    os.utime(source, (1_000_000_000, 1_000_000_000))
    start = time.time()
    target = tmp_path / "out.jpg"
    for outcome in faceanon.run(source, target, "blackbar", accuracy="fast", jobs=1):
        assert not outcome.error
    assert target.stat().st_mtime > start - 5
