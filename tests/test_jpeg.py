"""JPEGs stay as they are outside the blocks of hidden faces, and hold nothing of those.

Coefficients are read with jpeglib, which has its own libjpeg.
"""

import hashlib
import io
import platform
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageOps

from conftest import Run
from faceanon.boxes import Record, to_line
from faceanon.errors import PictureError
from faceanon.media.clip import Frame
from faceanon.media.formats.jpeg import turbojpeg
from faceanon.media.picture import Picture
from faceanon.media.reading import decode
from faceanon.media.write_options import WriteOptions
from faceanon.media.writing import TRANSCODED, encode, encode_still
from faceanon.model import Box, Cover, Face, Image
from faceanon.pipeline.hide import Hiding, hide_faces
from faceanon.requests.settings import make_settings
from support import (
    EXAMPLES,
    SRGB,
    decoded,
    exif_turned,
    lines,
    read,
    recolored,
    with_pillow,
)

jpeglib = pytest.importorskip("jpeglib", reason="it has no wheel here")

DATA = Path(__file__).parents[1] / "data"
LIMIT = 10_000_000

needs_library = pytest.mark.skipif(
    not turbojpeg.is_available(), reason="there is no libturbojpeg"
)

GROUP = (
    Face(
        Box(2333, 471, 2626, 838),
        0.9,
        ((2398, 602), (2533, 604), (2450, 673), (2401, 736), (2513, 738)),
    ),
    Face(
        Box(1791, 435, 2111, 868),
        0.9,
        ((1874, 597), (2024, 588), (1952, 672), (1892, 750), (2020, 744)),
    ),
)

# Cut so that blocks reach beyond the edges. Of the two faces of the group one counts;
# the other place is the corner, where a half-seen face would be.
PHOTO = cv2.resize(read(EXAMPLES / "group.jpg"), (1536, 1152))[100:729, 460:1165]
HEIGHT, WIDTH = PHOTO.shape[:2]
FACES = (
    Face(Box(47, 145, 214, 371), 0.9),
    Face(Box(WIDTH - 170, HEIGHT - 190, WIDTH + 3, HEIGHT - 1), 0.9),
)
COVER = Cover()


def with_simplejpeg(pixels: Image, subsampling: str) -> bytes:
    rows = np.ascontiguousarray(pixels)
    data: bytes = simplejpeg.encode_jpeg(rows, 85, "BGR", subsampling)
    return data


# How each is made: by simplejpeg those whose chroma Pillow cannot write.
KINDS: dict[str, dict[str, object]] = {
    "4:4:4": {"subsampling": "4:4:4"},
    "4:2:2": {"subsampling": "4:2:2"},
    "4:2:0": {"subsampling": "4:2:0"},
    "4:4:0": {},
    "4:1:1": {},
    "grey": {},
    "rgb": {"keep_rgb": True},
    "progressive": {"progressive": True},
    "progressive grey": {"progressive": True},
    "optimized": {"optimize": True},
    "restarts": {"restart_marker_blocks": 5},
    "finest": {"quality": 100, "subsampling": "4:4:4"},
    "coarse": {"quality": 10},
}


def stored_as(kind: str, pixels: Image) -> bytes:
    """The picture as a JPEG of this kind."""
    if kind in ("4:4:0", "4:1:1"):
        return with_simplejpeg(pixels, kind.replace(":", ""))
    if "grey" in kind:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    return with_pillow(pixels, "JPEG", **{"quality": 85, **KINDS[kind]})


def hidden(data: bytes, faces: tuple[Face, ...] = FACES) -> tuple[Picture, Picture]:
    """The picture before and after black bars."""
    before = decode(data, LIMIT)
    before = replace(before, metadata=before.metadata.kept("safe"))
    rng = np.random.default_rng(0)
    pixels = hide_faces(
        before.color, faces, (), make_settings("blackbar", {}), rng
    ).image
    return before, recolored(before, pixels)


def written(
    data: bytes,
    *,
    faces: tuple[Face, ...] = FACES,
    method: str = "blackbar",
    lazily: bool = False,
) -> tuple[bytes, str]:
    """The output with hidden faces, and what became of its blocks."""
    picture = decode(data, LIMIT, lazily=lazily)
    picture = replace(picture, metadata=picture.metadata.kept("safe"))
    edit = None
    if faces:
        settings, rng = make_settings(method, {}), np.random.default_rng(0)
        edit = Hiding(faces, settings, rng).edit(picture)
    return encode_still(Frame(picture, edit=edit), WriteOptions())


