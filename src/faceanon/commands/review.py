"""`faceanon review`: a box file, corrected in the browser."""

import click

from faceanon import options
from faceanon.commands.codec_noise import codecs_silenced
from faceanon.commands.running import Values, errors_explained
from faceanon.errors import FaceanonError
from faceanon.requests.click_options import click_options, environment_variable
from faceanon.requests.help import Command
from faceanon.requests.parameters import path_argument
from faceanon.settings import Settings
from faceanon.storage.places import local_path


def review_command() -> click.Command:
    """`faceanon review INPUT --boxes FILE`."""
    return Command(
        "review",
        examples=(
            "photos/ boxes.jsonl",
            "photos/ boxes.jsonl --no-browser",
            "clip.mp4 boxes.jsonl",
        ),
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
        'review': pip install '.[review]' in the checkout.
        """,
        callback=lambda **values: _review(values),
        no_args_is_help=True,
    )


def _review(values: Values) -> None:
    from faceanon.review import serve  # noqa: PLC0415

    with errors_explained(), codecs_silenced():
        if values["boxes"] == "-":
            raise FaceanonError("the review saves what is corrected; name a box file")
        serve(
            local_path(values["source"]),
            local_path(values["boxes"]),
            port=values["port"],
            open_browser=values["browser"],
            max_pixels=options.build(Settings, values).max_pixels,
            say=click.echo,
        )
