"""Make docs/images/review.jpg: the page of `faceanon review` with the sample pictures.

Needs faceanon[review], selenium, and Chromium with its driver:

    python tools/review_screenshot.py
"""

import io
import shutil
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from selenium import webdriver
from selenium.webdriver import ActionChains

import faceanon
from faceanon import boxes
from faceanon.media.reading import decode
from faceanon.model import Box, Face
from faceanon.review.server import running

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "images" / "review.jpg"
SHOWN = "group.jpg"

# What may be a face, for the sake of the picture.
DOUBTFUL = Face(Box(1280, 1920, 1470, 2110), 0.24)


def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder, "boxes.jsonl")
        boxes.write(file, found_in(ROOT / "examples"))
        with running(ROOT / "examples", file, port=0, max_pixels=10**8) as server:
            photograph(server.address, Path(folder, "profile"))


def found_in(folder: Path) -> list[boxes.Record]:
    records = []
    for path in sorted(folder.glob("*.*g")):
        data = path.read_bytes()
        image = decode(data, 10**8).color
        height, width = image.shape[:2]
        faces = faceanon.detect(image)
        doubtful = (DOUBTFUL,) if path.name == SHOWN else ()
        content = boxes.content_digest(io.BytesIO(data))
        is_reviewed = path.name == "astronaut.png"
        records.append(
            boxes.Record(
                path.name, width, height, content, faces, doubtful, is_reviewed
            )
        )
    return records


def photograph(address: str, profile: Path) -> None:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for switch in (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
        *("--no-first-run", "--disable-background-networking", "--disable-sync"),
        *("--disable-component-update", f"--user-data-dir={profile}"),
        "--window-size=1280,880",
    ):
        options.add_argument(switch)
    browser = webdriver.Chrome(
        options, webdriver.ChromeService(shutil.which("chromedriver"))
    )
    try:
        browser.get(address)
        while browser.find_element("id", "name").text != SHOWN:
            ActionChains(browser).send_keys("n").perform()
            time.sleep(0.5)
        time.sleep(1)
        save(browser.get_screenshot_as_png())
    finally:
        browser.quit()


def save(png: bytes) -> None:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    TARGET.write_bytes(data.tobytes())


if __name__ == "__main__":
    main()
