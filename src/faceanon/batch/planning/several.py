"""Several inputs: files and folders that were named side by side, or in a list."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from faceanon.batch.planning.folder import Folder
from faceanon.batch.planning.plan import (
    InputFilter,
    JobSource,
    Outputs,
    PlannedJob,
    WalkReport,
)
from faceanon.errors import FaceanonError
from faceanon.storage.names import shown


@dataclass(frozen=True)
class ListedFiles:
    """Files of which each was named; one that is missing fails by name.

    Attributes:
        files: the name of each below OUTPUT, and its path.
        input_filter: which of them are asked for; patterns are for folders.
        outputs: where outputs go.
    """

    files: Sequence[tuple[str, Path]]
    input_filter: InputFilter
    outputs: Outputs

    def jobs(self, walk: WalkReport) -> Iterator[PlannedJob]:
        """The files, in the order in which they were named."""
        for name, path in self._taken():
            yield self.outputs.job(name, path)

    def count(self) -> int:
        """How many there are."""
        return sum(1 for _ in self._taken())

    def whole(self) -> "ListedFiles":
        """All of it, whatever the filter leaves to others."""
        return replace(
            self, input_filter=self.input_filter.whole(), outputs=self.outputs.whole()
        )

    def _taken(self) -> Iterator[tuple[str, Path]]:
        for name, path in self.files:
            if self.input_filter.asks_for(name) and self.outputs.take(name):
                yield name, path


@dataclass(frozen=True)
class Several:
    """Inputs one after the other.

    Attributes:
        parts: the inputs.
    """

    parts: tuple[JobSource, ...]

    def jobs(self, walk: WalkReport) -> Iterator[PlannedJob]:
        """The pictures of each, and what is ignored."""
        unmet = None
        for part in self.parts:
            walk.unmet = set()
            yield from part.jobs(walk)
            if isinstance(part, Folder):
                unmet = walk.unmet if unmet is None else unmet & walk.unmet
        # A pattern is met that is met in one of the folders.
        walk.unmet = unmet or set()

    def count(self) -> int:
        """How many pictures there are."""
        return sum(part.count() for part in self.parts)

    def whole(self) -> "Several":
        """All of them, whatever the filter leaves to others."""
        return Several(tuple(part.whole() for part in self.parts))


def side_by_side(
    sources: Sequence[Path], input_filter: InputFilter, outputs: Outputs
) -> Several:
    """Inputs as `cp` takes them: files by their names, folders with theirs.

    Raises:
        FaceanonError: one of them does not exist.
    """
    parts: list[JobSource] = []
    files: list[tuple[str, Path]] = []
    for source in sources:
        if not source.exists():
            raise FaceanonError(f"{shown(source)} does not exist")
        # Also for "." and "..".
        name = source.name if source.name not in ("", "..") else source.resolve().name
        if source.is_dir():
            parts.append(Folder(source, input_filter, outputs, prefix=f"{name}/"))
        else:
            files.append((name, source))
    return Several((ListedFiles(tuple(files), input_filter, outputs), *parts))


def listed_in(
    lines: Sequence[str], folder: Path, input_filter: InputFilter, outputs: Outputs
) -> ListedFiles:
    """The files that a list names, as paths below a folder.

    Args:
        lines: a path each, below the folder, or a whole one that leads into it.
        folder: INPUT.
        input_filter: which of them are asked for.
        outputs: where outputs go.

    Raises:
        FaceanonError: one lies elsewhere.
    """
    files = []
    for line in lines:
        path = Path(line)
        name = path
        if path.is_absolute():
            if not path.is_relative_to(folder.absolute()):
                raise FaceanonError(
                    f"{shown(path)} is not in {shown(folder)}; name the folder that "
                    "holds all files of the list as INPUT"
                )
            name = path.relative_to(folder.absolute())
        if ".." in name.parts:
            raise FaceanonError(
                f"{shown(path)} climbs out of {shown(folder)}; name the folder that "
                "holds all files of the list as INPUT"
            )
        files.append((name.as_posix(), folder / name))
    return ListedFiles(tuple(files), input_filter, outputs)
