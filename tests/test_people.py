"""Only these people, or everybody but them: who is hidden, and who is shown."""

import json
import os
import stat
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import Run
from faceanon import detectors
from faceanon.errors import PeopleError
from faceanon.model import Box, Face, Image
from faceanon.people import gallery
from faceanon.people.alignment import aligned
from faceanon.people.clarity import MET, REFERENCE, look
from faceanon.people.gallery import People, Person
from faceanon.people.recognition import split
from faceanon.people.selection import LEVELS, Selection
from support import EXAMPLES, read, write_png

# Where the faces of `couple` lie, and those of `group.jpg`.
GRACE, EILEEN = (slice(0, 400), slice(300, None)), (slice(60, 180), slice(80, 170))
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
    done, data = cv2.imencode(".jpg", darker, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def enrol(folder: Path, **pictures: Image) -> Path:
    """A folder of people, each of one picture."""
    for name, picture in pictures.items():
        (folder / name).mkdir(parents=True)
        write_png(folder / name / "1.png", another_shot(picture))
    return folder


def lines(path: Path) -> dict[str, dict]:
    parsed = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["picture"]: line for line in parsed}


def changed(before: Image, after: Image, where: tuple[slice, slice]) -> float:
    """Which share of the pixels of a place is another."""
    return float((before[where] != after[where]).any(axis=2).mean())


@pytest.fixture(scope="session")
def couple() -> Image:
    """Two people in one picture: Eileen to the left, Grace to the right."""
    eileen = read(EXAMPLES / "astronaut.png")[:400, 100:400]
    grace = read(EXAMPLES / "grace_hopper.jpg")
    width = round(grace.shape[1] * 400 / len(grace))
    return np.hstack([eileen, cv2.resize(grace, (width, 400))])


@pytest.fixture(scope="session")
def table() -> Image:
    return read(EXAMPLES / "group.jpg")


