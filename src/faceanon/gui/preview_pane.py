"""The pictures of INPUT: their list, and the preview of the one at hand."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import messagebox, ttk

from faceanon.errors import FaceanonError
from faceanon.gui.background import Answer
from faceanon.gui.before_after import BeforeAfter
from faceanon.gui.palette import Palette
from faceanon.gui.picture_list import PictureList
from faceanon.gui.preview_model import LIST, SEARCH, VIEW, PreviewModel
from faceanon.gui.theme import px
from faceanon.gui.timeline import Timeline
from faceanon.model import Face
from faceanon.pipeline.job import Status
from faceanon.storage.names import shown


class PreviewPane(ttk.Frame):
    """A list of pictures, the one at hand before and after, and what belongs to it.

    Args:
        parent: where it stands.
        model: the pictures and the one at hand.
        palette: its colours.
        left: is called when a picture is left, and there is none to show yet.
    """

    def __init__(
        self,
        parent: tk.Misc,
        model: PreviewModel,
        palette: Palette,
        left: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._model, self._left = model, left
        self.list = PictureList(self, palette, self._open)
        self.list.pack(side="left", fill="y", padx=(0, px(self, 12)))
        self.before_after = BeforeAfter(
            self,
            palette,
            self._want_view,
            lambda face: self._correct(lambda: model.toggle(face)),
            lambda box: self._correct(lambda: model.add(box)),
        )
        self._add_tools().pack(side="bottom", fill="x", pady=(px(self, 6), 0))
        self.timeline = Timeline(self, self.show_frame)
        self.note = ttk.Label(self, style="Muted.TLabel", anchor="w")
        self.note.bind(
            "<Configure>", lambda event: self.note.configure(wraplength=event.width)
        )
        self.note.pack(side="bottom", fill="x", pady=(px(self, 6), 0))
        self.before_after.pack(fill="both", expand=True)
        for key, by in (("<Key-comma>", -1), ("<Key-period>", 1)):
            self.before_after.on_key(key, lambda by=by: self.timeline.step(by))  # type: ignore[misc]

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
            ("+", lambda: self.before_after.zoom(1.25)),
            ("Fit", self.before_after.fit),
            ("\N{MINUS SIGN}", lambda: self.before_after.zoom(0.8)),
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
        self.before_after.recolor(palette)

    def say(self, text: str) -> None:
        """Say something where the picture would be."""
        self.before_after.say(text)

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
        if self._model.jobs:
            self._open((self._model.index + by) % len(self._model.jobs))

    def visit(self, name: str) -> None:
        """Show a picture by its name, if it is listed."""
        names = [shown(job.name) for job in self._model.jobs]
        if name in names:
            self._open(names.index(name))

    def _open(self, index: int) -> None:
        if self._model.jobs and index != self._model.index:
            self._model.open(index)
            self.list.select(index)
            self._await_picture()

    def _await_picture(self) -> None:
        self._left()
        self.timeline.open(1, 0)
        self.before_after.say("Looking for faces …")
        self.note.configure(text="", style="Muted.TLabel")

    def show_frame(self, number: int) -> None:
        """Show another frame of the clip."""
        self._model.show_frame(number)
        self.before_after.mark(self._model.face_states())
        self._tell_faces()

    # --- What the worker answers -----------------------------------------------------

    def take(self, answer: Answer) -> None:
        """Show what has been computed."""
        if answer.topic == LIST:
            self._show_list(answer.problem)
        elif answer.topic == SEARCH:
            self._show_picture(answer.problem)
        elif answer.topic == VIEW and not answer.problem:
            part = self._model.part
            if part is not None:
                self.before_after.show(answer.result, part)
            self.timeline.tell(answer.result.seconds)
            if answer.result.problem:
                self.complain(answer.result.problem)

    def _show_list(self, problem: str) -> None:
        model = self._model
        self.list.show([job.name for job in model.jobs], model.has_more)
        if model.jobs:
            self.list.select(model.index)
            self._await_picture()
        else:
            self._left()
            self.before_after.say(problem or "There are no pictures in this folder.")

    def _show_picture(self, problem: str) -> None:
        seen = self._model.seen
        if problem or seen is None or seen.status is Status.FAILED:
            self._left()
            self.before_after.say(problem or (seen.error if seen else ""))
        else:
            model = self._model
            self.before_after.is_editable = not model.chooses_people
            if self.before_after.picture_size != (seen.width, seen.height):
                self.before_after.open(seen.width, seen.height)
            self.timeline.open(model.frames, model.frame)
            self.before_after.mark(self._model.face_states())
        self._tell_faces()

    def _want_view(self) -> None:
        if self.before_after.viewport is not None:
            self._model.show(self.before_after.viewport.part())

    # --- Correcting ------------------------------------------------------------------

    def undo(self) -> None:
        """Forget what has been corrected in the picture at hand."""
        job = self._model.job
        if job is not None and self._model.corrections.of(job.name):
            self._correct(self._model.undo)

    def _correct(self, change: Callable[[], None]) -> None:
        try:
            change()
        except FaceanonError as error:
            messagebox.showerror("faceanon", str(error), parent=self)
        self.before_after.mark(self._model.face_states())
        self._tell_faces()

    def _tell_faces(self) -> None:
        seen, job = self._model.seen, self._model.job
        record = self._model.corrections.of(job.name) if job else None
        self.undo_button.configure(state="normal" if record else "disabled")
        if seen is None or seen.status is Status.FAILED:
            return
        here = sum(face.kind == "hidden" for face in self._model.face_states())
        text = f"{here} face{'' if here == 1 else 's'} will be hidden"
        if self._model.is_long:
            text += " in this frame"
        elif self._model.is_clip:
            text += f" in this frame, {_count(seen.faces)} in all frames"
        text += ", by who they are. " if self._model.chooses_people else ". "
        if self._model.is_long:
            text += (
                "It is long: here, faces are looked for in the frame that is shown; "
                "the run follows them through all frames. "
            )
        if self.before_after.is_editable:
            text += "Click a box to keep that face, drag to hide another."
        if record is not None:
            file = self._model.corrections.file
            text += f" Corrected{f', saved in {shown(file.name)}' if file else ''}."
        self.note.configure(text=text, style="Muted.TLabel")


def _count(faces: Sequence[Face]) -> int:
    """How many faces there are; one that was followed over a film is one."""
    alone = sum(face.track is None for face in faces)
    return alone + len({face.track for face in faces if face.track is not None})
