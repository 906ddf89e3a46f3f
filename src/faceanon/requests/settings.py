"""Values that somebody has given to the settings that they stand for."""

from collections.abc import Mapping
from typing import Any

from faceanon import anonymizers, options
from faceanon.errors import OptionError
from faceanon.settings import Settings
from faceanon.storage.names import shown
from faceanon.storage.places import local_path

# A seed of more digits than this is some other file.
_MOST_DIGITS = 4000


def make_settings(method: str, values: Mapping[str, Any]) -> Settings:
    """What is to be done to each picture.

    Args:
        method: the method's name.
        values: of its options, of those of `Settings`, and `seed_file`; others are
            passed over.

    Raises:
        OptionError: there is no such method, or a value is wrong.
    """
    anonymizer = options.build(anonymizers.get(method), values)
    if (seed_file := values.get("seed_file")) is not None:
        if values.get("seed") is not None:
            raise OptionError("--seed and --seed-file exclude each other; give one")
        values = {**values, "seed": _seed_in(seed_file)}
    return options.build(Settings, values, method=method, anonymizer=anonymizer)


def _seed_in(path: str) -> int:
    """The seed that a file holds.

    Raises:
        OptionError: it cannot be read, or holds no number and nothing else.
    """
    try:
        with local_path(path).open(encoding="ascii") as file:
            text = file.read(_MOST_DIGITS).strip()
    except OSError as error:
        raise OptionError(
            f"the seed file {shown(path)} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError:
        text = ""
    if not (text.isdecimal() and len(text) < _MOST_DIGITS):
        # What it holds may be a secret: it is not shown.
        raise OptionError(
            f"the seed file {shown(path)} must hold one whole number, of 20 digits or "
            "more, and nothing else"
        )
    return int(text)
