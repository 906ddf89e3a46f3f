"""Kills, full disks, files that change, hostile names: what a night can bring.

Everything here goes through the installed command; `docs/reliability.md` says what is
promised and names the test of each promise.
"""

import gzip
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

import cv2
import pytest

from conftest import COMMAND, PLUGINS, Run, Start, add_to_path
from faceanon.batch.perform import do_picture
from faceanon.batch.planning.make_plan import make_plan
from faceanon.batch.work import Task
from faceanon.batch.workers import cause_of_death
from faceanon.media.containers.png import SIGNATURE, packed
from faceanon.pipeline.job import Job, Outcome
from faceanon.pipeline.steps import Hide
from faceanon.requests.settings import make_settings
from processes import GUARD, is_group_alive, wait_until, workers_of
from support import EXAMPLES, encoded, jobs_of, lines, read

FACE = read(EXAMPLES / "astronaut.png")[20:240, 120:330]


def fill(folder: Path, count: int) -> Path:
    """A folder of so many small pictures with a face."""
    folder.mkdir()
    for number in range(count):
        # No two are the same file, so that none can take another's place.
        size = 90 + number % 20
        picture = encoded(cv2.resize(FACE, (size, size)), ".jpg")
        (folder / f"{number:03}.jpg").write_bytes(picture)
    return folder


def outputs(folder: Path) -> dict[str, tuple[int, int]]:
    """The finished outputs in a folder: name to inode and time of change."""
    if not folder.exists():
        return {}
    return {
        path.name: (path.lstat().st_ino, path.lstat().st_mtime_ns)
        for path in folder.iterdir()
        if not path.name.startswith(".faceanon")
    }


