"""Options declared once, as dataclass fields; command line and window read them.

A field made with `option()` carries its help and its limits. `check()` enforces the
limits wherever the value comes from: the shell, the environment, or Python. A field
made with `group()` holds a dataclass with options of its own, which count as those of
the dataclass that it is in: users see one flat list.
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, TypeVar

from faceanon.errors import OptionError


@dataclass(frozen=True, slots=True)
class Option:
    """What is declared about one option.

    Attributes:
        name: the field's name.
        type: the type of a given value (`bool`, `int`, `float` or `str`).
        multiple: whether it can be given several times; the value is a tuple of texts.
        default: the value without one given; None where that means "as it comes".
        help: a sentence for the user, without the default.
        minimum: the smallest value, included; None for no limit.
        maximum: the largest value, included; None for no limit.
        choices: the values it can have; empty for any.
        parse: checks and converts a text, raises `OptionError`; None for as it is.
        metavar: what to call the value in a help text; None for the type's name.
        default_text: what to show as the default; None for the default itself.
        flags: further spellings on the command line, such as `-j`.
    """

    name: str
    type: type
    multiple: bool
    default: Any
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    parse: Callable[[Any], Any] | None = None
    metavar: str | None = None
    default_text: str | None = None
    flags: tuple[str, ...] = ()

    def spelled(self, value: Any) -> str:
        """The option with a value, as on the command line."""
        name = self.name.rstrip("_").replace("_", "-")
        if self.type is bool:
            return f"--{name}" if value else f"--no-{name}"
        values = value if self.multiple else (value,)
        return " ".join(f"--{name} {each}" for each in values)


def option(default: Any, help: str, **declared: Any) -> Any:
    """Declare a dataclass field as an option; see `Option` for what can be declared."""
    return dataclasses.field(
        default=default, metadata={"option": {"help": help, **declared}}
    )


def group(owner: type) -> Any:
    """Declare a dataclass field that holds another dataclass with options."""
    return dataclasses.field(default_factory=owner, metadata={"group": owner})


def declared(owner: type) -> Iterator[Option]:
    """The options that a dataclass declares, in the order of its fields."""
    hints = typing.get_type_hints(owner)
    for field in dataclasses.fields(owner):
        if "group" in field.metadata:
            yield from declared(field.metadata["group"])
        elif "option" in field.metadata:
            default = None if field.default is MISSING else field.default
            yield Option(
                field.name,
                _value_type(hints[field.name]),
                typing.get_origin(hints[field.name]) is tuple,
                default,
                **field.metadata["option"],
            )


T = TypeVar("T")


def build(owner: type[T], chosen: Mapping[str, Any], **fields: Any) -> T:
    """Make a dataclass of a flat list of values.

    Args:
        owner: the dataclass.
        chosen: values of its options, by their names; what is missing has its default,
            and what it does not declare is passed over.
        **fields: its fields that are no options.

    Raises:
        OptionError: a value is outside of what was declared.
    """
    for field in dataclasses.fields(owner):  # type: ignore[arg-type]  # a dataclass
        if "group" in field.metadata:
            fields[field.name] = build(field.metadata["group"], chosen)
        elif "option" in field.metadata and field.name in chosen:
            fields[field.name] = chosen[field.name]
    return owner(**fields)


def values(instance: Any) -> dict[str, Any]:
    """The options that a dataclass declares, with the values they have."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        if "group" in field.metadata:
            found.update(values(value))
        elif "option" in field.metadata:
            found[field.name] = value
    return found


def check(instance: Any) -> None:
    """Check every option of a dataclass; call it from `__post_init__`.

    Raises:
        OptionError: a value is outside of what was declared.
    """
    chosen = values(instance)
    for declaration in declared(type(instance)):
        value = chosen[declaration.name]
        if value is not None:
            _check_value(declaration, value)


def _check_value(declaration: Option, value: Any) -> None:
    name = declaration.name
    numeric = declaration.type in (int, float)
    if numeric and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise OptionError(f"{name} must be a number, not {value!r}")
    if declaration.type is int and isinstance(value, float) and not value.is_integer():
        raise OptionError(f"{name} must be a whole number, not {value!r}")
    if declaration.multiple:
        # A text is a sequence of texts, too, but not what was meant.
        if not isinstance(value, tuple | list) or not all(
            isinstance(text, str) for text in value
        ):
            raise OptionError(f"{name} must be a sequence of texts, not {value!r}")
    elif declaration.type is str and not isinstance(value, str):
        raise OptionError(f"{name} must be a text, not {value!r}")
    # Written so that NaN, which compares false with everything, is refused.
    if declaration.minimum is not None and not value >= declaration.minimum:
        raise OptionError(
            f"{name} must be at least {declaration.minimum:g}, not {value}"
        )
    if declaration.maximum is not None and not value <= declaration.maximum:
        raise OptionError(
            f"{name} must be at most {declaration.maximum:g}, not {value}"
        )
    if declaration.choices and value not in declaration.choices:
        raise OptionError(
            f"{name} must be one of {', '.join(declaration.choices)}, not {value!r}"
        )
    if declaration.parse is not None:
        declaration.parse(value)


def _value_type(hint: Any) -> type:
    """The plain type behind a hint such as `int | None` or `Literal["a", "b"]`."""
    if isinstance(hint, type):
        return hint
    if typing.get_origin(hint) is tuple:
        return str
    if typing.get_origin(hint) is typing.Literal:
        return type(typing.get_args(hint)[0])
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        (hint,) = (arg for arg in typing.get_args(hint) if arg is not types.NoneType)
        return _value_type(hint)
    raise TypeError(f"an option cannot have the type {hint}")
