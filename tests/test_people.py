"""Only these people, or everybody but them: who is hidden, and who is shown."""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from conftest import Run
from faceanon.errors import PeopleError
from faceanon.model import Box, Face, Image
from faceanon.vision import detection
from faceanon.vision.recognition import gallery
from faceanon.vision.recognition.alignment import aligned
from faceanon.vision.recognition.embedding import direction
from faceanon.vision.recognition.gallery import People, Person
from faceanon.vision.recognition.matching import compared, split
from faceanon.vision.recognition.quality import ENROLMENT, PROBE, assess
from faceanon.vision.recognition.selection import LEVELS, Selection
from faceanon.vision.recognition.sface import embed
from support import (
    EXAMPLES,
    decoded,
    encoded,
    five_points,
    lines,
    read,
    write_png,
)

# Where heads are in `curies.jpg`, his seen from the side, and in `group.jpg`.
MARIE, PIERRE = (slice(110, 330), slice(220, 410)), (slice(80, 260), slice(480, 690))
AT_THE_TABLE = {
    "ann": (slice(650, 1300), slice(250, 900)),
    "bob": (slice(420, 1020), slice(940, 1430)),
    "cid": (slice(360, 950), slice(1720, 2190)),
    "dee": (slice(400, 920), slice(2260, 2700)),
}


def another_shot(image: Image) -> Image:
    """What another photograph would show: smaller, mirrored, darker, compressed."""
    smaller = cv2.resize(image[:, ::-1], None, fx=0.8, fy=0.8)
    darker = cv2.convertScaleAbs(smaller, alpha=0.8, beta=5)
    return decoded(encoded(darker, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 85]))


def enrol(folder: Path, **pictures: Image) -> Path:
    """A folder of people, each of one picture."""
    for name, picture in pictures.items():
        (folder / name).mkdir(parents=True)
        write_png(folder / name / "1.png", another_shot(picture))
    return folder


def reported(path: Path) -> dict[str, dict[str, Any]]:
    """The lines of a report, by their pictures."""
    return {line["picture"]: line for line in lines(path)}


def embeddings(image: Image, faces: list[dict[str, Any]]) -> list[NDArray[np.float32]]:
    """The directions of the embeddings of faces that a report tells."""
    points = [five_points(face["points"]) for face in faces]
    return [direction(embed(aligned(image, five))) for five in points]


def changed(before: Image, after: Image, where: tuple[slice, slice]) -> float:
    """Which share of the pixels of a place is another."""
    return float((before[where] != after[where]).any(axis=2).mean())


@pytest.fixture(scope="session")
def curies() -> Image:
    return read(EXAMPLES / "curies.jpg")


@pytest.fixture(scope="session")
def table() -> Image:
    return read(EXAMPLES / "group.jpg")