def kept(
    data: bytes, *, faces: tuple[Face, ...] = FACES, method: str = "blackbar"
) -> bytes:
    """The output with hidden faces; it must have kept the blocks."""
    output, how = written(data, faces=faces, method=method, lazily=True)
    assert how == TRANSCODED
    return output


@dataclass
class Coefficients:
    components: list[NDArray[np.int16]]
    tables: NDArray[np.uint16]
    sampling: NDArray[np.int32]
    progressive: bool


Reader = Callable[[bytes], Coefficients]


@pytest.fixture
def coefficients(tmp_path: Path) -> Iterator[Reader]:
    """Reads the quantized coefficients of a JPEG, each (rows, columns, 8, 8)."""

    def reader(data: bytes) -> Coefficients:
        path = tmp_path / "coefficients.jpg"
        path.write_bytes(data)
        read_ = jpeglib.read_dct(str(path))
        components = [read_.Y, *((read_.Cb, read_.Cr) if read_.has_chrominance else ())]
        tables = read_.qt[read_.quant_tbl_no]
        return Coefficients(
            components, tables, read_.samp_factor, bool(read_.progressive_mode)
        )

    with jpeglib.version("turbo210"):
        yield reader


def covered(faces: tuple[Face, ...] = FACES) -> NDArray[np.bool_]:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    for face in faces:
        mask[COVER.box(face, PHOTO).slices] = True
    return mask


