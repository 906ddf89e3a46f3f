"""What can be given to a method, as parameters of Click.

The terminal makes a command of them, and the window a form: what is filled in there is
read as the command would read it.
"""

import sys
from dataclasses import asdict

import click

from faceanon import anonymizers
from faceanon.anonymizers import Anonymizer
from faceanon.batch.run_options import RunOptions
from faceanon.errors import OptionError
from faceanon.requests.click_options import click_options, environment_variable
from faceanon.settings import Settings
from faceanon.vision.recognition.selection import parse_match


def method_parameters(name: str) -> list[click.Parameter]:
    """All that can be given to a method.

    Raises:
        OptionError: there is no such method, or it cannot be loaded.
    """
    method = anonymizers.get(name)
    parameters: list[click.Parameter] = [
        path_argument("source", "INPUT", required=False),
        more_argument(),
        path_argument("target", "OUTPUT", required=False),
        files_from_option(),
        null_option(),
        *click_options(method, prefix=f"{name}_"),
        *_common_options(method),
        click.Option(
            ["--seed-file"],
            type=click.Path(),
            metavar="FILE",
            show_default="none",
            help="Read the seed from FILE, which only you should be able to read: who "
            "lists the processes of this machine sees --seed.",
            envvar=environment_variable("seed_file"),
        ),
        *click_options(RunOptions),
        click.Option(
            ["--boxes"],
            type=click.Path(),
            metavar="FILE",
            show_default="faces are looked for",
            help="Hide the faces in FILE instead of looking for faces. Such files come "
            "from 'faceanon detect' and from labelling tools (COCO, MOT, CVAT XML).",
            envvar=environment_variable("boxes"),
        ),
        *people_options(),
        report_option(),
        _file_option(
            "list_unsure",
            "named at the end where they are few",
            "Write the names of pictures to check by eye to FILE, one per line: "
            "something in them is nearly certain enough to be a face.",
        ),
        _file_option(
            "summary",
            "said at the end",
            "Write the summary of the run to FILE as JSON.",
        ),
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
            help="Process only the pictures that failed in the run that wrote REPORT.",
            envvar=environment_variable("retry_failed"),
        ),
        click.Option(
            ["--dry-run"],
            is_flag=True,
            help="Show what would be done, and write nothing.",
        ),
        *verbosity_options(),
    ]
    if method.catalogue():
        parameters.append(_list_option(method.catalogue()))
    return parameters


def _common_options(method: type[Anonymizer]) -> list[click.Option]:
    """The options of every method, with the default that this one has."""
    options = click_options(Settings)
    usual = asdict(method.default_cover)
    for option in options:
        if option.name in usual:
            value = usual[option.name]
            option.show_default = value if isinstance(value, str) else f"{value:g}"
    return options


def _list_option(lines: tuple[str, ...]) -> click.Option:
    def callback(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            # Not every terminal has a character for everything.
            encoding = sys.stdout.encoding
            click.echo("\n".join(lines).encode(encoding, "replace").decode(encoding))
            ctx.exit()

    return click.Option(
        ["--list"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        help="List what can be given, and exit.",
        callback=callback,
    )


def people_options() -> list[click.Parameter]:
    """`--only`, `--except`, `--match` and `--save-people`."""
    return [
        click.Option(
            ["--only"],
            type=click.Path(),
            metavar="PEOPLE",
            show_default="everybody is hidden",
            help="Hide only these people, and every face that may be theirs. PEOPLE "
            "is a folder of pictures of one person, or of one folder a person, or a "
            "file of --save-people.",
            envvar=environment_variable("only"),
        ),
        click.Option(
            ["--except", "except_"],
            type=click.Path(),
            metavar="PEOPLE",
            show_default="nobody is shown",
            help="Hide everybody but these people, and every face that is not surely "
            "theirs.",
            envvar=environment_variable("except"),
        ),
        click.Option(
            ["--match"],
            type=_match,
            metavar="strict|normal|loose|NUMBER",
            default="normal",
            show_default=True,
            help="How sure --only and --except must be: 'strict' hides more, 'loose' "
            "less. Or a similarity between 0 and 1, from which on --except shows a "
            "face and --only hides it.",
            envvar=environment_variable("match"),
        ),
        save_option(),
    ]


def save_option() -> click.Option:
    """`--save-people`."""
    return click.Option(
        ["--save-people"],
        type=click.Path(),
        metavar="FILE",
        show_default="kept nowhere",
        help="Keep what the faces of these people are recognised by in a new FILE "
        "that only you can read, to give as PEOPLE. It is biometric data.",
    )


def _match(value: str) -> str | float:
    """The value of `--match`."""
    try:
        return parse_match(value)
    except OptionError as error:
        raise click.BadParameter(str(error)) from error


def path_argument(name: str, metavar: str, *, required: bool = True) -> click.Argument:
    """A path, as text, so that "-" and "./-" are not the same."""
    return click.Argument([name], metavar=metavar, type=click.Path(), required=required)


def more_argument() -> click.Argument:
    """Further inputs."""
    return click.Argument(["more"], metavar="[INPUT]...", type=click.Path(), nargs=-1)


def files_from_option() -> click.Option:
    """`--files-from`."""
    return click.Option(
        ["--files-from"],
        type=click.Path(),
        metavar="LIST",
        show_default="all of INPUT is taken",
        help="Process the files that LIST names, one path per line, relative to INPUT "
        "or, without INPUT, to the working folder.",
    )


def null_option() -> click.Option:
    """`--null`."""
    return click.Option(
        ["-0", "--null"],
        is_flag=True,
        help="Paths in LIST end with a null character, as from 'find -print0'.",
    )


def verbosity_options() -> list[click.Parameter]:
    """`--quiet` and `--verbose`."""
    return [
        click.Option(["-q", "--quiet"], is_flag=True, help="Print only failures."),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            help="Print a line for each picture; -vv adds tracebacks.",
        ),
    ]


def report_option() -> click.Option:
    """`--report`."""
    return _file_option(
        "report",
        "none",
        "Append a JSON line for each picture to FILE: what was found and done.",
    )


def _file_option(name: str, default: str, help_: str) -> click.Option:
    """An option that names a file, with what happens without it."""
    return click.Option(
        [f"--{name.replace('_', '-')}"],
        type=click.Path(),
        metavar="FILE",
        show_default=default,
        help=help_,
        envvar=environment_variable(name),
    )
