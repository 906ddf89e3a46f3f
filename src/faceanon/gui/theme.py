"""How the window looks: one set of ttk styles, sizes for any screen."""

import sys
import tkinter as tk
from tkinter import font, ttk

from faceanon.gui.palette import Palette


def sharpen() -> None:
    """Tell Windows that this window knows its screen, before there is one."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415  only there

        ctypes.windll.shcore.SetProcessDpiAwareness(1)


def px(widget: tk.Misc, number: float) -> int:
    """A length in pixels: `number` on a screen of 96 dots an inch, more on others."""
    return max(1, round(number * widget.winfo_fpixels("1i") / 96))


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
