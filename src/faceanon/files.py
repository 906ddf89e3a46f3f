"""From INPUT and OUTPUT to the list of pictures to do.

Nothing is read here but folders. A folder is walked while the run goes on, and never
listed: of a million pictures the first is handed out at once, and none is kept.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from faceanon.boxes import Record
from faceanon.errors import FaceanonError
from faceanon.jobs import Job
from faceanon.names import folded, is_stale, shown, temporary_name
from faceanon.picture import SUFFIXES, Format
from faceanon.renaming import Renaming
from faceanon.shards import Shard

# Suffixes of pictures that cannot be read: they are tried, and so reported, and not
# passed over like files that are no pictures.
_OTHER_PICTURES = (
    *(".arw", ".cr2", ".cr3", ".dng", ".exr", ".hdr"),
    *(".ico", ".j2k", ".jp2", ".jpx", ".jxl", ".mpo"),
    *(".nef", ".orf", ".pbm", ".pgm", ".pnm", ".ppm", ".psd", ".raf", ".rw2", ".tga"),
)
PICTURE_SUFFIXES = frozenset(
    [*(suffix for group in SUFFIXES.values() for suffix in group), *_OTHER_PICTURES]
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What to take of a folder.

    Attributes:
        recursive: whether to go down into its folders.
        follow_symlinks: whether to take links, if they lead to places in the folder.
        include: patterns of names or paths; empty for all.
        exclude: patterns of what is left out, folders too.
        only: the paths of the pictures to take; None for all.
        shard: the part of the pictures to take; None for all.
    """

    recursive: bool = True
    follow_symlinks: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    shard: Shard | None = None

    def leaves_out(self, path: str, is_folder: bool) -> bool:
        """Whether a picture or a folder, by its path, is not to be taken."""
        if _matches(path, self.exclude):
            return True
        if is_folder:
            # Its pictures may match what it does not match itself.
            return False
        if self.only is not None and path not in self.only:
            return True
        return bool(self.include) and not _matches(path, self.include)


EVERYTHING = Choice()


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    name = path.rpartition("/")[2]
    return any(
        fnmatchcase(path, pattern) or fnmatchcase(name, pattern) for pattern in patterns
    )


@dataclass
class Walk:
    """What a walk over INPUT came across besides pictures, as far as it has come.

    Attributes:
        left_alone: how many files were passed over, by reason.
        problems: folders that could not be read, and why.
        stopped: whether it is to end here.
    """

    left_alone: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[str, str]] = field(default_factory=list)
    stopped: bool = False


class Pictures(Protocol):
    """Where jobs come from."""

    def jobs(self, walk: Walk) -> Iterator[Job]:
        """The pictures, in the order in which the file system gives them."""

    def count(self) -> int:
        """How many there are; takes a walk of its own, in the pauses of other work."""


@dataclass(frozen=True)
class Plan:
    """The pictures to do.

    Attributes:
        root: the folder that outputs are written to; None for a single picture.
        pictures: where they come from.
        walk: what else was found; complete when the last job was handed out.
        records: the faces to hide, by the pictures' names; None to detect them.
        renaming: what makes the names of outputs; None where names are kept.
        shard: the part of a run that is split among machines; None for all of it.
    """

    root: Path | None
    pictures: Pictures
    walk: Walk = field(default_factory=Walk)
    records: Mapping[str, Record] | None = None
    renaming: Renaming | None = None
    shard: Shard | None = None

    def jobs(self) -> Iterator[Job]:
        """The jobs, once, while `walk` fills; none after it was stopped."""
        for job in self.pictures.jobs(self.walk):
            if self.walk.stopped:
                return
            yield job


def plan(
    source: Path | None,
    target: Path | None,
    *,
    format_: Format | None = None,
    choice: Choice = EVERYTHING,
    records: Mapping[str, Record] | None = None,
    renaming: Renaming | None = None,
) -> Plan:
    """Plan a run.

    Args:
        source: a folder or a file; None for standard input.
        target: where to write to; None for standard output.
        format_: the format of the outputs, which changes their suffixes; None to keep.
        choice: what to take of a folder.
        records: the faces to hide, by the pictures' names; None to detect them.
        renaming: what makes the names of outputs; None to keep the names of inputs. An
            output that is named itself keeps its name.

    Raises:
        FaceanonError: it cannot be done without losing something, or at all; the text
            says why.
    """
    if source is None or not source.is_dir():
        planned = _plan_file(source, target, format_, renaming)
    elif target is None:
        raise FaceanonError("a folder cannot be written to standard output")
    else:
        planned = _plan_folder(source, target, format_, choice, renaming)
    return replace(planned, records=records, renaming=renaming)


def plan_reading(source: Path, choice: Choice = EVERYTHING) -> Plan:
    """Plan a run that reads pictures and writes none.

    Args:
        source: a folder or a file.
        choice: what to take of a folder.

    Raises:
        FaceanonError: there is no such file or folder.
    """
    if not source.is_dir():
        return _plan_file(source, None, None, None)
    return Plan(None, _Folder(source, None, None, choice, None))


