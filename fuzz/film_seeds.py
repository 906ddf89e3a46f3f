"""Films that the fuzzers begin with: those of the tests, put together by hand."""

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from film_leaks import CLEAN_FILMS, FILM_LEAKS

_LARGEST = 4096


def films() -> Iterator[bytes]:
    """Small films of every container, with all that the tests plant in them."""
    yield from CLEAN_FILMS.values()
    yield from (data for data, _ in FILM_LEAKS.values() if len(data) <= _LARGEST)
