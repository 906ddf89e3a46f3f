"""Any bytes are a box file whose records come back, or a BoxesError."""

import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["faceanon", "json"]):
    from faceanon import boxes
    from faceanon.errors import BoxesError

from harness import fuzz
from seeds import box_files

_PATH = Path(tempfile.mkdtemp()) / "boxes"


def one_input(data: bytes) -> None:
    _PATH.write_bytes(data)
    try:
        records = boxes.read(_PATH)
    except BoxesError:
        return
    for record in records.values():
        line = boxes.to_line(record)
        # Lines round scores and points; what was rounded once stays as it is.
        assert boxes.to_line(boxes.from_line(line)) == line


if __name__ == "__main__":
    fuzz(one_input, box_files())
