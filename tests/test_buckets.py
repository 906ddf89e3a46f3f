"""Pictures in buckets, on a server that speaks S3."""

import json
import os
import shutil
import signal
import sys
import tracemalloc
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest

from conftest import PLUGINS, Run, Start, add_to_path
from faceanon import api
from faceanon.batch.ledgers import Standing, State
from faceanon.batch.ledgers.bucket import BucketLedger
from faceanon.batch.planning.make_plan import make_plan, make_reading_plan
from faceanon.batch.planning.plan import InputFilter, Outputs
from faceanon.errors import FaceanonError, PictureError, StorageError
from faceanon.pipeline.counts import Counts
from faceanon.pipeline.job import Job, Outcome, Status
from faceanon.storage.buckets import stores
from faceanon.storage.files import file_stamp, open_source
from faceanon.storage.places import place
from processes import GUARD, ray_worker_of, wait_until
from s3 import Bucket, Proxy, proxy
from support import (
    EXAMPLES,
    decoded,
    encoded,
    ignored_by,
    jobs_of,
    json_lines,
    lines,
    pictures,
    read,
    with_examples,
)

pytest.importorskip("boto3", reason="needs the extra 'cloud'")
pytest.importorskip("obstore", reason="needs the extra 'cloud'")
pytest.importorskip("moto", reason="needs the extra 'test'")


@pytest.fixture
def between(bucket: Bucket, environment: dict[str, str]) -> Iterator[Proxy]:
    """What stands between the command and the server."""
    with proxy(bucket.server.address) as running:
        environment["AWS_ENDPOINT_URL"] = running.address
        yield running


Told = Callable[..., dict[str, Outcome]]


