"""Values that somebody has given to the plan of a run."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from faceanon import boxes
from faceanon.batch.planning.make_plan import make_plan
from faceanon.batch.planning.plan import Plan
from faceanon.batch.report import failed_pictures
from faceanon.batch.run_options import RunOptions
from faceanon.errors import FaceanonError
from faceanon.settings import Settings
from faceanon.storage.places import Place, local_path, place


def place_or_stream(argument: str) -> Place | None:
    """The place that an argument names; None for "-"."""
    return None if argument == "-" else place(argument)


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
    box_file, report = values.get("boxes"), values.get("retry_failed")
    if settings.also_detect and box_file is None:
        raise FaceanonError("--also-detect adds to --boxes; name a box file")
    input_filter = run_options.input_filter
    if report is not None:
        failed = failed_pictures(place(report))
        input_filter = replace(input_filter, only=failed)
    source = place_or_stream(values["source"])
    records = None
    if box_file is not None:
        records = boxes.read(local_path(box_file), single_name(source))
    return make_plan(
        source,
        place_or_stream(values["target"]),
        format_=settings.writing.format,
        input_filter=input_filter,
        records=records,
        renaming=settings.renaming,
    )
