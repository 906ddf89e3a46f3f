"""From options as they are declared to those of Click."""

from collections.abc import Callable, Collection
from typing import Any

import click

from faceanon.errors import OptionError
from faceanon.options import Option, declared

Values = dict[str, Any]


def click_options(
    owner: type,
    *,
    prefix: str = "",
    only: Collection[str] | None = None,
    leaving_out: Collection[str] = (),
) -> list[click.Option]:
    """The Click options for those that a dataclass declares.

    Args:
        owner: the dataclass.
        prefix: put before each name in its environment variable, such as "PIXELATE_".
        only: the names to take; None for all.
        leaving_out: the names not to take.
    """
    return [
        _click_option(option, prefix)
        for option in declared(owner)
        if (only is None or option.name in only) and option.name not in leaving_out
    ]


def environment_variable(name: str) -> str:
    """The environment variable that sets an option."""
    return f"FACEANON_{name}".upper()


def _click_option(option: Option, prefix: str) -> click.Option:
    # A field cannot have the name of a word of Python: "from_".
    plain = option.name.rstrip("_")
    name = plain.replace("_", "-")
    spelling = f"--{name}/--no-{name}" if option.type is bool else f"--{name}"
    return click.Option(
        [spelling, *option.flags, option.name],
        type=_click_type(option),
        multiple=option.multiple,
        default=option.default,
        show_default=option.default_text or True,
        help=option.help,
        metavar=option.metavar,
        envvar=environment_variable(prefix + plain),
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
