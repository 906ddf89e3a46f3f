"""The command that does the same as the window, to be copied."""

import tkinter as tk
from tkinter import ttk

from faceanon.gui.palette import Palette
from faceanon.gui.theme import px


class CommandDialog(tk.Toplevel):
    """Shows a command.

    Args:
        parent: the window that it explains.
        command: the command.
        palette: its colours.
    """

    def __init__(self, parent: tk.Tk, command: str, palette: Palette) -> None:
        super().__init__(parent, background=palette.ground)
        self._command = command
        self.title("The same as a command")
        self.transient(parent)
        gap = px(self, 12)
        left, top = parent.winfo_rootx() + 8 * gap, parent.winfo_rooty() + 8 * gap
        self.geometry(f"+{left}+{top}")
        ttk.Label(self, text="This command does the same as the window:").pack(
            anchor="w", padx=gap, pady=(gap, px(self, 6))
        )
        text = tk.Text(
            self,
            height=5,
            width=72,
            wrap="char",
            background=palette.surface,
            foreground=palette.text,
            relief="flat",
            padx=px(self, 8),
            pady=px(self, 8),
            font="TkFixedFont",
        )
        text.insert("1.0", command)
        text.configure(state="disabled")
        text.pack(fill="both", expand=True, padx=gap)
        self.copy = ttk.Button(
            self, text="Copy", style="Accent.TButton", command=self._copy
        )
        self.copy.pack(side="right", padx=gap, pady=gap)
        ttk.Button(self, text="Close", command=self.destroy).pack(side="right")
        self.bind("<Escape>", lambda _: self.destroy())
        self.copy.focus_set()

    def _copy(self) -> None:
        self.clipboard_clear()
        self.clipboard_append(self._command)
        self.copy.configure(text="Copied")
