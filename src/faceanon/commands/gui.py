"""`faceanon gui`: the same work in a window."""

import click

from faceanon.commands.running import errors_explained


def gui_command() -> click.Command:
    """`faceanon gui`."""
    return click.Command(
        "gui",
        help="""Choose, preview, correct and run in a window.

        Needs Python's Tk and a screen. With the extra 'gui' (pip install
        '.[gui]' in the checkout) it takes pictures that are dropped on it.
        """,
        callback=_gui,
    )


def _gui() -> None:
    from faceanon.gui import open_window  # noqa: PLC0415

    with errors_explained():
        open_window()
