"""What the window remembers from one time to the next."""

import json
from pathlib import Path
from typing import Any

import platformdirs


def file() -> Path:
    """The file that holds what is remembered."""
    return Path(platformdirs.user_config_dir("faceanon", False)) / "window.json"


def recall() -> dict[str, Any]:
    """What was remembered; empty when nothing was, or it cannot be read."""
    try:
        remembered = json.loads(file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return remembered if isinstance(remembered, dict) else {}


def remember(what: dict[str, Any]) -> None:
    """Remember; where it cannot be written, it is forgotten without a word."""
    path = file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(what), "utf-8")
    except OSError:
        return
