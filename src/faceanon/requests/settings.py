"""Values that somebody has given to the settings that they stand for."""

from collections.abc import Mapping
from typing import Any

from faceanon import anonymizers, options
from faceanon.settings import Settings


def make_settings(method: str, values: Mapping[str, Any]) -> Settings:
    """What is to be done to each picture.

    Args:
        method: the method's name.
        values: of its options and of those of `Settings`; others are passed over.

    Raises:
        OptionError: there is no such method, or a value is wrong.
    """
    anonymizer = options.build(anonymizers.get(method), values)
    return options.build(Settings, values, method=method, anonymizer=anonymizer)
