"""The pictures that failed and why, and those in which no face was found."""

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from faceanon.gui.theme import px


class Results(ttk.Frame):
    """What to look at after a run; a double click shows the picture.

    Args:
        parent: where it stands.
        reason: whether there is a reason to each picture.
        empty: what is said when there is none.
        visit: is told the name of a picture that is to be shown.
    """

    def __init__(
        self, parent: tk.Misc, reason: bool, empty: str, visit: Callable[[str], None]
    ) -> None:
        super().__init__(parent)
        columns = ("reason",) if reason else ()
        self.tree = ttk.Treeview(
            self, columns=columns, show="tree headings" if reason else "tree"
        )
        self.tree.heading("#0", text="Picture", anchor="w")
        self.tree.column("#0", width=px(self, 110), stretch=not reason)
        if reason:
            self.tree.heading("reason", text="Why", anchor="w")
            self.tree.column("reason", width=px(self, 190))
        bar = ttk.Scrollbar(self, command=self.tree.yview)
        self.tree.configure(yscrollcommand=bar.set)
        # The whole reason, which the narrow column cuts off.
        self.whole = ttk.Label(
            self, style="Muted.TLabel", wraplength=px(self, 290), text=empty
        )
        self.whole.pack(side="bottom", fill="x", padx=px(self, 8), pady=px(self, 8))
        bar.pack(side="right", fill="y")
        self.tree.pack(side="left", fill="both", expand=True)
        self._empty, self._shown = empty, 0
        self.tree.bind("<<TreeviewSelect>>", lambda _: self._explain())
        for event in ("<Double-Button-1>", "<Return>"):
            self.tree.bind(event, lambda _: self._visit(visit))

    def clear(self) -> None:
        """Forget them all, as a new run starts."""
        self.tree.delete(*self.tree.get_children())
        self._shown = 0
        self.whole.configure(text=self._empty)

    def show(self, rows: list[tuple[str, str]]) -> None:
        """Add those that are new, of a list that only grows."""
        known = self._shown
        # A few at a time, so that the window goes on; the rest at the next tick.
        for name, reason in rows[known : known + 50]:
            self.tree.insert("", "end", text=name, values=(reason,) if reason else ())
            self._shown += 1
        if rows and not known:
            self.whole.configure(text="Enter or a double click shows the picture.")

    def _explain(self) -> None:
        for item in self.tree.selection():
            values = self.tree.item(item, "values")
            name = self.tree.item(item, "text")
            self.whole.configure(text=f"{name}: {values[0]}" if values else name)

    def _visit(self, visit: Callable[[str], None]) -> None:
        for item in self.tree.selection():
            visit(str(self.tree.item(item, "text")))
