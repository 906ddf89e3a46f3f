"""Box files of films: tracks and times, spans of frames, and the forms of others."""

import json
import tracemalloc
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from conftest import Run
from faceanon import boxes
from faceanon.boxes import BoxesFormat, FaceTable, FrameTimes, Gap, Record, TrackFacts
from faceanon.errors import BoxesError
from faceanon.model import Box, Face
from support import EXAMPLES, digest, read

CONTENT = "0f" * 16
TONES = {2: (0.1, 1 / 3, 0.7), 5: (0.0, 1.0, 0.123456789)}


def face(
    frame: int | None, track: int | None = 2, left: int = 10, by: str = "centerface"
) -> Face:
    tone = TONES.get(track) if track is not None else None
    box = Box(left, 20, left + 30, 60)
    return Face(box, 0.875, None, by, frame, track=track, tone=tone)


def film(
    *hidden: Face, shown: tuple[Face, ...] = (), count: int | None = 100
) -> Record:
    return Record(
        "clip.mp4",
        640,
        480,
        CONTENT,
        FaceTable.of(hidden),
        FaceTable.of(shown),
        frame_count=count,
    )


def crowd(faces: int, frames: int) -> FaceTable:
    """A table of many faces, as quick as arrays are."""
    rng = np.random.default_rng(0)
    corner = rng.integers(0, 400, (faces, 2))
    return FaceTable(
        (np.arange(faces) * frames // faces).astype(np.int32),
        np.concatenate([corner, corner + 40], 1).astype(np.int32),
        rng.random(faces).round(4).astype(np.float32),
        (rng.random((faces, 5, 2)) * 400).round(2).astype(np.float32),
        (np.arange(faces) % 7).astype(np.int32),
        rng.integers(0, 3, faces).astype(np.uint8),
        ("centerface", "weak", "between"),
        {number: TrackFacts((0.5, 0.25, number / 7)) for number in range(7)},
    )


def saved(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "boxes.jsonl"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def only(path: Path, name: str = "") -> Record:
    (record,) = boxes.read(path, name).values()
    return record


# --- JSON Lines ----------------------------------------------------------------

points = st.tuples(*[st.tuples(*[st.integers(-999, 9999).map(float)] * 2)] * 5)
film_faces = st.builds(
    lambda side, frame, track, by, spots, hundredths: replace(
        face(frame, track, side, by), points=spots, score=hundredths / 100
    ),
    st.integers(-(2**20), 2**20),
    st.none() | st.integers(0, 40),
    st.none() | st.sampled_from([0, 2, 5]),
    st.sampled_from(["weak", "between", "held", "hand", "\u00fc"]),
    st.none() | points,
    st.integers(0, 100),
)
several = st.lists(film_faces, max_size=12)


@settings(deadline=None)
@given(several, several, st.booleans(), st.booleans())
def test_a_film_comes_back_exactly(
    hidden: list[Face], shown: list[Face], reviewed: bool, has_times: bool
) -> None:
    record = replace(film(*hidden, shown=tuple(shown), count=41), reviewed=reviewed)
    pts = np.arange(41, dtype=np.int64) ** 2 * 1001 - 7
    times = FrameTimes.of_all(pts, Fraction(1, 30000))
    if has_times:
        record = replace(record, times=times)
    (line,) = boxes.to_lines(record)
    assert line.isascii()
    again = boxes.from_line(line)
    assert replace(again, times=None) == replace(record, times=None)
    told = {f.frame for f in (*hidden, *shown) if f.frame is not None}
    known = {number: times[number] for number in told} if has_times else {}
    assert dict(again.times or {}) == known
    assert list(boxes.to_lines(again)) == [line]


def test_a_long_film_is_several_lines_of_bounded_length(tmp_path: Path) -> None:
    hidden = crowd(5200, 90)
    packed = np.full(2500, 17, np.int32)  # one frame alone has more than a line
    shown = replace(crowd(2500, 90), frames=packed)
    times = FrameTimes.of_all(np.arange(95, dtype=np.int64) * 40, Fraction(1, 1000))
    record = replace(
        film(count=95), hidden=hidden, shown=shown, times=times, unsure=crowd(9, 90)
    )
    path = tmp_path / "boxes.jsonl"
    boxes.write(path, [record, Record("a.jpg", 9, 9)])
    lines = [json.loads(line) for line in path.read_text().splitlines()][:-1]
    assert all(
        len(line["faces"]) <= 1000 or line["frames"][0] == line["frames"][1] == 17
        for line in lines
    )
    spans = [line["frames"] for line in lines]
    assert spans[0][0] == 0
    assert spans[-1][1] == 94
    assert all(one[1] + 1 == two[0] for one, two in pairwise(spans))
    for line in lines:
        assert line["picture"] == "clip.mp4"
        for each in line["faces"]:
            assert line["frames"][0] <= each["frame"] <= line["frames"][1]
            assert Fraction(each["pts"]) == Fraction(each["frame"], 25)
    # What holds of a track is told once.
    assert [sorted(line.get("tracks", {})) for line in lines] == [
        [str(number) for number in range(7)],
        *[[]] * (len(lines) - 1),
    ]
    read = boxes.read(path)
    assert read.keys() == {"clip.mp4", "a.jpg"}
    again = read["clip.mp4"]
    assert again.hidden == hidden
    assert len(again.shown) == 2509
    assert dict(again.times or {}) == {n: times[n] for n in range(90)}
    assert again.frame_count == 95
    second = tmp_path / "again.jsonl"
    boxes.write(second, read.values())
    assert second.read_bytes() == path.read_bytes()


def test_a_film_is_read_and_written_without_an_object_a_face(tmp_path: Path) -> None:
    count = 30_000
    path = tmp_path / "boxes.jsonl"
    record = replace(film(count=9000), hidden=crowd(count, 9000))
    tracemalloc.start()
    try:
        boxes.write(path, [record])
        _, of_writing = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        again = only(path)
        _, of_reading = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert again.hidden == record.hidden
    # An object with its points takes more than 1,000 bytes; a row of a table 69, which
    # are there twice for a moment.
    assert of_writing < 200 * count
    assert of_reading < 350 * count


def line_of(
    first: int, last: int, *faces: Face, tracks: object = None, **more: object
) -> str:
    (text,) = boxes.to_lines(film(*faces, count=last + 1))
    line = {**json.loads(text), "frames": [first, last], **more}
    return json.dumps(line if tracks is None else {**line, "tracks": tracks})


def test_a_later_line_replaces_the_frames_of_which_it_tells(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        line_of(0, 49, face(3), face(48), face(None, None, 90)),
        line_of(50, 99, face(50), face(70)),
        line_of(40, 59, face(44, 5), face(58)),
    )
    record = only(path)
    assert record.hidden == FaceTable.of(
        [face(None, None, 90), face(3), face(44, 5), face(58), face(70)]
    )
    assert record.frame_count == 100
    # A face of all frames goes when the frames of its line are all told anew.
    path = saved(tmp_path, *path.read_text().splitlines(), line_of(0, 49))
    assert [each.frame for each in only(path).hidden] == [58, 70]
    # The same film that was detected again, and a line without frames: all is new.
    other = "f0" * 16
    path = saved(
        tmp_path,
        line_of(0, 99, face(3)),
        line_of(0, 9, face(4), content=other),
    )
    assert [each.frame for each in only(path).hidden] == [4]
    assert only(path).frame_count == 10
    whole = json.loads(line_of(0, 9, face(5)))
    del whole["frames"]
    path = saved(tmp_path, line_of(0, 99, face(3)), json.dumps(whole))
    record = only(path)
    assert [each.frame for each in record.hidden] == [5]
    assert record.frame_count is None
    # Of a line of all frames, a part can be corrected.
    path = saved(tmp_path, json.dumps(whole), line_of(5, 5, face(5), face(5, 5)))
    record = only(path)
    assert [each.track for each in record.hidden] == [2, 5]
    assert record.frame_count is None


def test_a_film_is_reviewed_when_all_of_it_is(tmp_path: Path) -> None:
    path = saved(tmp_path, line_of(0, 9), line_of(10, 19, reviewed=True))
    assert not only(path).reviewed
    path = saved(tmp_path, *path.read_text().splitlines(), line_of(0, 9, reviewed=True))
    assert only(path).reviewed


def test_faces_with_tracks_and_without_come_as_table_and_as_tuple(
    tmp_path: Path,
) -> None:
    page = Face(Box(1, 2, 3, 4), 1.0, frame=1)
    path = tmp_path / "boxes.jsonl"
    tracked = replace(film(face(0), count=None), picture="film.gif")
    boxes.write(path, [Record("pages.tif", 9, 9, hidden=(page,)), tracked])
    read = boxes.read(path)
    assert read["pages.tif"].hidden == (page,)
    assert read["film.gif"] == tracked
    assert isinstance(read["film.gif"].hidden, FaceTable)


def test_many_faces_of_a_film_of_unknown_length_come_back(tmp_path: Path) -> None:
    path = tmp_path / "boxes.jsonl"
    record = replace(film(count=None), hidden=crowd(2500, 100))
    boxes.write(path, [record])
    lines = path.read_text().splitlines()
    assert len(lines) > 2
    assert only(path) == record


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (line_of(0, 9, face(12)), "in frame 12, and the line is of frames 0 to 9"),
        (line_of(0, 9, frames=[9, 3]), '"frames" must be the first and the last'),
        (line_of(0, 9, tracks={"2": {"tone": [0, 0, 9]}}), "is no colour"),
        (
            line_of(0, 9, face(1)).replace('"frame": 1', '"frame": -3'),
            "in frame -3, and the line is of frames",
        ),
        (line_of(0, 9, face(1)).replace('"track": 2', '"track": -2'), "track -2"),
        (line_of(0, 9, face(1)).replace('"track"', '"pts": "1.5", "track"'), "no time"),
        (line_of(0, 9, face(1)).replace('"track"', '"pts": "1/0", "track"'), "no time"),
        (line_of(0, 9, face(1))[:-40], "not a line of a box file"),
    ],
)
def test_a_wrong_line_of_a_film_is_named(
    tmp_path: Path, line: str, message: str
) -> None:
    path = saved(tmp_path, line_of(10, 19), "", line)
    with pytest.raises(BoxesError, match=r"boxes\.jsonl: line 3: ") as error:
        boxes.read(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_film_of_which_lines_are_missing_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, line_of(0, 9), line_of(20, 29))
    with pytest.raises(BoxesError, match=r"no line tells of the frames 10 to 19 of cl"):
        boxes.read(path)
    prime = "".join(
        line_of(0, 999, face(n)).replace('"track"', f'"pts": "1/{d}", "track"') + "\n"
        for n, d in enumerate((10**17 + 3, 10**17 + 13))
    )
    path.write_text(
        prime.replace('"frames": [0', '"frames": [1').replace("[1", "[0", 1)
    )
    with pytest.raises(BoxesError, match="too many different denominators"):
        boxes.read(path)