@pytest.fixture
def black(
    bucket: Bucket, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Told:
    """A quick run in this process: what came of each picture."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    # This process may know another server.
    stores.store.cache_clear()
    stores.amazon.cache_clear()

    def run(source: object, target: object, **options: Any) -> dict[str, Outcome]:
        options = {"accuracy": "fast", "jobs": 1, **options}
        outcomes = api.run(str(source), str(target), "blackbar", **options)
        return {outcome.job.name: outcome for outcome in outcomes}

    return run


def told(outcomes: dict[str, Outcome]) -> dict[str, int]:
    """How many pictures had each status."""
    return Counter(str(outcome.status) for outcome in outcomes.values())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two folders of pictures, with and without faces."""
    with_examples(tmp_path / "in" / "album", "curies.jpg")
    names = ("astronaut.png", "cat.png", "grace_hopper.jpg")
    return with_examples(tmp_path / "in", *names)


@pytest.fixture
def photos(bucket: Bucket, source: Path) -> str:
    """The same pictures in a bucket."""
    for name, data in pictures(source).items():
        bucket.put(f"in/{name}", data)
    return f"{bucket.url}/in/"


@pytest.fixture
def many(bucket: Bucket) -> dict[str, bytes]:
    """Sixteen small pictures with a face in a bucket, below `many/`."""
    face = read(EXAMPLES / "astronaut.png")[20:240]
    made = {}
    for number in range(16):
        data = encoded(face[:, 120 : 320 + number])
        made[f"{number:02}.png"] = data
        bucket.put(f"many/{number:02}.png", data)
    return made


@pytest.fixture
def slow(environment: dict[str, str]) -> tuple[object, ...]:
    """A method that takes a second for each picture."""
    add_to_path(environment, PLUGINS)
    return ("faulty", "--fault", "slow", "--seconds", 1)


def wait_for_outputs(bucket: Bucket, count: int) -> None:
    wait_until(lambda: len(bucket.keys("out/")) >= count, f"output {count}")


# --- The same run, wherever pictures lie -----------------------------------------


def test_a_film_of_a_bucket_is_hidden_and_says_what_it_is(
    faceanon: Run, bucket: Bucket, tmp_path: Path
) -> None:
    films = pytest.importorskip("face_video")
    made = films.write_film(tmp_path / "film.mp4")
    bucket.put("films/film.mp4", made.read_bytes())
    bucket.put("films/code.ts", b"export const answer: number = 42;\n")
    done = faceanon("blackbar", f"{bucket.url}/films/", f"{bucket.url}/safe/")
    assert done.returncode == 0, done.stderr
    assert "no picture (1)" in done.stderr
    (tmp_path / "safe.mp4").write_bytes(bucket.below("safe/")["film.mp4"])
    films.check_hidden(tmp_path / "safe.mp4")


def test_every_mixture_of_folders_and_buckets_is_the_same_run(
    faceanon: Run, bucket: Bucket, photos: str, source: Path, tmp_path: Path
) -> None:
    uri, fetched = tmp_path / "uri", tmp_path / "fetched"
    assert faceanon("blackbar", source, tmp_path / "here").returncode == 0
    expected = pictures(tmp_path / "here")
    runs: tuple[tuple[object, object, Callable[[], dict[str, bytes]]], ...] = (
        (photos, f"{bucket.url}/both", lambda: bucket.below("both/")),
        (source, f"{bucket.url}/sent/", lambda: bucket.below("sent/")),
        (photos, fetched, lambda: pictures(fetched)),
        (source.as_uri(), uri.as_uri(), lambda: pictures(uri)),
    )
    for number, (input_, output, written) in enumerate(runs):
        done = faceanon("blackbar", input_, output, "-j", 1 + (number == 0))
        assert done.returncode == 0, done.stderr
        assert written() == expected
        again = faceanon("blackbar", input_, output)
        assert again.returncode == 0, again.stderr
        assert "4 already done" in again.stderr


def test_people_keep_their_emoji_also_in_a_bucket(
    faceanon: Run, bucket: Bucket, photos: str, source: Path, tmp_path: Path
) -> None:
    command = ("--consistent", "--seed", 3, "-j", 1)
    assert faceanon("emoji", source, tmp_path / "here", *command).returncode == 0
    done = faceanon("emoji", photos, f"{bucket.url}/emoji", *command)
    assert done.returncode == 0, done.stderr
    assert bucket.below("emoji/") == pictures(tmp_path / "here")


def test_other_settings_are_told(bucket: Bucket, photos: str, black: Told) -> None:
    black(photos, f"{bucket.url}/out")
    outcomes = black(photos, f"{bucket.url}/out", grow=2.0)
    assert told(outcomes) == {"failed": 4}
    for outcome in outcomes.values():
        assert (
            "exists already, and is not known to be of this input with" in outcome.error
        )


def test_one_picture_and_standard_input(
    faceanon: Run, bucket: Bucket, photos: str, tmp_path: Path
) -> None:
    faceanon("blackbar", f"{photos}cat.png", tmp_path / "cat.png")
    assert (read(tmp_path / "cat.png") == read(EXAMPLES / "cat.png")).all()
    done = faceanon("blackbar", EXAMPLES / "cat.png", f"{bucket.url}/one/")
    assert (done.returncode, bucket.keys("one/")) == (0, {"one/cat.png"})
    for expected in (0, 1):  # the second time there is another input, for all we know
        with (EXAMPLES / "astronaut.png").open("rb") as file:
            done = faceanon("blackbar", "-", f"{bucket.url}/two.png", stdin=file)
        assert done.returncode == expected, done.stderr
    same = faceanon("blackbar", f"{photos}cat.png", f"{photos}cat.png")
    assert same.returncode == 2
    assert "is the input itself" in same.stderr


def test_folders_of_a_bucket_are_kept_apart_as_on_a_disk(
    bucket: Bucket, photos: str, black: Told
) -> None:
    for output, said in (
        (photos, "OUTPUT is INPUT itself"),
        (photos.rstrip("/"), "OUTPUT is INPUT itself"),
        (bucket.url, "INPUT lies inside of OUTPUT"),
    ):
        with pytest.raises(FaceanonError, match=said):
            black(photos, output, overwrite=True)
    # OUTPUT inside of INPUT is not read again.
    for _ in range(2):
        assert len(black(photos, f"{photos}safe/")) == 4


def test_what_is_taken_of_a_bucket(bucket: Bucket, photos: str, black: Told) -> None:
    for key in ("in/.hidden.png", "in/.git/a.png", "in/notes.txt", "in/folder/"):
        bucket.put(key, b"")
    above = {"astronaut.png", "cat.png", "grace_hopper.jpg"}
    for input_filter, names in (
        (InputFilter(), above | {"album/curies.jpg"}),
        (InputFilter(recursive=False), above),
        (InputFilter(include=("*.jpg",)), {"album/curies.jpg", "grace_hopper.jpg"}),
        (
            InputFilter(exclude=("album", "c*")),
            {"astronaut.png", "grace_hopper.jpg"},
        ),
    ):
        plan = make_reading_plan(place(photos), input_filter)
        assert {job.name for job in jobs_of(plan)} == names
        left = ignored_by(plan)
        assert "notes.txt" in left
        assert ".git/a.png" in left
        assert "folder/" not in left


def test_boxes_and_renaming_go_the_same_way(
    faceanon: Run, bucket: Bucket, photos: str, tmp_path: Path
) -> None:
    boxes = tmp_path / "boxes.jsonl"
    assert faceanon("detect", photos, "-o", boxes).returncode == 0
    command = (
        *("blackbar", photos, f"{bucket.url}/out", "--boxes", boxes),
        *("--rename", "hash", "--seed", "81239"),
    )
    assert "4 pictures" in faceanon(*command).stderr
    assert "4 already done" in faceanon(*command).stderr
    names = bucket.keys("out/")
    assert len(names) == 4
    assert not [name for name in names if "cat" in name or "album" in name]


def test_an_output_tells_nothing_of_its_input(
    bucket: Bucket, photos: str, black: Told
) -> None:
    black(photos, f"{bucket.url}/out")
    answer = bucket.client.head_object(Bucket=bucket.name, Key="out/astronaut.png")
    (value,) = answer["Metadata"].values()
    made, counts = value.split(".")
    assert len(made) == 32
    assert json.loads(b64decode(counts)) == {"statuses": {"anonymized": 1}, "faces": 1}
    assert answer["ContentType"] == "image/png"
    original = bucket.client.head_object(Bucket=bucket.name, Key="in/astronaut.png")
    assert made not in original["ETag"]


# --- Nothing is lost -------------------------------------------------------------


def test_killed_in_the_middle_the_same_command_does_the_rest(
    faceanon: Run,
    bucket: Bucket,
    many: dict[str, bytes],
    slow: tuple[object, ...],
    start: Start,
    environment: dict[str, str],
) -> None:
    bucket.keep_versions()
    arguments = (*slow, f"{bucket.url}/many", f"{bucket.url}/out", "-j", 2)
    for number in (3, 7):
        run = start(*arguments)
        wait_for_outputs(bucket, number)
        run.kill()
        run.wait()
    finished = len(bucket.keys("out/"))
    assert 5 < finished < 16
    environment["FAULTY_HURRY"] = "1"
    done = faceanon(*arguments)
    assert done.returncode == 0, done.stderr
    assert set(bucket.below("out/")) == set(many)
    assert bucket.versions("out/") == sorted(f"out/{name}" for name in many)
    for name, data in bucket.below("out/").items():
        pixels = decoded(data)
        assert pixels.shape[1] == 200 + int(name[:2])
        assert not pixels.any()


def test_shards_and_a_run_over_everything_share_a_bucket(
    bucket: Bucket,
    many: dict[str, bytes],
    slow: tuple[object, ...],
    start: Start,
    faceanon: Run,
) -> None:
    bucket.keep_versions()
    command = (*slow, f"{bucket.url}/many", f"{bucket.url}/out", "-j", 1)
    command = (*command, "--seconds", 0.3)
    parts: list[tuple[str, ...]] = [("--shard", "0/2"), ("--shard", "1/2"), ()]
    running = [start(*command, *part) for part in parts]
    said = [run.communicate(timeout=GUARD)[1] for run in running]
    assert [run.returncode for run in running] == [0, 0, 0], said
    assert bucket.versions("out/") == sorted(f"out/{name}" for name in many)
    again = faceanon(*command, "--shard", "1/3")
    assert "already done" in again.stderr


def test_what_is_there_is_replaced_only_when_asked_for(
    bucket: Bucket, photos: str, black: Told
) -> None:
    bucket.put("out/cat.png", b"a cat of somebody else's")
    outcome = black(photos, f"{bucket.url}/out")["cat.png"]
    assert "out/cat.png exists already" in outcome.error
    assert bucket.get("out/cat.png") == b"a cat of somebody else's"
    black(photos, f"{bucket.url}/out", overwrite=True)
    assert bucket.get("out/cat.png") != b"a cat of somebody else's"


def test_what_appears_meanwhile_is_not_replaced(
    bucket: Bucket, between: Proxy, photos: str, black: Told
) -> None:
    def somebody_is_quicker(method: str, path: str) -> None:
        if method == "PUT" and "cat.png" in path:
            bucket.put("out/cat.png", b"a cat of somebody else's")

    between.answer = somebody_is_quicker
    outcomes = black(photos, f"{bucket.url}/out")
    assert "out/cat.png exists already" in outcomes["cat.png"].error
    assert bucket.get("out/cat.png") == b"a cat of somebody else's"
    assert told(outcomes) == {"anonymized": 3, "failed": 1}


def test_two_pictures_never_become_one_object(
    bucket: Bucket, photos: str, black: Told
) -> None:
    bucket.put("in/cat.jpg", (EXAMPLES / "curies.jpg").read_bytes())
    outcomes = black(photos, f"{bucket.url}/out", format="png", overwrite=True)
    assert "another picture becomes" in outcomes["cat.png"].error
    assert len(bucket.keys("out/")) == 4


def test_a_picture_that_changed_is_told(
    bucket: Bucket, photos: str, tmp_path: Path, black: Told
) -> None:
    for output in (f"{bucket.url}/out", tmp_path / "out"):
        bucket.put("in/cat.png", (EXAMPLES / "cat.png").read_bytes())
        black(photos, output)
        bucket.put("in/cat.png", (EXAMPLES / "astronaut.png").read_bytes())
        outcomes = black(photos, output)
        assert told(outcomes) == {"skipped": 3, "failed": 1}
        assert "exists already, and is not known" in outcomes["cat.png"].error


def test_a_picture_that_changes_while_the_run_goes_on_fails(
    bucket: Bucket, between: Proxy, photos: str, black: Told
) -> None:
    def disturb(method: str, path: str) -> None:
        if method == "HEAD" and "out/cat.png" in path:
            bucket.put("in/cat.png", (EXAMPLES / "group.jpg").read_bytes())
            bucket.client.delete_object(Bucket=bucket.name, Key="in/grace_hopper.jpg")

    between.answer = disturb
    outcomes = black(photos, f"{bucket.url}/out")
    assert "changed meanwhile" in outcomes["cat.png"].error
    assert "does not exist" in outcomes["grace_hopper.jpg"].error
    assert len(bucket.keys("out/")) == 2


# --- Reports ---------------------------------------------------------------------


def test_a_report_in_a_bucket(faceanon: Run, bucket: Bucket, photos: str) -> None:
    bucket.put("in/broken.jpg", b"no picture")
    report = f"{bucket.url}/runs/report.jsonl"
    command = ("blackbar", photos, f"{bucket.url}/out", "--report", report)
    assert faceanon(*command).returncode == 1
    reported = json_lines(bucket.get("runs/report.jsonl"))
    assert len(reported) == 5
    assert {line["output"] for line in reported if line["status"] == "no_faces"} == {
        f"{bucket.url}/out/cat.png"
    }
    # What failed is tried again, and told of behind what was told before.
    bucket.put("in/broken.jpg", (EXAMPLES / "curies.jpg").read_bytes())
    again = faceanon(*command, "--retry-failed", report)
    assert again.stderr.startswith("1 picture ")
    more = json_lines(bucket.get("runs/report.jsonl"))
    assert more[:5] == reported
    assert [(x["picture"], x["status"]) for x in more[5:]] == [
        ("broken.jpg", "anonymized")
    ]


def test_an_interrupted_run_puts_its_report(
    bucket: Bucket,
    many: dict[str, bytes],
    slow: tuple[object, ...],
    start: Start,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    environment["TMPDIR"] = str(tmp_path)
    report = ("--report", f"{bucket.url}/report.jsonl")
    run = start(*slow, f"{bucket.url}/many", f"{bucket.url}/out", *report)
    wait_for_outputs(bucket, 3)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=GUARD)
    assert run.returncode == 130
    reported = json_lines(bucket.get("report.jsonl"))
    assert {f"out/{line['picture']}" for line in reported} == bucket.keys("out/")
    assert not list(tmp_path.glob("faceanon-report*"))


def test_a_report_that_cannot_be_put_stays_here(
    installed: Run,
    bucket: Bucket,
    photos: str,
    between: Proxy,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    environment["TMPDIR"] = str(tmp_path)
    between.answer = lambda method, path: (
        403 if method == "PUT" and "report" in path else None
    )
    report = ("--report", f"{bucket.url}/report.jsonl")
    done = installed("blackbar", photos, f"{bucket.url}/out", *report)
    assert done.returncode == 1
    (kept,) = tmp_path.glob("faceanon-report*")
    assert str(kept) in done.stderr
    assert "no permission" in done.stderr
    assert len(lines(kept)) == 4
    assert kept.stat().st_mode & 0o077 == 0


# --- What goes wrong -------------------------------------------------------------


def test_a_bucket_that_takes_no_output_at_all_stops_the_run(
    bucket: Bucket, between: Proxy, many: dict[str, bytes], black: Told
) -> None:
    between.answer = lambda method, _: 403 if method == "PUT" else None
    with pytest.raises(StorageError, match="no permission"):
        black(f"{bucket.url}/many/", f"{bucket.url}/out")
    assert between.count("PUT") < len(many) / 2


def test_odd_keys_fail_and_the_rest_is_done(
    bucket: Bucket, tmp_path: Path, black: Told
) -> None:
    cat = (EXAMPLES / "cat.png").read_bytes()
    fine = {"a b.png", "%20.png", "+#?[1].png", "ü/é.png", "~'&=;,@$!().png", "\\.png"}
    odd = {"/a.png", "a//b.png", "./c.png", "a/./d.png", "c\x1b.png"}
    for name in fine | odd:
        bucket.put(f"in/{name}", cat)
    outputs: tuple[tuple[object, Callable[[], dict[str, bytes]]], ...] = (
        (f"{bucket.url}/out", lambda: bucket.below("out/")),
        (tmp_path / "out", lambda: pictures(tmp_path / "out")),
    )
    for output, written in outputs:
        outcomes = black(f"{bucket.url}/in", output)
        failed = {n for n, o in outcomes.items() if o.status is Status.FAILED}
        assert failed == odd
        assert set(written()) == fine


def test_keys_that_climb_never_become_files_elsewhere(
    bucket: Bucket, photos: str, between: Proxy, tmp_path: Path, black: Told
) -> None:
    """The server of the tests refuses such keys; others do not."""
    bucket.put("in/QQ/QQ/QQ/escaped.png", (EXAMPLES / "cat.png").read_bytes())
    bucket.put("in/line-feed.png", (EXAMPLES / "cat.png").read_bytes())
    between.rewrite = lambda data: data.replace(b"QQ", b"..").replace(
        b"line-feed", b"line%0Afeed"
    )
    out = tmp_path / "a" / "b" / "out"
    outcomes = black(photos, out)
    assert "'..' as a part" in outcomes["../../../escaped.png"].error
    assert "control characters" in outcomes["line\nfeed.png"].error
    assert len(pictures(out)) == 4
    assert not list(tmp_path.rglob("escaped.png"))


def test_keys_that_lead_elsewhere_on_windows_only() -> None:
    outputs = Outputs(PureWindowsPath("D:/safe"))  # type: ignore[arg-type]
    for name in ("C:a.png", "..\\a.png", "a:hidden.png"):
        refused = outputs.job(name, place(f"s3://photos/{name}"))
        assert isinstance(refused, Outcome)
        assert "no name for a file on Windows" in refused.error
    assert isinstance(outputs.job("a/b.png", place("s3://photos/a/b.png")), Job)


@pytest.mark.skipif(sys.platform != "linux", reason="such names are Linux's")
def test_names_that_cannot_be_keys_fail_by_name(
    bucket: Bucket, source: Path, black: Told
) -> None:
    for name in ("line\nfeed.png", "latin\udcfc.png"):
        shutil.copy(EXAMPLES / "cat.png", source / name)
    outcomes = black(source, f"{bucket.url}/out")
    for name in ("line\nfeed.png", "latin\udcfc.png"):
        assert "cannot be written: its key" in outcomes[name].error
    assert len(bucket.keys("out/")) == 4


@pytest.mark.parametrize(
    ("places", "changes", "said"),
    [
        (("s3://no-such-bucket/in", "{}/out"), {}, "no bucket s3://no-such-bucket;"),
        (("{}/in", "s3://no-such-bucket/out"), {}, "no bucket s3://no-such-bucket;"),
        (("{}/nothing", "{}/out"), {}, "there is nothing in"),
        (("{}/in", "{}/out"), {"AWS_ACCESS_KEY_ID": None}, "no credentials for"),
        (("{}/in", "{}/out"), {"AWS_PROFILE": "missing"}, "profile (missing)"),
        (("gs://somewhere/in", "{}/out"), {}, "GOOGLE_APPLICATION_CREDENTIALS"),
        (("{}/in", "az://somewhere/in"), {}, "AZURE_STORAGE_ACCOUNT_NAME"),
        (("ftp://somewhere/in", "{}/out"), {}, "ftp:// is not supported"),
        (("s3:///in", "{}/out"), {}, "names no bucket"),
        (("{}/in//a", "{}/out"), {}, "has an empty part"),
    ],
)
def test_what_cannot_start_says_what_to_do(
    faceanon: Run,
    bucket: Bucket,
    photos: str,
    environment: dict[str, str],
    places: tuple[str, str],
    changes: dict[str, str | None],
    said: str,
) -> None:
    for name, value in changes.items():
        if value is None:
            del environment[name]
        else:
            environment[name] = value
    environment["GOOGLE_APPLICATION_CREDENTIALS"] = "/nowhere"
    done = faceanon("blackbar", *(text.format(bucket.url) for text in places))
    lacks = changes or not {"gs", "az"}.isdisjoint(text[:2] for text in places)
    assert done.returncode == (75 if lacks else 2), done.stderr
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()[-1]) < 400
    assert not bucket.keys("out")


def test_the_extra_that_is_missing_is_named(
    faceanon: Run, bucket: Bucket, environment: dict[str, str], tmp_path: Path
) -> None:
    for name in ("boto3.py", "obstore.py"):
        (tmp_path / name).write_text("raise ImportError")
    add_to_path(environment, tmp_path)
    done = faceanon("blackbar", bucket.url, tmp_path / "out")
    assert done.returncode == 2
    assert "pip install '.[cloud]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_credentials_of_a_profile(
    faceanon: Run,
    bucket: Bucket,
    photos: str,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    endpoint = environment.pop("AWS_ENDPOINT_URL")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del environment[name]
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "config").write_text(
        f"[profile studio]\nregion = eu-central-1\nendpoint_url = {endpoint}\n"
        "aws_access_key_id = a\naws_secret_access_key = b\n"
    )
    environment["AWS_PROFILE"] = "studio"
    done = faceanon("blackbar", photos, f"{bucket.url}/out", "-j", "2")
    assert done.returncode == 0, done.stderr
    assert len(bucket.keys("out/")) == 4


