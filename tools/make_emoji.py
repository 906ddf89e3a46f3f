"""Render the stickers of `data/emoji/` from Noto Emoji.

    npm pack @iconify-json/noto@1.2.9
    tar xzf iconify-json-noto-1.2.9.tgz
    pip install resvg_py==0.5.0 pyoxipng==9.1.1
    python tools/make_emoji.py package

The package holds the drawings of Noto Emoji (Google, Apache-2.0) as SVG in one JSON
file, and which character each is in another. Those of `stickers.CHARACTERS` are
rendered as they are, at 512 x 512.
"""

import json
import sys
from pathlib import Path

import oxipng
import resvg_py

from faceanon.anonymizers.stickers import CHARACTERS

FOLDER = Path(__file__).parents[1] / "data" / "emoji"
SIZE = 512


def main(package: Path) -> None:
    bodies = json.loads((package / "icons.json").read_text())["icons"]
    drawing_of = json.loads((package / "chars.json").read_text())
    FOLDER.mkdir(exist_ok=True)
    for name, character in CHARACTERS.items():
        drawing = drawing_of["-".join(f"{ord(part):x}" for part in character)]
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" '
            'xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 128 128">'
            f"{bodies[drawing]['body']}</svg>"
        )
        png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE))
        optimized = oxipng.optimize_from_memory(png, level=6)
        (FOLDER / f"{name}.png").write_bytes(optimized)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
