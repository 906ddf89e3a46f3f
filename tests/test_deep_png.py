"""Animated PNG of 16 bits: made here by hand, chunk by chunk."""

import io
import json
import struct
import zlib
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from conftest import Run
from faceanon.audit.scan import scan
from faceanon.errors import PictureError
from faceanon.media.reading import open_clip
from faceanon.model import Image
from support import EXAMPLES, read

LIMIT = 10_000_000
LEAVE, CLEAR, RESTORE = 0, 1, 2
REPLACE, OVER = 0, 1


def chunk(name: bytes, body: bytes) -> bytes:
    check = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", check)


def parts_of(png: bytes) -> dict[bytes, bytes]:
    """What the chunks of a PNG hold, by their names; those of one name joined."""
    parts: dict[bytes, bytes] = {}
    offset = 8
    while offset < len(png):
        size = int.from_bytes(png[offset : offset + 4])
        name = png[offset + 4 : offset + 8]
        parts[name] = parts.get(name, b"") + png[offset + 8 : offset + 8 + size]
        offset += size + 12
    return parts


def stored(pixels: NDArray[np.uint16]) -> dict[bytes, bytes]:
    """The chunks of a PNG with these pixels."""
    if pixels.shape[2:] != (2,):
        return parts_of(cv2.imencode(".png", pixels)[1].tobytes())
    # Grey with alpha, which OpenCV does not write.
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 16, 4, 0, 0, 0),
        b"IDAT": zlib.compress(rows),
    }


def animated(
    frames: list[tuple[NDArray[np.uint16], int, int, int, int]],
    cover: NDArray[np.uint16] | None = None,
    extra: bytes = b"",
) -> bytes:
    """An animated PNG of frames with their left, top, disposal and blending."""
    header = stored(frames[0][0])[b"IHDR"]
    parts = [chunk(b"acTL", struct.pack(">II", len(frames), 3)), extra]
    if cover is not None:
        parts.append(chunk(b"IDAT", stored(cover)[b"IDAT"]))
    sequence = 0
    for number, (frame, left, top, disposal, blending) in enumerate(frames):
        control = struct.pack(
            ">IIIIIHHBB",
            *(sequence, frame.shape[1], frame.shape[0], left, top),
            *(number + 1, 30, disposal, blending),
        )
        parts.append(chunk(b"fcTL", control))
        data = stored(frame)[b"IDAT"]
        if number == 0 and cover is None:
            parts.append(chunk(b"IDAT", data))
        else:
            sequence += 1
            parts.append(chunk(b"fdAT", struct.pack(">I", sequence) + data))
        sequence += 1
    body = chunk(b"IHDR", header) + b"".join(parts) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def shown(data: bytes) -> list[Image]:
    with open_clip(io.BytesIO(data), LIMIT) as clip:
        return [frame.picture.pixels for frame in clip.frames()]


def portrait(step: int) -> NDArray[np.uint16]:
    pixels = read(EXAMPLES / "astronaut.png")[20:260, 110 + 3 * step : 350 + 3 * step]
    fine = np.random.default_rng(step).integers(0, 256, pixels.shape)
    return (pixels.astype(np.uint16) * 256 + fine).astype(np.uint16)


def test_sixteen_bits_and_times_stay_and_the_face_is_gone(
    faceanon: Run, tmp_path: Path
) -> None:
    frames = [portrait(step) for step in range(3)]
    source, target, places = (tmp_path / n for n in ("a.png", "b.png", "r.jsonl"))
    text = chunk(b"tEXt", b"Author\0Jane Doe")
    source.write_bytes(
        animated([(frame, 0, 0, LEAVE, REPLACE) for frame in frames], extra=text)
    )
    done = faceanon("blackbar", source, target)
    assert done.returncode == 0, done.stderr
    assert faceanon("detect", source, "-o", places).returncode == 0
    found = [
        face
        for line in places.read_text().splitlines()
        for face in json.loads(line)["faces"]
    ]
    after = target.read_bytes()
    assert after[24] == 16
    assert not [finding for finding in scan(target) if finding.identifies]
    for number, (was, now) in enumerate(zip(frames, shown(after), strict=True)):
        (face,) = (face for face in found if face["frame"] == number)
        left, top, right, bottom = face["box"]
        assert now[top:bottom, left:right, :3].max() == 0
        dx, dy = (right - left) // 4 + 2, (bottom - top) // 4 + 2
        outside = np.ones(was.shape[:2], bool)
        above, before = max(0, top - dy), max(0, left - dx)
        outside[above : bottom + dy, before : right + dx] = False
        np.testing.assert_array_equal(now[outside][:, :3], was[outside])
        assert now[..., 3].min() == 65_535
    for path in (source, target):
        with PillowImage.open(path) as image:
            assert image.info["loop"] == 3
            for number in range(3):
                image.seek(number)
                assert image.info["duration"] == pytest.approx((number + 1) * 1000 / 30)
    refused = faceanon("blackbar", source, tmp_path / "c.webp", "--format", "webp")
    assert refused.returncode == 1
    assert "more than 8 bits, which webp cannot hold" in refused.stderr


