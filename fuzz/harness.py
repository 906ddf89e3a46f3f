"""What the targets share: seeds, and the way into libFuzzer."""

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris


def fuzz(one_input: Callable[[bytes], None], seeds: Iterable[bytes]) -> None:
    """Fuzz with the options and inputs that the command line names.

    Args:
        one_input: raises when something is wrong.
        seeds: what to begin with when the command line names no input.
    """
    with tempfile.TemporaryDirectory() as folder:
        arguments = sys.argv
        if all(argument.startswith("-") for argument in sys.argv[1:]):
            for number, seed in enumerate(seeds):
                (Path(folder) / str(number)).write_bytes(seed)
            arguments = [*sys.argv, folder]
        atheris.Setup(arguments, one_input)
        atheris.Fuzz()
