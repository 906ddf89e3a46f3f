"""Dropping pictures on the window, where tkinterdnd2 (the extra 'gui') is installed."""

import tkinter as tk
from collections.abc import Callable
from importlib import import_module
from typing import Any


def make_root() -> tk.Tk:
    """An empty window, on which things can be dropped where that is possible.

    Raises:
        tk.TclError: there is no screen.
    """
    # Without a screen, this tells so better than the extension does.
    tk.Tk().destroy()
    try:
        root: tk.Tk = import_module("tkinterdnd2").TkinterDnD.Tk()
    except (ImportError, RuntimeError, tk.TclError):
        # It has no build for every system.
        return tk.Tk()
    return root


def accept_drops(root: tk.Tk, take: Callable[[tuple[str, ...]], None]) -> None:
    """Tell `take` the paths of what is dropped on a window."""
    target: Any = root
    if can_take_drops(root):
        target.drop_target_register("DND_Files")
        target.dnd_bind("<<Drop>>", lambda event: take(root.tk.splitlist(event.data)))


def can_take_drops(root: tk.Tk) -> bool:
    """Whether things can be dropped on a window."""
    return hasattr(root, "drop_target_register")
