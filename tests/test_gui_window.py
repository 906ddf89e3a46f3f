"""The window under Xvfb: keys and clicks in, pictures and words out."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from conftest import Run
from faceanon.model import Box
from processes import wait_until
from support import ASTRONAUT_FACE, EXAMPLES, read, with_examples, write_film
from xvfb import MISSING, Screen, hands, screen

pytest.importorskip("tkinter", reason="this Python has no Tk")
import tkinter as tk

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (Debian: xvfb xdotool)"
)

CAT = Box(60, 40, 200, 190)


class User:
    """Somebody in front of the window."""

    def __init__(self) -> None:
        self.open()

    def open(self) -> None:
        from faceanon.gui.window import Window

        self.root = tk.Tk()
        self.root.geometry("+0+0")
        self.window = Window(self.root, "light")
        self.pump(0.2)
        self.root.focus_force()

    def pump(self, seconds: float = 0) -> None:
        """Let the window work for so long, and do then all that it has to do."""
        end = time.monotonic() + seconds
        while True:
            is_last = time.monotonic() >= end
            # It is answered when the screen has told all else.
            self.root.winfo_pointerxy()
            self.root.update()
            if is_last:
                return
            time.sleep(0.005)

    def wait_for(self, holds: Callable[[], bool]) -> None:
        def holds_now() -> bool:
            self.pump()
            return holds()

        wait_until(holds_now, "what the window has to do")

    def point(self, widget: "tk.Misc", at: tuple[float, float] | None = None) -> None:
        x, y = at or (widget.winfo_width() / 2, widget.winfo_height() / 2)
        x, y = widget.winfo_rootx() + round(x), widget.winfo_rooty() + round(y)
        hands("mousemove", x, y)
        self.pump(0.05)

    def click(self, widget: "tk.Misc", at: tuple[float, float] | None = None) -> None:
        self.point(widget, at)
        hands("click", 1)
        self.pump(0.1)

    def type_into(self, entry: "tk.Entry", text: object) -> None:
        self.click(entry)
        hands("key", "ctrl+slash", "BackSpace")
        hands("type", "--delay", 3, text)
        self.wait_for(lambda: entry.get() == str(text))
        # What was typed is taken when nothing more comes.
        self.pump(0.4)

    def see(self, name: str) -> None:
        """Choose a picture in the list, and wait until it is seen."""
        names = [job.name for job in self.window.model.jobs]
        box = self.window.pane.list.list
        place = box.bbox(names.index(name))
        assert place is not None, "it is in sight"
        x, y, _, height = place
        self.click(box, (x + 5, y + height / 2))
        self.wait_for(self.is_shown)

    def is_shown(self) -> bool:
        model = self.window.model
        return model.seen is not None and not model.is_busy

    def on_picture(self, x: float, y: float) -> tuple[float, float]:
        viewport = self.window.pane.before_after.viewport
        assert viewport is not None
        return viewport.on_screen(x, y)

    def drag(self, box: Box) -> None:
        """Draw a box, starting on that side of the divider where it starts."""
        picture = self.window.pane.before_after.after_side
        self.point(picture, self.on_picture(box.left, box.top))
        hands("mousedown", 1)
        self.point(picture, self.on_picture(box.right, box.bottom))
        hands("mouseup", 1)
        self.pump(0.1)
        self.wait_for(self.is_shown)

    def choose(self, source: Path, target: Path) -> None:
        self.type_into(self.window.path_bar.entries[0], source)
        self.type_into(self.window.path_bar.entries[1], target)
        self.wait_for(self.is_shown)

    def run(self) -> None:
        self.click(self.window.run_bar.main)
        self.wait_for(lambda: self.window.runner.is_busy)

    def run_to_the_end(self) -> None:
        self.click(self.window.run_bar.main)
        self.wait_for(lambda: self.window.runner.state == "over")
        self.pump(0.2)

    @property
    def status(self) -> str:
        return str(self.window.run_bar.status.cget("text"))


@pytest.fixture(scope="module")
def display() -> Iterator[Screen]:
    with screen() as started:
        yield started


@pytest.fixture
def user(
    display: Screen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[User]:
    monkeypatch.setenv("DISPLAY", display.name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    user = User()
    try:
        yield user
    finally:
        user.window.runner.cancel()
        user.window.runner.wait()
        user.window.close()
        user.root.mainloop()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    names = ("astronaut.png", "cat.png", "grace_hopper.jpg")
    return with_examples(tmp_path / "pictures", *names)


def copies(folder: Path, count: int) -> Path:
    """A folder with so many copies of a picture that takes a while."""
    folder.mkdir()
    for number in range(count):
        shutil.copy(EXAMPLES / "group.jpg", folder / f"{number:02}.jpg")
    return folder


def test_type_the_paths_click_a_method_and_run(
    user: User, pictures: Path, tmp_path: Path
) -> None:
    (pictures / "broken.jpg").write_bytes((EXAMPLES / "group.jpg").read_bytes()[:9000])
    user.choose(pictures, tmp_path / "safe")
    user.click(user.window.method_strip.cards["blackbar"])
    user.run_to_the_end()
    after = read(tmp_path / "safe" / "astronaut.png")
    assert not after[ASTRONAUT_FACE.box.slices].any()
    assert not (tmp_path / "safe" / "broken.jpg").exists()
    assert "1 failed" in user.status
    tree = user.window.failures.tree
    (row,) = tree.get_children()
    assert tree.item(row, "text") == "broken.jpg"
    assert "damaged" in tree.item(row, "values")[0]
    (row,) = user.window.no_faces.tree.get_children()
    assert user.window.no_faces.tree.item(row, "text") == "cat.png"


def test_each_method_is_shown_on_the_face(user: User, pictures: Path) -> None:
    user.type_into(user.window.path_bar.entries[0], pictures / "astronaut.png")
    user.wait_for(user.is_shown)
    seen = {}
    for name, card in user.window.method_strip.cards.items():
        photo = str(card._picture.cget("image"))
        seen[name] = str(user.root.tk.call(photo, "data", "-format", "PPM"))
    # Swap needs two faces, and says so on its card.
    assert len({seen[name] for name in seen.keys() - {"swap"}}) == 5
    assert "two" in str(user.window.method_strip.cards["swap"]._note.cget("text"))


def test_corrections_are_used_and_what_was_not_opened_is_detected(
    user: User, pictures: Path, tmp_path: Path
) -> None:
    user.choose(pictures, tmp_path / "safe")
    user.click(user.window.method_strip.cards["blackbar"])
    user.see("cat.png")
    user.drag(CAT)
    user.see("astronaut.png")
    box = ASTRONAUT_FACE.box
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    user.click(user.window.pane.before_after.before_side, user.on_picture(*middle))
    assert "0 faces" in str(user.window.pane.note.cget("text"))
    user.run_to_the_end()
    assert user.status.startswith("Done")
    safe = tmp_path / "safe"
    inner = Box(CAT.left + 5, CAT.top + 5, CAT.right - 5, CAT.bottom - 5)
    assert not read(safe / "cat.png")[inner.slices].any()
    kept = read(safe / "astronaut.png")
    assert np.array_equal(kept, read(EXAMPLES / "astronaut.png"))
    changed = read(safe / "grace_hopper.jpg") != read(EXAMPLES / "grace_hopper.jpg")
    assert changed.mean() > 0.01
    assert (tmp_path / "safe.boxes.jsonl").exists()


def test_cancel_leaves_nothing_half_done_and_the_next_run_goes_on(
    user: User, tmp_path: Path
) -> None:
    source, safe = copies(tmp_path / "many", 24), tmp_path / "safe"
    user.choose(source, safe)
    user.run()
    user.wait_for(lambda: user.window.runner.progress.done >= 2)
    user.click(user.window.run_bar.cancel)
    user.wait_for(lambda: user.window.runner.state == "over")
    user.pump(0.1)
    assert user.status.startswith("Cancelled")
    finished = {path.name for path in safe.iterdir()} - {".faceanon.db"}
    assert 2 <= len(finished) < 24
    assert finished <= {path.name for path in source.iterdir()}
    user.run_to_the_end()
    assert user.window.runner.progress.summary.done_before >= 2
    assert len(list(safe.glob("*.jpg"))) == 24


def test_a_film_is_looked_through_by_its_slider_in_the_smallest_window(
    user: User, tmp_path: Path
) -> None:
    user.root.geometry("{}x{}".format(*user.root.minsize()))
    user.choose(write_film(tmp_path / "film.gif"), tmp_path / "safe.gif")
    timeline = user.window.pane.timeline
    assert timeline.winfo_ismapped()
    assert timeline.winfo_height() >= timeline.winfo_reqheight()
    assert "Frame 1 of 2" in str(timeline.label.cget("text"))
    first = user.window.model.face_states()
    user.click(timeline.slider, (timeline.slider.winfo_width() - 4, 8))
    user.wait_for(lambda: timeline.frame == 1)
    user.wait_for(user.is_shown)
    assert "Frame 2 of 2" in str(timeline.label.cget("text"))
    assert user.window.model.face_states() != first
    assert "in this frame" in str(user.window.pane.note.cget("text"))
    user.run_to_the_end()
    assert user.status.startswith("Done"), user.status
    assert (tmp_path / "safe.gif").exists()


def test_refuses_in_the_words_of_the_command(
    user: User, pictures: Path, faceanon: Run
) -> None:
    user.choose(pictures, pictures)
    user.run_to_the_end()
    said = faceanon("pixelate", pictures, pictures).stderr
    assert user.status
    assert user.status in said
    user.window.form.variables["grow"].set("9")
    said = faceanon("pixelate", pictures, "out", "--grow=9").stderr

    def note() -> str:
        return str(user.window.pane.note.cget("text"))

    user.wait_for(lambda: "grow" in note())
    assert note() in said


def test_the_window_does_not_freeze(
    user: User, display: Screen, tmp_path: Path
) -> None:
    source = copies(tmp_path / "many", 8)
    gaps = []
    # A busy machine can stop any process for a while; a freeze comes every time.
    for attempt in range(6):
        user.choose(source, tmp_path / f"safe{attempt}")
        gaps.append(_longest_gap_during_a_run(user, display))
        if gaps[-1] < 0.1:
            return
    pytest.fail(f"the window stood still for {gaps} seconds")


def _seconds_kept_waiting(*processes: int) -> float:
    """How long processes, their first threads, have waited for a processor (Linux)."""
    told = [Path(f"/proc/{process}/schedstat").read_text() for process in processes]
    return sum(int(text.split()[1]) for text in told) / 1e9


def _longest_gap_during_a_run(user: User, display: Screen) -> float:
    """Seconds, less those in which the window or its screen had no processor."""
    ticks: list[float] = []

    def tick() -> None:
        waited = _seconds_kept_waiting(os.getpid(), display.process)
        ticks.append(time.monotonic() - waited)
        if user.window.runner.state != "over" or len(ticks) < 10:
            user.root.after(5, tick)
        else:
            user.root.quit()

    def look_at_others() -> None:
        user.window.pane.step(1)
        user.window.pane.before_after.zoom(1.25)

    user.window.run_bar.main.invoke()
    tick()
    for milliseconds in (300, 900, 1500):
        user.root.after(milliseconds, look_at_others)
    user.root.mainloop()
    user.wait_for(user.is_shown)
    return float(np.diff(ticks).max())


def test_settings_are_remembered_but_not_the_seed(
    user: User, pictures: Path, tmp_path: Path
) -> None:
    pytest.importorskip("platformdirs", reason="the extra 'gui' is not installed")
    user.choose(pictures, tmp_path / "safe")
    user.click(user.window.method_strip.cards["emoji"])
    user.window.form.variables["grow"].set("1.7")
    user.window.form.variables["seed"].set("4711")
    user.window.close()
    user.root.mainloop()
    (file,) = (tmp_path / "config").rglob("window.json")
    assert "4711" not in file.read_text()
    user.open()
    assert user.window.choices.method == "emoji"
    assert user.window.choices.options == {"grow": "1.7"}
    assert user.window.path_bar.source.get() == str(pictures)


def test_without_a_screen_it_says_so(
    faceanon: Run, environment: dict[str, str]
) -> None:
    environment.pop("DISPLAY", None)
    done = faceanon("gui")
    assert done.returncode == 2
    assert "the window needs a screen" in done.stderr
    assert "DISPLAY" not in os.environ or "Traceback" not in done.stderr
