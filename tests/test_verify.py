"""The audit: silent on good outputs, and naming exactly what is wrong with others."""

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageSequence

from conftest import COMMAND, LEAST_WORK, Run
from faceanon.anonymizers import get
from faceanon.anonymizers.base import Guarantee
from faceanon.audit.verify.audit import Probe
from faceanon.audit.verify.figures import LEAST_FACES, figures
from faceanon.audit.verify.similarity import Traces
from faceanon.vision.recognition.embedding import SIZE, Embedding
from leaky import exif_block, leaky_jpeg
from support import EXAMPLES, decoded, read, write_film, write_png

HOPPER = EXAMPLES / "grace_hopper.jpg"

Lines = list[dict[str, Any]]
Verify = Callable[..., tuple[int, Lines]]


@pytest.fixture
def verify(faceanon: Run, environment: dict[str, str]) -> Verify:
    # It looks for faces as thoroughly as it can, for which OpenVINO is quicker.
    del environment["FACEANON_INFERENCE"]

    def run(*arguments: object) -> tuple[int, Lines]:
        done = faceanon("verify", *arguments)
        assert done.returncode in (0, 1), done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    return run


def failures(lines: Lines) -> list[tuple[str, str]]:
    """What the audit fails by: the kinds, and the pictures."""
    return sorted(
        (line["kind"], line["output"] or line["input"])
        for line in lines
        if line["fails"]
    )


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    for name in ("curies.jpg", "grace_hopper.jpg"):
        shutil.copy(EXAMPLES / name, folder)
    # Smaller than it is, as it would take long.
    group = cv2.resize(
        read(EXAMPLES / "group.jpg"), None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA
    )
    cv2.imwrite(str(folder / "group.jpg"), group)
    return folder


@pytest.fixture(scope="session")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An animation of two frames, with a face in each."""
    return write_film(tmp_path_factory.mktemp("moving") / "moving.gif")


@pytest.fixture(scope="session")
def hidden(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good run, of which tests take copies."""
    folder = tmp_path_factory.mktemp("runs") / "hidden"
    subprocess.run(
        [COMMAND, "blackbar", originals, folder, "-q"],
        env=os.environ | LEAST_WORK,
        check=True,
    )
    return folder


@pytest.mark.parametrize("method", ["pixelate", "blur", "emoji"])
def test_good_outputs_pass(
    faceanon: Run, verify: Verify, originals: Path, tmp_path: Path, method: str
) -> None:
    assert faceanon(method, originals, tmp_path / "out").returncode == 0
    status, lines = verify(originals, tmp_path / "out", "--method", method)
    assert (status, failures(lines)) == (0, [])


