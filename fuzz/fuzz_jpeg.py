"""A face is hidden in any JPEG that can be decoded, and no other."""

import atheris

with atheris.instrument_imports(include=["faceanon", "PIL"]):
    from faceanon.errors import PictureError
    from faceanon.media.clip import Frame
    from faceanon.media.reading import decode
    from faceanon.media.writing import encode_still
    from faceanon.pipeline.hide import Hiding

import numpy as np
from harness import fuzz
from seeds import pictures

from faceanon.model import Box, Face
from faceanon.requests.settings import make_settings

MAX_PIXELS = 100_000
SETTINGS = make_settings("blackbar", {})


def one_input(data: bytes) -> None:
    if not data.startswith(b"\xff\xd8"):
        return
    try:
        before = decode(data, MAX_PIXELS)
    except PictureError:
        before = None
    try:
        picture = decode(data, MAX_PIXELS, lazily=True)
        height, width = picture.shape
        face = Face(Box(width // 4, height // 4, width // 2 + 1, height // 2 + 1), 0.9)
        edit = Hiding([face], SETTINGS, np.random.default_rng(0)).edit(picture)
        written, _ = encode_still(Frame(picture, edit=edit), SETTINGS.writing)
    except PictureError:
        assert before is None
        return
    assert before is not None
    after = decode(written, MAX_PIXELS)
    assert after.shape == before.shape == (height, width)


if __name__ == "__main__":
    fuzz(one_input, (data for data in pictures() if data.startswith(b"\xff\xd8")))
