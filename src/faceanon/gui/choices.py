"""What is chosen in the window: the arguments of a `faceanon` command, and no more.

The window has no options of its own. Its form is made from the parameters of the
method's command, and what is filled in is read by that command: what it refuses is
refused here, in the same words.
"""

import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import click

from faceanon import anonymizers, options
from faceanon.errors import FaceanonError
from faceanon.requests.parameters import method_parameters, people_options
from faceanon.settings import Settings

Kind: TypeAlias = Literal["switch", "choice", "text", "file", "folder"]

# What the window itself sees to: its two paths, its box file, and what it shows.
_NOT_IN_THE_FORM = {
    *("source", "target", "boxes", "also_detect", "files_from", "null"),
    *("dry_run", "quiet", "verbose", "list"),
}

# What may be a folder is chosen as one; a file can be typed.
_FOLDERS = {"PEOPLE"}


@dataclass(frozen=True, slots=True)
class Field:
    """An option of a method's command, as something to fill in.

    Attributes:
        name: the option's name.
        label: the name as it is read.
        flag: how the command line spells it.
        off: how the command line switches it off; empty for no switch.
        group: the heading under which it stands.
        kind: how it is filled in.
        default: the text that stands for not giving it.
        hint: what happens without it, where the default is empty.
        help: a sentence for the user.
        choices: the texts to choose from.
        multiple: whether the text is several values, as a shell would part them.
        variable: the environment variable that gives it a value.
    """

    name: str
    label: str
    flag: str
    off: str
    group: str
    kind: Kind
    default: str
    hint: str
    help: str
    choices: tuple[str, ...] = ()
    multiple: bool = False
    variable: str = ""

    def arguments(self, text: str) -> list[str]:
        """The text, as arguments of the command.

        Raises:
            FaceanonError: it cannot be parted into several values.
        """
        text = text.strip()
        # Where the environment says otherwise, also the default has to be told.
        if text == self.default and not os.environ.get(self.variable):
            return []
        if self.kind == "switch":
            return [self.flag if text == "yes" else self.off]
        if not self.multiple:
            return [f"{self.flag}={text}"] if text else []
        try:
            return [f"{self.flag}={part}" for part in shlex.split(text)]
        except ValueError as error:
            raise FaceanonError(f"{self.flag}: {error}: {text}") from error


Values: TypeAlias = dict[str, Any]
"""The values of all options of a method, by their names, as its command has them."""


# Kept, as they are asked for at every key that is pressed.
@lru_cache
def _command(method: str) -> click.Command:
    return click.Command(method, params=method_parameters(method))


@lru_cache
def fields(method: str) -> tuple[Field, ...]:
    """The fields of a method's form, grouped.

    Raises:
        OptionError: there is no such method.
    """
    own = {option.name for option in options.declared(anonymizers.get(method))}
    groups = {
        **{parameter.name: "People" for parameter in people_options()},
        **{option.name: "Every picture" for option in options.declared(Settings)},
        **dict.fromkeys(own, method.capitalize()),
    }
    found = [
        _field(parameter, groups.get(parameter.name, "The run"))
        for parameter in _command(method).params
        if isinstance(parameter, click.Option)
        and parameter.name not in _NOT_IN_THE_FORM
    ]
    order = [method.capitalize(), "Every picture", "People", "The run"]
    return tuple(sorted(found, key=lambda field: order.index(field.group)))


def _field(option: click.Option, group: str) -> Field:
    name = option.name or ""
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    if option.is_flag:
        kind = "switch"
    elif isinstance(option.type, click.Choice):
        kind, choices = "choice", tuple(str(choice) for choice in option.type.choices)
    elif isinstance(option.type, click.Path):
        kind = "folder" if option.metavar in _FOLDERS else "file"
    default = _text(option.default, kind)
    if kind == "choice" and default not in choices:
        choices = (default, *choices)
    flags = [flag for flag in option.opts if flag.startswith("--")]
    return Field(
        name,
        name.replace("_", " ").strip().capitalize(),
        flags[0],
        (option.secondary_opts or [""])[0],
        group,
        kind,
        default,
        option.show_default if isinstance(option.show_default, str) else "",
        option.help or "",
        choices,
        option.multiple,
        str(option.envvar or ""),
    )


def _text(value: Any, kind: Kind) -> str:
    """A default as it stands in the form; for none, and for Click's own mark, nothing.

    >>> _text(6.0, "text"), _text(True, "switch"), _text(None, "text")
    ('6', 'yes', '')
    """
    if kind == "switch":
        return "yes" if value is True else "no"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass
class Choices:
    """What has been chosen.

    Attributes:
        method: the method's name.
        source: INPUT, as typed.
        target: OUTPUT, as typed.
        options: the texts of the form, by the options' names; those of all methods.
        boxes: the box file with the corrections; None without any.
    """

    method: str = "pixelate"
    source: str = ""
    target: str = ""
    options: dict[str, str] = field(default_factory=dict)
    boxes: Path | None = None

    def text(self, field: Field) -> str:
        """What is filled in."""
        return self.options.get(field.name, field.default)

    def arguments(self, method: str | None = None) -> list[str]:
        """The arguments of `faceanon`, the method first.

        Args:
            method: instead of the chosen one.

        Raises:
            FaceanonError: an option's text cannot be parted into several values.
        """
        method = method or self.method
        return [method, *self._paths(), *self._options(method)]

    def _paths(self) -> Iterator[str]:
        for text in (self.source, self.target):
            path = os.path.expanduser(text.strip()) or "."  # noqa: PTH111  keeps "./"
            # Neither standard input nor an option.
            yield f".{os.sep}{path}" if path.startswith("-") else path

    def _options(self, method: str) -> Iterator[str]:
        for declared in fields(method):
            yield from declared.arguments(self.text(declared))
        if self.boxes is not None:
            yield from (f"--boxes={self.boxes}", "--also-detect")

    def command(self) -> str:
        """The command that does the same, to be given to a shell.

        Raises:
            FaceanonError: an option's text cannot be parted into several values.
        """
        line = ["faceanon", *self.arguments()]
        return subprocess.list2cmdline(line) if os.name == "nt" else shlex.join(line)

    def values(self, method: str | None = None) -> Values:
        """The values that the command would collect.

        Args:
            method: instead of the chosen one.

        Raises:
            FaceanonError: the command refuses them; the text is what it would say.
        """
        name, *arguments = self.arguments(method)
        try:
            with _command(name).make_context(f"faceanon {name}", arguments) as context:
                return context.params
        except click.ClickException as error:
            raise FaceanonError(error.format_message()) from error
