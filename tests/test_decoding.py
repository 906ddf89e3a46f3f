"""Sound files are taken, whatever their kind; lost pixels are damage, and nothing else.

What is not supported is refused by its own name.
"""

import io
import json
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from conftest import Run
from faceanon.errors import PictureError
from faceanon.media.containers.png import packed
from faceanon.media.reading import decode
from faceanon.media.writing import encode
from faceanon.model import Image, white
from support import (
    ASTRONAUT_FACE,
    EXAMPLES,
    encoded,
    exif_turned,
    lines,
    read,
    with_pillow,
)

LIMIT = 10_000_000
# The astronaut's head, of which each side is a multiple of every unit of a JPEG.
HEAD = read(EXAMPLES / "astronaut.png")[30:222, 120:312]
FACE = ASTRONAUT_FACE.box.placed(1, -120, -30)
# Where nothing is hidden, and a missing end is not missed either.
OUTER = np.s_[:90, 176:]
INNER = FACE.grown(0.5).slices
GREY = cv2.cvtColor(HEAD, cv2.COLOR_BGR2GRAY)
SECRET = b"Anna, Sunday"


def described(done: object, report: Path) -> dict[str, str]:
    """What is said of each picture: why it failed, else its notes."""
    assert report.exists(), done
    return {
        line["picture"]: line["error"] or "; ".join(line["notes"])
        for line in lines(report)
    }


def run_over(
    faceanon: Run, folder: Path, files: dict[str, bytes], *options: object
) -> tuple[dict[str, str], Path, str]:
    """Hide faces; what is said of each file, the outputs, and standard error."""
    source, out, report = folder / "in", folder / "out", folder / "report.jsonl"
    source.mkdir()
    for name, data in files.items():
        (source / name).write_bytes(data)
    done = faceanon("blackbar", source, out, "--report", report, "-j", 2, *options)
    assert "Traceback" not in done.stderr
    return described(done, report), out, done.stderr


# --- JPEG ------------------------------------------------------------------------


def jpeg_of(*factors: tuple[int, int]) -> bytes:
    """A JPEG whose components have these sampling factors, across and down."""
    jpeglib = pytest.importorskip("jpeglib", reason="it has no wheel here")

    most = max(across for across, _ in factors), max(down for _, down in factors)
    planes = cv2.split(cv2.cvtColor(HEAD, cv2.COLOR_BGR2YCrCb))
    planes = planes[0], planes[2], planes[1]
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        for plane, (across, down) in zip(planes, factors, strict=True):
            size = 192 * across // most[0], 192 * down // most[1]
            small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
            path = Path(folder) / "one.jpg"
            path.write_bytes(with_pillow(small, "JPEG", quality=90))
            parts.append(jpeglib.read_dct(str(path)))
        whole = jpeglib.from_dct(
            *(part.Y for part in parts), qt=np.concatenate([parts[0].qt] * 2)
        )
        whole.samp_factor = np.array([[down, across] for across, down in factors])
        whole.height = whole.width = 192
        target = Path(folder) / "whole.jpg"
        whole.write_dct(str(target))
        return target.read_bytes()


RARE = {
    "4x2": ((4, 2), (1, 1), (1, 1)),
    "2x4": ((2, 4), (1, 1), (1, 1)),
    "3x1": ((3, 1), (1, 1), (1, 1)),
    "3x2": ((3, 2), (1, 1), (1, 1)),
    "1x3": ((1, 3), (1, 1), (1, 1)),
    "2x2 2x2 1x1": ((2, 2), (2, 2), (1, 1)),
    "1x1 2x2 2x2": ((1, 1), (2, 2), (2, 2)),
    "2x1 2x1 1x1": ((2, 1), (2, 1), (1, 1)),
    "2x2 1x2 2x1": ((2, 2), (1, 2), (2, 1)),
}


