"""AVIF and HEIF of 10 and 12 bits, and the code points of their colours."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from conftest import Run
from faceanon.audit.scan import scan
from faceanon.errors import PictureError
from faceanon.media.reading import decode
from faceanon.media.writing import encode
from faceanon.model import Image
from faceanon.storage.suffixes import Format
from support import EXAMPLES, decoded, encoded, exif_turned, lines, read, with_pillow
from support import SRGB as SRGB_PROFILE

LIMIT = 10_000_000
SRGB, P3, PQ, HLG = (1, 13), (12, 13), (9, 16), (9, 18)
SECRET = b"Jane Doe"


def portrait() -> NDArray[np.float64]:
    """The astronaut's face and shoulders, 0 to 1, with more shades than 8 bits have."""
    pixels = read(EXAMPLES / "astronaut.png").astype(np.float32)[10:330, 80:380]
    shrunk = cv2.resize(pixels, (225, 240), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.float64) / 255


def exif(orientation: int) -> bytes:
    block = exif_turned(orientation)
    block[0x013B] = SECRET.decode()
    return block.tobytes()


def stored(upright: Image, orientation: int) -> Image:
    """The pixels that a file with this EXIF orientation holds."""
    if orientation in (2, 3, 6, 7):
        upright = upright[:, ::-1]
    if orientation in (3, 4, 7, 8):
        upright = upright[::-1]
    if orientation in (5, 6, 7, 8):
        upright = upright.swapaxes(0, 1)
    return np.ascontiguousarray(upright)


def coded(data: bytes, code_points: tuple[int, int], *, narrow: bool = False) -> bytes:
    """The same file with other code points in its colour box."""
    place = data.index(b"colrnclx") + 8
    primaries, transfer = code_points
    last = bytes([data[place + 6] & 0x7F]) if narrow else data[place + 6 : place + 7]
    told = bytes((0, primaries, 0, transfer)) + data[place + 4 : place + 6] + last
    return data[:place] + told + data[place + 7 :]


def code_points_of(data: bytes) -> tuple[int, int]:
    place = data.index(b"colrnclx") + 8
    return data[place + 1], data[place + 3]


def avif(pixels: NDArray[np.float64], depth: int, *, orientation: int = 1) -> bytes:
    if not cv2.haveImageWriter(".avif"):
        pytest.skip("OpenCV has no AVIF on this system")
    samples = np.round(pixels * (2**depth - 1)).astype(np.uint16)
    done, buffer = cv2.imencodeWithMetadata(
        ".avif",
        stored(samples, orientation),
        [cv2.IMAGE_METADATA_EXIF],
        [np.frombuffer(exif(orientation).removeprefix(b"Exif\0\0"), np.uint8)],
        [cv2.IMWRITE_AVIF_DEPTH, depth, cv2.IMWRITE_AVIF_QUALITY, 95],
    )
    assert done
    return buffer.tobytes()


def heic(pixels: NDArray[np.float64], depth: int, *, orientation: int = 1) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra 'heif'")
    samples = np.round(pixels * (2**depth - 1)).astype(np.uint16) << (16 - depth)
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    samples = stored(samples, orientation)
    buffer = io.BytesIO()
    pillow_heif.encode(
        {1: "L;16", 3: "BGR;16", 4: "BGRA;16"}[channels],
        samples.shape[1::-1],
        samples.tobytes(),
        buffer,
        bit_depth=depth,
        quality=95,
        exif=exif(orientation),
    )
    return buffer.getvalue()


MAKERS = {"avif": avif, "heic": heic}


def shown(path: Path) -> tuple[NDArray[np.float64], int]:
    """What another reader makes of a file, 0 to 1, and its depth."""
    data = path.read_bytes()
    if path.suffix == ".avif":
        depth = 12 if data[data.index(b"av1C") + 6] & 0x20 else 10
        pixels = decoded(data, cv2.IMREAD_UNCHANGED)
        assert pixels.dtype == np.uint16
        return pixels / (2**depth - 1), depth
    import pillow_heif

    file = pillow_heif.open_heif(data, convert_hdr_to_8bit=False, bgr_mode=True)
    depth = file.info["bit_depth"]
    return (np.asarray(file) >> (16 - depth)) / (2**depth - 1), depth


