"""The window: its parts put together, and what passes between them."""

import tkinter as tk
from dataclasses import replace
from pathlib import Path
from tkinter import messagebox, ttk
from typing import Any

from faceanon import anonymizers, options
from faceanon.errors import FaceanonError
from faceanon.gui import preferences, theme
from faceanon.gui.choices import Choices
from faceanon.gui.command import CommandDialog
from faceanon.gui.desktop import open_folder
from faceanon.gui.drag_and_drop import can_take_drops
from faceanon.gui.form import OptionsForm
from faceanon.gui.icon import icon
from faceanon.gui.method_strip import MethodStrip
from faceanon.gui.palette import PALETTES, Appearance, Palette, preferred
from faceanon.gui.path_bar import PathBar
from faceanon.gui.preview_model import PreviewModel
from faceanon.gui.preview_pane import PreviewPane
from faceanon.gui.results import Results
from faceanon.gui.run_bar import RunBar
from faceanon.gui.runner import Runner
from faceanon.gui.theme import px
from faceanon.storage.names import shown
from faceanon.storage.places import local_path

TICK = 20
"""Milliseconds between two looks at what the other threads and processes have done."""

_TYPING = 250
"""Milliseconds after the last key before what was typed is taken."""


class Window:
    """The window of faceanon.

    Args:
        root: an empty window.
        appearance: light or dark; None as it was, or as the desktop is.
    """

    def __init__(self, root: tk.Tk, appearance: Appearance | None = None) -> None:
        self.root = root
        remembered = preferences.recall()
        self.choices = _choices(remembered)
        self.appearance: Appearance = appearance or remembered.get(
            "appearance", preferred()
        )
        if self.appearance not in PALETTES:
            self.appearance = "light"
        theme.apply(root, self._palette)
        root.title("faceanon")
        root.iconphoto(True, icon(root))
        self.runner = Runner()
        self._typing: str | None = None
        self._is_closing = False
        self._build(anonymizers.names())
        self._keys()
        self.method_strip.select(self.choices.method)
        self._describe_method()
        self._take()
        self._tick()

    @property
    def _palette(self) -> Palette:
        return PALETTES[self.appearance]

    # --- Its parts -------------------------------------------------------------------

    def _build(self, methods: tuple[str, ...]) -> None:
        root, gap = self.root, px(self.root, 12)
        width = min(px(root, 1240), root.winfo_screenwidth())
        height = min(px(root, 860), root.winfo_screenheight())
        root.geometry(f"{width}x{height}")
        root.minsize(min(px(root, 980), width), min(px(root, 640), height))
        outer = ttk.Frame(root, padding=gap)
        outer.pack(fill="both", expand=True)
        outer.columnconfigure(0, weight=1)
        outer.rowconfigure(2, weight=1)
        self.path_bar = PathBar(outer, self.choices, self._typed)
        self.path_bar.grid(row=0, column=0, columnspan=2, sticky="ew")
        band = ttk.Frame(outer)
        band.grid(row=1, column=0, columnspan=2, sticky="ew", pady=gap)
        self.method_strip = MethodStrip(
            band, methods, self._palette, self._choose_method
        )
        self.method_strip.pack(side="left")
        words = ttk.Frame(band)
        words.pack(side="left", fill="both", expand=True, padx=(1.5 * gap, 0))
        self.about = ttk.Label(words)
        self.about.pack(anchor="nw")
        self.caution = ttk.Label(words, style="Bad.TLabel")
        self.caution.pack(anchor="nw", pady=(gap / 2, 0))
        words.bind("<Configure>", lambda event: self._wrap_words(event.width))
        self.model = PreviewModel(methods, self.method_strip.sample_size)
        self.pane = PreviewPane(
            outer, self.model, self._palette, self.method_strip.clear
        )
        self.pane.grid(row=2, column=0, sticky="nsew", padx=(0, gap))
        self._build_tabs(outer).grid(row=2, column=1, sticky="nsew")
        self.run_bar = RunBar(
            outer, self.runner, self._start, self._open_output, self._show_command
        )
        self.run_bar.grid(row=3, column=0, columnspan=2, sticky="ew", pady=(gap, 0))
        self.run_bar.open.configure(state="disabled")
        self.run_bar.cancel.configure(state="disabled")

    def _wrap_words(self, width: int) -> None:
        for label in (self.about, self.caution):
            label.configure(wraplength=min(width, px(self.root, 320)))

    def _build_tabs(self, parent: ttk.Frame) -> ttk.Notebook:
        self.tabs = ttk.Notebook(parent)
        self.form = OptionsForm(self.tabs, self.choices, self._palette, self._typed)
        self.failures = Results(
            self.tabs,
            True,
            "Pictures that fail are listed here, with why.",
            self.pane.visit,
        )
        self.no_faces = Results(
            self.tabs,
            False,
            "Pictures in which no face is found are listed here: look at them before "
            "you publish.",
            self.pane.visit,
        )
        self.tabs.add(self.form, text="Options")
        self.tabs.add(self.failures, text="Failures")
        self.tabs.add(self.no_faces, text="No face")
        self.tabs.enable_traversal()
        return self.tabs

    def _keys(self) -> None:
        self.root.bind("<Control-Return>", lambda _: self.run_bar.main.invoke())
        self.root.bind("<Next>", lambda _: self.pane.step(1))
        self.root.bind("<Prior>", lambda _: self.pane.step(-1))
        self.root.bind("<Control-z>", lambda _: self.pane.undo())
        self.root.bind("<Control-d>", lambda _: self.switch_appearance())
        self.root.protocol("WM_DELETE_WINDOW", self.close)

    def switch_appearance(self) -> None:
        """From light to dark, or back."""
        self.appearance = "light" if self.appearance == "dark" else "dark"
        theme.apply(self.root, self._palette)
        for part in (self.method_strip, self.pane, self.form):
            part.recolor(self._palette)

    # --- What is chosen --------------------------------------------------------------

    def _typed(self) -> None:
        if self._typing is not None:
            self.root.after_cancel(self._typing)
        self._typing = self.root.after(_TYPING, self._take)

    def _choose_method(self, method: str) -> None:
        self.choices.method = method
        self.form.show_method()
        self._describe_method()
        self._take()

    def _describe_method(self) -> None:
        method = anonymizers.get(self.choices.method)
        first, _, _ = (method.__doc__ or "").partition("\n\n")
        self.about.configure(text=" ".join(first.split()))

    def _take(self) -> None:
        """Take what is chosen: preview it, or say why it cannot be."""
        self._typing = None
        choices = self.choices
        missing = "" if choices.target.strip() else "Choose an output"
        missing = missing if choices.source.strip() else "Choose an input"
        self.run_bar.ready(missing)
        if not choices.source.strip():
            drop = ", or drop it here" if can_take_drops(self.root) else ""
            self.pane.say(
                f"Choose a folder of pictures or one picture{drop}.\n\n"
                "Nothing leaves this computer, and no original is ever changed."
            )
            return
        try:
            values = {name: choices.values(name) for name in self.method_strip.cards}
            self.model.choose(choices.method, values)
            if choices.target.strip():
                target = local_path(values[choices.method]["target"])
                self.model.belong_to(target)
            self._caution()
        except FaceanonError as error:
            self.pane.complain(str(error))
            self.run_bar.ready(missing or "An option cannot have this value")
            return
        self.pane.complain("")

    def _caution(self) -> None:
        """Say when the options of the method protect less than one may think."""
        method = anonymizers.get(self.choices.method)
        values = self.choices.values()
        cautions = options.build(method, values).cautions()
        self.caution.configure(
            text="\n".join(f"{text[:1].upper()}{text[1:]}." for text in cautions)
        )

    # --- The run ---------------------------------------------------------------------

    def _for_the_run(self) -> Choices:
        self.model.belong_to(Path(self.choices.values()["target"]))
        self.model.corrections.save()
        return replace(self.choices, boxes=self.model.corrections.file)

    def _start(self) -> None:
        try:
            choices = self._for_the_run()
            values = choices.values()
        except FaceanonError as error:
            self.pane.complain(str(error))
            return
        self.failures.clear()
        self.no_faces.clear()
        self.runner.start(choices.method, values)

    def _show_run(self) -> None:
        progress = self.runner.progress
        self.run_bar.show()
        self.failures.show(progress.failures)
        self.no_faces.show([(name, "") for name in progress.without])
        for tab, title, found in (
            (self.failures, "Failures", len(progress.failures)),
            (self.no_faces, "No face", len(progress.without)),
        ):
            text = f"{title} ({found})" if found else title
            self.tabs.tab(tab, text=text)  # type: ignore[no-untyped-call]
        if progress.done and progress.end != "refused":
            self.run_bar.open.configure(state="normal")

    def _open_output(self) -> None:
        target = Path(self.choices.values()["target"])
        folder = target if target.is_dir() else target.parent
        try:
            open_folder(folder)
        except OSError:
            messagebox.showinfo("faceanon", shown(folder), parent=self.root)

    def _show_command(self) -> None:
        try:
            command = self._for_the_run().command()
        except FaceanonError as error:
            self.pane.complain(str(error))
            return
        CommandDialog(self.root, command, self._palette)

    # --- Time ------------------------------------------------------------------------

    def _tick(self) -> None:
        answer = self.model.poll()
        if answer is not None and isinstance(answer.topic, tuple):
            if not answer.problem:
                self.method_strip.cards[answer.topic[1]].show(*answer.result)
        elif answer is not None:
            self.pane.take(answer)
        was_busy = self.runner.is_busy
        if self.runner.poll() or was_busy:
            self._show_run()
        if self._is_closing and not self.runner.is_busy:
            self._destroy()
            return
        self.root.after(TICK, self._tick)

    def close(self) -> None:
        """End; a run under way is cancelled first, if the user agrees."""
        if self.runner.state in ("running", "pausing"):
            question = "Cancel the run? What is finished stays."
            if not messagebox.askyesno("faceanon", question, parent=self.root):
                return
            self.runner.cancel()
        self._is_closing = True

    def _destroy(self) -> None:
        preferences.remember(
            {
                "method": self.choices.method,
                "source": self.choices.source,
                "target": self.choices.target,
                "options": _without_secrets(self.choices.options),
                "appearance": self.appearance,
            }
        )
        self.model.close()
        self.root.destroy()


def _choices(remembered: dict[str, Any]) -> Choices:
    """What was chosen the last time, as far as it still makes sense."""
    choices = Choices()
    if remembered.get("method") in anonymizers.names():
        choices.method = remembered["method"]
    choices.source = str(remembered.get("source", ""))
    choices.target = str(remembered.get("target", ""))
    options = remembered.get("options")
    if isinstance(options, dict):
        choices.options = {str(name): str(text) for name, text in options.items()}
    return choices


def _without_secrets(texts: dict[str, str]) -> dict[str, str]:
    # The seed can be one.
    return {name: text for name, text in texts.items() if name != "seed"}
