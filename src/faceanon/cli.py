"""The front door of the terminal: the group of all commands."""

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module

import click

from faceanon import anonymizers
from faceanon.errors import OptionError, StorageError
from faceanon.storage import streams

EPILOG = """\
Each option can also be set by an environment variable: FACEANON_JOBS=4 for --jobs, and
FACEANON_METHOD_OPTION, such as FACEANON_PIXELATE_CELLS, for the options of a method.

Exit status: 0 all done, 1 a picture failed or there was none, 2 wrong usage, 75 try
again later (another run writes to OUTPUT, no credentials, no cluster), 130 interrupted,
141 whoever read standard output is gone.
"""

# The commands that are no methods, with the first sentences of their help. Each is
# imported when it is needed: `--help` brings neither NumPy nor OpenCV.
_BEFORE = {
    "detect": "Find the faces in INPUT and write a box file; no picture is written.",
    "preview": "Draw boxes and scores on the pictures; nothing is hidden.",
    "review": "Correct a box file in the browser, least certain pictures first.",
    "people": "Check the reference pictures in PEOPLE, for --only and --except.",
}
_AFTER = {
    "verify": "Check finished pictures: can anyone still be recognised?",
    "scan": "List what else files contain: places, names, hidden pictures.",
}
_WINDOW = {"gui": "Choose, preview, correct and run in a window."}
_TOOLS = _BEFORE | _AFTER | _WINDOW


# What the methods are called elsewhere.
_OTHER_WORDS = {
    "black": "blackbar",
    "bar": "blackbar",
    "mosaic": "pixelate",
    "pixelize": "pixelate",
    "pixellate": "pixelate",
    "emojis": "emoji",
    "eyecolour": "eyecolor",
}


def _what_was_meant(name: str, rest: list[str], commands: list[str]) -> str:
    """What to say of a command that there is not."""
    if os.path.exists(name):  # noqa: PTH110  as typed
        kind = "a folder" if os.path.isdir(name) else "a file"  # noqa: PTH112
        line = shlex.join(["faceanon", "blur", name, *rest])
        return f"{name} is {kind}; which method? For example: {line}"
    meant = get_close_matches(name, [*commands, *_OTHER_WORDS], 1)
    hint = _OTHER_WORDS.get(meant[0], meant[0]) if meant else ""
    if hint:
        return f"there is no command {name!r}; did you mean {hint!r}?"
    return f"there is no command {name!r}; 'faceanon --help' lists them"


@contextmanager
def _told() -> Iterator[None]:
    """Say what is wrong with a method, or with the package of one."""
    try:
        yield
    except OptionError as error:
        raise click.ClickException(str(error)) from error


def _methods() -> tuple[str, ...]:
    with _told():
        return anonymizers.names()


class Commands(click.Group):
    """The methods of the registry, and tools; each made when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the methods, then of the other commands."""
        return [*_methods(), *_TOOLS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a method, or another one."""
        methods = _methods()
        if cmd_name in _TOOLS:
            module = import_module(f"faceanon.commands.{cmd_name}")
            command: click.Command = getattr(module, f"{cmd_name}_command")()
            return command
        if cmd_name not in methods:
            return None
        from faceanon.commands.hide import method_command  # noqa: PLC0415  see _TOOLS

        with _told():
            return method_command(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named, also by another word for it.

        Raises:
            UsageError: there is none; the text says which was meant, as far as can be
                seen.
        """
        name, *rest = args
        if name == "help":
            if not rest:
                click.echo(ctx.get_help())
                ctx.exit()
            name, rest = rest[0], ["--help"]
        name = _OTHER_WORDS.get(name, name)
        if name in self.list_commands(ctx):
            return super().resolve_command(ctx, [name, *rest])
        raise click.UsageError(_what_was_meant(name, rest, self.list_commands(ctx)))

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands under headings."""
        with _told():
            methods = {name: anonymizers.summary(name) for name in _methods()}
        others = {
            name: methods.pop(name)
            for name in tuple(methods)
            if name in anonymizers.HIDES_NOBODY
        }
        for heading, summaries in (
            ("Methods", methods),
            ("Methods that hide nobody", others),
            ("Before hiding", _BEFORE),
            ("After hiding", _AFTER),
            ("In a window", _WINDOW),
        ):
            with formatter.section(heading):
                formatter.write_dl(list(summaries.items()))


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="faceanon", prog_name="faceanon")
def cli() -> None:
    """Hide the faces in pictures: faceanon METHOD INPUT OUTPUT.

    INPUT is a folder, walked with its folders and mirrored in OUTPUT, or one picture;
    "-" is standard input or output, and s3://, gs:// or az:// a bucket. WebDataset tar
    and Parquet files are taken picture by picture; 'in/{000..999}.tar' stands for a
    thousand of them. Nothing in INPUT is changed and nothing in OUTPUT is replaced
    unless you say so.
    """
    try:
        os.getcwd()  # noqa: PTH109  nothing is done with it
    except FileNotFoundError:
        raise click.ClickException(
            "the working folder does not exist any more; change into another one"
        ) from None


def main() -> None:
    """Run the command line."""
    streams.prepare()
    # Nothing here multiplies large matrices; threads for that would only take longer to
    # start. It counts when NumPy is imported, which it is not yet.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # kill and service managers end a run as gently as Ctrl-C does; so does a terminal
    # that is closed, but for `nohup`.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        try:
            cli()
        finally:
            sys.stdout.flush()
    except StorageError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
