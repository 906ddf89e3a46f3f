"""From INPUT and OUTPUT to a plan: where jobs come from, and where outputs go.

Nothing is read here but names.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from faceanon.batch.planning.brace_expansion import BraceExpansion
from faceanon.batch.planning.bucket import BucketFolder
from faceanon.batch.planning.folder import Folder
from faceanon.batch.planning.named_files import NamedFiles
from faceanon.batch.planning.plan import (
    InputFilter,
    JobSource,
    Outputs,
    Plan,
    PlannedJob,
    WalkReport,
)
from faceanon.batch.planning.several import listed_in, side_by_side
from faceanon.boxes import Record
from faceanon.errors import FaceanonError
from faceanon.pipeline.job import Job
from faceanon.storage.buckets.objects import described
from faceanon.storage.names import STATE_FILE, shown, temporary_name
from faceanon.storage.places import BucketObject, Place
from faceanon.storage.renaming import Numbering, Renaming
from faceanon.storage.suffixes import FILM_FORMATS, AnyFormat, suffixed, written_as

EVERYTHING = InputFilter()


def make_plan(
    source: Place | None,
    target: Place | None,
    *,
    format_: AnyFormat | None = None,
    input_filter: InputFilter = EVERYTHING,
    records: Mapping[str, Record] | None = None,
    renaming: Renaming | None = None,
    into_folder: bool = False,
    more: Sequence[Place] = (),
    listed: Sequence[str] | None = None,
) -> Plan:
    """Plan a run.

    Args:
        source: a folder or a picture; None for standard input.
        target: where to write to; None for standard output.
        format_: the format of the outputs, which changes their suffixes; None to keep.
        input_filter: what to take of a folder.
        records: the faces to hide, by the pictures' names; None to detect them.
        renaming: what makes the names of outputs; None to keep the names of inputs. An
            output that is named itself keeps its name.
        into_folder: whether the target is a folder, even if there is none yet.
        more: further folders and pictures.
        listed: the paths below the source to take; None for all that is in it.

    Raises:
        FaceanonError: it cannot be done without losing something, or at all; the text
            says why.
    """
    outputs = Outputs(target, format_, renaming, input_filter.shard)
    if more or listed is not None:
        planned = _plan_of_several(source, more, listed, input_filter, outputs)
        return _completed(planned, input_filter, records, renaming)
    if (several := _several(source, input_filter, outputs)) is not None:
        if target is None:
            raise FaceanonError("several files cannot be written to standard output")
        _check_apart(several.folder, target)
        planned = Plan(target, several, origin=_origin(several.folder))
        return _completed(planned, input_filter, records, renaming)
    source = _looked_up(source)
    if isinstance(renaming, Numbering):
        _check_numbered(source, target, into_folder=into_folder)
    if source is None or not _is_folder(source):
        single = _plan_single(source, target, outputs, into_folder=into_folder)
        return replace(single, records=records, renaming=renaming)
    if target is None:
        raise FaceanonError("a folder cannot be written to standard output")
    _check_apart(source, target)
    job_source = _job_source(source, input_filter, outputs)
    planned = Plan(target, job_source, origin=_origin(source))
    return _completed(planned, input_filter, records, renaming)


def _completed(
    planned: Plan,
    input_filter: InputFilter,
    records: Mapping[str, Record] | None,
    renaming: Renaming | None,
) -> Plan:
    """A plan of many pictures, with what is known of all of them."""
    return replace(
        planned,
        records=records,
        renaming=renaming,
        shard=input_filter.shard,
        takes_all=input_filter.takes_all,
        is_selected=input_filter.only is not None,
    )


def _plan_of_several(
    source: Place | None,
    more: Sequence[Place],
    listed: Sequence[str] | None,
    input_filter: InputFilter,
    outputs: Outputs,
) -> Plan:
    """The plan for inputs that are named side by side, or in a list.

    Raises:
        FaceanonError: not all of them are local, or OUTPUT is no folder.
    """
    target = outputs.root
    if target is None or (isinstance(target, Path) and target.is_file()):
        raise FaceanonError(
            f"{shown(target or '-')} is no folder; with several inputs, name the "
            "folder to write to last"
        )
    sources = _local(source, more)
    for each in sources:
        if each.is_dir() and listed is None:
            _check_apart(each, target)
    if listed is not None:
        (folder,) = sources
        found: JobSource = listed_in(listed, folder, input_filter, outputs)
        return Plan(target, found, origin=_origin(folder))
    found = side_by_side(sources, input_filter, outputs)
    origin = os.path.commonpath([each.resolve().parent for each in sources])
    return Plan(target, found, origin=origin)


def _local(source: Place | None, more: Sequence[Place]) -> list[Path]:
    """Several inputs.

    Raises:
        FaceanonError: not all of them are local.
    """
    sources = [place for place in (source, *more) if isinstance(place, Path)]
    if len(sources) < 1 + len(more):
        raise FaceanonError(
            "several inputs must be local files and folders; give a bucket, or "
            "standard input, by itself"
        )
    return sources


def _origin(source: Place) -> str:
    """The same text for the same folder, however it is written."""
    return str(source.resolve() if isinstance(source, Path) else source.folder)


def _check_numbered(
    source: Place | None, target: Place | None, *, into_folder: bool
) -> None:
    """Refuse to number what nothing remembers the numbers of."""
    if isinstance(target, BucketObject):
        raise FaceanonError(
            "--rename sequence needs a local folder as OUTPUT, which remembers the "
            "numbers; --rename hash does without"
        )
    is_single = source is None or not _is_folder(source)
    if is_single and target is not None and (into_folder or _is_folder(target)):
        raise FaceanonError(
            "--rename sequence numbers the pictures of a folder; name the output"
        )


def make_reading_plan(
    source: Place | None,
    input_filter: InputFilter = EVERYTHING,
    more: Sequence[Place] = (),
) -> Plan:
    """Plan a run that reads pictures and writes none.

    Args:
        source: a folder or a picture; None for standard input.
        input_filter: what to take of a folder.
        more: further folders and pictures.

    Raises:
        FaceanonError: there is no such picture or folder.
    """
    outputs = Outputs(None, shard=input_filter.shard)
    if more:
        sources = _local(source, more)
        return Plan(None, side_by_side(sources, input_filter, outputs))
    if (several := _several(source, input_filter, outputs)) is not None:
        return Plan(None, several)
    looked_up = _looked_up(source)
    if looked_up is None or not _is_folder(looked_up):
        return _plan_single(looked_up, None, outputs)
    return Plan(None, _job_source(looked_up, input_filter, outputs))


def _looked_up(source: Place | None) -> Place | None:
    """The source; of what is in a bucket, an object or else a folder."""
    if not isinstance(source, BucketObject) or source.is_folder:
        return source
    return described(source) or source.folder


def _several(
    source: Place | None, input_filter: InputFilter, outputs: Outputs
) -> NamedFiles | None:
    """The files that a name with braces stands for; None for any other name."""
    if source is None or not BraceExpansion.are_in(str(source)):
        return None
    if isinstance(source, Path) and source.exists():
        return None
    return NamedFiles(BraceExpansion(str(source)), input_filter, outputs)


def _is_folder(named: Place) -> bool:
    return named.is_dir() if isinstance(named, Path) else named.is_folder


def _job_source(
    source: Place, input_filter: InputFilter, outputs: Outputs
) -> JobSource:
    if isinstance(source, Path):
        return Folder(source, input_filter, outputs)
    return BucketFolder(source, input_filter, outputs)


def _plan_single(
    source: Place | None,
    target: Place | None,
    outputs: Outputs,
    *,
    into_folder: bool = False,
) -> Plan:
    if isinstance(source, Path) and not source.exists():
        raise FaceanonError(f"{shown(source)} does not exist")
    name = source.name if source else "-"
    is_named = target is not None and not (into_folder or _is_folder(target))
    if target is not None and not is_named:
        if isinstance(target, Path) and target.exists() and not target.is_dir():
            raise FaceanonError(
                f"{shown(target)} is a file; leave out the slash, or name a folder"
            )
        if source is None:
            raise FaceanonError(
                f"{shown(target)} is a folder; name the file to write standard input to"
            )
        below = outputs.named(name)
        target = target / below if isinstance(target, Path) else target.below(below)
    if target is not None and _is_same(source, target):
        raise FaceanonError(f"{shown(target)} is the input itself; name another output")
    temporary = target.parent / temporary_name() if isinstance(target, Path) else None
    single = _Single(Job(name, source, target, temporary, is_named=is_named))
    return Plan(None, single, is_stream=source is None, target=target)


def check_name(plan: Plan, format_: AnyFormat | None) -> None:
    """Refuse an output that the user has named after what it cannot be.

    Args:
        plan: of the run.
        format_: the format that is asked for besides; None for none.

    Raises:
        FaceanonError: nothing is written under such a name, or not in this format.
    """
    source, target = plan.source, plan.target
    if not isinstance(source, _Single) or target is None:
        return
    suffix = PurePath(target.name).suffix
    if not (suffix and source.job.is_named) or source.job.is_dataset:
        return
    named = written_as(target.name)
    if named is None:
        raise FaceanonError(
            f"nothing is written as {shown(suffix)}; end the name of the output with "
            "the suffix of a format that is, such as .jpg or .png, or .mp4 of a film"
        )
    are_alike = (named in FILM_FORMATS) == (format_ in FILM_FORMATS)
    if format_ is not None and are_alike and named != format_:
        raise FaceanonError(
            f"--format {format_} makes no {shown(suffix)} of it; leave it out, or name "
            f"{shown(suffixed(target.name, format_))}"
        )


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
        _check_not_swapped(source, target)
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


def _check_not_swapped(source: Path, target: Path) -> None:
    """Refuse to write outputs of outputs beside what may be the originals."""
    is_output = (source / STATE_FILE).exists()
    if is_output and not (target / STATE_FILE).exists() and _holds_files(target):
        raise FaceanonError(
            f"{shown(source)} holds outputs of faceanon, and {shown(target)} holds "
            "files that it did not make; did you swap INPUT and OUTPUT?"
        )


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


@dataclass(frozen=True)
class _Single:
    """A picture that was named itself."""

    job: Job

    def jobs(self, walk: WalkReport) -> Iterator[PlannedJob]:
        yield self.job

    def count(self) -> int:
        return 1

    def whole(self) -> "_Single":
        return self
