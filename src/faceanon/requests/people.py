"""The people whom a run is to hide, or to show."""

from collections.abc import Mapping
from dataclasses import replace
from os import fspath
from typing import TYPE_CHECKING, Any

from faceanon.errors import PeopleError
from faceanon.settings import Settings
from faceanon.storage.streams import input_file
from faceanon.vision import detection
from faceanon.vision.recognition.selection import Mode, Selection, parse_match

if TYPE_CHECKING:
    from faceanon.vision.recognition.enrolment import Reference


def with_people(
    settings: Settings, values: Mapping[str, Any]
) -> "tuple[Settings, tuple[Reference, ...]]":
    """The settings with the people whom `only` hides, or `except_` shows.

    Args:
        settings: of the run; they tell how faces are looked for.
        values: `only`, `except_` and `match`; what is missing is not asked for.

    Returns:
        The settings, and the reference pictures that were looked at for them.

    Raises:
        PeopleError: both are given, or the people cannot be used.
        OptionError: `match` is neither a level nor a similarity.
    """
    only, except_ = values.get("only"), values.get("except_")
    if only is not None and except_ is not None:
        raise PeopleError("--only and --except exclude each other; give one of them")
    match = parse_match(values.get("match", "normal"))
    mode: Mode = "only" if except_ is None else "except"
    path = only if except_ is None else except_
    if path is None:
        return settings, ()
    detector = settings.finding.detector
    if not detection.has_points(detector):
        raise PeopleError(
            f"--only and --except need the eyes, which --detector {detector} does not "
            "find; leave it out"
        )
    from faceanon.vision.recognition.enrolment import load  # noqa: PLC0415  reads them

    with input_file(fspath(path)) as there:
        people, references = load(there, settings.finding, settings.max_pixels)
    return replace(settings, selection=Selection(people, mode, match)), references
