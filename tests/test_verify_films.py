"""The audit of films: each frame in its time, some looked at, and the sound."""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from conftest import Run
from face_video import COUNT, RATE, face_in, images, shown, write_film
from support import EXAMPLES

av = pytest.importorskip("av", reason="PyAV is not installed: faceanon[video]")

Lines = list[dict[str, Any]]
Verify = Callable[..., tuple[int, Lines, str]]

LONG = 90
"""Frames of a film of which not all are looked at."""


@pytest.fixture
def verify(faceanon: Run, environment: dict[str, str]) -> Verify:
    # It is quicker with OpenVINO.
    del environment["FACEANON_INFERENCE"]

    def run(*arguments: object) -> tuple[int, Lines, str]:
        done = faceanon("verify", *arguments)
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
        told = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, told, done.stderr

    return run


def covered(number: int, image: NDArray[Any]) -> NDArray[Any]:
    """A frame with its face painted over."""
    image = image.copy()
    rows, columns = face_in(number)
    image[rows.start - 20 : rows.stop + 20, columns.start - 15 : columns.stop + 15] = 0
    return image


def remade(
    source: Path,
    target: Path,
    open_frames: Sequence[int] = (),
    *,
    late: int = 0,
    without: Callable[[int], bool] = lambda number: False,
    audio: bool = True,
    jumps: int = 0,
    second: bool = False,
    chapter: str = "",
) -> Path:
    """What another tool makes of a film: faces are covered, sounds are copied.

    Args:
        source: the film.
        target: what to write.
        open_frames: the frames in which the face is left.
        late: by how much the sound is late, in its units.
        without: which packets of the sound to leave out.
        audio: whether there is any.
        jumps: by how many frames the second half is shown later.
        second: whether the input's picture is there as a second stream.
        chapter: the name of a chapter.
    """
    with av.open(str(source)) as film, av.open(str(target), "w") as output:
        output.flags |= av.container.Flags.bitexact.value
        video = output.add_stream("libx264", rate=RATE, options={"x264-params": "info"})
        video.codec_context.options = {"preset": "ultrafast"}
        streams = [video]
        if second:
            streams.append(output.add_stream("mpeg4", rate=RATE))
        frames = shown(source)
        for stream in streams:
            stream.width, stream.height = frames[0].shape[1::-1]
            stream.pix_fmt = "yuv420p"
        sound = film.streams.audio[0]
        copy = output.add_stream_from_template(sound) if audio else None
        if chapter:
            ends = {"start": 0, "end": 1, "time_base": Fraction(1)}
            output.set_chapters([{"id": 1, "metadata": {"title": chapter}, **ends}])
        clean = av.bitstream.BitStreamFilterContext(
            "filter_units=remove_types=6", video
        )
        for stream in streams:
            for number, image in enumerate(frames):
                is_open = number in open_frames or stream is not video
                picture = image if is_open else covered(number, image)
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
                frame.pts = number + (jumps if number >= len(frames) // 2 else 0)
                frame.time_base = Fraction(1, RATE)
                put(output, stream, stream.encode(frame), clean)
            put(output, stream, stream.encode(), clean)
        packets = film.demux(sound) if copy else ()
        for number, packet in enumerate(packets):
            if packet.dts is not None and not without(number):
                packet.pts, packet.dts = packet.pts + late, packet.dts + late
                packet.stream = copy
                output.mux(packet)
    return target


def put(output: Any, stream: Any, packets: Sequence[Any], clean: Any) -> None:
    """Write packets, of H.264 without what names the encoder."""
    for packet in packets:
        is_named = stream.codec_context.name == "libx264"
        for one in clean.filter(packet) if is_named else [packet]:
            one.stream = stream
            output.mux(one)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="module")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The face goes to the left, and back to the right in the end."""
    frames = list(images(LONG, lost=()))
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", frames)


def failing(told: Lines) -> list[str]:
    return sorted({line["kind"] for line in told if line["fails"]})


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_good_outputs_pass(
    faceanon: Run, verify: Verify, film: Path, tmp_path: Path, suffix: str
) -> None:
    output = tmp_path / f"film{suffix}"
    done = faceanon("pixelate", film, output)
    assert done.returncode == 0, done.stderr
    status, told, said = verify(film, output)
    assert (status, failing(told)) == (0, [])
    assert f"1 film: {COUNT} of {COUNT} frames looked at" in said
    assert "Whether voices" in said


def test_good_outputs_of_a_folder_pass(
    faceanon: Run, verify: Verify, tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    frames = list(images(12, lost=()))
    write_film(
        source / "camera.avi",
        frames,
        codec="mjpeg",
        pixels="yuvj420p",
        sound="pcm_s16le",
    )
    write_film(source / "tv.ts", frames, codec="mpeg2video", sound="aac")
    write_film(
        source / "varies.mkv", frames, times=[0, 1, 2, 5, 6, 7, 8, 15, *range(20, 24)]
    )
    write_film(source / "silent.mp4", frames, sound=None)
    shutil.copy(EXAMPLES / "astronaut.png", source)
    done = faceanon("blackbar", source, out)
    assert done.returncode == 0, done.stderr
    status, told, said = verify(source, out)
    assert (status, failing(told)) == (0, []), told
    assert "audited 5 outputs (4 films: 48 of 48 frames looked at)" in said
    # The sound that MP4 does not hold was written anew, and it is said.
    (line,) = [line for line in told if line["kind"] == "sound"]
    assert line["output"] == "camera.mp4"
    assert "written anew" in line["what"]


def test_a_face_that_is_open_for_a_moment_is_found(
    verify: Verify, long_film: Path, tmp_path: Path
) -> None:
    """It would not be seen at a frame in each second."""
    good = remade(long_film, tmp_path / "good.mp4")
    status, told, said = verify(long_film, good)
    assert (status, told) == (0, [])
    found = re.search(rf"(\d+) of {LONG} frames looked at", said)
    assert found
    assert int(found[1]) < LONG
    for number in (47, 52):
        bad = remade(long_film, tmp_path / "bad.mp4", [number])
        status, (line,), said = verify(long_film, bad)
        assert (status, line["kind"], line["frame"]) == (1, "face left", number)
        assert line["time"] == round(number / RATE, 3)
        clock = f"0:{number / RATE:04.1f}"
        assert f"bad.mp4, at {clock} (frame {number}), face at" in said
        left, _, right, _ = line["box"]
        assert left < (face_in(number)[1].start + face_in(number)[1].stop) / 2 < right


def test_a_face_that_stays_open_is_one_finding(
    verify: Verify, long_film: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    bad = remade(long_film, tmp_path / "bad.mp4", range(40, 58))
    status, (line,), said = verify(long_film, bad, "--page", page)
    assert status == 1
    assert line["frame"] == 40
    assert line["time"] == round(40 / RATE, 3)
    assert 54 / RATE < line["until"] < 58 / RATE
    assert "at 0:02.7 to 0:03." in said
    html = page.read_text()
    assert f"of {LONG} frames looked at</p>" in html
    assert "at 0:02.7 to 0:03." in html
    assert html.count("<img") == 1


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"audio": False}, None, "it has no sound; its input has"),
        ({"late": 22050}, "sound", "its sound is 0.50 s late"),
        ({"without": lambda number: 20 <= number < 40}, "sound", "from 0:00.4 on"),
        ({"without": lambda number: number >= 60}, "sound", "packets are missing"),
        ({"chapter": "Jane Doe"}, "file", "the file holds"),
        ({"second": True}, "file", "one more video track"),
        ({"jumps": 1}, "not compared", "its times differ: frame 15"),
    ],
)
def test_what_else_is_wrong_is_named(
    verify: Verify,
    film: Path,
    tmp_path: Path,
    changes: dict[str, Any],
    kind: str | None,
    said: str,
) -> None:
    output = remade(film, tmp_path / "out.mp4", **changes)
    status, told, text = verify(film, output)
    assert status == (0 if kind is None else 1), text
    assert kind is None or kind in failing(told)
    assert said in text
    assert "Jane Doe" not in text
    assert "face" not in " ".join(failing(told))


def test_frames_that_are_lost_fail(verify: Verify, film: Path, tmp_path: Path) -> None:
    short = write_film(tmp_path / "short.mp4", shown(film)[:20])
    status, told, said = verify(film, short)
    assert (status, "not compared" in failing(told)) == (1, True)
    assert "the output ends after 20 frames, and the input does not" in said
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(film.read_bytes()[:20_000])
    status, told, said = verify(film, cut)
    assert (status, "not compared" in failing(told)) == (1, True)


def test_a_part_is_compared_with_its_part(
    faceanon: Run, verify: Verify, film: Path, tmp_path: Path
) -> None:
    output, report = tmp_path / "out.mp4", tmp_path / "report.jsonl"
    part = ("--from", "0.4", "--to", "0:01.2")
    assert faceanon("blackbar", film, output, *part, "--report", report).returncode == 0
    assert verify(film, output)[0] == 1
    for options in (part, ("--report", report)):
        status, told, said = verify(film, output, *options)
        assert (status, [line["kind"] for line in told]) == (0, ["part"])
        assert "the part of the input from 0:00.4 to 0:01.2" in said
    assert verify(film, output, "--from", "0.6", "--to", "1.4")[0] == 1


def test_a_report_tells_what_was_asked_for(
    faceanon: Run, verify: Verify, film: Path, tmp_path: Path
) -> None:
    friends, output = tmp_path / "friends", tmp_path / "out.mp4"
    friends.mkdir()
    shutil.copy(EXAMPLES / "astronaut.png", friends)
    report = tmp_path / "report.jsonl"
    options = ("--except", friends, "--sound", "drop", "--report", report)
    done = faceanon("blackbar", film, output, *options)
    assert done.returncode == 0, done.stderr
    status, told, _ = verify(film, output, "--report", report)
    assert (status, {line["kind"] for line in told}) == (0, {"shown"})
    status, told, _ = verify(film, output)
    assert (status, failing(told)) == (1, ["face left"])
    # What the run kept must be there.
    assert (
        faceanon("blackbar", film, output, "--report", report, "--overwrite").returncode
        == 0
    )
    silent = remade(film, tmp_path / "silent.mp4", audio=False)
    shutil.copy(silent, output)
    status, told, _ = verify(film, output, "--report", report)
    assert (status, failing(told)) == (1, ["sound"])


def test_without_the_extra_films_are_not_audited_by_name(
    faceanon: Run,
    verify: Verify,
    environment: dict[str, str],
    film: Path,
    tmp_path: Path,
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    shutil.copy(film, source)
    shutil.copy(EXAMPLES / "cat.png", source)
    assert faceanon("blackbar", source, out).returncode == 0
    hidden = tmp_path / "without"
    hidden.mkdir()
    (hidden / "av.py").write_text("raise ImportError('no av')\n")
    before = environment.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = f"{hidden}:{before}" if before else str(hidden)
    status, told, said = verify(source, out)
    assert (status, failing(told)) == (1, ["not compared"])
    assert "NOT AUDITED: film.mp4: faces were not compared" in said
    assert "pip install '.[video]'" in said
    assert "nothing found" not in said
    (out / "film.mp4").unlink()
    assert verify(source, out, "--no-video")[0] == 0
