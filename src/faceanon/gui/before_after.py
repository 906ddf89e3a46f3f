"""The picture before and after, with a divider, and the boxes of its faces.

The half before lies in a canvas of its own over that of the half after and is cut off
by its width, so that dragging the divider moves two widgets and no pixel is computed.
"""

import tkinter as tk
from collections.abc import Callable, Sequence
from typing import Any

from faceanon.gui.face_box import FACE, draw
from faceanon.gui.face_state import FaceState
from faceanon.gui.palette import Palette
from faceanon.gui.preview_worker import Part, View
from faceanon.gui.theme import px
from faceanon.gui.viewport import Viewport
from faceanon.model import Box, Face

_LEAST_DRAG = 5
_STEP = 40


class BeforeAfter(tk.Frame):
    """The preview of one picture.

    A click on a box calls `toggle`, a drag elsewhere calls `add`; the wheel zooms, the
    right button or the arrow keys move the picture.

    Args:
        parent: where it stands.
        palette: its colours.
        wanted: is called when another part of the picture is to be shown.
        toggle: is told the face whose box was clicked.
        add: is told the box that was drawn.
    """

    def __init__(
        self,
        parent: tk.Misc,
        palette: Palette,
        wanted: Callable[[], None],
        toggle: Callable[[Face], None],
        add: Callable[[Box], None],
    ) -> None:
        super().__init__(parent, highlightthickness=px(parent, 2))
        self._palette = palette
        self._wanted, self._toggle, self._add = wanted, toggle, add
        self.viewport: Viewport | None = None
        self.faces: Sequence[FaceState] = ()
        self.is_editable = True
        self._split = 0.5
        self._current = -1
        self._start: tuple[int, int] | None = None
        self._grabbed: tuple[int, int] | None = None
        self._has_after = False
        self._message = ""
        # It takes the room that is left, and asks for none.
        self.after_side = tk.Canvas(
            self, highlightthickness=0, takefocus=True, width=1, height=1
        )
        self.after_side.pack(fill="both", expand=True)
        self.before_side = tk.Canvas(self, highlightthickness=0)
        self.divider = tk.Frame(self, cursor="sb_h_double_arrow", width=px(self, 4))
        self.grip = tk.Label(
            self,
            text="◂ ▸",
            cursor="sb_h_double_arrow",
            font="Strong",
            padx=px(self, 3),
        )
        self._photos = {
            side: tk.PhotoImage(master=self)
            for side in (self.before_side, self.after_side)
        }
        self._bind()
        self.recolor(palette)

    def _bind(self) -> None:
        for widget in (self.divider, self.grip):
            widget.bind("<B1-Motion>", lambda e: self._move_divider(e.x_root))
        for side in (self.before_side, self.after_side):
            side.bind("<Button-1>", self._press)
            side.bind("<B1-Motion>", self._draw)
            side.bind("<ButtonRelease-1>", self._release)
            for number in (2, 3):
                side.bind(f"<Button-{number}>", self._grab)
                side.bind(f"<B{number}-Motion>", self._pan)
            side.bind("<MouseWheel>", lambda e: self._wheel(e, e.delta > 0))
            side.bind("<Button-4>", lambda e: self._wheel(e, True))
            side.bind("<Button-5>", lambda e: self._wheel(e, False))
        keys: dict[str, Callable[[], Any]] = {
            "<Key-plus>": lambda: self.zoom(1.25),
            "<Key-equal>": lambda: self.zoom(1.25),
            "<Key-minus>": lambda: self.zoom(0.8),
            "<Key-0>": self.fit,
            "<Key-Left>": lambda: self._shift(_STEP, 0),
            "<Key-Right>": lambda: self._shift(-_STEP, 0),
            "<Key-Up>": lambda: self._shift(0, _STEP),
            "<Key-Down>": lambda: self._shift(0, -_STEP),
            "<Shift-Left>": lambda: self._set_split(self._split - 0.05),
            "<Shift-Right>": lambda: self._set_split(self._split + 0.05),
            "<Key-f>": self._next_face,
            "<Key-Return>": self._toggle_current,
            "<Key-a>": self._add_in_the_middle,
        }
        for key, do in keys.items():
            self.on_key(key, do)
        self.after_side.bind("<FocusIn>", lambda _: self._show_focus(True))
        self.after_side.bind("<FocusOut>", lambda _: self._show_focus(False))
        self.after_side.bind("<Configure>", lambda _: self._resized())

    def on_key(self, key: str, do: Callable[[], Any]) -> None:
        """Do something at a key, when the preview has the focus.

        Args:
            key: as Tk calls it, such as "<Key-plus>".
            do: what to do.
        """
        self.after_side.bind(key, lambda _: do())

    # --- What is shown ---------------------------------------------------------------

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Width and height of the picture that is shown; None while there is none."""
        return self.viewport.picture if self.viewport is not None else None

    def open(self, width: int, height: int) -> None:
        """Make room for a picture of this size; it is seen whole."""
        self.viewport = Viewport((width, height), self._window()).fitted()
        self._has_after = False
        self._current = -1
        self.say("")
        for photo in self._photos.values():
            photo.configure(data="")
            photo.blank()
        self._wanted()

    def show(self, view: View, part: Part) -> None:
        """Show a part of the picture, before and after."""
        if self.viewport is None:
            return
        place = self.viewport.on_screen(part.box.left, part.box.top)
        pixmaps = (view.before, view.after or view.before)
        for (side, photo), pixmap in zip(self._photos.items(), pixmaps, strict=True):
            photo.configure(data=pixmap, format="PPM")
            side.delete("picture")
            side.create_image(*place, image=photo, anchor="nw", tags="picture")
            side.tag_lower("picture")
        self._has_after = True
        self._place_divider()
        self.mark(self.faces)

    def mark(self, faces: Sequence[FaceState]) -> None:
        """Draw the boxes of faces."""
        self.faces = faces
        for side in self._photos:
            side.delete(FACE)
            if self.viewport is not None:
                for number, marked in enumerate(faces):
                    is_current = number == self._current
                    draw(marked, side, self.viewport, self._palette, is_current)

    def say(self, message: str) -> None:
        """Say something in the middle; nothing takes it away."""
        self._message = message
        self.after_side.delete("message")
        if message:
            self.viewport = None
            for side in self._photos:
                side.delete(FACE, "picture")
            self._has_after = False
            self._place_divider()
            width, height = self._window()
            self.after_side.create_text(
                *(width / 2, height / 2),
                text=message,
                width=min(width * 0.8, px(self, 420)),
                justify="center",
                fill=self._palette.muted,
                tags="message",
            )

    def recolor(self, palette: Palette) -> None:
        """Take other colours."""
        self._palette = palette
        for side in self._photos:
            side.configure(background=palette.canvas)
        self._show_focus(False)
        self.divider.configure(background=palette.accent)
        self.grip.configure(background=palette.accent, foreground=palette.on_accent)
        self.say(self._message)
        self.mark(self.faces)

    def _show_focus(self, is_focused: bool) -> None:
        color = self._palette.accent if is_focused else self._palette.line
        self.configure(highlightbackground=color, background=color)

    # --- Looking closer --------------------------------------------------------------

    def fit(self) -> None:
        """See the whole picture."""
        if self.viewport is not None:
            self._look(self.viewport.fitted())

    def zoom(self, factor: float) -> None:
        """See the middle larger or smaller."""
        if self.viewport is not None:
            width, height = self._window()
            self._look(self.viewport.zoomed(factor, width / 2, height / 2))

    def _look(self, viewport: Viewport) -> None:
        before, self.viewport = self.viewport, viewport
        if before is not None and before.scale == viewport.scale:
            for side in self._photos:
                side.move(
                    "picture", viewport.left - before.left, viewport.top - before.top
                )
        self.mark(self.faces)
        self._wanted()

    def _shift(self, dx: int, dy: int) -> None:
        if self.viewport is not None:
            self._look(self.viewport.moved(dx, dy))

    def _wheel(self, event: "tk.Event[tk.Canvas]", is_up: bool) -> None:
        if self.viewport is not None:
            factor = 1.2 if is_up else 1 / 1.2
            self._look(self.viewport.zoomed(factor, event.x, event.y))

    def _grab(self, event: "tk.Event[tk.Canvas]") -> None:
        self._grabbed = event.x, event.y

    def _pan(self, event: "tk.Event[tk.Canvas]") -> None:
        if self._grabbed is not None:
            x, y = self._grabbed
            self._grabbed = event.x, event.y
            self._shift(event.x - x, event.y - y)

    def _resized(self) -> None:
        if self.viewport is not None:
            self._look(self.viewport.resized(self._window()))
        else:
            self.say(self._message)
        self._place_divider()

    def _window(self) -> tuple[int, int]:
        return max(self.after_side.winfo_width(), 2), max(
            self.after_side.winfo_height(), 2
        )

    # --- The divider -----------------------------------------------------------------

    def _move_divider(self, x_root: int) -> None:
        self._set_split((x_root - self.winfo_rootx()) / max(self.winfo_width(), 1))

    def _set_split(self, split: float) -> None:
        self._split = min(max(split, 0.0), 1.0)
        self._place_divider()

    def _place_divider(self) -> None:
        if not self._has_after:
            for widget in (self.before_side, self.divider, self.grip):
                widget.place_forget()
            return
        width, height = self._window()
        x = round(self._split * width)
        on = self.after_side
        self.before_side.place(in_=on, x=0, y=0, width=max(x, 1), height=height)
        self.divider.place(in_=on, x=x, y=0, height=height, anchor="n")
        self.grip.place(in_=on, x=x, y=height / 2, anchor="center")
        for widget in (self.before_side, self.divider, self.grip):
            tk.Misc.lift(widget)

    # --- Correcting ------------------------------------------------------------------

    def _press(self, event: "tk.Event[tk.Canvas]") -> None:
        self.after_side.focus_set()
        self._start = event.x, event.y

    def _draw(self, event: "tk.Event[tk.Canvas]") -> None:
        for side in self._photos:
            side.delete("drawn")
            if self._start is not None and self._may_edit():
                side.create_rectangle(
                    *(*self._start, event.x, event.y),
                    outline=self._palette.accent,
                    width=px(self, 2),
                    tags="drawn",
                )

    def _release(self, event: "tk.Event[tk.Canvas]") -> None:
        start, self._start = self._start, None
        for side in self._photos:
            side.delete("drawn")
        if start is None or self.viewport is None or not self._may_edit():
            return
        if max(abs(event.x - start[0]), abs(event.y - start[1])) < _LEAST_DRAG:
            self._click(*self.viewport.in_picture(*start))
        else:
            self._add_between(start, (event.x, event.y))

    def _may_edit(self) -> bool:
        return self.is_editable and self._has_after

    def _click(self, x: float, y: float) -> None:
        under = [
            marked.face
            for marked in self.faces
            if marked.face.box.left <= x < marked.face.box.right
            and marked.face.box.top <= y < marked.face.box.bottom
        ]
        if under:
            # Of boxes over one another the smallest: the others can be reached beside.
            self._toggle(min(under, key=lambda face: face.box.width))

    def _add_between(
        self, start: tuple[float, float], end: tuple[float, float]
    ) -> None:
        assert self.viewport is not None, "there is a picture to draw on"
        (x1, y1), (x2, y2) = (self.viewport.in_picture(*p) for p in (start, end))
        width, height = self.viewport.picture
        box = Box(
            *(round(min(x1, x2)), round(min(y1, y2))),
            *(round(max(x1, x2)), round(max(y1, y2))),
        ).clipped(height, width)
        if not box.is_empty:
            self._add(box)

    def _next_face(self) -> None:
        if self.faces:
            self._current = (self._current + 1) % len(self.faces)
            self.mark(self.faces)

    def _toggle_current(self) -> None:
        if self._may_edit() and 0 <= self._current < len(self.faces):
            self._toggle(self.faces[self._current].face)

    def _add_in_the_middle(self) -> None:
        if self._may_edit() and self.viewport is not None:
            width, height = self._window()
            side = min(width, height) / 6
            middle = width / 2, height / 2
            self._add_between(
                (middle[0] - side, middle[1] - side),
                (middle[0] + side, middle[1] + side),
            )
