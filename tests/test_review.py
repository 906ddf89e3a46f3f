"""The page to correct box files: over HTTP, as the page and as others ask."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from faceanon import boxes
from faceanon.boxes import FaceRows, FaceTable, FrameTimes, Record
from faceanon.errors import FaceanonError, StorageError
from faceanon.model import Box, Face
from processes import GUARD, started, wait_until
from support import (
    ASTRONAUT_FACE,
    EXAMPLES,
    decoded,
    digest,
    read,
    write_film,
    write_png,
)

pytest.importorskip("flask", reason="Flask is not installed: faceanon[review]")

from faceanon.review.box_file import BoxFile
from faceanon.review.server import running

HAND = {"box": [10, 20, 60, 80], "score": 1.0, "hide": True, "found_by": "hand"}
UNSURE = Face(Box(300, 300, 340, 350), 0.21, found_by="whole")


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes


class Client:
    """What talks to the server at an address, as a browser does or as others might."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.host = parts.netloc
        self.page = parts.path
        self.connection = http.client.HTTPConnection(parts.netloc, timeout=GUARD)

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: object = None,
        *,
        raw: bool = False,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """Ask for what lies below the page; `raw`: below the server itself."""
        path = path if raw else self.page + path
        self.connection.putrequest(method, path, skip_host="Host" in headers)
        data = json.dumps(body).encode()
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.connection.putheader(name, value)
        self.connection.putheader("Content-Length", str(len(data)))
        self.connection.endheaders(data)
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def json(self, path: str, *arguments: Any, **options: Any) -> Any:
        answer = self.ask(path, *arguments, **options)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def error(self, path: str, *arguments: Any, **options: Any) -> tuple[int, str]:
        answer = self.ask(path, *arguments, **options)
        assert answer.status >= 400
        return answer.status, json.loads(answer.body)["error"]

    def wait_until_saved(self) -> None:
        wait_until(lambda: (now := self.json("saving"))["saved"] == now["changes"])


@contextmanager
def review(source: Path, file: Path) -> Iterator[Client]:
    with running(source, file, port=0, max_pixels=10**8) as server:
        client = Client(server.address)
        try:
            yield client
        finally:
            client.connection.close()


def record_of(path: Path, name: str, *hidden: Face, **more: Any) -> Record:
    height, width = read(path).shape[:2]
    return Record(name, width, height, digest(path), hidden, **more)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "album").mkdir(parents=True)
    shutil.copy(EXAMPLES / "astronaut.png", folder)
    shutil.copy(EXAMPLES / "cat.png", folder)
    shutil.copy(EXAMPLES / "curies_orientation6.jpg", folder / "album")
    return folder


@pytest.fixture
def file(source: Path, tmp_path: Path) -> Path:
    path = tmp_path / "boxes.jsonl"
    turned = "album/curies_orientation6.jpg"
    records = [
        record_of(source / "cat.png", "cat.png"),
        record_of(source / "astronaut.png", "astronaut.png", ASTRONAUT_FACE),
        record_of(source / turned, turned, shown=(UNSURE,)),
    ]
    boxes.write(path, records)
    return path


# --- Who may ask -----------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/", "/pictures", "/wrong/", "/wrong/pictures/1/frames/0", "/favicon.ico", "//"],
)
def test_nothing_is_told_without_the_token(source: Path, file: Path, path: str) -> None:
    with review(source, file) as client:
        status, error = client.error(path, raw=True)
        assert status == 403
        assert client.page.strip("/") not in error
        # All but the last letter of the token is not the token.
        assert client.error(client.page[:-2] + "/", raw=True)[0] == 403


def test_a_name_that_was_rebound_to_this_computer_is_refused(
    source: Path, file: Path
) -> None:
    with review(source, file) as client:
        evil = {"Host": "evil.example"}
        assert client.ask("pictures", headers=evil).status == 400
        local = {"Host": f"localhost:{client.host[10:]}"}
        assert client.ask("pictures", headers=local).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_pages_are_refused(
    source: Path, file: Path, headers: dict[str, str]
) -> None:
    before = file.read_bytes()
    change = {"revision": 0, "reviewed": True, "faces": []}
    with review(source, file) as client:
        assert client.ask("pictures/1", "PUT", change, headers=headers).status == 403
        # What other pages could send without asking the browser is not taken either.
        plain = {"Content-Type": "text/plain"}
        assert client.ask("pictures/1", "PUT", change, headers=plain).status == 415
        # Links lead to the page, and to nothing else.
        assert client.ask("static/main.js", headers=headers).status == 403
        assert client.json("saving")["changes"] == 0
    assert file.read_bytes() == before


