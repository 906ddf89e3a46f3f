"""From INPUT and OUTPUT to the list of pictures to do.

Nothing is read here but folders. A folder is walked while the run goes on, and never
listed: of a million pictures the first is handed out at once, and none is kept.
"""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from faceanon.batch.planning.brace_expansion import Braces
from faceanon.batch.planning.bucket import BucketFolder
from faceanon.batch.planning.named_files import Several
from faceanon.batch.planning.plan import Choice, Outputs, Pictures, Plan, Walk
from faceanon.batch.planning.shards import Shard
from faceanon.boxes import Record
from faceanon.errors import FaceanonError
from faceanon.media.picture import Format
from faceanon.pipeline.job import Job
from faceanon.storage.buckets.objects import described
from faceanon.storage.names import is_stale, shown, temporary_name
from faceanon.storage.places import BucketObject, Place
from faceanon.storage.renaming import Numbering, Renaming

EVERYTHING = Choice()


def plan(
    source: Place | None,
    target: Place | None,
    *,
    format_: Format | None = None,
    choice: Choice = EVERYTHING,
    records: Mapping[str, Record] | None = None,
    renaming: Renaming | None = None,
) -> Plan:
    """Plan a run.

    Args:
        source: a folder or a picture; None for standard input.
        target: where to write to; None for standard output.
        format_: the format of the outputs, which changes their suffixes; None to keep.
        choice: what to take of a folder.
        records: the faces to hide, by the pictures' names; None to detect them.
        renaming: what makes the names of outputs; None to keep the names of inputs. An
            output that is named itself keeps its name.

    Raises:
        FaceanonError: it cannot be done without losing something, or at all; the text
            says why.
    """
    outputs = Outputs(target, format_, renaming, choice.shard)
    if (several := _several(source, choice, outputs)) is not None:
        if target is None:
            raise FaceanonError("several files cannot be written to standard output")
        _check_apart(several.folder, target)
        plan_ = Plan(target, several, shard=choice.shard)
        return replace(plan_, records=records, renaming=renaming)
    source = _looked_up(source)
    if isinstance(renaming, Numbering):
        _check_numbered(source, target)
    if source is None or not _is_folder(source):
        planned = _plan_single(source, target, outputs)
    elif target is None:
        raise FaceanonError("a folder cannot be written to standard output")
    else:
        _check_apart(source, target)
        folder = _pictures(source, choice, outputs)
        planned = Plan(target, folder, shard=choice.shard)
    return replace(planned, records=records, renaming=renaming)


def _check_numbered(source: Place | None, target: Place | None) -> None:
    """Refuse to number what nothing remembers the numbers of."""
    if isinstance(target, BucketObject):
        raise FaceanonError(
            "--rename sequence needs a local folder as OUTPUT, which remembers the "
            "numbers; --rename hash does without"
        )
    is_single = source is None or not _is_folder(source)
    if is_single and target is not None and _is_folder(target):
        raise FaceanonError(
            "--rename sequence numbers the pictures of a folder; name the output"
        )


def plan_reading(source: Place, choice: Choice = EVERYTHING) -> Plan:
    """Plan a run that reads pictures and writes none.

    Args:
        source: a folder or a picture.
        choice: what to take of a folder.

    Raises:
        FaceanonError: there is no such picture or folder.
    """
    outputs = Outputs(None, shard=choice.shard)
    if (several := _several(source, choice, outputs)) is not None:
        return Plan(None, several)
    looked_up = _looked_up(source)
    if looked_up is None or not _is_folder(looked_up):
        return _plan_single(looked_up, None, outputs)
    return Plan(None, _pictures(looked_up, choice, outputs))


def _looked_up(source: Place | None) -> Place | None:
    """The source; of what is in a bucket, an object or else a folder."""
    if not isinstance(source, BucketObject) or source.is_folder:
        return source
    return described(source) or source.folder


def _several(source: Place | None, choice: Choice, outputs: Outputs) -> Several | None:
    """The files that a name with braces stands for; None for any other name."""
    if source is None or not Braces.are_in(str(source)):
        return None
    if isinstance(source, Path) and source.exists():
        return None
    return Several(Braces(str(source)), choice, outputs)


def _is_folder(named: Place) -> bool:
    return named.is_dir() if isinstance(named, Path) else named.is_folder


def _pictures(source: Place, choice: Choice, outputs: Outputs) -> Pictures:
    if isinstance(source, Path):
        return _Folder(source, choice, outputs)
    return BucketFolder(source, choice, outputs)


def _plan_single(source: Place | None, target: Place | None, outputs: Outputs) -> Plan:
    if isinstance(source, Path) and not source.exists():
        raise FaceanonError(f"{shown(source)} does not exist")
    name = source.name if source else "-"
    if target is not None and _is_folder(target):
        if source is None:
            raise FaceanonError(
                f"{shown(target)} is a folder; name the file to write standard input to"
            )
        below = outputs.named(name)
        target = target / below if isinstance(target, Path) else target.below(below)
    if target is not None and _is_same(source, target):
        raise FaceanonError(f"{shown(target)} is the input itself; name another output")
    temporary = target.parent / temporary_name() if isinstance(target, Path) else None
    single = _Single(Job(name, source, target, temporary))
    return Plan(None, single, is_stream=source is None)


