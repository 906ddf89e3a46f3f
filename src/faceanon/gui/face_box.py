"""Drawing the box of a face, with what is known of it."""

import tkinter as tk

from faceanon.gui.face_state import FaceState
from faceanon.gui.palette import Palette
from faceanon.gui.theme import px
from faceanon.gui.viewport import Viewport

FACE = "face"
"""The tag of all that is drawn here."""


def draw(
    marked: FaceState,
    side: tk.Canvas,
    viewport: Viewport,
    palette: Palette,
    is_current: bool,
) -> None:
    """Draw a face's box on one half of the preview.

    Args:
        marked: the face.
        side: the half.
        viewport: where the picture is.
        palette: the colours.
        is_current: whether the keys are about this face.
    """
    colors = {"hidden": palette.good, "kept": palette.muted, "unsure": palette.unsure}
    color, box = colors[marked.kind], marked.face.box
    left, top = viewport.on_screen(box.left, box.top)
    right, bottom = viewport.on_screen(box.right, box.bottom)
    side.create_rectangle(
        *(left, top, right, bottom),
        outline=color,
        width=px(side, 4 if is_current else 2),
        dash=() if marked.kind == "hidden" else (6, 4),
        tags=FACE,
    )
    gap = px(side, 3)
    # Above the box, or inside of it where the picture ends.
    text = side.create_text(
        *(max(left, 0) + gap, max(top, px(side, 18)) - px(side, 2)),
        text=marked.label,
        anchor="sw",
        font="Small",
        fill=palette.ground,
        tags=FACE,
    )
    x1, y1, x2, y2 = side.bbox(text)
    plate = side.create_rectangle(
        *(x1 - gap, y1, x2 + gap, y2), fill=color, outline=color, tags=FACE
    )
    side.tag_lower(plate, text)