def blocks_of(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which blocks of a component of this many rows and columns hold such a pixel."""
    rows, columns = shape[:2]
    # A component has one, a half or a quarter of the blocks that its pixels fill.
    down = -(-mask.shape[0] // 8) / rows
    across = -(-mask.shape[1] // 8) / columns
    y, x = np.nonzero(mask)
    touched = np.zeros((rows, columns), dtype=bool)
    touched[y // (8 * round(down)), x // (8 * round(across))] = True
    return touched


@needs_library
@pytest.mark.parametrize("kind", KINDS)
def test_coefficients_outside_the_hidden_blocks_stay(
    kind: str, coefficients: Reader
) -> None:
    data = stored_as(kind, PHOTO)
    before, after = coefficients(data), coefficients(kept(data))
    assert (before.tables == after.tables).all()
    assert (before.sampling == after.sampling).all()
    assert before.progressive == after.progressive == kind.startswith("progressive")
    for old, new in zip(before.components, after.components, strict=True):
        changed = (old != new).any(axis=(2, 3))
        touched = blocks_of(covered(), old.shape)
        assert not (changed & ~touched).any()
        assert changed.any()


@needs_library
@pytest.mark.parametrize("kind", KINDS)
def test_the_bars_look_as_in_a_picture_that_is_encoded_anew(kind: str) -> None:
    data = stored_as(kind, PHOTO)
    before, after = hidden(data)
    output, _ = written(data)
    reference = decode(encode(after), LIMIT).pixels
    mask = covered()
    # The largest blocks of chroma are 32 pixels wide.
    inside = cv2.erode(mask.astype(np.uint8), np.ones((67, 67))) > 0
    again = np.abs(reference.astype(int) - after.pixels)[mask].mean()
    for pixels in with_every_decoder(output):
        assert pixels.shape == before.color.shape
        assert pixels[inside].max() <= 1
        # As near to the pixels that were asked for as encoding them anew comes.
        error = np.abs(pixels.astype(int) - after.color)[mask].mean()
        assert error <= again + 1
    # Far from the bars nothing has changed at all; near them, chroma of the bars is
    # spread by the decoder.
    far = cv2.dilate(mask.astype(np.uint8), np.ones((67, 67))) == 0
    assert (decode(output, LIMIT).pixels[far] == before.pixels[far]).all()


def with_every_decoder(data: bytes) -> Iterator[Image]:
    """BGR pixels from Pillow, OpenCV, simplejpeg and, where there is one, djpeg."""
    with PillowImage.open(io.BytesIO(data)) as opened:
        turned = ImageOps.exif_transpose(opened).convert("RGB")
        yield cv2.cvtColor(np.array(turned), cv2.COLOR_RGB2BGR)
        is_turned = opened.getexif().get(0x0112, 1) != 1
    yield decoded(data)
    if is_turned:
        return
    yield simplejpeg.decode_jpeg(data, "BGR", strict=True)
    djpeg = shutil.which("djpeg")
    if djpeg is not None:
        pnm = subprocess.run(
            [djpeg, "-rgb"], input=data, capture_output=True, check=True
        )
        yield decoded(pnm.stdout)


@needs_library
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("method", ["blackbar", "blur", "pixelate", "emoji"])
@pytest.mark.parametrize("kind", KINDS)
def test_decoding_no_more_than_the_faces_makes_no_difference(
    kind: str, method: str, orientation: int
) -> None:
    body = exif_turned(orientation).tobytes()
    data = stored_as(kind, PHOTO)
    data = data[:2] + b"\xff\xe1" + (2 + len(body)).to_bytes(2) + body + data[2:]
    # With two of them, chance may serve the other one first.
    faces = FACES if method == "blackbar" else FACES[:1]
    whole, _ = written(data, faces=faces, method=method)
    sparing = kept(data, faces=faces, method=method)
    # But for coefficients that are as near to one number as to the next.
    difference = np.abs(
        decode(sparing, LIMIT).pixels.astype(int) - decode(whole, LIMIT).pixels
    )
    assert difference.max() <= 12
    assert difference.mean() < 0.02


@needs_library
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_under_the_bars_makes_no_difference(kind: str) -> None:
    """Not one byte tells which of two pictures, alike but for the faces, it was."""
    rng = np.random.default_rng(0)
    other = PHOTO.copy()
    for face in FACES:
        inside = other[face.box.clipped(HEIGHT, WIDTH).slices]
        inside[:] = rng.integers(0, 256, inside.shape)
    first, second = stored_as(kind, PHOTO), stored_as(kind, other)
    assert first != second
    assert kept(first) == kept(second)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_without_a_face_keeps_every_coefficient(
    kind: str, coefficients: Reader
) -> None:
    data = stored_as(kind, PHOTO)
    output = kept(data, faces=())
    before, after = coefficients(data), coefficients(output)
    assert (before.tables == after.tables).all()
    for old, new in zip(before.components, after.components, strict=True):
        assert (old == new).all()
    assert (decode(output, LIMIT).pixels == decode(data, LIMIT).pixels).all()
    assert len(output) <= len(data)


@needs_library
@pytest.mark.parametrize("subsampling", ["444", "422", "420", "440", "411"])
@pytest.mark.parametrize("height", [1, 7, 8, 9, 17, 40])
@pytest.mark.parametrize("width", [1, 8, 15, 33])
def test_pictures_of_any_size(subsampling: str, height: int, width: int) -> None:
    data = with_simplejpeg(PHOTO[:height, :width], subsampling)
    faces = (Face(Box(width // 2, height // 2, width, height), 0.9),)
    before, after = hidden(data, faces=faces)
    output = decode(kept(data, faces=faces), LIMIT)
    assert output.pixels.shape == before.pixels.shape
    assert (after.pixels[-1, -1] == 0).all()
    assert output.pixels[-1, -1].mean() < 40


@needs_library
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_every_orientation(
    subsampling: str, orientation: int, coefficients: Reader
) -> None:
    exif = exif_turned(orientation)
    exif[0x010E] = "who it was"
    data = with_pillow(PHOTO, "JPEG", quality=90, subsampling=subsampling, exif=exif)
    before = decode(data, LIMIT)
    height, width = before.pixels.shape[:2]
    faces = (Face(Box(width // 4, 0, width // 4 + 70, 90), 0.9),)
    before, after = hidden(data, faces=faces)
    output = kept(data, faces=faces)
    box = COVER.box(faces[0], before.pixels)
    rest = np.ones((height, width), dtype=bool)
    rest[Box(box.left - 33, 0, box.right + 33, box.bottom + 33).slices] = False
    for pixels in with_every_decoder(output):
        assert np.abs(pixels.astype(int) - after.pixels)[box.slices].mean() < 3
        assert np.abs(pixels.astype(int) - before.pixels)[rest].mean() < 1
    with PillowImage.open(io.BytesIO(output)) as opened:
        assert opened.size == (WIDTH, HEIGHT)  # as it is stored
        expected = {0x0112: orientation} if orientation != 1 else {}
        assert dict(opened.getexif()) == expected
    assert b"who it was" not in output
    unchanged = [
        (old == new).all(axis=(2, 3)).mean()
        for old, new in zip(
            coefficients(data).components, coefficients(output).components, strict=True
        )
    ]
    assert min(unchanged) > 0.9


# --- What else is in the file ----------------------------------------------------


def laden(profile: bytes) -> bytes:
    """A JPEG with all that must not get out, and a colour profile."""
    exif = PillowImage.Exif()
    exif[0x010F] = "the maker"
    data = with_pillow(
        PHOTO, "JPEG", quality=85, exif=exif, comment=b"a comment",
        icc_profile=profile, dpi=(72, 72),
    )  # fmt: skip
    jfxx = b"\xff\xe0" + (2 + 5 + 9).to_bytes(2) + b"JFXX\0" + b"thumbnail"
    xmp = b"\xff\xe1" + (2 + 12).to_bytes(2) + b"http://ns.ad"
    late = b"\xff\xfe" + (2 + 9).to_bytes(2) + b"a comment"
    # After the scan, before the end; and after the end.
    return data[:2] + jfxx + xmp + data[2:-2] + late + data[-2:] + b"a trailer" + data


def large_profile() -> bytes:
    """A colour profile that needs three segments: one large table (ICC.1, 7.2)."""
    table = b"mft2" + bytes(150_000)
    entry = struct.pack(">4sII", b"A2B0", 128 + 4 + 12, len(table))
    body = struct.pack(">I", 1) + entry + table
    header = bytearray(SRGB[:128])
    header[:4] = struct.pack(">I", 128 + len(body))
    return bytes(header) + body


@pytest.mark.parametrize("faces", [pytest.param(FACES, marks=needs_library), ()])
def test_nothing_but_the_colour_profile_gets_out(faces: tuple[Face, ...]) -> None:
    profile = large_profile()
    output = kept(laden(profile), faces=faces)
    for secret in (b"maker", b"comment", b"trailer", b"JFXX", b"http"):
        assert secret not in output
    assert output.count(b"\xff\xd8\xff") == 1
    assert output.endswith(b"\xff\xd9")
    assert decode(output, LIMIT).icc_profile == profile
    with PillowImage.open(io.BytesIO(output)) as opened:
        assert opened.info["dpi"] == (72, 72)
        assert opened.info.keys() <= {
            "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "icc_profile",
        }  # fmt: skip


def test_data_hidden_between_the_picture_and_its_end_is_refused() -> None:
    data = stored_as("4:2:0", PHOTO)
    with pytest.raises(PictureError, match="damaged"):
        decode(data[:-2] + b"who and where" * 80 + data[-2:], LIMIT)


@pytest.mark.parametrize("faces", [pytest.param(FACES, marks=needs_library), ()])
@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_damage_is_found_also_where_nobody_looks_for_faces(
    faceanon: Run, tmp_path: Path, faces: tuple[Face, ...], place: float
) -> None:
    data = bytearray(stored_as("4:2:0", PHOTO))
    start = int(place * len(data))
    del data[start : start + 500]
    source, boxes, out = (tmp_path / name for name in ("in.jpg", "b.jsonl", "out.jpg"))
    source.write_bytes(data)
    record = Record("in.jpg", WIDTH, HEIGHT, hidden=faces)
    boxes.write_text(to_line(record) + "\n")
    done = faceanon("blackbar", source, out, "--boxes", boxes)
    assert done.returncode == 1, done.stderr
    assert "in.jpg: the file is damaged" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize("faces", [pytest.param(FACES, marks=needs_library), ()])
@pytest.mark.parametrize("kind", ["4:2:0", "progressive grey"])
def test_junk_between_the_segments_of_the_header_is_no_damage(
    kind: str, faces: tuple[Face, ...]
) -> None:
    """Some programs leave it there, and every viewer skips it."""
    data = stored_as(kind, PHOTO)
    table = data.index(b"\xff\xdb")
    littered = data[:table] + bytes(5) + data[table:]
    assert kept(littered, faces=faces) == kept(data, faces=faces)
    assert (decode(littered, LIMIT).pixels == decode(data, LIMIT).pixels).all()


@needs_library
def test_what_cannot_be_written_again_is_encoded_anew(tmp_path: Path) -> None:
    """libjpeg-turbo decodes such coefficients, but writes a damaged file of them."""
    path = tmp_path / "in.jpg"
    path.write_bytes(stored_as("4:2:0", PHOTO))
    with jpeglib.version("turbo210"):
        file = jpeglib.read_dct(str(path))
        file.Y[::2, ::2, 0, 0] = 1500
        file.write_dct(str(path))
    output, how = written(path.read_bytes())
    assert how == "re-encoded: its coefficients are out of range"
    assert decode(output, LIMIT).pixels.shape == PHOTO.shape


# --- When the blocks are not kept --------------------------------------------------


def outcome(report: Path) -> dict[str, Any]:
    (line,) = lines(report)
    return line


@pytest.mark.parametrize("variable", ["/nowhere/libturbojpeg.so", __file__])
def test_without_the_library_faces_are_hidden_all_the_same(
    faceanon: Run, environment: dict[str, str], tmp_path: Path, variable: str
) -> None:
    environment["FACEANON_TURBOJPEG"] = variable
    source = EXAMPLES / "grace_hopper.jpg"
    out, report = tmp_path / "out.jpg", tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, out, "--report", report)
    assert done.returncode == 0, done.stderr
    line = outcome(report)
    assert line["jpeg"] == "re-encoded: libturbojpeg was not found"
    left, top, right, bottom = line["faces"][0]["box"]
    assert read(out)[top:bottom, left:right].max() < 10


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="no library is shipped for it",
)
def test_the_library_that_is_shipped_serves_and_is_the_one_it_is_said_to_be(
    faceanon: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    library = DATA / "turbojpeg" / "libturbojpeg-linux-x86_64.so.0"
    digest = hashlib.sha256(library.read_bytes()).hexdigest()
    assert digest in library.with_name("README.md").read_text()
    environment["FACEANON_TURBOJPEG"] = str(library)
    out, report = tmp_path / "out.jpg", tmp_path / "report.jsonl"
    faceanon("blackbar", EXAMPLES / "grace_hopper.jpg", out, "--report", report)
    assert outcome(report)["jpeg"] == "kept"


@needs_library
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "kept"),
        (["--format", "jpeg"], "kept"),
        (["--quality", 80], "re-encoded: a quality was asked for"),
        (["--format", "png"], None),
    ],
)
def test_the_report_tells_how_a_jpeg_was_written(
    faceanon: Run, tmp_path: Path, options: list[object], expected: str | None
) -> None:
    source, report = EXAMPLES / "grace_hopper.jpg", tmp_path / "report.jsonl"
    target = tmp_path / ("out.png" if "png" in options else "out.jpg")
    done = faceanon("blackbar", source, target, "--report", report, *options)
    assert done.returncode == 0, done.stderr
    assert outcome(report)["jpeg"] == expected


@needs_library
@pytest.mark.parametrize(
    "method", ["blackbar", "pixelate", "blur", "swap", "emoji", "eyecolor"]
)
def test_every_method_keeps_the_rest_of_a_picture(
    faceanon: Run, tmp_path: Path, method: str, coefficients: Reader
) -> None:
    source, target = EXAMPLES / "group.jpg", tmp_path / "out.jpg"
    boxes, report = tmp_path / "boxes.jsonl", tmp_path / "report.jsonl"
    record = Record(source.name, 3072, 2304, hidden=GROUP)
    boxes.write_text(to_line(record) + "\n")
    done = faceanon(method, source, target, "--boxes", boxes, "--report", report)
    assert done.returncode == 0, done.stderr
    assert outcome(report)["jpeg"] == "kept"
    before, after = coefficients(source.read_bytes()), coefficients(target.read_bytes())
    for old, new in zip(before.components, after.components, strict=True):
        assert 0 < (old != new).any(axis=(2, 3)).mean() < 0.1


def test_a_scan_that_names_no_coefficients_is_no_damage(
    faceanon: Run, tmp_path: Path
) -> None:
    """Phones of Samsung write so, and every decoder takes all coefficients."""
    sound = (EXAMPLES / "grace_hopper.jpg").read_bytes()
    scan = sound.index(b"\xff\xda")
    end = scan + 2 + int.from_bytes(sound[scan + 2 : scan + 4])
    assert sound[end - 3 : end] == bytes([0, 63, 0])
    outputs = []
    for name, data in (
        ("sound", sound),
        ("phone", sound[: end - 3] + bytes(3) + sound[end:]),
    ):
        source, target = tmp_path / f"{name}.jpg", tmp_path / f"{name}_out.jpg"
        source.write_bytes(data)
        done = faceanon("blackbar", source, target)
        assert done.returncode == 0, done.stderr
        outputs.append(read(target))
    first, second = outputs
    assert np.array_equal(first, second)
