"""The files that a name with braces stands for, as a source of jobs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from faceanon.batch.planning.brace_expansion import Braces
from faceanon.batch.planning.plan import Choice, Outputs, Walk
from faceanon.pipeline.job import Job
from faceanon.storage.buckets.objects import described
from faceanon.storage.buckets.stores import BucketError
from faceanon.storage.places import Place, place


@dataclass(frozen=True)
class Several:
    """Files that are named, and not found: one that is missing fails by name.

    Attributes:
        braces: the name.
        choice: what to take of them.
        outputs: where outputs go.
    """

    braces: Braces
    choice: Choice
    outputs: Outputs

    @property
    def folder(self) -> Place:
        """What all of them lie below."""
        return place(self.braces.folder)

    def jobs(self, walk: Walk) -> Iterator[Job]:
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
            yield job if source else replace(job, problem=problem)

    def count(self) -> int:
        """How many there are."""
        return sum(1 for _ in self._names(Walk()))

    def whole(self) -> "Several":
        """All of it, whatever the choice leaves to others."""
        return replace(self, choice=self.choice.whole(), outputs=self.outputs.whole())

    def _names(self, walk: Walk) -> Iterator[str]:
        for name in self.braces.names():
            if self.choice.leaves_out(name, is_folder=False):
                walk.left_alone["not included"] += 1
            elif self.outputs.take(name):
                yield name
