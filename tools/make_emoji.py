"""Render the stickers of `data/emoji/` from Noto Emoji.

    npm pack @iconify-json/noto@1.2.9
    tar xzf iconify-json-noto-1.2.9.tgz
    pip install resvg_py==0.5.0 pyoxipng==9.1.1
    python tools/make_emoji.py package/icons.json

The package holds the drawings of Noto Emoji (Google, Apache-2.0) as SVG in one JSON
file; they are rendered as they are, at 512 x 512.
"""

import json
import sys
from pathlib import Path

import oxipng
import resvg_py

FOLDER = Path(__file__).parents[1] / "data" / "emoji"
SIZE = 512

# The name here, and what it is called in the package. All have a large opaque disc, so
# that they hide a face without being much larger than it.
NAMES = {
    "bear": "bear",
    "cowboy": "cowboy-hat-face",
    "grin": "beaming-face-with-smiling-eyes",
    "halo": "smiling-face-with-halo",
    "hearts": "smiling-face-with-heart-eyes",
    "joy": "face-with-tears-of-joy",
    "koala": "koala",
    "lion": "lion",
    "moon": "full-moon-with-face",
    "nerd": "nerd-face",
    "panda": "panda",
    "party": "partying-face",
    "pig": "pig-face",
    "polarbear": "polar-bear",
    "smile": "slightly-smiling-face",
    "stars": "star-struck",
    "sunglasses": "smiling-face-with-sunglasses",
    "tiger": "tiger-face",
    "wink": "winking-face",
    "zany": "zany-face",
}


def main(icons: Path) -> None:
    bodies = json.loads(icons.read_text())["icons"]
    FOLDER.mkdir(exist_ok=True)
    for name, original in NAMES.items():
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" '
            'xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 128 128">'
            f"{bodies[original]['body']}</svg>"
        )
        png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE))
        optimized = oxipng.optimize_from_memory(png, level=6)
        (FOLDER / f"{name}.png").write_bytes(optimized)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
