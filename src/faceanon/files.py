"""From INPUT and OUTPUT to the list of pictures to do.

Nothing is read here but folders. A folder is walked twice: first to count and to find
outputs that would be one and the same file, then, while the run goes on, to hand out
the jobs; a million pictures need eight megabytes, not a list of a million paths.
"""

import os
import secrets
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np

from faceanon.errors import FaceanonError
from faceanon.jobs import Job, shown
from faceanon.picture import SUFFIXES, Format

# Suffixes of pictures that cannot be read: they are tried, and so reported, and not
# passed over like files that are no pictures.
_OTHER_PICTURES = (
    *(".apng", ".arw", ".avif", ".cr2", ".cr3", ".dng", ".exr", ".gif", ".hdr"),
    *(".heic", ".heif", ".hif", ".ico", ".j2k", ".jp2", ".jpx", ".jxl", ".mpo"),
    *(".nef", ".orf", ".pbm", ".pgm", ".pnm", ".ppm", ".psd", ".raf", ".rw2", ".tga"),
)
PICTURE_SUFFIXES = frozenset(
    [*(suffix for group in SUFFIXES.values() for suffix in group), *_OTHER_PICTURES]
)

TEMPORARY_PREFIX = ".faceanon-"
TEMPORARY_SUFFIX = ".tmp"


@dataclass
class Walk:
    """What a walk over INPUT came across besides pictures.

    Attributes:
        left_alone: how many files were passed over, by reason.
        problems: folders that could not be read, and why.
    """

    left_alone: Counter[str] = field(default_factory=Counter)
    problems: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """The pictures to do.

    Attributes:
        total: how many there are.
        root: the folder that outputs are written to; None for a single picture.
        walk: what else was found.
    """

    total: int
    root: Path | None
    walk: Walk
    _jobs: Iterable[Job]

    def jobs(self) -> Iterator[Job]:
        """The pictures, in the order in which the file system gives them."""
        return iter(self._jobs)


def plan(
    source: Path | None,
    target: Path | None,
    *,
    format_: Format | None = None,
    recursive: bool = True,
) -> Plan:
    """Plan a run.

    Args:
        source: a folder or a file; None for standard input.
        target: where to write to; None for standard output.
        format_: the format of the outputs, which changes their suffixes; None to keep.
        recursive: whether to go down into the folders of a folder.

    Raises:
        FaceanonError: it cannot be done without losing something, or at all; the text
            says why.
    """
    if source is None or not source.is_dir():
        return _plan_file(source, target, format_)
    if target is None:
        raise FaceanonError("a folder cannot be written to standard output")
    return _plan_folder(source, target, format_, recursive)


def _plan_file(
    source: Path | None, target: Path | None, format_: Format | None
) -> Plan:
    if source is not None and not source.exists():
        raise FaceanonError(f"{shown(source)} does not exist")
    if target is not None and target.is_dir():
        if source is None:
            raise FaceanonError(
                f"{shown(target)} is a folder; name the file to write standard input to"
            )
        target = target / _renamed(source.name, format_)
    if source and target and target.exists() and target.samefile(source):
        raise FaceanonError(f"{shown(target)} is the input itself; name another output")
    name = source.name if source else "-"
    temporary = target.parent / _temporary_name() if target else None
    return Plan(1, None, Walk(), [Job(name, source, target, temporary)])


def _plan_folder(
    source: Path, target: Path, format_: Format | None, recursive: bool
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
    folder = _Folder(source, target, real_target, format_, recursive)
    walk = Walk()
    total = _refuse_collisions(folder, walk)
    return Plan(total, target, walk, folder)


@dataclass(frozen=True)
class _Folder:
    """A folder of pictures; iterating over it walks it and gives its jobs."""

    source: Path
    target: Path
    real_target: Path
    format: Format | None
    recursive: bool

    def __iter__(self) -> Iterator[Job]:
        for name in self.names(Walk()):
            target = self.target / self.target_name(name)
            yield Job(
                name, self.source / name, target, target.parent / _temporary_name()
            )

    def target_name(self, name: str) -> str:
        return _renamed(name, self.format)

    def names(self, walk: Walk) -> Iterator[str]:
        """The pictures, as paths below the folder; what else there is, to `walk`."""
        folders = [""]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self.source / folder) as entries:
                    for entry in entries:
                        path = os.path.join(folder, entry.name)  # noqa: PTH118  fast
                        kind = self._kind(entry)
                        if kind == "folder":
                            folders.append(path)
                        elif kind == "picture":
                            yield path
                        elif kind:
                            walk.left_alone[kind] += 1
            except OSError as error:
                walk.problems.append((str(self.source / folder), error.strerror or ""))

    def _kind(self, entry: os.DirEntry[str]) -> str:
        """Picture, folder, why it is left alone, or nothing for what is our own."""
        is_hidden = entry.name.startswith(".")
        if entry.is_symlink():
            kind = "link"
        elif entry.is_dir(follow_symlinks=False):
            # OUTPUT may lie inside of INPUT; what was written is not read again.
            if Path(entry.path).resolve() == self.real_target:
                kind = ""
            elif is_hidden:
                kind = "hidden folder"
            else:
                kind = "folder" if self.recursive else "folder, not recursive"
        elif not entry.is_file(follow_symlinks=False):
            kind = "pipe, socket or device"
        elif is_hidden:
            kind = "hidden file"
        else:
            suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122  fast
            is_picture = suffix in PICTURE_SUFFIXES
            kind = "picture" if is_picture else "no picture"
        return kind


def _refuse_collisions(folder: _Folder, walk: Walk) -> int:
    """Count the pictures; refuse two that would be written to the same file."""
    digests = array("Q", (_digest(folder, name) for name in folder.names(walk)))
    unique, counts = np.unique(np.array(digests, np.uint64), return_counts=True)
    if len(unique) == len(digests):
        return len(digests)
    twice = set(unique[counts > 1].tolist())
    clashing = sorted(
        name for name in folder.names(Walk()) if _digest(folder, name) in twice
    )
    raise FaceanonError(
        f"{len(clashing)} pictures would be written over one another, as their names "
        "differ only in case, accents or suffix: "
        f"{', '.join(shown(name) for name in clashing[:4])}"
        f"{', ...' if len(clashing) > 4 else ''}; rename them"
    )


def _digest(folder: _Folder, name: str) -> int:
    """64 bits that are the same for names that a file system may take for the same."""
    same = unicodedata.normalize("NFC", folder.target_name(name)).casefold()
    data = os.fsencode(same) if same.isascii() else same.encode(errors="surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def _renamed(name: str, format_: Format | None) -> str:
    stem, suffix = os.path.splitext(name)  # noqa: PTH122  a string, and many of them
    if format_ is None or suffix.lower() in SUFFIXES[format_]:
        return name
    return stem + SUFFIXES[format_][0]


def _temporary_name() -> str:
    return f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"


def sweep(folder: Path) -> None:
    """Remove temporary files that a run that was killed left in a folder."""
    try:
        with os.scandir(folder) as entries:
            stale = [
                entry.path
                for entry in entries
                if entry.name.startswith(TEMPORARY_PREFIX)
                and entry.name.endswith(TEMPORARY_SUFFIX)
                and entry.is_file(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return
    for path in stale:
        Path(path).unlink(missing_ok=True)
