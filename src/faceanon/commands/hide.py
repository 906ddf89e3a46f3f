"""`faceanon METHOD INPUT OUTPUT`: a subcommand for each method."""

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from faceanon import anonymizers
from faceanon.anonymizers import Anonymizer
from faceanon.commands.people import people_options, with_selection
from faceanon.commands.running import (
    errors_explained,
    make_console,
    open_report,
    path_argument,
    place_or_stream,
    report_option,
    run_plan,
    verbosity_options,
)
from faceanon.errors import FaceanonError
from faceanon.requests.options import (
    Values,
    chosen,
    click_options,
    environment_variable,
)
from faceanon.settings import RunOptions, Settings
from faceanon.storage.places import local_path, place

if TYPE_CHECKING:
    from faceanon.batch.planning.plan import Plan
    from faceanon.batch.rename_map import RenameMap


def method_command(name: str) -> click.Command:
    """The subcommand of a method, with its options and those of every method."""
    method = anonymizers.get(name)
    parameters: list[click.Parameter] = [
        path_argument("source", "INPUT"),
        path_argument("target", "OUTPUT"),
        *click_options(method, prefix=f"{name}_"),
        *_common_options(method),
        *click_options(RunOptions),
        click.Option(
            ["--boxes"],
            type=click.Path(),
            metavar="FILE",
            show_default="faces are looked for",
            help="Hide the faces that FILE tells, as 'faceanon detect' writes it or a "
            "labelling tool in COCO, instead of looking for faces.",
            envvar=environment_variable("boxes"),
        ),
        *people_options(),
        report_option(),
        click.Option(
            ["--rename-map"],
            type=click.Path(),
            metavar="FILE",
            show_default="none",
            help="With --rename: append to FILE which input became which output, as "
            "JSON lines. It ties outputs to names; keep it as you keep the originals.",
            envvar=environment_variable("rename_map"),
        ),
        click.Option(
            ["--retry-failed"],
            type=click.Path(),
            metavar="REPORT",
            show_default="all are taken",
            help="Take only the pictures that failed in the run that wrote REPORT.",
            envvar=environment_variable("retry_failed"),
        ),
        click.Option(
            ["--dry-run"], is_flag=True, help="Say what would be done; write nothing."
        ),
        *verbosity_options(),
    ]
    if method.catalogue():
        parameters.append(_list_option(method.catalogue()))
    return click.Command(
        name,
        params=parameters,
        help=method.__doc__,
        callback=lambda **values: _hide(name, values),
        no_args_is_help=True,
    )


def _common_options(method: type[Anonymizer]) -> list[click.Option]:
    """The options of every method, with the default that this one has."""
    options = click_options(Settings)
    for option in options:
        if option.name == "grow":
            option.show_default = f"{method.default_grow:g}"
    return options


def _list_option(names: tuple[str, ...]) -> click.Option:
    def callback(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            click.echo("\n".join(names))
            ctx.exit()

    return click.Option(
        ["--list"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        help="List the names that can be given, and exit.",
        callback=callback,
    )


def make_settings(name: str, values: Values) -> Settings:
    """What is to be done to each picture, by the values of the options of a method.

    Raises:
        FaceanonError: the values do not go together.
    """
    method: Callable[..., Anonymizer] = anonymizers.get(name)
    anonymizer = method(**chosen(anonymizers.get(name), values))
    settings = Settings(name, anonymizer, **chosen(Settings, values))
    if settings.also_detect and values["boxes"] is None:
        raise FaceanonError("--also-detect adds to --boxes; name a box file")
    return settings


def make_plan(values: Values, settings: Settings, run_options: RunOptions) -> "Plan":
    """The pictures to do, by the values of the options of a method.

    Raises:
        FaceanonError: it cannot be done without losing something, or at all.
    """
    # Imported late: they bring much that --help does not need.
    from faceanon import boxes  # noqa: PLC0415
    from faceanon.batch.planning import folder as files  # noqa: PLC0415
    from faceanon.batch.report import failed_pictures  # noqa: PLC0415

    records = boxes.read(local_path(values["boxes"])) if values["boxes"] else None
    choice = run_options.choice
    if values["retry_failed"] is not None:
        failed = failed_pictures(place(values["retry_failed"]))
        choice = replace(choice, only=failed)
    return files.plan(
        place_or_stream(values["source"]),
        place_or_stream(values["target"]),
        format_=settings.format,
        choice=choice,
        records=records,
        renaming=settings.renaming,
    )


def _rename_map(values: Values, settings: Settings, plan: "Plan") -> "RenameMap":
    from faceanon.batch.rename_map import RenameMap  # noqa: PLC0415

    path = values["rename_map"]
    if path is not None and settings.rename is None:
        raise FaceanonError("--rename-map is for outputs that --rename names")
    return RenameMap(None if path is None else local_path(path), plan.root)


def _hide(name: str, values: Values) -> None:
    console = make_console(values)
    with errors_explained():
        settings = with_selection(make_settings(name, values), values, console)
        run_options = RunOptions(**chosen(RunOptions, values))
        plan = make_plan(values, settings, run_options)
        if values["dry_run"]:
            console.list_jobs(plan)
            return
        for caution in settings.cautions():
            console.say(f"note: {caution}")
        with (
            _rename_map(values, settings, plan) as rename_map,
            open_report(values["report"], settings) as report,
        ):
            takers = report.add, rename_map.add
            run_plan(plan, settings, run_options, console, *takers)
    sys.exit(console.summary.exit_status)
