"""Every file of a folder, whatever it is called: for a check that passes none over."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from faceanon.batch.planning.folder import leads_into
from faceanon.batch.planning.patterns import matching
from faceanon.batch.planning.plan import LEFT_OUT, NOT_RECURSIVE, InputFilter
from faceanon.storage.names import is_state

_SQLITE = b"SQLite format 3\0"
_OWN_STATE = "digests by which faceanon knows its outputs"


@dataclass(frozen=True, slots=True)
class Found:
    """A file.

    Attributes:
        path: of it.
        problem: why nobody looks into it; empty where it can be read.
    """

    path: Path
    problem: str = ""


@dataclass
class Left:
    """What was left out of a walk.

    Attributes:
        reasons: how many files and folders, by reason.
        unmet: the patterns that nothing has met so far.
    """

    reasons: Counter[str] = field(default_factory=Counter)
    unmet: set[str] = field(default_factory=set)


def every_file(folder: Path, input_filter: InputFilter, left: Left) -> Iterator[Found]:
    """All files of a folder and its folders, hidden ones too.

    Only what the user leaves out is left out. What is no regular file, and links that
    are not followed, are given with the reason.

    Args:
        folder: where to begin.
        input_filter: what the user leaves out, and whether links are followed.
        left: gets what was left out; patterns that are met leave its `unmet`.
    """
    real_folder = folder.resolve()
    folders, seen = [""], {real_folder}
    while folders:
        below = folders.pop()
        try:
            with os.scandir(folder / below) as entries:
                for entry in entries:
                    path = f"{below}/{entry.name}" if below else entry.name
                    is_link = entry.is_symlink()
                    follow = is_link and input_filter.follow_symlinks
                    follow = follow and leads_into(entry, real_folder)
                    is_folder = entry.is_dir(follow_symlinks=follow)
                    left.unmet -= matching(left.unmet, path, is_folder=is_folder)
                    if reason := _left_out(path, is_folder, input_filter):
                        left.reasons[reason] += 1
                    elif is_folder:
                        # By way of links a folder could hold itself.
                        if (real := (folder / path).resolve()) not in seen:
                            seen.update([real] if input_filter.follow_symlinks else [])
                            folders.append(path)
                    elif _is_own_state(entry):
                        left.reasons[_OWN_STATE] += 1
                    else:
                        problem = _problem(entry, follow, input_filter)
                        yield Found(folder / path, problem)
        except OSError as error:
            yield Found(folder / below, f"it cannot be read: {error.strerror}")


def _left_out(path: str, is_folder: bool, input_filter: InputFilter) -> str:
    """Why the user wants a file or a folder to be left out, or nothing."""
    if input_filter.excludes(path, is_folder):
        return LEFT_OUT
    return NOT_RECURSIVE if is_folder and not input_filter.recursive else ""


def _problem(entry: os.DirEntry[str], follow: bool, input_filter: InputFilter) -> str:
    """See `Found`."""
    if entry.is_file(follow_symlinks=follow):
        return ""
    if not entry.is_symlink() or follow:
        return "a pipe, socket or device: it is not looked into"
    if input_filter.follow_symlinks:
        return "a link that leads out of the folder, or nowhere: it is not followed"
    return "a link: it is not followed (--follow-symlinks)"


def _is_own_state(entry: os.DirEntry[str]) -> bool:
    """Whether a file is what it is called like."""
    if not (is_state(entry.name) and entry.is_file(follow_symlinks=False)):
        return False
    with suppress(OSError), Path(entry.path).open("rb") as file:
        return file.read(len(_SQLITE)) in (b"", _SQLITE)
    return False
