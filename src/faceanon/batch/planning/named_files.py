"""The files that a name with braces stands for, as a source of jobs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from faceanon.batch.planning.brace_expansion import BraceExpansion
from faceanon.batch.planning.patterns import matching
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
        unmet = self.input_filter.patterns
        for name in self.braces.names():
            unmet -= matching(unmet, name, is_folder=False)
            if not self._is_ours(name):
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
                if error.is_general:
                    raise
                problem = str(error)
            job = self.outputs.job(name, source or named)
            if source is None and isinstance(job, Job):
                job = Outcome(job, Status.FAILED, error=problem)
            yield job
        walk.unmet |= unmet

    def count(self) -> int:
        """How many there are."""
        return sum(
            self._is_ours(name) and not self.input_filter.excludes(name, False)
            for name in self.braces.names()
        )

    def _is_ours(self, name: str) -> bool:
        """Whether a file is for this run, be it taken or left out."""
        return self.input_filter.asks_for(name) and self.outputs.take(name)

    def whole(self) -> "NamedFiles":
        """All of it, whatever the filter leaves to others."""
        return replace(
            self, input_filter=self.input_filter.whole(), outputs=self.outputs.whole()
        )
