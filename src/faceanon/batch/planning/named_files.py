"""The files that a name with braces stands for, as a source of jobs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from faceanon.batch.planning.brace_expansion import BraceExpansion
from faceanon.batch.planning.plan import (
    LEFT_OUT,
    InputFilter,
    Outputs,
    PlannedJob,
    WalkReport,
    ignored,
)
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.storage.buckets.objects import described
from faceanon.storage.buckets.stores import BucketError
from faceanon.storage.places import Place, below, place


@dataclass(frozen=True)
class NamedFiles:
    """Files that are named, and not found: one that is missing fails by name.

    Attributes:
        braces: the name.
        input_filter: what to take of them.
        outputs: where outputs go.
    """

    braces: BraceExpansion
    input_filter: InputFilter
    outputs: Outputs

    @property
    def folder(self) -> Place:
        """What all of them lie below."""
        return place(self.braces.folder)

    def jobs(self, walk: WalkReport) -> Iterator[PlannedJob]:
        """The files, in the order of their names."""
        folder = self.folder
        for name in self.braces.names():
            if not self.outputs.take(name):
                continue
            if self.input_filter.excludes(name, is_folder=False):
                yield ignored(name, below(folder, name), LEFT_OUT)
                continue
            named = below(folder, name)
            if isinstance(named, Path):
                yield self.outputs.job(name, named)
                continue
            source, problem = None, "it does not exist"
            try:
                source = described(named)
            except BucketError as error:
                if error.what == "general":
                    raise
                problem = str(error)
            job = self.outputs.job(name, source or named)
            if source is None and isinstance(job, Job):
                job = Outcome(job, Status.FAILED, error=problem)
            yield job

    def count(self) -> int:
        """How many there are."""
        return sum(
            self.outputs.take(name) and not self.input_filter.excludes(name, False)
            for name in self.braces.names()
        )

    def whole(self) -> "NamedFiles":
        """All of it, whatever the filter leaves to others."""
        return replace(
            self, input_filter=self.input_filter.whole(), outputs=self.outputs.whole()
        )