def write_animation(path: Path, frames: int = 3) -> Path:
    with PillowImage.open(EXAMPLES / "astronaut.png") as photo:
        small = photo.convert("RGB").resize((256, 256))
    moved = [small.rotate(0, translate=(9 * number, 0)) for number in range(frames)]
    moved[0].save(
        path, save_all=True, append_images=moved[1:], duration=100, lossless=True
    )
    return path


def test_a_film_with_frames_of_which_nothing_is_told_is_refused(
    faceanon: Run, tmp_path: Path
) -> None:
    source, out = write_animation(tmp_path / "clip.webp"), tmp_path / "out.webp"
    record = Record(source.name, 256, 256, digest(source), FaceTable.of([face(0)]))
    for told, status in ((2, 1), (3, 0)):
        boxes.write(tmp_path / "boxes", [replace(record, frame_count=told)])
        done = faceanon("blackbar", source, out, "--boxes", tmp_path / "boxes")
        assert done.returncode == status, done.stderr
        assert out.exists() == (status == 0)
        assert ("only of its first 2 frames, and there are 3" in done.stderr) == status


# --- Gaps ----------------------------------------------------------------------


def test_gaps_are_frames_inside_a_track_without_a_box() -> None:
    rows = [
        *(face(frame, 2) for frame in (3, 4, 7, 7, 20)),
        *(face(frame, 5) for frame in (9, 10, 11)),
        *(face(frame, 0) for frame in (0, 2)),
        *(face(frame, None) for frame in (None, 1, 30)),
    ]
    assert boxes.gaps(FaceTable.of(rows)) == [Gap(0, 1, 1), Gap(2, 5, 6), Gap(2, 8, 19)]
    assert boxes.gaps(FaceTable.of([])) == []


