"""The command line: options to settings, outcomes to a progress bar and a summary."""

import signal
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from faceanon import anonymizers
from faceanon.errors import FaceanonError, OptionError, StorageError
from faceanon.jobs import shown
from faceanon.options import Option, declared
from faceanon.settings import RunOptions, Settings

if TYPE_CHECKING:
    from faceanon.report import ReportFile

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it: 128 and the signal's number."""

EPILOG = """\
Each option can also be set by an environment variable: FACEANON_JOBS=4 for --jobs, and
FACEANON_METHOD_OPTION, such as FACEANON_PIXELATE_CELLS, for the options of a method.

Exit status: 0 all done, 1 a picture failed, 2 wrong usage, 130 interrupted.
"""


class Methods(click.Group):
    """A subcommand for each method in the registry, made when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the methods."""
        return list(anonymizers.names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand of a method."""
        if cmd_name not in anonymizers.names():
            return None
        try:
            return method_command(cmd_name)
        except OptionError as error:
            raise click.ClickException(str(error)) from error


@click.group(
    cls=Methods, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(version("faceanon"), prog_name="faceanon")
def cli() -> None:
    """Hide the faces in pictures.

    Each command is a method. INPUT is a folder, walked with its folders and mirrored in
    OUTPUT, or one picture; "-" is standard input or output. Nothing in INPUT is changed
    and nothing in OUTPUT is replaced unless you say so.
    """


def main() -> None:
    """Run the command line."""
    # kill and service managers end a run as gently as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    cli()


# --- From declared options to Click's --------------------------------------------


def click_option(option: Option, prefix: str = "") -> click.Option:
    """The Click option for a declared one.

    Args:
        option: as declared.
        prefix: put before the name in the environment variable, such as "PIXELATE_".
    """
    name = option.name.replace("_", "-")
    spelling = f"--{name}/--no-{name}" if option.type is bool else f"--{name}"
    return click.Option(
        [spelling, *option.flags, option.name],
        type=_click_type(option),
        default=option.default,
        show_default=option.default_text or True,
        help=option.help,
        metavar=option.metavar,
        envvar=f"FACEANON_{prefix}{option.name}".upper(),
    )


def _click_type(option: Option) -> Any:
    if option.parse is not None:
        return _parsed_by(option.parse)
    if option.choices:
        return click.Choice(option.choices)
    if option.type is int:
        return click.IntRange(
            None if option.minimum is None else int(option.minimum),
            None if option.maximum is None else int(option.maximum),
        )
    if option.type is float:
        return click.FloatRange(option.minimum, option.maximum)
    return None if option.type is bool else click.STRING


def _parsed_by(parse: Callable[[str], Any]) -> Callable[[str], str]:
    """A Click type for a text that is checked by `parse`; the value is the text."""

    def text(value: str) -> str:
        try:
            parse(value)
        except OptionError as error:
            raise click.BadParameter(str(error)) from error
        return value

    return text


def method_command(name: str) -> click.Command:
    """The subcommand of a method, with its options and those of every method."""
    method = anonymizers.get(name)
    own = list(declared(method))
    parameters: list[click.Parameter] = [
        click.Argument(["source"], metavar="INPUT", type=click.Path()),
        click.Argument(["target"], metavar="OUTPUT", type=click.Path()),
        *(click_option(option, prefix=f"{name}_") for option in own),
        *(click_option(option) for option in declared(Settings)),
        *(click_option(option) for option in declared(RunOptions)),
        click.Option(
            ["--report"],
            type=click.Path(),
            metavar="FILE",
            help="Append one JSON line a picture to FILE: what was found and done.",
            envvar="FACEANON_REPORT",
        ),
        click.Option(
            ["--dry-run"], is_flag=True, help="Say what would be done; write nothing."
        ),
        click.Option(
            ["-q", "--quiet"], is_flag=True, help="Say nothing but what failed."
        ),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            help="Say what came of each picture; twice: where errors came from.",
        ),
    ]
    if method.catalogue():
        parameters.append(
            click.Option(
                ["--list"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                help="List the names that can be given, and exit.",
                callback=_print_catalogue(method.catalogue()),
            )
        )
    return click.Command(
        name,
        params=parameters,
        help=method.__doc__,
        callback=lambda **values: run_command(name, [o.name for o in own], values),
        no_args_is_help=True,
    )


def _print_catalogue(
    names: tuple[str, ...],
) -> Callable[[click.Context, click.Parameter, bool], None]:
    def callback(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            click.echo("\n".join(names))
            ctx.exit()

    return callback


# --- Running ---------------------------------------------------------------------


def run_command(name: str, own: list[str], values: dict[str, Any]) -> None:
    """Run a method with the values that Click collected, and exit."""
    # Imported late: they bring the networks' engines, which --help does not need.
    from faceanon import batch, files  # noqa: PLC0415
    from faceanon.console import Console  # noqa: PLC0415

    console = Console(values["quiet"], values["verbose"])
    method = anonymizers.get(name)
    try:
        anonymizer = method(**{option: values[option] for option in own})
        settings = Settings(name, anonymizer, **_chosen(Settings, values))
        run_options = RunOptions(**_chosen(RunOptions, values))
        plan = files.plan(
            _path(values["source"]),
            _path(values["target"]),
            format_=settings.format,
            recursive=run_options.recursive,
        )
        if values["dry_run"]:
            console.list_jobs(plan)
            return
        for caution in anonymizer.cautions():
            console.say(f"note: {caution}")
        with (
            _report_file(values["report"], settings) as report,
            console.counting(plan),
            closing(batch.run(plan, settings, run_options)) as outcomes,
        ):
            for outcome in outcomes:
                report.add(outcome)
                console.show(outcome)
    except StorageError as error:
        raise click.ClickException(f"{error}; the run has stopped") from error
    except FaceanonError as error:
        raise click.UsageError(str(error)) from error
    except KeyboardInterrupt:
        console.say("interrupted; run the same command again to go on")
        sys.exit(INTERRUPTED)
    sys.exit(console.summary.exit_status)


def _chosen(owner: type, values: dict[str, Any]) -> dict[str, Any]:
    return {option.name: values[option.name] for option in declared(owner)}


def _path(argument: str) -> Path | None:
    return None if argument == "-" else Path(argument)


def _report_file(path: str | None, settings: Settings) -> "ReportFile":
    from faceanon.report import ReportFile  # noqa: PLC0415

    try:
        return ReportFile(None if path is None else Path(path), settings)
    except OSError as error:
        raise FaceanonError(
            f"the report {shown(path)} cannot be written: {error.strerror}"
        ) from error