@pytest.fixture
def slow(start: Start, environment: dict[str, str]) -> Start:
    """Start a run that takes so many seconds for a picture."""
    add_to_path(environment, PLUGINS)

    def slow(
        seconds: float, source: Path, out: Path, *options: object, **where: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        arguments = ("--fault", "slow", "--seconds", seconds, "-j", 2, *options)
        return start("faulty", source, out, *arguments, **where)

    return slow


def wait_for_more(run: subprocess.Popen[bytes], out: Path, count: int) -> None:
    """Wait until a run has done so many more pictures, or is at its end."""
    least = len(outputs(out)) + count
    wait_until(
        lambda: len(outputs(out)) >= least or run.poll() is not None, "a picture"
    )


# --- Kills -----------------------------------------------------------------------

DEADLY = [
    getattr(signal, name)
    for name in ("SIGKILL", "SIGSEGV", "SIGABRT", "SIGTERM", "SIGBUS")
    if hasattr(signal, name)
]


def test_killed_at_twenty_random_moments_it_still_does_everything_once(
    slow: Start, tmp_path: Path
) -> None:
    source = fill(tmp_path / "in", 120)
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    random_, groups = random.Random(20), []
    for turn in range(20):
        before = outputs(out)
        run = slow(0.02, source, out, "--report", report)
        if turn % 2:  # when pictures are being written
            wait_for_more(run, out, 2)
            time.sleep(random_.uniform(0, 0.2))
        else:
            time.sleep(random_.uniform(0, 0.8))
        run.kill()
        run.wait()
        groups.append(run.pid)
        after = outputs(out)
        assert before == {name: after[name] for name in before}, "done again"
    wait_until(
        lambda: not any(is_group_alive(group) for group in groups), "the workers' end"
    )
    finished = outputs(out)
    assert len(finished) > 10
    run = slow(0.02, source, out, "--report", report)
    _, errors = run.communicate(timeout=GUARD)
    assert run.returncode == 0
    assert f"{len(finished)} already done".encode() in errors
    assert set(outputs(out)) == {path.name for path in source.iterdir()}
    for path in out.glob("*.jpg"):
        # Black, as a JPEG that keeps its quantization has it.
        assert read(path).max() <= 2, "not what the method makes"
    assert [p.name for p in out.iterdir() if p.name.endswith(".tmp")] == []
    # The report tells of each, and of none that it was made twice.
    done = Counter(x["picture"] for x in lines(report) if x["status"] == "anonymized")
    assert max(done.values()) == 1
    assert {x["picture"] for x in lines(report)} == set(outputs(out))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_workers_killed_at_random_cost_the_pictures_they_held(
    slow: Start, tmp_path: Path
) -> None:
    source = fill(tmp_path / "in", 150)
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    random_, kills = random.Random(5), 0
    run = slow(0.1, source, out, "--report", report)
    spared: set[int] = set()
    while run.poll() is None and kills < 8:
        wait_for_more(run, out, 1)
        time.sleep(random_.uniform(0, 0.2))
        workers = workers_of(run.pid)
        if workers:
            # Not one that has just been started: the run gives up when a worker dies
            # three times in a row before it is ready.
            victim = random_.choice([w for w in workers if w in spared] or workers)
            with suppress(ProcessLookupError):
                os.kill(victim, DEADLY[kills % len(DEADLY)])
                kills += 1
            spared = {*workers} - {victim}
    _, errors = run.communicate(timeout=GUARD)
    assert kills > 3
    told = lines(report)
    assert Counter(x["picture"] for x in told) == Counter(os.listdir(source))
    failed = {x["picture"] for x in told if x["status"] == "failed"}
    assert 0 < len(failed) <= kills
    assert {x["error"] for x in told if x["error"]} <= {
        f"its worker process died ({cause_of_death(-number)})" for number in DEADLY
    }
    assert set(outputs(out)) == set(os.listdir(source)) - failed
    assert not list(out.glob("*.tmp"))
    assert errors.count(b"its worker process died") == len(failed)


def test_time_in_which_a_run_was_stopped_does_not_count(
    slow: Start, tmp_path: Path
) -> None:
    """Ctrl-Z and fg; a laptop that slept looks the same."""
    source, out = fill(tmp_path / "in", 4), tmp_path / "out"
    run = slow(1, source, out, "--timeout", 10)
    wait_until(lambda: outputs(out), "a picture")
    os.killpg(run.pid, signal.SIGSTOP)
    time.sleep(12)
    os.killpg(run.pid, signal.SIGCONT)
    _, errors = run.communicate(timeout=GUARD)
    assert run.returncode == 0, errors
    assert len(outputs(out)) == 4


def test_the_first_ctrl_c_finishes_what_is_in_hand(slow: Start, tmp_path: Path) -> None:
    source = fill(tmp_path / "in", 100)
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    run = slow(0.5, source, out, "--report", report)
    wait_until(lambda: outputs(out), "a picture")
    before = len(outputs(out))
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=GUARD)
    assert run.returncode == 130
    assert b"finishing what is in hand" in errors
    assert b"interrupted; run the same command again" in errors
    assert b"Traceback" not in errors
    done = outputs(out)
    assert before < len(done) < 100
    assert {x["picture"]: x["status"] for x in lines(report)} == dict.fromkeys(
        done, "anonymized"
    )
    assert f"{len(done)} anonymized".encode() in errors


def test_the_second_ctrl_c_ends_it_now(slow: Start, tmp_path: Path) -> None:
    source, out = fill(tmp_path / "in", 8), tmp_path / "out"
    said = tmp_path / "said"
    with said.open("wb") as file:
        # The pictures in hand would take an hour.
        run = slow(3600, source, out, stderr=file)
    # While workers start is as good a moment as any.
    wait_until(lambda: len(workers_of(run.pid)) == 2, "two workers")
    os.killpg(run.pid, signal.SIGINT)
    wait_until(lambda: b"Ctrl-C again ends it now" in said.read_bytes(), "the offer")
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(GUARD) == 130
    assert b"Traceback" not in said.read_bytes()
    assert outputs(out) == {}
    assert not list(out.glob("*.tmp"))


