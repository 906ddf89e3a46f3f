"""Pictures in buckets, on a server that speaks S3."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import s3
from conftest import COMMAND, Run
from faceanon import api, files
from faceanon.buckets import stores
from faceanon.jobs import Status
from faceanon.pipeline import process
from faceanon.places import place
from support import EXAMPLES, read
from test_command import PLUGINS, lines, pictures

boto3 = pytest.importorskip("boto3", reason="needs the extra 'cloud'")
pytest.importorskip("obstore", reason="needs the extra 'cloud'")
pytest.importorskip("moto", reason="needs the extra 'test'")

NUMBERS = count()
FAST = ("--accuracy", "fast", "-j", "1")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, s3.Order]]:
    with s3.server() as started:
        yield started


class Bucket:
    """A new bucket, seen through Amazon's own library."""

    def __init__(self, endpoint: str) -> None:
        self.client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self.name = f"bucket-{next(NUMBERS)}"
        self.url = f"s3://{self.name}"
        self.client.create_bucket(Bucket=self.name)

    def put(self, key: str, data: bytes, **options: Any) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data, **options)

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def keys(self, prefix: str = "") -> set[str]:
        answer = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return {found["Key"] for found in answer.get("Contents", ())}

    def below(self, prefix: str) -> dict[str, bytes]:
        return {k.removeprefix(prefix): self.get(k) for k in self.keys(prefix)}

    def keep_versions(self) -> None:
        self.client.put_bucket_versioning(
            Bucket=self.name, VersioningConfiguration={"Status": "Enabled"}
        )

    def versions(self, prefix: str) -> list[str]:
        """The key of each object that was ever put."""
        answer = self.client.list_object_versions(Bucket=self.name, Prefix=prefix)
        return sorted(version["Key"] for version in answer["Versions"])


@pytest.fixture
def bucket(
    server: tuple[str, s3.Order], environment: dict[str, str], tmp_path: Path
) -> Bucket:
    """A bucket; the command has its credentials, and no others of this machine."""
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    environment.update(
        AWS_ENDPOINT_URL=server[0],
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_CONFIG_FILE=str(tmp_path / "aws" / "config"),
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "aws" / "credentials"),
        AWS_EC2_METADATA_DISABLED="true",
    )
    return Bucket(server[0])


@pytest.fixture
def between(
    server: tuple[str, s3.Order], bucket: Bucket, environment: dict[str, str]
) -> Iterator[s3.Proxy]:
    """What stands between the command and the server."""
    with s3.proxy(server[0]) as proxy:
        environment["AWS_ENDPOINT_URL"] = proxy.address
        yield proxy


