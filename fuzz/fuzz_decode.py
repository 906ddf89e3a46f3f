"""Any bytes are a picture within the limits, or a PictureError."""

import atheris

with atheris.instrument_imports(include=["faceanon", "PIL"]):
    from faceanon.errors import PictureError
    from faceanon.media.reading import decode
    from faceanon.media.writing import encode

from harness import fuzz
from seeds import pictures

MAX_PIXELS = 100_000


def one_input(data: bytes) -> None:
    try:
        picture = decode(data, MAX_PIXELS)
    except PictureError:
        return
    height, width = picture.pixels.shape[:2]
    assert 0 < height * width <= MAX_PIXELS
    assert picture.color.shape == (height, width, 3)
    try:
        written = encode(picture)
    except PictureError:
        return
    # An alpha channel of a picture without holes may be gone.
    assert decode(written, MAX_PIXELS).pixels.shape[:2] == (height, width)


if __name__ == "__main__":
    fuzz(one_input, pictures())
