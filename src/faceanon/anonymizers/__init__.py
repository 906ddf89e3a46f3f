"""The methods, and the registry that finds them; may import `vision` and below.

A method of a plug-in package is found through the entry point group
`faceanon.anonymizers`, whose value names the class: `median = "my_package:Median"`.
"""

import inspect
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from faceanon.errors import OptionError

if TYPE_CHECKING:
    from faceanon.anonymizers.base import Anonymizer, PatchAnonymizer

__all__ = ["Anonymizer", "PatchAnonymizer", "get", "names", "summary"]

ENTRY_POINT_GROUP = "faceanon.anonymizers"

# Where each built-in method is defined, and the first sentence of its help, in the
# order of the help. Named, not imported: a run needs one of them, and a list none.
_BUILT_IN = {
    "blackbar": (
        "faceanon.anonymizers.blackbar:BlackBar",
        "Paint a solid rectangle over each whole face.",
    ),
    "pixelate": (
        "faceanon.anonymizers.pixelate:Pixelate",
        "Cover each face with a mosaic that is drawn anew and shows nobody.",
    ),
    "blur": (
        "faceanon.anonymizers.blur:Blur",
        "Cover each face with a soft blur that is drawn anew and shows nobody.",
    ),
    "swap": (
        "faceanon.anonymizers.swap:Swap",
        "Let the faces of each picture trade places: nobody keeps their own.",
    ),
    "emoji": (
        "faceanon.anonymizers.emoji:Emoji",
        "Put an emoji on each face, large enough to hide all of it.",
    ),
    "eyecolor": (
        "faceanon.anonymizers.eyecolor:EyeColor",
        "Give each visible iris the average colour of the face's skin.",
    ),
}

HIDES_NOBODY = frozenset(["eyecolor"])
"""Built-in methods that change something else: the help lists them apart."""

RESERVED = frozenset(["detect", "gui", "people", "preview", "review", "scan", "verify"])
"""What no method can be called: the commands that are no methods."""


@cache
def _registry() -> dict[str, str]:
    registry = {name: where for name, (where, _) in _BUILT_IN.items()}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.name in RESERVED:
            raise OptionError(
                f"the method {point.name!r} of {point.value} is called like a command "
                "of faceanon; uninstall its package, or ask its author for another "
                "name"
            )
        if registry.get(point.name, point.value) != point.value:
            raise OptionError(
                f"two installed packages define the method {point.name!r}: "
                f"{registry[point.name]} and {point.value}; uninstall one of them"
            )
        registry[point.name] = point.value
    return registry


def names() -> tuple[str, ...]:
    """The names of all methods: the built-in ones, then those of plug-ins."""
    return tuple(_registry())


def summary(name: str) -> str:
    """The first sentence of a method's help.

    Raises:
        OptionError: there is no such method, or its package cannot be loaded.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name][1]
    return (inspect.getdoc(get(name)) or "").partition("\n\n")[0]


def get(name: str) -> "type[Anonymizer]":
    """The class of a method.

    Raises:
        OptionError: there is no such method, or its package cannot be loaded.
    """
    try:
        module, _, attribute = _registry()[name].partition(":")
    except KeyError:
        raise OptionError(
            f"no method is called {name!r}; there are {', '.join(names())}"
        ) from None
    from faceanon.anonymizers.base import Anonymizer  # noqa: PLC0415  brings NumPy

    try:
        method = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise OptionError(f"the method {name!r} cannot be loaded: {error}") from error
    if not (isinstance(method, type) and issubclass(method, Anonymizer)):
        raise OptionError(f"the method {name!r} is not an Anonymizer class")
    return method


def origin(name: str) -> tuple[str, ...]:
    """The package of a plug-in's method and its version; nothing of a built-in one."""
    return tuple(
        f"{point.dist.name} {point.dist.version}"
        for point in entry_points(group=ENTRY_POINT_GROUP, name=name)
        if point.dist is not None
    )


def __getattr__(name: str) -> Any:
    # What plug-ins derive from; whoever lists names needs none of it.
    if name in ("Anonymizer", "PatchAnonymizer"):
        return getattr(import_module("faceanon.anonymizers.base"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
