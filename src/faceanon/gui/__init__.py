"""The window, `faceanon gui`; may import `requests` and what lies below it."""

import os
import sys

from faceanon.errors import FaceanonError


def main() -> None:
    """Open the window, from where there is no terminal."""
    try:
        open_window()
    except FaceanonError as error:
        sys.exit(f"faceanon-gui: {error}")


def open_window() -> None:
    """Open the window, until it is closed.

    Raises:
        FaceanonError: Python has no Tk, or there is no screen.
    """
    try:
        import tkinter  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise FaceanonError(
            "this Python has no Tk, which the window needs; install it (Debian and "
            "Ubuntu: apt install python3-tk; Homebrew: brew install python-tk), or use "
            "the command line"
        ) from error
    from faceanon.gui import drag_and_drop, theme  # noqa: PLC0415

    theme.sharpen()
    try:
        root = drag_and_drop.make_root()
    except tkinter.TclError as error:
        display = os.environ.get("DISPLAY")
        where = f"the display {display} cannot be used" if display else "no display"
        raise FaceanonError(
            f"the window needs a screen: {where} ({error}); use the command line, or "
            "ssh -X"
        ) from error
    from faceanon.gui.window import Window  # noqa: PLC0415

    window = Window(root)
    drag_and_drop.accept_drops(root, window.path_bar.drop)
    root.mainloop()
