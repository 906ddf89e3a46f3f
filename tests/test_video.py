"""Films: hidden in every frame, with their sound, and with nothing else."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import Run, Start
from face_video import (
    COUNT,
    HEIGHT,
    LOST,
    RATE,
    WIDTH,
    av,
    check_hidden,
    face_in,
    images,
    shown,
    write_film,
)
from faceanon import boxes
from faceanon.audit.scan import scan
from faceanon.boxes import Record
from faceanon.model import Box, Face
from support import EXAMPLES, digest, lines, read


def times_of(path: Path) -> list[Fraction]:
    with av.open(str(path)) as film:
        return [frame.pts * frame.time_base for frame in film.decode(video=0)]


def sound_of(path: Path) -> list[tuple[Fraction, str]]:
    """The packets of the sound: when they are heard, and a digest of each."""
    with av.open(str(path)) as film:
        packets = [packet for packet in film.demux(audio=0) if packet.dts is not None]
        return [
            (packet.pts * packet.time_base, hashlib.md5(bytes(packet)).hexdigest())
            for packet in packets
        ]


def boxes_of(film: Path, *faces: Face) -> Path:
    """A box file beside a film."""
    path = film.with_suffix(".jsonl")
    boxes.write(path, [Record(film.name, WIDTH, HEIGHT, digest(film), faces)])
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4")


def test_a_box_in_one_frame_leaves_no_other_frame_open(
    tmp_path: Path, faceanon: Run
) -> None:
    film = write_film(tmp_path / "film.mp4")
    rows, columns = face_in(5)
    box = Box(columns.start, rows.start, columns.stop, rows.stop)
    file = boxes_of(film, Face(box, 1.0, found_by="hand", frame=5))
    out = tmp_path / "out.mp4"
    done = faceanon("blackbar", film, out, "--boxes", file, "--also-detect")
    assert done.returncode == 0, done.stderr
    check_hidden(out)


def test_a_film_is_hidden_in_every_frame_and_keeps_its_sound_and_times(
    faceanon: Run, film: Path, tmp_path: Path
) -> None:
    target, report = tmp_path / "out" / "film.mp4", tmp_path / "report.jsonl"
    done = faceanon("blackbar", film.parent, target.parent, "--report", report)
    assert done.returncode == 0, done.stderr
    assert "voices identify people" in done.stderr
    check_hidden(target)
    assert times_of(target) == times_of(film)
    assert sound_of(target) == sound_of(film)
    (line,) = lines(report)
    (track,) = line["tracks"]
    assert (track["first"], track["last"]) == (0, COUNT - 1)
    assert track["frames"]["between"] >= len(LOST)
    assert sum(track["frames"].values()) == COUNT
    assert track["done_by"] == {"blackbar": COUNT}


def test_nothing_else_comes_along(faceanon: Run, film: Path, tmp_path: Path) -> None:
    assert b"SECRET" in film.read_bytes()
    assert any(finding.identifies for finding in scan(film))
    for level, day in (("safe", "2024-05-06T00:00:00"), ("none", None)):
        target = tmp_path / f"{level}.mp4"
        assert faceanon("blur", film, target, "--metadata", level).returncode == 0
        data = target.read_bytes()
        for secret in (b"SECRET", b"Lavf", b"x264", b"07:08"):
            assert secret not in data
        with av.open(str(target)) as output:
            assert [stream.type for stream in output.streams] == ["video", "audio"]
            created = output.metadata.get("creation_time", "")
            assert created.startswith(day) if day else not created
    assert not any(finding.identifies for finding in scan(tmp_path / "none.mp4"))


def test_times_that_vary_stay_exact(faceanon: Run, tmp_path: Path) -> None:
    times = [0, 1, 2, 5, 6, 7, 8, 15, 16, 17, 30, 31]
    frames = list(images(len(times), lost=()))
    source = write_film(tmp_path / "in.mkv", frames, times=times)
    target = tmp_path / "out.mkv"
    assert faceanon("blackbar", source, target).returncode == 0
    assert times_of(target) == times_of(source)
    check_hidden(target, len(times))


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_film_that_is_to_be_turned_is_written_upright(
    faceanon: Run, tmp_path: Path, turned: int
) -> None:
    # As a phone that was held so has stored it.
    frames = [
        np.ascontiguousarray(np.rot90(image, -turned // 90)) for image in images(8)
    ]
    source = write_film(tmp_path / "in.mp4", frames, turned=turned, sound=None)
    with av.open(str(source)) as check:
        rotation = next(check.decode(video=0)).rotation % 360
    if rotation not in (turned, 360 - turned):
        pytest.skip("this PyAV cannot say how a film is to be turned")
    if rotation != turned:
        frames = [
            np.ascontiguousarray(np.rot90(image, turned // 90)) for image in images(8)
        ]
        write_film(source, frames, turned=turned, sound=None)
    target = tmp_path / "out.mp4"
    assert faceanon("blackbar", source, target).returncode == 0
    with av.open(str(target)) as check:
        assert next(check.decode(video=0)).rotation == 0
    check_hidden(target, 8)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mp4", "libx265", "yuv420p10le"),
        ("a.mkv", "libx264", "yuv444p"),
        ("a.mov", "libx264", "yuv422p"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
    ],
)
def test_pixels_stay_of_their_kind(
    faceanon: Run, tmp_path: Path, name: str, codec: str, pixels: str
) -> None:
    sound = "libopus" if name.endswith("webm") else "aac"
    colors = (9, 16, 9) if "10" in pixels else None  # BT.2020, PQ
    source = write_film(
        tmp_path / name,
        list(images(10, lost=())),
        codec=codec,
        pixels=pixels,
        colors=colors,
        sound=None if sound == "libopus" else sound,
    )
    target = tmp_path / "out" / name
    target.parent.mkdir()
    done = faceanon("blackbar", source, target)
    assert done.returncode == 0, done.stderr
    with av.open(str(source)) as before, av.open(str(target)) as after:
        was, now = (next(each.decode(video=0)) for each in (before, after))
        assert now.format.name == was.format.name == pixels
        for about in ("color_primaries", "color_trc", "colorspace"):
            assert getattr(now, about) == getattr(was, about)
    check_hidden(target, 10)


@pytest.mark.parametrize("size", [(321, 181), (318, 241)])
def test_odd_sizes_stay(faceanon: Run, tmp_path: Path, size: tuple[int, int]) -> None:
    frames = [cv2.resize(image, size) for image in images(6, lost=())]
    source = write_film(tmp_path / "in.mp4", frames, pixels="yuv444p", sound=None)
    assert faceanon("blackbar", source, tmp_path / "out.mp4").returncode == 0
    assert shown(tmp_path / "out.mp4")[0].shape[1::-1] == size


def test_old_containers_become_new_ones(faceanon: Run, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    frames = list(images(10, lost=()))
    write_film(
        folder / "camera.avi",
        frames,
        codec="mjpeg",
        pixels="yuvj420p",
        sound="pcm_s16le",
    )
    write_film(folder / "tv.ts", frames, codec="mpeg2video", sound="mp2")
    (folder / "code.ts").write_text("export const answer: number = 42;\n")
    done = faceanon("blackbar", folder, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "no picture (1)" in done.stderr
    for name in ("camera", "tv"):
        check_hidden(tmp_path / "out" / f"{name}.mp4", 10)
    # Without loss, although MP4 does not hold it as it was.
    with av.open(str(folder / "camera.avi")) as before:
        was = np.concatenate([f.to_ndarray().ravel() for f in before.decode(audio=0)])
    with av.open(str(tmp_path / "out" / "camera.mp4")) as after:
        now = np.concatenate([f.to_ndarray().T.ravel() for f in after.decode(audio=0)])
    assert "alac" in done.stderr
    np.testing.assert_array_equal(was, (now >> 16).astype(np.int16)[: len(was)])


@pytest.mark.parametrize("method", ["pixelate", "blur", "emoji", "swap", "eyecolor"])
def test_every_method_does_films(faceanon: Run, tmp_path: Path, method: str) -> None:
    pair = [np.hstack((image, image[:, ::-1])) for image in images(8, lost=())]
    source = write_film(tmp_path / "in.mp4", pair, sound=None)
    target, report = tmp_path / "out.mp4", tmp_path / "report.jsonl"
    done = faceanon(method, source, target, "--report", report)
    assert done.returncode == 0, done.stderr
    (line,) = lines(report)
    assert len(line["tracks"]) == 2
    before, after = shown(source), shown(target)
    assert len(before) == len(after)
    if method != "eyecolor":
        for number, (was, now) in enumerate(zip(before, after, strict=True)):
            rows, columns = face_in(number)
            inside = np.abs(was[rows, columns].astype(int) - now[rows, columns])
            assert inside.mean() > 12, number


def damaged(path: Path, flips: int = 60) -> Path:
    """The film with flipped bits in its picture."""
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(3)
    for place in rng.integers(len(data) // 4, len(data), flips).tolist():
        data[place] ^= 1 << int(rng.integers(8))
    target = path.with_name(f"damaged{path.suffix}")
    target.write_bytes(data)
    return target


def test_damage_fails_by_name_and_leaves_no_output(
    faceanon: Run, film: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    frames = list(images())
    front = write_film(folder / "front.mp4", frames, sound=None, movflags="faststart")
    data = front.read_bytes()
    (folder / "cut.mp4").write_bytes(data[: len(data) * 6 // 10])
    mkv = write_film(folder / "whole.mkv", frames)
    whole = mkv.read_bytes()
    (folder / "cut.mkv").write_bytes(whole[: len(whole) * 6 // 10])
    damaged(front)
    (folder / "no_index.mp4").write_bytes(film.read_bytes()[:20_000])
    (folder / "list.mp4").write_text("#EXTM3U\n#EXTINF:3,\nfront.mp4\n")
    (folder / "empty.mkv").touch()
    done = faceanon("blackbar", folder, out)
    assert done.returncode == 1
    assert {path.name for path in out.glob("[!.]*")} == {"front.mp4", "whole.mkv"}
    for name in ("cut.mp4", "cut.mkv", "damaged.mp4", "no_index.mp4", "list.mp4"):
        assert any(
            line.startswith(str(folder / name)) for line in done.stderr.splitlines()
        )
    assert "Traceback" not in done.stderr


def test_damaged_frames_can_be_painted_over(faceanon: Run, tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mp4", sound=None)
    broken, target = damaged(source), tmp_path / "out.mp4"
    done = faceanon("blackbar", broken, target, "--damaged", "cover")
    assert done.returncode == 0, done.stderr
    frames = shown(target)
    black = [number for number, frame in enumerate(frames) if frame.max() < 32]
    assert 0 < len(black) < len(frames)


def test_two_pictures_at_once_or_none_are_refused(
    faceanon: Run, tmp_path: Path
) -> None:
    two = tmp_path / "two.mkv"
    with av.open(str(two), "w") as output:
        streams = [output.add_stream("libx264", rate=RATE) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for stream in streams:
            for image in images(3):
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
    done = faceanon("blackbar", two, tmp_path / "out.mkv")
    assert done.returncode == 1
    assert "2 pictures at once" in done.stderr
    assert not (tmp_path / "out.mkv").exists()


def test_a_part_of_a_film(faceanon: Run, film: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    cut = ("--from", "0.4", "--to", "0:01.2")
    done = faceanon("blackbar", film, target, *cut)
    assert done.returncode == 0, done.stderr
    frames = shown(target)
    assert len(frames) == 12
    for number, frame in enumerate(frames, start=6):
        assert frame[face_in(number)].max() < 48
    heard = [at for at, _ in sound_of(target)]
    assert -0.05 < heard[0] <= 0.03
    assert 0.7 < heard[-1] < 0.85
    dropped = tmp_path / "silent.mp4"
    assert faceanon("blackbar", film, dropped, "--sound", "drop").returncode == 0
    with av.open(str(dropped)) as output:
        assert not output.streams.audio


def test_films_and_pictures_of_one_folder(
    faceanon: Run, environment: dict[str, str], film: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4", "named.jpg"):
        (folder / name).write_bytes(film.read_bytes())
    for name in ("astronaut.png", "cat.png"):
        (folder / name).write_bytes((EXAMPLES / name).read_bytes())
    done = faceanon("blackbar", folder, out, "-j", 2)
    assert done.returncode == 0, done.stderr
    for name in ("a.mp4", "b.mp4", "named.jpg"):
        check_hidden(out / name)
    assert "named.jpg: note: it is an MP4" in done.stderr
    again = faceanon("blackbar", folder, out)
    assert "5 already done" in again.stderr
    left_out = faceanon("blackbar", folder, tmp_path / "stills", "--no-video")
    assert "a film (--no-video) (2)" in left_out.stderr
    # Without the extra, films fail by name, and pictures are done all the same.
    environment["PYTHONPATH"] = str(tmp_path / "without")
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "av.py").write_text("raise ImportError('no av')\n")
    without = faceanon("blackbar", folder, tmp_path / "no_av")
    assert without.returncode == 1
    assert without.stderr.count("it is a video; to read and write those") == 3
    assert {path.name for path in (tmp_path / "no_av").glob("[!.]*")} == {
        *("astronaut.png", "cat.png")
    }


def test_a_run_that_is_killed_does_not_look_again(
    faceanon: Run,
    start: Start,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    (tmp_path / "in").mkdir()
    source = write_film(tmp_path / "in" / "film.mp4", list(images(300, lost=())))
    cache, out = tmp_path / "cache", tmp_path / "out"
    environment["FACEANON_CACHE"] = str(cache)
    running = start("blackbar", source.parent, out)
    while not list(cache.glob("*.npz")):
        assert running.poll() is None
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert not list(out.glob("*.mp4"))
    (kept,) = cache.glob("*.npz")
    # Something that no look would find: whether it is taken is seen.
    columns = dict(np.load(kept))
    columns["boxes"] += 100
    with kept.open("wb") as file:
        np.savez_compressed(file, **columns)
    done = faceanon("blackbar", source.parent, out)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in out.iterdir()} == {"film.mp4", ".faceanon.db"}
    (frame, *_) = shown(out / "film.mp4")
    rows, columns_ = face_in(0)
    assert frame[rows, columns_].max() > 100
    # Another method renders the same finds; another way of finding looks itself.
    assert faceanon("emoji", source, tmp_path / "emoji.mp4").returncode == 0
    assert len(list(cache.glob("*.npz"))) == 1
    other = faceanon("blackbar", source, tmp_path / "b.mp4", "--min-score", 0.3)
    assert other.returncode == 0
    assert len(list(cache.glob("*.npz"))) == 2


def test_finding_first_and_hiding_later_hides_the_same(
    faceanon: Run, film: Path, tmp_path: Path
) -> None:
    found = tmp_path / "boxes.jsonl"
    assert faceanon("detect", film, "-o", found).returncode == 0
    once, later = tmp_path / "once.mp4", tmp_path / "later.mp4"
    for method in ("blackbar", "pixelate"):
        options = ("--seed", 1, "--overwrite")
        assert faceanon(method, film, once, *options).returncode == 0
        done = faceanon(method, film, later, "--boxes", found, *options)
        assert done.returncode == 0, done.stderr
        for was, now in zip(shown(once), shown(later), strict=True):
            assert np.abs(was.astype(int) - now).max() < 40
    faces = [face for line in lines(found) for face in line["faces"]]
    assert Fraction(faces[-1]["pts"]) == Fraction(faces[-1]["frame"], RATE)
    # Of what somebody has taken out of the box file, people are told.
    text = [
        json.dumps(
            {**line, "faces": [f for f in line["faces"] if f["frame"] not in (4, 5)]}
        )
        for line in lines(found)
    ]
    found.write_text("\n".join(text) + "\n")
    done = faceanon("blackbar", film, later, "--boxes", found, "--overwrite")
    assert "has no box in frames 4 to 5" in done.stderr


def test_people_are_told_by_whole_tracks(faceanon: Run, tmp_path: Path) -> None:
    # She is blurred in some frames, in which nobody could tell who she is.
    hopper = cv2.resize(read(EXAMPLES / "grace_hopper.jpg")[:400, 50:400], (280, 320))
    frames = []
    for image in images(12, lost=(4, 5, 8)):
        frame = np.full((HEIGHT + 80, WIDTH + 280, 3), 128, np.uint8)
        frame[:HEIGHT, :WIDTH] = image
        frame[:, WIDTH:] = hopper
        frames.append(frame)
    source = write_film(tmp_path / "in.mp4", frames, sound=None)
    people = tmp_path / "people" / "eileen"
    people.mkdir(parents=True)
    cv2.imwrite(str(people / "1.png"), read(EXAMPLES / "astronaut.png")[:, ::-1])
    for option, is_shown in (("--except", True), ("--only", False)):
        target = tmp_path / f"{option}.mp4"
        done = faceanon("blackbar", source, target, option, people.parent)
        assert done.returncode == 0, done.stderr
        for number, frame in enumerate(shown(target)):
            rows, columns = face_in(number)
            hers, his = frame[rows, columns], frame[100:180, WIDTH + 100 : WIDTH + 200]
            assert bool(hers.max() > 60) is is_shown, (option, number)
            assert bool(his.max() < 48) is is_shown, (option, number)


def test_memory_does_not_grow_with_the_film(tmp_path: Path) -> None:
    peaks = []
    for count in (60, 300):
        source = write_film(tmp_path / f"{count}.mp4", list(images(count)), sound=None)
        script = (
            "import sys, resource\n"
            "from faceanon.batch.perform import do_picture\n"
            "from faceanon.batch.work import Task\n"
            "from faceanon.pipeline.job import Job\n"
            "from faceanon.pipeline.steps import Hide\n"
            "from faceanon.requests.settings import make_settings\n"
            "from pathlib import Path\n"
            "source = Path(sys.argv[1])\n"
            "target = source.with_suffix('.out.mp4')\n"
            "job = Job('a.mp4', source, target, target.with_suffix('.tmp'))\n"
            "step = Hide(make_settings('blackbar', {'accuracy': 'fast'}))\n"
            "outcome = do_picture(Task(job), step, None).outcome\n"
            "assert outcome.status == 'anonymized', outcome.error\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
        )
        environment = {**os.environ, "FACEANON_CACHE": ""}
        done = subprocess.run(
            [sys.executable, "-c", script, source],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        peaks.append(int(done.stdout))
    kilobyte = 1 if sys.platform == "linux" else 1024
    assert peaks[1] / kilobyte < peaks[0] / kilobyte + 30_000