def test_a_jpeg_of_any_subsampling_is_hidden_in(faceanon: Run, tmp_path: Path) -> None:
    files = {f"{name}.jpg": jpeg_of(*factors) for name, factors in RARE.items()}
    said, out, _ = run_over(faceanon, tmp_path, files)
    assert said == dict.fromkeys(files, "")
    for name, data in files.items():
        before, after = decode(data, LIMIT).pixels, read(out / name)
        assert after[INNER].max() < 30, name
        assert np.abs(before[OUTER].astype(int) - after[OUTER]).mean() < 3, name
    reasons = {line["jpeg"] for line in lines(tmp_path / "report.jsonl")}
    assert reasons <= {"kept", "re-encoded: its subsampling is of a rare kind"}


@pytest.mark.parametrize("kind", RARE)
def test_damage_in_a_jpeg_of_rare_subsampling_is_told(kind: str) -> None:
    data = jpeg_of(*RARE[kind])
    start = data.index(b"\xff\xda") + 20
    middle = (start + len(data)) // 2
    for damaged in (
        data[:middle],
        data[:middle] + data[-2:],
        data[: middle - 200] + data[middle + 200 :],
        data[:middle] + data[middle - 300 :],
        data[:-40] + data[-2:],
        data[:-2] + bytes(range(1, 100)) + data[-2:],
    ):
        with pytest.raises(PictureError, match="the file is damaged"):
            decode(damaged, LIMIT)