def _plan_file(
    source: Path | None,
    target: Path | None,
    format_: Format | None,
    renaming: Renaming | None,
) -> Plan:
    if source is not None and not source.exists():
        raise FaceanonError(f"{shown(source)} does not exist")
    if target is not None and target.is_dir():
        if source is None:
            raise FaceanonError(
                f"{shown(target)} is a folder; name the file to write standard input to"
            )
        target = target / _renamed(source.name, format_, renaming)
    if source and target and target.exists() and target.samefile(source):
        raise FaceanonError(f"{shown(target)} is the input itself; name another output")
    name = source.name if source else "-"
    temporary = target.parent / temporary_name() if target else None
    return Plan(None, _Single(Job(name, source, target, temporary)))


def _plan_folder(
    source: Path,
    target: Path,
    format_: Format | None,
    choice: Choice,
    renaming: Renaming | None,
) -> Plan:
    if target.exists() and not target.is_dir():
        raise FaceanonError(
            f"{shown(target)} is a file, but the input is a folder; name a folder"
        )
    real_source, real_target = source.resolve(), target.resolve()
    if real_source == real_target:
        raise FaceanonError(
            "OUTPUT is INPUT itself; name another folder, so that no original is lost"
        )
    if real_source.is_relative_to(real_target):
        raise FaceanonError(
            f"INPUT lies inside of OUTPUT ({shown(target)}); name another folder, "
            "so that no original is lost"
        )
    folder = _Folder(source, target, format_, choice, renaming)
    return Plan(target, folder, shard=choice.shard)


@dataclass(frozen=True)
class _Single:
    """A picture that was named itself."""

    job: Job

    def jobs(self, walk: Walk) -> Iterator[Job]:
        yield self.job

    def count(self) -> int:
        return 1


@dataclass(frozen=True)
class _Folder:
    """A folder of pictures."""

    source: Path
    target: Path | None
    format: Format | None
    choice: Choice
    renaming: Renaming | None

    def jobs(self, walk: Walk) -> Iterator[Job]:
        is_plain = not self.choice.follow_symlinks
        shard = self.choice.shard
        label = shard.label if shard else ""
        for name in self._names(walk):
            source = self.source / name
            if self.target is None:
                yield Job(name, source, None, is_plain=is_plain)
            else:
                target = self.target / _renamed(name, self.format, self.renaming)
                temporary = target.parent / temporary_name(label)
                yield Job(name, source, target, temporary, is_plain)

    def count(self) -> int:
        count = 0
        for _ in self._names(Walk()):
            count += 1
            if count % 200 == 0:
                # Threads that wait for pictures would wait for this one else.
                time.sleep(0.002)
        return count

    def _names(self, walk: Walk) -> Iterator[str]:
        """The pictures, as paths below the folder; what else there is, to `walk`."""
        real_source = self.source.resolve()
        real_target = self.target.resolve() if self.target else None
        folders = [""]
        seen = {real_source}
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self.source / folder) as entries:
                    for entry in entries:
                        path = f"{folder}/{entry.name}" if folder else entry.name
                        kind = self._kind(entry, path, real_source)
                        if kind == "picture":
                            if self._is_ours(path):
                                yield path
                        elif kind != "folder":
                            walk.left_alone[kind] += 1
                        elif (real := Path(entry.path).resolve()) == real_target:
                            # OUTPUT may lie inside of INPUT; it is not read again.
                            continue
                        elif real not in seen:
                            # By way of links a folder could hold itself.
                            seen.update([real] if self.choice.follow_symlinks else [])
                            folders.append(path)
            except OSError as error:
                walk.problems.append((str(self.source / folder), error.strerror or ""))

    def _is_ours(self, path: str) -> bool:
        """Whether a picture is in the shard that is to be done."""
        shard = self.choice.shard
        # Pictures that would become one output are in one shard, which tells them.
        return shard is None or shard.holds(
            folded(_renamed(path, self.format, self.renaming))
        )

    def _kind(self, entry: os.DirEntry[str], path: str, real_source: Path) -> str:
        """Picture, folder, or why it is left alone."""
        follow = self.choice.follow_symlinks
        if entry.is_symlink() and not (follow and _leads_into(entry, real_source)):
            return "link"
        is_folder = entry.is_dir(follow_symlinks=follow)
        suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122  fast
        reasons = {
            "folder, not recursive": is_folder and not self.choice.recursive,
            "pipe, socket or device": not is_folder
            and not entry.is_file(follow_symlinks=follow),
            "hidden": entry.name.startswith("."),
            "no picture": not is_folder and suffix not in PICTURE_SUFFIXES,
            "not included": self.choice.leaves_out(path, is_folder),
        }
        for reason, holds in reasons.items():
            if holds:
                return reason
        return "folder" if is_folder else "picture"


def _leads_into(entry: os.DirEntry[str], folder: Path) -> bool:
    try:
        return Path(entry.path).resolve(strict=True).is_relative_to(folder)
    except (OSError, RuntimeError):  # dangling, or a loop of links
        return False


def _renamed(name: str, format_: Format | None, renaming: Renaming | None) -> str:
    """The path of an output below OUTPUT for that of an input below INPUT."""
    renamed = name if renaming is None else renaming(name)
    stem, suffix = os.path.splitext(renamed)  # noqa: PTH122  a string, and many of them
    if format_ is None or suffix.lower() in SUFFIXES[format_]:
        return renamed
    return stem + SUFFIXES[format_][0]


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
