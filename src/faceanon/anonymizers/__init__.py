"""The methods, and the registry that finds them by name.

A method of a plug-in package is found through the entry point group
`faceanon.anonymizers`, whose value names the class: `median = "my_package:Median"`.
"""

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from faceanon.anonymizers.base import Anonymizer, PatchAnonymizer
from faceanon.errors import OptionError

__all__ = ["Anonymizer", "PatchAnonymizer", "get", "names"]

ENTRY_POINT_GROUP = "faceanon.anonymizers"

# Where each built-in method is defined, in the order of the help. Named, not imported:
# a run needs one of them, and `--version` none.
_BUILT_IN = {
    "blackbar": "faceanon.anonymizers.blackbar:BlackBar",
    "pixelate": "faceanon.anonymizers.pixelate:Pixelate",
    "blur": "faceanon.anonymizers.blur:Blur",
    "swap": "faceanon.anonymizers.swap:Swap",
    "emoji": "faceanon.anonymizers.emoji:Emoji",
    "eyecolor": "faceanon.anonymizers.eyecolor:EyeColor",
}


@cache
def _registry() -> dict[str, str]:
    registry = dict(_BUILT_IN)
    for point in entry_points(group=ENTRY_POINT_GROUP):
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


def get(name: str) -> type[Anonymizer]:
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
    try:
        method = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise OptionError(f"the method {name!r} cannot be loaded: {error}") from error
    if not (isinstance(method, type) and issubclass(method, Anonymizer)):
        raise OptionError(f"the method {name!r} is not an Anonymizer class")
    return method
