"""A scan of any bytes ends, and every finding lies in the file."""

import atheris

with atheris.instrument_imports(include=["faceanon.audit.scan"]):
    from faceanon.audit.scan import scan

from film_seeds import films
from harness import fuzz
from seeds import pictures

MOST_FINDINGS = 10_002
"""The limit of a file, and a word each on the limit and the format."""


def one_input(data: bytes) -> None:
    count = 0
    for finding in scan(data):
        count += 1
        assert finding.what
        assert finding.length >= 0
        if finding.offset is not None:
            assert 0 <= finding.offset <= finding.offset + finding.length <= len(data)
    assert count <= MOST_FINDINGS


if __name__ == "__main__":
    fuzz(one_input, [*pictures(), *films()])
