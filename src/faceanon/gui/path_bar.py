"""The head of the window: INPUT and OUTPUT, typed, chosen, or dropped."""

import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from tkinter import filedialog, ttk

from faceanon.gui.choices import Choices
from faceanon.gui.theme import px
from faceanon.storage.suffixes import FILM_SUFFIXES, PICTURE_SUFFIXES


class PathBar(ttk.Frame):
    """Two fields for paths, with buttons that choose them.

    Args:
        parent: where it stands.
        choices: where the paths go.
        changed: is called when one has been changed.
    """

    def __init__(
        self, parent: tk.Misc, choices: Choices, changed: Callable[[], None]
    ) -> None:
        super().__init__(parent)
        self._choices, self._changed = choices, changed
        self.source = tk.StringVar(self, choices.source)
        self.target = tk.StringVar(self, choices.target)
        self.entries = [
            self._row(0, "Input", self.source),
            self._row(1, "Output", self.target),
        ]
        self._button(0, 2, "Folder…", self._choose_folder)
        self._button(0, 3, "One file…", self._choose_picture)
        self._button(1, 2, "Folder…", self._choose_target, columns=2)
        self.columnconfigure(1, weight=1)
        for variable in (self.source, self.target):
            variable.trace_add("write", lambda *_: self._typed())

    def _row(self, row: int, label: str, variable: tk.StringVar) -> ttk.Entry:
        gap = px(self, 3)
        ttk.Label(self, text=label, style="Strong.TLabel").grid(
            row=row, column=0, sticky="w", padx=(0, 4 * gap), pady=gap
        )
        entry = ttk.Entry(self, textvariable=variable)
        entry.grid(row=row, column=1, sticky="ew", pady=gap)
        return entry

    def _button(
        self,
        row: int,
        column: int,
        text: str,
        command: Callable[[], None],
        *,
        columns: int = 1,
    ) -> None:
        gap = px(self, 3)
        ttk.Button(self, text=text, command=command).grid(
            row=row,
            column=column,
            columnspan=columns,
            sticky="ew",
            padx=(2 * gap, 0),
            pady=gap,
        )

    def drop(self, paths: tuple[str, ...]) -> None:
        """Take the first of the paths that were dropped on the window."""
        if paths:
            self.source.set(paths[0])

    def _typed(self) -> None:
        self._choices.source = self.source.get()
        self._choices.target = self.target.get()
        self._changed()

    def _choose_folder(self) -> None:
        chosen = filedialog.askdirectory(
            parent=self, title="The folder of pictures", mustexist=True
        )
        if chosen:
            self.source.set(chosen)

    def _choose_picture(self) -> None:
        pictures, films = (
            sorted(f"*{suffix}" for suffix in suffixes)
            for suffixes in (PICTURE_SUFFIXES, FILM_SUFFIXES)
        )
        chosen = filedialog.askopenfilename(
            parent=self,
            title="One picture, or one film",
            filetypes=[
                ("Pictures and films", [*pictures, *films]),
                ("Pictures", pictures),
                ("Films", films),
            ],
        )
        if chosen:
            self.source.set(chosen)

    def _choose_target(self) -> None:
        start = self.source.get()
        chosen = filedialog.askdirectory(
            parent=self,
            title="The folder to write to",
            initialdir=str(Path(start).parent) if start else None,
        )
        if chosen:
            self.target.set(chosen)
