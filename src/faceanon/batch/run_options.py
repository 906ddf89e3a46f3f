"""How a run over many pictures goes, declared once."""

import os
from dataclasses import dataclass
from typing import Literal, TypeAlias

from faceanon import options
from faceanon.batch.planning.plan import InputFilter
from faceanon.batch.planning.shards import parse_shard
from faceanon.options import option

EngineName: TypeAlias = Literal["local", "ray"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run over many pictures goes; the outputs do not depend on it."""

    jobs: int | None = option(
        None,
        "Pictures to process at the same time.",
        minimum=1,
        default_text="all processors that this process may use",
        flags=("-j",),
    )
    recursive: bool = option(True, "Include subfolders of INPUT.")
    follow_symlinks: bool = option(
        False,
        "Follow symbolic links that stay inside INPUT.",
    )
    include: tuple[str, ...] = option(
        (),
        "Take only pictures whose name, or path below INPUT, matches this pattern, for "
        "example '*.jpg', or that lie in a folder that does, such as 'day1/'. Can be "
        "given several times.",
        metavar="PATTERN",
        default_text="all",
    )
    exclude: tuple[str, ...] = option(
        (),
        "Leave out pictures and folders that match this pattern. Can be given several "
        "times.",
        metavar="PATTERN",
        default_text="none",
    )
    video: bool = option(True, "Include films (needs the extra 'video').")
    overwrite: bool = option(False, "Replace existing files in OUTPUT.")
    redo_older: bool = option(
        False,
        "Replace outputs that another version of faceanon, or of a plug-in, made from "
        "the same input with the same options.",
    )
    allow_empty: bool = option(
        False,
        "Exit with status 0 even if INPUT has no pictures or a pattern matches "
        "nothing. For scheduled jobs.",
    )
    strict: bool = option(
        False, "Exit with status 1 if any file was ignored that no pattern leaves out."
    )
    state: str | None = option(
        None,
        "Folder of the key by which a rerun recognises its outputs. Machines that "
        "share a run must share it. Keep it outside OUTPUT.",
        metavar="FOLDER",
        default_text="the user's own folder for such things",
    )
    max_memory: int = option(
        4096,
        "Memory limit of a worker in megabytes (Linux only). A picture that needs "
        "more fails.",
        minimum=512,
    )
    timeout: float = option(
        300.0,
        "Seconds after which a picture is given up, or a film at a frame. Pictures of "
        "more than 50 megapixels have more, as they are larger.",
        minimum=1,
    )
    shard: str | None = option(
        None,
        "Process one of N parts of INPUT, so that machines can share the work: 0/4 is "
        "the first of four.",
        parse=parse_shard,
        metavar="I/N",
        default_text="all of it",
    )
    engine: EngineName = option(
        "local",
        "Where the work is done: in processes of this machine, or on a Ray cluster "
        "(needs the extra 'ray').",
        choices=("local", "ray"),
    )
    ray_address: str | None = option(
        None,
        "With --engine ray: address of the cluster.",
        metavar="ADDRESS",
        default_text="RAY_ADDRESS, else a cluster started on this machine",
    )

    def __post_init__(self) -> None:
        """Check the values against what is declared."""
        options.check(self)

    @property
    def input_filter(self) -> InputFilter:
        """What to take of a folder."""
        shard = None if self.shard is None else parse_shard(self.shard)
        return InputFilter(
            self.recursive,
            self.follow_symlinks,
            self.include,
            self.exclude,
            shard=shard,
            videos=self.video,
        )

    @property
    def workers(self) -> int:
        """Pictures to process at the same time."""
        return self.jobs or processors()


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
