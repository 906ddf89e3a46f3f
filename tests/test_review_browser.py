"""The page in a browser: what a person does, and what it does to the box file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faceanon import boxes
from faceanon.boxes import FaceTable, Record
from faceanon.model import Box, Face
from support import ASTRONAUT_FACE, EXAMPLES, digest, write_film

pytest.importorskip("flask", reason="Flask is not installed: faceanon[review]")
pytest.importorskip("selenium", reason="selenium is not installed: faceanon[test]")

from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.remote.webelement import WebElement

from browser import CHROMIUM, DRIVER, chromium
from faceanon.review.redirect import redirection
from faceanon.review.server import running
from processes import wait_until

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="Chromium or its driver is not installed (chromium, chromium-driver)",
)

CAT = Face(Box(60, 40, 200, 190), 0.31, found_by="whole")


class Page:
    """The page as a person sees and uses it."""

    def __init__(self, browser: Chrome) -> None:
        self.browser = browser

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element("css selector", selector)

    def wait_for(self, selector: str, text: str | None) -> None:
        read = "return document.querySelector(arguments[0])?.textContent.trim()"
        wait_until(
            lambda: self.browser.execute_script(read, selector) == text,
            f"{text!r} in {selector}",
        )

    def do(self) -> ActionChains:
        return ActionChains(self.browser, duration=20)

    def press(self, *keys: str) -> None:
        """Press a key while all before it are held."""
        actions = self.do()
        for key in keys[:-1]:
            actions.key_down(key)
        actions.send_keys(keys[-1])
        for key in keys[:-1]:
            actions.key_up(key)
        actions.perform()

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag from one point to another, in pixels of the picture."""
        (x1, y1), (x2, y2) = self.on_screen(start), self.on_screen(end)
        actions = self.do().move_to_element_with_offset(self.find("#editor"), x1, y1)
        actions.click_and_hold().move_by_offset(x2 - x1, y2 - y1).release().perform()

    def on_screen(self, point: tuple[float, float]) -> tuple[int, int]:
        """A point of the picture as an offset from the middle of the editor."""
        size = self.find("#editor").size
        view = str(self.find("#editor").get_dom_attribute("viewBox"))
        _, _, width, height = (float(part) for part in view.split())
        return (
            round((point[0] / width - 0.5) * size["width"]),
            round((point[1] / height - 0.5) * size["height"]),
        )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "boxes.jsonl"
    records = []
    for name, size, face in (
        ("astronaut.png", (512, 512), ASTRONAUT_FACE),
        ("cat.png", (451, 300), CAT),
    ):
        content = digest(EXAMPLES / name)
        records.append(Record(name, *size, content, hidden=(face,)))
    boxes.write(path, records)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Chrome, file: Path) -> Iterator[Page]:
    with (
        running(EXAMPLES, file, port=0, max_pixels=10**8) as server,
        redirection(server.address) as door,
    ):
        browser.get(door)
        page = Page(browser)
        # Of the two, the detector was less certain of this one.
        page.wait_for("#name", "cat.png")
        page.wait_for(".face text", "0.31")
        yield page
        page.wait_for("#saving", "All changes saved")
        browser.get("about:blank")


def test_drop_one_by_a_click_add_one_by_a_drag_and_go_on(
    page: Page, file: Path
) -> None:
    page.find(".face").click()
    page.wait_for("#counts", "0 hidden · 1 not")
    page.drag((250, 100), (350, 220))
    page.wait_for("#counts", "1 hidden · 1 not")
    page.press(Keys.SPACE)
    page.wait_for("#name", "astronaut.png")
    page.wait_for("#progress-text", "1 of 2 reviewed")
    page.wait_for("#saving", "All changes saved")
    saved = boxes.read(file)
    assert saved["cat.png"].reviewed
    assert saved["cat.png"].shown == (CAT,)
    (drawn,) = saved["cat.png"].hidden
    assert (drawn.found_by, drawn.score, drawn.points) == ("hand", 1.0, None)
    assert drawn.box.overlap(Box(250, 100, 350, 220)) > 0.9
    assert saved["astronaut.png"] == Record(
        "astronaut.png", 512, 512, saved["astronaut.png"].content, (ASTRONAUT_FACE,)
    )