@pytest.fixture
def connected(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has the environment of the command, and no older connections."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stores.store.cache_clear()
    stores.amazon.cache_clear()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two folders of pictures, with and without faces."""
    folder = tmp_path / "in"
    (folder / "album").mkdir(parents=True)
    for name in ("astronaut.png", "cat.png", "grace_hopper.jpg"):
        shutil.copy(EXAMPLES / name, folder)
    shutil.copy(EXAMPLES / "curies.jpg", folder / "album")
    return folder


@pytest.fixture
def photos(bucket: Bucket, source: Path) -> str:
    """The same pictures in a bucket."""
    for name, data in pictures(source).items():
        bucket.put(f"in/{name}", data)
    return f"{bucket.url}/in/"


@pytest.fixture
def many(bucket: Bucket) -> dict[str, bytes]:
    """Twenty small pictures with a face in a bucket, below `many/`."""
    face = read(EXAMPLES / "astronaut.png")[20:240]
    made = {}
    for number in range(20):
        data = cv2.imencode(".png", face[:, 120 : 320 + number])[1].tobytes()
        made[f"{number:02}.png"] = data
        bucket.put(f"many/{number:02}.png", data)
    return made


@pytest.fixture
def slow(environment: dict[str, str]) -> tuple[object, ...]:
    """A method that takes half a second for each picture."""
    before = environment.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PLUGINS), before]))
    return ("faulty", "--fault", "slow", "--seconds", "0.3", *FAST)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"no {what} within a minute"
        time.sleep(0.1)


# --- The same run, wherever pictures lie -----------------------------------------


def test_every_mixture_of_folders_and_buckets_is_the_same_run(
    faceanon: Run, bucket: Bucket, photos: str, source: Path, tmp_path: Path
) -> None:
    uri, fetched = tmp_path / "uri", tmp_path / "fetched"
    assert faceanon("blackbar", source, tmp_path / "here", *FAST).returncode == 0
    expected = pictures(tmp_path / "here")
    runs: tuple[tuple[object, object, Callable[[], dict[str, bytes]]], ...] = (
        (photos, f"{bucket.url}/both", lambda: bucket.below("both/")),
        (source, f"{bucket.url}/sent/", lambda: bucket.below("sent/")),
        (photos, fetched, lambda: pictures(fetched)),
        (source.as_uri(), uri.as_uri(), lambda: pictures(uri)),
    )
    for number, (input_, output, written) in enumerate(runs):
        done = faceanon("blackbar", input_, output, *FAST, "-j", 1 + (number == 0))
        assert done.returncode == 0, done.stderr
        assert written() == expected
        again = faceanon("blackbar", input_, output, *FAST)
        assert again.returncode == 0, again.stderr
        assert "4 already done" in again.stderr


def test_other_settings_are_told(faceanon: Run, bucket: Bucket, photos: str) -> None:
    command = ("blackbar", photos, f"{bucket.url}/out", *FAST)
    assert faceanon(*command).returncode == 0
    done = faceanon(*command, "--grow", "2")
    assert done.returncode == 1
    assert done.stderr.count("exists already, and not from this input with") == 4


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
    faceanon: Run, bucket: Bucket, photos: str
) -> None:
    for output, said in (
        (photos, "OUTPUT is INPUT itself"),
        (photos.rstrip("/"), "OUTPUT is INPUT itself"),
        (bucket.url, "INPUT lies inside of OUTPUT"),
    ):
        done = faceanon("blackbar", photos, output, "--overwrite")
        assert done.returncode == 2
        assert said in " ".join(done.stderr.split())
    # OUTPUT inside of INPUT is not read again.
    for _ in range(2):
        done = faceanon("blackbar", photos, f"{photos}safe/", *FAST)
        assert done.returncode == 0
        assert done.stderr.startswith("4 pictures")


def test_what_is_taken_of_a_bucket(faceanon: Run, bucket: Bucket, photos: str) -> None:
    for key in ("in/.hidden.png", "in/.git/a.png", "in/notes.txt", "in/folder/"):
        bucket.put(key, b"")
    everything = {"astronaut.png", "cat.png", "grace_hopper.jpg", "album/curies.jpg"}
    for options, names in (
        ((), everything),
        (("--no-recursive",), {"astronaut.png", "cat.png", "grace_hopper.jpg"}),
        (("--include", "*.jpg"), {"album/curies.jpg", "grace_hopper.jpg"}),
        (
            ("--exclude", "album", "--exclude", "c*"),
            {"astronaut.png", "grace_hopper.jpg"},
        ),
    ):
        listed = faceanon(
            "blackbar", photos, f"{bucket.url}/out", "--dry-run", *options
        )
        listed_names = {line.split(" -> ")[0] for line in listed.stdout.splitlines()}
        assert listed_names == {f"{photos}{name}" for name in names}
    assert not bucket.keys("out")
    done = faceanon("detect", photos, "--include", "astro*", *FAST)
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["picture"] == "astronaut.png"
    for part in ("hidden (2)", "no picture (1)", "folder marker (1)"):
        assert part in done.stderr


def test_boxes_and_renaming_go_the_same_way(
    faceanon: Run, bucket: Bucket, photos: str, tmp_path: Path
) -> None:
    boxes = tmp_path / "boxes.jsonl"
    assert faceanon("detect", photos, "-o", boxes, *FAST).returncode == 0
    command = ("blackbar", photos, f"{bucket.url}/out", "--boxes", boxes)
    command += ("--rename", "hash", "--seed", "81239")
    assert faceanon(*command).returncode == 0
    assert faceanon(*command).stderr.startswith("4 pictures")
    names = bucket.keys("out/")
    assert len(names) == 4
    assert not [name for name in names if "cat" in name or "album" in name]


def test_an_output_tells_nothing_of_its_input(
    faceanon: Run, bucket: Bucket, photos: str
) -> None:
    assert faceanon("blackbar", photos, f"{bucket.url}/out", *FAST).returncode == 0
    answer = bucket.client.head_object(Bucket=bucket.name, Key="out/astronaut.png")
    (value,) = answer["Metadata"].values()
    assert len(value) == 32
    assert answer["ContentType"] == "image/png"
    original = bucket.client.head_object(Bucket=bucket.name, Key="in/astronaut.png")
    assert value not in original["ETag"]


# --- Nothing is lost -------------------------------------------------------------


def test_killed_in_the_middle_the_same_command_does_the_rest(
    faceanon: Run,
    bucket: Bucket,
    many: dict[str, bytes],
    slow: tuple[object, ...],
    environment: dict[str, str],
) -> None:
    bucket.keep_versions()
    arguments = [*slow, f"{bucket.url}/many", f"{bucket.url}/out", "-j", "2"]
    for number in (3, 8):
        with subprocess.Popen(
            [COMMAND, *arguments], env=environment, stderr=subprocess.DEVNULL
        ) as process:
            wait_for(lambda n=number: len(bucket.keys("out/")) >= n, "output")
            process.kill()
    finished = len(bucket.keys("out/"))
    assert 5 < finished < 20
    done = faceanon(*arguments)
    assert done.returncode == 0, done.stderr
    assert set(bucket.below("out/")) == set(many)
    assert bucket.versions("out/") == sorted(f"out/{name}" for name in many)
    for name, data in bucket.below("out/").items():
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert pixels.shape[1] == 200 + int(name[:2])
        assert not pixels.any()


def test_shards_and_a_run_over_everything_share_a_bucket(
    bucket: Bucket,
    many: dict[str, bytes],
    slow: tuple[object, ...],
    environment: dict[str, str],
    faceanon: Run,
) -> None:
    bucket.keep_versions()
    command = [COMMAND, *slow, f"{bucket.url}/many", f"{bucket.url}/out", "-j", "1"]
    parts: list[list[str]] = [["--shard", "0/2"], ["--shard", "1/2"], []]
    running = [
        subprocess.Popen(
            [*command, *part], env=environment, stderr=subprocess.PIPE, text=True
        )
        for part in parts
    ]
    said = [process.communicate(timeout=100)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert bucket.versions("out/") == sorted(f"out/{name}" for name in many)
    again = faceanon(*command[1:], "--shard", "1/3")
    assert "already done" in again.stderr
    assert "anonymized" not in again.stderr


def test_what_is_there_is_replaced_only_when_asked_for(
    faceanon: Run, bucket: Bucket, photos: str
) -> None:
    bucket.put("out/cat.png", b"a cat of somebody else's")
    command = ("blackbar", photos, f"{bucket.url}/out", *FAST)
    done = faceanon(*command)
    assert done.returncode == 1
    assert "out/cat.png exists already" in done.stderr
    assert bucket.get("out/cat.png") == b"a cat of somebody else's"
    assert faceanon(*command, "--overwrite").returncode == 0
    assert bucket.get("out/cat.png") != b"a cat of somebody else's"


def test_two_pictures_never_become_one_object(
    faceanon: Run, bucket: Bucket, photos: str
) -> None:
    bucket.put("in/cat.jpg", (EXAMPLES / "curies.jpg").read_bytes())
    options = (*FAST, "--format", "png", "--overwrite")
    done = faceanon("blackbar", photos, f"{bucket.url}/out", *options)
    assert done.returncode == 1
    assert "another picture becomes" in done.stderr
    assert len(bucket.keys("out/")) == 4


def test_a_picture_that_changed_is_told(
    faceanon: Run, bucket: Bucket, photos: str, tmp_path: Path
) -> None:
    local = tmp_path / "out"
    for output in (f"{bucket.url}/out", local):
        bucket.put("in/cat.png", (EXAMPLES / "cat.png").read_bytes())
        assert faceanon("blackbar", photos, output, *FAST).returncode == 0
        bucket.put("in/cat.png", (EXAMPLES / "group.jpg").read_bytes())
        done = faceanon("blackbar", photos, output, *FAST)
        assert done.returncode == 1
        assert "cat.png exists already, and not from this input" in done.stderr
        assert "3 already done" in done.stderr


def test_a_picture_that_changes_while_the_run_goes_on_fails(
    bucket: Bucket, photos: str, connected: None
) -> None:
    plan = files.plan(place(photos), place(f"{bucket.url}/out"))
    jobs = {job.name: job for job in plan.jobs()}
    bucket.put("in/cat.png", (EXAMPLES / "group.jpg").read_bytes())
    bucket.client.delete_object(Bucket=bucket.name, Key="in/astronaut.png")
    settings = api.make_settings("blackbar", {"accuracy": "fast"})
    for name, reason in (("cat.png", "changed"), ("astronaut.png", "does not exist")):
        outcome = process(jobs[name], settings)
        assert outcome.status is Status.FAILED
        assert reason in outcome.error
    assert not bucket.keys("out/")


# --- Reports ---------------------------------------------------------------------


def test_a_report_in_a_bucket(faceanon: Run, bucket: Bucket, photos: str) -> None:
    bucket.put("in/broken.jpg", b"no picture")
    report = f"{bucket.url}/runs/report.jsonl"
    command = ("blackbar", photos, f"{bucket.url}/out", *FAST, "--report", report)
    assert faceanon(*command).returncode == 1
    told = [json.loads(line) for line in bucket.get("runs/report.jsonl").splitlines()]
    assert len(told) == 5
    assert {line["output"] for line in told if line["status"] == "no_faces"} == {
        f"{bucket.url}/out/cat.png"
    }
    # What failed is tried again, and told of behind what was told before.
    bucket.put("in/broken.jpg", (EXAMPLES / "curies.jpg").read_bytes())
    again = faceanon(*command, "--retry-failed", report)
    assert again.stderr.startswith("1 picture ")
    more = [json.loads(line) for line in bucket.get("runs/report.jsonl").splitlines()]
    assert more[:5] == told
    assert [(x["picture"], x["status"]) for x in more[5:]] == [
        ("broken.jpg", "anonymized")
    ]


def test_an_interrupted_run_puts_its_report(
    bucket: Bucket,
    many: dict[str, bytes],
    slow: tuple[object, ...],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    environment["TMPDIR"] = str(tmp_path)
    report = ["--report", f"{bucket.url}/report.jsonl"]
    command = [COMMAND, *slow, f"{bucket.url}/many", f"{bucket.url}/out", *report]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        wait_for(lambda: len(bucket.keys("out/")) > 2, "output")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    told = [json.loads(line) for line in bucket.get("report.jsonl").splitlines()]
    assert {f"out/{line['picture']}" for line in told} == bucket.keys("out/")
    assert not list(tmp_path.glob("faceanon-report*"))


def test_a_report_that_cannot_be_put_stays_here(
    faceanon: Run,
    bucket: Bucket,
    photos: str,
    between: s3.Proxy,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    environment["TMPDIR"] = str(tmp_path)
    between.answer = lambda method, path: (
        403 if method == "PUT" and "report" in path else None
    )
    report = ("--report", f"{bucket.url}/report.jsonl")
    done = faceanon("blackbar", photos, f"{bucket.url}/out", *FAST, *report)
    assert done.returncode == 1
    (kept,) = tmp_path.glob("faceanon-report*")
    assert str(kept) in done.stderr
    assert "no permission" in done.stderr
    assert len(lines(kept)) == 4
    assert kept.stat().st_mode & 0o077 == 0


# --- What goes wrong -------------------------------------------------------------


def test_odd_keys_fail_or_are_left_alone_and_the_rest_is_done(
    faceanon: Run, bucket: Bucket, tmp_path: Path
) -> None:
    cat = (EXAMPLES / "cat.png").read_bytes()
    fine = {
        "a b.png",
        "%20.png",
        "+#?[1].png",
        "ü/é.png",
        "~'\"&=;,@$!().png",
        "\\.png",
    }
    for name in fine:
        bucket.put(f"in/{name}", cat)
    odd = {"//a.png", "a//b.png", "./c.png", "a/./d.png", "c\x1b.png"}
    for name in odd:
        bucket.put(f"in/{name}", cat)
    for output, written in (
        (f"{bucket.url}/out", lambda: set(bucket.below("out/"))),
        (tmp_path / "out", lambda: set(pictures(tmp_path / "out"))),
    ):
        done = faceanon("blackbar", f"{bucket.url}/in", output, *FAST)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stderr
        assert f"{len(odd)} FAILED" in done.stderr
        assert written() == fine


def test_keys_that_climb_never_become_files_elsewhere(
    faceanon: Run, bucket: Bucket, photos: str, between: s3.Proxy, tmp_path: Path
) -> None:
    """The server of the tests refuses such keys; others do not."""
    bucket.put("in/QQ/QQ/QQ/escaped.png", (EXAMPLES / "cat.png").read_bytes())
    bucket.put("in/line-feed.png", (EXAMPLES / "cat.png").read_bytes())
    between.rewrite = lambda data: data.replace(b"QQ", b"..").replace(
        b"line-feed", b"line%0Afeed"
    )
    out = tmp_path / "a" / "b" / "out"
    done = faceanon("blackbar", photos, out, *FAST)
    assert done.returncode == 1
    assert "'..' as a part" in done.stderr
    assert "control characters" in done.stderr
    assert len(pictures(out)) == 4
    assert not list(tmp_path.rglob("escaped.png"))


@pytest.mark.skipif(sys.platform != "linux", reason="such names are Linux's")
def test_names_that_cannot_be_keys_fail_by_name(
    faceanon: Run, bucket: Bucket, source: Path
) -> None:
    for name in (b"line\nfeed.png", b"latin\xfc.png"):
        shutil.copy(EXAMPLES / "cat.png", os.fsencode(source / "x")[:-1] + name)
    done = faceanon("blackbar", source, f"{bucket.url}/out", *FAST)
    assert done.returncode == 1
    assert "line\\nfeed.png cannot be written" in done.stderr
    assert "latin\\xfc.png cannot be written" in done.stderr
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
    done = faceanon("blackbar", *(text.format(bucket.url) for text in places), *FAST)
    assert done.returncode == 2, done.stderr
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()[-1]) < 400
    assert not bucket.keys("out")


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
    done = faceanon("blackbar", photos, f"{bucket.url}/out", *FAST, "-j", "2")
    assert done.returncode == 0, done.stderr
    assert len(bucket.keys("out/")) == 4


def test_requests_are_made_again_when_the_server_is_overloaded(
    faceanon: Run, bucket: Bucket, photos: str, between: s3.Proxy
) -> None:
    seen: set[tuple[str, str]] = set()

    def busy_at_first(method: str, path: str) -> int | None:
        is_first = (method, path) not in seen
        seen.add((method, path))
        return 503 if is_first else None

    between.answer = busy_at_first
    done = faceanon("blackbar", photos, f"{bucket.url}/out", *FAST)
    assert done.returncode == 0, done.stderr
    assert len(bucket.keys("out/")) == 4


def test_each_picture_takes_three_requests(
    faceanon: Run, bucket: Bucket, photos: str, between: s3.Proxy
) -> None:
    command = ("blackbar", photos, f"{bucket.url}/out", *FAST)
    assert faceanon(*command).returncode == 0
    lists = between.count("GET", "list-type")
    assert lists <= 3
    assert between.count("HEAD") == between.count("PUT") == 4
    assert between.count("GET") - lists == 4
    between.requests.clear()
    assert "4 already done" in faceanon(*command).stderr
    assert between.count("HEAD") == 4
    assert between.count("GET") - between.count("GET", "list-type") == 0


def test_an_object_that_may_not_be_read_fails_alone(
    faceanon: Run, bucket: Bucket, photos: str, between: s3.Proxy
) -> None:
    between.answer = lambda _, path: 403 if "in/cat.png" in path else None
    done = faceanon("blackbar", photos, f"{bucket.url}/out", *FAST)
    assert done.returncode == 1
    assert "no permission for" in done.stderr
    assert len(bucket.keys("out/")) == 3


def test_a_bucket_that_is_lost_stops_the_run(
    faceanon: Run, bucket: Bucket, photos: str, between: s3.Proxy
) -> None:
    between.answer = lambda method, _: 401 if method == "PUT" else None
    done = faceanon("blackbar", photos, f"{bucket.url}/out", *FAST)
    assert done.returncode == 1
    assert "the credentials for" in done.stderr
    assert "the run has stopped" in done.stderr


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
    server: tuple[str, s3.Order],
    bucket: Bucket,
    between: s3.Proxy,
    connected: None,
) -> None:
    server[1](f"fill {bucket.name} 20000")
    jobs = files.plan(place(bucket.url), place("out")).jobs()
    first = list(islice(jobs, 500))
    assert between.count("GET") == 1
    tracemalloc.start()
    rest = 0
    for number, _ in enumerate(jobs, start=1):
        if number == 1500:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[1]
        rest = number
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert len(first) + rest == 20_000
    assert between.count("GET") == 20
    assert grown < 8 * 2**20


def test_from_bucket_to_bucket_on_a_cluster_with_a_worker_killed(
    bucket: Bucket,
    many: dict[str, bytes],
    slow: tuple[object, ...],
    environment: dict[str, str],
) -> None:
    pytest.importorskip("ray", reason="needs the extra 'ray'")
    bucket.keep_versions()
    report = ["--report", f"{bucket.url}/report.jsonl", "--engine", "ray", "-j", "2"]
    command = [COMMAND, *slow, f"{bucket.url}/many", f"{bucket.url}/out", *report]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        wait_for(lambda: len(bucket.keys("out/")) > 2, "output")
        at_work = subprocess.run(
            ["pgrep", "-f", "^ray::_work"], capture_output=True, text=True, check=True
        )
        os.kill(int(at_work.stdout.split()[0]), signal.SIGKILL)
        _, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    assert bucket.versions("out/") == sorted(f"out/{name}" for name in many)
    told = [json.loads(line) for line in bucket.get("report.jsonl").splitlines()]
    assert sorted(line["picture"] for line in told) == sorted(many)
