"""Detect, correct, hide: box files through the command, and what they refuse."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Run
from dataset_files import ASTRONAUT, CAT, write_tar
from faceanon import boxes
from faceanon.boxes import Record
from faceanon.errors import BoxesError
from faceanon.model import Box, Face
from support import ASTRONAUT_FACE, EXAMPLES, digest, lines, read

pixels = st.integers(-(2**20), 2**20)
coordinates = st.floats(-1e4, 1e4).map(lambda number: round(number, 2))
point = st.tuples(coordinates, coordinates)
faces = st.builds(
    lambda left, top, width, height, score, points, by: Face(
        Box(left, top, left + width, top + height), round(score, 4), points, by
    ),
    pixels,
    pixels,
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.floats(0, 1),
    st.none() | st.tuples(point, point, point, point, point),
    st.text(max_size=8),
)
several = st.lists(faces, max_size=4).map(tuple)
records = st.builds(
    Record,
    picture=st.text(st.characters(exclude_categories=()), min_size=1, max_size=20),
    width=st.integers(1, 10**6),
    height=st.integers(1, 10**6),
    content=st.sampled_from(["", "0f" * 16]),
    hidden=several,
    shown=several,
    reviewed=st.booleans(),
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "album").mkdir(parents=True)
    shutil.copy(EXAMPLES / "astronaut.png", folder)
    shutil.copy(EXAMPLES / "curies.jpg", folder / "album")
    shutil.copy(EXAMPLES / "cat.png", folder)
    return folder


@settings(deadline=None)
@given(records)
def test_a_record_comes_back_from_its_line(record: Record) -> None:
    line = boxes.to_line(record)
    assert line.isascii()
    assert "\n" not in line
    assert boxes.from_line(line) == record


@settings(deadline=None)
@given(st.lists(records, max_size=4, unique_by=lambda record: record.picture))
def test_what_is_to_be_hidden_comes_back_from_coco(several: list[Record]) -> None:
    document = json.loads(json.dumps(boxes.to_coco(several)))
    again = list(boxes.from_coco(document))
    assert [r.picture for r in again] == [r.picture for r in several]
    assert [[f.box for f in r.hidden] for r in again] == [
        [f.box for f in r.hidden] for r in several
    ]


junk = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["schema", "picture", "faces", "box", "images", "hide"]),
            inner,
        )
    ),
)


@settings(deadline=None, max_examples=200)
@given(junk)
def test_junk_is_refused_and_never_crashes(data: object) -> None:
    text = json.dumps(data)
    with pytest.raises(BoxesError):
        boxes.from_line(text)
    with pytest.raises(BoxesError):
        list(boxes.from_coco(json.loads(text)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema 2"),
        ({"width": "wide"}, "'wide' is not a number"),
        ({"faces": [{"box": [1, 2, 1, 5], "hide": True}]}, "an empty box"),
        ({"faces": [{"box": [1, 2, 3, 1e300], "hide": True}]}, "not a number"),
        ({"faces": [{"box": [1, 2, 3, 5]}]}, "'hide' is missing"),
        ({"faces": [{"box": [1, 2, 3, 5], "hide": "yes"}]}, '"hide" must be'),
    ],
)
def test_a_wrong_line_is_named(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    good = json.loads(boxes.to_line(Record("a.jpg", 10, 10)))
    path = tmp_path / "boxes.jsonl"
    path.write_text(json.dumps(good) + "\n" + json.dumps({**good, **change}) + "\n")
    with pytest.raises(BoxesError, match=r"boxes.jsonl: line 2: ") as error:
        boxes.read(path)
    assert message in str(error.value)


def test_a_box_file_that_is_written_anew_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "boxes.jsonl"
    for mode in (0o600, 0o664):
        path.touch()
        path.chmod(mode)
        boxes.write(path, [Record("a.jpg", 10, 10)])
        assert path.stat().st_mode & 0o777 == mode
    assert boxes.read(path).keys() == {"a.jpg"}


def test_the_last_line_of_a_picture_counts(tmp_path: Path) -> None:
    path = tmp_path / "boxes.jsonl"
    first = Record("a.jpg", 10, 10, hidden=(Face(Box(0, 0, 5, 5), 1.0),))
    second = Record("a.jpg", 10, 10)
    path.write_text(boxes.to_line(first) + "\n" + boxes.to_line(second) + "\n")
    assert boxes.read(path) == {"a.jpg": second}


def test_detecting_and_then_hiding_is_hiding_at_once(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    for form in ("jsonl", "coco"):
        file = tmp_path / form
        found = faceanon("detect", source, "--output", file, "--format", form)
        assert found.returncode == 0, found.stderr
        assert faceanon("blackbar", source, tmp_path / f"by-{form}", "--boxes", file)
    faceanon("blackbar", source, tmp_path / "at-once")
    for name in ("astronaut.png", "cat.png", "album/curies.jpg"):
        expected = (tmp_path / "at-once" / name).read_bytes()
        assert (tmp_path / "by-jsonl" / name).read_bytes() == expected
        assert (tmp_path / "by-coco" / name).read_bytes() == expected


def test_exactly_what_the_file_tells_is_hidden(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    file = tmp_path / "boxes.jsonl"
    drawn = Face(Box(300, 300, 400, 420), 1.0, found_by="hand")
    picture = source / "astronaut.png"
    record = Record(
        "astronaut.png",
        512,
        512,
        digest(picture),
        hidden=(drawn,),
    )
    boxes.write(file, [record])
    out = tmp_path / "out.png"
    report = tmp_path / "report.jsonl"
    options = ("--grow", 1, "--boxes", file)
    done = faceanon("blackbar", picture, out, *options, "--report", report)
    assert done.returncode == 0, done.stderr
    changed = (read(out) != read(picture)).any(axis=2)
    assert (read(out)[drawn.box.slices] == 0).all()
    changed[drawn.box.slices] = False
    assert not changed.any()
    (face,) = lines(report)[0]["faces"]
    assert face["found_by"] == "hand"

    faceanon("blackbar", picture, out, *options, "--also-detect", "--overwrite")
    both = read(out)
    assert (both[drawn.box.slices] == 0).all()
    assert (both[90:150, 200:250] == 0).all()


@pytest.mark.parametrize(
    ("frame", "box", "reason"),
    [
        (None, Box(600, 600, 700, 700), "lies outside of the picture"),
        (None, Box(-90, 10, 0, 50), "lies outside of the picture"),
        (1, Box(10, 10, 90, 90), "in frame 1, and there are only 1"),
        (-1, Box(10, 10, 90, 90), "in frame -1"),
    ],
)
def test_a_box_that_can_hide_nothing_fails_by_name(
    faceanon: Run, tmp_path: Path, frame: int | None, box: Box, reason: str
) -> None:
    picture, out = EXAMPLES / "astronaut.png", tmp_path / "out.png"
    faces = (ASTRONAUT_FACE, Face(box, 1.0, frame=frame))
    boxes.write(tmp_path / "boxes", [Record(picture.name, 512, 512, hidden=faces)])
    for more in ((), ("--also-detect",)):
        done = faceanon("blackbar", picture, out, "--boxes", tmp_path / "boxes", *more)
        assert done.returncode == 1
        assert f"{picture}: the box file has a box at" in done.stderr
        assert reason in done.stderr
        assert not out.exists()


def test_a_box_counts_in_its_own_page(faceanon: Run, tmp_path: Path) -> None:
    source, out = tmp_path / "pages.tif", tmp_path / "out.tif"
    with tifffile.TiffWriter(source) as writer:
        for side in (100, 300):
            writer.write(np.full((side, side), 90, np.uint8))
    record = Record("pages.tif", 100, 100)
    for frame, in_second in ((1, True), (None, True), (0, False)):
        face = Face(Box(200, 200, 250, 250), 1.0, frame=frame)
        boxes.write(tmp_path / "boxes", [replace(record, hidden=(face,))])
        options = ("--boxes", tmp_path / "boxes", "--overwrite")
        done = faceanon("blackbar", source, out, *options)
        assert done.returncode == (0 if in_second else 1), done.stderr
        if in_second:
            with tifffile.TiffFile(out) as file:
                first, second = (page.asarray() for page in file.pages)
            assert (first == 90).all()
            assert not second[200:250, 200:250].any()


def test_a_picture_that_has_changed_since_fails_alone(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    file = tmp_path / "boxes.jsonl"
    faceanon("detect", source, "-o", file)
    shutil.copy(EXAMPLES / "curies_orientation6.jpg", source / "album" / "curies.jpg")
    shutil.copy(EXAMPLES / "grace_hopper.jpg", source)
    done = faceanon("blackbar", source, tmp_path / "out", "--boxes", file)
    assert done.returncode == 1
    told = {
        Path(line.split(": ")[0]).name: line
        for line in done.stderr.splitlines()
        if ": " in line
    }
    assert "changed since" in told["curies.jpg"]
    assert "this picture is not in the box file" in told["grace_hopper.jpg"]
    written = {p.name for p in (tmp_path / "out").rglob("*.*g")}
    assert written == {"astronaut.png", "cat.png"}

    options = ("--boxes", file, "--also-detect", "--overwrite")
    done = faceanon("blackbar", source, tmp_path / "out", *options)
    # Faces are looked for where the box file does not speak of the picture.
    assert "curies.jpg: " in done.stderr
    assert "grace_hopper.jpg" not in done.stderr
    hopper = read(tmp_path / "out" / "grace_hopper.jpg")
    assert (hopper != read(source / "grace_hopper.jpg")).mean() > 0.01


def test_a_box_file_is_not_replaced_unasked_and_needs_to_be_one(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    file = tmp_path / "boxes.jsonl"
    file.write_text("something dear")
    done = faceanon("detect", source, "--output", file)
    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert file.read_text() == "something dear"
    done = faceanon("blur", source, tmp_path / "out", "--boxes", file)
    assert done.returncode == 2
    assert "line 1: not a line of a box file" in done.stderr
    done = faceanon("blur", source, tmp_path / "out", "--also-detect")
    assert done.returncode == 2


def test_other_boxes_are_other_settings(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    """A rerun with a corrected box file must not pass over the corrected picture."""
    file, out = tmp_path / "boxes.jsonl", tmp_path / "out"
    faceanon("detect", source, "-o", file)
    faceanon("blackbar", source, out, "--boxes", file)
    corrected = boxes.read(file)
    corrected["cat.png"] = Record(
        "cat.png",
        corrected["cat.png"].width,
        corrected["cat.png"].height,
        hidden=(Face(Box(10, 10, 90, 90), 1.0),),
    )
    boxes.write(file, corrected.values())
    done = faceanon("blackbar", source, out, "--boxes", file)
    assert done.returncode == 1
    assert "2 already done" in done.stderr
    assert "cat.png exists already" in done.stderr


def test_preview_draws_boxes_and_hides_nothing(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    done = faceanon("preview", source, tmp_path / "out")
    assert done.returncode == 0
    assert "2 with faces" in done.stderr
    before = read(source / "astronaut.png").astype(int)
    after = read(tmp_path / "out" / "astronaut.png").astype(int)
    changed = np.abs(after - before).max(axis=2) > 0
    assert 0.001 < changed.mean() < 0.05


def test_the_run_names_the_pictures_that_somebody_should_look_at(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    listed = tmp_path / "to check.txt"
    options = ("--min-score", 1, "--report", report, "--list-unsure", listed)
    for _ in ("at first", "when it is done already"):
        done = faceanon("blackbar", source, tmp_path / "out", *options)
        assert f"to check by eye: {source / 'astronaut.png'}" in done.stderr
        assert "astronaut.png" in listed.read_text().splitlines()
        assert "cat.png" not in listed.read_text()
    first = lines(report)[: len(list(source.iterdir()))]
    told = {line["picture"]: line for line in first}
    assert told["astronaut.png"]["to_check"]
    assert told["astronaut.png"]["unsure"]
    assert not any(line["faces"] for line in told.values())


def coco(*images: dict[str, object], faces: dict[int, list[int]]) -> str:
    annotations = [
        {"id": number, "image_id": image, "category_id": 1, "bbox": box}
        for number, (image, box) in enumerate(faces.items())
    ]
    return json.dumps({"images": images, "annotations": annotations})


def test_entries_that_meet_no_picture_fail_by_name(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    found, out = tmp_path / "boxes.jsonl", tmp_path / "out"
    assert faceanon("detect", source, "-o", found).returncode == 0
    right = found.read_text()
    found.write_text(right.replace('"astronaut.png"', '"images/astronaut.png"'))
    options = ("--boxes", found, "--also-detect")
    done = faceanon("blackbar", source, out, *options)
    assert done.returncode == 1
    (line,) = (x for x in done.stderr.splitlines() if "images/astronaut.png" in x)
    assert "no picture in INPUT is called so" in line
    assert "1 FAILED" in done.stderr
    assert len([path for path in out.rglob("*.*") if path.suffix != ".db"]) == 3
    # A part of INPUT does not meet all of them, and need not.
    found.write_text(right)
    part = ("--exclude", "cat.png")
    done = faceanon("blackbar", source, tmp_path / "part", "--boxes", found, *part)
    assert done.returncode == 0, done.stderr
    one = ("blackbar", source / "cat.png", tmp_path / "cat.png")
    assert faceanon(*one, "--boxes", found).returncode == 0


def test_entries_of_members_are_met_in_their_data_set(
    faceanon: Run, tmp_path: Path
) -> None:
    source, found = tmp_path / "in", tmp_path / "boxes.jsonl"
    source.mkdir()
    write_tar(source / "a.tar", {"1.png": ASTRONAUT, "2.png": CAT})
    assert faceanon("detect", source, "-o", found).returncode == 0
    command = ("blackbar", source, tmp_path / "out", "--boxes", found)
    for _ in range(2):  # the second time it is done already
        done = faceanon(*command)
        assert done.returncode == 0, done.stderr
    line = found.read_text().splitlines()[0]
    found.write_text(found.read_text() + line.replace("/1.png", "/3.png") + "\n")
    done = faceanon(*command[:2], tmp_path / "again", *command[3:])
    assert done.returncode == 1
    assert "a.tar/3.png: the box file tells of it" in done.stderr


def test_two_entries_of_a_picture_in_a_coco_file_count_together(
    faceanon: Run, tmp_path: Path
) -> None:
    size: dict[str, object] = {"file_name": "a.png", "width": 512, "height": 512}
    source, found = tmp_path / "in", tmp_path / "boxes.json"
    source.mkdir()
    shutil.copy(EXAMPLES / "astronaut.png", source / "a.png")
    faces = {1: [180, 60, 90, 120], 7: [10, 400, 60, 60]}
    found.write_text(coco({**size, "id": 1}, {**size, "id": 7}, faces=faces))
    out = tmp_path / "out"
    assert faceanon("blackbar", source, out, "--boxes", found).returncode == 0
    after = read(out / "a.png")
    for left, top, width, height in faces.values():
        assert after[top : top + height, left : left + width].max() == 0
    other = {**size, "width": 300, "id": 7}
    found.write_text(coco({**size, "id": 1}, other, faces=faces))
    done = faceanon("blackbar", source, tmp_path / "no", "--boxes", found)
    assert done.returncode == 2
    assert "two entries of a.png differ" in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_box_files_are_read_in_what_windows_writes(
    tmp_path: Path, encoding: str
) -> None:
    record = Record("b\xfccher/a.png", 9, 9, hidden=(Face(Box(1, 1, 3, 3), 1.0),))
    path = tmp_path / "boxes.jsonl"
    line = boxes.to_line(record)
    path.write_bytes((line + "\n").encode(encoding))
    assert boxes.read(path) == {record.picture: record}
    path.write_bytes(b"\xff\xfe\xff\xdd")
    with pytest.raises(BoxesError, match="save it as UTF-8"):
        boxes.read(path)
