"""The pictures of a bucket: what is taken of a listing, and what is ignored."""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from faceanon.batch.planning.patterns import matching
from faceanon.batch.planning.plan import (
    LEFT_OUT,
    NO_PICTURE,
    InputFilter,
    Outputs,
    PlannedJob,
    WalkReport,
    ignored,
)
from faceanon.errors import FaceanonError
from faceanon.media.content import HEAD
from faceanon.media.video.containers import container_of
from faceanon.pipeline.job import Outcome
from faceanon.storage.buckets.listing import listed
from faceanon.storage.buckets.objects import open_stream
from faceanon.storage.buckets.stores import BucketError
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject
from faceanon.storage.suffixes import AMBIGUOUS_SUFFIXES

# Programs make such objects so that a folder without files is seen.
_FOLDER_MARKER = "folder marker"


@dataclass(frozen=True)
class BucketFolder:
    """The pictures below a prefix, as they are listed; a source of jobs.

    Attributes:
        source: the prefix.
        input_filter: what to take of it.
        outputs: where outputs go. A folder for them in this one is not read.
    """

    source: BucketObject
    input_filter: InputFilter
    outputs: Outputs

    def jobs(self, walk: WalkReport) -> Iterator[PlannedJob]:
        """The pictures, and what is ignored, in the order of their keys."""
        is_first = True
        unmet = self.input_filter.patterns
        try:
            for object_ in listed(self.source):
                is_first = False
                name = object_.key.removeprefix(self.source.key)
                if self._is_output(object_):
                    continue
                unmet -= matching(unmet, name, is_folder=False)
                reason = self._reason_to_ignore(name, object_)
                is_ours = self.input_filter.asks_for(name) and self.outputs.take(name)
                if not is_ours or reason == _FOLDER_MARKER:
                    continue
                if reason:
                    yield ignored(name, object_, reason)
                else:
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
            walk.unmet |= unmet

    def count(self) -> int:
        """How many pictures there are; lists the bucket once more."""
        count = 0
        # What cannot be listed is told by the run itself.
        with suppress(FaceanonError):
            for job in self.jobs(WalkReport()):
                count += not (isinstance(job, Outcome) and job.is_ignored)
        return count

    def whole(self) -> "BucketFolder":
        """All of it, whatever the filter leaves to others."""
        return replace(
            self, input_filter=self.input_filter.whole(), outputs=self.outputs.whole()
        )

    def _is_output(self, object_: BucketObject) -> bool:
        """Whether it is in OUTPUT, which may lie inside of INPUT."""
        root = self.outputs.root
        return isinstance(root, BucketObject) and root.holds(object_)

    def _reason_to_ignore(self, name: str, object_: BucketObject) -> str:
        """Why an object is not taken; empty for a picture."""
        *folders, last = parts = name.split("/")
        if not last:
            return _FOLDER_MARKER
        is_hidden = any(part[:1] == "." and part not in (".", "..") for part in parts)
        reasons = {
            LEFT_OUT: self.input_filter.excludes(name, is_folder=False),
            "in a folder (--no-recursive)": folders and not self.input_filter.recursive,
            "hidden": is_hidden,
        }
        if reason := next((reason for reason, holds in reasons.items() if holds), ""):
            return reason
        if reason := self.input_filter.reason_to_ignore(last):
            return reason
        return NO_PICTURE if _is_source_code(object_) else ""


def _is_source_code(object_: BucketObject) -> bool:
    """Whether an object that could be a film by its name is none."""
    if PurePosixPath(object_.key).suffix.lower() not in AMBIGUOUS_SUFFIXES:
        return False
    with closing(open_stream(object_)) as stream:
        return container_of(stream.read(HEAD)) is None
