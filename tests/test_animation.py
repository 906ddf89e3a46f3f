"""Animations and pages: every frame is hidden in, and everything else stays."""

import io
import json
import struct
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageFilter

from conftest import Run
from faceanon import boxes
from faceanon.audit.scan import scan
from faceanon.boxes import Record
from faceanon.errors import PictureError
from faceanon.media.containers import gif
from faceanon.media.reading import open_clip
from faceanon.media.write_options import WriteOptions
from faceanon.media.writing import write
from faceanon.model import Box, Face
from faceanon.pipeline.hide import Otherwise, hidden_frames
from faceanon.requests.settings import make_settings
from support import EXAMPLES, lines

FRAMES = 9
LOST = 4
"""The frame in which nobody would find the face."""

DURATIONS = [40, 80, 120, 40, 40, 200, 40, 40, 1000]

FORMATS: dict[str, dict[str, Any]] = {
    "gif": {"loop": 3},
    "png": {"loop": 3},
    "webp": {"loop": 3, "lossless": True, "exact": True},
    "avif": {"quality": 95},
}


def film() -> list[PillowImage.Image]:
    """A face that moves through the picture and is blurred in one frame."""
    astronaut = PillowImage.open(EXAMPLES / "astronaut.png").convert("RGB")
    frames = [
        astronaut.crop((110 + 3 * step, 20, 350 + 3 * step, 260))
        for step in range(FRAMES)
    ]
    frames[LOST] = frames[LOST].filter(ImageFilter.GaussianBlur(24))
    return [frame.quantize(200).convert("RGB") for frame in frames]


def saved(folder: Path, suffix: str, frames: Sequence[PillowImage.Image]) -> Path:
    path = folder / f"film.{suffix}"
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=DURATIONS[: len(frames)],
        **FORMATS[suffix],
    )
    return path


def shown(path: Path) -> list[NDArray[np.int64]]:
    """The frames as another program shows them."""
    frames = []
    with PillowImage.open(path) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGBA")).astype(int))
    return frames


