"""Any bytes are a box file whose records come back, or a BoxesError."""

import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["faceanon", "json"]):
    from faceanon import boxes
    from faceanon.errors import BoxesError

from harness import fuzz
from seeds import box_files

_PATH = Path(tempfile.mkdtemp()) / "clip.boxes"
_FILM = "clip.mp4"


def one_input(data: bytes) -> None:
    _PATH.write_bytes(data)
    try:
        records = list(boxes.read(_PATH, _FILM).values())
    except BoxesError:
        return
    boxes.write(_PATH, records)
    # Lines round scores and points, and tell of boxes without tracks as those of pages
    # are told of; what was written once stays as it is.
    boxes.write(_PATH, boxes.read(_PATH).values())
    once = _PATH.read_bytes()
    boxes.write(_PATH, boxes.read(_PATH).values())
    assert _PATH.read_bytes() == once


if __name__ == "__main__":
    fuzz(one_input, box_files())