# --- COCO ----------------------------------------------------------------------


def test_coco_keeps_frames_and_tracks(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    faces = [face(0), face(0, 5, 90), face(4)]
    boxes.write(path, [film(*faces)], "coco")
    (first, *_) = json.loads(path.read_text())["annotations"]
    assert (first["frame"], first["track"]) == (0, 2)
    read = only(path).hidden
    assert isinstance(read, FaceTable)
    assert [(each.frame, each.track, each.box) for each in read] == [
        (each.frame, each.track, each.box) for each in faces
    ]
    still = Record("a.jpg", 9, 9, hidden=(Face(Box(1, 2, 3, 4), 1.0),))
    document = boxes.to_coco([still])
    assert document["annotations"][0].keys().isdisjoint({"frame", "track"})


# --- MOT and CVAT --------------------------------------------------------------


@pytest.mark.parametrize(("form", "suffix"), [("mot", ".txt"), ("cvat", ".xml")])
def test_films_are_hidden_by_files_of_other_tools(
    faceanon: Run, tmp_path: Path, form: str, suffix: str
) -> None:
    source = write_animation(tmp_path / "clip.webp")
    found = tmp_path / f"clip{suffix}"
    done = faceanon("detect", source, "--format", form, "-o", found)
    assert done.returncode == 0, done.stderr
    out, at_once = tmp_path / "out.webp", tmp_path / "at-once.webp"
    done = faceanon("blackbar", source, out, "--boxes", found, "--grow", 1)
    assert done.returncode == 0, done.stderr
    assert faceanon("blackbar", source, at_once, "--grow", 1).returncode == 0
    assert out.read_bytes() == at_once.read_bytes()

    folder = tmp_path / "in"
    folder.mkdir()
    done = faceanon("blackbar", folder, tmp_path / "no", "--boxes", found)
    assert done.returncode == 2
    assert f"a {form.upper()} file is about one film" in done.stderr
    done = faceanon("detect", folder, "--format", form)
    assert done.returncode == 2
    assert "name a film as INPUT" in done.stderr
    other = write_animation(tmp_path / "other.webp")
    done = faceanon("blackbar", other, tmp_path / "no.webp", "--boxes", found)
    assert done.returncode == 2
    assert "INPUT is other.webp" in done.stderr
    assert not (tmp_path / "no.webp").exists()


def test_a_still_has_no_place_in_a_file_for_films(
    faceanon: Run, tmp_path: Path
) -> None:
    found = tmp_path / "astronaut.txt"
    picture = EXAMPLES / "astronaut.png"
    done = faceanon("detect", picture, "--format", "mot", "-o", found)
    assert done.returncode == 2
    assert "a box without a frame" in done.stderr


@settings(deadline=None)
@given(several.map(lambda faces: [each for each in faces if each.frame is not None]))
def test_what_is_to_be_hidden_comes_back_from_mot_and_cvat(
    tmp_path_factory: pytest.TempPathFactory, faces: list[Face]
) -> None:
    path = tmp_path_factory.mktemp("boxes") / "clip.any"
    forms: tuple[BoxesFormat, ...] = ("mot", "cvat")
    expected = sorted((each.frame or 0, each.box.left) for each in faces)
    for form in forms:
        boxes.write(path, [film(*faces)], form)
        assert path.read_bytes().isascii()
        if not faces and form == "mot":
            continue  # an empty file is of no form
        read = only(path, "clip.mp4")
        assert sorted((each.frame or 0, each.box.left) for each in read.hidden) == (
            expected
        )
        if form == "mot":
            assert sorted(each.track or -1 for each in read.hidden) == sorted(
                each.track or -1 for each in faces
            )


def test_mot_files_of_other_tools_are_read(tmp_path: Path) -> None:
    path = tmp_path / "clip.txt"
    path.write_text(
        "1,7,10.2,20.7,30.1,40.0,1,1,0.5\n"
        "\n"
        " 12.0, -1, 5, 6, 7, 8, 0.25, -1, -1, -1\r\n"
        "3,7,0,0,4,5,0,-1,-1,-1\n"
        "2,8,1,2,3,4\n"
    )
    record = only(path, "clip.mp4")
    assert (record.picture, record.width, record.height) == ("clip.mp4", 0, 0)
    assert [(f.frame, f.track, f.box, f.score) for f in record.hidden] == [
        (0, 7, Box(10, 20, 41, 61), 1.0),
        (1, 8, Box(1, 2, 4, 6), 1.0),
        (2, 7, Box(0, 0, 4, 5), 1.0),
        (11, None, Box(5, 6, 12, 14), 0.25),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0,1,2,3,4,5,1,-1,-1,-1", "frame 0: MOT files count frames 1, 2, 3"),
        ("1,1,2,3,4", "5 numbers, not 10"),
        ("1,1,2,3,0,5,1,-1,-1,-1", "an empty box, 0 x 5 pixels"),
        ("1,1,2,3,nan,5,1,-1,-1,-1", "nan is not a number of pixels"),
        ("1,1,2147483647,3,9,5,1,-1,-1,-1", "is not a number of pixels"),
        ("1,1,left,3,4,5,1,-1,-1,-1", "not a line of a MOT file"),
    ],
)
def test_a_wrong_line_of_a_mot_file_is_named(
    tmp_path: Path, line: str, message: str
) -> None:
    path = tmp_path / "clip.txt"
    path.write_text(f"1,1,2,3,4,5,1,-1,-1,-1\n{line}\n")
    with pytest.raises(BoxesError, match=r"clip\.txt: line 2: ") as error:
        boxes.read(path, "clip.mp4")
    assert message in str(error.value)


