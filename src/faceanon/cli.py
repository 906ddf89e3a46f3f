"""The command line: options to settings, outcomes to a progress bar and a summary."""

import signal
from collections.abc import Callable
from importlib.metadata import version

import click

from faceanon import anonymizers
from faceanon.commands.gui import gui_command
from faceanon.commands.hide import method_command
from faceanon.commands.look import detect_command, preview_command, review_command
from faceanon.commands.people import people_command
from faceanon.commands.scan import scan_command
from faceanon.commands.verify import verify_command
from faceanon.errors import OptionError

EPILOG = """\
Each option can also be set by an environment variable: FACEANON_JOBS=4 for --jobs, and
FACEANON_METHOD_OPTION, such as FACEANON_PIXELATE_CELLS, for the options of a method.

Exit status: 0 all done, 1 a picture failed, 2 wrong usage, 130 interrupted.
"""

_BEFORE: dict[str, Callable[[], click.Command]] = {
    "detect": detect_command,
    "preview": preview_command,
    "review": review_command,
    "people": people_command,
}
_AFTER: dict[str, Callable[[], click.Command]] = {
    "verify": verify_command,
    "scan": scan_command,
}
_WINDOW: dict[str, Callable[[], click.Command]] = {"gui": gui_command}
_TOOLS = _BEFORE | _AFTER | _WINDOW


class Commands(click.Group):
    """The methods of the registry, and tools; each made when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the methods, then of the tools."""
        return [*anonymizers.names(), *_TOOLS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of a method, or a tool."""
        if cmd_name in _TOOLS:
            return _TOOLS[cmd_name]()
        if cmd_name not in anonymizers.names():
            return None
        try:
            return method_command(cmd_name)
        except OptionError as error:
            raise click.ClickException(str(error)) from error

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List methods and tools under headings of their own."""
        for heading, names in (
            ("Methods", anonymizers.names()),
            ("Before hiding", tuple(_BEFORE)),
            ("After hiding", tuple(_AFTER)),
            ("In a window", tuple(_WINDOW)),
        ):
            commands = {name: self.get_command(ctx, name) for name in names}
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (name, command.get_short_help_str(limit=70))
                        for name, command in commands.items()
                        if command is not None
                    ]
                )


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(version("faceanon"), prog_name="faceanon")
def cli() -> None:
    """Hide the faces in pictures: faceanon METHOD INPUT OUTPUT.

    INPUT is a folder, walked with its folders and mirrored in OUTPUT, or one picture;
    "-" is standard input or output, and s3://, gs:// or az:// a bucket. WebDataset tar
    and Parquet files are taken picture by picture; 'in/{000..999}.tar' stands for a
    thousand of them. Nothing in INPUT is changed and nothing in OUTPUT is replaced
    unless you say so.
    """


def main() -> None:
    """Run the command line."""
    # kill and service managers end a run as gently as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cli()
