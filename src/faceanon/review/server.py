"""The page's server: a Flask application on 127.0.0.1, for one user."""

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from faceanon.errors import FaceanonError
from faceanon.review.application import make_application
from faceanon.review.box_file import BoxFile
from faceanon.review.pictures import Pictures
from faceanon.storage.names import shown

_LOOPBACK = "127.0.0.1"

# Seconds between two looks at whether the server is to end.
_POLL = 0.1


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is running.

    Attributes:
        address: of the page; who knows it can see the pictures.
        note: what of the work the box file does not keep; empty when it keeps all.
    """

    address: str
    note: str
    _thread: threading.Thread

    def wait(self) -> None:
        """Wait for as long as it runs."""
        # With a timeout, as on Windows Ctrl-C does not end a wait without.
        while self._thread.is_alive():
            self._thread.join(0.5)


@contextmanager
def running(
    source: Path, boxes: Path, *, port: int, max_pixels: int
) -> Iterator[Server]:
    """Run a server in a thread of its own; afterwards everything is saved.

    Raises:
        FaceanonError: the port is taken, or there is nothing to review.
        BoxesError: the box file cannot be read.
        StorageError: the last changes could not be saved.
    """
    if not source.exists():
        raise FaceanonError(f"{shown(source)} does not exist")
    box_file = BoxFile(boxes)
    is_folder = source.is_dir()
    chosen = [
        index
        for index, record in enumerate(box_file.records)
        if is_folder or record.picture == source.name
    ]
    if not chosen:
        what = "no picture" if is_folder else f"nothing of {shown(source.name)}"
        raise FaceanonError(
            f"{shown(boxes)} holds {what}; make a box file with 'faceanon detect'"
        )
    token = secrets.token_urlsafe(24)
    pictures = Pictures(source if is_folder else source.parent, max_pixels)
    application = make_application(token, box_file, pictures, chosen)
    # What is being answered when the server ends may still change a record: the box
    # file is the last to be closed, and takes no changes from then on.
    with box_file, closing(pictures), _listening(port) as listener:
        server = make_server(
            _LOOPBACK,
            0,
            application,
            threaded=True,
            request_handler=_QuietHandler,
            fd=listener.fileno(),
        )
        thread = threading.Thread(
            target=server.serve_forever, args=(_POLL,), name="serve review"
        )
        thread.start()
        try:
            address = f"http://{_LOOPBACK}:{server.port}/{token}/"
            yield Server(address, box_file.note, thread)
        finally:
            server.shutdown()
            thread.join()


def _listening(port: int) -> socket.socket:
    """A socket of our own: Werkzeug would end the process where the port is taken."""
    try:
        return socket.create_server((_LOOPBACK, port))
    except OSError as error:
        raise FaceanonError(
            f"port {port} cannot be used: {error.strerror}; 0 takes a free one"
        ) from error


class _QuietHandler(WSGIRequestHandler):
    """Writes no line a request; the address holds the token."""

    def log(self, type: str, message: str, *args: object) -> None:
        pass
