"""`faceanon detect`, `preview` and `review`: what would be hidden, to be corrected."""

import sys

import click

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
from faceanon.requests.options import (
    Values,
    chosen,
    click_options,
    environment_variable,
)
from faceanon.settings import RunOptions, Settings
from faceanon.storage.places import local_path, place

# Those options of Settings that matter when nothing is hidden.
_FINDING = {"detector", "accuracy", "min_score", "max_pixels"}
_WRITING = {"format", "quality"}


def detect_command() -> click.Command:
    """`faceanon detect INPUT`."""
    return click.Command(
        "detect",
        params=[
            path_argument("source", "INPUT"),
            click.Option(
                ["-o", "--output"],
                type=click.Path(),
                metavar="FILE",
                default="-",
                show_default="standard output",
                help="The box file to write.",
            ),
            click.Option(
                ["--format", "form"],
                type=click.Choice(["jsonl", "coco"]),
                default="jsonl",
                show_default=True,
                help="JSON Lines, or COCO for labelling tools.",
            ),
            *click_options(Settings, only=_FINDING),
            *click_options(RunOptions),
            *verbosity_options(),
        ],
        help="""Find the faces in INPUT and write a box file; no picture is written.

        The box file can be corrected, by hand, with a labelling tool or with
        'faceanon review', and then be given to any method with --boxes.
        """,
        callback=lambda **values: _detect(values),
        no_args_is_help=True,
    )


def preview_command() -> click.Command:
    """`faceanon preview INPUT OUTPUT`."""
    return click.Command(
        "preview",
        params=[
            path_argument("source", "INPUT"),
            path_argument("target", "OUTPUT"),
            *click_options(Settings, only=_FINDING | _WRITING),
            *click_options(RunOptions),
            report_option(),
            *verbosity_options(),
        ],
        help="""Draw the boxes and scores of what is found; nothing is hidden.

        Green is what would be hidden, orange with a question mark what may be a face
        but is not sure enough. For choosing --min-score and --accuracy.
        """,
        callback=lambda **values: _preview(values),
        no_args_is_help=True,
    )


def review_command() -> click.Command:
    """`faceanon review INPUT --boxes FILE`."""
    return click.Command(
        "review",
        params=[
            path_argument("source", "INPUT"),
            click.Option(
                ["--boxes"],
                type=click.Path(),
                metavar="FILE",
                required=True,
                help="The box file to correct; it is saved as you go.",
                envvar=environment_variable("boxes"),
            ),
            click.Option(
                ["--port"],
                type=click.IntRange(0, 65535),
                default=0,
                show_default="any that is free",
                help="The port of 127.0.0.1 to serve the page on.",
            ),
            click.Option(
                ["--browser/--no-browser"],
                default=True,
                show_default=True,
                help="Open the page in the browser.",
            ),
            *click_options(Settings, only={"max_pixels"}),
        ],
        help="""Correct a box file in the browser, least certain pictures first.

        The page is served on this machine only, until Ctrl-C. Needs the extra
        'review': pip install 'faceanon[review]'.
        """,
        callback=lambda **values: _review(values),
        no_args_is_help=True,
    )


def _review(values: Values) -> None:
    from faceanon.review import serve  # noqa: PLC0415

    with errors_explained():
        settings = Settings("review", None, **chosen(Settings, values))
        serve(
            local_path(values["source"]),
            local_path(values["boxes"]),
            port=values["port"],
            open_browser=values["browser"],
            max_pixels=settings.max_pixels,
            say=click.echo,
        )


def _detect(values: Values) -> None:
    from faceanon.batch.box_writer import BoxWriter  # noqa: PLC0415
    from faceanon.batch.planning import folder as files  # noqa: PLC0415

    console = make_console(values)
    with errors_explained():
        settings = Settings("detect", None, **chosen(Settings, values))
        run_options = RunOptions(**chosen(RunOptions, values))
        plan = files.plan_reading(place(values["source"]), run_options.choice)
        output = None if values["output"] == "-" else local_path(values["output"])
        with BoxWriter(output, values["form"], run_options.overwrite) as file:
            run_plan(plan, settings, run_options, console, file.add)
    sys.exit(console.summary.exit_status)


def _preview(values: Values) -> None:
    from faceanon.batch.planning import folder as files  # noqa: PLC0415

    console = make_console(values)
    with errors_explained():
        settings = Settings("preview", None, **chosen(Settings, values))
        run_options = RunOptions(**chosen(RunOptions, values))
        plan = files.plan(
            place_or_stream(values["source"]),
            place_or_stream(values["target"]),
            format_=settings.format,
            choice=run_options.choice,
        )
        with open_report(values["report"], settings) as report:
            run_plan(plan, settings, run_options, console, report.add)
    sys.exit(console.summary.exit_status)
