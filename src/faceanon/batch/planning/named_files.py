"""The files that a name with braces stands for, as a source of jobs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from faceanon.batch.planning.brace_expansion import BraceExpansion
from faceanon.batch.planning.patterns import matching
from faceanon.batch.planning.plan import (
    InputFilter,
    Outputs,
    PlannedJob,
    WalkReport,
)
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.storage.buckets.objects import described
from faceanon.storage.buckets.stores import BucketError
from faceanon.storage.places import Place, place


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
        for name in self._names(walk):
            if isinstance(folder, Path):
                yield self.outputs.job(name, folder / name)
                continue
            named = folder.below(name)
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
        return sum(1 for _ in self._names(WalkReport()))

    def whole(self) -> "NamedFiles":
        """All of it, whatever the filter leaves to others."""
        return replace(
            self, input_filter=self.input_filter.whole(), outputs=self.outputs.whole()
        )

    def _names(self, walk: WalkReport) -> Iterator[str]:
        unmet = self.input_filter.patterns
        for name in self.braces.names():
            unmet -= matching(unmet, name, is_folder=False)
            if self.input_filter.excludes(name, is_folder=False):
                walk.skipped["not included"] += 1
            elif self.outputs.take(name):
                yield name
        walk.unmet |= unmet
