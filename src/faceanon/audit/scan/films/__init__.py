"""The walkers of films: one container a module, and what they share."""

from pathlib import Path

SUFFIXES = frozenset(
    [
        *(".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".avi"),
        *(".wmv", ".asf", ".flv", ".f4v", ".mpg", ".mpeg", ".vob", ".ts", ".m2ts"),
        *(".mts", ".ogv", ".ogg", ".mxf", ".rm", ".insv", ".lrv", ".divx"),
    ]
)
"""What the names of films end with, in lower case."""

_HEAD = 4096


def is_source_code(path: Path) -> bool:
    """Whether a file that is called like a transport stream is TypeScript.

    Raises:
        OSError: it cannot be read.
    """
    if path.suffix.lower() not in (".ts", ".mts") or not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD)
    # A character may be cut off at the end.
    text = head.decode("utf-8", "ignore").encode()
    return len(head) - len(text) < 4 and not any(head.count(byte) for byte in range(9))
