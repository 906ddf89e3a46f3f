"""The examples of CONTRIBUTING.md do what the page says."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from faceanon.model import Box, Cover, Image
from support import ASTRONAUT_FACE, EXAMPLES, read

PAGE = Path(__file__).parents[1] / "CONTRIBUTING.md"


def example(name: str) -> dict[str, Any]:
    """The module of the example in which something is defined."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.S | re.M)
    (block,) = (block for block in blocks if f"class {name}" in block)
    module: dict[str, Any] = {"__name__": name}
    exec(compile(block, str(PAGE), "exec"), module)
    return module


def test_the_method_hides_at_8_and_16_bits() -> None:
    method = example("Median")["Median"]()
    image = read(EXAMPLES / "astronaut.png")

    def hidden(pixels: Image) -> Image:
        rng = np.random.default_rng(0)
        after: Image = method.hide(pixels, [ASTRONAUT_FACE], Cover(), rng)
        return after[ASTRONAUT_FACE.box.slices]

    assert np.ptp(hidden(image), axis=(0, 1)).max() == 0
    deep = hidden(image.astype(np.uint16) * 257)
    assert np.ptp(deep.astype(int), axis=(0, 1)).max() == 0
    assert deep.max() > 255


def test_the_detector_takes_every_picture_for_a_face() -> None:
    images = [np.zeros((30, 40, 3), np.uint8), np.zeros((50, 60, 3), np.uint8)]
    found = example("Whole")["make"]("fast")(images)
    assert [[face.box for face in faces] for faces in found] == [
        [Box(0, 0, 40, 30)],
        [Box(0, 0, 60, 50)],
    ]
