"""A page in the browser to correct a box file; may import `requests` and below.

Flask is an optional dependency, so that nothing here is imported before it is needed.
"""

import webbrowser
from collections.abc import Callable
from pathlib import Path

from faceanon.errors import FaceanonError


def serve(
    source: Path,
    boxes: Path,
    *,
    port: int = 0,
    open_browser: bool = True,
    max_pixels: int = 200_000_000,
    say: Callable[[str], None],
) -> None:
    """Serve the page until Ctrl-C; every change goes to the box file as it is made.

    Args:
        source: the folder, or the picture, that the box file speaks of.
        boxes: the box file, JSON Lines or COCO; it is saved in the form it had.
        port: the port on 127.0.0.1; 0 for a free one.
        open_browser: whether to open the page in the user's browser.
        max_pixels: refuse larger pictures.
        say: is told what the user should know, a line at a time; the page's address is
            the first.

    Raises:
        FaceanonError: Flask is missing, the port is taken, or there is nothing to
            review.
        BoxesError: the box file cannot be read.
        StorageError: the last changes could not be saved.
    """
    try:
        from faceanon.review.redirect import redirection  # noqa: PLC0415
        from faceanon.review.server import running  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise FaceanonError(
            f"review needs {error.name}, which is not installed; "
            "run: pip install '.[review]' in the checkout"
        ) from error
    with (
        running(source, boxes, port=port, max_pixels=max_pixels) as server,
        redirection(server.address) as door,
    ):
        say(server.address)
        if server.note:
            say(f"note: {server.note}")
        say("Ctrl-C ends the review; changes are saved as they are made.")
        if open_browser:
            webbrowser.open(door)
        try:
            server.wait()
        except KeyboardInterrupt:
            say("the review has ended")
