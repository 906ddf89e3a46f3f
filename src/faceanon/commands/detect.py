"""`faceanon detect`: the faces of pictures, to be corrected and hidden later."""

import sys

import click

from faceanon import options
from faceanon.batch.run_options import RunOptions
from faceanon.commands.running import Values, errors_explained, make_console, run_plan
from faceanon.errors import BoxesError
from faceanon.pipeline.job import Status
from faceanon.pipeline.steps import Detect
from faceanon.requests.click_options import click_options
from faceanon.requests.help import Command
from faceanon.requests.parameters import more_argument, path_argument, verbosity_options
from faceanon.settings import Settings
from faceanon.storage.places import place
from faceanon.storage.streams import output_path
from faceanon.vision.detection import DetectorOptions


def detect_command() -> click.Command:
    """`faceanon detect INPUT`."""
    return Command(
        "detect",
        examples=(
            "photos/ -o boxes.jsonl",
            "clip.mp4 --format cvat -o clip.xml",
            "photos/ --accuracy thorough > boxes.jsonl",
        ),
        params=[
            path_argument("source", "INPUT"),
            more_argument(),
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
                type=click.Choice(["jsonl", "coco", "mot", "cvat"]),
                default="jsonl",
                show_default=True,
                help="JSON Lines; COCO for labelling tools; MOT, or CVAT for video, of "
                "one film.",
            ),
            click.Option(
                ["--fail-if-any"],
                is_flag=True,
                help="Exit with status 1 if a face is found. For hooks that keep "
                "pictures of people out.",
            ),
            *click_options(DetectorOptions),
            *click_options(Settings, only={"max_pixels"}),
            *click_options(RunOptions, leaving_out={"redo_older", "state"}),
            *verbosity_options(),
        ],
        help="""Find the faces in INPUT and write a box file; no picture is written.

        The box file can be corrected, by hand, with a labelling tool or with
        'faceanon review', and then be given to any method with --boxes.
        """,
        callback=lambda **values: _detect(values),
        no_args_is_help=True,
    )


def _detect(values: Values) -> None:
    # Imported late: they bring much that --help does not need.
    from faceanon.batch.box_writer import BoxWriter  # noqa: PLC0415
    from faceanon.batch.planning.make_plan import make_reading_plan  # noqa: PLC0415
    from faceanon.boxes import FOR_ONE_FILM  # noqa: PLC0415
    from faceanon.requests.planning import single_name, source_of  # noqa: PLC0415

    console = make_console(values)
    with errors_explained():
        step = Detect(options.build(Settings, values))
        run_options = options.build(RunOptions, values)
        source, form = source_of(values["source"]), values["form"]
        more = [place(argument) for argument in values["more"]]
        plan = make_reading_plan(source, run_options.input_filter, more)
        if form in FOR_ONE_FILM and (more or not single_name(source)):
            raise BoxesError(
                f"a {form.upper()} file is about one film; name a film as INPUT, or "
                "use --format jsonl"
            )
        output = output_path(values["output"])
        tells = console.tell_of_faces if values["fail_if_any"] else lambda _: None
        with BoxWriter(output, form, run_options.overwrite) as file:
            run_plan(plan, step, run_options, console, file.add, tells)
    found = console.summary.counts.statuses[Status.FOUND]
    sys.exit(1 if values["fail_if_any"] and found else console.summary.exit_status)