@pytest.mark.parametrize("depth", [900, 200_000])
def test_a_change_without_bottom_is_refused(
    source: Path, file: Path, capfd: pytest.CaptureFixture[str], depth: int
) -> None:
    faces = b"[" * depth + b"]" * depth
    change = b'{"revision": 0, "reviewed": true, "faces": %s}' % faces
    with review(source, file) as client:
        json_ = {"Content-Type": "application/json"}
        client.connection.request("PUT", f"{client.page}pictures/1", change, json_)
        response = client.connection.getresponse()
        assert response.status == 400, response.read()
        assert b"Traceback" not in response.read()
    assert "Traceback" not in capfd.readouterr().err


def test_every_answer_is_closed_to_others(source: Path, file: Path) -> None:
    with review(source, file) as client:
        for path in (
            "",
            "static/main.js",
            "pictures",
            "pictures/0/frames/0",
            "nothing",
        ):
            headers = client.ask(path).headers
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            policy = headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; script-src 'self';")
            assert "unsafe" not in policy


def test_only_the_loopback_listens(source: Path, file: Path) -> None:
    with review(source, file) as client:
        port = int(client.host.split(":")[1])
        other = http.client.HTTPConnection("127.0.0.2", port, timeout=GUARD)
        with pytest.raises(OSError, match="refused"):
            other.connect()


# --- What is given out -----------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "static/../application.py",
        "static/%2e%2e/application.py",
        "static/..%2fapplication.py",
        "static/review.html",
        "pictures/../../boxes.jsonl",
        "pictures/-1/frames/0",
        "pictures/3",
        "pictures/1/large",
    ],
)
def test_only_what_is_listed_is_given_out(source: Path, file: Path, path: str) -> None:
    with review(source, file) as client:
        assert client.ask(path).status == 404