def test_good_outputs_in_another_format_pass(
    faceanon: Run, verify: Verify, moving: Path, tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    shutil.copy(moving, source)
    shutil.copy(EXAMPLES / "cat.png", source)
    done = faceanon("blackbar", source, out, "--format", "webp")
    assert done.returncode == 0
    assert verify(source, out) == (0, [])


def test_what_is_wrong_is_named_and_nothing_else(
    verify: Verify, originals: Path, hidden: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(hidden, out)
    assert verify(originals, out) == (0, [])
    shutil.copy(originals / "curies.jpg", out)
    shutil.copy(HOPPER, out / "surprise.jpg")
    (out / "group.jpg").unlink()
    broken = (out / "grace_hopper.jpg").read_bytes()[:20_000]
    (out / "grace_hopper.jpg").write_bytes(broken)
    (out / "notes.txt").write_text("Grace Hopper")
    status, lines = verify(originals, out)
    assert status == 1
    assert [each for each in failures(lines) if each[0] != "file"] == [
        *[("face left", "curies.jpg")] * 2,
        ("missing", "group.jpg"),
        ("not compared", "grace_hopper.jpg"),
        ("stray", "notes.txt"),
        ("stray", "surprise.jpg"),
    ]
    # It holds the names of the Curies.
    assert {name for kind, name in failures(lines) if kind == "file"} == {"curies.jpg"}


def test_the_one_face_that_was_left_is_named(
    verify: Verify, originals: Path, hidden: Path, tmp_path: Path
) -> None:
    before, after = (read(folder / "group.jpg") for folder in (originals, hidden))
    covered = (before != after).any(axis=2).astype(np.uint8)
    covered = cv2.morphologyEx(covered, cv2.MORPH_OPEN, np.ones((9, 9)))
    boxes = cv2.connectedComponentsWithStats(covered)[2][1:]
    assert len(boxes) > 2, "some faces are hidden apart from others"
    # The one on the right stands alone.
    left, top, width, height, _ = max(boxes, key=lambda box: box[0])
    after[top : top + height, left : left + width] = before[
        top : top + height, left : left + width
    ]
    write_png(tmp_path / "group.png", after)
    status, lines = verify(originals / "group.jpg", tmp_path / "group.png")
    assert status == 1
    (line,) = [line for line in lines if line["fails"]]
    assert line["kind"] == "face left"
    x, y, right, bottom = line["box"]
    assert left <= (x + right) / 2 < left + width
    assert top <= (y + bottom) / 2 < top + height


def hidden_by(how: Callable[[np.ndarray], np.ndarray], folder: Path) -> Path:
    """The portrait with its face treated by another tool."""
    image = read(HOPPER)
    rows, columns = slice(60, 330), slice(150, 380)
    image[rows, columns] = how(image[rows, columns])
    return write_png(folder / "grace_hopper.png", image)


def test_a_blur_that_is_too_weak_is_told(verify: Verify, tmp_path: Path) -> None:
    weak = hidden_by(lambda face: cv2.GaussianBlur(face, (0, 0), 7), tmp_path)
    status, lines = verify(HOPPER, weak)
    assert status == 1
    assert failures(lines) == [("recognisable", "grace_hopper.png")]
    assert lines[0]["similarity"] > 0.4


def test_a_weak_mosaic_and_a_bar_over_the_eyes_are_told(
    verify: Verify, tmp_path: Path
) -> None:
    def mosaic(face: np.ndarray) -> np.ndarray:
        small = cv2.resize(face, None, fx=0.1, fy=0.1, interpolation=cv2.INTER_AREA)
        return cv2.resize(small, face.shape[1::-1], interpolation=cv2.INTER_NEAREST)

    def bar(face: np.ndarray) -> np.ndarray:
        barred = face.copy()
        barred[90:150] = 0
        return barred

    for how in (mosaic, bar):
        status, lines = verify(HOPPER, hidden_by(how, tmp_path))
        assert status == 1, how
        assert {kind for kind, _ in failures(lines)} <= {"recognisable", "visible"}


def test_a_thumbnail_of_the_original_is_told(
    verify: Verify, hidden: Path, tmp_path: Path
) -> None:
    out = tmp_path / "grace_hopper.jpg"
    with PillowImage.open(hidden / "grace_hopper.jpg") as picture:
        picture.save(out, exif=b"Exif\0\0" + exif_block())
    status, lines = verify(HOPPER, out)
    assert status == 1
    found = {line["found"]["kind"] for line in lines if line["kind"] == "file"}
    assert {"picture", "place", "name", "serial"} <= found
    assert {kind for kind, _ in failures(lines)} == {"file"}
    assert any("it shows the original" in line["what"] for line in lines)
    assert "hidden-" not in json.dumps(lines), "what the file says is not repeated"


def test_a_thumbnail_of_the_output_itself_is_none(
    faceanon: Run, verify: Verify, tmp_path: Path
) -> None:
    source, out = EXAMPLES / "curies_orientation6.jpg", tmp_path / "out.jpg"
    assert faceanon("blackbar", source, out, "--thumbnail").returncode == 0
    status, lines = verify(source, out)
    assert (status, [line["kind"] for line in lines]) == (0, ["file"])


def test_a_leaky_file_copied_through_fails_all_audits(
    verify: Verify, tmp_path: Path
) -> None:
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.jpg").write_bytes(leaky_jpeg())
    for method in ((), ("--method", "swap")):
        status, lines = verify(tmp_path / "in", tmp_path / "out", *method)
        assert status == 1
        assert {kind for kind, _ in failures(lines)} == {"face left", "file"}
        assert any(line["similarity"] == 1 for line in lines)


def test_each_method_is_held_to_what_it_guarantees(
    faceanon: Run, verify: Verify, originals: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jpg"
    report = tmp_path / "report.jsonl"
    done = faceanon("eyecolor", HOPPER, out, "--report", report)
    assert done.returncode == 0
    status, lines = verify(HOPPER, out)
    assert (status, [kind for kind, _ in failures(lines)]) == (1, ["face left"])
    status, lines = verify(HOPPER, out, "--method", "eyecolor")
    assert (status, lines[0]["kind"], lines[0]["fails"]) == (0, "face left", False)
    done = faceanon("verify", HOPPER, out, "--method", "eyecolor")
    assert "this method promises nothing, and 1 face can be told" in done.stderr
    assert "nothing found" not in done.stderr
    status, lines = verify(HOPPER, out, "--report", report)
    assert status == 0
    swapped = tmp_path / "swapped.jpg"
    group = originals / "group.jpg"
    assert faceanon("swap", group, swapped, "--seed", 2).returncode == 0
    status, lines = verify(group, swapped, "--method", "swap")
    assert (status, failures(lines)) == (0, [])


def test_a_report_tells_names_and_whom_to_show(
    faceanon: Run, verify: Verify, tmp_path: Path
) -> None:
    source, friends, out = (tmp_path / name for name in ("in", "friends", "out"))
    source.mkdir()
    friends.mkdir()
    shutil.copy(EXAMPLES / "astronaut.png", source)
    shutil.copy(EXAMPLES / "astronaut.png", friends)
    shutil.copy(HOPPER, source)
    report = tmp_path / "report.jsonl"
    options = ("--except", friends, "--rename", "hash", "--seed", 7)
    done = faceanon("blackbar", source, out, *options, "--report", report)
    assert done.returncode == 0, done.stderr
    status, lines = verify(source, out, "--report", report)
    assert (status, [line["kind"] for line in lines]) == (0, ["shown"])
    status, lines = verify(source, out)
    assert status == 1
    assert {kind for kind, _ in failures(lines)} == {"missing", "stray"}


def test_every_frame_is_audited(
    faceanon: Run, verify: Verify, moving: Path, tmp_path: Path
) -> None:
    assert faceanon("blackbar", moving, tmp_path / "hidden.gif").returncode == 0

    def frames(path: Path) -> list[PillowImage.Image]:
        with PillowImage.open(path) as file:
            return [frame.convert("RGB") for frame in ImageSequence.Iterator(file)]

    def write(name: str, *pictures: PillowImage.Image) -> Path:
        first, *more = pictures
        first.save(tmp_path / name, save_all=True, append_images=more)
        return tmp_path / name

    good, bad = frames(tmp_path / "hidden.gif"), frames(moving)
    assert len(good) == len(bad) == 2
    status, lines = verify(moving, write("late.gif", good[0], bad[1]))
    assert status == 1
    assert [(line["kind"], line["frame"]) for line in lines if line["fails"]] == [
        ("face left", 1)
    ]
    status, lines = verify(moving, write("short.gif", good[0]))
    assert (status, [kind for kind, _ in failures(lines)]) == (1, ["not compared"])


def test_the_page_shows_outputs_and_needs_nothing(
    faceanon: Run, originals: Path, hidden: Path, tmp_path: Path
) -> None:
    out, page = tmp_path / "out", tmp_path / "page.html"
    shutil.copytree(hidden, out)
    # Of what fails here every pixel is grey; the inputs are in colour.
    image = read(originals / "group.jpg")
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    cv2.imwrite(str(out / "group.jpg"), grey)
    (out / "<img src=x>.txt").write_text("")
    lines = tmp_path / "lines.jsonl"
    done = faceanon("verify", originals, out, "--page", page, "-o", lines)
    assert (done.returncode, done.stdout) == (1, "")
    html = page.read_text()
    assert not re.search(r"<script|https?://|url\(|@import|<link|<img src=x", html)
    assert re.findall(r"src=\"([a-z:/]*)", html) == ["data:image/jpeg"]
    assert all(line in html for line in ("group.jpg", "face left", "cannot know"))
    (thumbnail,) = re.findall(r"base64,([^\"]+)", html)
    pixels = decoded(base64.b64decode(thumbnail))
    assert max(pixels.shape) <= 480
    assert np.ptp(pixels.astype(int), axis=2).max() <= 2
    assert page.stat().st_mode & 0o077 == 0
    assert "face left" in lines.read_text()
    again = faceanon("verify", originals, out, "--page", page)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_wrong_usage(faceanon: Run, originals: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "none").mkdir()
    (tmp_path / "report").write_text('{"picture": "a.jpg"}\n')
    for arguments, said in (
        ((originals, tmp_path / "nowhere"), "does not exist"),
        ((originals, originals), "is INPUT itself"),
        ((tmp_path / "empty", tmp_path / "none"), "no pictures"),
        ((originals, tmp_path, "--report", tmp_path / "report"), "is not a report"),
        ((originals, tmp_path, "--method", "hope"), "is not one of"),
    ):
        done = faceanon("verify", *arguments)
        assert done.returncode == 2, arguments
        assert said in done.stderr


def probe(picture: str, *embeddings: Embedding) -> Probe:
    """A hidden face whose pixels tell nothing."""
    original, treated, painted = embeddings
    nothing = np.zeros(320, np.float16)
    traces = Traces(original, treated, painted, nothing, nothing)
    return Probe(picture, traces, Guarantee.HIDDEN)


def probes(share: float, rng: np.random.Generator) -> list[Probe]:
    """Forty people; of the hidden faces of a share of them something is left."""
    made = []
    for number in range(40):
        original = rng.normal(size=SIZE).astype(np.float32)
        noise = rng.normal(size=SIZE).astype(np.float32)
        treated = noise + original * (number < share * 40)
        made.append(probe(f"{number}.jpg", original, treated, noise))
    return made


def two_of_each(
    is_in_face: bool, is_beside: bool, rng: np.random.Generator
) -> list[Probe]:
    """Forty people, twice each; what tells them is in their faces, or beside them."""
    made = []
    for number in range(40):
        who, mark = rng.normal(size=(2, SIZE)).astype(np.float32)
        for take in "ab":
            slight, face, around = rng.normal(size=(3, SIZE)).astype(np.float32)
            beside = around + mark * is_beside
            made.append(
                probe(
                    f"{number}{take}.jpg",
                    who + slight / 4,
                    beside + face / 4 + mark * is_in_face,
                    beside,
                )
            )
    return made


def test_what_is_left_of_many_faces_is_told_against_chance() -> None:
    rng = np.random.default_rng(1)
    nothing, _ = figures(probes(0, rng))
    assert not nothing.fails
    assert nothing.figures
    assert nothing.figures["chance"] == 1 / 40
    much, _ = figures(probes(0.5, rng))
    assert much.fails
    assert much.figures
    assert 0.4 <= float(much.figures["rank_1"]) <= 0.6
    assert not list(figures(probes(1, rng)[: LEAST_FACES - 1]))


def test_a_filter_that_a_comparison_of_pixels_sees_through_fails() -> None:
    """It needs no recogniser: the nearest of the clean pictures is the right one."""
    rng = np.random.default_rng(1)
    hidden = probes(0, rng)
    for share, fails in ((0.0, False), (0.5, True)):
        seen = []
        for number, each in enumerate(hidden):
            clean, noise = rng.normal(size=(2, 320)).astype(np.float16)
            left = noise + clean * (number < share * len(hidden))
            traces = replace(each.traces, original_pixels=clean, treated_pixels=left)
            seen.append(replace(each, traces=traces))
        _, found = figures(seen)
        assert found.fails == fails
        assert found.figures
        assert found.figures["gallery"] == "pixels of originals"


def test_a_black_bar_is_nobody_s_however_often_one_comes() -> None:
    """All are equally near to it, and the first in line must not count as found."""
    rng = np.random.default_rng(1)
    first, *others = probes(0, rng)
    hidden = [*[first] * 14, *others]
    clean = rng.normal(size=(len(hidden), 320)).astype(np.float16)
    hidden = [
        replace(each, traces=replace(each.traces, original_pixels=pixels))
        for each, pixels in zip(hidden, clean, strict=True)
    ]
    _, seen = figures(hidden)
    assert not seen.fails
    assert seen.figures
    assert seen.figures["rank_1"] == 0


@pytest.mark.parametrize(
    ("is_in_face", "is_beside", "fails"),
    [(False, False, False), (True, False, True), (False, True, False)],
)
def test_who_treats_known_people_alike_learns_nothing_from_the_faces(
    is_in_face: bool, is_beside: bool, fails: bool
) -> None:
    """What clothes and hair tell is told by the same outputs painted over."""
    rng = np.random.default_rng(1)
    _, _, alike = figures(two_of_each(is_in_face, is_beside, rng))
    assert alike.fails == fails
    assert alike.figures
    assert (float(alike.figures["rank_1"]) > 0.5) == (is_in_face or is_beside)
    assert (float(alike.figures["painted_over"]) > 0.5) == is_beside


def test_guarantees() -> None:
    guarantees = {
        name: get(name).guarantee for name in ("blackbar", "swap", "eyecolor")
    }
    assert guarantees == {
        "blackbar": Guarantee.HIDDEN,
        "swap": Guarantee.MOVED,
        "eyecolor": Guarantee.NONE,
    }