@pytest.fixture
def source(tmp_path: Path, couple: Image) -> Path:
    """Two pictures: a couple and somebody else, without loss, to compare exactly."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_png(folder / "couple.png", couple)
    write_png(folder / "astronaut.png", read(EXAMPLES / "astronaut.png"))
    return folder


@pytest.fixture
def grace(tmp_path: Path, couple: Image) -> Path:
    return enrol(tmp_path / "people", grace=couple[GRACE])


# --- Whom a run hides -------------------------------------------------------------


def test_everyone_but_the_named_is_hidden(
    faceanon: Run, source: Path, grace: Path, tmp_path: Path
) -> None:
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, out, "--except", grace, "--report", report)
    assert done.returncode == 0, done.stderr
    assert "2 faces hidden" in done.stderr
    assert "1 face shown" in done.stderr

    before, after = read(source / "couple.png"), read(out / "couple.png")
    ((left, top, right, bottom),) = (
        face["box"] for face in lines(report)["couple.png"]["faces"] if not face["hide"]
    )
    shown = slice(top, bottom), slice(left, right)
    assert changed(before, after, shown) == 0
    assert shown[1].start > GRACE[1].start
    astronaut = read(source / "astronaut.png"), read(out / "astronaut.png")
    assert changed(*astronaut, (slice(65, 175), slice(185, 265))) > 0.99
    match = {
        face["hide"]: face["match"] for face in lines(report)["couple.png"]["faces"]
    }
    assert match[False]["person"] == "grace"
    assert match[False]["verdict"] == "same"
    assert match[False]["similarity"] > 0.5
    assert match[True]["similarity"] < 0.25
    assert match[True]["verdict"] == "other"


def test_only_the_named_are_hidden(
    faceanon: Run, source: Path, grace: Path, tmp_path: Path
) -> None:
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, out, "--only", grace, "--report", report)
    assert done.returncode == 0, done.stderr
    assert "1 with nobody to hide (written as they are)" in done.stderr

    before, after = read(source / "couple.png"), read(out / "couple.png")
    (hidden,) = (
        face["box"] for face in lines(report)["couple.png"]["faces"] if face["hide"]
    )
    left, top, right, bottom = hidden
    assert changed(before, after, (slice(top, bottom), slice(left, right))) > 0.98
    assert changed(before, after, EILEEN) == 0
    astronaut = read(source / "astronaut.png")
    assert (read(out / "astronaut.png") == astronaut).all()
    assert lines(report)["astronaut.png"]["status"] == "nobody_hidden"


def test_a_person_who_is_nowhere_is_said_to_be_nowhere(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    pierre = read(EXAMPLES / "curies.jpg")[100:360, 200:440]
    stranger = enrol(tmp_path / "people", pierre=pierre)
    done = faceanon("pixelate", source, tmp_path / "out", "--only", stranger)
    assert done.returncode == 0, done.stderr
    summary = done.stderr.splitlines()[-1]
    assert "surely seen in none of these pictures: pierre" in summary
    assert "NOTHING WAS HIDDEN" in summary
    for name in ("couple.png", "astronaut.png"):
        assert (read(tmp_path / "out" / name) == read(source / name)).all()


@pytest.mark.parametrize("mode", ["--only", "--except"])
@pytest.mark.parametrize("spoil", ["blurred", "small"])
def test_a_face_that_cannot_be_told_is_hidden_in_both_modes(
    faceanon: Run, grace: Path, tmp_path: Path, couple: Image, mode: str, spoil: str
) -> None:
    picture = couple
    if spoil == "blurred":
        picture = cv2.GaussianBlur(couple, (0, 0), 8)
    else:
        picture = cv2.resize(
            couple, None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA
        )
    write_png(tmp_path / "spoilt.png", picture)
    report = tmp_path / "report.jsonl"
    faceanon(
        *("blackbar", tmp_path / "spoilt.png", tmp_path / "out.png"),
        *(mode, grace, "--report", report),
    )
    faces = lines(report)["spoilt.png"]["faces"]
    assert len(faces) == 2
    assert all(face["hide"] for face in faces)
    assert {face["match"]["reason"] for face in faces} == {f"too {spoil}"}


def test_a_box_without_points_is_hidden_with_except(
    faceanon: Run, source: Path, grace: Path, tmp_path: Path
) -> None:
    boxes, again = tmp_path / "boxes.jsonl", tmp_path / "by-hand.jsonl"
    faceanon("detect", source / "couple.png", "-o", boxes)
    line = json.loads(boxes.read_text())
    for face in line["faces"]:
        face["points"] = None
    again.write_text(json.dumps(line))
    hidden = {}
    for name in (boxes, again):
        out = tmp_path / f"{name.stem}.png"
        done = faceanon(
            *("blackbar", source / "couple.png", out),
            *("--except", grace, "--boxes", name),
        )
        assert done.returncode == 0, done.stderr
        hidden[name.stem] = changed(
            read(source / "couple.png"), read(out), (slice(0, 700), slice(0, 840))
        )
    assert hidden["by-hand"] > 1.5 * hidden["boxes"] > 0


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
    faces = lines(report)["table.png"]["faces"]
    assert {face["match"]["person"] for face in faces if not face["hide"]} == {
        "ann",
        "dee",
    }
    after = read(tmp_path / "out.png")
    for face in faces:
        left, top, right, bottom = face["box"]
        where = slice(top, bottom), slice(left, right)
        assert changed(smaller, after, where) == pytest.approx(
            int(face["hide"]), abs=0.02
        )


def test_swap_puts_somebody_elses_face_on_the_named(
    faceanon: Run, tmp_path: Path, table: Image
) -> None:
    people = enrol(tmp_path / "people", bob=table[AT_THE_TABLE["bob"]])
    smaller = cv2.resize(table, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    write_png(tmp_path / "table.png", smaller)
    report = tmp_path / "report.jsonl"
    done = faceanon(
        *("swap", tmp_path / "table.png", tmp_path / "out.png", "--seed", 1),
        *("--only", people, "--report", report),
    )
    assert done.returncode == 0, done.stderr
    faces = lines(report)["table.png"]["faces"]
    bob = [face for face in faces if face["match"]["verdict"] == "same"]
    assert [face["hide"] for face in bob] == [True]
    # Somebody had to lend a face; the others kept theirs.
    others = [face for face in faces if face["match"]["verdict"] == "other"]
    assert sum(face["hide"] for face in others) <= 1
    after = read(tmp_path / "out.png")
    for face in bob + [face for face in others if not face["hide"]]:
        left, top, right, bottom = face["box"]
        where = slice(top, bottom), slice(left, right)
        assert (changed(smaller, after, where) > 0.5) is face["hide"]


def test_a_higher_similarity_hides_more(
    faceanon: Run, source: Path, grace: Path, tmp_path: Path
) -> None:
    shown = []
    for match in ("loose", "normal", "strict", "0.99"):
        done = faceanon(
            *("blackbar", source / "couple.png", tmp_path / f"{match}.png"),
            *("--except", grace, "--match", match),
        )
        assert done.returncode == 0, done.stderr
        shown.append("1 face shown" in done.stderr)
    assert shown == [True, True, True, False]


def test_another_circle_of_people_is_another_run(
    faceanon: Run, source: Path, grace: Path, tmp_path: Path, couple: Image
) -> None:
    out = tmp_path / "out"
    assert faceanon("blackbar", source, out, "--except", grace).returncode == 0
    again = faceanon("blackbar", source, out, "--except", grace)
    assert "2 already done" in again.stderr
    eileen = read(EXAMPLES / "astronaut.png")
    other = enrol(tmp_path / "other", grace=eileen)
    refused = faceanon("blackbar", source, out, "--except", other)
    assert refused.returncode == 1
    assert "2 FAILED" in refused.stderr


# --- Reference pictures ----------------------------------------------------------


def test_people_says_what_is_wrong_with_each_picture(
    faceanon: Run, tmp_path: Path, couple: Image
) -> None:
    folder = tmp_path / "people" / "grace"
    folder.mkdir(parents=True)
    face = couple[GRACE]
    write_png(folder / "good.png", face)
    write_png(folder / "two.png", couple)
    write_png(folder / "small.png", cv2.resize(face, None, fx=0.25, fy=0.25))
    write_png(folder / "blurred.png", cv2.GaussianBlur(face, (0, 0), 6))
    write_png(folder / "cat.png", read(EXAMPLES / "cat.png"))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    enrol(tmp_path / "people", eileen=read(EXAMPLES / "astronaut.png"))
    done = faceanon("people", tmp_path / "people")
    assert done.returncode == 1
    said = dict(line.strip().split(": ", 1) for line in done.stdout.splitlines()[:7])
    assert said["grace"].startswith("1 good of 6")
    assert said["two.png"] == "refused: 2 faces are in it; crop it to one"
    assert said["small.png"] == "refused: its face is too small"
    assert said["blurred.png"] == "refused: its face is too blurred"
    assert said["cat.png"] == "refused: no face was found in it"
    assert said["broken.jpg"].startswith("refused: ")
    assert "eileen and grace" in done.stdout
    assert "well apart" in done.stdout


def test_people_who_look_like_one_are_named(
    faceanon: Run, tmp_path: Path, couple: Image
) -> None:
    enrol(tmp_path / "people", first=couple[GRACE], second=couple[GRACE])
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


def test_contradictions_are_refused(faceanon: Run, source: Path, grace: Path) -> None:
    out = source.parent / "out"
    for arguments, message in (
        (("--only", grace, "--except", grace), "exclude each other"),
        (("--only", grace, "--match", "2"), "between 0 and 1"),
        (("--only", grace, "--detector", "haar"), "--detector haar"),
        (("--save-people", "file"), "--save-people"),
    ):
        done = faceanon("blackbar", source, out, *arguments)
        assert done.returncode == 2
        assert message in " ".join(done.stderr.split())
    assert not out.exists()


def test_names_may_hold_anything(
    faceanon: Run, source: Path, tmp_path: Path, couple: Image
) -> None:
    folder = tmp_path / "people"
    name = os.fsdecode(b"a\nb\x1b[31m\xff")
    enrol(folder, x=couple[GRACE])
    (folder / "x").rename(folder / name)
    saved, report = tmp_path / "saved", tmp_path / "report.jsonl"
    checked = faceanon("people", folder, "--save-people", saved)
    assert checked.returncode == 0, checked.stderr
    assert "a\\nb\\x1b[31m\\xff: 1 good of 1" in checked.stdout
    done = faceanon(
        *("blackbar", source, tmp_path / "out", "--only", saved, "--report", report)
    )
    assert done.returncode == 0, done.stderr
    persons = {f["match"]["person"] for f in lines(report)["couple.png"]["faces"]}
    assert persons == {name}


# --- The file of people ----------------------------------------------------------


def test_saved_people_are_private_and_do_as_well(
    faceanon: Run, source: Path, grace: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.json"
    done = faceanon(
        *("blackbar", source, tmp_path / "1", "--except", grace),
        *("--save-people", saved),
    )
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    again = faceanon("blackbar", source, tmp_path / "2", "--except", saved)
    assert again.returncode == 0, again.stderr
    for name in ("couple.png", "astronaut.png"):
        first, second = tmp_path / "1" / name, tmp_path / "2" / name
        assert first.read_bytes() == second.read_bytes()
    refused = faceanon("people", grace, "--save-people", saved)
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
def test_a_damaged_file_of_people_is_refused(tmp_path: Path, spoil) -> None:
    person = Person.of("anna", [np.eye(128, dtype=np.float32)[3]])
    gallery.save(People((person,)), tmp_path / "good")
    assert gallery.read(tmp_path / "good").persons[0].direction[3] == 1
    document = json.loads((tmp_path / "good").read_text())
    spoil(document["persons"][0])
    (tmp_path / "bad").write_text(json.dumps(document))
    with pytest.raises(PeopleError, match="neither a folder"):
        gallery.read(tmp_path / "bad")


# --- Faces -----------------------------------------------------------------------


def faces_in(image: Image) -> list[Face]:
    return sorted(detectors.make("centerface")(image), key=lambda face: face.box.left)


def selected(people: dict[str, Image], **options: object) -> Selection:
    persons = []
    for name, image in people.items():
        seen = look(image, faces_in(image)[0], REFERENCE)
        assert seen.embedding is not None
        persons.append(Person.of(name, [seen.embedding]))
    return Selection(People(tuple(persons)), **options)


@pytest.mark.parametrize("angle", [0, 25, 90, 180])
@pytest.mark.parametrize("scale", [0.35, 1, 2.5])
def test_a_face_is_the_same_however_it_is_held(angle: int, scale: float) -> None:
    image = read(EXAMPLES / "astronaut.png")
    face = faces_in(image)[0]
    assert face.points is not None
    turn = cv2.getRotationMatrix2D((225, 120), angle, scale)
    turn[:, 2] += (scale - 1) * np.array([225, 120]) + 60
    finest = cv2.GaussianBlur(image, (0, 0), 0.5 / scale) if scale < 1 else image
    turned = cv2.warpAffine(finest, turn, (900, 700))
    # Pixel centres have whole coordinates in OpenCV; those of points lie at a half.
    points = tuple(tuple(turn @ (x - 0.5, y - 0.5, 1) + 0.5) for x, y in face.points)
    before, after = aligned(image, face.points), aligned(turned, points)
    # Inside: the corners may have lain outside of the picture.
    difference = np.abs(before[20:100, 20:92].astype(int) - after[20:100, 20:92])
    assert difference.mean() < 9


def test_only_the_more_similar_of_two_is_taken_for_a_person() -> None:
    image = read(EXAMPLES / "astronaut.png")[20:260, 120:340]
    sister = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    both = np.hstack([image, np.zeros_like(image)])
    both[60:180, 240:350] = sister
    faces = faces_in(both)
    assert len(faces) == 2
    selection = selected({"eileen": image}, mode="except")
    hidden, shown = split(both, faces, selection)
    assert [face.box.left < 220 for face in shown] == [True]
    (other,) = hidden
    assert other.match is not None
    assert other.match.similarity >= LEVELS["normal"].same
    assert other.match.verdict == "unsure"


def test_a_part_of_a_shown_face_does_not_cover_it(couple: Image) -> None:
    """Detectors sometimes take a half of a face for one more, without any doubt."""
    eileen, grace = faces_in(couple)
    box = grace.box
    middle = (box.left + box.right) // 2
    half = Face(Box(middle, box.top + 10, box.right, box.bottom - 10), 0.8)
    beside = Face(Box(box.right - 20, box.top, box.right + 60, box.bottom), 0.8)
    selection = selected({"grace": couple[GRACE]}, mode="except")
    hidden, shown = split(couple, [eileen, grace, half, beside], selection)
    assert [face.box for face in hidden] == [eileen.box, beside.box]
    assert [face.box for face in shown] == [grace.box, half.box]


def test_a_face_seen_from_the_side_is_not_compared(couple: Image) -> None:
    _, grace = faces_in(couple)
    assert grace.points is not None
    (left, top), right, _, *mouth = grace.points
    profile = (left, top), right, (left - 20, top + 30), *mouth
    face = Face(grace.box, 0.9, profile)
    assert look(couple, grace, MET).problem == ""
    assert look(couple, face, MET).problem == "turned away"
    one_place = Face(grace.box, 0.9, ((left, top),) * 5)
    assert look(couple, one_place, MET).problem == "turned away"


def test_levels_grow_stricter() -> None:
    strict, normal, loose = (LEVELS[name] for name in ("strict", "normal", "loose"))
    assert strict.same > normal.same > loose.same
    assert strict.other < normal.other < loose.other
    assert all(level.other < level.same for level in LEVELS.values())
