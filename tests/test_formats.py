"""What goes through the codecs: kept where it must be, refused where it is damaged."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage
from PIL.JpegImagePlugin import JpegImageFile

from faceanon.errors import PictureError
from faceanon.media.containers import png, riff
from faceanon.media.formats import heif
from faceanon.media.picture import Encoding, Picture
from faceanon.media.reading import decode
from faceanon.media.writing import encode
from faceanon.model import Box, Image
from faceanon.storage.suffixes import Format
from support import EXAMPLES, SRGB, encoded, exif_turned, read, recolored, with_pillow

LIMIT = 10_000_000

Depth = type[np.uint8] | type[np.uint16]


def photo(channels: int, dtype: Depth) -> Image:
    """A part of a real photo with this many channels and this depth."""
    pixels = read(EXAMPLES / "grace_hopper.jpg")[40:160, 150:250]
    if dtype is np.uint16:
        noise = np.random.default_rng(0).integers(0, 256, pixels.shape)
        pixels = (pixels.astype(np.uint16) << 8) + noise.astype(np.uint16)
    if channels == 1:
        return pixels[:, :, 1].copy()
    if channels == 4:
        alpha = np.linspace(0, np.iinfo(dtype).max, pixels.shape[1]).astype(dtype)
        return np.dstack((pixels, np.broadcast_to(alpha, pixels.shape[:2])))
    return pixels


def with_opencv(pixels: Image) -> bytes:
    """A TIFF, compressed as OpenCV does it."""
    return encoded(pixels, ".tiff")


@pytest.mark.parametrize("icc_profile", [None, SRGB], ids=["plain", "icc"])
@pytest.mark.parametrize(
    ("format_", "channels", "dtype"),
    [
        *(("png", channels, np.uint8) for channels in (1, 3, 4)),
        *(("png", channels, np.uint16) for channels in (1, 3, 4)),
        *(("tiff", channels, np.uint8) for channels in (1, 3, 4)),
        *(("tiff", channels, np.uint16) for channels in (1, 3)),
        *(("webp", channels, np.uint8) for channels in (3, 4)),
    ],
)
def test_lossless_formats_keep_pixels_depth_alpha_and_profile(
    format_: Format, channels: int, dtype: Depth, icc_profile: bytes | None
) -> None:
    pixels = photo(channels, dtype)
    picture = Picture(pixels, Encoding(format_, lossless=True), icc_profile)
    again = decode(encode(picture), LIMIT)
    assert again.pixels.dtype == pixels.dtype
    assert again.pixels.shape == pixels.shape
    assert (again.pixels == pixels).all()
    assert again.icc_profile == icc_profile
    assert again.encoding.format == format_


def test_sixteen_bit_colour_tiff_of_another_program_is_read_as_it_is() -> None:
    pixels = photo(3, np.uint16)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels[:, :, ::-1], photometric="rgb", iccprofile=SRGB)
    picture = decode(buffer.getvalue(), LIMIT)
    assert (picture.pixels == pixels).all()
    assert picture.icc_profile == SRGB
    written = encode(picture)
    assert (tifffile.imread(io.BytesIO(written))[:, :, ::-1] == pixels).all()


def test_colours_of_a_transparent_tiff_are_not_multiplied_by_alpha() -> None:
    pixels = photo(4, np.uint8)
    picture = decode(with_pillow(pixels, "TIFF"), LIMIT)
    assert (picture.pixels == pixels).all()


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [35, 75, 92])
def test_a_jpeg_keeps_its_quality_and_subsampling(
    quality: int, subsampling: int
) -> None:
    source = with_pillow(
        photo(3, np.uint8), "JPEG", quality=quality, subsampling=subsampling
    )
    written = encode(decode(source, LIMIT))
    with (
        PillowImage.open(io.BytesIO(source)) as before,
        PillowImage.open(io.BytesIO(written)) as after,
    ):
        assert isinstance(before, JpegImageFile)
        assert isinstance(after, JpegImageFile)
        assert after.quantization == before.quantization
    assert abs(len(written) - len(source)) < 0.05 * len(source)
    difference = (
        decode(written, LIMIT).pixels.astype(int) - decode(source, LIMIT).pixels
    )
    assert np.abs(difference).mean() < 1.5


def test_a_grey_jpeg_stays_grey() -> None:
    written = encode(decode(with_pillow(photo(1, np.uint8), "JPEG"), LIMIT))
    with PillowImage.open(io.BytesIO(written)) as after:
        assert after.mode == "L"


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright_and_without_a_tag(
    format_: str, orientation: int
) -> None:
    upright = photo(3, np.uint8)
    # Storing is the reverse of turning upright: by EXIF, orientation 6 means that the
    # top of the picture is the right side of what is stored.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: np.rot90(upright),
        7: upright[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = exif_turned(orientation)
    options = {"quality": 95} if format_ == "JPEG" else {"lossless": True}
    data = with_pillow(np.ascontiguousarray(stored), format_, exif=exif, **options)
    picture = decode(data, LIMIT)
    assert picture.pixels.shape == upright.shape
    assert np.abs(picture.pixels.astype(int) - upright).mean() < 3
    with PillowImage.open(io.BytesIO(encode(picture))) as written:
        assert written.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_sixteen_bit_tiff_is_turned_once(orientation: int) -> None:
    upright = photo(3, np.uint16)
    stored = upright if orientation == 1 else np.rot90(upright)
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        np.ascontiguousarray(stored[:, :, ::-1]),
        photometric="rgb",
        extratags=[(274, 3, 1, orientation, True)],
    )
    assert (decode(buffer.getvalue(), LIMIT).pixels == upright).all()


FILES: dict[str, Callable[[], bytes]] = {
    "jpeg": (EXAMPLES / "grace_hopper.jpg").read_bytes,
    "progressive": lambda: with_pillow(photo(3, np.uint8), "JPEG", progressive=True),
    "grey": (EXAMPLES / "curies.jpg").read_bytes,
    "png": lambda: with_pillow(photo(3, np.uint8), "PNG"),
    "webp": lambda: with_pillow(photo(3, np.uint8), "WEBP"),
    "webp lossless": lambda: with_pillow(photo(3, np.uint8), "WEBP", lossless=True),
    "tiff": lambda: with_pillow(photo(3, np.uint8), "TIFF"),
    "tiff lzw": lambda: with_pillow(photo(3, np.uint8), "TIFF", compression="tiff_lzw"),
    "tiff lzw of 16 bits": lambda: with_opencv(photo(3, np.uint16)),
    "tiff of floats": lambda: with_opencv(photo(3, np.uint8).astype(np.float32)),
    "bmp": lambda: with_pillow(photo(3, np.uint8), "BMP"),
    "pgm": lambda: with_pillow(photo(1, np.uint8), "PPM"),
    "tga": lambda: with_pillow(photo(3, np.uint8), "TGA"),
    "tga packed": lambda: with_pillow(photo(3, np.uint8), "TGA", compression="tga_rle"),
    "ico": lambda: with_pillow(photo(3, np.uint8), "ICO", sizes=[(64, 64)]),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7, 0.95])
def test_a_truncated_file_is_refused(kind: str, kept: float) -> None:
    data = FILES[kind]()
    decode(data, LIMIT)
    with pytest.raises(PictureError):
        decode(data[: int(len(data) * kept)], LIMIT)


@pytest.mark.parametrize("kind", ["jpeg", "progressive", "grey"])
def test_a_jpeg_cut_and_closed_again_is_refused(kind: str) -> None:
    """Most decoders fill such a file up with grey and say nothing."""
    data = FILES[kind]()
    with pytest.raises(PictureError, match="damaged"):
        decode(data[: len(data) // 2] + b"\xff\xd9", LIMIT)


def test_a_png_with_a_changed_byte_is_refused() -> None:
    data = bytearray(FILES["png"]())
    data[len(data) // 2] ^= 0x55
    with pytest.raises(PictureError, match="damaged"):
        decode(bytes(data), LIMIT)


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    check = zlib.crc32(b"IHDR" + header)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(header))
        + b"IHDR"
        + header
        + struct.pack(">I", check)
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


def test_a_picture_that_claims_to_be_huge_is_refused_from_its_header() -> None:
    with pytest.raises(PictureError, match=r"32000 x 32000.*--max-pixels"):
        decode(png_header(32000, 32000), 200_000_000)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"<!doctype html><title>404</title>", "not a picture"),
        (b"8BPS" + bytes(20), "a Photoshop file, which is not supported"),
    ],
)
def test_what_is_not_a_picture_is_named(data: bytes, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        decode(data, LIMIT)


def test_animations_and_pages_are_refused_and_not_cut_to_the_first() -> None:
    pages = [PillowImage.new("RGB", (20, 20), color) for color in ("red", "blue")]
    for format_ in ("TIFF", "WEBP", "PNG"):
        buffer = io.BytesIO()
        pages[0].save(buffer, format_, save_all=True, append_images=pages[1:])
        with pytest.raises(PictureError, match="2 frames or pages"):
            decode(buffer.getvalue(), LIMIT)


def test_a_tiff_of_two_pages_that_is_cut_off_is_not_taken_for_one_of_one() -> None:
    pages = [PillowImage.fromarray(photo(1, np.uint8)) for _ in range(2)]
    buffer = io.BytesIO()
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:], resolution=72)
    data = bytearray(buffer.getvalue())
    # As other programs do, the first page keeps a number at the end of the file.
    entry = data.index(struct.pack("<HH", 282, 5))
    data[entry + 8 : entry + 12] = struct.pack("<I", len(data))
    data += struct.pack("<II", 72, 1)
    with pytest.raises(PictureError, match="2 frames or pages"):
        decode(bytes(data), LIMIT)
    for missing in (1, 1000, len(data) // 3):
        with pytest.raises(PictureError, match="damaged: one of its pages"):
            decode(bytes(data[:-missing]), LIMIT)


def blackened(data: bytes, box: Box) -> bytes:
    """A picture as the pipeline writes it, with a black box."""
    picture = decode(data, LIMIT)
    color = picture.color.copy()
    color[box.slices] = 0
    return encode(recolored(picture, color))


PATCH = Box(8, 8, 24, 16)


@pytest.mark.parametrize(
    ("form", "options"),
    [("JPEG", {}), ("JPEG", {"subsampling": "4:2:2"}), ("TIFF", {})],
)
def test_cmyk_keeps_its_inks_outside_of_what_is_hidden(
    form: str, options: dict[str, str]
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (32, 48, 4), dtype=np.uint8)
    inks = cv2.GaussianBlur(noise, (0, 0), 6)
    buffer = io.BytesIO()
    PillowImage.fromarray(inks, "CMYK").save(buffer, form, quality=95, **options)
    before = PillowImage.open(buffer)
    after = PillowImage.open(io.BytesIO(blackened(buffer.getvalue(), PATCH)))
    assert after.mode == "CMYK"
    # Blocks of a JPEG that hold a part of the box may change as a whole.
    outside = np.s_[24:] if form == "JPEG" else np.s_[16:]
    tolerance = 2 if form == "JPEG" else 0
    was, now = (np.asarray(image).astype(int) for image in (before, after))
    assert np.abs(was[outside] - now[outside]).max() <= tolerance
    assert np.asarray(after.convert("RGB"))[9:15, 9:23].max() <= 40
    with pytest.raises(PictureError, match="CMYK, which png cannot hold"):
        encode(decode(buffer.getvalue(), LIMIT), "png")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_floating_point_is_the_same_to_the_bit_outside_of_what_is_hidden(
    channels: int, compression: str | None
) -> None:
    shape = (32, 48, 3)[: 2 if channels == 1 else 3]
    pixels = np.random.default_rng(1).random(shape, np.float32) * 7
    pixels[0, 0] = np.nan
    buffer = io.BytesIO()
    how = "minisblack" if channels == 1 else "rgb"
    tifffile.imwrite(buffer, pixels, photometric=how, compression=compression)
    after = tifffile.imread(io.BytesIO(blackened(buffer.getvalue(), PATCH)))
    assert after.dtype == np.float32
    hidden = np.zeros(pixels.shape, bool)
    hidden[PATCH.slices] = True
    assert after[hidden].max() == 0
    np.testing.assert_array_equal(after[~hidden], pixels[~hidden])


def test_a_directory_beyond_all_bounds_is_refused() -> None:
    data = b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**64 - 1) + bytes(64)
    with pytest.raises(PictureError):
        decode(data, LIMIT)


def test_floats_in_colour_are_turned_and_limited_as_others_are() -> None:
    upright = photo(3, np.uint8).astype(np.float32) / 255
    stored = np.ascontiguousarray(np.rot90(upright)[:, :, ::-1])
    buffer = io.BytesIO()
    tag = (274, 3, 1, 6, True)
    tifffile.imwrite(buffer, stored, photometric="rgb", extratags=[tag])
    data = buffer.getvalue()
    assert (decode(data, LIMIT).pixels == upright).all()
    with pytest.raises(PictureError, match="limit"):
        decode(data, 100)
    with pytest.raises(PictureError, match="floating point, which png cannot hold"):
        encode(decode(data, LIMIT), "png")
    planes = np.moveaxis(upright[:, :, ::-1], 2, 0)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, planes, photometric="rgb", planarconfig="separate")
    assert (decode(buffer.getvalue(), LIMIT).pixels == upright).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_lzw_of_sixteen_bits_as_opencv_writes_it(channels: int) -> None:
    pixels = photo(channels, np.uint16)
    before = decode(with_opencv(pixels), LIMIT)
    assert (before.pixels == pixels).all()
    after = tifffile.imread(io.BytesIO(blackened(with_opencv(pixels), PATCH)))
    assert after.dtype == np.uint16
    hidden = np.zeros(pixels.shape[:2], bool)
    hidden[PATCH.slices] = True
    color = after if channels == 1 else after[..., :3]
    assert color[hidden].max() == 0
    kept = pixels if channels == 1 else pixels[..., [2, 1, 0, 3][:channels]]
    assert (after[~hidden] == kept[~hidden]).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.complex64])
def test_a_tiff_of_a_rare_kind_is_named(dtype: type) -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((32, 48), dtype))
    with pytest.raises(PictureError, match=r"rare kind|not supported"):
        decode(buffer.getvalue(), LIMIT)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_alpha_stays_as_it_is_stored(dtype: Depth) -> None:
    rng = np.random.default_rng(1)
    alpha = rng.integers(0, np.iinfo(dtype).max, (32, 48, 1), endpoint=True)
    color = (rng.random((32, 48, 3)) * alpha).astype(dtype)
    pixels = np.dstack((color, alpha.astype(dtype)))
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric="rgb", extrasamples=["assocalpha"])
    data = buffer.getvalue()
    with tifffile.TiffFile(io.BytesIO(blackened(data, PATCH))) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        after = page.asarray()
        assert page.tags["ExtraSamples"].value == (1,)
    np.testing.assert_array_equal(after[16:], pixels[16:])
    patch = after[PATCH.slices]
    assert patch[..., :3].max() == 0
    assert patch[..., 3].min() == np.iinfo(dtype).max


@pytest.mark.parametrize("form", ["AVIF", "HEIF"])
def test_avif_and_heif_are_read_upright_and_written_as_such(form: str) -> None:
    if form == "HEIF":
        pytest.importorskip("pillow_heif", reason="needs the extra 'heif'")
        heif.register()
    photo_ = PillowImage.open(EXAMPLES / "grace_hopper.jpg").resize((96, 120))
    exif, stored = PillowImage.Exif(), photo_
    if form == "AVIF":
        # Pillow makes a rotation of the container of it.
        exif, stored = exif_turned(6), photo_.rotate(90, expand=True)
    buffer = io.BytesIO()
    stored.save(buffer, form, quality=90, exif=exif)
    picture = decode(buffer.getvalue(), LIMIT)
    assert picture.pixels.shape == (120, 96, 3)
    expected = np.asarray(photo_.convert("RGB"))[:, :, ::-1].astype(int)
    assert np.abs(picture.pixels.astype(int) - expected).mean() < 4
    again = decode(encode(picture), LIMIT)
    assert again.encoding.format == form.lower()
    assert np.abs(again.pixels.astype(int) - expected).mean() < 5


@pytest.mark.parametrize(
    ("channels", "dtype", "format_", "message"),
    [
        (4, np.uint8, "jpeg", "transparent"),
        (3, np.uint16, "jpeg", "more than 8 bits"),
        (3, np.uint16, "webp", "more than 8 bits"),
        (1, np.uint16, "bmp", "more than 8 bits"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(
    channels: int, dtype: Depth, format_: Format, message: str
) -> None:
    picture = Picture(photo(channels, dtype), Encoding("png"))
    with pytest.raises(PictureError, match=message):
        encode(picture, format_)


@pytest.mark.parametrize("walk", [png.chunks, riff.chunks], ids=["png", "webp"])
def test_what_stands_behind_the_end_is_not_walked_through(
    walk: Callable[[bytes], Iterator[object]],
) -> None:
    """Zeros look like empty chunks, and there may be many megabytes of them."""
    suffix = ".png" if walk is png.chunks else ".webp"
    data = encoded(read(EXAMPLES / "cat.png"), suffix)
    parts = list(walk(data))
    assert len(parts) > 0
    assert list(walk(data + bytes(10**6))) == parts
