"""The pictures of INPUT: their list, and the preview of the one at hand."""

import tkinter as tk
from collections.abc import Callable
from tkinter import messagebox, ttk

from faceanon.errors import FaceanonError
from faceanon.gui.background import Answer
from faceanon.gui.before_after import Stage
from faceanon.gui.palette import Palette
from faceanon.gui.picturelist import PictureList
from faceanon.gui.preview_model import LIST, LOOK, VIEW, Looking
from faceanon.gui.theme import px
from faceanon.pipeline.job import Status
from faceanon.storage.names import shown


class PreviewPane(ttk.Frame):
    """A list of pictures, a stage, and what belongs to it.

    Args:
        parent: where it stands.
        looking: the pictures and the one at hand.
        palette: its colours.
        left: is called when a picture is left, and there is none to show yet.
    """

    def __init__(
        self,
        parent: tk.Misc,
        looking: Looking,
        palette: Palette,
        left: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._looking, self._left = looking, left
        self.list = PictureList(self, palette, self._open)
        self.list.pack(side="left", fill="y", padx=(0, px(self, 12)))
        self.stage = Stage(
            self,
            palette,
            self._want_view,
            lambda face: self._correct(lambda: looking.toggle(face)),
            lambda box: self._correct(lambda: looking.add(box)),
        )
        self._add_tools().pack(side="bottom", fill="x", pady=(px(self, 6), 0))
        self.note = ttk.Label(
            self, style="Muted.TLabel", wraplength=px(self, 560), anchor="w"
        )
        self.note.pack(side="bottom", fill="x", pady=(px(self, 6), 0))
        self.stage.pack(fill="both", expand=True)

    def _add_tools(self) -> ttk.Frame:
        tools = ttk.Frame(self)
        self.undo_button = self._tool(tools, "Undo corrections", self.undo)
        self.undo_button.configure(state="disabled")
        for text, command in (
            ("◂  Previous", lambda: self.step(-1)),
            ("Next  ▸", lambda: self.step(1)),
        ):
            button = self._tool(tools, text, command)
            button.pack(side="left", padx=(0, px(self, 6)))
        self.undo_button.pack(side="left")
        for text, command in (
            ("+", lambda: self.stage.zoom(1.25)),
            ("Fit", self.stage.fit),
            ("\N{MINUS SIGN}", lambda: self.stage.zoom(0.8)),
        ):
            button = self._tool(tools, text, command)
            button.pack(side="right", padx=(px(self, 6), 0))
        return tools

    @staticmethod
    def _tool(parent: tk.Misc, text: str, command: Callable[[], None]) -> ttk.Button:
        return ttk.Button(parent, text=text, style="Tool.TButton", command=command)

    def recolor(self, palette: Palette) -> None:
        """Take other colours."""
        self.list.recolor(palette)
        self.stage.recolor(palette)

    def say(self, text: str) -> None:
        """Say something where the picture would be."""
        self.stage.say(text)

    def complain(self, text: str) -> None:
        """Say what is wrong, under the picture; nothing when all is well."""
        if text:
            self.note.configure(text=text, style="Bad.TLabel")
        else:
            self.note.configure(text="", style="Muted.TLabel")
            self._tell_faces()

    # --- Another picture -------------------------------------------------------------

    def step(self, by: int) -> None:
        """Show the next picture, or one before."""
        if self._looking.jobs:
            self._open((self._looking.index + by) % len(self._looking.jobs))

    def visit(self, name: str) -> None:
        """Show a picture by its name, if it is listed."""
        names = [shown(job.name) for job in self._looking.jobs]
        if name in names:
            self._open(names.index(name))

    def _open(self, index: int) -> None:
        if self._looking.jobs and index != self._looking.index:
            self._looking.open(index)
            self.list.select(index)
            self._await_picture()

    def _await_picture(self) -> None:
        self._left()
        self.stage.say("Looking for faces …")
        self.note.configure(text="", style="Muted.TLabel")

    # --- What the worker answers -----------------------------------------------------

    def take(self, answer: Answer) -> None:
        """Show what has been computed."""
        if answer.topic == LIST:
            self._show_list(answer.problem)
        elif answer.topic == LOOK:
            self._show_picture(answer.problem)
        elif answer.topic == VIEW and not answer.problem:
            part = self._looking.part
            if part is not None:
                self.stage.show(answer.result, part)
            if answer.result.problem:
                self.complain(answer.result.problem)

    def _show_list(self, problem: str) -> None:
        looking = self._looking
        self.list.show([job.name for job in looking.jobs], looking.has_more)
        if looking.jobs:
            self.list.select(looking.index)
            self._await_picture()
        else:
            self._left()
            self.stage.say(problem or "There are no pictures in this folder.")

    def _show_picture(self, problem: str) -> None:
        seen = self._looking.seen
        if problem or seen is None or seen.status is Status.FAILED:
            self._left()
            self.stage.say(problem or (seen.error if seen else ""))
        else:
            looking = self._looking
            self.stage.is_editable = not (looking.is_film or looking.chooses_people)
            self.stage.open(seen.width, seen.height)
            self.stage.mark(self._looking.marked())
        self._tell_faces()

    def _want_view(self) -> None:
        if self.stage.viewport is not None:
            self._looking.show(self.stage.viewport.part())

    # --- Correcting ------------------------------------------------------------------

    def undo(self) -> None:
        """Forget what has been corrected in the picture at hand."""
        job = self._looking.job
        if job is not None and self._looking.corrections.of(job.name):
            self._correct(self._looking.undo)

    def _correct(self, change: Callable[[], None]) -> None:
        try:
            change()
        except FaceanonError as error:
            messagebox.showerror("faceanon", str(error), parent=self)
        self.stage.mark(self._looking.marked())
        self._tell_faces()

    def _tell_faces(self) -> None:
        seen, job = self._looking.seen, self._looking.job
        record = self._looking.corrections.of(job.name) if job else None
        self.undo_button.configure(state="normal" if record else "disabled")
        if seen is None or seen.status is Status.FAILED:
            return
        if self._looking.is_film:
            text = "The first of several frames; all of them will be worked on."
        else:
            count = len(seen.faces)
            text = f"{count} face{'' if count == 1 else 's'} will be hidden"
            text += ", by who they are. " if self._looking.chooses_people else ". "
        if self.stage.is_editable:
            text += "Click a box to keep that face, drag to hide another."
        if record is not None:
            file = self._looking.corrections.file
            text += f" Corrected{f', saved in {shown(file.name)}' if file else ''}."
        self.note.configure(text=text, style="Muted.TLabel")
