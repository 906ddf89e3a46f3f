"""The six methods to choose from, each shown on a face of the picture at hand."""

import tkinter as tk
from collections.abc import Callable, Sequence
from tkinter import ttk

from faceanon.gui.palette import Palette
from faceanon.gui.preview_worker import Pixmap
from faceanon.gui.theme import px


class MethodStrip(ttk.Frame):
    """A row of cards of which one is chosen, by a click or with the arrow keys.

    Args:
        parent: where it stands.
        methods: the names.
        palette: its colours.
        choose: is told the name when the user chooses one.
    """

    def __init__(
        self,
        parent: tk.Misc,
        methods: Sequence[str],
        palette: Palette,
        choose: Callable[[str], None],
    ) -> None:
        super().__init__(parent)
        self._choose = choose
        self.sample_size = px(self, 126), px(self, 92)
        self.cards: dict[str, Card] = {}
        for column, method in enumerate(methods):
            card = Card(self, method, palette, self.sample_size)
            card.grid(row=0, column=column, padx=(0 if column == 0 else px(self, 8), 0))
            for widget in (card, *card.winfo_children()):
                widget.bind("<Button-1>", lambda _, name=method: self._clicked(name))  # type: ignore[misc]
            card.bind("<space>", lambda _, name=method: self._clicked(name))  # type: ignore[misc]
            card.bind("<Return>", lambda _, name=method: self._clicked(name))  # type: ignore[misc]
            card.bind("<Left>", lambda _: self._step(-1))
            card.bind("<Right>", lambda _: self._step(1))
            self.cards[method] = card
        self.chosen = methods[0]

    def select(self, method: str) -> None:
        """Show a method as the chosen one."""
        self.chosen = method
        for name, card in self.cards.items():
            card.select(name == method)

    def recolor(self, palette: Palette) -> None:
        """Take other colours."""
        for card in self.cards.values():
            card.recolor(palette)

    def clear(self) -> None:
        """Show no picture, until there are others."""
        for card in self.cards.values():
            card.clear()

    def _clicked(self, method: str) -> None:
        self.cards[method].focus_set()
        if method != self.chosen:
            self.select(method)
            self._choose(method)

    def _step(self, by: int) -> None:
        names = list(self.cards)
        self._clicked(names[(names.index(self.chosen) + by) % len(names)])


class Card(tk.Frame):
    """A method: a picture of what it does, and its name."""

    def __init__(
        self, parent: tk.Misc, method: str, palette: Palette, size: tuple[int, int]
    ) -> None:
        super().__init__(parent, takefocus=True, highlightthickness=px(parent, 2))
        self._palette, self._is_selected = palette, False
        self._size = size
        self._photo = tk.PhotoImage(master=self, width=size[0], height=size[1])
        self._picture = tk.Label(self, image=self._photo, borderwidth=0)
        self._picture.pack()
        self._name = tk.Label(
            self, text=method.capitalize(), anchor="center", pady=px(self, 4)
        )
        self._name.pack(fill="x")
        # Over the picture, where there is none to show.
        self._note = tk.Label(self, wraplength=size[0] - px(self, 12), font="Small")
        self.bind("<FocusIn>", lambda _: self._color())
        self.bind("<FocusOut>", lambda _: self._color())
        self._color()

    def show(self, pixmap: Pixmap, problem: str) -> None:
        """Show a sample; with a problem, what is in the way instead."""
        self._photo.configure(data=pixmap, format="PPM")
        if problem:
            self._note.configure(text=problem)
            self._note.place(relx=0.5, y=self._size[1] / 2, anchor="center")
        else:
            self._note.place_forget()

    def clear(self) -> None:
        """Show no picture."""
        self._note.place_forget()
        self._photo.blank()

    def select(self, is_selected: bool) -> None:
        """Be the chosen one, or not."""
        self._is_selected = is_selected
        self._color()

    def recolor(self, palette: Palette) -> None:
        """Take other colours."""
        self._palette = palette
        self._color()

    def _color(self) -> None:
        colors = self._palette
        ground = colors.accent if self._is_selected else colors.surface
        text = colors.on_accent if self._is_selected else colors.text
        edge = colors.accent if self._is_selected else colors.line
        self.configure(
            background=ground, highlightbackground=edge, highlightcolor=colors.text
        )
        self._picture.configure(background=colors.canvas)
        self._name.configure(
            background=ground,
            foreground=text,
            font="Strong" if self._is_selected else "TkDefaultFont",
        )
        self._note.configure(background=colors.surface, foreground=colors.muted)