def over(front: NDArray[np.uint16], back: NDArray[np.uint16]) -> list[int]:
    """One pixel over another by the formula of the specification, in fractions."""
    *colors, alpha = (Fraction(int(value), 65_535) for value in front)
    *behind, back_alpha = (Fraction(int(value), 65_535) for value in back)
    whole = alpha + (1 - alpha) * back_alpha
    mixed = [
        (color * alpha + under * (1 - alpha) * back_alpha) / whole if whole else under
        for color, under in zip(colors, behind, strict=True)
    ]
    return [int(value * 65_535 + Fraction(1, 2)) for value in (*mixed, whole)]


def test_frames_are_laid_over_each_other_as_the_specification_says() -> None:
    rng = np.random.default_rng(1)

    def noise(height: int, width: int) -> NDArray[np.uint16]:
        pixels = rng.integers(0, 65_536, (height, width, 4)).astype(np.uint16)
        pixels[0, :, 3], pixels[1, :, 3] = 0, 65_535
        return pixels

    first, second, third, fourth = noise(8, 6), noise(4, 3), noise(4, 3), noise(8, 6)
    data = animated(
        [
            (first, 0, 0, LEAVE, REPLACE),
            (second, 2, 1, RESTORE, OVER),
            (third, 3, 4, CLEAR, REPLACE),
            (fourth, 0, 0, LEAVE, OVER),
        ]
    )
    one, two, three, four = shown(data)
    np.testing.assert_array_equal(one, first)
    expected = first.copy()
    for y, x in np.ndindex(4, 3):
        expected[1 + y, 2 + x] = over(second[y, x], first[1 + y, 2 + x])
    np.testing.assert_array_equal(two, expected)
    expected = first.copy()
    expected[4:8, 3:6] = third
    np.testing.assert_array_equal(three, expected)
    cleared = first.copy()
    cleared[4:8, 3:6] = 0
    for y, x in np.ndindex(8, 6):
        expected[y, x] = over(fourth[y, x], cleared[y, x])
    np.testing.assert_array_equal(four, expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_cover_and_a_transparent_colour(channels: int) -> None:
    shape = (8, 6, 3)[: 2 if channels == 1 else 3]
    cover, frame = (np.full(shape, value, np.uint16) for value in (300, 70))
    frame[2] = 1000
    key = chunk(b"tRNS", struct.pack(">H", 1000) * channels)
    data = animated([(frame, 0, 0, LEAVE, REPLACE)] * 2, cover, key)
    first, second, third = shown(data)
    assert (first == (300, 300, 300, 65_535)).all()
    np.testing.assert_array_equal(second, third)
    assert (second[2] == (1000, 1000, 1000, 0)).all()
    assert (second[3:] == (70, 70, 70, 65_535)).all()


def test_grey_with_alpha_is_read() -> None:
    frame = np.full((4, 4, 2), (999, 77), np.uint16)
    for pixels in shown(animated([(frame, 0, 0, LEAVE, REPLACE)] * 2)):
        assert (pixels == (999, 999, 999, 77)).all()


def test_damage_is_refused() -> None:
    frames = [(portrait(step), 0, 0, LEAVE, REPLACE) for step in range(3)]
    data = animated(frames)
    changed = bytearray(data)
    changed[len(data) // 2] ^= 0x55
    gone = data.index(b"fdAT") - 4
    length = int.from_bytes(data[gone : gone + 4]) + 12
    outside = animated([*frames, (portrait(0), 1, 0, LEAVE, REPLACE)])
    for damaged in (
        bytes(changed),
        data[: len(data) * 2 // 3],
        data[:gone] + data[gone + length :],
        outside,
    ):
        with pytest.raises(PictureError, match="damaged"):
            shown(damaged)
