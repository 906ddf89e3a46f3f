"""Values that somebody has given to the plan of a run."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from faceanon import boxes
from faceanon.batch.planning.make_plan import check_name, make_plan
from faceanon.batch.planning.plan import Plan
from faceanon.batch.report import failed_pictures
from faceanon.batch.run_options import RunOptions
from faceanon.errors import FaceanonError
from faceanon.settings import Settings
from faceanon.storage import streams
from faceanon.storage.names import shown
from faceanon.storage.places import Place, place

_READ = {
    "source": "INPUT",
    "files_from": "--files-from",
    "boxes": "--boxes",
    "retry_failed": "--retry-failed",
    "only": "--only",
    "except_": "--except",
}
_WRITTEN = {
    "target": "OUTPUT",
    "report": "--report",
    "rename_map": "--rename-map",
    "list_unsure": "--list-unsure",
    "summary": "--summary",
    "save_people": "--save-people",
}


def source_of(argument: str) -> Place | None:
    """The place that INPUT names; None for standard input."""
    return None if argument == "-" else place(argument)


def target_of(argument: str) -> Place | None:
    """The place that OUTPUT names; None for standard output."""
    return None if argument in streams.OUTPUTS else place(argument)


def names_folder(argument: str) -> bool:
    """Whether OUTPUT can only be meant as a folder: it ends with a slash."""
    return argument.endswith(("/", os.sep))


def check_streams(values: Mapping[str, Any]) -> None:
    """Refuse standard input, or output, for several things.

    Raises:
        FaceanonError: it is given twice.
    """
    for which, names, known in (
        ("input", _READ, {"-"}),
        ("output", _WRITTEN, streams.OUTPUTS),
    ):
        taken = [name for key, name in names.items() if values.get(key) in known]
        if len(taken) > 1:
            raise FaceanonError(
                f"standard {which} cannot be both {' and '.join(taken)}; name a file"
            )


def single_name(source: Place | None) -> str:
    """The name of an input that is a single file; empty for a folder or a stream."""
    if source is None:
        return ""
    is_folder = source.is_dir() if isinstance(source, Path) else source.is_folder
    return "" if is_folder else source.name


def plan_of(
    values: Mapping[str, Any], settings: Settings, run_options: RunOptions
) -> Plan:
    """The pictures to do.

    Args:
        values: `source` and `target`; `boxes` and `retry_failed`, if they are given.
        settings: what is to be done to each.
        run_options: how the run goes.

    Raises:
        FaceanonError: it cannot be done without losing something, or at all.
    """
    values = _with_places(values)
    box_file, report = values.get("boxes"), values.get("retry_failed")
    if settings.also_detect and box_file is None:
        raise FaceanonError("--also-detect adds to --boxes; name a box file")
    input_filter = run_options.input_filter
    if report is not None:
        input_filter = replace(input_filter, only=_failed(report))
    source = source_of(values["source"])
    records = None
    if box_file is not None:
        name = single_name(source)
        with streams.input_file(box_file, name or "standard input") as path:
            records = boxes.read(path, name)
    plan = make_plan(
        source,
        target_of(values["target"]),
        format_=settings.writing.format,
        input_filter=input_filter,
        records=records,
        renaming=settings.renaming,
        into_folder=names_folder(values["target"]),
        more=[place(argument) for argument in values.get("more", ())],
        listed=_listed(values),
    )
    check_name(plan, settings.writing.format)
    return plan


def _with_places(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values with INPUT and OUTPUT, where a list stands for INPUT.

    Raises:
        FaceanonError: one of them is missing.
    """
    source, target = values["source"], values["target"]
    if values.get("files_from") is not None and target is None:
        source, target = os.curdir, source
    if target is None:
        raise FaceanonError(
            "name INPUT and OUTPUT" if source is None else "name OUTPUT, after INPUT"
        )
    return {**values, "source": source, "target": target}


def _listed(values: Mapping[str, Any]) -> list[str] | None:
    """The paths that `--files-from` names; None without it.

    Raises:
        FaceanonError: the list cannot be read.
    """
    name = values.get("files_from")
    if name is None:
        return None
    if values["more"]:
        raise FaceanonError("--files-from takes one INPUT, which its paths are below")
    try:
        with streams.input_file(name) as path:
            data = path.read_bytes()
    except OSError as error:
        reason = error.strerror
        raise FaceanonError(f"{shown(name)} cannot be read: {reason}") from error
    lines = data.split(b"\0") if values["null"] else data.splitlines()
    return [os.fsdecode(line) for line in lines if line.strip()]


def _failed(report: str) -> frozenset[str]:
    """The pictures that failed by a report, which may be piped in."""
    if report != "-":
        return failed_pictures(place(report))
    with streams.input_file(report) as path:
        return failed_pictures(path)
