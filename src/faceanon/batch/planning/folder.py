"""The pictures of a folder: what is taken of it, and what is skipped.

A folder is walked while the run goes on, and never listed: of a million pictures the
first is handed out at once, and none is kept.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from os.path import lexists
from pathlib import Path

from faceanon.batch.ledgers import STATE_FILE
from faceanon.batch.planning.patterns import matching
from faceanon.batch.planning.plan import (
    NO_PICTURE,
    InputFilter,
    Outputs,
    PlannedJob,
    WalkReport,
)
from faceanon.batch.planning.shards import Shard
from faceanon.media.video.containers import HEAD, container_of
from faceanon.storage.names import is_stale
from faceanon.storage.suffixes import AMBIGUOUS_SUFFIXES

_EARLIER = "output of an earlier run"


@dataclass(frozen=True)
class Folder:
    """A folder of pictures, as it is walked; a source of jobs.

    Attributes:
        source: the folder.
        input_filter: what to take of it.
        outputs: where outputs go. A folder for them in this one is not read.
    """

    source: Path
    input_filter: InputFilter
    outputs: Outputs

    def jobs(self, walk: WalkReport) -> Iterator[PlannedJob]:
        """The pictures, in the order in which the file system gives them."""
        is_plain = not self.input_filter.follow_symlinks
        for name in self._names(walk):
            yield self.outputs.job(name, self.source / name, is_plain=is_plain)

    def count(self) -> int:
        """How many there are; walks the folder once more."""
        count = 0
        for _ in self._names(WalkReport()):
            count += 1
            if count % 200 == 0:
                # Threads that wait for pictures would wait for this one else.
                time.sleep(0.002)
        return count

    def whole(self) -> "Folder":
        """All of it, whatever the filter leaves to others."""
        return replace(
            self, input_filter=self.input_filter.whole(), outputs=self.outputs.whole()
        )

    def _names(self, walk: WalkReport) -> Iterator[str]:
        """The pictures, as paths below the folder; what else there is, to `walk`."""
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
                        path = f"{folder}/{entry.name}" if folder else entry.name
                        is_folder = entry.is_dir(follow_symlinks=False)
                        unmet -= matching(unmet, path, is_folder=is_folder)
                        kind = self._kind(entry, path, real_source)
                        if kind == "picture":
                            if self.outputs.take(path):
                                yield path
                        elif kind != "folder":
                            walk.skipped[kind] += 1
                        elif (real := Path(entry.path).resolve()) == real_target:
                            # OUTPUT may lie inside of INPUT; it is not read again.
                            continue
                        elif lexists(real / STATE_FILE):
                            walk.skipped[_EARLIER] += 1
                            walk.earlier.append(path)
                        elif real not in seen:
                            # By way of links a folder could hold itself.
                            seen.update(
                                [real] if self.input_filter.follow_symlinks else []
                            )
                            folders.append(path)
            except OSError as error:
                walk.problems.append((str(self.source / folder), error.strerror or ""))
        walk.unmet |= set() if walk.problems else unmet

    def _kind(self, entry: os.DirEntry[str], path: str, real_source: Path) -> str:
        """Picture, folder, or why it is left alone."""
        follow = self.input_filter.follow_symlinks
        if entry.is_symlink() and not (follow and leads_into(entry, real_source)):
            return "link"
        is_folder = entry.is_dir(follow_symlinks=follow)
        is_file = entry.is_file(follow_symlinks=follow)
        reasons = [
            ("folder, not recursive", is_folder and not self.input_filter.recursive),
            ("pipe, socket or device", not is_folder and not is_file),
            ("hidden", entry.name.startswith(".")),
            (self.input_filter.reason_to_skip(entry.name), not is_folder),
            ("not included", self.input_filter.excludes(path, is_folder)),
            (NO_PICTURE, not is_folder and _is_source_code(entry)),
        ]
        for reason, holds in reasons:
            if holds and reason:
                return reason
        return "folder" if is_folder else "picture"


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