META = (
    "<meta><task><name>holiday</name><size>21</size><stop_frame>20</stop_frame>"
    "<labels><label><name>person</name></label></labels>"
    "<original_size><width>640</width><height>480</height></original_size>"
    "<source>clip.mov</source></task></meta>"
)


def cvat(tmp_path: Path, *lines: str, meta: str = META) -> Path:
    path = tmp_path / "annotations.xml"
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'
        f"<version>1.1</version>{meta}\n" + "\n".join(lines) + "\n</annotations>\n"
    )
    return path


def key(frame: int, *sides: float, outside: int = 0, more: str = "") -> str:
    left, top, right, bottom = sides
    return (
        f'<box frame="{frame}" outside="{outside}" occluded="0" keyframe="1" '
        f'xtl="{left}" ytl="{top}" xbr="{right}" ybr="{bottom}" {more}>'
        '<attribute name="age">old</attribute></box>'
    )


def test_cvat_tracks_move_in_straight_lines_and_end_outside(tmp_path: Path) -> None:
    path = cvat(
        tmp_path,
        '<track id="3" label="person">',
        key(2, 10, 20, 30, 40),
        key(6, 20.4, 20, 40.4, 41),
        key(8, 30.4, 20, 50.4, 41, outside=1),
        key(11, 0.5, 0.5, 4.5, 4.5),
        key(12, 0.5, 0.5, 0.5, 4.5, outside=1),
        "</track>",
        '<track id="4" label="face">',
        key(19, 100, 100, 140, 140),
        "</track>",
    )
    for name in ("clip.mp4", "holiday.webm", "annotations.mp4"):
        record = only(path, name)
        assert (record.picture, record.width, record.height) == (name, 640, 480)
    assert [(f.frame, f.track, f.box) for f in record.hidden] == [
        (2, 3, Box(10, 20, 30, 40)),
        (3, 3, Box(12, 20, 33, 41)),
        (4, 3, Box(15, 20, 36, 41)),
        (5, 3, Box(17, 20, 38, 41)),
        (6, 3, Box(20, 20, 41, 41)),
        (7, 3, Box(25, 20, 46, 41)),
        (11, 3, Box(0, 0, 5, 5)),
        (19, 4, Box(100, 100, 140, 140)),
        (20, 4, Box(100, 100, 140, 140)),  # to the end of the film
    ]
    with pytest.raises(BoxesError, match=r"it is of .*INPUT is film\.mp4"):
        boxes.read(path, "film.mp4")


