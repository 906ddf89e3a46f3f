"""Transparent pictures: faces in what alpha shows are found, and alpha hides none."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage
from PIL import ImageSequence

import faceanon as api
from conftest import Run
from faceanon.media.reading import decode
from faceanon.model import Image
from support import EXAMPLES, encoded, json_lines, lines, read, with_pillow

LIMIT = 10_000_000
FACE = read(EXAMPLES / "astronaut.png")[20:260, 110:350]
GREY = cv2.cvtColor(FACE, cv2.COLOR_BGR2GRAY)


def tiff(pixels: Image, alpha: str) -> bytes:
    buffer = io.BytesIO()
    if alpha == "assocalpha":
        share = pixels[:, :, 3:].astype(np.uint32)
        pixels = np.dstack((pixels[:, :, :3] * share // 255, share)).astype(np.uint8)
    rgba = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)
    tifffile.imwrite(buffer, rgba, photometric="rgb", extrasamples=[alpha])
    return buffer.getvalue()


WRITERS: dict[str, Callable[[Image], bytes]] = {
    "a.png": lambda pixels: with_pillow(pixels, "PNG"),
    "deep.png": lambda pixels: encoded(pixels.astype(np.uint16) * 257),
    "a.webp": lambda pixels: with_pillow(pixels, "WEBP", lossless=True, exact=True),
    "a.avif": lambda pixels: with_pillow(pixels, "AVIF", quality=95),
    "unassociated.tif": lambda pixels: tiff(pixels, "unassalpha"),
    "associated.tif": lambda pixels: tiff(pixels, "assocalpha"),
}


def seen_in(path: Path) -> list[Image]:
    """What a file looks like, on every page and without its alpha; 8 bits."""
    looks = decode(path.read_bytes(), LIMIT).looks
    return [look if look.dtype == np.uint8 else look // 257 for look in looks]


def alpha_of(path: Path) -> Image:
    pixels = decode(path.read_bytes(), LIMIT).pixels
    return pixels[:, :, 3] if pixels.dtype == np.uint8 else pixels[:, :, 3] // 257


def film(frames: Sequence[Image]) -> bytes:
    """A GIF of transparent frames."""
    first, *more = (
        PillowImage.fromarray(cv2.cvtColor(frame, cv2.COLOR_BGRA2RGBA))
        for frame in frames
    )
    buffer = io.BytesIO()
    first.save(
        buffer, "GIF", save_all=True, append_images=more, disposal=2, duration=100
    )
    return buffer.getvalue()


def frames_of(data: bytes) -> list[Image]:
    """The frames of a film, RGBA, as another program shows them."""
    with PillowImage.open(io.BytesIO(data)) as opened:
        frames = ImageSequence.Iterator(opened)
        return [np.asarray(frame.convert("RGBA")) for frame in frames]


def cut_out() -> Image:
    """A portrait whose outline is in its alpha: cheeks, jaw and hair."""
    outline = np.zeros(GREY.shape, np.uint8)
    cv2.ellipse(outline, (112, 105), (52, 70), 0, 0, 360, 255, -1)
    return np.dstack((FACE, outline))


def in_alpha_only() -> Image:
    """A picture of one colour, whose alpha is the photograph."""
    return np.dstack((np.full_like(FACE, 90), GREY))


def under_alpha() -> Image:
    """A photograph that nobody sees who does not drop the alpha."""
    return np.dstack((FACE, np.zeros_like(GREY)))


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("make", [cut_out, in_alpha_only, under_alpha])
def test_no_face_is_left_in_any_look(
    faceanon: Run, tmp_path: Path, name: str, make: Callable[[], Image]
) -> None:
    if make is under_alpha and name == "associated.tif":
        pytest.skip("it stores no colour under what is transparent")
    source, out = tmp_path / name, tmp_path / "out" / name
    out.parent.mkdir()
    source.write_bytes(WRITERS[name](make()))
    report = tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, out, "--report", report)
    assert done.returncode == 0, done.stderr
    faces = lines(report)[0]["faces"]
    assert any(face["box"][0] < 112 < face["box"][2] for face in faces), done.stderr
    before = seen_in(source)
    where = np.zeros(GREY.shape, bool)
    for left, top, right, bottom in (face["box"] for face in faces):
        where[max(top, 0) : bottom, max(left, 0) : right] = True
    assert alpha_of(out)[where].min() >= 253
    looks = seen_in(out)
    assert all(look[where].max() <= 8 for look in looks[:3])  # the fourth is the alpha
    assert not any(api.detect(look, min_score=0.5) for look in looks)
    # What is not near a cover is as it was.
    far = ~cv2.dilate(where.astype(np.uint8), np.ones((91, 91))).astype(bool)
    tolerance = 24 if name == "a.avif" else 0
    assert np.abs(alpha_of(source).astype(int) - alpha_of(out))[far].max() <= tolerance
    if name != "a.avif":
        np.testing.assert_array_equal(before[0][far], seen_in(out)[0][far])


@pytest.mark.parametrize("method", ["pixelate", "blur", "emoji"])
def test_the_outline_of_a_face_is_not_left_in_the_alpha(
    faceanon: Run, tmp_path: Path, method: str
) -> None:
    source, out, report = (tmp_path / n for n in ("a.png", "b.png", "r.jsonl"))
    source.write_bytes(WRITERS["a.png"](cut_out()))
    assert faceanon(method, source, out, "--report", report).returncode == 0
    (face, *_) = lines(report)[0]["faces"]
    left, top, right, bottom = face["box"]
    assert alpha_of(source)[top:bottom, left:right].min() == 0
    assert alpha_of(out)[top:bottom, left:right].min() == 255


def test_a_gif_keeps_its_transparency_but_under_covers(
    faceanon: Run, tmp_path: Path
) -> None:
    source, out, report = (tmp_path / n for n in ("a.gif", "b.gif", "r.jsonl"))
    frames = [np.roll(cut_out(), 4 * step, axis=1) for step in range(3)]
    source.write_bytes(film(frames))
    assert faceanon("blackbar", source, out, "--report", report).returncode == 0
    after = frames_of(out.read_bytes())
    for face in lines(report)[0]["faces"]:
        left, top, right, bottom = face["box"]
        assert after[face["frame"]][top:bottom, left:right, 3].min() == 255
        assert after[face["frame"]][top:bottom, left:right, :3].max() == 0
    assert all(frame[:5, :, 3].max() == 0 for frame in after)


def test_verify_sees_what_alpha_shows(faceanon: Run, tmp_path: Path) -> None:
    """Black colours under an alpha that is the photograph are no cover."""
    source, out = tmp_path / "a.png", tmp_path / "b.png"
    source.write_bytes(WRITERS["a.png"](np.dstack((FACE, GREY))))
    out.write_bytes(WRITERS["a.png"](np.dstack((np.zeros_like(FACE), GREY))))
    done = faceanon("verify", source, out)
    assert done.returncode == 1
    found = json_lines(done.stdout)
    assert {line["kind"] for line in found if line["fails"]} <= {
        *("face left", "recognisable", "visible"),
    }
    good = tmp_path / "c.png"
    assert faceanon("blackbar", source, good).returncode == 0
    done = faceanon("verify", source, good)
    assert done.returncode == 0, done.stdout