def test_nothing_outside_of_input_is_read(source: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    shutil.copy(EXAMPLES / "cat.png", secret)
    (source / "link.png").symlink_to(secret)
    (source / "out").symlink_to(tmp_path)
    os.mkfifo(source / "pipe.png")
    names = {
        "../secret.png": "out of INPUT",
        "album/../../secret.png": "out of INPUT",
        str(secret): "out of INPUT",
        "link.png": "out of INPUT",
        "out/secret.png": "out of INPUT",
        "pipe.png": "not a file",
        "album": "not a file",
        "gone.png": "missing",
        "cat.png/x.png": "missing",
        "nul\0.png": "cannot be read",
        "lone\ud800.png": "cannot be read",
    }
    path = tmp_path / "boxes.jsonl"
    boxes.write(path, [record_of(secret, name) for name in names])
    with review(source, path) as client:
        for index, reason in enumerate(names.values()):
            for what in ("", "/frames/0", "/thumbnail"):
                status, error = client.error(f"pictures/{index}{what}")
                assert status == 409
                assert reason in error


def test_a_link_within_input_is_followed(source: Path, file: Path) -> None:
    target = source / "elsewhere.png"
    (source / "cat.png").rename(target)
    (source / "cat.png").symlink_to(target)
    with review(source, file) as client:
        assert client.ask("pictures/0/frames/0").status == 200


def test_pictures_are_upright_and_not_too_large(source: Path, tmp_path: Path) -> None:
    large = cv2.resize(read(EXAMPLES / "cat.png"), (4000, 1000))
    write_png(source / "large.png", large)
    turned = source / "album" / "curies_orientation6.jpg"
    path = tmp_path / "boxes.jsonl"
    records = [
        record_of(source / "large.png", "large.png"),
        record_of(turned, "album/curies_orientation6.jpg"),
    ]
    boxes.write(path, records)
    assert records[1].width > records[1].height

    def shape(answer: Answer) -> tuple[int, ...]:
        return decoded(answer.body).shape[:2]

    with review(source, path) as client:
        assert shape(client.ask("pictures/0/frames/0")) == (500, 2000)
        assert shape(client.ask("pictures/0/thumbnail")) == (40, 160)
        size = (records[1].height, records[1].width)
        assert shape(client.ask("pictures/1/frames/0")) == size


def test_names_that_are_not_text_are_shown_and_found(
    source: Path, tmp_path: Path
) -> None:
    name = os.fsdecode(b"caf\xe9\n.png")
    try:
        shutil.copy(source / "cat.png", source / name)
    except OSError:
        pytest.skip("this file system takes no such names")
    path = tmp_path / "boxes.jsonl"
    boxes.write(path, [record_of(source / name, name)])
    with review(source, path) as client:
        (picture,) = client.json("pictures")["pictures"]
        assert picture["name"] == r"caf\xe9\n.png"
        client.json("pictures/0", "PUT", {"revision": 0, "reviewed": True, "faces": []})
    assert boxes.read(path)[name].reviewed


def test_every_frame_of_a_film_is_shown_and_corrected(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.gif")
    file = tmp_path / "boxes.jsonl"
    first = Face(Box(90, 33, 132, 93), 0.9, frame=0)
    record = Record("film.gif", 256, 256, digest(path), (first,))
    boxes.write(file, [record])
    with review(path, file) as client:
        assert client.json("pictures/0")["frames"] == 2
        shown = [
            decoded(client.ask(f"pictures/0/frames/{number}").body) for number in (0, 1)
        ]
        assert np.abs(shown[0][:, ::-1].astype(int) - shown[1]).mean() < 4
        assert np.abs(shown[0].astype(int) - shown[1]).mean() > 20
        assert client.error("pictures/0/frames/2")[0] == 409
        kept = client.json("pictures/0")["faces"]
        second = {**HAND, "frame": 1}
        change = {"revision": 0, "reviewed": True, "faces": [*kept, second]}
        client.json("pictures/0", "PUT", change)
    added = Face(Box(10, 20, 60, 80), 1.0, found_by="hand", frame=1)
    assert boxes.read(file)["film.gif"].hidden == (first, added)


# --- Films -----------------------------------------------------------------------

LENGTH = 40


def write_numbered(path: Path, codec: str = "libx264") -> Path:
    """A film of which each frame is as grey as its number says."""
    av = pytest.importorskip("av", reason="PyAV is not installed: faceanon[video]")
    with av.open(str(path), "w") as output:
        options = {"g": "10", "crf": "4"}
        if codec == "libx264":
            options |= {"preset": "ultrafast", "bf": "2"}
        video = output.add_stream(codec, rate=10, options=options)
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        for number in range(LENGTH):
            image = np.full((120, 160, 3), 20 + 5 * number, np.uint8)
            output.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        output.mux(video.encode())
    return path


def followed(
    track: int, frames: range, *found_by: str, tone: tuple[float, float, float]
) -> list[Face]:
    """A track that moves to the right, found in turn by these."""
    return [
        Face(
            Box(10 + frame, 20 * track, 30 + frame, 20 * track + 20),
            0.875,
            found_by=found_by[number * len(found_by) // len(frames)],
            frame=frame,
            track=track,
            tone=tone,
        )
        for number, frame in enumerate(frames)
    ]


TONE = (0.25, 0.5, 0.125)
SURE = followed(0, range(2, 22), "whole", tone=TONE)
_IN_TURN = ("whole", "between", "weak", "between", "whole")
DOUBTFUL = followed(1, range(40), *_IN_TURN, tone=TONE)
HELD = followed(2, range(5, 25), "whole", "held", tone=TONE)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film with three tracks, and its box file beside it."""
    path = write_numbered(tmp_path / "film.mp4")
    times = FrameTimes.of_all(np.arange(LENGTH, dtype=np.int64), Fraction(1, 10))
    table = FaceTable.of(sorted([*SURE, *DOUBTFUL, *HELD], key=lambda f: f.frame or 0))
    record = Record(
        *("film.mp4", 160, 120, digest(path), table), times=times, frame_count=LENGTH
    )
    boxes.write(path.with_name("boxes.jsonl"), [record])
    return path


@contextmanager
def film_review(film: Path) -> Iterator[Client]:
    with review(film, film.with_name("boxes.jsonl")) as client:
        yield client


def saved_film(film: Path) -> Record:
    return boxes.read(film.with_name("boxes.jsonl"))["film.mp4"]


def do(client: Client, revision: int, **change: Any) -> Any:
    told = {"revision": revision, "change": change}
    return client.json("pictures/0/changes", "POST", told)


def test_the_tracks_of_a_film_come_in_the_order_of_doubt(film: Path) -> None:
    with film_review(film) as client:
        told = client.json("pictures/0")
        assert (told["frames"], told["cells"]) == (LENGTH, LENGTH)
        assert "faces" not in told
        # The lost one first, though more of the other is unsure.
        assert [track["track"] for track in told["tracks"]] == [2, 1, 0]
        held, doubtful, sure = told["tracks"]
        assert (held["lost"], held["doubt"]) == (True, 0.5)
        assert (doubtful["lost"], doubtful["doubt"]) == (False, 0.6)
        assert (sure["first"], sure["last"], sure["doubt"]) == (2, 21, 0)
        assert (sure["start"], sure["end"]) == (0.2, 2.1)
        assert held["strip"] == [["found", 5, 15], ["held", 15, 25]]
        kinds = [kind for kind, _, _ in doubtful["strip"]]
        assert kinds == ["found", "between", "weak", "between", "found"]
        faces = client.json("pictures/0/frames/20/faces")["faces"]
        assert [(face["track"], face["found_by"]) for face in faces] == [
            *((0, "whole"), (1, "weak"), (2, "held"))
        ]


@pytest.mark.parametrize(
    ("name", "codec"), [("film.mp4", "libx264"), ("film.webm", "libvpx")]
)
def test_every_frame_of_a_film_is_the_one_of_its_number(
    tmp_path: Path, name: str, codec: str
) -> None:
    """Also where the packets tell nothing of the frames, as in VP8."""
    film, file = write_numbered(tmp_path / name, codec), tmp_path / "boxes.jsonl"
    record = Record(name, 160, 120, digest(film), FaceTable.of(()))
    boxes.write(file, [replace(record, frame_count=LENGTH)])
    with review(film, file) as client:
        darkest = decoded(client.ask("pictures/0/frames/0").body).mean()
        for number in (3, 39, 38, 20, 21, 5, 19, 0):
            image = decoded(client.ask(f"pictures/0/frames/{number}").body)
            assert round((image.mean() - darkest) / 5) == number
        assert client.error(f"pictures/0/frames/{LENGTH}")[0] == 409


def test_a_whole_track_is_dropped_and_taken_back(film: Path) -> None:
    with film_review(film) as client:
        answer = do(client, 0, do="hide", track=1, hide=False)
        assert (answer["hidden"], answer["shown"]) == (2, 1)
        (track,) = answer["tracks"]
        assert (track["track"], track["hide"]) == (1, False)
        do(client, 1, do="review", reviewed=True)
        client.wait_until_saved()
        saved = saved_film(film)
        assert saved.reviewed
        assert set(FaceTable.of(saved.hidden).track_numbers()) == {0, 2}
        assert list(saved.shown) == [replace(face, match=None) for face in DOUBTFUL]
        do(client, 2, do="hide", track=1, hide=True)
        client.wait_until_saved()
        assert len(saved_film(film).hidden) == len([*SURE, *DOUBTFUL, *HELD])
        for revision in (3, 4, 5):
            do(client, revision, do="undo")
        change = {"revision": 6, "change": {"do": "undo"}}
        status, error = client.error("pictures/0/changes", "POST", change)
        assert (status, error) == (400, "there is nothing to undo")
    after = saved_film(film)
    assert not after.reviewed
    assert [face for face in after.hidden if face.track == 1] == DOUBTFUL
    assert after.frame_count == LENGTH
    assert after.times is not None
    assert after.times[39] == Fraction(39, 10)


def test_a_track_by_two_boxes_goes_straight_between_them(film: Path) -> None:
    ends = [
        {"frame": 14, "box": [100, 41, 120, 61]},
        {"frame": 10, "box": [0, 0, 10, 20]},
    ]
    with film_review(film) as client:
        answer = do(client, 0, do="add", ends=ends)
        (track,) = answer["tracks"]
        assert (track["track"], track["first"], track["last"]) == (3, 10, 14)
        assert track["strip"] == [["hand", 10, 15]]
        assert (track["doubt"], track["lost"]) == (0, False)
    added = [face for face in saved_film(film).hidden if face.track == 3]
    assert [face.frame for face in added] == [10, 11, 12, 13, 14]
    assert {face.found_by for face in added} == {"hand"}
    assert added[0].box == Box(0, 0, 10, 20)
    assert added[2].box == Box(50, 20, 65, 41)
    assert added[4].box == Box(100, 41, 120, 61)


def test_the_ends_of_a_track_are_held_until_a_frame(film: Path) -> None:
    with film_review(film) as client:
        do(client, 0, do="extend", track=0, frame=0)
        answer = do(client, 1, do="extend", track=0, frame=30)
        (track,) = answer["tracks"]
        assert track["strip"] == [["hand", 0, 2], ["found", 2, 22], ["hand", 22, 31]]
        change = {"do": "extend", "track": 0, "frame": 10}
        told = {"revision": 2, "change": change}
        assert "already" in client.error("pictures/0/changes", "POST", told)[1]
    frames = {face.frame: face for face in saved_film(film).hidden if face.track == 0}
    assert sorted(number or 0 for number in frames) == list(range(31))
    assert frames[0].box == frames[1].box == SURE[0].box
    assert frames[30].box == SURE[-1].box
    assert (frames[30].found_by, frames[30].tone) == ("hand", TONE)


def test_the_faces_of_one_frame_are_corrected(film: Path) -> None:
    with film_review(film) as client:
        faces = client.json("pictures/0/frames/20/faces")["faces"]
        faces[1]["hide"] = False
        moved = {**faces[2], "box": [1, 2, 30, 40]}
        change = [*faces[:2], moved, {**HAND, "frame": 20}]
        answer = do(client, 0, do="faces", frame=20, faces=change)
        strips = {track["track"]: track["strip"] for track in answer["tracks"]}
        assert ["open", 20, 21] in strips[1]
        do(client, 1, do="faces", frame=3, faces=[])
        do(client, 2, do="undo")
    saved = saved_film(film)
    (open_face,) = saved.shown
    assert (open_face.track, open_face.frame) == (1, 20)
    here = [face for face in saved.hidden if face.frame == 20]
    assert [face.box for face in here] == [
        *(SURE[18].box, Box(1, 2, 30, 40), Box(10, 20, 60, 80))
    ]
    untouched = [face for face in [*SURE, *DOUBTFUL, *HELD] if face.frame != 20]
    assert len(saved.hidden) == len(untouched) + 3
    assert all(face.tone == TONE for face in saved.hidden if face.track is not None)


@pytest.mark.parametrize(
    "change",
    [
        {"do": "nothing"},
        {"do": "hide", "track": 9, "hide": False},
        {"do": "hide", "track": 1},
        {"do": "hide", "track": "1", "hide": False},
        {"do": "add", "ends": [{"frame": 1, "box": [0, 0, 5, 5]}]},
        {"do": "add", "ends": [{"frame": n, "box": [0, 0, 5, 5]} for n in (1, 40)]},
        {"do": "add", "ends": [{"frame": n, "box": [0, 0, 0, 5]} for n in (1, 4)]},
        {"do": "add", "ends": [{"frame": n, "box": [0, 0, 5]} for n in (1, 4)]},
        {"do": "extend", "track": 0, "frame": 40},
        {"do": "extend", "track": 9, "frame": 4},
        {"do": "faces", "frame": 4, "faces": [{**HAND, "frame": 5}]},
        {"do": "faces", "frame": 4, "faces": 5},
        {"do": "undo"},
        ["hide"],
        None,
    ],
)
def test_what_is_no_change_of_a_film_is_refused(film: Path, change: object) -> None:
    file = film.with_name("boxes.jsonl")
    before = file.read_bytes()
    with film_review(film) as client:
        told = {"revision": 0, "change": change}
        assert client.error("pictures/0/changes", "POST", told)[0] == 400
        assert client.error("pictures/0/changes", "POST", change)[0] == 400
        whole = {"revision": 0, "reviewed": True, "faces": []}
        assert client.error("pictures/0", "PUT", whole)[0] == 400
    assert file.read_bytes() == before


def test_two_windows_do_not_undo_what_the_other_did_with_a_film(film: Path) -> None:
    with film_review(film) as client:
        do(client, 0, do="hide", track=1, hide=False)
        told = {"revision": 0, "change": {"do": "undo"}}
        status, error = client.error("pictures/0/changes", "POST", told)
        assert status == 409
        assert "another window" in error


def test_a_long_film_is_corrected_by_small_messages(film: Path, tmp_path: Path) -> None:
    frames, tracks = 20_000, 5
    numbers = np.repeat(np.arange(frames, dtype=np.int32), tracks)
    rows = FaceRows()
    rows.add_block(
        numbers,
        np.tile(np.array([10, 10, 40, 50], np.int32), (len(numbers), 1)),
        np.tile(np.arange(tracks, dtype=np.int32), frames),
        "whole",
    )
    record = Record("film.mp4", 160, 120, digest(film), rows.table({}))
    file = tmp_path / "long.jsonl"
    boxes.write(file, [replace(record, frame_count=frames)])
    assert file.stat().st_size > 2**20
    with review(film, file) as client:
        answer = client.ask("pictures/0")
        assert len(answer.body) < 10_000
        do(client, 0, do="hide", track=3, hide=False)
    saved = boxes.read(file)["film.mp4"]
    assert len(saved.shown) == frames
    assert len(saved.hidden) == 4 * frames


def test_an_animation_with_tracks_is_a_film(tmp_path: Path) -> None:
    path, file = write_film(tmp_path / "film.gif"), tmp_path / "boxes.jsonl"
    tracked = [
        Face(Box(90, 33, 132, 93), 0.875, frame=frame, track=4, tone=TONE)
        for frame in (0, 1)
    ]
    record = Record("film.gif", 256, 256, digest(path), FaceTable.of(tracked))
    boxes.write(file, [replace(record, frame_count=2)])
    with review(path, file) as client:
        (track,) = client.json("pictures/0")["tracks"]
        assert (track["track"], track["start"]) == (4, None)
        do(client, 0, do="hide", track=4, hide=False)
        assert client.ask("pictures/0/frames/1").status == 200
    assert list(boxes.read(file)["film.gif"].shown) == tracked


# --- Reviewing -------------------------------------------------------------------


def test_the_least_certain_come_first_and_the_reviewed_last(
    source: Path, tmp_path: Path
) -> None:
    def face(score: float, by: str = "whole") -> Face:
        return Face(Box(1, 1, 9, 9), score, found_by=by)

    path = tmp_path / "boxes.jsonl"
    records = [
        Record("reviewed", 9, 9, hidden=(face(0.31),), reviewed=True),
        Record("sure", 9, 9, hidden=(face(0.95),)),
        Record("empty", 9, 9),
        Record("by hand", 9, 9, hidden=(face(0.3, "hand"),)),
        Record("unsure", 9, 9, hidden=(face(0.9),), shown=(face(0.25),)),
        Record("just hidden", 9, 9, hidden=(face(0.3), face(0.99))),
        Record("rather unsure", 9, 9, shown=(face(0.16),)),
    ]
    boxes.write(path, records)
    with review(source, path) as client:
        order = [picture["name"] for picture in client.json("pictures")["pictures"]]
    assert order == [
        *("just hidden", "unsure", "rather unsure", "sure", "empty", "by hand"),
        "reviewed",
    ]


def test_a_change_is_saved_while_the_review_goes_on(source: Path, file: Path) -> None:
    before = boxes.read(file)
    with review(source, file) as client:
        picture = client.json("pictures/1")
        (face,) = picture["faces"]
        assert face["hide"] is True
        assert face["score"] == ASTRONAUT_FACE.score
        faces = [{**face, "hide": False}, HAND]
        change = {"revision": 0, "reviewed": True, "faces": faces}
        assert client.json("pictures/1", "PUT", change)["changes"] == 1
        client.wait_until_saved()
        saved = boxes.read(file)
        assert client.json("pictures/1")["revision"] == 1
    drawn = Face(Box(10, 20, 60, 80), 1.0, found_by="hand")
    assert saved["astronaut.png"] == replace(
        before["astronaut.png"],
        hidden=(drawn,),
        shown=(ASTRONAUT_FACE,),
        reviewed=True,
    )
    assert list(saved) == list(before)
    del saved["astronaut.png"], before["astronaut.png"]
    assert saved == before
    assert {entry.name for entry in file.parent.iterdir()} == {"in", "boxes.jsonl"}


def test_many_changes_are_all_saved_at_the_end(source: Path, file: Path) -> None:
    with review(source, file) as client:
        for revision in range(30):
            box = [revision, 20, 100, 80]
            faces = [{**HAND, "box": box}]
            change = {"revision": revision, "reviewed": False, "faces": faces}
            client.json("pictures/0", "PUT", change)
    (face,) = boxes.read(file)["cat.png"].hidden
    assert face.box == Box(29, 20, 100, 80)


def test_a_coco_file_stays_one(source: Path, file: Path) -> None:
    records = boxes.read(file)
    boxes.write(file, records.values(), "coco")
    with review(source, file) as client:
        assert "COCO keeps the boxes" in client.json("pictures")["note"]
        change = {"revision": 0, "reviewed": True, "faces": [HAND]}
        client.json("pictures/0", "PUT", change)
    document = json.loads(file.read_text())
    assert [a["bbox"] for a in document["annotations"]] == [
        [10, 20, 50, 60],
        [177, 66, 88, 120],
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"reviewed": True, "faces": []},
        {"revision": 0, "reviewed": True},
        {"revision": 0, "faces": [{"box": [5, 5, 5, 9], "hide": True}]},
        {"revision": 0, "faces": [{"box": [1, 2, 3, 1e999], "hide": True}]},
        {"revision": 0, "faces": [{"box": [1, 2, 3, 4], "hide": "no"}]},
        {"revision": 0, "faces": {"box": 1}},
        ["revision", 0],
        None,
    ],
)
def test_what_is_no_change_is_refused(source: Path, file: Path, change: object) -> None:
    before = file.read_bytes()
    with review(source, file) as client:
        assert client.error("pictures/1", "PUT", change)[0] == 400
    assert file.read_bytes() == before


def test_two_windows_do_not_undo_unseen_what_the_other_did(
    source: Path, file: Path
) -> None:
    change = {"revision": 0, "reviewed": False, "faces": [HAND]}
    with review(source, file) as client:
        client.json("pictures/1", "PUT", change)
        status, error = client.error("pictures/1", "PUT", {**change, "faces": []})
        assert status == 409
        assert "another window" in error
    assert len(boxes.read(file)["astronaut.png"].hidden) == 1


def test_what_is_no_longer_the_picture_cannot_be_reviewed(
    source: Path, file: Path
) -> None:
    change = {"revision": 0, "reviewed": True, "faces": []}
    with review(source, file) as client:
        client.json("pictures/1")
        shutil.copy(EXAMPLES / "grace_hopper.jpg", source / "astronaut.png")
        (source / "cat.png").write_bytes(b"")
        reasons = {1: "changed since", 0: "changed since"}
        for index, reason in reasons.items():
            for arguments in ((), ("PUT", change)):
                status, error = client.error(f"pictures/{index}", *arguments)
                assert status == 409
                assert reason in error
    assert not any(record.reviewed for record in boxes.read(file).values())


def test_without_a_digest_size_and_damage_are_told(source: Path, file: Path) -> None:
    records = boxes.read(file).values()
    boxes.write(file, [replace(record, content="") for record in records])
    shutil.copy(EXAMPLES / "grace_hopper.jpg", source / "astronaut.png")
    (source / "cat.png").write_bytes((source / "cat.png").read_bytes()[:9000])
    with review(source, file) as client:
        assert "changed since" in client.error("pictures/1")[1]
        assert "damaged" in client.error("pictures/0")[1]


def test_one_picture_can_be_reviewed_alone(source: Path, file: Path) -> None:
    with review(source / "cat.png", file) as client:
        names = [picture["name"] for picture in client.json("pictures")["pictures"]]
        assert names == ["cat.png"]
        assert client.error("pictures/1")[0] == 404
        change = {"revision": 0, "reviewed": True, "faces": []}
        client.json("pictures/0", "PUT", change)
    assert [record.reviewed for record in boxes.read(file).values()] == [
        *(True, False, False)
    ]


# --- Saving ----------------------------------------------------------------------


def test_what_another_program_wrote_is_not_written_over(
    source: Path, file: Path, tmp_path: Path
) -> None:
    change = {"revision": 0, "reviewed": True, "faces": []}
    with review(source, file) as client:
        theirs = file.read_text() + "\n"
        file.write_text(theirs)
        client.json("pictures/1", "PUT", change)
        wait_until(lambda: client.json("saving")["problem"] != "")
        saving = client.json("saving")
        assert saving["saved"] < saving["changes"]
        assert "changed by another program" in saving["problem"]
        assert file.read_text() == theirs
        file.rename(tmp_path / "theirs.jsonl")
        client.wait_until_saved()
        assert client.json("saving")["problem"] == ""
    assert boxes.read(file)["astronaut.png"].reviewed
    assert (tmp_path / "theirs.jsonl").read_text() == theirs


def test_it_is_an_error_when_the_last_changes_cannot_be_saved(
    source: Path, file: Path
) -> None:
    def spoil_and_change() -> None:
        with review(source, file) as client:
            file.write_text("{}")
            change = {"revision": 0, "reviewed": True, "faces": []}
            client.json("pictures/1", "PUT", change)

    with pytest.raises(StorageError, match="the last changes are not saved"):
        spoil_and_change()
    assert file.read_text() == "{}"


def test_a_link_to_the_box_file_stays_one(source: Path, file: Path) -> None:
    link = file.with_name("link.jsonl")
    link.symlink_to(file)
    with review(source, link) as client:
        change = {"revision": 0, "reviewed": True, "faces": []}
        client.json("pictures/1", "PUT", change)
    assert link.is_symlink()
    assert boxes.read(file)["astronaut.png"].reviewed


def test_ten_thousand_pictures(source: Path, file: Path) -> None:
    (real,) = (r for r in boxes.read(file).values() if r.picture == "astronaut.png")
    faces = tuple(Face(Box(i, i, i + 50, i + 60), 0.4 + i / 20) for i in range(4))
    missing = Record("", 4000, 3000, "0" * 32, faces[1:], faces[:1])
    records = [replace(missing, picture=f"album/{n:05}.jpg") for n in range(9999)]
    boxes.write(file, [*records, real])
    with review(source, file) as client:
        assert len(client.json("pictures")["pictures"]) == 10_000
        unsaved = []
        for revision in range(20):
            change = {"revision": revision, "reviewed": True, "faces": [HAND]}
            saving = client.json("pictures/9999", "PUT", change)
            unsaved.append(saving["changes"] - saving["saved"])
        client.wait_until_saved()
    # The whole file is written anew each time; nobody waits for that.
    assert max(unsaved) > 1
    assert boxes.read(file)["astronaut.png"].reviewed


# --- Starting and ending ---------------------------------------------------------

SERVE = """
import sys
from pathlib import Path
from faceanon.review import serve
source, file = map(Path, sys.argv[1:])
serve(source, file, say=lambda line: print(line, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_ends_it_with_everything_saved(
    source: Path, file: Path, tmp_path: Path
) -> None:
    browser, command_line = tmp_path / "browser", tmp_path / "command line"
    browser.write_text(f"#!/bin/sh\necho \"$@\" > '{command_line}'\n")
    browser.chmod(0o755)
    with started(
        *(sys.executable, "-W", "error", "-c", SERVE, source, file),
        environment={**os.environ, "BROWSER": str(browser)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        client = Client(process.stdout.readline().decode().strip())
        wait_until(lambda: command_line.exists() and command_line.read_text() != "")
        # Every user of the computer can see it: it tells nothing.
        url = command_line.read_text().strip()
        assert client.page.strip("/") not in url
        door = Path(url.removeprefix("file://"))
        assert client.page in door.read_text()
        assert door.stat().st_mode & 0o777 == 0o600
        for revision in range(3):
            change = {
                "revision": revision,
                "reviewed": True,
                "faces": [HAND] * revision,
            }
            client.json("pictures/0", "PUT", change)
        process.send_signal(signal.SIGINT)
        said, complaints = process.communicate(timeout=GUARD)
        client.connection.close()
    assert process.returncode == 0, complaints
    assert complaints == b""
    assert b"the review has ended" in said
    assert len(boxes.read(file)["cat.png"].hidden) == 2
    assert not door.parent.exists()


def test_what_is_wrong_is_said_in_one_line(source: Path, file: Path) -> None:
    def message(source: Path, file: Path, port: int = 0) -> str:
        with (
            pytest.raises(FaceanonError) as error,
            running(source, file, port=port, max_pixels=10**8),
        ):
            pass
        return str(error.value)

    assert "does not exist" in message(source / "gone", file)
    assert "cannot be read" in message(source, file / "gone")
    shutil.copy(source / "cat.png", source / "x.png")
    assert "holds nothing of x.png" in message(source / "x.png", file)
    with review(source, file) as client:
        port = int(client.host.split(":")[1])
        assert f"port {port} cannot be used" in message(source, file, port)
    file.write_text("")
    assert "holds no picture" in message(source, file)


def test_a_missing_flask_is_told(source: Path, file: Path) -> None:
    code = "import sys; sys.modules['flask'] = None" + SERVE
    done = subprocess.run(
        [sys.executable, "-c", code, source, file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "pip install '.[review]'" in done.stderr.splitlines()[-1]


def test_after_the_end_no_change_is_taken(file: Path) -> None:
    with BoxFile(file) as box_file:
        record = box_file.records[0]
    with pytest.raises(FaceanonError, match="has ended"):
        box_file.replace(0, record, 0)
