"""What the fuzzers begin with: a small valid input of each kind."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from faceanon import boxes
from faceanon.boxes import BoxesFormat, FaceTable, FrameTimes, Record
from faceanon.model import Box, Face

_PHOTO = Path(__file__).parents[1] / "examples" / "cat.png"

_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("PNG", {}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("BMP", {}),
    ("PPM", {}),
    ("TGA", {}),
    ("TGA", {"compression": "tga_rle"}),
    ("ICO", {}),
)


def pictures() -> Iterator[bytes]:
    """A part of a photo in every format, with an orientation."""
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    with PillowImage.open(_PHOTO) as photo:
        part = photo.convert("RGB").crop((100, 100, 132, 124))
    for format_, options in _KINDS:
        for mode in ("RGB", "L"):
            buffer = io.BytesIO()
            part.convert(mode).save(buffer, format_, exif=exif, **options)
            yield buffer.getvalue()


def box_files() -> Iterator[bytes]:
    """A box file of each form."""
    points = ((1.5, 2.0), (3.0, 2.0), (2.0, 3.0), (1.5, 4.0), (3.0, 4.0))
    face = Face(Box(1, 2, 30, 40), 0.75, points, "centerface")
    record = Record("a.jpg", 100, 80, "0f" * 16, (face,), (face,), reviewed=True)
    yield (boxes.to_line(record) + "\n").encode() * 2
    yield json.dumps(boxes.to_coco([record])).encode()
    tone = (0.25, 0.5, 1.0)
    film = Record(
        "clip.mp4",
        100,
        80,
        hidden=FaceTable.of(
            replace(face, frame=frame, track=1, tone=tone) for frame in (0, 1, 4)
        ),
        times=FrameTimes.of_all(np.arange(6, dtype=np.int64), Fraction(1001, 30000)),
        frame_count=6,
    )
    forms: tuple[BoxesFormat, ...] = ("jsonl", "mot", "cvat")
    for form in forms:
        yield "\n".join(boxes.lines_of(film, form)).encode()