def test_requests_are_made_again_when_the_server_is_overloaded(
    bucket: Bucket, between: Proxy, photos: str, black: Told
) -> None:
    seen: set[tuple[str, str]] = set()

    def busy_at_first(method: str, path: str) -> int | None:
        is_first = (method, path) not in seen
        seen.add((method, path))
        return 503 if is_first else None

    between.answer = busy_at_first
    assert told(black(photos, f"{bucket.url}/out")) == {"anonymized": 3, "no_faces": 1}
    assert len(bucket.keys("out/")) == 4


def test_each_picture_takes_three_requests(
    bucket: Bucket, between: Proxy, photos: str, black: Told
) -> None:
    black(photos, f"{bucket.url}/out")
    lists = between.count("GET", "list-type")
    assert lists == 2
    assert between.count("HEAD") == between.count("PUT") == 4
    assert between.count("GET") == lists + 4
    between.requests.clear()
    assert told(black(photos, f"{bucket.url}/out")) == {"skipped": 4}
    assert (between.count("HEAD"), between.count("GET")) == (4, lists)
    assert between.count("PUT") == 0


def test_an_object_that_may_not_be_read_fails_alone(
    bucket: Bucket, between: Proxy, photos: str, black: Told
) -> None:
    between.answer = lambda _, path: 403 if "in/cat.png" in path else None
    outcomes = black(photos, f"{bucket.url}/out")
    assert "no permission for" in outcomes["cat.png"].error
    assert len(bucket.keys("out/")) == 3