def many_scans() -> bytes:
    """A progressive JPEG of 12 megapixels that is coded in some thousand scans."""
    data = encoded(
        np.zeros((8, 8), np.uint8), ".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    )
    frame = data.index(b"\xff\xc2") + 5
    data = data[:frame] + struct.pack(">HH", 3000, 4000) + data[frame + 4 :]
    scan = data.rindex(b"\xff\xda")
    return data[:scan] + data[scan:-2] * 1000 + data[-2:]


PADDING = b" " * 294
JPEG = with_pillow(HEAD, "JPEG", quality=90)
PROGRESSIVE = with_pillow(HEAD, "JPEG", quality=90, progressive=True)
ADOBE = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x09"

NOT_SO_BAD: dict[str, tuple[bytes, str]] = {
    "padded.jpg": (JPEG[:-2] + PADDING + JPEG[-2:], "bytes that belong to no pixel"),
    "no end.jpg": (JPEG[:-2], "its end mark is missing, but no pixel"),
    "no end, progressive.jpg": (PROGRESSIVE[:-2], "its end mark is missing"),
    "unknown transform.jpg": (JPEG[:2] + ADOBE + JPEG[20:], ""),
    "new JFIF.jpg": (JPEG[:11] + b"\x09" + JPEG[12:], ""),
}


def png_with(chunk: bytes, *, before: bytes = b"IDAT") -> bytes:
    data = with_pillow(HEAD, "PNG")
    at = data.index(before) - 4
    return data[:at] + chunk + data[at:]


def wrong(kind: bytes, content: bytes) -> bytes:
    """A chunk whose checksum is wrong."""
    return packed(kind, content)[:-4] + b"\0\0\0\0"


PNG = with_pillow(HEAD, "PNG")
NOT_SO_BAD |= {
    "text.png": (png_with(wrong(b"tEXt", b"Author\0" + SECRET)), "left out: tEXt"),
    "gamma.png": (png_with(wrong(b"gAMA", b"\0\1\x86\xa0")), "left out: gAMA"),
    "no end.png": (PNG[:-12], "its end mark is missing, but no pixel"),
    "half an end.png": (PNG[:-5], "its end mark is missing, but no pixel"),
}


def webp_tiff() -> bytes:
    """A TIFF whose strips are WebP files."""
    parts = [with_pillow(HEAD[y : y + 64], "WEBP", quality=95) for y in (0, 64, 128)]
    strips = {"compression": 50001, "rowsperstrip": 64}
    return tiff_of(
        iter(parts), shape=HEAD.shape, dtype=np.uint8, photometric="rgb", **strips
    )


def tiff_of(pixels: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, metadata=None, **options)
    return buffer.getvalue()


def bmp_of(masks: tuple[int, ...], compression: int = 3) -> bytes:
    """A BMP of 32 bits whose colours are in these bits."""
    numbers = np.zeros(HEAD.shape[:2], np.uint32)
    for channel, mask in zip((2, 1, 0), masks, strict=False):
        shift = (mask & -mask).bit_length() - 1
        bits = (mask >> shift).bit_length()
        numbers |= (HEAD[:, :, channel].astype(np.uint32) << bits >> 8) << shift
    pixels = numbers[::-1].tobytes()
    start = 54 + 4 * len(masks)
    head = struct.pack("<2sIII", b"BM", start + len(pixels), 0, start)
    info = struct.pack(
        "<IiiHHIIiiII", 40, 192, 192, 1, 32, compression, len(pixels), 0, 0, 0, 0
    )
    return head + info + struct.pack(f"<{len(masks)}I", *masks) + pixels


NOT_SO_BAD |= {
    "webp.tif": (webp_tiff(), ""),
    "motorola.tif": (
        tiff_of(HEAD[:, :, ::-1], photometric="rgb", bigtiff=True, byteorder=">"),
        "",
    ),
    "shifted.bmp": (bmp_of((0xFF << 22, 0xFF << 12, 0xFF << 2)), ""),
    "ten bits.bmp": (bmp_of((0x3FF << 20, 0x3FF << 10, 0x3FF)), ""),
}


def test_what_costs_no_pixel_is_a_note(faceanon: Run, tmp_path: Path) -> None:
    files = {name: data for name, (data, _) in NOT_SO_BAD.items()}
    said, out, stderr = run_over(faceanon, tmp_path, files)
    for name, (_, note) in NOT_SO_BAD.items():
        assert note in said[name], name
        assert bool(note) == bool(said[name]), name
        after = read(out / name)
        assert after[INNER].max() < 30, name
        assert np.abs(HEAD[OUTER].astype(int) - after[OUTER]).mean() < 4, name
        assert SECRET not in (out / name).read_bytes()
    assert all(line.startswith((str(tmp_path), f"{len(files)} ")) for line in
               stderr.splitlines())  # fmt: skip


ICON = io.BytesIO()
PillowImage.fromarray(HEAD[:, :, ::-1]).save(
    ICON, "ICO", sizes=[(24, 24), (48, 48), (128, 128)]
)
PGM = b"P5\n# %b\n192 192\n255\n" % SECRET + GREY.tobytes()


def jpeg_with_frame(marker: int, bits: int = 8) -> bytes:
    frame = JPEG.index(b"\xff\xc0")
    return JPEG[: frame + 1] + bytes((marker, 0, 17, bits)) + JPEG[frame + 5 :]


def heif_of(codec: bytes) -> bytes:
    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content) + 8) + kind + content

    entry = box(b"infe", b"\2\0\0\0\0\1\0\0" + codec + b"\0")
    items = box(b"iinf", b"\0\0\0\0\0\1" + entry)
    return box(b"ftyp", b"mif1\0\0\0\0mif1miaf") + box(b"meta", bytes(4) + items)


