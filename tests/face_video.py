"""Films with a face and a sound, made with PyAV, and what is to be seen in them."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from support import ASTRONAUT_FACE, EXAMPLES, read

av = pytest.importorskip("av", reason="PyAV is not installed: faceanon[video]")

WIDTH, HEIGHT = 320, 240
RATE = 15
COUNT = 30
LOST = (12, 13)
"""The frames in which nobody would find the face."""

STEP = 3
"""By how many pixels the face moves in each frame."""


def images(count: int = COUNT, lost: Sequence[int] = LOST) -> Iterator[NDArray[Any]]:
    """A face that moves to the left, and is blurred in some frames."""
    astronaut = read(EXAMPLES / "astronaut.png")
    for number in range(count):
        left = 60 + STEP * (number % COUNT)
        image = astronaut[:HEIGHT, left : left + WIDTH].copy()
        if number in lost:
            image = cv2.GaussianBlur(image, (0, 0), 24)
        yield image


def face_in(number: int) -> tuple[slice, slice]:
    """Where the face is in a frame."""
    box = ASTRONAUT_FACE.box
    left = 60 + STEP * (number % COUNT)
    return slice(box.top, box.bottom), slice(box.left - left, box.right - left)


def write_film(
    path: Path,
    frames: Sequence[NDArray[Any]] | None = None,
    *,
    codec: str = "libx264",
    sound: str | None = "aac",
    times: Sequence[int] | None = None,
    pixels: str = "yuv420p",
    colors: tuple[int, int, int] | None = None,
    turned: int = 0,
    **options: str,
) -> Path:
    """A film with a tone as its sound, and with names in its metadata."""
    frames = list(images()) if frames is None else frames
    with av.open(str(path), "w", options=options) as output:
        output.metadata["title"] = "SECRET TITLE"
        output.metadata["comment"] = "SECRET COMMENT"
        output.metadata["creation_time"] = "2024-05-06T07:08:09Z"
        fast = {"preset": "ultrafast", "g": "10"} if codec.startswith("libx") else {}
        if codec == "libx265":
            fast["x265-params"] = "log-level=none"
        video = output.add_stream(codec, rate=RATE, options=fast)
        video.width, video.height = frames[0].shape[1::-1]
        video.pix_fmt = pixels
        if colors is not None:
            context = video.codec_context
            context.color_primaries, context.color_trc, context.colorspace = colors
        if turned:
            video.set_display_rotation(turned)
        video.metadata["handler_name"] = "SECRET HANDLER"
        audio = output.add_stream(sound, rate=44100) if sound else None
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = number if times is None else times[number]
            frame.time_base = Fraction(1, RATE)
            output.mux(video.encode(frame))
        output.mux(video.encode())
        if audio is not None:
            last = (times or range(len(frames)))[-1]
            seconds = (last + 1) / RATE
            wave = np.sin(np.arange(round(44100 * seconds)) * 0.05) * 8000
            samples = wave.astype(np.int16)[None]
            heard = av.AudioFrame.from_ndarray(samples, format="s16p", layout="mono")
            heard.rate, heard.pts = 44100, 0
            output.mux(audio.encode(heard))
            output.mux(audio.encode())
    return path


def shown(path: Path) -> list[NDArray[np.uint8]]:
    """The frames of a film as a decoder gives them: BGR."""
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)]


def check_hidden(path: Path, count: int = COUNT) -> None:
    """Look whether the face is black in every frame, and the rest is not."""
    frames = shown(path)
    assert len(frames) == count
    for number, frame in enumerate(frames):
        assert frame[face_in(number)].max() < 48, number
        assert frame.mean() > 40
