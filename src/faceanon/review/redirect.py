"""A door to the page that no list of processes tells of."""

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from faceanon.storage.private import new_private_file

_PAGE = """\
<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>faceanon review</title>
<a href="{address}">faceanon review</a>
"""


@contextmanager
def redirection(address: str) -> Iterator[str]:
    """The URL of a file that leads a browser to an address; only its owner can read it.

    Every user of a computer can see the command lines of all programs, and with them
    the address with which a browser is started.
    """
    with TemporaryDirectory(prefix="faceanon-") as folder:
        path = Path(folder) / "review.html"
        with new_private_file(path) as file:
            file.write(_PAGE.format(address=escape(address)))
        yield path.as_uri()