REFUSED: dict[str, tuple[bytes, str]] = {
    "12.jpg": (jpeg_with_frame(0xC1, bits=12), "it is a JPEG of 12 bits"),
    "lossless.jpg": (jpeg_with_frame(0xC3), "it is a lossless JPEG"),
    "scans.jpg": (many_scans(), "it is a JPEG of 100"),
    "cut.jpg": (JPEG[: len(JPEG) // 2], "its end, or a part of it, is missing"),
    "scan missing.jpg": (
        PROGRESSIVE[: PROGRESSIVE.rindex(b"\xff\xda")],
        "its end, or a part of it, is missing",
    ),
    "tRNS.png": (png_with(wrong(b"tRNS", b"\0" * 6)), "the file is damaged"),
    "PLTE.png": (png_with(wrong(b"PLTE", b"\0" * 6)), "the file is damaged"),
    "ios.png": (
        png_with(packed(b"CgBI", b"P\0 \2"), before=b"IHDR"),
        "it is a PNG for apps of iOS (CgBI)",
    ),
    "two.pgm": (PGM + PGM, "it holds several pictures"),
    "cut.pgm": (PGM[:-9], "its end, or a part of it, is missing"),
    "bright.pgm": (PGM.replace(b"255", b"100"), "brighter than white"),
    "float.pnm": (b"PF\n2 2\n-1\n" + bytes(48), "it is a PFM"),
    "pointer.ico": (
        b"\0\0\2\0" + ICON.getvalue()[4:], "it is a mouse pointer (CUR)"
    ),
    "cut.ico": (ICON.getvalue()[:-9], "one of its sizes is missing"),
    "cut.tga": (with_pillow(HEAD, "TGA")[:-500], "its end, or a part of it"),
    "uncompressed.heic": (heif_of(b"unci"), "it is a HEIF with uncompressed pixels"),
    "f64.tif": (tiff_of(GREY.astype("f8")), "it is a TIFF in floating point of 64"),
    "u32.tif": (tiff_of(GREY.astype("u4")), "its samples are whole numbers of 32"),
    "webp cut.tif": (webp_tiff()[:-900], "the file is damaged"),
    "jpeg.bmp": (
        bmp_of((255, 255, 255), compression=4), "it is a BMP with a JPEG in it"
    ),
    "a.exr": (b"\x76\x2f\x31\x01" + bytes(99), "it is an OpenEXR"),
}  # fmt: skip


def test_what_is_not_supported_has_a_name_and_lost_pixels_are_damage(
    faceanon: Run, tmp_path: Path
) -> None:
    files = {name: data for name, (data, _) in REFUSED.items()}
    said, out, stderr = run_over(faceanon, tmp_path, files)
    for name, (_, reason) in REFUSED.items():
        assert reason in said[name], name
        assert not (out / name).exists(), name
        if "not supported" in reason:
            assert "damaged" not in said[name], name
    # Nothing of what decoders say: each line is of a picture, or the last.
    assert len(stderr.splitlines()) == len(files) + 1


def test_a_side_that_a_format_cannot_hold_is_told(
    faceanon: Run, tmp_path: Path
) -> None:
    source = tmp_path / "wide.png"
    source.write_bytes(encoded(np.zeros((2, 17_000), np.uint8)))
    for format_, limit in (("webp", 16_383), ("ico", 256)):
        done = faceanon(
            "blackbar", source, tmp_path / f"out.{format_}", "--format", format_
        )
        assert done.returncode == 1
        assert f"wider or higher than {limit} pixels" in done.stderr


# --- A missing end -----------------------------------------------------------------


def turned_jpeg() -> bytes:
    stored = np.ascontiguousarray(np.rot90(HEAD))
    return with_pillow(stored, "JPEG", quality=90, exif=exif_turned(6))


def test_what_is_there_of_a_picture_without_an_end_is_taken_if_asked_for(
    faceanon: Run, tmp_path: Path
) -> None:
    turned = turned_jpeg()
    files = {
        "cut.jpg": JPEG[: int(len(JPEG) * 0.9)],
        "unwritten.jpg": JPEG[: int(len(JPEG) * 0.9)] + bytes(2000),
        "turned.jpg": turned[: int(len(turned) * 0.9)],
        "cut.png": PNG[: int(len(PNG) * 0.9)],
        "whole.jpg": JPEG,
        # Not at its end alone.
        "middle.jpg": JPEG[:2000] + JPEG[2400:],
    }
    said, out, _ = run_over(faceanon, tmp_path, files, "--damaged", "cover")
    assert said["whole.jpg"] == ""
    assert "damaged" in said["middle.jpg"]
    for name in ("cut.jpg", "unwritten.jpg", "turned.jpg", "cut.png"):
        assert "its end is missing" in said[name]
        assert "% of its rows" in said[name]
        after = read(out / name)
        assert after[INNER].max() < 30, name
        assert np.abs(HEAD[OUTER].astype(int) - after[OUTER]).mean() < 4, name
    how = {line["picture"]: line["jpeg"] for line in lines(tmp_path / "report.jsonl")}
    assert how["cut.jpg"] == "re-encoded: its end is missing"


# --- PNM, TGA, ICO -----------------------------------------------------------------


def tga_with_author() -> bytes:
    data = with_pillow(HEAD, "TGA", id_section=SECRET)
    at = len(data) - 26
    author = struct.pack("<H41s", 495, SECRET).ljust(495, b"\0")
    return data[:at] + author + struct.pack("<II", at, 0) + data[at + 8 :]


def pam(pixels: Image, kind: str, maxval: int) -> bytes:
    height, width = pixels.shape[:2]
    depth = pixels.shape[2] if pixels.ndim == 3 else 1
    head = f"P7\n# {SECRET.decode()}\nWIDTH {width}\nHEIGHT {height}\nDEPTH {depth}\n"
    dtype = ">u2" if maxval > 255 else "u1"
    return (
        f"{head}MAXVAL {maxval}\nTUPLTYPE {kind}\nENDHDR\n".encode()
        + pixels.astype(dtype).tobytes()
    )


def plain(magic: bytes, samples: Image, maxval: int | None) -> bytes:
    rows = (b" ".join(b"%d" % value for value in row) for row in samples.tolist())
    limit = b"" if maxval is None else b"\n%d" % maxval
    head = b"%b # %b\n192 192%b\n" % (magic, SECRET, limit)
    return head + b"\n".join(rows) + b" # end\n"


RGB = HEAD[:, :, ::-1]
BLACK = (GREY < 90).astype(np.uint8)
OTHERS: dict[str, tuple[bytes, bytes]] = {
    "raw.pgm": (PGM, b"P5"),
    "deep.pgm": (b"P5 192 192 1023\n" + (GREY * 4.0).astype(">u2").tobytes(), b"P5"),
    "raw.ppm": (b"P6 192 192 255\n" + RGB.tobytes() + SECRET, b"P6"),
    "deep.ppm": (b"P6 192 192 65535\n" + (RGB * 257.0).astype(">u2").tobytes(), b"P6"),
    "plain.pgm": (plain(b"P2", GREY, 255), b"P2"),
    "plain.ppm": (plain(b"P3", RGB.reshape(192, -1), 255), b"P3"),
    "plain.pbm": (plain(b"P1", BLACK, None), b"P1"),
    "raw.pbm": (b"P4 192 192\n" + np.packbits(BLACK, axis=1).tobytes(), b"P4"),
    "colour.pam": (pam(RGB, "RGB", 255), b"P7"),
    "alpha.pam": (pam(np.dstack((RGB, 255 - 0 * GREY)), "RGB_ALPHA", 255), b"P7"),
    "raw.tga": (tga_with_author(), b"\x00\x00\x02"),
    "packed.tga": (with_pillow(HEAD, "TGA", compression="tga_rle"), b"\x00\x00\x0a"),
    "grey.tga": (with_pillow(GREY, "TGA"), b"\x00\x00\x03"),
}  # fmt: skip


def shown(data: bytes) -> Image:
    """What a file shows, as Pillow or OpenCV see it."""
    if data[:2] in (b"P7",):
        return decode(data, LIMIT).color
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        with PillowImage.open(io.BytesIO(data)) as picture:
            return np.asarray(picture.convert("RGB"))[:, :, ::-1]
    return pixels


def test_pnm_and_tga_stay_what_they_are_without_what_they_tell(
    faceanon: Run, tmp_path: Path
) -> None:
    files = {name: data for name, (data, _) in OTHERS.items()}
    box = [FACE.left, FACE.top, FACE.width, FACE.height]
    images = [
        {"id": n, "file_name": name, "width": 192, "height": 192}
        for n, name in enumerate(files)
    ]
    boxes = tmp_path / "boxes.json"
    boxes.write_text(
        json.dumps(
            {
                "images": images,
                "annotations": [
                    {"id": n, "image_id": n, "category_id": 1, "bbox": box}
                    for n in range(len(files))
                ],
                "categories": [{"id": 1, "name": "face"}],
            }
        )
    )
    said, out, _ = run_over(faceanon, tmp_path, files, "--boxes", boxes)
    assert said == dict.fromkeys(files, "")
    for name, (data, magic) in OTHERS.items():
        written = (out / name).read_bytes()
        assert written.startswith(magic), name
        assert SECRET not in written, name
        before, after = shown(data), shown(written)
        assert before.dtype == after.dtype, name
        assert (before[OUTER] == after[OUTER]).all(), name
        assert after[INNER].max() == 0, name
    clean = faceanon("scan", out)
    assert clean.returncode == 0, clean.stdout


def test_the_face_is_hidden_in_each_size_of_an_icon(
    faceanon: Run, tmp_path: Path
) -> None:
    bitmaps = io.BytesIO()
    PillowImage.fromarray(RGB).save(
        bitmaps, "ICO", sizes=[(16, 16), (128, 128)], bitmap_format="bmp"
    )
    files = {"png.ico": ICON.getvalue(), "bmp.ico": bitmaps.getvalue()}
    said, out, _ = run_over(faceanon, tmp_path, files)
    assert said == dict.fromkeys(files, "")
    for name, sides in (("png.ico", [128, 48, 24]), ("bmp.ico", [128, 16])):
        with PillowImage.open(out / name) as icon:
            sizes = [
                np.asarray(icon.ico.frame(number).convert("RGB"))  # type: ignore[attr-defined]
                for number in range(len(sides))
            ]
        assert [len(pixels) for pixels in sizes] == sides
        for pixels in sizes:
            middle = FACE.placed(len(pixels) / 192).grown(0.4).slices
            assert pixels[middle].max() == 0, (name, pixels.shape)
        assert sizes[0][:, -1].max() > 100, name


@pytest.mark.parametrize("maxval", [1, 7, 100, 255, 256, 1000, 65_535])
def test_every_value_of_a_pgm_comes_back(maxval: int) -> None:
    dtype = ">u2" if maxval > 255 else "u1"
    values = np.linspace(0, maxval, 192 * 192).round().astype(dtype)
    data = b"P5\n192 192\n%d\n" % maxval + values.tobytes()
    picture = decode(data, LIMIT)
    assert int(picture.pixels.max()) == white(picture.pixels)
    assert encode(picture) == data


def icon_with_text() -> bytes:
    png = with_pillow(GREY[:64, :64], "PNG")
    text = packed(b"tEXt", b"Author\0" + SECRET)
    at = png.index(b"IDAT") - 4
    png = png[:at] + text + png[at:]
    entry = struct.pack("<BBBBHHII", 64, 64, 0, 0, 1, 8, len(png), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + png


MAKERS: dict[str, Callable[[], bytes]] = {
    "comment.pgm": lambda: PGM,
    "line.pam": lambda: pam(GREY, "GRAYSCALE", 255).replace(b"MAX", b"OWNER me\nMAX"),
    "trailer.ppm": lambda: OTHERS["raw.ppm"][0],
    "among the pixels.pgm": lambda: OTHERS["plain.pgm"][0],
    "author.tga": tga_with_author,
    "trailer.ico": lambda: ICON.getvalue() + SECRET,
    "text in a size.ico": icon_with_text,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_scan_tells_what_pnm_tga_and_ico_hold(
    faceanon: Run, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / kind
    path.write_bytes(MAKERS[kind]())
    done = faceanon("scan", path, "--show-values")
    assert done.returncode == 1
    assert "unread" not in done.stdout


def test_a_png_whose_pixels_do_not_add_up_is_damaged() -> None:
    """Each checksum is right, but rows are missing."""
    rows = zlib.compress(bytes(193) * 100)
    header = struct.pack(">IIBBBBB", 192, 192, 8, 0, 0, 0, 0)
    data = PNG[:8] + packed(b"IHDR", header) + packed(b"IDAT", rows)
    for end in (b"", packed(b"IEND", b"")):
        with pytest.raises(PictureError, match="damaged"):
            decode(data + end, LIMIT)
