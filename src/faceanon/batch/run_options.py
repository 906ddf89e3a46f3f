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
        "How many pictures are worked on at the same time.",
        minimum=1,
        default_text="all processors that this process may use",
        flags=("-j",),
    )
    recursive: bool = option(True, "Go down into the folders of INPUT.")
    follow_symlinks: bool = option(
        False,
        "Take links to pictures and folders, too, if they lead to places in INPUT.",
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
    video: bool = option(
        True, "Take films, too (needs the extra 'video'). --no-video leaves them out."
    )
    overwrite: bool = option(
        False, "Replace what is in OUTPUT; without it nothing is ever replaced."
    )
    redo_older: bool = option(
        False,
        "Make outputs anew that another version of faceanon, or of a plug-in, made "
        "from the same input with the same options.",
    )
    allow_empty: bool = option(
        False,
        "Exit with status 0 also where there is no picture in INPUT, or a pattern "
        "matches nothing: for jobs that run by the clock.",
    )
    strict: bool = option(
        False, "Exit with status 1 where a file was ignored that no pattern leaves out."
    )
    state: str | None = option(
        None,
        "The folder that holds the key by which a rerun knows its outputs again. "
        "Machines that share a run share it. Keep it apart from OUTPUT.",
        metavar="FOLDER",
        default_text="the user's own folder for such things",
    )
    max_memory: int = option(
        4096,
        "Megabytes that a worker may use, on Linux; a picture that needs more fails.",
        minimum=512,
    )
    timeout: float = option(
        300.0,
        "Seconds after which a picture is given up, or a film at a frame.",
        minimum=1,
    )
    shard: str | None = option(
        None,
        "Do one of N parts of INPUT, for machines that share the work: 0/4 is the "
        "first of four.",
        parse=parse_shard,
        metavar="I/N",
        default_text="all of it",
    )
    engine: EngineName = option(
        "local",
        "What does the work: processes of this machine, or a Ray cluster (needs the "
        "extra 'ray').",
        choices=("local", "ray"),
    )
    ray_address: str | None = option(
        None,
        "With --engine ray: the address of the cluster.",
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
        """How many pictures are worked on at the same time."""
        return self.jobs or processors()


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
