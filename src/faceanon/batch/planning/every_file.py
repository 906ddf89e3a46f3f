"""Every file of a folder, whatever it is called: for a check that passes none over."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faceanon.batch.planning.folder import leads_into
from faceanon.batch.planning.patterns import matching
from faceanon.batch.planning.plan import LEFT_OUT, InputFilter

_STATE = re.compile(r"\.faceanon(-\d+of\d+)?\.db(-journal|-wal|-shm)?")
_OWN_STATE = "digests by which faceanon knows its outputs"

_NO_FILE = "a pipe, socket or device: it is not looked into"


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
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield Found(folder / below, f"it cannot be read: {error.strerror}")
            continue
        for entry in listed:
            path = f"{below}/{entry.name}" if below else entry.name
            follow = input_filter.follow_symlinks and leads_into(entry, real_folder)
            is_folder = entry.is_dir(follow_symlinks=follow)
            left.unmet -= matching(left.unmet, path, is_folder=is_folder)
            if input_filter.excludes(path, is_folder):
                left.reasons[LEFT_OUT] += 1
            elif is_folder and not input_filter.recursive:
                left.reasons["a folder (--no-recursive)"] += 1
            elif is_folder:
                # By way of links a folder could hold itself.
                if (real := (folder / path).resolve()) not in seen:
                    seen.update([real] if input_filter.follow_symlinks else [])
                    folders.append(path)
            elif entry.is_symlink() and not follow:
                yield Found(folder / path, _about_link(input_filter))
            elif not entry.is_file(follow_symlinks=follow):
                yield Found(folder / path, _NO_FILE)
            elif _STATE.fullmatch(entry.name):
                left.reasons[_OWN_STATE] += 1
            else:
                yield Found(folder / path)


def _about_link(input_filter: InputFilter) -> str:
    if input_filter.follow_symlinks:
        return "a link that leads out of the folder, or nowhere: it is not followed"
    return "a link: it is not followed (--follow-symlinks)"
