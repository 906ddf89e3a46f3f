"""The parts of a plan: what a run takes of INPUT, and what becomes of it."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import Protocol, TypeAlias

from faceanon.batch.planning.patterns import matching
from faceanon.batch.planning.shards import Shard
from faceanon.boxes import Record
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.storage.dataset_names import dataset_of, is_dataset
from faceanon.storage.names import folded, shown, temporary_name
from faceanon.storage.places import BucketObject, Place, oddity
from faceanon.storage.renaming import Numbering, Renaming
from faceanon.storage.suffixes import (
    FILM_SUFFIXES,
    PICTURE_SUFFIXES,
    AnyFormat,
    suffixed,
)

NO_PICTURE = "no picture"
"""Why a file is ignored that is neither a picture nor a film, by its name."""

NOT_RECURSIVE = "a folder (--no-recursive)"
"""Why a folder is ignored where only INPUT itself is taken."""

LEFT_OUT = "left out"
"""Why a file or folder is ignored that the user's patterns leave out."""


@dataclass(frozen=True, slots=True)
class InputFilter:
    """What to take of a folder.

    Attributes:
        recursive: whether to go down into its folders.
        follow_symlinks: whether to take links, if they lead to places in the folder.
        include: patterns of names or paths; empty for all.
        exclude: patterns of what is left out, folders too.
        only: the paths of the pictures to take; None for all.
        shard: the part of the pictures to take; None for all.
        datasets: whether to take dataset files, too.
        videos: whether to take films, too.
    """

    recursive: bool = True
    follow_symlinks: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    shard: Shard | None = None
    datasets: bool = True
    videos: bool = True

    def whole(self) -> "InputFilter":
        """The filter of which this is a part, by shard or by name."""
        return replace(self, only=None, shard=None)

    @property
    def takes_all(self) -> bool:
        """Whether it leaves nothing out of what is in a folder and its folders."""
        is_part = self.include or self.exclude or self.shard or self.only is not None
        return self.recursive and self.videos and not is_part

    def reason_to_ignore(self, name: str) -> str:
        """Why a file is not taken, by its name or path; empty where it is."""
        if is_dataset(name):
            return "" if self.datasets else "a dataset file"
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122  strings, and many
        if suffix in FILM_SUFFIXES:
            return "" if self.videos else "a film (--no-video)"
        return "" if suffix in PICTURE_SUFFIXES else NO_PICTURE

    def excludes(self, path: str, is_folder: bool) -> bool:
        """Whether a picture or a folder, by its path, is not to be taken."""
        if matching(self.exclude, path, is_folder=is_folder):
            return True
        if is_folder:
            # Its pictures may match what it does not match itself.
            return False
        return bool(self.include) and not matching(self.include, path, is_folder=False)

    def asks_for(self, path: str) -> bool:
        """Whether a path is among those to take, and told of where it is ignored."""
        return self.only is None or path in self.only

    @property
    def patterns(self) -> set[str]:
        """All that it has, of both kinds."""
        return {*self.include, *self.exclude}


@dataclass
class WalkReport:
    """What a walk over INPUT could not see, as far as it has come.

    Attributes:
        problems: folders that could not be read, and why.
        unmet: the patterns of `--include` and `--exclude` that nothing in INPUT meets;
            known when all of it was walked.
    """

    problems: list[tuple[str, str]] = field(default_factory=list)
    unmet: set[str] = field(default_factory=set)


PlannedJob: TypeAlias = Job | Outcome
"""A job; or what is known without doing it: that it cannot be done, or is ignored."""


def ignored(name: str, source: Place, reason: str) -> Outcome:
    """What comes of a file or folder that is not taken.

    Args:
        name: its path below INPUT.
        source: the file, object or folder.
        reason: why it is not taken, in a few words.
    """
    return Outcome(Job(name, source, None), Status.IGNORED, error=reason)


class JobSource(Protocol):
    """Where jobs come from."""

    def jobs(self, walk: WalkReport) -> Iterator[PlannedJob]:
        """The pictures, and what is ignored, in the order of the file system."""

    def count(self) -> int:
        """How many pictures there are; takes a walk of its own, in others' pauses."""

    def whole(self) -> "JobSource":
        """Those of which these are a part, by shard or by name."""


