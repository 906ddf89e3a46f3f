"""The colours of the window, light and dark."""

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Literal, TypeAlias

Appearance: TypeAlias = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of the window, each at least 4.5 to 1 against what it stands on.

    Attributes:
        ground: behind everything.
        surface: of fields and lists.
        line: around them.
        text: for reading.
        muted: for what is said on the side.
        accent: of what is chosen, and of the main button.
        on_accent: text on it.
        hover: of a button under the pointer.
        bad: failures.
        good: faces that will be hidden, and success.
        unsure: what may be a face.
        canvas: behind the picture.
    """

    ground: str
    surface: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    hover: str
    bad: str
    good: str
    unsure: str
    canvas: str


PALETTES: dict[Appearance, Palette] = {
    "light": Palette(
        ground="#f4f5f7",
        surface="#ffffff",
        line="#cfd4dc",
        text="#1a1e26",
        muted="#596273",
        accent="#1f57c3",
        on_accent="#ffffff",
        hover="#e6e9ee",
        bad="#b3261e",
        good="#12784a",
        unsure="#9a5b00",
        canvas="#e4e7ec",
    ),
    "dark": Palette(
        ground="#181b20",
        surface="#22262d",
        line="#3b414c",
        text="#e9ebef",
        muted="#a3abb9",
        accent="#7aa7ff",
        on_accent="#0c1526",
        hover="#2d323b",
        bad="#ff8a7e",
        good="#5ddb9c",
        unsure="#ffbe5c",
        canvas="#101216",
    ),
}


def preferred() -> Appearance:
    """What the desktop is set to; light where it does not tell."""
    if sys.platform == "darwin":
        asked = ["defaults", "read", "-g", "AppleInterfaceStyle"]
    elif sys.platform == "win32":
        asked = [
            *("reg", "query", "/v", "AppsUseLightTheme"),
            r"HKCU\Software\Microsoft\Windows\CurrentVersion\Themes\Personalize",
        ]
    else:
        asked = ["gsettings", "get", "org.gnome.desktop.interface", "color-scheme"]
    try:
        told = subprocess.run(
            asked, capture_output=True, text=True, timeout=1, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return "light"
    dark = "0x0" if os.name == "nt" else "dark"
    return "dark" if dark in told.lower() else "light"
