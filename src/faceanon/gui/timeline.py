"""A slider over the frames of a clip, under the preview."""

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from faceanon.gui.theme import px


class Timeline(ttk.Frame):
    """A slider with a button for the frame before and after; hidden for a still.

    Args:
        parent: where it stands, at the bottom.
        show: is told the number of the frame that is chosen.
    """

    def __init__(self, parent: tk.Misc, show: Callable[[int], None]) -> None:
        super().__init__(parent)
        self._show = show
        self._frames, self.frame = 1, 0
        gap = px(self, 6)
        back = ttk.Button(
            self, text="◂", style="Tool.TButton", command=lambda: self.step(-1)
        )
        back.pack(side="left")
        forward = ttk.Button(
            self, text="▸", style="Tool.TButton", command=lambda: self.step(1)
        )
        forward.pack(side="left", padx=(gap, 0))
        self.slider = ttk.Scale(self, command=lambda text: self._slid(float(text)))
        self.slider.pack(side="left", fill="x", expand=True, padx=gap)
        self.label = ttk.Label(self, style="Muted.TLabel", width=24, anchor="e")
        self.label.pack(side="right")
        for key, by in (("<Left>", -1), ("<Right>", 1)):
            self.slider.bind(key, lambda _, by=by: self._key(by))  # type: ignore[misc]

    def open(self, frames: int, frame: int) -> None:
        """Take another clip, at one of its frames.

        Args:
            frames: how many it has.
            frame: the number of the one that is shown.
        """
        self._frames, self.frame = frames, frame
        if frames > 1:
            self.slider.configure(to=frames - 1)
            self.slider.set(frame)
            self.pack(side="bottom", fill="x", pady=(px(self, 6), 0))
        else:
            self.pack_forget()
        self.tell(None)

    def tell(self, seconds: float | None) -> None:
        """Say which frame is shown.

        Args:
            seconds: when it is shown; None where that is not known yet.
        """
        text = f"Frame {self.frame + 1} of {self._frames}"
        if seconds:
            text += f", {int(seconds // 60)}:{seconds % 60:04.1f}"
        self.label.configure(text=text)

    def step(self, by: int) -> None:
        """Show the next frame, or the one before."""
        self.slider.set(min(max(self.frame + by, 0), self._frames - 1))

    def _key(self, by: int) -> str:
        self.step(by)
        return "break"

    def _slid(self, place: float) -> None:
        frame = round(place)
        if frame != self.frame:
            self.frame = frame
            self.tell(None)
            self._show(frame)