@pytest.fixture
def source(tmp_path: Path, curies: Image) -> Path:
    """Two pictures: a couple and somebody else, without loss, to compare exactly."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_png(folder / "curies.png", curies)
    write_png(folder / "astronaut.png", read(EXAMPLES / "astronaut.png"))
    return folder


@pytest.fixture
def marie(tmp_path: Path, curies: Image) -> Path:
    return enrol(tmp_path / "marie", marie=curies[MARIE])


@pytest.fixture
def eileen(tmp_path: Path) -> Path:
    return enrol(tmp_path / "eileen", eileen=read(EXAMPLES / "astronaut.png")[:300])


# --- Whom a run hides -------------------------------------------------------------


def test_everyone_but_the_named_is_hidden(
    faceanon: Run, source: Path, marie: Path, tmp_path: Path
) -> None:
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, out, "--except", marie, "--report", report)
    assert done.returncode == 0, done.stderr
    assert "2 faces hidden" in done.stderr
    assert "1 face shown" in done.stderr

    before, after = read(source / "curies.png"), read(out / "curies.png")
    assert changed(before, after, MARIE) == 0
    assert changed(before, after, (slice(105, 235), slice(545, 610))) > 0.98
    astronaut = read(source / "astronaut.png"), read(out / "astronaut.png")
    assert changed(*astronaut, (slice(65, 175), slice(185, 265))) > 0.98

    couple = {face["hide"]: face for face in reported(report)["curies.png"]["faces"]}
    assert couple[False]["match"]["person"] == "marie"
    assert couple[False]["match"]["verdict"] == "same"
    assert couple[True]["match"]["reason"] == "turned away"
    (other,) = reported(report)["astronaut.png"]["faces"]
    assert other["match"]["verdict"] == "other"
    assert other["match"]["similarity"] < LEVELS["normal"].other


def test_only_the_named_and_whoever_might_be_are_hidden(
    faceanon: Run, source: Path, eileen: Path, tmp_path: Path
) -> None:
    write_png(source / "grace.png", read(EXAMPLES / "grace_hopper.jpg"))
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, out, "--only", eileen, "--report", report)
    assert done.returncode == 0, done.stderr
    assert "1 with nobody to hide (written as they are)" in done.stderr

    astronaut = read(source / "astronaut.png"), read(out / "astronaut.png")
    assert changed(*astronaut, (slice(65, 175), slice(185, 265))) > 0.98
    assert (read(out / "grace.png") == read(source / "grace.png")).all()
    assert reported(report)["grace.png"]["status"] == "nobody_hidden"
    before, after = read(source / "curies.png"), read(out / "curies.png")
    assert changed(before, after, MARIE) == 0
    # Seen from the side, it might be anybody.
    assert changed(before, after, (slice(105, 235), slice(545, 610))) > 0.98


def test_a_person_who_is_nowhere_is_said_to_be_nowhere(
    faceanon: Run, marie: Path, tmp_path: Path
) -> None:
    source = tmp_path / "others"
    source.mkdir()
    for name in ("astronaut.png", "grace_hopper.jpg"):
        write_png(source / f"{name[:5]}.png", read(EXAMPLES / name))
    done = faceanon("pixelate", source, tmp_path / "out", "--only", marie)
    assert done.returncode == 0, done.stderr
    summary = done.stderr.splitlines()[-1]
    assert "surely seen in none of these pictures: marie" in summary
    assert "NOTHING WAS HIDDEN" in summary
    for path in source.iterdir():
        assert (read(tmp_path / "out" / path.name) == read(path)).all()


@pytest.mark.parametrize("mode", ["--only", "--except"])
def test_a_face_that_cannot_be_told_is_hidden_in_both_modes(
    faceanon: Run, eileen: Path, tmp_path: Path, mode: str
) -> None:
    picture = read(EXAMPLES / "astronaut.png")
    source, report = tmp_path / "spoilt", tmp_path / "report.jsonl"
    source.mkdir()
    write_png(source / "blurred.png", cv2.GaussianBlur(picture, (0, 0), 7))
    small = cv2.resize(picture, (76, 76), interpolation=cv2.INTER_AREA)
    write_png(source / "small.png", small)
    faceanon("blackbar", source, tmp_path / "out", mode, eileen, "--report", report)
    for spoil in ("blurred", "small"):
        (face,) = reported(report)[f"{spoil}.png"]["faces"]
        assert face["hide"]
        assert face["match"]["reason"] == f"too {spoil}"


def test_a_box_without_points_is_hidden_with_except(
    faceanon: Run, source: Path, eileen: Path, tmp_path: Path
) -> None:
    boxes, by_hand = tmp_path / "boxes.jsonl", tmp_path / "by-hand.jsonl"
    picture = source / "astronaut.png"
    faceanon("detect", picture, "-o", boxes)
    line = json.loads(boxes.read_text())
    for face in line["faces"]:
        face["points"] = None
    by_hand.write_text(json.dumps(line))
    for path, is_hidden in ((boxes, False), (by_hand, True)):
        out = tmp_path / f"{path.stem}.png"
        done = faceanon("blackbar", picture, out, "--except", eileen, "--boxes", path)
        assert done.returncode == 0, done.stderr
        assert bool((read(out) != read(picture)).any()) is is_hidden


def test_friends_at_a_table(faceanon: Run, tmp_path: Path, table: Image) -> None:
    """Two of four have agreed; they are shown to the pixel, the other two hidden."""
    people = enrol(
        tmp_path / "people",
        ann=table[AT_THE_TABLE["ann"]],
        dee=table[AT_THE_TABLE["dee"]],
    )
    smaller = cv2.resize(table, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    write_png(tmp_path / "table.png", smaller)
    report = tmp_path / "report.jsonl"
    faceanon(
        *("blackbar", tmp_path / "table.png", tmp_path / "out.png"),
        *("--except", people, "--report", report),
    )
    faces = reported(report)["table.png"]["faces"]
    assert {face["match"]["person"] for face in faces if not face["hide"]} == {
        "ann",
        "dee",
    }
    after = read(tmp_path / "out.png")
    for face in faces:
        left, top, right, bottom = face["box"]
        where = slice(top, bottom), slice(left, right)
        assert changed(smaller, after, where) == pytest.approx(
            float(face["hide"]), abs=0.02
        )


def test_in_an_animation_each_track_is_decided_on(
    faceanon: Run, eileen: Path, tmp_path: Path
) -> None:
    pair = [
        PillowImage.fromarray(read(EXAMPLES / name)[:400, 50:400, ::-1])
        for name in ("astronaut.png", "grace_hopper.jpg")
    ]
    pair[0].save(
        tmp_path / "pair.png", save_all=True, append_images=pair[1:], duration=900
    )
    report = tmp_path / "report.jsonl"
    done = faceanon(
        *("blackbar", tmp_path / "pair.png", tmp_path / "out.png"),
        *("--except", eileen, "--report", report),
    )
    assert done.returncode == 0, done.stderr
    tracks = reported(report)["pair.png"]["tracks"]
    (shown,) = (track for track in tracks if not track["hide"])
    assert (shown["first"], shown["last"]) == (0, 0)
    assert shown["match"]["person"] == "eileen"
    hidden = [track["match"]["verdict"] for track in tracks if track["hide"]]
    assert "other" in hidden
    assert "same" not in hidden


def test_swap_puts_somebody_elses_face_on_the_named(
    faceanon: Run, eileen: Path, tmp_path: Path, curies: Image
) -> None:
    """Who fits best of the others is that somebody; the rest stay as they are."""
    man = read(EXAMPLES / "group.jpg")[350:1000, 1660:2245]
    three = np.hstack(
        [
            read(EXAMPLES / "astronaut.png")[:300, 100:350],
            cv2.resize(man, (270, 300), interpolation=cv2.INTER_AREA),
            curies[90:390, 180:440],
        ]
    )
    write_png(tmp_path / "three.png", three)
    report = tmp_path / "report.jsonl"
    done = faceanon(
        *("swap", tmp_path / "three.png", tmp_path / "out.png"),
        *("--only", eileen, "--report", report),
    )
    assert done.returncode == 0, done.stderr
    faces = reported(report)["three.png"]["faces"]
    faces.sort(key=lambda face: face["box"][0])
    assert [face["hide"] for face in faces] == [True, True, False]
    after = read(tmp_path / "out.png")
    before, now = embeddings(three, faces[:2]), embeddings(after, faces[:2])
    for own, other in ((0, 1), (1, 0)):
        assert now[own] @ before[other] > now[own] @ before[own] + 0.1
    for face in faces:
        left, top, right, bottom = face["box"]
        where = slice(top, bottom), slice(left, right)
        assert (changed(three, after, where) > 0.5) is face["hide"]
    assert (after[:, 520:] == three[:, 520:]).all()


def test_a_higher_similarity_hides_more(
    faceanon: Run, source: Path, marie: Path, tmp_path: Path
) -> None:
    shown = []
    for match in ("strict", "0.99"):
        done = faceanon(
            *("blackbar", source / "curies.png", tmp_path / f"{match}.png"),
            *("--except", marie, "--match", match),
        )
        assert done.returncode == 0, done.stderr
        shown.append("1 face shown" in done.stderr)
    assert shown == [True, False]


def test_another_circle_of_people_is_another_run(
    faceanon: Run, source: Path, marie: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert faceanon("blackbar", source, out, "--except", marie).returncode == 0
    again = faceanon("blackbar", source, out, "--except", marie)
    assert "2 already done" in again.stderr
    other = enrol(tmp_path / "other", marie=read(EXAMPLES / "grace_hopper.jpg"))
    refused = faceanon("blackbar", source, out, "--except", other)
    assert refused.returncode == 2
    assert "holds 2 pictures made with blackbar --accuracy fast --except" in " ".join(
        refused.stderr.split()
    )


# --- Reference pictures -------------------------------------------------------------


def test_people_says_what_is_wrong_with_each_picture(
    faceanon: Run, tmp_path: Path, curies: Image
) -> None:
    folder = tmp_path / "people" / "marie"
    folder.mkdir(parents=True)
    face = curies[MARIE]
    write_png(folder / "good.png", face)
    write_png(folder / "two.png", curies)
    write_png(folder / "small.png", cv2.resize(face, None, fx=0.25, fy=0.25))
    write_png(folder / "blurred.png", cv2.GaussianBlur(face, (0, 0), 6))
    write_png(folder / "cat.png", read(EXAMPLES / "cat.png"))
    write_png(folder / "side.png", curies[PIERRE])
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    enrol(tmp_path / "people", eileen=read(EXAMPLES / "astronaut.png"))
    done = faceanon("people", tmp_path / "people")
    assert done.returncode == 1
    said = dict(
        line.strip().split(": ", 1) for line in done.stdout.splitlines() if ": " in line
    )
    assert said["side.png"] == "refused: its face is turned away"
    assert said["marie"].startswith("1 good of 7")
    assert said["two.png"] == "refused: 2 faces are in it; crop it to one"
    assert said["small.png"] == "refused: its face is too small"
    assert said["blurred.png"] == "refused: its face is too blurred"
    assert said["cat.png"] == "refused: no face was found in it"
    assert said["broken.jpg"].startswith("refused: ")
    assert "eileen and marie" in done.stdout
    assert "well apart" in done.stdout


def test_people_who_look_like_one_are_named(
    faceanon: Run, tmp_path: Path, curies: Image
) -> None:
    enrol(tmp_path / "people", first=curies[MARIE], second=curies[MARIE])
    done = faceanon("people", tmp_path / "people")
    assert done.returncode == 0
    assert "CANNOT be told apart" in done.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ({}, "holds no picture"),
        ({"anna": {}}, "holds no picture"),
        ({"anna": {"cat.png": "cat.png"}}, "there is no good picture of anna"),
        (
            {"anna": {"1.png": "astronaut.png"}, "2.png": "astronaut.png"},
            "both pictures and folders",
        ),
        ("{}", "neither a folder"),
        ('{"schema": 9, "network": "", "persons": []}', "another version"),
    ],
)
def test_people_that_cannot_be_used_are_explained_before_anything_is_written(
    faceanon: Run, source: Path, tmp_path: Path, content: object, message: str
) -> None:
    path = tmp_path / "people"
    if isinstance(content, str):
        path.write_text(content)
    elif content is not None:
        lay_out(path, content)
    done = faceanon("blackbar", source, tmp_path / "out", "--except", path)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


def lay_out(folder: Path, content: object) -> None:
    folder.mkdir()
    assert isinstance(content, dict)
    for name, what in content.items():
        if isinstance(what, dict):
            lay_out(folder / name, what)
        else:
            (folder / name).write_bytes((EXAMPLES / what).read_bytes())


def test_contradictions_are_refused(faceanon: Run, source: Path, marie: Path) -> None:
    out = source.parent / "out"
    for arguments, message in (
        (("--only", marie, "--except", marie), "exclude each other"),
        (("--only", marie, "--match", "2"), "between 0 and 1"),
        (("--only", marie, "--detector", "haar"), "--detector haar"),
        (("--save-people", "file"), "--save-people"),
    ):
        done = faceanon("blackbar", source, out, *arguments)
        assert done.returncode == 2
        assert message in " ".join(done.stderr.split())
    assert not out.exists()


def test_names_may_hold_anything(
    faceanon: Run, source: Path, tmp_path: Path, curies: Image
) -> None:
    folder = tmp_path / "people"
    name = os.fsdecode(b"a\nb\x1b[31m\xff")
    enrol(folder, x=curies[MARIE])
    (folder / "x").rename(folder / name)
    saved, report = tmp_path / "saved", tmp_path / "report.jsonl"
    checked = faceanon("people", folder, "--save-people", saved)
    assert checked.returncode == 0, checked.stderr
    assert "a\\nb\\x1b[31m\\xff: 1 good of 1" in checked.stdout
    done = faceanon(
        *("blackbar", source, tmp_path / "out", "--only", saved, "--report", report)
    )
    assert done.returncode == 0, done.stderr
    (face,) = reported(report)["astronaut.png"]["faces"]
    # A report is Unicode: it shows what is none.
    assert face["match"]["person"] == r"a\nb\x1b[31m\xff"


# --- The file of people ---------------------------------------------------------------


def test_saved_people_are_private_and_do_as_well(
    faceanon: Run, source: Path, marie: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.json"
    done = faceanon(
        *("blackbar", source, tmp_path / "1", "--except", marie),
        *("--save-people", saved),
    )
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    again = faceanon("blackbar", source, tmp_path / "2", "--except", saved)
    assert again.returncode == 0, again.stderr
    for name in ("curies.png", "astronaut.png"):
        first, second = tmp_path / "1" / name, tmp_path / "2" / name
        assert first.read_bytes() == second.read_bytes()
    refused = faceanon("people", marie, "--save-people", saved)
    assert refused.returncode == 2
    assert "exists already" in refused.stderr


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry: entry.update(direction=[1.0]),
        lambda entry: entry.update(direction=[0.0] * 128),
        lambda entry: entry.update(direction=["1"] * 127 + [None]),
        lambda entry: entry.update(direction=[float("nan")] * 128),
        lambda entry: entry.update(name=7),
        lambda entry: entry.pop("pictures"),
    ],
)
def test_a_damaged_file_of_people_is_refused(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], object]
) -> None:
    person = Person.of("anna", [np.eye(128, dtype=np.float32)[3]])
    gallery.save(People((person,)), tmp_path / "good")
    assert gallery.read(tmp_path / "good").persons[0].direction[3] == 1
    document = json.loads((tmp_path / "good").read_text())
    spoil(document["persons"][0])
    (tmp_path / "bad").write_text(json.dumps(document))
    with pytest.raises(PeopleError, match="neither a folder"):
        gallery.read(tmp_path / "bad")


# --- Faces ----------------------------------------------------------------------------


def faces_in(image: Image) -> list[Face]:
    (faces,) = detection.make("centerface")([image])
    return sorted(faces, key=lambda face: face.box.left)


def selected(people: dict[str, Image]) -> Selection:
    """All but these people."""
    persons = []
    for name, image in people.items():
        seen = assess(image, faces_in(image)[0], ENROLMENT)
        assert seen.embedding is not None
        persons.append(Person.of(name, [seen.embedding]))
    return Selection(People(tuple(persons)), mode="except")


@pytest.mark.parametrize("angle", [0, 25, 90, 180])
@pytest.mark.parametrize("scale", [0.5, 1, 2.5])
def test_a_face_is_the_same_however_it_is_held(angle: int, scale: float) -> None:
    image = read(EXAMPLES / "astronaut.png")
    face = faces_in(image)[0]
    assert face.points is not None
    turn = cv2.getRotationMatrix2D((224, 120), angle, scale)
    turn[:, 2] += (400 - 224, 400 - 120)
    turned = cv2.warpAffine(image, turn, (800, 800))
    # Pixel centres have whole coordinates in OpenCV; those of Point lie at a half.
    points = five_points(turn @ (x - 0.5, y - 0.5, 1) + 0.5 for x, y in face.points)
    before, after = embed(aligned(image, face.points)), embed(aligned(turned, points))
    assert direction(before) @ direction(after) > 0.9


def test_only_the_more_similar_of_two_is_taken_for_a_person() -> None:
    image = read(EXAMPLES / "astronaut.png")[20:260, 120:340]
    sister = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    both = np.hstack([image, np.zeros_like(image)])
    both[60:180, 240:350] = sister
    faces = faces_in(both)
    assert len(faces) == 2
    selection = selected({"eileen": image})
    hidden, shown = split(compared(both, faces, selection), selection)
    assert [face.box.left < 220 for face in shown] == [True]
    (other,) = hidden
    assert other.match is not None
    assert other.match.similarity is not None
    assert other.match.similarity >= LEVELS["normal"].same
    assert other.match.verdict == "unsure"


def test_a_part_of_a_shown_face_does_not_cover_it(curies: Image) -> None:
    """Detectors sometimes take a half of a face for one more, without any doubt."""
    marie, pierre = faces_in(curies)
    box, points = marie.box, marie.points
    assert points is not None
    middle = (box.left + box.right) // 2
    right = Box(middle, box.top + 10, box.right, box.bottom - 10)
    seen_twice = Face(right, 0.8, points)
    eye, mouth = points[1], points[4]
    squeezed = Face(right, 0.8, (eye, eye, mouth, mouth, mouth))
    by_hand = Face(right, 1)
    beside = Face(Box(box.right - 20, box.top, box.right + 60, box.bottom), 0.8)
    selection = selected({"marie": curies[MARIE]})
    faces = [pierre, marie, seen_twice, squeezed, by_hand, beside]
    hidden, shown = split(compared(curies, faces, selection), selection)
    assert hidden[0].box == pierre.box
    assert [replace(face, match=None) for face in hidden[1:]] == [by_hand, beside]
    assert [face.box for face in shown] == [marie.box, right, right]


def test_a_face_before_a_shown_face_is_hidden(
    faceanon: Run, tmp_path: Path, eileen: Path
) -> None:
    """Somebody's portrait is held before her cheek or her chin."""
    plain = cv2.resize(read(EXAMPLES / "astronaut.png"), None, fx=2.5, fy=2.5)
    (face,) = faces_in(plain)
    other = read(EXAMPLES / "grace_hopper.jpg")
    (known,) = faces_in(other)
    portrait = other[known.box.grown(1.3).slices]
    source, out = tmp_path / "cards", tmp_path / "hidden"
    source.mkdir()
    pictures = {}
    for number, (share, x, y) in enumerate(
        (
            (0.3, 0.3, 0.65),
            (0.3, 0.5, 0.85),
            (0.3, 0.7, 0.6),
            (0.4, 0.5, 0.85),
            (0.4, 0.7, 0.6),
        )
    ):
        scale = share * face.box.width / known.box.width
        card = cv2.resize(
            portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
        )
        height, width = card.shape[:2]
        left = round(face.box.left + x * face.box.width - width / 2)
        top = round(face.box.top + y * face.box.height - height / 2)
        image = plain.copy()
        image[top : top + height, left : left + width] = card
        write_png(source / f"{number}.png", image)
        inner = slice(top + 8, top + height - 8), slice(left + 8, left + width - 8)
        pictures[f"{number}.png"] = image, inner
    done = faceanon("blackbar", source, out, "--except", eileen)
    assert done.returncode == 0, done.stderr
    eyes = slice(face.box.top, face.box.top + face.box.height // 4)
    for name, (image, inner) in pictures.items():
        after = read(out / name)
        assert changed(image, after, inner) > 0.9, name
        across = slice(face.box.left, face.box.right)
        assert changed(image, after, (eyes, across)) < 0.2, name


def test_a_face_seen_from_the_side_is_not_compared(curies: Image) -> None:
    marie, _ = faces_in(curies)
    assert marie.points is not None
    (left, top), right, _, *mouth = marie.points
    profile = five_points([(left, top), right, (left - 20, top + 30), *mouth])
    face = Face(marie.box, 0.9, profile)
    assert assess(curies, marie, PROBE).problem == ""
    assert assess(curies, face, PROBE).problem == "turned away"
    one_place = Face(marie.box, 0.9, five_points([(left, top)] * 5))
    assert assess(curies, one_place, PROBE).problem == "turned away"


def test_levels_grow_stricter() -> None:
    strict, normal, loose = (LEVELS[name] for name in ("strict", "normal", "loose"))
    assert strict.same > normal.same > loose.same
    assert strict.other < normal.other < loose.other
    assert all(level.other < level.same for level in LEVELS.values())