def timing(path: Path) -> tuple[list[float], Any]:
    durations = []
    with PillowImage.open(path) as image:
        for number in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(number)
            image.load()
            durations.append(image.info["duration"])
        return durations, image.info.get("loop")


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_frame_is_hidden_in_and_all_else_stays(
    faceanon: Run, tmp_path: Path, suffix: str
) -> None:
    source = saved(tmp_path, suffix, film())
    target, report = tmp_path / f"out.{suffix}", tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, target, "--report", report)
    assert done.returncode == 0, done.stderr
    assert timing(target) == timing(source)
    before, after = shown(source), shown(target)
    assert len(after) == FRAMES
    (line,) = lines(report)
    (track,) = line["tracks"]
    assert (track["first"], track["last"]) == (0, FRAMES - 1)
    assert track["done_by"] == {"blackbar": FRAMES}
    found = tmp_path / "boxes.jsonl"
    assert faceanon("detect", source, "-o", found).returncode == 0
    faces = [
        (face["frame"], face["found_by"], face["box"])
        for text in found.read_text().splitlines()
        for face in json.loads(text)["faces"]
    ]
    # Nobody finds what is left of it, and still it is hidden there.
    assert {number for number, *_ in faces} == set(range(FRAMES))
    assert {by for number, by, _ in faces if number == LOST} == {"between"}
    for number, (was, now) in enumerate(zip(before, after, strict=True)):
        hidden = np.zeros(was.shape[:2], bool)
        for at, _, (left, top, right, bottom) in faces:
            if at == number:
                dx, dy = (right - left) * 0.2 + 1, (bottom - top) * 0.2 + 1
                rows = slice(max(int(top - dy), 0), int(bottom + dy) + 1)
                hidden[rows, max(int(left - dx), 0) : int(right + dx) + 1] = True
                middle = now[(top + bottom) // 2, (left + right) // 2, :3]
                assert middle.max() <= 12
        tolerance = 30 if suffix == "avif" else 0
        assert np.abs(was - now)[~hidden].max() <= tolerance


def test_transparent_parts_do_not_show_the_frame_before(
    faceanon: Run, tmp_path: Path
) -> None:
    frames = []
    for step in range(4):
        frame = PillowImage.new("RGBA", (64, 48))
        frame.paste((200, 40 * step, 0, 255), (4 + 12 * step, 8, 16 + 12 * step, 40))
        frames.append(frame)
    for suffix in ("gif", "png", "webp"):
        path = tmp_path / f"clear.{suffix}"
        options = {**FORMATS[suffix], "disposal": 2} if suffix != "webp" else {}
        frames[0].save(
            path, save_all=True, append_images=frames[1:], duration=50, **options
        )
        target = tmp_path / f"clear-out.{suffix}"
        assert faceanon("blackbar", path, target).returncode == 0
        for was, now in zip(shown(path), shown(target), strict=True):
            np.testing.assert_array_equal(was[..., 3], now[..., 3])


def test_an_animation_becomes_one_of_another_format_or_is_refused(
    faceanon: Run, tmp_path: Path
) -> None:
    source = saved(tmp_path, "gif", film()[:3])
    target = tmp_path / "out.webp"
    assert faceanon("blackbar", source, target, "--format", "webp").returncode == 0
    assert len(shown(target)) == 3
    done = faceanon("blackbar", source, tmp_path / "out.jpg", "--format", "jpeg")
    assert done.returncode == 1
    assert "3 frames, of which jpeg holds one" in done.stderr
    assert not (tmp_path / "out.jpg").exists()


def test_a_cover_of_an_animated_png_stays_the_cover(
    faceanon: Run, tmp_path: Path
) -> None:
    frames = film()[:3]
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    frames[0].save(source, save_all=True, append_images=frames[1:], default_image=True)
    assert faceanon("blackbar", source, target).returncode == 0
    with PillowImage.open(target) as image:
        assert image.info["default_image"]
        assert image.n_frames == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_cut_off_animation_has_no_output(
    faceanon: Run, tmp_path: Path, suffix: str
) -> None:
    source = saved(tmp_path, suffix, film()[:4])
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 2 // 3])
    target = tmp_path / f"out.{suffix}"
    assert faceanon("blackbar", source, target).returncode == 1
    assert not target.exists()


def test_faces_of_a_box_file_are_hidden_in_their_frames_only(
    faceanon: Run, tmp_path: Path
) -> None:
    source, found = saved(tmp_path, "png", film()[:4]), tmp_path / "boxes.jsonl"
    assert faceanon("detect", source, "-o", found).returncode == 0
    record = json.loads(found.read_text())
    assert [face["frame"] for face in record["faces"] if face["hide"]] == [0, 1, 2, 3]
    record["faces"] = [face for face in record["faces"] if face["frame"] == 2]
    found.write_text(json.dumps(record) + "\n")
    target = tmp_path / "out.png"
    assert faceanon("blackbar", source, target, "--boxes", found).returncode == 0
    changed = [
        bool((was != now).any())
        for was, now in zip(shown(source), shown(target), strict=True)
    ]
    assert changed == [False, False, True, False]


def test_pages_of_a_tiff_keep_their_depth_and_previews_are_left_out(
    faceanon: Run, tmp_path: Path
) -> None:
    astronaut = np.asarray(PillowImage.open(EXAMPLES / "astronaut.png").convert("RGB"))
    curies = np.asarray(PillowImage.open(EXAMPLES / "curies.jpg").convert("L"))
    source, target = tmp_path / "a.tif", tmp_path / "b.tif"
    with tifffile.TiffWriter(source) as writer:
        deep = astronaut.astype(np.uint16) * 257
        writer.write(deep, photometric="rgb", compression="zlib", resolution=(204, 98))
        writer.write(astronaut[::4, ::4], photometric="rgb", subfiletype=1)
        writer.write(curies, photometric="minisblack")
    done = faceanon("blackbar", source, target)
    assert done.returncode == 0, done.stderr
    with tifffile.TiffFile(target) as file:
        first, second = (page.asarray() for page in file.pages)
    for was, now in ((deep, first), (curies, second)):
        assert was.dtype == now.dtype
        changed = was != now
        assert 0.01 < changed.mean() < 0.4
        assert now[changed].max() == 0
    # The resolution was put in place of another, of which nothing is left over.
    assert not any(finding.identifies for finding in scan(target))


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_finding_first_and_hiding_later_hides_as_much_as_a_run(
    faceanon: Run, tmp_path: Path, suffix: str
) -> None:
    source, found = saved(tmp_path, suffix, film()), tmp_path / "boxes.jsonl"
    once, later = tmp_path / f"once.{suffix}", tmp_path / f"later.{suffix}"
    assert faceanon("detect", source, "-o", found).returncode == 0
    lost = [
        face
        for line in found.read_text().splitlines()
        for face in json.loads(line)["faces"]
        if face["frame"] == LOST and face["hide"]
    ]
    assert {face["found_by"] for face in lost} == {"between"}
    assert faceanon("blackbar", source, once).returncode == 0
    assert faceanon("blackbar", source, later, "--boxes", found).returncode == 0
    assert later.read_bytes() == once.read_bytes()
    middle = shown(later)[LOST][60:120, 80:110, :3]
    assert not middle.any()


@pytest.mark.parametrize("suffix", ["png", "gif", "webp", "tif"])
def test_few_frames_are_in_memory_at_any_time(tmp_path: Path, suffix: str) -> None:
    # What is imported and kept for later comes with the first.
    _, few, many = (peak_of_hiding(tmp_path, suffix, count) for count in (8, 16, 64))
    assert many < few + 4


def peak_of_hiding(folder: Path, suffix: str, count: int) -> float:
    """The most memory that a clip of so many frames takes, in frames."""
    side = 200
    source = folder / f"{count}.{suffix}"
    # Files of them are small: some formats' encoders keep what they have written.
    first, *more = (
        PillowImage.new("RGB", (side, side), (0, 255 * (number % 2), 4 * number))
        for number in range(count)
    )
    first.save(source, save_all=True, append_images=more)
    faces = [
        Face(Box(50, 50, 100, 100), 0.9, frame=number) for number in range(0, count, 2)
    ]
    record = Record(source.name, side, side, hidden=tuple(faces))
    settings, rng = make_settings("blackbar", {}), np.random.default_rng(0)
    tracemalloc.start()
    try:
        with (
            source.open("rb") as file,
            open_clip(file, 10**9) as clip,
            (folder / "out").open("w+b") as out,
        ):
            assert clip.header.count == count
            changed = hidden_frames(
                clip, record, settings, rng, Otherwise(), samples={}
            )
            write(clip.header, changed, out, WriteOptions(), 10**9)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak / (side * side * 4)


def test_what_is_lossless_stays_so_in_another_format(
    faceanon: Run, tmp_path: Path
) -> None:
    source, target = saved(tmp_path, "png", film()[:3]), tmp_path / "out.webp"
    nothing = tmp_path / "boxes.jsonl"
    record = Record("film.png", 240, 240)
    boxes.write(nothing, [record])
    arguments = ("blackbar", source, target, "--format", "webp", "--boxes", nothing)
    assert faceanon(*arguments).returncode == 0
    for was, now in zip(shown(source), shown(target), strict=True):
        np.testing.assert_array_equal(was, now)
    smaller = tmp_path / "smaller.webp"
    arguments = ("blackbar", source, smaller, "--format", "webp", "--boxes", nothing)
    assert faceanon(*arguments, "--quality", 60).returncode == 0
    assert smaller.stat().st_size < target.stat().st_size / 2


@pytest.mark.parametrize("format_", ["jpeg", "bmp", "heif", "jxl", "tiff", "avif"])
def test_a_gif_of_one_picture_becomes_one_of_any_format(
    faceanon: Run, tmp_path: Path, format_: str
) -> None:
    extra = {"heif": "pillow_heif", "jxl": "imagecodecs"}.get(format_)
    if extra:
        pytest.importorskip(extra, reason=f"the extra for {format_} is not installed")
    source, target = tmp_path / "a.gif", tmp_path / f"a.{format_}"
    film()[0].save(source)
    done = faceanon("blackbar", source, target, "--format", format_)
    assert done.returncode == 0, done.stderr
    with open_clip(io.BytesIO(target.read_bytes()), 10**7) as clip:
        assert (clip.header.format, clip.header.count) == (format_, 1)
        (frame,) = clip.frames()
    (was,) = shown(source)
    now = frame.picture.color[:, :, ::-1]
    changed = np.abs(was[:, :, :3] - now).max(axis=2) > 60
    assert 0.02 < changed.mean() < 0.5
    assert now[changed].max() < 60


def test_a_gif_with_a_frame_far_outside_is_refused_before_it_is_decoded() -> None:
    """A decoder would make room for all that lies between."""
    buffer = io.BytesIO()
    first, second = film()[:2]
    first.save(buffer, "GIF", save_all=True, append_images=[second])
    data = bytearray(buffer.getvalue())
    *_, last = gif.frames(bytes(data))
    place = data.rindex(b"\x2c" + struct.pack("<2H", last.left, last.top))
    data[place + 1 : place + 5] = struct.pack("<2H", 60_000, 60_000)
    with (
        pytest.raises(PictureError, match=r"60\d\d\d x 60\d\d\d pixels"),
        open_clip(io.BytesIO(data), 10**8),
    ):
        pass


def test_what_lies_beyond_the_edge_of_a_gif_is_cut_off(
    faceanon: Run, tmp_path: Path
) -> None:
    """As browsers do; a decoder makes the picture larger."""
    source, target = tmp_path / "a.gif", tmp_path / "b.gif"
    first = PillowImage.new("RGB", (60, 40), "red")
    second = first.copy()
    second.paste("blue", (10, 10, 40, 30))
    first.save(source, save_all=True, append_images=[second])
    data = bytearray(source.read_bytes())
    *_, last = gif.frames(bytes(data))
    place = data.rindex(b"\x2c" + struct.pack("<2H", last.left, last.top))
    data[place + 1 : place + 5] = struct.pack("<2H", last.left + 25, last.top + 25)
    source.write_bytes(data)
    with PillowImage.open(source) as image:
        image.seek(1)
        assert image.size == (65, 55)
    assert faceanon("blackbar", source, target).returncode == 0
    with PillowImage.open(target) as image:
        for number in range(2):
            image.seek(number)
            assert image.size == (60, 40)
        assert image.convert("RGB").getpixel((50, 39)) == (0, 0, 255)


def test_a_gif_of_one_picture_stays_one(faceanon: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "a.gif", tmp_path / "b.gif"
    film()[0].save(source)
    assert faceanon("pixelate", source, target, "--seed", 1).returncode == 0
    (was,), (now,) = shown(source), shown(target)
    changed = (was != now).any(axis=2)
    assert 0.02 < changed.mean() < 0.5
    assert io.BytesIO(target.read_bytes()).read(6) == b"GIF89a"