def test_what_all_pictures_suffer_from_stops_the_run(
    bucket: Bucket, between: Proxy, photos: str, black: Told
) -> None:
    between.answer = lambda method, _: 401 if method == "PUT" else None
    with pytest.raises(StorageError, match="the credentials for s3://"):
        black(photos, f"{bucket.url}/out")


@pytest.mark.parametrize(
    "command",
    [
        ("review", "s3://a/b", "--boxes", "boxes.jsonl"),
        ("scan", "s3://a/b"),
        ("people", "s3://a/b"),
        ("detect", "in", "-o", "s3://a/b"),
        ("blackbar", "in", "out", "--boxes", "s3://a/b"),
        ("blackbar", "in", "out", "--only", "s3://a/b"),
    ],
)
def test_what_needs_a_local_path_says_so(
    faceanon: Run, source: Path, command: tuple[str, ...]
) -> None:
    done = faceanon(*command, cwd=source.parent)
    assert done.returncode == 2
    assert "a local path is needed" in done.stderr


# --- Many ------------------------------------------------------------------------


def test_a_large_bucket_is_listed_page_by_page(
    between: Proxy, bucket: Bucket, black: Told
) -> None:
    bucket.fill(6000)
    jobs = make_plan(place(bucket.url), place("out")).jobs()
    assert len(list(islice(jobs, 500))) == 500
    assert between.count("GET") == 1
    assert len(list(islice(jobs, 1500))) == 1500
    tracemalloc.start()
    assert sum(1 for _ in jobs) == 4000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert between.count("GET") == 6
    assert peak < 6 * 2**20  # a page or two