def _is_same(source: Place | None, target: Place) -> bool:
    if isinstance(source, Path) and isinstance(target, Path):
        return target.exists() and target.samefile(source)
    return str(source) == str(target)


def _check_apart(source: Place, target: Place) -> None:
    """Refuse folders of which one would overwrite, or be read as, the other."""
    if isinstance(target, Path) and target.exists() and not target.is_dir():
        raise FaceanonError(
            f"{shown(target)} is a file, but the input is a folder; name a folder"
        )
    if isinstance(source, Path) and isinstance(target, Path):
        real_source, real_target = source.resolve(), target.resolve()
        is_same = real_source == real_target
        is_inside = real_source.is_relative_to(real_target)
    elif isinstance(source, BucketObject) and isinstance(target, BucketObject):
        is_same = source.folder == target.folder
        is_inside = target.holds(source)
    else:
        return
    if is_same:
        raise FaceanonError(
            "OUTPUT is INPUT itself; name another folder, so that no original is lost"
        )
    if is_inside:
        raise FaceanonError(
            f"INPUT lies inside of OUTPUT ({shown(target)}); name another folder, "
            "so that no original is lost"
        )


@dataclass(frozen=True)
class _Single:
    """A picture that was named itself."""

    job: Job

    def jobs(self, walk: Walk) -> Iterator[Job]:
        yield self.job

    def count(self) -> int:
        return 1

    def whole(self) -> "_Single":
        return self


@dataclass(frozen=True)
class _Folder:
    """A folder of pictures."""

    source: Path
    choice: Choice
    outputs: Outputs

    def jobs(self, walk: Walk) -> Iterator[Job]:
        is_plain = not self.choice.follow_symlinks
        for name in self._names(walk):
            yield self.outputs.job(name, self.source / name, is_plain=is_plain)

    def count(self) -> int:
        count = 0
        for _ in self._names(Walk()):
            count += 1
            if count % 200 == 0:
                # Threads that wait for pictures would wait for this one else.
                time.sleep(0.002)
        return count

    def whole(self) -> "_Folder":
        return replace(self, choice=self.choice.whole(), outputs=self.outputs.whole())

    def _names(self, walk: Walk) -> Iterator[str]:
        """The pictures, as paths below the folder; what else there is, to `walk`."""
        real_source = self.source.resolve()
        root = self.outputs.root
        real_target = root.resolve() if isinstance(root, Path) else None
        folders = [""]
        seen = {real_source}
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(self.source / folder) as entries:
                    for entry in entries:
                        path = f"{folder}/{entry.name}" if folder else entry.name
                        kind = self._kind(entry, path, real_source)
                        if kind == "picture":
                            if self.outputs.take(path):
                                yield path
                        elif kind != "folder":
                            walk.left_alone[kind] += 1
                        elif (real := Path(entry.path).resolve()) == real_target:
                            # OUTPUT may lie inside of INPUT; it is not read again.
                            continue
                        elif real not in seen:
                            # By way of links a folder could hold itself.
                            seen.update([real] if self.choice.follow_symlinks else [])
                            folders.append(path)
            except OSError as error:
                walk.problems.append((str(self.source / folder), error.strerror or ""))

    def _kind(self, entry: os.DirEntry[str], path: str, real_source: Path) -> str:
        """Picture, folder, or why it is left alone."""
        follow = self.choice.follow_symlinks
        if entry.is_symlink() and not (follow and _leads_into(entry, real_source)):
            return "link"
        is_folder = entry.is_dir(follow_symlinks=follow)
        reasons = {
            "folder, not recursive": is_folder and not self.choice.recursive,
            "pipe, socket or device": not is_folder
            and not entry.is_file(follow_symlinks=follow),
            "hidden": entry.name.startswith("."),
            self.choice.reason_to_leave(entry.name): not is_folder,
            "not included": self.choice.leaves_out(path, is_folder),
        }
        for reason, holds in reasons.items():
            if holds and reason:
                return reason
        return "folder" if is_folder else "picture"


def _leads_into(entry: os.DirEntry[str], folder: Path) -> bool:
    try:
        return Path(entry.path).resolve(strict=True).is_relative_to(folder)
    except (OSError, RuntimeError):  # dangling, or a loop of links
        return False


def sweep(folder: Path, shard: Shard | None) -> None:
    """Remove temporary files that a run that was killed left in a folder.

    Args:
        folder: where to look; not in its folders.
        shard: the part that is being done; files of other parts are left alone.
    """
    label = shard.label if shard else ""
    try:
        with os.scandir(folder) as entries:
            stale = [
                entry.path
                for entry in entries
                if is_stale(entry.name, label) and entry.is_file(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return
    for path in stale:
        Path(path).unlink(missing_ok=True)