def test_turned_boxes_of_cvat_are_covered_whole(tmp_path: Path) -> None:
    path = cvat(
        tmp_path,
        '<track id="0" label="face">',
        key(0, 100, 100, 140, 120),
        key(2, 100, 100, 140, 120, more='rotation="270"'),
        key(3, 100, 100, 140, 120, outside=1),
        "</track>",
    )
    first, second, third = only(path, "clip.mp4").hidden
    assert first.box == Box(100, 100, 140, 120)
    # By 45 degrees the shorter way: sqrt(1/2) * (20 + 10) from the middle.
    assert second.box == Box(98, 88, 142, 132)
    assert third.box.holds(Box(110, 90, 130, 130))
    assert Box(109, 89, 131, 131).holds(third.box)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["<track id='0'>", key(0, 1, 1, 1, 9), "</track>"], "line 5: an empty box"),
        (["<track id='0'>", key(0, 9, 1, 2, 9, outside=1), "</track>"], "an empty box"),
        (["<track id='0'>", key(-1, 1, 1, 2, 9), "</track>"], "line 5: frame -1"),
        (["<track id='0'><box frame='0'/></track>"], "line 4: not a CVAT file: 'xtl'"),
        (["<track id='0'>", "<polygon/></track>"], "line 5: a track has a <polygon>"),
        (["<track id='0' task_id='4'/>"], "line 4: it is of a project"),
        (["<track>", "</track>"], "line 4: not a CVAT file: 'id' is missing"),
        (["<image id='0'/>"], "line 4: it has <image> besides tracks"),
        (["<track id='0'>"], "line 5: the XML is damaged: mismatched tag"),
        (
            ["<track id='0'>", key(0, 1, 1, 2, 9), key(0, 1, 1, 2, 9), "</track>"],
            "line 7: track 0 has two boxes in a frame",
        ),
        (
            [
                "<track id='0'>",
                key(0, 1, 1, 2, 9),
                key(2_000_000_000, 1, 1, 2, 9),
                "</track>",
            ],
            "it has more than 10,000,000 boxes",
        ),
    ],
)
def test_a_wrong_line_of_a_cvat_file_is_named(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(BoxesError, match=r"annotations\.xml: line \d+: ") as error:
        boxes.read(cvat(tmp_path, *lines), "clip.mp4")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "entities",
    [
        '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY b SYSTEM "file:///etc/passwd">',
    ],
)
def test_xml_that_could_do_harm_is_refused(tmp_path: Path, entities: str) -> None:
    path = tmp_path / "clip.xml"
    path.write_text(
        f'<?xml version="1.0"?>\n<!DOCTYPE annotations [{entities}]>\n'
        "<annotations><meta><task><name>&b;</name></task></meta></annotations>"
    )
    with pytest.raises(BoxesError, match=r"clip\.xml: line 2: it has a document type"):
        boxes.read(path, "clip.mp4")
    path.write_text("<html>\n</html>")
    with pytest.raises(
        BoxesError, match="line 1: not a CVAT file: it begins with <htm"
    ):
        boxes.read(path, "clip.mp4")


def test_a_cvat_file_of_another_size_is_refused(faceanon: Run, tmp_path: Path) -> None:
    source, out = write_animation(tmp_path / "clip.webp"), tmp_path / "out.webp"
    track = ["<track id='0' label='face'>", key(0, 90, 30, 140, 90), "</track>"]
    path = cvat(tmp_path, *track)
    done = faceanon("blackbar", source, out, "--boxes", path)
    assert done.returncode == 1
    assert "it has changed since" in done.stderr
    meta = META.replace("640", "256").replace("480", "256").replace(">20<", ">2<")
    done = faceanon(
        *("blackbar", source, out, "--boxes", cvat(tmp_path, *track, meta=meta))
    )
    assert done.returncode == 0, done.stderr
    assert not read(out)[30:90, 90:140].any()
