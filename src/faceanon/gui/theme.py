"""How the window looks: two palettes, one set of ttk styles, sizes for any screen."""

import os
import subprocess
import sys
import tkinter as tk
from dataclasses import dataclass
from tkinter import font, ttk
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
        stage: behind the picture.
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
    stage: str


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
        stage="#e4e7ec",
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
        stage="#101216",
    ),
}


def sharpen() -> None:
    """Tell Windows that this window knows its screen, before there is one."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415  only there

        ctypes.windll.shcore.SetProcessDpiAwareness(1)


def px(widget: tk.Misc, number: float) -> int:
    """A length in pixels: `number` on a screen of 96 dots an inch, more on others."""
    return max(1, round(number * widget.winfo_fpixels("1i") / 96))


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


def apply(root: tk.Tk, palette: Palette) -> None:
    """Style everything in a window; may be called again with another palette."""
    style = ttk.Style(root)
    style.theme_use("clam")
    _make_fonts(root)
    root.configure(background=palette.ground)
    _base(root, style, palette)
    _buttons(root, style, palette)
    _fields(root, style, palette)
    _lists(root, style, palette)


def _make_fonts(root: tk.Tk) -> None:
    usual = font.nametofont("TkDefaultFont", root)
    family = usual.actual("family")
    size = abs(int(usual.actual("size")))
    for name, points, weight in (
        ("Small", size - 1, "normal"),
        ("Strong", size, "bold"),
        ("Title", size + 3, "bold"),
    ):
        # Not by tkinter's class, which deletes a font when Python forgets it.
        verb = "configure" if name in font.names(root) else "create"
        settings = ("-family", family, "-size", points, "-weight", weight)
        root.tk.call("font", verb, name, *settings)


def _base(root: tk.Tk, style: ttk.Style, palette: Palette) -> None:
    style.configure(
        ".",
        background=palette.ground,
        foreground=palette.text,
        bordercolor=palette.line,
        lightcolor=palette.line,
        darkcolor=palette.line,
        troughcolor=palette.hover,
        focuscolor=palette.accent,
        insertcolor=palette.text,
        selectbackground=palette.accent,
        selectforeground=palette.on_accent,
    )
    for name, color, named in (
        ("Muted.TLabel", palette.muted, "Small"),
        ("Bad.TLabel", palette.bad, "TkDefaultFont"),
        ("Good.TLabel", palette.good, "Strong"),
        ("Strong.TLabel", palette.text, "Strong"),
        ("Title.TLabel", palette.text, "Title"),
    ):
        style.configure(name, foreground=color, font=named)
    thick = px(root, 8)
    style.configure(
        "Horizontal.TProgressbar",
        background=palette.accent,
        lightcolor=palette.accent,
        darkcolor=palette.accent,
        bordercolor=palette.hover,
        thickness=thick,
    )


def _buttons(root: tk.Tk, style: ttk.Style, palette: Palette) -> None:
    padding = px(root, 10), px(root, 5)
    style.configure(
        "TButton",
        background=palette.surface,
        lightcolor=palette.surface,
        darkcolor=palette.surface,
        padding=padding,
        width=0,
        anchor="center",
    )
    style.map(
        "TButton",
        background=[("disabled", palette.ground), ("active", palette.hover)],
        lightcolor=[("disabled", palette.ground), ("active", palette.hover)],
        darkcolor=[("disabled", palette.ground), ("active", palette.hover)],
        bordercolor=[("focus", palette.accent)],
        foreground=[("disabled", palette.muted)],
    )
    style.configure("Tool.TButton", padding=(px(root, 7), px(root, 3)))
    style.configure(
        "Accent.TButton",
        background=palette.accent,
        foreground=palette.on_accent,
        bordercolor=palette.accent,
        lightcolor=palette.accent,
        darkcolor=palette.accent,
        font="Strong",
        padding=(px(root, 18), px(root, 7)),
    )
    quiet = [("disabled", palette.hover)]
    style.map(
        "Accent.TButton",
        background=[*quiet, ("active", palette.accent)],
        lightcolor=quiet,
        darkcolor=quiet,
        bordercolor=[*quiet, ("focus", palette.text)],
        foreground=[("disabled", palette.muted)],
    )
    style.configure(
        "TCheckbutton",
        indicatorbackground=palette.surface,
        indicatorforeground=palette.on_accent,
        upperbordercolor=palette.muted,
        lowerbordercolor=palette.muted,
        indicatorsize=px(root, 13),
    )
    style.map(
        "TCheckbutton",
        background=[("active", palette.ground)],
        indicatorbackground=[("selected", palette.accent)],
    )


def _fields(root: tk.Tk, style: ttk.Style, palette: Palette) -> None:
    for name in ("TEntry", "TCombobox"):
        style.configure(
            name,
            fieldbackground=palette.surface,
            background=palette.surface,
            foreground=palette.text,
            arrowcolor=palette.muted,
            arrowsize=px(root, 12),
            lightcolor=palette.surface,
            darkcolor=palette.surface,
            padding=px(root, 4),
        )
        style.map(
            name,
            fieldbackground=[("readonly", palette.surface)],
            foreground=[("readonly", palette.text)],
            bordercolor=[("focus", palette.accent)],
            lightcolor=[("focus", palette.accent)],
            selectbackground=[("readonly", palette.surface)],
            selectforeground=[("readonly", palette.text)],
        )
    # The list that a combobox opens is no ttk widget.
    for name, color in (
        ("background", palette.surface),
        ("foreground", palette.text),
        ("selectBackground", palette.accent),
        ("selectForeground", palette.on_accent),
    ):
        root.option_add(f"*TCombobox*Listbox.{name}", color)


def _lists(root: tk.Tk, style: ttk.Style, palette: Palette) -> None:
    linespace = font.nametofont("TkDefaultFont", root).metrics("linespace")
    style.configure(
        "Treeview",
        background=palette.surface,
        fieldbackground=palette.surface,
        foreground=palette.text,
        rowheight=linespace + px(root, 8),
        borderwidth=0,
    )
    style.map(
        "Treeview",
        background=[("selected", palette.accent)],
        foreground=[("selected", palette.on_accent)],
    )
    style.configure(
        "Treeview.Heading",
        background=palette.ground,
        foreground=palette.muted,
        lightcolor=palette.ground,
        darkcolor=palette.ground,
        font="Small",
        padding=px(root, 4),
    )
    style.map("Treeview.Heading", background=[("active", palette.hover)])
    style.configure("TNotebook", borderwidth=0, tabmargins=0)
    padding = px(root, 12), px(root, 6)
    style.configure(
        "TNotebook.Tab",
        background=palette.ground,
        foreground=palette.muted,
        lightcolor=palette.ground,
        padding=padding,
    )
    style.map(
        "TNotebook.Tab",
        background=[("selected", palette.surface)],
        lightcolor=[("selected", palette.surface)],
        foreground=[("selected", palette.text)],
        expand=[("selected", 0)],
        padding=[("selected", padding)],
    )
    style.configure(
        "TScrollbar",
        background=palette.line,
        lightcolor=palette.line,
        darkcolor=palette.line,
        troughcolor=palette.ground,
        bordercolor=palette.ground,
        arrowcolor=palette.muted,
        gripcount=0,
        width=px(root, 11),
        arrowsize=px(root, 11),
    )
    style.map("TScrollbar", background=[("disabled", palette.ground)])
