"""Make the picture of the README: the six methods on one group, side by side.

    python tools/make_readme_pictures.py

Anybody may use the picture as they wish; see `examples/README.md`.
"""

from pathlib import Path

import cv2
import numpy as np

import faceanon
from faceanon import anonymizers
from faceanon.model import Image

ROOT = Path(__file__).parents[1]
HEIGHT = 330

# What is shown of it: left, top, right, bottom, as shares of its sides.
PART = (0.05, 0.02, 0.98, 0.62)

LABEL_HEIGHT = 26
SEED = 4


def group() -> Image:
    """Four people at a table, a part of one of the sample pictures."""
    data = np.frombuffer((ROOT / "examples" / "group.jpg").read_bytes(), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert image is not None
    height, width = image.shape[:2]
    left, top, right, bottom = PART
    part = image[
        round(top * height) : round(bottom * height),
        round(left * width) : round(right * width),
    ]
    scale = HEIGHT / part.shape[0]
    return cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def labelled(image: Image, text: str) -> Image:
    label = np.full((LABEL_HEIGHT, image.shape[1], 3), 255, np.uint8)
    font, dark = cv2.FONT_HERSHEY_SIMPLEX, (40, 40, 40)
    cv2.putText(label, text, (4, 18), font, 0.55, dark, 1, cv2.LINE_AA)
    return cv2.copyMakeBorder(
        np.vstack((label, image)), 0, 8, 0, 8, cv2.BORDER_CONSTANT, value=(255,) * 3
    )


def main() -> None:
    image = group()
    faces = faceanon.detect(image)
    made = [
        labelled(faceanon.anonymize(image, name, faces=faces, seed=SEED), name)
        for name in anonymizers.names()
    ]
    rows = [np.hstack(made[start : start + 2]) for start in range(0, len(made), 2)]
    target = ROOT / "docs" / "images" / "methods.jpg"
    target.parent.mkdir(exist_ok=True)
    done, data = cv2.imencode(".jpg", np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert done
    target.write_bytes(data.tobytes())


if __name__ == "__main__":
    main()
