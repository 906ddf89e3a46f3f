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
        "example '*.jpg' or 'day1/*'. Can be given several times.",
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
    max_memory: int = option(
        4096,
        "Megabytes that a worker may use, on Linux; a picture that needs more fails.",
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
