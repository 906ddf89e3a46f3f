"""Patterns of names, as `--include` and `--exclude` take them."""

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import cache

from faceanon.storage.names import folded


def matching(patterns: Iterable[str], path: str, *, is_folder: bool) -> set[str]:
    """The patterns that match a file or a folder, or a folder that it is in.

    A pattern stands for a name, or for a path below INPUT; one that ends with a slash
    for folders only, and one that begins with a slash for a path only. Upper and lower
    case are the same, as they are in suffixes.

    Args:
        patterns: with `*`, `?` and `[a-z]`.
        path: below INPUT, with slashes.
        is_folder: whether it is a folder.

    >>> matching(["*.jpg", "day1/"], "day1/IMG.JPG", is_folder=False) == {
    ...     "*.jpg", "day1/"
    ... }
    True
    >>> matching(["day1/", "/b.jpg"], "a/b.jpg", is_folder=False)
    set()
    """
    parts = folded(path).split("/")
    found = set()
    for pattern in patterns:
        wanted, is_path_only, is_folder_only = _parsed(pattern)
        last = len(parts) if is_folder or not is_folder_only else len(parts) - 1
        if any(
            wanted.match("/".join(parts[: depth + 1]))
            or (not is_path_only and wanted.match(parts[depth]))
            for depth in range(last)
        ):
            found.add(pattern)
    return found


@cache
def _parsed(pattern: str) -> tuple[re.Pattern[str], bool, bool]:
    """What it matches; whether that is a path only; whether it is a folder only."""
    text = pattern.removeprefix("./")
    wanted = re.compile(translate(folded(text).strip("/")))
    return wanted, text.startswith("/"), text.endswith("/")
