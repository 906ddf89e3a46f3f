"""The options, as a form made from what the command line declares."""

import tkinter as tk
from collections.abc import Callable, Iterable
from itertools import groupby
from tkinter import filedialog, ttk

from faceanon.gui.choices import Choices, Field, fields
from faceanon.gui.palette import Palette
from faceanon.gui.theme import px


class OptionsForm(ttk.Frame):
    """The options of the chosen method, and those of every method.

    Args:
        parent: where it stands.
        choices: where what is filled in goes.
        palette: its colours.
        changed: is called when something has been filled in.
    """

    def __init__(
        self,
        parent: tk.Misc,
        choices: Choices,
        palette: Palette,
        changed: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._choices, self._changed = choices, changed
        self._canvas = tk.Canvas(
            self, highlightthickness=0, background=palette.ground, width=px(self, 300)
        )
        bar = ttk.Scrollbar(self, command=self._canvas.yview)
        self._canvas.configure(yscrollcommand=bar.set)
        bar.pack(side="right", fill="y")
        self._canvas.pack(side="left", fill="both", expand=True)
        self._inner = ttk.Frame(self._canvas, padding=(px(self, 4), 0, px(self, 10), 0))
        item = self._canvas.create_window(0, 0, window=self._inner, anchor="nw")
        self._canvas.bind(
            "<Configure>", lambda e: self._canvas.itemconfigure(item, width=e.width)
        )
        self._inner.bind(
            "<Configure>",
            lambda _: self._canvas.configure(scrollregion=self._canvas.bbox("all")),
        )
        self.variables: dict[str, tk.StringVar] = {}
        self._own = ttk.Frame(self._inner)
        self._own.pack(fill="x")
        self._common = ttk.Frame(self._inner)
        self._common.pack(fill="x")
        self._fill(self._common, self._fields(own=False))
        self.show_method()

    def show_method(self) -> None:
        """Show the options of the method that is chosen now."""
        for child in self._own.winfo_children():
            child.destroy()
        self._fill(self._own, self._fields(own=True))

    def recolor(self, palette: Palette) -> None:
        """Take other colours."""
        self._canvas.configure(background=palette.ground)

    def _fields(self, own: bool) -> list[Field]:
        method = self._choices.method
        return [
            field
            for field in fields(method)
            if (field.group == method.capitalize()) == own
        ]

    def _fill(self, frame: ttk.Frame, shown: Iterable[Field]) -> None:
        for group, members in groupby(shown, key=lambda field: field.group):
            ttk.Label(frame, text=group, style="Title.TLabel").pack(
                anchor="w", pady=(px(self, 14), px(self, 4))
            )
            for field in members:
                self._add(frame, field)

    def _add(self, frame: ttk.Frame, field: Field) -> None:
        variable = tk.StringVar(self, self._choices.text(field))
        variable.trace_add("write", lambda *_: self._filled_in(field))
        self.variables[field.name] = variable
        row = ttk.Frame(frame)
        row.pack(fill="x", pady=(px(self, 6), 0))
        widget = self._widget(row, field, variable)
        for event in ("<FocusIn>",):
            widget.bind(event, lambda e: self._bring_into_view(e.widget))
        for event in ("<MouseWheel>", "<Button-4>", "<Button-5>"):
            widget.bind(event, self._scroll)
        hint = f" Without: {field.hint}." if field.hint else ""
        note = ttk.Label(
            frame,
            text=field.help + hint,
            style="Muted.TLabel",
            wraplength=px(self, 280),
        )
        note.pack(anchor="w", pady=(px(self, 2), px(self, 4)))
        for event in ("<MouseWheel>", "<Button-4>", "<Button-5>"):
            for part in (note, row, *row.winfo_children()):
                part.bind(event, self._scroll)

    def _widget(
        self, row: ttk.Frame, field: Field, variable: tk.StringVar
    ) -> ttk.Widget:
        if field.kind == "switch":
            switch = ttk.Checkbutton(
                row, text=field.label, variable=variable, onvalue="yes", offvalue="no"
            )
            switch.pack(side="left")
            return switch
        ttk.Label(row, text=field.label).pack(side="left")
        if field.kind in ("file", "folder"):
            ttk.Button(
                row,
                text="…",
                style="Tool.TButton",
                command=lambda: self._browse(field, variable),
            ).pack(side="right", padx=(px(self, 4), 0))
        if field.kind == "choice":
            box = ttk.Combobox(
                row,
                textvariable=variable,
                values=field.choices,
                state="readonly",
                width=15,
            )
            box.pack(side="right")
            return box
        entry = ttk.Entry(row, textvariable=variable, width=17)
        entry.pack(side="right")
        return entry

    def _filled_in(self, field: Field) -> None:
        text = self.variables[field.name].get()
        if text == field.default:
            self._choices.options.pop(field.name, None)
        else:
            self._choices.options[field.name] = text
        self._changed()

    def _browse(self, field: Field, variable: tk.StringVar) -> None:
        if field.kind == "folder":
            chosen = filedialog.askdirectory(parent=self)
        else:
            # It may be there already, or be made by the run.
            chosen = filedialog.asksaveasfilename(parent=self, confirmoverwrite=False)
        if chosen:
            variable.set(chosen)

    def _scroll(self, event: "tk.Event[tk.Misc]") -> str:
        up = event.num == 4 or event.delta > 0
        self._canvas.yview_scroll(-2 if up else 2, "units")
        return "break"

    def _bring_into_view(self, widget: tk.Misc) -> None:
        """Scroll to what the Tab key has reached."""
        height = max(self._inner.winfo_height(), 1)
        top = (widget.winfo_rooty() - self._inner.winfo_rooty()) / height
        first, last = self._canvas.yview()
        if not first <= top <= last - 0.03:
            self._canvas.yview_moveto(max(0.0, top - 0.05))
