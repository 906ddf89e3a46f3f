"""How small a face may be in a large picture: how many are found, by width and by size.

    python benchmarks/large_pictures.py [--accuracy LEVEL] [--background FOLDER]
        [--megapixels N ...] [--faces N] [--aspect W/H]

Real faces out of `examples/` are pasted, scaled to a width, into pictures of 1 to 24
million pixels: those of a folder, enlarged and with the noise of a camera, or else
noise alone. Eight faces in a picture of 3:2 are the default; `--faces 200` makes a
crowd, `--aspect 8` a panorama. Prints a table for a level, and its processor time.
"""

import argparse
import math
import time
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from faceanon.model import Box, Image
from faceanon.vision import detection
from faceanon.vision.detection.levels import ACCURACIES

EXAMPLES = Path(__file__).parents[1] / "examples"

# Where faces are, and how much around one is pasted with it, in its own widths.
FACES = (
    ("astronaut.png", Box(178, 62, 272, 178)),
    ("grace_hopper.jpg", Box(172, 122, 355, 335)),
    ("group.jpg", Box(385, 750, 750, 1185)),
    ("group.jpg", Box(1797, 430, 2107, 860)),
)
AROUND = 0.8

MEGAPIXELS = (1, 2, 4, 12, 24)
WIDTHS = (12, 16, 24, 32, 40, 60, 100)


def heads() -> list[tuple[Image, Box]]:
    """Pictures of one head each, and where the face is in it."""
    found = []
    for name, face in FACES:
        picture = cv2.imread(str(EXAMPLES / name))
        assert picture is not None, f"examples/{name} is there"
        height, width = picture.shape[:2]
        more = round(AROUND * face.width)
        crop = Box(
            face.left - more, face.top - more, face.right + more, face.bottom + more
        ).clipped(height, width)
        inside = face.placed(right=-crop.left, down=-crop.top)
        found.append((picture[crop.slices], inside))
    return found


def background(folder: Path | None, number: int, height: int, width: int) -> Image:
    """A picture without faces; with noise, of which enlarging takes all."""
    rng = np.random.default_rng(number)
    picture: Image = np.full((height, width, 3), 120, np.uint8)
    if folder is not None:
        paths = sorted(folder.iterdir())
        small = cv2.imread(str(paths[number % len(paths)]))
        assert small is not None, f"{paths[number % len(paths)]} is a picture"
        picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = rng.normal(0, 4, (height, width, 1))
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def with_faces(picture: Image, face_width: int, count: int) -> list[Box]:
    """Paste faces of a width into a picture, on a grid; where they are."""
    height, width = picture.shape[:2]
    rows = max(round(math.sqrt(count * height / width)), 1)
    columns = math.ceil(count / rows)
    places = []
    for number, (head, face) in zip(range(count), cycle(heads()), strict=False):
        scale = face_width / face.width
        small = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        down, across = small.shape[:2]
        row, column = divmod(number, columns)
        left = max(round((column + 0.5) * width / columns - across / 2), 0)
        top = max(round((row + 0.5) * height / rows - down / 2), 0)
        left, top = min(left, width - across), min(top, height - down)
        picture[top : top + down, left : left + across] = small
        corners = (face.left, face.top, face.right, face.bottom)
        x0, y0, x1, y1 = (round(side * scale) for side in corners)
        places.append(Box(left + x0, top + y0, left + x1, top + y1))
    return places


def main() -> None:
    """Print the table of a level."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--accuracy", choices=ACCURACIES, default="balanced")
    parser.add_argument("--background", type=Path, help="a folder of pictures")
    parser.add_argument("--megapixels", type=float, nargs="+", default=MEGAPIXELS)
    parser.add_argument("--faces", type=int, default=8, help="in each picture")
    parser.add_argument("--aspect", type=float, default=1.5, help="width by height")
    parsed = parser.parse_args()
    detector = detection.make("centerface", parsed.accuracy)
    print(f"{parsed.accuracy}: found of {parsed.faces}, by their width in pixels")
    print(
        "| Mpx |", *(f"{width} |" for width in WIDTHS), "CPU s without a face | with |"
    )
    for megapixels in parsed.megapixels:
        height = round(math.sqrt(megapixels * 1e6 / parsed.aspect))
        shape = height, round(parsed.aspect * height)
        detector([background(parsed.background, 0, *shape)])  # shapes are met first
        found, seconds = [], []
        for number, width in enumerate((0, *WIDTHS)):
            picture = background(parsed.background, number, *shape)
            places = with_faces(picture, width, parsed.faces) if width else []
            start = time.process_time()
            (faces,) = detector([picture])
            seconds.append(time.process_time() - start)
            found.append(
                sum(
                    any(face.box.overlap(place) > 0.3 for face in faces)
                    for place in places
                )
            )
        with_some = sum(seconds[1:]) / len(WIDTHS)
        cells = " | ".join(map(str, found[1:]))
        print(f"| {megapixels:g} | {cells} | {seconds[0]:.2f} | {with_some:.2f} |")


if __name__ == "__main__":
    main()