@dataclass(frozen=True)
class Plan:
    """The pictures to do.

    Attributes:
        root: the folder that outputs are written to; None for a single picture, or
            where none are written.
        target: where the output of a single picture goes; None for standard output.
        source: where they come from.
        walk: what else was found; complete when the last job was handed out.
        records: the faces to hide, by the pictures' names; None to detect them.
        renaming: what makes the names of outputs; None where names are kept.
        shard: the part of a run that is split among machines; None for all of it.
        takes_all: whether nothing of INPUT is left out by a filter.
        is_selected: whether only named pictures of INPUT are taken, by --retry-failed.
        origin: INPUT, as it is known again by a later run; empty for a single picture.
        is_stream: whether the picture comes from standard input.
    """

    root: Place | None
    source: JobSource
    walk: WalkReport = field(default_factory=WalkReport)
    records: Mapping[str, Record] | None = None
    renaming: Renaming | None = None
    shard: Shard | None = None
    takes_all: bool = True
    is_selected: bool = False
    origin: str = ""
    is_stream: bool = False
    target: Place | None = None

    def jobs(self) -> Iterator[PlannedJob]:
        """The jobs, once, while `walk` fills."""
        return self.source.jobs(self.walk)

    def with_records(self, job: Job) -> Job:
        """The job with what the box file tells of its picture, or pictures."""
        if self.records is None:
            return job
        if job.is_dataset:
            return replace(job, records=self._of_datasets.get(job.name, {}))
        return replace(job, record=self.records.get(job.name))

    @cached_property
    def _of_datasets(self) -> dict[str, dict[str, Record]]:
        """The records of pictures in dataset files, by these."""
        records: dict[str, dict[str, Record]] = {}
        for name, record in (self.records or {}).items():
            if dataset := dataset_of(name):
                records.setdefault(dataset, {})[name] = record
        return records


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the outputs of a folder of pictures go, and what they are called.

    Attributes:
        root: the folder of outputs; None where nothing is written.
        format: the format that is asked for, which changes suffixes; None to keep.
        renaming: what makes their names; None where names are kept.
        shard: the part of the pictures to take; None for all.
    """

    root: Place | None
    format: AnyFormat | None = None
    renaming: Renaming | None = None
    shard: Shard | None = None

    def whole(self) -> "Outputs":
        """Those of all shards."""
        return replace(self, shard=None)

    def named(self, name: str) -> str:
        """The path of an output below OUTPUT for that of an input below INPUT."""
        renamed = name if self.renaming is None else self.renaming(name)
        return renamed if is_dataset(name) else suffixed(renamed, self.format)

    def take(self, name: str) -> bool:
        """Whether a picture is in the shard that is to be done."""
        if self.shard is None:
            return True
        # Pictures that would become one output are in one shard, which tells them.
        is_numbered = isinstance(self.renaming, Numbering)
        return self.shard.holds(folded(name if is_numbered else self.named(name)))

    def job(self, name: str, source: Place, *, is_plain: bool = False) -> PlannedJob:
        """The job that makes the output of a picture."""
        target, temporary = self._place(name)
        job = Job(name, source, target, temporary, is_plain)
        problem = ""
        if isinstance(source, BucketObject) and (reason := oddity(source.key)):
            problem = f"it cannot be read: its key {reason}; copy it to another key"
        elif isinstance(target, BucketObject) and (reason := oddity(target.key)):
            problem = f"{shown(target)} cannot be written: its key {reason}; rename it"
        elif isinstance(source, BucketObject) and _is_astray(name, target):
            problem = "its key is no name for a file on Windows; copy it to another key"
        if problem:
            return Outcome(job, Status.FAILED, error=problem)
        return job

    def _place(self, name: str) -> tuple[Place | None, Path | None]:
        """Where an output goes, and where it is put together."""
        if self.root is None:
            return None, None
        if isinstance(self.root, BucketObject):
            return self.root.below(self.named(name)), None
        target = self.root / self.named(name)
        label = self.shard.label if self.shard else ""
        return target, target.parent / temporary_name(label)


def _is_astray(name: str, target: Place | None) -> bool:
    """Whether a key would lead out of OUTPUT on Windows, where more characters do."""
    is_windows = isinstance(target, PureWindowsPath)
    return is_windows and any(character in name for character in "\\:")
