"""The pictures of a folder: what is taken of it, and what is ignored.

A folder is walked while the run goes on, and never listed: of a million pictures the
first is handed out at once, and none is kept.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from os.path import lexists
from pathlib import Path

from faceanon.batch.planning.patterns import matching
from faceanon.batch.planning.plan import (
    LEFT_OUT,
    NO_PICTURE,
    NOT_RECURSIVE,
    InputFilter,
    Outputs,
    PlannedJob,
    WalkReport,
    ignored,
)
from faceanon.batch.planning.shards import Shard
from faceanon.media.content import HEAD, content_of
from faceanon.media.video.containers import container_of
from faceanon.storage.names import STATE_FILE, is_stale, is_state
from faceanon.storage.suffixes import AMBIGUOUS_SUFFIXES

_LINK = "a link (--follow-symlinks takes those that stay in INPUT)"
_LINK_OUT = "a link to nothing, or out of INPUT"
_EARLIER = "OUTPUT of an earlier run; to take it, name it as INPUT"


@dataclass(frozen=True)
class Folder:
    """A folder of pictures, as it is walked; a source of jobs.

    Attributes:
        source: the folder.
        input_filter: what to take of it.
        outputs: where outputs go. A folder for them in this one is not read.
        prefix: what is put before the names, where there are several inputs.
    """

    source: Path
    input_filter: InputFilter
    outputs: Outputs
    prefix: str = ""

    def jobs(self, walk: WalkReport) -> Iterator[PlannedJob]:
        """The pictures, and what is ignored, in the order of the file system."""
        is_plain = not self.input_filter.follow_symlinks
        for name, reason in self._walked(walk):
            source, below = self.source / name, self.prefix + name
            if not reason:
                yield self.outputs.job(below, source, is_plain=is_plain)
            else:
                what = _what_it_is(source) if reason == NO_PICTURE else reason
                yield ignored(below, source, what)

    def count(self) -> int:
        """How many pictures there are; walks the folder once more."""
        count = 0
        for seen, (_, reason) in enumerate(self._walked(WalkReport())):
            count += not reason
            if seen % 200 == 0:
                # Threads that wait for pictures would wait for this one else.
                time.sleep(0.002)
        return count

    def whole(self) -> "Folder":
        """All of it, whatever the filter leaves to others."""
        return replace(
            self, input_filter=self.input_filter.whole(), outputs=self.outputs.whole()
        )

    def _walked(self, walk: WalkReport) -> Iterator[tuple[str, str]]:
        """The files, as paths below the folder, and why each is ignored, if it is.

        A folder that is ignored as a whole is given as such.
        """
        real_source = self.source.resolve()
        root = self.outputs.root
        real_target = root.resolve() if isinstance(root, Path) else None
        folders = [""]
        seen = {real_source}
        unmet = self.input_filter.patterns
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self.source / folder) as entries:
                    for entry in entries:
                        if is_state(entry.name):
                            continue
                        path = f"{folder}/{entry.name}" if folder else entry.name
                        is_folder = entry.is_dir(follow_symlinks=False)
                        unmet -= matching(unmet, path, is_folder=is_folder)
                        reason = self._reason_to_ignore(entry, path, real_source)
                        if reason or not entry.is_dir():
                            # Of what is ignored, each shard tells its own part.
                            if self._is_ours(path):
                                yield path, reason
                        elif (real := Path(entry.path).resolve()) == real_target:
                            # OUTPUT may lie inside of INPUT; it is not read again.
                            continue
                        elif lexists(real / STATE_FILE):
                            if self._is_ours(path):
                                yield path, _EARLIER
                        elif real not in seen:
                            # By way of links a folder could hold itself.
                            seen.update(
                                [real] if self.input_filter.follow_symlinks else []
                            )
                            folders.append(path)
            except OSError as error:
                walk.problems.append((str(self.source / folder), error.strerror or ""))
        walk.unmet |= set() if walk.problems else unmet

    def _is_ours(self, path: str) -> bool:
        """Whether a file is for this run, be it taken or ignored."""
        name = self.prefix + path
        return self.input_filter.asks_for(name) and self.outputs.take(name)

    def _reason_to_ignore(
        self, entry: os.DirEntry[str], path: str, real_source: Path
    ) -> str:
        """Why a file or folder is not taken; empty where it is."""
        follow = self.input_filter.follow_symlinks
        if entry.is_symlink():
            if self.input_filter.excludes(path, is_folder=follow):
                return LEFT_OUT
            if not follow:
                return _LINK
            if not leads_into(entry, real_source):
                return _LINK_OUT
        is_folder = entry.is_dir(follow_symlinks=follow)
        is_file = entry.is_file(follow_symlinks=follow)
        reasons = [
            (LEFT_OUT, self.input_filter.excludes(path, is_folder)),
            (NOT_RECURSIVE, is_folder and not self.input_filter.recursive),
            ("a pipe, socket or device", not is_folder and not is_file),
            ("hidden", entry.name.startswith(".")),
            (self.input_filter.reason_to_ignore(entry.name), not is_folder),
            (NO_PICTURE, not is_folder and _is_source_code(entry)),
        ]
        return next((reason for reason, holds in reasons if reason and holds), "")


def _what_it_is(path: Path) -> str:
    """What a file is that has no name of a picture."""
    try:
        with path.open("rb") as file:
            content = content_of(file.read(HEAD))
    except OSError as error:
        return f"{NO_PICTURE}, and cannot be read: {error.strerror}"
    return f"{content} by its content" if content else NO_PICTURE


def _is_source_code(entry: os.DirEntry[str]) -> bool:
    """Whether a file that could be a film by its name is none."""
    if Path(entry.name).suffix.lower() not in AMBIGUOUS_SUFFIXES:
        return False
    try:
        with Path(entry.path).open("rb") as file:
            return container_of(file.read(HEAD)) is None
    except OSError:
        return False  # that it cannot be read is told of when it is its turn


def leads_into(entry: os.DirEntry[str], folder: Path) -> bool:
    """Whether a link leads to something in a folder, or what is no link lies there."""
    try:
        return Path(entry.path).resolve(strict=True).is_relative_to(folder)
    except (OSError, RuntimeError):  # dangling, or a loop of links
        return False


def sweep(folder: Path, shard: Shard | None) -> None:
    """Remove temporary files that a run that was killed left in a folder.

    Args:
        folder: where to look; not in its folders.
        shard: the part that is being done; files of other parts are left alone.
    """
    label = shard.label if shard else ""
    try:
        with os.scandir(folder) as entries:
            stale = [
                entry.path
                for entry in entries
                if is_stale(entry.name, label) and entry.is_file(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return
    for path in stale:
        Path(path).unlink(missing_ok=True)
