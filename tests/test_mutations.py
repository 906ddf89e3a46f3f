"""Real pictures, damaged in many ways, through the front door.

What a decoder can tell is refused; `docs/reliability.md` says what none can tell. The
damage is random, but the same in every run.
"""

import io
import random
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from conftest import Run
from faceanon.model import Image
from support import EXAMPLES, lines, read

MUTATIONS_PER_FORMAT = 40

Mutation = Callable[[bytearray, bytes, random.Random], bytearray]


def flip_bits(data: bytearray, other: bytes, random_: random.Random) -> bytearray:
    for _ in range(random_.choice([1, 1, 2, 8])):
        data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
    return data


def truncate(data: bytearray, other: bytes, random_: random.Random) -> bytearray:
    return data[: random_.randrange(1, len(data))]


def cut_out(data: bytearray, other: bytes, random_: random.Random) -> bytearray:
    start = random_.randrange(len(data))
    del data[start : start + random_.randrange(1, max(2, len(data) // 4))]
    return data


def blank(data: bytearray, other: bytes, random_: random.Random) -> bytearray:
    """A block of the disk that was never written."""
    start = random_.randrange(len(data))
    length = min(random_.choice([16, 512]), len(data) - start)
    data[start : start + length] = bytes([random_.choice([0, 0xFF])]) * length
    return data


def splice(data: bytearray, other: bytes, random_: random.Random) -> bytearray:
    """The beginning of one picture and the end of another."""
    return data[: random_.randrange(1, len(data))] + bytearray(
        other[random_.randrange(len(other)) :]
    )


def repeat(data: bytearray, other: bytes, random_: random.Random) -> bytearray:
    start = random_.randrange(len(data))
    end = start + random_.randrange(1, 512)
    return data[:end] + data[start:]


def damage_header(data: bytearray, other: bytes, random_: random.Random) -> bytearray:
    for _ in range(random_.choice([1, 2, 4])):
        data[random_.randrange(min(len(data), 200))] = random_.randrange(256)
    return data


MUTATIONS: tuple[Mutation, ...] = (
    *(flip_bits, truncate, cut_out, blank, splice, repeat, damage_header),
)


def picture(source: str, format_: str, mode: str = "RGB", **options: object) -> bytes:
    """A part of a real photo, as another program (Pillow) writes it."""
    pixels = read(EXAMPLES / source)[200:300, 60:180, ::-1]
    buffer = io.BytesIO()
    photo = PillowImage.fromarray(np.ascontiguousarray(pixels)).convert(mode)
    photo.save(buffer, format_, **options)
    return buffer.getvalue()


def old_tiff(source: str) -> bytes:
    """A TIFF with a JPEG as TIFF 6.0 has them, whole, after the header."""
    jpeg = picture(source, "JPEG", quality=90)
    width, height = 120, 100
    scan = jpeg.index(b"\xff\xda")
    first = scan + 2 + int.from_bytes(jpeg[scan + 2 : scan + 4])
    entries = [
        *((256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, 8), (259, 3, 1, 6)),
        *((262, 3, 1, 6), (273, 4, 1, 8 + first), (277, 3, 1, 3), (278, 3, 1, height)),
        *((279, 4, 1, len(jpeg) - first), (512, 3, 1, 1), (513, 4, 1, 8)),
        (514, 4, 1, len(jpeg)),
    ]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries)
    header = struct.pack("<2sHI", b"II", 42, 8 + len(jpeg))
    return header + jpeg + directory + bytes(4)


FORMATS: dict[str, Callable[[str], bytes]] = {
    "jpeg": lambda name: picture(name, "JPEG", quality=90),
    "progressive": lambda name: picture(name, "JPEG", quality=90, progressive=True),
    "restarts": lambda name: picture(name, "JPEG", restart_marker_rows=1),
    "cmyk": lambda name: picture(name, "JPEG", "CMYK", quality=90),
    "png": lambda name: picture(name, "PNG"),
    "webp": lambda name: picture(name, "WEBP"),
    "lossless": lambda name: picture(name, "WEBP", lossless=True),
    "tiff": lambda name: picture(name, "TIFF"),
    "lzw": lambda name: picture(name, "TIFF", compression="tiff_lzw"),
    "deflate": lambda name: picture(name, "TIFF", compression="tiff_adobe_deflate"),
    "tiffjpeg": lambda name: picture(name, "TIFF", compression="jpeg"),
    "oldtiff": old_tiff,
    "avif": lambda name: picture(name, "AVIF"),
    "bmp": lambda name: picture(name, "BMP"),
    "pgm": lambda name: picture(name, "PPM", "L"),
    "tga": lambda name: picture(name, "TGA", compression="tga_rle"),
    "ico": lambda name: picture(name, "ICO", sizes=[(64, 64), (32, 32)]),
}
SUFFIXES = {"progressive": "jpeg", "restarts": "jpeg", "cmyk": "jpeg"}
SUFFIXES |= {"lossless": "webp", "lzw": "tiff", "deflate": "tiff"}
SUFFIXES |= {"tiffjpeg": "tiff", "oldtiff": "tiff"}


def damaged_files(count: int, seed: int) -> dict[str, bytes]:
    """So many damaged files of each format; their names tell which and how."""
    damaged: dict[str, bytes] = {}
    for kind, made in FORMATS.items():
        random_ = random.Random(f"{kind} {seed}")
        data, other = made("cat.png"), made("astronaut.png")
        for number in range(count):
            mutation = MUTATIONS[number % len(MUTATIONS)]
            changed = bytes(mutation(bytearray(data), other, random_))
            if changed != data:
                name = f"{kind}.{mutation.__name__}.{number}"
                damaged[f"{name}.{SUFFIXES.get(kind, kind)}"] = changed
    return damaged


def shown(path: Path) -> Image:
    """What a file shows in other programs; OpenCV knows no TGA and no ICO."""
    if path.suffix in (".tga", ".ico"):
        with PillowImage.open(path) as opened:
            return np.asarray(opened.convert("RGB"))
    return read(path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The damaged files, and one of each format that is as it was."""
    folder = tmp_path / "in"
    folder.mkdir()
    for kind, made in FORMATS.items():
        (folder / f"{kind}.{SUFFIXES.get(kind, kind)}").write_bytes(made("cat.png"))
    for name, data in damaged_files(MUTATIONS_PER_FORMAT, seed=1).items():
        (folder / name).write_bytes(data)
    return folder


def test_damage_is_told_where_it_can_be_and_never_does_harm(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, out, "--report", report, "-j", 2)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    told = lines(report)
    names = [path.name for path in source.iterdir()]
    assert Counter(line["picture"] for line in told) == Counter(names)
    errors = {line["picture"]: line["error"] or "" for line in told}
    for name, error in errors.items():
        for word in ("unexpected", "worker", "longer than", "memory"):
            assert word not in error, f"{name}: {error}"

    accepted = {name for name, error in errors.items() if not error}
    assert {path.name for path in out.glob("[!.]*")} == accepted
    assert len(accepted) < len(names) / 2
    for name in accepted:
        pixels = shown(out / name)  # every output can be read
        kind, *mutation = name.split(".")[:-1]
        if is_told(kind, mutation[0] if mutation else ""):
            sound = shown(out / f"{kind}.{SUFFIXES.get(kind, kind)}")
            assert pixels.shape == sound.shape, name
            assert (pixels == sound).all(), f"{name}: damaged, and nobody said so"


@pytest.mark.parametrize("kind", ["jpeg", "tiffjpeg", "oldtiff"])
def test_what_a_decoder_makes_up_is_not_taken_for_the_picture(
    faceanon: Run, tmp_path: Path, kind: str
) -> None:
    """What is missing after an end mark would be filled with grey."""
    sound = FORMATS[kind]("cat.png")
    middle = sound.index(b"\xff\xda") + 300
    suffix = SUFFIXES.get(kind, kind)
    source, target = tmp_path / f"cut.{suffix}", tmp_path / f"out.{suffix}"
    source.write_bytes(sound[:middle] + b"\xff\xd9" + sound[middle + 2 :])
    done = faceanon("blackbar", source, target)
    assert done.returncode == 1
    assert "the file is damaged" in done.stderr
    assert not target.exists()


def is_told(kind: str, mutation: str) -> bool:
    """Whether this damage cannot go unnoticed, unless it changes no pixel."""
    has_checksum = kind in ("png", "deflate")
    # Tags and quantization tables have none; a TIFF's tags can be at its end.
    is_in_tags = kind != "png" and mutation in ("damage_header", "splice")
    # Huffman codes fall into step again after a gap, and may come out even.
    is_missing = mutation == "truncate" or (
        mutation == "cut_out" and FORMATS[kind]("cat.png")[:2] != b"\xff\xd8"
    )
    return is_missing or (has_checksum and not is_in_tags)