def test_move_resize_and_undo(page: Page, file: Path) -> None:
    page.press("n")
    page.wait_for("#name", "astronaut.png")
    page.wait_for(".face text", "0.90")

    def saved() -> Face:
        page.wait_for("#saving", "All changes saved")
        (face,) = boxes.read(file)["astronaut.png"].hidden
        return face

    page.drag((265, 186), (285, 206))
    larger = saved()
    assert larger.box.overlap(Box(177, 66, 285, 206)) > 0.95
    assert larger.points == ASTRONAUT_FACE.points
    page.drag((230, 130), (330, 130))
    moved = saved()
    assert moved.box.overlap(Box(277, 66, 385, 206)) > 0.95
    # They are no longer where the eyes and the mouth of what is in the box are.
    assert moved.points is None
    page.press(Keys.CONTROL, "z")
    page.wait_for(".face text", "0.90")
    assert saved() == larger
    page.press(Keys.CONTROL, "z")
    assert saved() == ASTRONAUT_FACE


def test_everything_can_be_done_with_the_keys(page: Page, file: Path) -> None:
    page.press("a")
    page.wait_for("#counts", "2 hidden")
    page.press(Keys.SHIFT, Keys.ARROW_RIGHT)
    page.press(Keys.SHIFT, Keys.ALT, Keys.ARROW_DOWN)
    page.press(Keys.ENTER)
    page.wait_for("#counts", "1 hidden · 1 not")
    page.wait_for("#saving", "All changes saved")
    (added,) = boxes.read(file)["cat.png"].shown
    assert added.box.height > added.box.width
    page.press(Keys.DELETE)
    page.wait_for("#counts", "1 hidden")
    page.find(".face").send_keys(Keys.DELETE)
    page.wait_for("#counts", "0 hidden · 1 not")
    size = page.find("#editor").size["width"]
    page.press("+")
    assert page.find("#editor").size["width"] == pytest.approx(1.25 * size, abs=1)
    page.press("0")
    assert page.find("#editor").size["width"] == size
    page.press("?")
    assert page.find("#help").is_displayed()
    page.press(Keys.ESCAPE)
    assert not page.find("#help").is_displayed()
    page.press(Keys.ARROW_RIGHT)
    page.wait_for("#name", "astronaut.png")
    page.press("p")
    page.wait_for("#name", "cat.png")


def test_the_frames_of_a_film_each_with_its_faces(
    browser: Chrome, tmp_path: Path
) -> None:
    film, file = write_film(tmp_path / "film.gif"), tmp_path / "boxes.jsonl"
    first = Face(Box(90, 33, 132, 93), 0.9, frame=0)
    boxes.write(file, [Record("film.gif", 256, 256, digest(film), (first,))])
    with running(film, file, port=0, max_pixels=10**8) as server:
        browser.get(server.address)
        page = Page(browser)
        page.wait_for("#frame-text", "Frame 1 of 2")
        page.wait_for("#counts", "1 hidden")
        page.press(".")
        page.wait_for("#frame-text", "Frame 2 of 2")
        page.wait_for(".face text", None)
        page.drag((120, 30), (170, 95))
        page.wait_for("#counts", "2 hidden")
        page.press(",")
        page.wait_for("#frame-text", "Frame 1 of 2")
        page.wait_for(".face text", "0.90")
        page.press(Keys.ARROW_RIGHT)
        page.wait_for("#saving", "All changes saved")
        browser.get("about:blank")
    kept, drawn = boxes.read(file)["film.gif"].hidden
    assert kept == first
    assert (drawn.found_by, drawn.frame) == ("hand", 1)
    assert drawn.box.overlap(Box(120, 30, 170, 95)) > 0.9