def test_the_line_that_a_kill_tore_is_mended(faceanon: Run, tmp_path: Path) -> None:
    source, report = fill(tmp_path / "in", 2), tmp_path / "report.jsonl"
    assert faceanon("blur", source, tmp_path / "a", "--report", report).returncode == 0
    whole = report.read_bytes()
    second = whole.index(b"\n", whole.index(b"\n") + 1)
    # In the line of the last picture, of the one before it, and of the run.
    for cut, number in ((len(whole) - 1, 3), (second + 4, 3), (9, 2)):
        report.write_bytes(whole[:cut])
        out = tmp_path / f"out{cut}"
        assert faceanon("blur", source, out, "--report", report).returncode == 0
        assert [x["status"] for x in lines(report)] == ["anonymized"] * number
    # What is no report is not cut.
    report.write_bytes(b"dear notes")
    faceanon("blur", source, tmp_path / "b", "--report", report)
    assert report.read_bytes().startswith(b"dear notes")


# --- Disks -----------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of this size; the test is skipped where none can be had."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(
            "a small disk can only be mounted by root, where mounts are allowed"
        )
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_stops_the_run_and_what_is_written_is_whole(
    faceanon: Run, tmp_path: Path, jobs: int
) -> None:
    source, report = fill(tmp_path / "in", 100), tmp_path / "report.jsonl"
    with small_disk(tmp_path / "disk", 256) as disk:
        command = ("blackbar", source, disk / "out", "-j", jobs)
        done = faceanon(*command, "--report", report)
        assert done.returncode == 1
        assert "No space left on device; the run has stopped" in done.stderr
        assert "Traceback" not in done.stderr
        left = outputs(disk / "out")
        assert 0 < len(left) < 100
        for name in left:
            read(disk / "out" / name)
        assert not list((disk / "out").glob("*.tmp"))
        status = {x["picture"]: x["status"] for x in lines(report)}
        assert {n for n, s in status.items() if s == "anonymized"} == set(left)
        assert len(status) == len(lines(report))

        # With room, the same command does the rest and repeats nothing.
        subprocess.run(["mount", "-o", "remount,size=4m", disk], check=True)
        again = faceanon(*command)
        assert again.returncode == 0, again.stderr
        assert f"{len(left)} already done" in again.stderr
        after = outputs(disk / "out")
        assert len(after) == 100
        assert left.items() <= after.items()


def test_a_report_or_box_file_on_a_full_disk_stops_the_run(
    faceanon: Run, tmp_path: Path
) -> None:
    source = fill(tmp_path / "in", 100)
    with small_disk(tmp_path / "disk", 16) as disk:
        for command in (
            ("blackbar", source, tmp_path / "out", "--report", disk / "r.jsonl"),
            ("detect", source, "-o", disk / "boxes.jsonl"),
        ):
            done = faceanon(*command)
            assert done.returncode == 1
            assert "No space left on device; the run has stopped" in done.stderr
            assert "Traceback" not in done.stderr


def test_a_read_only_output_stops_the_run_with_one_line(
    faceanon: Run, tmp_path: Path
) -> None:
    source = fill(tmp_path / "in", 3)
    with small_disk(tmp_path / "disk", 256) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        done = faceanon("blackbar", source, disk / "out")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Read-only file system; the run has stopped" in done.stderr


# --- INPUT that does not hold still ------------------------------------------------


def test_a_picture_that_vanishes_fails_by_name(slow: Start, tmp_path: Path) -> None:
    source, out = fill(tmp_path / "in", 20), tmp_path / "out"
    run = slow(1, source, out)
    wait_until(lambda: outputs(out), "a picture")
    gone = [name for name in os.listdir(source) if name not in outputs(out)]
    for name in gone:
        (source / name).unlink()
    _, errors = run.communicate(timeout=GUARD)
    assert run.returncode == 1
    # A few were read before.
    missed = set(gone) - set(outputs(out))
    assert len(missed) >= 10
    for name in missed:
        assert f"{name}: cannot be read: No such file".encode() in errors


