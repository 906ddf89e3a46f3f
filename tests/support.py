"""Real pictures and faces for the tests, and the reading of what is written."""

import io
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageCms

from faceanon.batch.planning.plan import Plan
from faceanon.boxes import content_digest
from faceanon.media.picture import Picture
from faceanon.model import Box, Face, Image, Points
from faceanon.pipeline.job import Job, Outcome

EXAMPLES = Path(__file__).parents[1] / "examples"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

# --- Pictures --------------------------------------------------------------------


def decoded(
    data: bytes, flags: int = cv2.IMREAD_COLOR, *, what: object = "it"
) -> Image:
    """The pixels as other programs see them (OpenCV, orientation applied)."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    assert pixels is not None, f"{what} cannot be decoded"
    return pixels


def encoded(pixels: Image, suffix: str = ".png", options: Sequence[int] = ()) -> bytes:
    """The file that another program (OpenCV) writes."""
    done, data = cv2.imencode(suffix, pixels, options)
    assert done
    return data.tobytes()


def with_pillow(pixels: Image, format_: str, **options: object) -> bytes:
    """The file that another program (Pillow) writes of grey, BGR or BGRA."""
    if pixels.ndim == 3:
        code = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
        pixels = cv2.cvtColor(pixels, code)
    buffer = io.BytesIO()
    PillowImage.fromarray(pixels).save(buffer, format_, **options)
    return buffer.getvalue()


def exif_turned(orientation: int) -> PillowImage.Exif:
    """EXIF that tells how a picture is stored."""
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    return exif


def read(path: Path, flags: int = cv2.IMREAD_COLOR) -> Image:
    """Read a picture as other programs see it (OpenCV, orientation applied)."""
    return decoded(path.read_bytes(), flags, what=path)


def write_png(path: Path, pixels: Image) -> Path:
    path.write_bytes(encoded(pixels))
    return path


def write_film(path: Path) -> Path:
    """An animation of two frames, a face in each: on the left, and on the right."""
    with PillowImage.open(EXAMPLES / "astronaut.png") as picture:
        small = picture.convert("RGB").resize((256, 256))
    mirrored = small.transpose(PillowImage.Transpose.FLIP_LEFT_RIGHT)
    small.save(path, save_all=True, append_images=[mirrored], duration=400)
    return path


def with_examples(folder: Path, *names: str) -> Path:
    """A folder with copies of some of the examples; it is made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        shutil.copy(EXAMPLES / name, folder)
    return folder


def faces_of_all_widths(folder: Path, count: int) -> Path:
    """A folder of so many pictures with a face, each of another width: from 200 on.

    By its width the plug-in `faulty` knows a picture.
    """
    folder.mkdir()
    face = read(EXAMPLES / "astronaut.png")[20:240]
    for number in range(count):
        width = 200 + number
        write_png(folder / f"{number:02}.png", face[:, 120 : 120 + width])
    return folder


def recolored(picture: Picture, color: Image) -> Picture:
    """The picture with other colours where these differ."""
    return picture.with_color(color, (color != picture.color).any(axis=2))


# --- Faces -----------------------------------------------------------------------

ASTRONAUT_FACE = Face(
    Box(177, 66, 265, 186),
    0.9,
    ((203.0, 112.0), (244.0, 110.0), (227.0, 134.0), (208.0, 152.0), (244.0, 150.0)),
)


def scaled_face(width: int) -> tuple[Image, Face]:
    """The astronaut, scaled so that her face is `width` pixels wide."""
    image = read(EXAMPLES / "astronaut.png")[20:240, 120:330]
    scale = width / ASTRONAUT_FACE.box.width
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation)
    box = ASTRONAUT_FACE.box
    left, top = round((box.left - 120) * scale), round((box.top - 20) * scale)
    height = round(box.height * scale)
    return image, Face(Box(left, top, left + width, top + height), 0.9)


def five_points(points: Iterable[Iterable[float]]) -> Points:
    """The five points of a face, out of what holds just those."""
    first, second, third, fourth, fifth = ((float(x), float(y)) for x, y in points)
    return first, second, third, fourth, fifth


# --- What is planned and written -------------------------------------------------


def digest(path: Path) -> str:
    """The digest of a picture, as box files name it."""
    with path.open("rb") as file:
        return content_digest(file)


def jobs_of(plan: Plan) -> Iterator[Job]:
    """What a plan does, where nothing is refused."""
    for job in plan.jobs():
        if isinstance(job, Outcome):
            assert job.is_ignored, job.error
        else:
            yield job


def ignored_by(plan: Plan) -> dict[str, str]:
    """What a plan ignores, and why."""
    outcomes = (job for job in plan.jobs() if isinstance(job, Outcome))
    return {one.job.name: one.error for one in outcomes if one.is_ignored}


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder and its bytes, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def pictures(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but those that faceanon keeps for itself."""
    return {n: d for n, d in tree(folder).items() if not n.startswith(".faceanon")}


def json_lines(text: str | bytes) -> list[dict[str, Any]]:
    """JSON Lines, without those that tell of a run; see `told_of_runs`."""
    return [told for told in map(json.loads, text.splitlines()) if "run" not in told]


def lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a box file, or those of a report that tell of pictures."""
    return json_lines(path.read_bytes())


def told_of_runs(report: Path) -> list[dict[str, Any]]:
    """What a report tells of the runs that wrote it."""
    told = map(json.loads, report.read_bytes().splitlines())
    return [line["run"] for line in told if "run" in line]