def with_alpha(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    alpha = np.linspace(0.25, 1, pixels.shape[1])
    return np.dstack((pixels, np.broadcast_to(alpha, pixels.shape[:2])))


@pytest.mark.parametrize("suffix", MAKERS)
def test_faces_are_hidden_and_the_depth_and_colours_stay(
    faceanon: Run, tmp_path: Path, suffix: str
) -> None:
    make, photo = MAKERS[suffix], portrait()
    pictures = {
        "ten": (photo, make(photo, 10)),
        "twelve": (photo, make(photo, 12)),
        "clear": (with_alpha(photo), make(with_alpha(photo), 10)),
        "grey": (photo[:, :, 1], make(photo[:, :, 1], 10)),
        "turned": (photo, make(photo, 10, orientation=6)),
        "hdr": (photo, coded(make(photo, 10), PQ)),
    }
    source, target, report = tmp_path / "in", tmp_path / "out", tmp_path / "r.jsonl"
    source.mkdir()
    for name, (_, data) in pictures.items():
        (source / f"{name}.{suffix}").write_bytes(data)
    done = faceanon("blackbar", source, target, "--report", report)
    assert done.returncode == 0, done.stderr
    faces = {}
    for line in lines(report):
        faces[Path(line["input"]).stem] = [face["box"] for face in line["faces"]]
    for name, (before, _) in pictures.items():
        path = target / f"{name}.{suffix}"
        after, depth = shown(path)
        assert depth == (12 if name == "twelve" else 10)
        assert after.shape == before.shape
        ((left, top, right, bottom),) = faces[name]
        assert np.atleast_3d(after)[top:bottom, left:right, :3].mean() < 0.02
        dx, dy = round((right - left) * 0.3) + 8, round((bottom - top) * 0.3) + 8
        outside = np.ones(before.shape[:2], bool)
        outside[max(top - dy, 0) : bottom + dy, max(left - dx, 0) : right + dx] = False
        difference = (after - before)[outside]
        assert np.abs(difference).mean() < 2 / 255
        assert np.abs(difference.mean(axis=0)).max() < 0.2 / 255
        assert len(np.unique(after[outside])) > 512
        if name == "hdr":
            assert code_points_of(path.read_bytes()) == PQ
        assert not [finding for finding in scan(path) if finding.identifies]
        assert SECRET not in path.read_bytes()


@pytest.mark.parametrize("suffix", MAKERS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pictures_come_out_upright(suffix: str, orientation: int) -> None:
    photo = portrait()[:64, :96]
    data = MAKERS[suffix](photo, 10, orientation=orientation)
    pixels = decode(data, LIMIT).pixels / 65_535
    assert pixels.shape == photo.shape
    assert np.abs(pixels - photo).mean() < 3 / 255
    again = decode(encode(decode(data, LIMIT)), LIMIT)
    assert np.abs(again.pixels / 65_535 - photo).mean() < 4 / 255


@pytest.mark.parametrize("suffix", MAKERS)
@pytest.mark.parametrize("depth", [10, 12])
def test_samples_reach_other_formats_as_they_are(suffix: str, depth: int) -> None:
    picture = decode(MAKERS[suffix](portrait(), depth), LIMIT)
    assert picture.pixels.dtype == np.uint16
    pixels = np.asarray(picture.pixels, np.uint16)
    for format_ in ("png", "tiff"):
        again = decode(encode(picture, format_), LIMIT)
        np.testing.assert_array_equal(again.pixels, pixels)
    assert pixels.max() > 65_000
    low = pixels & (2 ** (16 - depth) - 1)
    np.testing.assert_array_equal(low, pixels >> depth)
    with pytest.raises(PictureError, match="more than 8 bits, which webp cannot hold"):
        encode(picture, "webp")


@pytest.mark.parametrize("suffix", MAKERS)
@pytest.mark.parametrize("depth", [10, 12])
def test_at_the_best_quality_no_bit_is_lost(suffix: str, depth: int) -> None:
    picture = decode(MAKERS[suffix](portrait()[:, :, 1], depth), LIMIT)
    again = decode(encode(picture, quality=100), LIMIT)
    difference = again.pixels.astype(int) - picture.pixels
    if suffix == "avif":
        assert not difference.any()
    # To round to 8 bits would cost 64 on average.
    assert np.abs(difference).mean() < 16


@pytest.mark.parametrize("format_", ["avif", "heif"])
def test_a_png_of_16_bits_becomes_one_of_12(format_: Format) -> None:
    if format_ == "heif":
        pytest.importorskip("pillow_heif", reason="needs the extra 'heif'")
    elif not cv2.haveImageWriter(".avif"):
        pytest.skip("OpenCV has no AVIF on this system")
    pixels = np.round(portrait() * 65_535).astype(np.uint16)
    again = decode(encode(decode(encoded(pixels), LIMIT), format_), LIMIT)
    assert again.encoding.depth == 12
    assert np.abs(again.pixels.astype(int) - pixels).mean() < 257 * 2


@pytest.mark.parametrize("suffix", MAKERS)
@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("code_points", [P3, PQ, HLG])
def test_colours_that_no_profile_tells_are_told_again_or_refused(
    suffix: str, depth: int, code_points: tuple[int, int]
) -> None:
    format_: Format = "avif" if suffix == "avif" else "heif"
    if depth == 10:
        data = MAKERS[suffix](portrait()[:64, :96], 10)
    else:
        if suffix == "heic":
            pytest.importorskip("pillow_heif", reason="needs the extra 'heif'")
        png = encoded((portrait() * 255).astype(np.uint8))
        data = encode(decode(png, LIMIT), format_)
    picture = decode(coded(data, code_points), LIMIT)
    assert code_points_of(encode(picture)) == code_points
    png = encode(picture, "png")
    assert b"cICP" + bytes((*code_points, 0, 1)) in png
    assert code_points_of(encode(decode(png, LIMIT), format_)) == code_points
    with pytest.raises(PictureError, match="HDR or wider than sRGB"):
        encode(picture, "tiff")


def test_code_points_beside_a_profile_are_not_believed_but_for_hdr() -> None:
    pixels = (portrait()[:64, :96] * 255).astype(np.uint8)
    data = with_pillow(pixels, "AVIF", icc_profile=SRGB_PROFILE)
    for code_points, kept in (((9, 1), False), (PQ, True)):
        picture = decode(coded(data, code_points), LIMIT)
        assert picture.icc_profile
        assert (b"cICP" in encode(picture, "png")) == kept


def test_grey_in_the_narrow_range_of_video_is_shown_as_other_readers_do() -> None:
    data = coded(avif(0.1 + 0.8 * portrait()[:, :, 1], 10), SRGB, narrow=True)
    with PillowImage.open(io.BytesIO(data)) as image:
        expected = np.asarray(image.convert("L")) / 255
    pixels = decode(data, LIMIT).pixels / 65_535
    assert np.abs(pixels - expected).mean() < 0.6 / 255


def test_what_cannot_be_held_is_named() -> None:
    photo = portrait()[:64, :96]
    data = bytearray(avif(with_alpha(photo), 10))
    for place in range(len(data) - 4):
        if data[place : place + 4] == b"av1C":
            data[place + 6] |= 0x10
    with pytest.raises(PictureError, match="10 bits in grey with transparency"):
        decode(bytes(data), LIMIT)
    grey = avif(photo[:, :, 1], 12).replace(b"colrnclx", b"colr????")
    with pytest.raises(PictureError, match="does not tell which value is white"):
        decode(grey, LIMIT)


def test_a_system_without_avif_in_opencv_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with the wheels of OpenCV for Windows."""
    data = avif(portrait()[:64, :96], 10)
    picture = decode(data, LIMIT)
    monkeypatch.setattr(cv2, "haveImageWriter", lambda suffix: False)
    with pytest.raises(PictureError, match="OpenCV does not read on this system"):
        decode(data, LIMIT)
    with pytest.raises(PictureError, match="OpenCV writes no AVIF on this system"):
        encode(picture)


def test_deep_animations_are_refused(faceanon: Run, tmp_path: Path) -> None:
    film = cv2.Animation()
    if not cv2.haveImageWriter(".avif"):
        pytest.skip("OpenCV has no AVIF on this system")
    frame = np.round(portrait() * 1023).astype(np.uint16)
    film.frames, film.durations = [frame, frame[::-1].copy()], [100, 100]
    done, buffer = cv2.imencodeanimation(
        ".avif", film, [cv2.IMWRITE_AVIF_DEPTH, 10, cv2.IMWRITE_AVIF_SPEED, 9]
    )
    assert done
    source = tmp_path / "film.avif"
    source.write_bytes(buffer.tobytes())
    run = faceanon("blackbar", source, tmp_path / "out.avif")
    assert run.returncode == 1
    assert "animated AVIF of more than 8 bits" in run.stderr


def test_an_animation_in_hdr_stays_so_or_is_refused(
    faceanon: Run, tmp_path: Path
) -> None:
    frame = PillowImage.fromarray((portrait()[:, :, ::-1] * 255).astype(np.uint8))
    source, target = tmp_path / "film.avif", tmp_path / "out.avif"
    frame.save(source, save_all=True, append_images=[frame.rotate(3)], quality=90)
    data = source.read_bytes()
    assert data.count(b"colrnclx") == 2
    marked = coded(data, HLG).partition(b"trak")
    source.write_bytes(marked[0] + marked[1] + coded(marked[2], HLG))
    assert faceanon("blackbar", source, target).returncode == 0
    written = target.read_bytes()
    assert code_points_of(written) == HLG
    assert code_points_of(written[written.index(b"trak") :]) == HLG
    done = faceanon("blackbar", source, tmp_path / "out.webp", "--format", "webp")
    assert done.returncode == 1
    assert "HDR or wider than sRGB, which webp cannot hold" in done.stderr


@pytest.mark.parametrize("suffix", MAKERS)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7, 0.98])
def test_a_truncated_deep_file_is_refused(suffix: str, kept: float) -> None:
    data = MAKERS[suffix](portrait(), 10)
    with pytest.raises(PictureError):
        decode(data[: int(len(data) * kept)], LIMIT)
