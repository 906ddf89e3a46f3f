"""Make docs/images/review.jpg and review-film.jpg: the page of `faceanon review`.

They show the sample pictures, and a film that moves over one of them. Needs
faceanon[review,video], selenium, and Chromium with its driver:

    python tools/review_screenshot.py
"""

import io
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import av
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
IMAGES = ROOT / "docs" / "images"
SHOWN = "group.jpg"
FILM = "group.mp4"

# What may be a face, for the sake of the picture.
DOUBTFUL = Face(Box(1280, 1920, 1470, 2110), 0.24)


def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder, "boxes.jsonl")
        boxes.write(file, found_in(ROOT / "examples"))
        with running(ROOT / "examples", file, port=0, max_pixels=10**8) as server:
            profile = Path(folder, "profile")
            photograph(server.address, profile, SHOWN, IMAGES / "review.jpg")
        film, file = Path(folder, FILM), Path(folder, "film.jsonl")
        write_film(film)
        subprocess.run(["faceanon", "detect", film, "-o", file], check=True)
        with running(film, file, port=0, max_pixels=10**8) as server:
            profile = Path(folder, "film profile")
            photograph(server.address, profile, FILM, IMAGES / "review-film.jpg")


def write_film(path: Path) -> None:
    """A camera that goes over the group, and comes closer."""
    picture = decode((ROOT / "examples" / SHOWN).read_bytes(), 10**8).color
    height, width = picture.shape[:2]
    with av.open(str(path), "w") as output:
        video = output.add_stream("libx264", rate=15)
        video.width, video.height, video.pix_fmt = 960, 540, "yuv420p"
        for place in np.linspace(0, 1, 90):
            wide = width * (0.62 - 0.2 * place)
            left = (width - wide) * (0.5 + 0.5 * np.sin(5 * place - 1.5))
            top = (height - wide * 9 / 16) * (0.1 + 0.2 * place)
            scale = 960 / wide
            matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
            image = cv2.warpAffine(picture, matrix, (960, 540), flags=cv2.INTER_AREA)
            frame = av.VideoFrame.from_ndarray(image.astype(np.uint8), "bgr24")
            output.mux(video.encode(frame))
        output.mux(video.encode())


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


def photograph(address: str, profile: Path, name: str, target: Path) -> None:
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
        while browser.find_element("id", "name").text != name:
            ActionChains(browser).send_keys("n").perform()
            time.sleep(0.5)
        time.sleep(1)
        save(browser.get_screenshot_as_png(), target)
    finally:
        browser.quit()


def save(png: bytes, target: Path) -> None:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    target.write_bytes(data.tobytes())


if __name__ == "__main__":
    main()
