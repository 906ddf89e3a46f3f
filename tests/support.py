"""Real pictures and faces for the tests."""

from pathlib import Path

import cv2
import numpy as np

from faceanon.model import Box, Face, Image

EXAMPLES = Path(__file__).parents[1] / "examples"


def read(path: Path, flags: int = cv2.IMREAD_COLOR) -> Image:
    """Read a picture as other programs see it (OpenCV, orientation applied)."""
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), flags)
    assert pixels is not None, f"{path} cannot be decoded"
    return pixels


def write_png(path: Path, pixels: Image) -> Path:
    done, data = cv2.imencode(".png", pixels)
    assert done
    path.write_bytes(data.tobytes())
    return path


ASTRONAUT_FACE = Face(
    Box(177, 66, 265, 186),
    0.9,
    ((203.0, 112.0), (244.0, 110.0), (227.0, 134.0), (208.0, 152.0), (244.0, 150.0)),
)


def scaled_face(width: int) -> tuple[Image, Face]:
    """The astronaut, scaled so that her face is `width` pixels wide."""
    image = read(EXAMPLES / "astronaut.png")[20:240, 120:330]
    scale = width / ASTRONAUT_FACE.box.width
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation)
    box = ASTRONAUT_FACE.box
    left, top = round((box.left - 120) * scale), round((box.top - 20) * scale)
    height = round(box.height * scale)
    return image, Face(Box(left, top, left + width, top + height), 0.9)
