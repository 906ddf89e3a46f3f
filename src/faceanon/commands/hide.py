"""`faceanon METHOD INPUT OUTPUT`: a subcommand for each method."""

import os
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from faceanon import anonymizers, options
from faceanon.batch.run_options import RunOptions
from faceanon.commands.running import Values, errors_explained, make_console, run_plan
from faceanon.errors import FaceanonError
from faceanon.pipeline.steps import Hide
from faceanon.requests.click_options import environment_variable
from faceanon.requests.help import Command
from faceanon.requests.parameters import method_parameters
from faceanon.requests.settings import make_settings
from faceanon.settings import Settings
from faceanon.storage.names import shown
from faceanon.storage.streams import output_path

if TYPE_CHECKING:
    from faceanon.batch.planning.plan import Plan
    from faceanon.batch.rename_map import RenameMap
    from faceanon.commands.progress import Console


def method_command(name: str) -> click.Command:
    """The subcommand of a method, with its options and those of every method."""
    return Command(
        name,
        params=method_parameters(name),
        help=anonymizers.get(name).__doc__,
        examples=(
            "photos/ safe/",
            "photos/*.jpg clip.mp4 safe/",
            "photos/ safe/ --except friends/ --report report.jsonl",
        ),
        is_method=True,
        callback=lambda **values: _hide(name, values),
        no_args_is_help=True,
    )


def _hide(name: str, values: Values) -> None:
    # Imported late: they bring much that --help does not need.
    from faceanon.batch.unsure_list import UnsureList  # noqa: PLC0415
    from faceanon.commands import summary  # noqa: PLC0415
    from faceanon.requests.planning import check_streams, plan_of  # noqa: PLC0415
    from faceanon.requests.reports import open_report  # noqa: PLC0415

    console = make_console(values)
    with errors_explained():
        check_streams(values)
        settings = _with_people(make_settings(name, values), values, console)
        run_options = options.build(RunOptions, values)
        plan = plan_of(values, settings, run_options)
        if values["dry_run"]:
            console.list_jobs(plan)
            return
        cautions = *settings.cautions(), *_seed_in_sight(settings)
        for caution in (*cautions, *_unknown_variables(name)):
            console.say(f"note: {caution}")
        with (
            _rename_map(values, settings, plan) as rename_map,
            open_report(values["report"], settings, plan.root) as report,
            UnsureList(values["list_unsure"]) as unsure,
        ):
            takers = report.add, rename_map.add, unsure.add
            run_plan(plan, Hide(settings), run_options, console, *takers)
        if values["summary"] is not None:
            told = summary.for_programs(console.summary, settings, console.seconds)
            summary.write(values["summary"], told)
    sys.exit(console.summary.exit_status)


# Variables that are no options.
_OTHER_VARIABLES = {"FACEANON_INFERENCE", "FACEANON_TURBOJPEG", "FACEANON_CACHE"}


def _unknown_variables(name: str) -> Iterator[str]:
    """What must be said of variables of the environment that set nothing."""
    parameters = click.get_current_context().command.params
    known = {str(parameter.envvar) for parameter in parameters} | _OTHER_VARIABLES
    others = [other for other in anonymizers.names() if other != name]
    prefixes = tuple(environment_variable(f"{other}_") for other in others)
    for variable in sorted(os.environ):
        is_ours = variable.startswith("FACEANON_")
        if not is_ours or variable in known or variable.startswith(prefixes):
            continue
        meant = get_close_matches(variable, known, 1)
        hint = f"; did you mean {meant[0]}?" if meant else ""
        yield f"the environment variable {variable} sets nothing{hint}"


def _seed_in_sight(settings: Settings) -> tuple[str, ...]:
    """What must be said of a secret on the command line."""
    source = click.get_current_context().get_parameter_source("seed")
    if source is not click.core.ParameterSource.COMMANDLINE:
        return ()
    if not settings.seed_is_secret:
        return ()
    return (
        "who lists the processes of this machine, or reads your shell's history, sees "
        "--seed, which is a secret here; use --seed-file",
    )


def _with_people(settings: Settings, values: Values, console: "Console") -> Settings:
    """The settings with the people that `--only` or `--except` names."""
    from faceanon.requests.people import with_people  # noqa: PLC0415
    from faceanon.vision.recognition import gallery  # noqa: PLC0415

    settings, references = with_people(settings, values)
    if settings.selection is None:
        if values["save_people"] is not None:
            raise FaceanonError("--save-people saves those of --only or --except")
        return settings
    for reference in references:
        if reference.refusal:
            name = shown(reference.path)
            console.say(f"note: {name} is not used: {reference.refusal}")
    people = settings.selection.people
    console.summary.persons = tuple(person.name for person in people.persons)
    if values["save_people"] is not None and not values["dry_run"]:
        gallery.save(people, output_path(values["save_people"]))
    return settings


def _rename_map(values: Values, settings: Settings, plan: "Plan") -> "RenameMap":
    from faceanon.batch.rename_map import RenameMap  # noqa: PLC0415

    path = values["rename_map"]
    if path is not None and settings.rename is None:
        raise FaceanonError("--rename-map is for outputs that --rename names")
    return RenameMap(path, plan.root)
