"""From the values of a form to the settings of a run or of a preview."""

from collections.abc import Mapping
from typing import Any

from faceanon.requests.people import with_people
from faceanon.requests.settings import make_settings
from faceanon.settings import Settings
from faceanon.storage.places import local_path
from faceanon.vision.recognition import gallery


def settings_of_preview(method: str, values: Mapping[str, Any]) -> Settings:
    """What the command would do, with the people to hide or to show.

    Raises:
        FaceanonError: the values do not go together, or the people cannot be used.
    """
    return with_people(make_settings(method, values), values)[0]


def settings_of_run(method: str, values: Mapping[str, Any]) -> Settings:
    """The same for a run, which also keeps the people where that is asked for.

    Raises:
        FaceanonError: see `settings_of_preview`, or they cannot be kept.
    """
    settings = settings_of_preview(method, values)
    if settings.selection is not None and values["save_people"] is not None:
        gallery.save(settings.selection.people, local_path(values["save_people"]))
    return settings
