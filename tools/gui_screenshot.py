"""Make docs/images/gui.png and gui-dark.png: the window with the sample pictures.

Needs faceanon[gui], and Xvfb (Debian: xvfb):

    python tools/gui_screenshot.py [FOLDER]
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tkinter as tk
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageGrab

from faceanon.gui import preferences
from faceanon.gui.palette import Appearance
from faceanon.gui.window import Window
from faceanon.model import Box

ROOT = Path(__file__).parents[1]
SIZE = "1240x860"


@contextmanager
def screen() -> Iterator[str]:
    """A screen of its own, whatever the desktop is."""
    read, write = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{SIZE}x24"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            with os.fdopen(read) as pipe:
                yield f":{pipe.readline().strip()}"
        finally:
            server.terminate()


def wait_until(root: tk.Tk, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < end, "the window does not get there"
        root.update()
        time.sleep(0.01)
    for _ in range(20):
        root.update()
        time.sleep(0.02)


def photograph(folder: Path, appearance: Appearance, target: Path) -> None:
    """The window at the end of a run, with a picture that was corrected."""
    root = tk.Tk()
    window = Window(root, appearance)
    root.geometry(f"{SIZE}+0+0")
    window.path_bar.source.set(str(folder / "pictures"))
    window.path_bar.target.set(str(folder / f"safe-{appearance}"))
    wait_until(root, lambda: len(window.model.jobs) > 1)
    window.pane.visit("group.jpg")
    wait_until(root, lambda: is_shown(window))
    draw(window, Box(1280, 1880, 1470, 2110))
    window.run_bar.main.invoke()
    wait_until(root, lambda: not window.runner.is_busy and is_shown(window))
    root.focus_force()
    root.update()
    save(target)
    window.close()
    root.mainloop()


def draw(window: Window, box: Box) -> None:
    """Add a box as the mouse does."""
    preview = window.pane.before_after
    assert preview.viewport is not None, "a picture is shown"
    start = preview.viewport.on_screen(box.left, box.top)
    end = preview.viewport.on_screen(box.right, box.bottom)
    for event, (x, y) in (
        ("<Button-1>", start),
        ("<B1-Motion>", end),
        ("<ButtonRelease-1>", end),
    ):
        preview.after_side.event_generate(event, x=round(x), y=round(y))


def is_shown(window: Window) -> bool:
    return window.model.seen is not None and not window.model.is_busy


def save(target: Path) -> None:
    picture = ImageGrab.grab(xdisplay=os.environ["DISPLAY"])
    picture.quantize(200, dither=Image.Dither.NONE).save(target, optimize=True)


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    with tempfile.TemporaryDirectory() as scratch, screen() as display:
        os.environ["DISPLAY"] = display
        folder = Path(scratch, "home")
        os.environ["XDG_CONFIG_HOME"] = str(folder)
        assert preferences.file() is not None, "the extra 'gui' is not installed"
        shutil.copytree(
            ROOT / "examples",
            folder / "pictures",
            ignore=shutil.ignore_patterns("*.md"),
        )
        photograph(folder, "light", target / "gui.png")
        photograph(folder, "dark", target / "gui-dark.png")


if __name__ == "__main__":
    main()
