"""Make a contact sheet: a face of each picture of a folder, by each method.

    python tools/contact_sheet.py FOLDER SHEET.jpg

Every picture is treated whole, by the methods as they come. The sheet shows the
surroundings of its largest face, transparent pictures on a checkerboard. `swap` leaves
pictures with one face out.
"""

import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

import faceanon
from faceanon import anonymizers
from faceanon.model import Box, Image

TILE = 150
GAP = 4
LABEL = 24

# How much around a face is shown.
AROUND = 2.6


def on_checkerboard(path: Path) -> Image:
    """A picture as a program shows it: BGR, transparent parts on squares."""
    image = cv2.imdecode(
        np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED
    )
    if image is None or (image.ndim == 3 and image.shape[2] == 3):
        image = cv2.imdecode(
            np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR
        )
    assert image is not None, f"{path} cannot be read"
    if image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 3:
        return image
    y, x = np.indices(image.shape[:2]) // 16
    squares = np.where((x + y) % 2, 205, 235)[:, :, None]
    share = image[:, :, 3:] / 255
    return np.asarray(image[:, :, :3] * share + squares * (1 - share), np.uint8)


def tile(image: Image, box: Box) -> Image:
    """The surroundings of a box, in a square of the sheet."""
    part = image[box.slices]
    scale = TILE / max(part.shape[:2])
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=kind)
    below, right = TILE - part.shape[0], TILE - part.shape[1]
    return cv2.copyMakeBorder(
        part,
        *(below // 2, below - below // 2 + GAP, right // 2, right - right // 2 + GAP),
        cv2.BORDER_CONSTANT,
        value=(255, 255, 255),
    )


def labels(names: list[str]) -> Image:
    """The first row of the sheet."""
    row = np.full((LABEL, len(names) * (TILE + GAP), 3), 255, np.uint8)
    for number, name in enumerate(names):
        place = number * (TILE + GAP) + 4, LABEL - 8
        font, dark = cv2.FONT_HERSHEY_SIMPLEX, (40, 40, 40)
        cv2.putText(row, name, place, font, 0.5, dark, 1, cv2.LINE_AA)
    return row


def main(source: Path, sheet: Path) -> None:
    blank = np.full((TILE + GAP, TILE + GAP, 3), 255, np.uint8)
    places: dict[str, Box] = {}
    columns: dict[str, dict[str, Image]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for method in anonymizers.names():
            target = Path(folder) / method
            columns[method] = {}
            for outcome in faceanon.run(source, target, method, seed=1):
                name = outcome.job.name
                if outcome.faces:
                    face = max(outcome.faces, key=lambda face: face.box.width)
                    size = outcome.height, outcome.width
                    places[name] = face.box.grown(AROUND).clipped(*size)
                if outcome.target_stamp is not None and outcome.faces:
                    image = on_checkerboard(target / name)
                    columns[method][name] = tile(image, places[name])
    rows = [labels(["", *columns])]
    for name in sorted(places):
        before = tile(on_checkerboard(source / name), places[name])
        treated = (column.get(name, blank) for column in columns.values())
        rows.append(np.hstack((before, *treated)))
    done, data = cv2.imencode(".jpg", np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 84])
    assert done
    sheet.write_bytes(data.tobytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