def test_a_picture_that_grows_while_it_is_read_fails(
    faceanon: Run, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    path = source / "upload.png"
    path.write_bytes((EXAMPLES / "astronaut.png").read_bytes())
    os.truncate(path, 200 * 2**20)
    is_done = threading.Event()

    def grow() -> None:
        with path.open("ab", buffering=0) as file:
            while not is_done.wait(0.0005):
                file.write(b"more")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        done = faceanon("blur", source, tmp_path / "out")
    finally:
        is_done.set()
        writer.join()
    assert done.returncode == 1
    assert "upload.png: it changed while it was read" in done.stderr
    assert outputs(tmp_path / "out") == {}


def only_job(source: Path, target: Path) -> Job:
    (job,) = jobs_of(make_plan(source, target))
    return job


def done_by_a_worker(job: Job) -> Outcome:
    step = Hide(make_settings("blackbar", {}))
    return do_picture(Task(job), step, None).outcome


@pytest.mark.parametrize("change", ["link", "pipe"])
def test_what_becomes_a_link_or_a_pipe_after_the_walk_is_not_read(
    tmp_path: Path, change: str
) -> None:
    source = fill(tmp_path / "in", 1)
    secret = fill(tmp_path / "secret", 1) / "000.jpg"
    job = only_job(source, tmp_path / "out")
    (source / "000.jpg").unlink()
    if change == "link":
        (source / "000.jpg").symlink_to(secret)
    else:
        os.mkfifo(source / "000.jpg")
    outcome = done_by_a_worker(job)
    assert outcome.status == "failed"
    assert outcome.error
    assert not (tmp_path / "out").exists()


# --- Hostile pictures and names --------------------------------------------------


def jpeg_of_any_size(width: int, height: int) -> bytes:
    """A real JPEG whose header claims another size."""
    jpeg = bytearray(encoded(FACE, ".jpg"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(jpeg)


def bmp_of_any_size(width: int, height: int) -> bytes:
    bmp = bytearray(encoded(FACE, ".bmp"))
    bmp[18:26] = struct.pack("<ii", width, height)
    return bytes(bmp)


def png_with_an_endless_chunk(width: int, height: int) -> bytes:
    """Four gigabytes of text are announced, and do not come."""
    png = encoded(FACE)
    end = len(png) - 12
    return png[:end] + b"\xff\xff\xff\x00tEXt" + png[end:]


def gif_of_many_frames(width: int, height: int) -> bytes:
    """A hundred thousand frames of one pixel."""
    size = struct.pack("<HHBBB", width // 8, height // 8, 0x80, 0, 0)
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + size + bytes(6) + frame * 100_000 + b"\x3b"


def png_of_many_frames(width: int, height: int) -> bytes:
    """Four thousand frames of sixteen megapixels, and a cover."""
    kinds = (
        (b"IHDR", struct.pack(">IIBBBBB", width // 8, height // 8, 8, 0, 0, 0, 0)),
        (b"acTL", struct.pack(">II", 4000, 0)),
        (b"IDAT", zlib.compress(bytes(width // 8 + 1))),
        (b"IEND", b""),
    )
    return SIGNATURE + b"".join(packed(*chunk) for chunk in kinds)


def tiff_of_many_pages(width: int, height: int) -> bytes:
    """Twenty thousand pages, each with the same pixels."""
    pages, pixels = 20_000, 8
    tags = {256: 8, 257: 1, 258: 8, 259: 1, 262: 1, 273: pixels, 277: 1, 279: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in tags)
    page = struct.pack("<H", len(tags)) + entries
    start = [16 + number * (len(page) + 4) for number in range(pages)]
    chain = b"".join(page + struct.pack("<I", after) for after in [*start[1:], 0])
    return b"II*\0" + struct.pack("<I", start[0]) + bytes(8) + chain


# A process begins with the peak of the one that started it: this one is small.
MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
sys.exit(done.returncode)
"""


class Measured(NamedTuple):
    """A run, the most memory that it took, and its time on processors."""

    status: int
    errors: bytes
    kilobytes: int
    seconds: float


def measured(environment: dict[str, str], source: Path, target: Path) -> Measured:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, COMMAND, "blur", source, target],
        env=environment,
        capture_output=True,
        check=False,
        timeout=GUARD,
    )
    kilobytes, seconds = done.stdout.split()
    return Measured(done.returncode, done.stderr, int(kilobytes), float(seconds))


@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        (jpeg_of_any_size, "it has 32000 x 32000 pixels, more than the limit"),
        (bmp_of_any_size, "it has 32000 x 32000 pixels, more than the limit"),
        (png_with_an_endless_chunk, "damaged or truncated"),
        (gif_of_many_frames, "it has 100000 frames or pages, more than the limit"),
        (tiff_of_many_pages, "it has 20000 frames or pages, more than the limit"),
        (png_of_many_frames, "its 4001 frames or pages of 4000 x 4000 have"),
    ],
)
def test_a_bomb_is_refused_quickly_and_with_little_memory(
    environment: dict[str, str],
    tmp_path: Path,
    bomb: Callable[[int, int], bytes],
    reason: str,
) -> None:
    path, out = tmp_path / "bomb.jpg", tmp_path / "out.jpg"
    path.write_bytes(bomb(32_000, 32_000))
    refused = measured(environment, path, out)
    assert refused.status == 1
    assert reason.encode() in refused.errors
    # Nearly all of it is the program.
    assert refused.kilobytes < 300_000
    assert not out.exists()
    # A good picture of the same pixels, and no more, is decoded; the bomb's are not.
    path.write_bytes(encoded(FACE, ".jpg"))
    good = measured(environment, path, out)
    assert good.status == 0
    assert refused.seconds < 2 * good.seconds


def header_of(kind: bytes, name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def holes() -> bytes:
    """The header of a file of which only parts are there; what parts, follows."""
    header = bytearray(header_of(tarfile.GNUTYPE_SPARSE, "a.jpg", 0))
    header[386:482], header[482] = b"0" * 96, 1
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


TAR_BOMBS = {
    "member": ([header_of(tarfile.REGTYPE, "a.jpg", 2**30)], 2**30),
    "name": ([header_of(tarfile.GNUTYPE_LONGNAME, "a", 2**30)], 2**30),
    "attributes": ([header_of(tarfile.XHDTYPE, "a", 2**30)], 2**30),
    "names": (
        [header_of(tarfile.GNUTYPE_LONGNAME, "a", 1) + b"a" + bytes(511)] * 5000,
        0,
    ),
    "shared": (
        [
            header_of(tarfile.XGLTYPE, "a", 2**20 - 2**15)
            + f"{2**20 - 2**15} {number}=".encode().ljust(2**20 - 2**15 - 1, b"v")
            + b"\n"
            + header_of(tarfile.REGTYPE, f"{number}.txt", 0)
            for number in range(500)
        ],
        0,
    ),
    "holes": ([holes(), *[(b"0" * 504 + b"1" + bytes(7)) * 2000] * 1000], 0),
}
"""Headers, and so many zeros behind them."""


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("member", "a.jpg: it has 1073741824 bytes, more than the 268435456"),
        ("name", "its headers are too large, or too many"),
        ("attributes", "its headers are too large, or too many"),
        ("names", "its headers are too large, or too many"),
        ("shared", "its headers are too large, or too many"),
        ("holes", "it holds a.jpg, which is no regular file"),
    ],
)
def test_a_small_tar_that_unpacks_to_much_does_not_fill_the_memory(
    environment: dict[str, str], tmp_path: Path, kind: str, reason: str
) -> None:
    path, out = tmp_path / "bomb.tar.gz", tmp_path / "out.tar.gz"
    headers, zeros = TAR_BOMBS[kind]
    with gzip.open(path, "wb", 1) as file:
        file.writelines(headers)
        for _ in range(zeros // 2**20):
            file.write(bytes(2**20))
        file.write(header_of(tarfile.REGTYPE, "b.jpg", 0) + bytes(1024))
    refused = measured(environment, path, out)
    assert refused.status == 1
    assert reason.encode() in refused.errors
    assert refused.kilobytes < 300_000
    # A picture that failed is left out; a damaged file has no output.
    assert out.exists() is (kind == "member")


def test_a_small_parquet_that_unpacks_to_much_does_not_fill_the_memory(
    environment: dict[str, str], tmp_path: Path
) -> None:
    pa = pytest.importorskip("pyarrow", reason="needs the extra 'parquet'")
    pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra 'parquet'")
    path, out = tmp_path / "bomb.parquet", tmp_path / "out.parquet"
    cell = {"bytes": bytes(300 * 2**20), "path": "a.jpg"}
    pq.write_table(pa.table({"image": [cell]}), path, compression="zstd")
    assert path.stat().st_size < 2**20
    refused = measured(environment, path, out)
    assert refused.status == 1
    assert b"as no pictures do" in refused.errors
    assert refused.kilobytes < 300_000
    assert not out.exists()


def test_names_cannot_steer_the_terminal(faceanon: Run, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in (
        "\x1b[2J\x1b]0;owned\x07.jpg",
        "\r\x08rubbed out.jpg",
        "\u202egpj.jpg",
    ):
        (source / name).write_bytes(b"<html>")
    for options in (("-v",), ("-vv", "-j", 2), ("--dry-run",)):
        done = faceanon("blur", source, tmp_path / "out", *options)
        for text in (done.stdout, done.stderr):
            assert all(c.isprintable() or c == "\n" for c in text), ascii(text)


def test_paths_beyond_what_the_system_takes_fail_by_name_and_the_rest_is_done(
    faceanon: Run, tmp_path: Path
) -> None:
    source = fill(tmp_path / "in", 2)
    here = os.open(source, os.O_RDONLY)
    try:
        for _ in range(17):  # 17 x 251 bytes are more than 4096
            os.mkdir("d" * 250, dir_fd=here)
            below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    try:
        done = faceanon("blur", source, tmp_path / "out")
    finally:
        shutil.rmtree(source)
    assert done.returncode == 1
    assert len(outputs(tmp_path / "out")) == 2
    assert "2 anonymized (2 faces), 1 FAILED" in done.stderr
    assert "File name too long" in done.stderr


def test_a_folder_that_may_not_be_read_fails_by_name(
    environment: dict[str, str], tmp_path: Path
) -> None:
    source = fill(tmp_path / "in", 2)
    locked = source / "locked"
    fill(locked, 1)
    unread = source / "unread.jpg"
    shutil.copy(source / "000.jpg", unread)
    # Root may read everything, unless it gives that up.
    allowed = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    prefix = allowed if os.geteuid() == 0 else []
    if prefix and not shutil.which("setpriv"):
        pytest.skip("root may read everything, and there is no setpriv")
    locked.chmod(0)
    unread.chmod(0)
    try:
        done = subprocess.run(
            [*prefix, COMMAND, "blur", source, tmp_path / "out"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        locked.chmod(0o700)
    assert done.returncode == 1
    assert f"{locked}: Permission denied" in done.stderr
    assert f"{unread}: cannot be read: Permission denied" in done.stderr
    assert "2 anonymized (2 faces), 2 FAILED" in done.stderr


# --- Names that are one, and permissions -----------------------------------------


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (("a.jpg", "A.JPG"), ()),
        (("Folder/a.jpg", "folder/A.jpg"), ()),
        (("caf\u00e9.jpg", "cafe\u0301.jpg"), ()),
        (("a.png", "a.jpg"), ("--format", "jpeg")),
    ],
)
def test_two_pictures_never_become_one_file(
    faceanon: Run, tmp_path: Path, names: tuple[str, str], options: tuple[str, ...]
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    for number, name in enumerate(names):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        size = 100 + number
        cv2.imwrite(str(source / name), cv2.resize(FACE, (size, size)))
    command = ("blackbar", source, out, *options)
    for more in ((), (), ("--overwrite", "-j", 1)):
        done = faceanon(*command, *more)
        assert done.returncode == 1
        assert "1 FAILED" in done.stderr
        assert "rename one of the two" in done.stderr
        (written,) = [path for path in out.rglob("*.*") if path.suffix != ".db"]
        size = read(written).shape[0]
        assert f"{names[101 - size]}: another picture" in ascii(done.stderr).replace(
            "\\xe9", "\u00e9"
        ).replace("\\u0301", "\u0301")
