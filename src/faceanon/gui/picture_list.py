"""The list of pictures beside the preview."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk

from faceanon.gui.palette import Palette
from faceanon.gui.theme import px
from faceanon.storage.names import shown


class PictureList(ttk.Frame):
    """The names of the pictures, one of them chosen.

    Args:
        parent: where it stands.
        palette: its colours.
        choose: is told the index of the picture that the user chooses.
    """

    def __init__(
        self, parent: tk.Misc, palette: Palette, choose: Callable[[int], None]
    ) -> None:
        super().__init__(parent)
        self.list = tk.Listbox(
            self,
            activestyle="none",
            borderwidth=0,
            exportselection=False,
            highlightthickness=px(self, 1),
            width=22,
        )
        bar = ttk.Scrollbar(self, command=self.list.yview)
        self.list.configure(yscrollcommand=bar.set)
        self.count = ttk.Label(self, style="Muted.TLabel")
        self.count.pack(side="bottom", anchor="w", pady=(px(self, 4), 0))
        bar.pack(side="right", fill="y")
        self.list.pack(side="left", fill="both", expand=True)
        self.list.bind("<<ListboxSelect>>", lambda _: self._selected(choose))
        self.recolor(palette)

    def show(self, names: Sequence[str], has_more: bool) -> None:
        """Show these names."""
        self.list.delete(0, "end")
        self.list.insert("end", *(f" {shown(name)}" for name in names))
        more = " first" if has_more else ""
        self.count.configure(
            text=f"{len(names):,}{more} picture{'' if len(names) == 1 else 's'}"
        )

    def select(self, index: int) -> None:
        """Show a name as the chosen one."""
        self.list.selection_clear(0, "end")
        self.list.selection_set(index)
        self.list.activate(index)
        self.list.see(index)

    def recolor(self, palette: Palette) -> None:
        """Take other colours."""
        self.list.configure(
            background=palette.surface,
            foreground=palette.text,
            selectbackground=palette.accent,
            selectforeground=palette.on_accent,
            highlightbackground=palette.line,
            highlightcolor=palette.accent,
        )

    def _selected(self, choose: Callable[[int], None]) -> None:
        for index in self.list.curselection():  # type: ignore[no-untyped-call]
            choose(int(index))
