"""The pictures of a bucket: what is taken of a listing, and what is left alone."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from faceanon.batch.planning.plan import Choice, Outputs, Walk
from faceanon.errors import FaceanonError
from faceanon.pipeline.job import Job
from faceanon.storage.buckets.listing import listed
from faceanon.storage.buckets.stores import BucketError
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject


@dataclass(frozen=True)
class BucketFolder:
    """The pictures below a prefix, as they are listed; a source of jobs.

    Attributes:
        source: the prefix.
        choice: what to take of it.
        outputs: where outputs go. A folder for them in this one is not read.
    """

    source: BucketObject
    choice: Choice
    outputs: Outputs

    def jobs(self, walk: Walk) -> Iterator[Job]:
        """The pictures, in the order of their keys."""
        is_first = True
        try:
            for object_ in listed(self.source):
                is_first = False
                name = object_.key.removeprefix(self.source.key)
                if self._is_output(object_):
                    continue
                if reason := self._reason_to_leave(name):
                    walk.left_alone[reason] += 1
                elif self.outputs.take(name):
                    yield self.outputs.job(name, object_)
        except BucketError as error:
            if is_first:
                raise
            # What was listed before is done.
            walk.problems.append((str(self.source), f"not listed to its end: {error}"))
        else:
            if is_first:
                raise FaceanonError(
                    f"there is nothing in {shown(self.source)}; mend its name"
                )

    def count(self) -> int:
        """How many there are; lists the bucket once more."""
        count = 0
        # What cannot be listed is told by the run itself.
        with suppress(FaceanonError):
            for _ in self.jobs(Walk()):
                count += 1
        return count

    def whole(self) -> "BucketFolder":
        """All of it, whatever the choice leaves to others."""
        return replace(self, choice=self.choice.whole(), outputs=self.outputs.whole())

    def _is_output(self, object_: BucketObject) -> bool:
        """Whether it is in OUTPUT, which may lie inside of INPUT."""
        root = self.outputs.root
        return isinstance(root, BucketObject) and root.holds(object_)

    def _reason_to_leave(self, name: str) -> str:
        """Why an object is left alone; empty for a picture."""
        *folders, last = parts = name.split("/")
        if not last:
            return "folder marker"
        if folders and not self.choice.recursive:
            return "in a folder, not recursive"
        if any(part[:1] == "." and part not in (".", "..") for part in parts):
            return "hidden"
        if reason := self.choice.reason_to_leave(last):
            return reason
        above = ("/".join(folders[: n + 1]) for n in range(len(folders)))
        if any(self.choice.leaves_out(folder, True) for folder in above):
            return "not included"
        return "not included" if self.choice.leaves_out(name, False) else ""
