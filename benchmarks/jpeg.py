"""What keeping the blocks of a JPEG costs, beside OpenCV, in one process.

    python benchmarks/jpeg.py [PICTURE] [--rounds 9]

Six faces are hidden in the picture, scaled to 1 and to 12 megapixels with noise as a
camera has it; finding them is left out, but what it decodes at --accuracy balanced is
in the lines "seen for detection". Prints processor time relative to OpenCV's decoding
and encoding of the same file: the median of rounds in which all take turns.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from faceanon.media.clip import Frame
from faceanon.media.reading import decode
from faceanon.media.write_options import WriteOptions
from faceanon.media.writing import TRANSCODED, encode_still
from faceanon.model import Box, Face, Image
from faceanon.pipeline.hide import Hiding
from faceanon.requests.settings import make_settings
from faceanon.vision import detection

EXAMPLE = Path(__file__).parents[1] / "examples" / "group.jpg"
QUALITY = 90
NOISE = 4.0
LIMIT = 100_000_000


def photo(source: Path, megapixels: float) -> bytes:
    """The picture as a JPEG of this size."""
    pixels = cv2.imread(str(source))
    if pixels is None:
        raise SystemExit(f"{source} cannot be read")
    scale = (megapixels * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5
    pixels = cv2.resize(pixels, None, fx=scale, fy=scale)
    noise = np.random.default_rng(0).normal(0, NOISE, pixels.shape)
    return opencv_encoded((pixels + noise).clip(0, 255).astype(np.uint8))


def six_faces(image: Image) -> list[Face]:
    height, width = image.shape[:2]
    size = height // 14
    return [
        Face(Box(left, top, left + size * 3 // 4, top + size), 0.9)
        for top in (height // 4, height // 2)
        for left in (width // 6, width // 2, width * 3 // 4)
    ]


def opencv_decoded(data: bytes) -> Image:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels


def opencv_encoded(pixels: Image) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[
        1
    ].tobytes()


def opencv_blurred(data: bytes) -> bytes:
    pixels = opencv_decoded(data)
    for face in six_faces(pixels):
        patch = pixels[face.box.grown(1.4).slices]
        patch[:] = cv2.blur(patch, (face.box.width // 2, face.box.width // 2))
    return opencv_encoded(pixels)


def steps(data: bytes) -> dict[str, Callable[[], object]]:
    """What is measured, the reference first."""
    faces = six_faces(opencv_decoded(data))

    def hide(method: str, *, sees: bool = False, quality: int | None = None) -> str:
        """Hide the faces in the file, after what detection needs is decoded or not."""
        settings = make_settings(method, {"quality": quality})
        picture = decode(data, LIMIT, lazily=True)
        if sees:
            picture.scaled_looks(detection.make("centerface").scale(*picture.shape))
        edit = Hiding(faces, settings, np.random.default_rng(0)).edit(picture)
        _, how = encode_still(Frame(picture, edit=edit), settings.writing)
        return how

    def keep() -> object:
        picture = decode(data, LIMIT, lazily=True)
        return encode_still(Frame(picture), WriteOptions())

    assert hide("blackbar") == TRANSCODED, hide("blackbar")
    return {
        "OpenCV: decode, encode": lambda: opencv_encoded(opencv_decoded(data)),
        "OpenCV: decode, blur, encode": lambda: opencv_blurred(data),
        "black bars, blocks kept": lambda: hide("blackbar"),
        "blur, blocks kept": lambda: hide("blur"),
        "pixelate, blocks kept": lambda: hide("pixelate"),
        "seen for detection, black bars": lambda: hide("blackbar", sees=True),
        "seen for detection, blur": lambda: hide("blur", sees=True),
        "  with --quality": lambda: hide("blur", sees=True, quality=QUALITY),
        "without a face": keep,
    }


def measured(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, default=EXAMPLE)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    for megapixels in (1, 12):
        data = photo(options.picture, megapixels)
        print(f"{megapixels} megapixels, {len(data)} bytes")
        works = steps(data)
        times: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(options.rounds):
            for name, work in works.items():
                times[name].append(measured(work))
        reference = statistics.median(next(iter(times.values())))
        for name, seconds in times.items():
            median = statistics.median(seconds)
            print(f"  {name:32} {median / reference:6.2f}  {median * 1000:7.1f} ms")


if __name__ == "__main__":
    main()
