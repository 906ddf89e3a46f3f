"""Files as few programs write them: read for what they are, or refused by name."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import PngImagePlugin

from conftest import Run
from containers import chunk
from faceanon.errors import PictureError
from faceanon.media.clip import EditedFrame, Header
from faceanon.media.formats import gif
from faceanon.media.picture import Encoding, Picture
from faceanon.media.reading import decode
from faceanon.media.writing import encode
from faceanon.storage.suffixes import Format
from support import EXAMPLES, exif_turned, read, recolored

LIMIT = 1_000_000
FACE = (slice(5, 12), slice(20, 30))

Tag = tuple[int, int, int, bytes, bool]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_a_png_stays_transparent(depth: int) -> None:
    bits = "".join(f"{value:0{depth}b}" for value in (0, 1, 0, 1, 1, 0, 0, 1))
    row = int(bits, 2).to_bytes(depth)
    size = struct.pack(">IIBBBBB", 8, 1, depth, 0, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size)
        + chunk(b"tRNS", b"\0\1")
        + chunk(b"IDAT", zlib.compress(b"\0" + row))
        + chunk(b"IEND", b"")
    )
    written = decode(encode(decode(data, LIMIT)), LIMIT).pixels
    shown = 65_535 if depth == 16 else 255
    assert (written[0, :, 3] == [shown, 0, shown, 0, 0, shown, shown, 0]).all()
    assert (written[0, [0, 2, 5, 6], :3] == 0).all()


def test_a_long_text_does_not_make_a_png_unreadable() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 3_000_000, zip=True)
    buffer = io.BytesIO()
    PillowImage.new("RGB", (8, 8), "red").save(buffer, "PNG", pnginfo=text)
    picture = decode(buffer.getvalue(), LIMIT)
    assert (picture.pixels == (0, 0, 255)).all()
    assert b"Comment" not in encode(picture)


def old_bitmap() -> bytes:
    """OS/2: a header of 12 bytes, and colours of three."""
    colors = bytes((0, 0, 255, 0, 255, 0))
    header = struct.pack("<IHHHH", 12, 2, 1, 1, 1)
    start = 14 + len(header) + len(colors)
    pixels = bytes((0b01000000, 0, 0, 0))
    return (
        struct.pack("<2sIHHI", b"BM", start + 4, 0, 0, start) + header + colors + pixels
    )


def bitmap_of_16_bits() -> bytes:
    """Five bits a colour."""
    header = struct.pack("<IiiHHIIiiII", 40, 2, 1, 1, 16, 0, 4, 0, 0, 0, 0)
    pixels = struct.pack("<HH", 0x1F << 10, 0x1F << 5)
    return struct.pack("<2sIHHI", b"BM", 58, 0, 0, 54) + header + pixels


@pytest.mark.parametrize("make", [old_bitmap, bitmap_of_16_bits])
def test_old_bitmaps_have_the_colours_that_they_say(make: Callable[[], bytes]) -> None:
    picture = decode(make(), LIMIT)
    red_and_green = [[[0, 0, 255], [0, 255, 0]]]
    assert picture.pixels.tolist() == red_and_green
    assert decode(encode(picture), LIMIT).pixels.tolist() == red_and_green


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_inks_of_sixteen_bits_stay_outside_of_what_is_hidden(planar: str) -> None:
    inks = np.random.default_rng(2).integers(0, 65_536, (20, 40, 4), dtype=np.uint16)
    stored = inks if planar == "contig" else np.moveaxis(inks, -1, 0)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, stored, photometric="separated", planarconfig=planar)
    picture = decode(buffer.getvalue(), LIMIT)
    color = picture.color.copy()
    color[FACE] = 0
    after = tifffile.imread(io.BytesIO(encode(recolored(picture, color))))
    hidden = np.zeros((20, 40), bool)
    hidden[FACE] = True
    assert (after[~hidden] == inks[~hidden]).all()
    assert (after[hidden] == (65_535, 65_535, 65_535, 0)).all()


def lzw(plane: NDArray[np.uint16]) -> bytes:
    """The bytes of a plane as a strip of LZW."""
    buffer = io.BytesIO()
    rows = plane.view(np.uint8)
    options = {"compression": "tiff_lzw", "strip_size": rows.size}
    PillowImage.fromarray(rows).save(buffer, "TIFF", **options)
    buffer.seek(0)
    with tifffile.TiffFile(buffer) as file:
        page = file.pages[0]
        (offset,), (size,) = page.dataoffsets, page.databytecounts
    return buffer.getvalue()[offset : offset + size]


def test_planes_of_sixteen_bits_are_read_right_or_not_at_all() -> None:
    photo = read(EXAMPLES / "grace_hopper.jpg")[:48, :64].astype("<u2")
    photo = photo << 8 | photo
    planes = [np.ascontiguousarray(photo[:, :, channel]) for channel in (2, 1, 0)]
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, byteorder="<") as writer:
        writer.write(
            iter([lzw(plane) for plane in planes]),
            shape=(3, *photo.shape[:2]),
            dtype=np.uint16,
            photometric="rgb",
            planarconfig="separate",
            compression="zlib",
            rowsperstrip=photo.shape[0],
        )
    # Its writer does not know LZW, and has not looked into the strips.
    deflated, as_lzw = (struct.pack("<HHIH", 259, 3, 1, code) for code in (8, 5))
    assert buffer.getvalue().count(deflated) == 1
    data = buffer.getvalue().replace(deflated, as_lzw)
    try:
        pixels = decode(data, LIMIT).pixels
    except PictureError as error:
        assert "LZW, is not supported" in str(error)  # noqa: PT017  either will do
    else:
        assert (pixels == photo).all()


def test_colours_brighter_than_their_alpha_stay_where_nothing_is_hidden() -> None:
    pixels = np.full((20, 40, 4), (200, 150, 100, 50), np.uint8)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric="rgb", extrasamples=["assocalpha"])
    picture = decode(buffer.getvalue(), LIMIT)
    color = picture.color.copy()
    color[FACE] = 0
    after = tifffile.imread(io.BytesIO(encode(recolored(picture, color))))
    hidden = (after != pixels).any(axis=2)
    assert hidden[FACE].all()
    assert hidden.sum() == 7 * 10
    assert (after[hidden] == (0, 0, 0, 255)).all()


def raw_file(kind: int | None = None, tags: tuple[Tag, ...] = ()) -> bytes:
    """A preview, and what the sensor saw beside the chain of pages."""
    buffer = io.BytesIO()
    preview, sensor = np.zeros((8, 8, 3), np.uint8), np.zeros((32, 32), np.uint16)
    with tifffile.TiffWriter(buffer) as writer:
        writer.write(
            preview, photometric="rgb", subifds=1, subfiletype=kind, extratags=tags
        )
        writer.write(sensor, photometric="minisblack")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        raw_file(kind=1),
        raw_file(tags=((50706, 1, 4, bytes((1, 4, 0, 0)), True),)),
        b"IIU\0" + bytes(40),
        bytes(4) + b"ftypcrx " + bytes(40),
    ],
    ids=["nef", "dng", "rw2", "cr3"],
)
def test_the_preview_of_a_raw_file_is_not_taken_for_its_picture(data: bytes) -> None:
    with pytest.raises(PictureError, match="a raw file of a camera"):
        decode(data, LIMIT)


@pytest.mark.parametrize("preview_first", [False, True])
def test_a_tiff_with_a_preview_is_one_picture(
    faceanon: Run, tmp_path: Path, preview_first: bool
) -> None:
    photo = np.asarray(PillowImage.open(EXAMPLES / "astronaut.png").convert("RGB"))
    pages = [(photo, 0), (photo[::4, ::4], 1)]
    source, target = tmp_path / "a.tif", tmp_path / "a.jpg"
    with tifffile.TiffWriter(source) as writer:
        for pixels, kind in reversed(pages) if preview_first else pages:
            writer.write(pixels, photometric="rgb", subfiletype=kind)
    done = faceanon("blackbar", source, target, "--format", "jpeg")
    assert done.returncode == 0, done.stderr
    with PillowImage.open(target) as written:
        assert written.size == photo.shape[1::-1]


@pytest.mark.parametrize("format_", ["webp", "png", "gif", "avif"])
def test_pages_are_not_made_a_film(faceanon: Run, tmp_path: Path, format_: str) -> None:
    source = tmp_path / "a.tif"
    with tifffile.TiffWriter(source) as writer:
        writer.write(np.zeros((40, 40), np.uint8))
        writer.write(np.zeros((50, 60), np.uint8))
    target = tmp_path / f"a.{format_}"
    done = faceanon("blackbar", source, target, "--format", format_)
    assert done.returncode == 1
    assert "it has 2 pages" in done.stderr
    assert not target.exists()


def test_a_gif_shows_nothing_of_an_opaque_frame_through_the_next() -> None:
    opaque = np.full((30, 40, 4), (0, 0, 255, 255), np.uint8)
    clear = np.zeros((30, 40, 4), np.uint8)
    clear[:, 20:] = 255, 0, 0, 255
    films = [clear, opaque, clear]
    frames = [EditedFrame(Picture(one, Encoding("gif")), 0.05) for one in films]
    data = io.BytesIO()
    gif.write_film(Header("gif", "film", 40, 30, len(films)), frames, data, None)
    with PillowImage.open(data) as film:
        for number, wanted in enumerate(films):
            film.seek(number)
            shown = np.asarray(film.convert("RGBA"))[:, :, 3]
            assert (shown == wanted[:, :, 3]).all(), number


@pytest.mark.parametrize("suffix", ["webp", "png"])
def test_films_are_turned_as_their_exif_says(
    faceanon: Run, tmp_path: Path, suffix: str
) -> None:
    frames = [PillowImage.new("RGB", (40, 30), color) for color in ("red", "blue")]
    for frame in frames:
        frame.paste("white", (0, 0, 10, 10))
    source, target = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(
        source,
        suffix,
        save_all=True,
        append_images=frames[1:],
        duration=50,
        exif=exif_turned(6),
        **options,
    )
    done = faceanon("blackbar", source, target)
    assert done.returncode == 0, done.stderr
    with PillowImage.open(target) as film:
        assert film.size == (30, 40)
        for number, frame in enumerate(frames):
            film.seek(number)
            turned = frame.transpose(PillowImage.Transpose.ROTATE_270)
            assert (np.asarray(film.convert("RGB")) == np.asarray(turned)).all()


@pytest.mark.parametrize("format_", ["gif", "heif", "avif", "webp"])
def test_what_an_encoder_finds_too_large_is_refused(format_: Format) -> None:
    if format_ == "heif":
        pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    pixels = np.zeros((4, 70_000, 3), np.uint8)
    with pytest.raises(PictureError, match=f"{format_}"):
        encode(Picture(pixels, Encoding("png")), format_)
