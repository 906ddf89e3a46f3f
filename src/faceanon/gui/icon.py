"""The window's icon."""

import base64
import tkinter as tk

from faceanon.resources import read_data


def icon(root: tk.Misc) -> tk.PhotoImage:
    """A grinning face of the project's stickers, with a black bar over its eyes."""
    data = base64.b64encode(read_data("emoji/grin.png"))
    picture = tk.PhotoImage(master=root, data=data).subsample(4)
    width, height = picture.width(), picture.height()
    bar = round(width * 0.04), round(height * 0.3), round(width * 0.96), height // 2
    picture.put("#111111", to=bar)
    return picture
