"""`faceanon preview`: boxes and scores drawn into copies of pictures."""

import sys

import click

from faceanon import options
from faceanon.batch.run_options import RunOptions
from faceanon.commands.running import Values, errors_explained, make_console, run_plan
from faceanon.pipeline.steps import Preview
from faceanon.requests.click_options import click_options
from faceanon.requests.help import Command
from faceanon.requests.parameters import (
    path_argument,
    report_option,
    verbosity_options,
)
from faceanon.settings import Settings
from faceanon.vision.detection import DetectorOptions


def preview_command() -> click.Command:
    """`faceanon preview INPUT OUTPUT`."""
    return Command(
        "preview",
        examples=(
            "photos/ drawn/",
            "photo.jpg drawn.jpg --min-score 0.2",
            "photos/ drawn/ --boxes boxes.jsonl",
        ),
        params=[
            path_argument("source", "INPUT"),
            path_argument("target", "OUTPUT"),
            *click_options(DetectorOptions),
            *click_options(Settings, only={"format", "quality", "max_pixels"}),
            *click_options(RunOptions),
            report_option(),
            *verbosity_options(),
        ],
        help="""Draw boxes and scores on the pictures; nothing is hidden.

        Green is what would be hidden, orange with a question mark what may be a face
        but is not sure enough. For choosing --min-score and --accuracy.
        """,
        callback=lambda **values: _preview(values),
        no_args_is_help=True,
    )


def _preview(values: Values) -> None:
    # Imported late: they bring much that --help does not need.
    from faceanon.requests.planning import check_streams, plan_of  # noqa: PLC0415
    from faceanon.requests.reports import open_report  # noqa: PLC0415

    console = make_console(values)
    with errors_explained():
        check_streams(values)
        settings = options.build(Settings, values)
        run_options = options.build(RunOptions, values)
        plan = plan_of(values, settings, run_options)
        with open_report(values["report"], settings, plan.root) as report:
            run_plan(plan, Preview(settings), run_options, console, report.add)
    sys.exit(console.summary.exit_status)