def test_the_tracks_of_a_film_are_looked_through_and_corrected(
    browser: Chrome, tmp_path: Path
) -> None:
    film, file = write_film(tmp_path / "film.gif"), tmp_path / "boxes.jsonl"
    sure = Face(Box(90, 33, 132, 93), 0.875, frame=0, track=0)
    held = [
        Face(Box(100, 120, 150, 180), 0.5, found_by=by, frame=frame, track=1)
        for frame, by in enumerate(("whole", "held"))
    ]
    table = FaceTable.of([sure, *held])
    record = Record("film.gif", 256, 256, digest(film), table, frame_count=2)
    boxes.write(file, [record])

    page = Page(browser)

    def saved() -> Record:
        page.wait_for("#saving", "All changes saved")
        return boxes.read(file)["film.gif"]

    with running(film, file, port=0, max_pixels=10**8) as server:
        browser.get(server.address)
        page.wait_for("#counts", "2 hidden")
        chosen = '.track[aria-selected="true"]'
        page.wait_for(f"{chosen} .number", "#1")
        page.wait_for(f"{chosen} .state", "50 % unsure")
        page.press("h")
        page.wait_for("#counts", "1 hidden · 1 not")
        page.wait_for(f"{chosen} .state", "not hidden")
        assert set(saved().shown) == set(held)
        # A click on a box chooses its track, and changes nothing.
        page.find('.face[aria-label*="track 0"]').click()
        page.wait_for(f"{chosen} .number", "#0")
        page.press(".")
        page.wait_for("#frame-text", "Frame 2 of 2")
        page.wait_for("#picture:not(.waiting) .face text", "#1 held")
        page.press("e")
        page.wait_for(f"{chosen} .when", "frames 1 to 2")
        assert [face.frame for face in saved().hidden] == [0, 1]
        page.press("t")
        page.drag((10, 10), (60, 70))
        page.press(",")
        page.wait_for("#frame-text", "Frame 1 of 2")
        page.wait_for("#picture:not(.waiting) .face.hidden text", "#0 0.88")
        page.drag((20, 190), (60, 240))
        page.wait_for("#track-add", "Add it")
        page.press("t")
        page.wait_for(f"{chosen} .number", "#2")
        page.wait_for("#counts", "2 hidden · 1 not")
        first, second = (face for face in saved().hidden if face.track == 2)
        assert first.box.overlap(Box(20, 190, 60, 240)) > 0.9
        assert second.box.overlap(Box(10, 10, 60, 70)) > 0.9
        page.press("k")
        page.wait_for("#frame-text", "Frame 2 of 2")
        for left in ("2 hidden · 1 not", "1 hidden · 1 not", "1 hidden · 1 not"):
            page.wait_for("#counts", left)
            page.press(Keys.CONTROL, "z")
        page.wait_for("#counts", "2 hidden")
        page.wait_for("#saving", "All changes saved")
        browser.get("about:blank")
    after = boxes.read(file)["film.gif"]
    assert (after.hidden, after.shown) == (table, FaceTable.of(()))


def test_a_picture_that_has_changed_is_told_and_passed_over(
    page: Page, file: Path, browser: Chrome, tmp_path: Path
) -> None:
    stale = tmp_path / "stale.jsonl"
    records = boxes.read(file)
    digest = "0" * 32
    cat = Record("cat.png", 451, 300, digest, hidden=(CAT,))
    boxes.write(stale, [cat, records["astronaut.png"]])
    with running(EXAMPLES, stale, port=0, max_pixels=10**8) as server:
        browser.get(server.address)
        page.wait_for("#name", "cat.png")
        page.wait_for("#trouble strong", "This picture cannot be reviewed")
        assert "it has changed since" in page.find("#trouble").text
        page.press(Keys.SPACE)
        page.wait_for("#name", "astronaut.png")
        page.wait_for("#progress-text", "0 of 2 reviewed")
        page.wait_for("#saving", "All changes saved")