def test_a_listing_that_breaks_off_is_told_when_the_rest_is_done(
    between: Proxy, bucket: Bucket, black: Told
) -> None:
    bucket.fill(1500)
    between.answer = lambda _, path: 403 if "continuation-token" in path else None
    plan = make_plan(place(bucket.url), place("out"))
    assert len(list(plan.jobs())) == 1000
    ((folder, reason),) = plan.walk.problems
    assert folder == f"{bucket.url}/"
    assert "not listed to its end: no permission" in reason


def test_what_is_too_large_to_be_held_is_read_and_put_in_pieces(
    bucket: Bucket, between: Proxy, black: Told, tmp_path: Path
) -> None:
    held = tmp_path / "large.tar"
    held.write_bytes(os.urandom(70 * 2**20))
    target = place(f"{bucket.url}/large.tar")
    job = Job("large.tar", held, target, temporary=held)
    outcome = Outcome(job, Status.ANONYMIZED, source_stamp=file_stamp(held))
    ledger = BucketLedger(b"settings", overwrite=False)
    ledger.publish(outcome)
    assert between.count("PUT") > 10
    assert ledger.standing(job) == Standing(State.FINISHED, Counts.of(outcome))
    (found,) = jobs_of(make_reading_plan(place(f"{bucket.url}/large.tar")))
    assert found.source is not None
    between.requests.clear()
    with open_source(found.source) as source, held.open("rb") as file:
        stream = source.file
        for offset in (60 * 2**20, 100):
            file.seek(offset)
            assert stream.seek(offset) == offset
            assert stream.read(1000) == file.read(1000)
        assert stream.seek(-10, os.SEEK_END) == 70 * 2**20 - 10
        assert len(stream.read()) == 10
    assert between.count("GET") <= 4
    with pytest.raises(PictureError, match="exists already"):
        BucketLedger(b"others", overwrite=False).publish(outcome)
    bucket.put("large.tar", b"another")
    with open_source(found.source) as source, pytest.raises(PictureError):
        source.file.read(10)


def test_from_bucket_to_bucket_on_a_cluster_with_a_worker_killed(
    bucket: Bucket,
    many: dict[str, bytes],
    slow: tuple[object, ...],
    start: Start,
) -> None:
    pytest.importorskip("ray", reason="needs the extra 'ray'")
    bucket.keep_versions()
    report = ("--report", f"{bucket.url}/report.jsonl", "--engine", "ray", "-j", 2)
    run = start(*slow, f"{bucket.url}/many", f"{bucket.url}/out", *report)
    wait_for_outputs(bucket, 3)
    os.kill(ray_worker_of(run.pid), signal.SIGKILL)
    _, errors = run.communicate(timeout=GUARD)
    assert run.returncode == 0, errors
    assert bucket.versions("out/") == sorted(f"out/{name}" for name in many)
    reported = json_lines(bucket.get("report.jsonl"))
    assert sorted(line["picture"] for line in reported) == sorted(many)
