"""From the values of a command to the settings of a run or of a preview."""

from dataclasses import replace

from faceanon.commands.hide import make_settings
from faceanon.commands.people import with_selection
from faceanon.commands.progress import Console
from faceanon.requests.options import Values
from faceanon.settings import Settings


def settings_of_run(method: str, values: Values) -> Settings:
    """What the command would do, the people to hide or to show among it.

    Raises:
        FaceanonError: the values do not go together, or the people cannot be used.
    """
    console = Console(quiet=True, verbose=0)
    return with_selection(make_settings(method, values), values, console)


def settings_of_look(method: str, values: Values) -> Settings:
    """The same for finding faces only; nothing is written.

    Raises:
        FaceanonError: see `settings_of_run`.
    """
    settings = settings_of_run(method, {**values, "dry_run": True})
    return replace(settings, method="detect", anonymizer=None)
