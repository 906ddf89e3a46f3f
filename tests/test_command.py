"""The installed command, as a user meets it."""

import io
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote_to_bytes

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as PillowImage

from conftest import COMMAND, PLUGINS, Run, Start, add_to_path
from faceanon import anonymizers
from faceanon.cli import cli
from processes import GUARD, is_group_alive, wait_until
from support import (
    EXAMPLES,
    lines,
    pictures,
    read,
    told_of_runs,
    tree,
    with_examples,
    write_png,
)

# --- The run of every day --------------------------------------------------------


@pytest.mark.parametrize("method", ["blackbar", "pixelate", "blur", "emoji"])
def test_a_folder_is_mirrored_and_only_the_faces_change(
    request: pytest.FixtureRequest,
    faceanon: Run,
    source: Path,
    tmp_path: Path,
    method: str,
) -> None:
    if method == "blackbar":  # the others need not be told by the thorough way, too
        request.getfixturevalue("as_installed")
    before = tree(source)
    report = tmp_path / "report.jsonl"
    done = faceanon(method, source, tmp_path / "out", "--report", report)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "3 pictures" in done.stderr.splitlines()[-1]
    assert "1 without a face" in done.stderr.splitlines()[-1]
    assert tree(source) == before
    assert set(pictures(tmp_path / "out")) == set(before)

    (line,) = (x for x in lines(report) if x["input"].endswith("astronaut.png"))
    (face,) = line["faces"]
    left, top, right, bottom = face["box"]
    original = read(source / "astronaut.png").astype(int)
    changed = (
        np.abs(read(tmp_path / "out" / "astronaut.png") - original).max(axis=2) > 0
    )
    assert changed[top:bottom, left:right].mean() > 0.95
    ys, xs = np.nonzero(changed)
    reach = {"emoji": 1.8, "blur": 1.65}.get(method, 1.45)
    assert ys.max() - ys.min() <= reach * (bottom - top) + 2
    assert xs.max() - xs.min() <= reach * (bottom - top) + 2

    cat = read(source / "cat.png")
    assert (read(tmp_path / "out" / "cat.png") == cat).all()


@pytest.mark.usefixtures("as_installed")
def test_nothing_of_a_detected_face_can_be_found_again(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    faceanon("blackbar", source, tmp_path / "out")
    report = tmp_path / "again.jsonl"
    # A bar in the middle of somebody's hair is still a little like a face.
    options = ("--min-score", 0.5, "--report", report)
    faceanon("blackbar", tmp_path / "out", tmp_path / "again", *options)
    assert [len(line["faces"]) for line in lines(report)] == [0, 0, 0]


def test_the_report_tells_what_was_done(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    done = faceanon(
        "pixelate", source, tmp_path / "out", "--report", report, "--seed", "8731"
    )
    assert done.returncode == 0
    by_name = {Path(line["input"]).name: line for line in lines(report)}
    curies = by_name["curies.jpg"]
    assert curies["status"] == "anonymized"
    assert curies["output"] == str(tmp_path / "out" / "album" / "curies.jpg")
    assert (curies["width"], curies["height"]) == (840, 700)
    assert curies["input_bytes"] == (EXAMPLES / "curies.jpg").stat().st_size
    assert curies["output_bytes"] == Path(curies["output"]).stat().st_size
    assert len(curies["faces"]) >= 2
    for face in curies["faces"]:
        left, top, right, bottom = face["box"]
        assert left < right
        assert top < bottom
        assert 0 < face["score"] <= 1
        assert np.shape(face["points"]) == (5, 2)
    (run,) = told_of_runs(report)
    assert run["settings"]["method"] == "pixelate"
    options = {"cells": 8.0, "faithful": False, "noise": 40.0}
    assert run["settings"]["options"] == options
    assert by_name["cat.png"]["status"] == "no_faces"
    # Who knows the seed can take the noise away again.
    assert "8731" not in report.read_text()


@pytest.mark.parametrize(
    ("options", "smallest"),
    [
        (("--accuracy", "balanced"), 24),
        (("--accuracy", "fast"), 32),
        (("--detector", "haar"), 71),
    ],
)
def test_faces_that_are_too_small_to_be_seen_are_told(
    faceanon: Run, tmp_path: Path, options: tuple[str, ...], smallest: int
) -> None:
    """A detector that looks at a large picture made smaller does not see them."""
    picture = cv2.resize(read(EXAMPLES / "cat.png"), (3000, 2000))
    source = write_png(tmp_path / "large.png", picture)
    report = tmp_path / "report.jsonl"
    done = faceanon(
        "blackbar", source, tmp_path / "out.png", *options, "--report", report
    )
    assert done.returncode == 0, done.stderr
    (line,) = lines(report)
    assert line["smallest_face"] == smallest
    is_told = f"faces below {smallest} pixels are not seen in it" in done.stderr
    assert is_told == bool(line["notes"]) == (smallest > 40)
    assert ("too large to see faces of 40 pixels: 1" in done.stderr) == (smallest > 40)


def test_one_worker_and_two_make_the_same(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    for jobs in (1, 2):
        done = faceanon(
            "pixelate", source, tmp_path / f"out{jobs}", "-j", jobs, "--seed", 5
        )
        assert done.returncode == 0
    assert pictures(tmp_path / "out1") == pictures(tmp_path / "out2")


def test_without_a_seed_the_noise_is_another_each_time(
    faceanon: Run, tmp_path: Path
) -> None:
    for name in ("a.png", "b.png"):
        assert not faceanon(
            "pixelate", EXAMPLES / "astronaut.png", tmp_path / name
        ).returncode
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_a_single_picture_goes_to_a_file_a_folder_or_through_a_pipe(
    faceanon: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    picture = EXAMPLES / "astronaut.png"
    assert faceanon("blackbar", picture, tmp_path / "a.png").returncode == 0
    assert faceanon("blackbar", picture, tmp_path).returncode == 0
    piped = subprocess.run(
        [COMMAND, "blackbar", "-", "-"],
        env=environment,
        input=picture.read_bytes(),
        capture_output=True,
        check=True,
    )
    expected = (tmp_path / "a.png").read_bytes()
    assert (tmp_path / "astronaut.png").read_bytes() == expected
    assert piped.stdout == expected
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "astronaut.png"]


def test_standard_input_without_end_is_refused(
    environment: dict[str, str], tmp_path: Path
) -> None:
    endless = tmp_path / "endless"
    with endless.open("wb") as file:
        file.truncate(2**40)
    with endless.open("rb") as file:
        done = subprocess.run(
            [COMMAND, "blackbar", "-", tmp_path / "out.png", "--max-memory", "512"],
            env=environment,
            stdin=file,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "it has more than 134217728 bytes; name it as a file" in done.stderr
    assert not (tmp_path / "out.png").exists()


def test_python_dash_m_and_the_version(faceanon: Run) -> None:
    version = faceanon("--version")
    assert version.stdout.startswith("faceanon, version ")
    module = subprocess.run(
        [sys.executable, "-m", "faceanon", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert module.stdout == version.stdout


@pytest.mark.parametrize(
    "method", ["blackbar", "pixelate", "blur", "swap", "emoji", "eyecolor"]
)
def test_help_shows_the_everyday_options_and_on_request_all(
    faceanon: Run, method: str
) -> None:
    text, all_of_it = (
        faceanon(method, f"--help{more}").stdout for more in ("", "-all")
    )
    assert "--max-memory" not in text
    for heading in ("The look:", "Finding faces:", "Outputs:", "Examples:"):
        assert heading in text
        assert heading in all_of_it
    for option in ("--detector", "--min-score", "--grow", "--jobs", "--max-memory"):
        assert option in all_of_it
    assert re.search(r"--jobs N .*\[default:\s+all", all_of_it, re.DOTALL)
    number = re.search(r"--help-all shows all (\d+) options", text)
    assert number is not None
    flags = re.findall(r"^  (?:-\w, )?--[\w-]+", all_of_it, re.MULTILINE)
    assert int(number[1]) == len(flags)


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("blur", ["--faithful"], "can be recognised"),
        ("pixelate", ["--faithful"], "can be recognised"),
        ("eyecolor", [], "recogni"),
    ],
)
def test_a_method_that_does_not_protect_says_so(
    faceanon: Run, tmp_path: Path, method: str, options: list[str], words: str
) -> None:
    assert words in " ".join(faceanon(method, "--help").stdout.split())
    picture = EXAMPLES / "astronaut.png"
    done = faceanon(method, picture, tmp_path / "out.png", *options)
    assert words in done.stderr


def test_options_come_from_the_environment(
    faceanon: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    environment.update(FACEANON_BLACKBAR_COLOR="white", FACEANON_GROW="2")
    report = tmp_path / "report.jsonl"
    out = tmp_path / "out.png"
    faceanon("blackbar", EXAMPLES / "astronaut.png", out, "--report", report)
    (line,), (run,) = lines(report), told_of_runs(report)
    assert run["settings"]["grow"] == 2
    left, top, right, bottom = line["faces"][0]["box"]
    assert (read(out)[top:bottom, left:right] == 255).all()


def test_orientation_is_applied_before_faces_are_looked_for(
    faceanon: Run, tmp_path: Path
) -> None:
    """The same photo, stored upright and stored turned, gives the same picture."""
    report = tmp_path / "report.jsonl"
    out = tmp_path / "out.jpg"
    source = EXAMPLES / "curies_orientation6.jpg"
    assert faceanon("blackbar", source, out, "--report", report).returncode == 0
    (line,) = lines(report)
    assert (line["width"], line["height"]) == (840, 700)
    assert len(line["faces"]) >= 2
    assert read(out).shape == (700, 840, 3)


# --- Formats ---------------------------------------------------------------------


def test_depth_alpha_and_profile_are_kept(faceanon: Run, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    face = read(EXAMPLES / "astronaut.png")
    alpha = np.broadcast_to(np.arange(512) // 2, (512, 512)).astype(np.uint8)
    write_png(source / "alpha.png", np.dstack((face, alpha)))
    write_png(source / "deep.png", face.astype(np.uint16) * 257)
    write_png(source / "grey.png", cv2.cvtColor(face, cv2.COLOR_BGR2GRAY))
    done = faceanon("pixelate", source, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    for name in ("alpha.png", "deep.png", "grey.png"):
        before = read(source / name, cv2.IMREAD_UNCHANGED)
        after = read(tmp_path / "out" / name, cv2.IMREAD_UNCHANGED)
        assert (after.dtype, after.shape) == (before.dtype, before.shape)
        assert (after[60:190, 180:260] != before[60:190, 180:260]).mean() > 0.6
        assert (after[300:] == before[300:]).all()
    alpha_after = read(tmp_path / "out" / "alpha.png", cv2.IMREAD_UNCHANGED)[:, :, 3]
    assert (alpha_after[300:] == alpha[300:]).all()
    assert (alpha_after[60:190, 180:260] == 255).all()


def test_another_format_is_written_on_request(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = faceanon("blackbar", source, out, "--format", "webp", "--quality", 80)
    assert done.returncode == 0
    assert set(pictures(out)) == {"astronaut.webp", "cat.webp", "album/curies.webp"}
    for path in out.rglob("*.webp"):
        with PillowImage.open(path) as picture:
            assert picture.format == "WEBP"


def test_content_decides_the_format_and_a_wrong_suffix_is_told(
    faceanon: Run, tmp_path: Path
) -> None:
    source = tmp_path / "photo.jpg"
    shutil.copy(EXAMPLES / "astronaut.png", source)
    done = faceanon("blackbar", source, f"{tmp_path}/out/")
    assert done.returncode == 0
    assert "it is a PNG file" in done.stderr
    with PillowImage.open(tmp_path / "out" / "photo.jpg") as picture:
        assert picture.format == "PNG"


OUTPUT_NAMES: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {
    "astronaut.png": [
        ("a.jpg", "JPEG", ()),
        ("bare", "PNG", ()),
        ("other/new/", "JPEG", ("--format", "jpeg")),
        ("a.psd", "nothing is written as .psd", ()),
        ("b.png", "--format jpeg makes no .png of it", ("--format", "jpeg")),
        ("a.mp4", "it is a picture, which is not written as .mp4", ()),
    ],
    "grace_hopper.jpg": [("a.png", "PNG", ())],
}


def test_an_output_is_what_its_name_says(faceanon: Run, tmp_path: Path) -> None:
    for picture, cases in OUTPUT_NAMES.items():
        for name, expected, options in cases:
            here = tmp_path / picture
            done = faceanon("blur", EXAMPLES / picture, f"{here}/{name}", *options)
            if expected.isupper():
                assert done.returncode == 0, done.stderr
                (path,) = here.rglob("*.*" if name.endswith("/") else name)
                with PillowImage.open(path) as output:
                    assert output.format == expected, name
                path.unlink()
            else:
                assert done.returncode in (1, 2)
                assert expected in done.stderr
                assert not [path for path in here.rglob("*") if path.is_file()], name
    note = tmp_path / "note"
    note.write_text("keep me\n")
    assert "is a file" in faceanon("blur", EXAMPLES / "cat.png", f"{note}/").stderr
    assert note.read_text() == "keep me\n"


# --- What fails ------------------------------------------------------------------


def test_what_fails_has_no_output_is_named_and_sets_the_status(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    good = (source / "astronaut.png").read_bytes()
    (source / "half.png").write_bytes(good[: len(good) // 2])
    (source / "empty.jpg").touch()
    (source / "page.jpg").write_text("<html>")
    report = tmp_path / "report.jsonl"
    done = faceanon("blur", source, tmp_path / "out", "--report", report)
    assert done.returncode == 1
    for name, reason in (
        ("half.png", "damaged"),
        ("empty.jpg", "the file is empty"),
        ("page.jpg", "not a picture"),
    ):
        (line,) = (x for x in done.stderr.splitlines() if name in x)
        assert reason in line
    assert "3 FAILED" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert len(pictures(tmp_path / "out")) == 3
    failed = [line for line in lines(report) if line["status"] == "failed"]
    assert len(failed) == 3
    assert all(line["error"] and line["output"] is None for line in failed)


def test_swap_with_one_face_fails_alone(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    done = faceanon("swap", source, tmp_path / "out")
    assert done.returncode == 1
    (line,) = (x for x in done.stderr.splitlines() if "astronaut.png" in x)
    assert "two faces" in line
    assert set(pictures(tmp_path / "out")) == {"cat.png", "album/curies.jpg"}


@pytest.mark.parametrize(
    ("policy", "status", "written"),
    [("write", 0, True), ("skip", 0, False), ("fail", 1, False)],
)
def test_a_picture_without_a_face_is_treated_as_told(
    faceanon: Run, tmp_path: Path, policy: str, status: int, written: bool
) -> None:
    out = tmp_path / "out.png"
    done = faceanon("blur", EXAMPLES / "cat.png", out, "--no-face", policy)
    assert done.returncode == status
    assert out.exists() == written
    assert ("no face was found" in done.stderr) == (policy == "fail")
    if policy != "fail":
        assert "1 without a face" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("blur", "nowhere", "out"), "nowhere does not exist"),
        (("blur", ".", "."), "OUTPUT is INPUT itself"),
        (("blur", ".", "-"), "cannot be written to standard output"),
        (("blur", ".", "out", "--grow", "0.5"), "0.5 is not in the range"),
        (("blackbar", ".", "out", "--color", "octarine"), "'octarine' is not a colour"),
        (("emoji", ".", "out", "--emoji", "nonesuch"), "nonesuch"),
        (("blur", ".", "out", "--report", "no/such/folder"), "cannot be written"),
        (("bluur", ".", "out"), "did you mean 'blur'"),
    ],
)
def test_wrong_usage_is_explained_and_has_status_2(
    faceanon: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = faceanon(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert tree(tmp_path) == {}


def test_names_that_are_not_text_and_very_long_ones(
    faceanon: Run, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    names = [
        b"not utf-8 \xff\xfe.png",
        b"two\nlines.png",
        b"-dash.png",
        b"x" * 251 + b".png",
    ]
    for name in names:
        shutil.copy(EXAMPLES / "astronaut.png", source / os.fsdecode(name))
    report = tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, tmp_path / "out", "-v", "--report", report)
    assert done.returncode == 0, done.stderr
    out = os.fsencode(tmp_path / "out")
    assert sorted(set(os.listdir(out)) - {b".faceanon.db"}) == sorted(names)
    assert r"two\nlines.png" in done.stderr
    told = {line["picture"]: line for line in lines(report)}
    assert {name.encode() for name in told} == {*names[1:], b"not%20utf-8%20%FF%FE.png"}
    odd = told["not%20utf-8%20%FF%FE.png"]
    assert unquote_to_bytes(odd["output"]) == out + b"/" + names[0]
    # Strict readers refuse surrogates, which are no Unicode.
    assert all(json.dumps(line, ensure_ascii=False).encode() for line in told.values())
    assert [name for name in told if "percent_encoded" in told[name]] == [
        odd["picture"]
    ]


def test_a_name_that_is_not_text_is_tried_again_by_a_report(
    faceanon: Run, tmp_path: Path
) -> None:
    bad = tmp_path / "in" / os.fsdecode(b"100% \xe4.jpg")
    with_examples(tmp_path / "in", "cat.png")
    bad.write_bytes(b"")
    report = tmp_path / "report.jsonl"
    run = ("blackbar", tmp_path / "in", tmp_path / "out", "--report", report)
    assert faceanon(*run).returncode == 1
    shutil.copy(EXAMPLES / "curies.jpg", bad)
    done = faceanon(*run, "--retry-failed", report)
    assert done.stderr.splitlines()[-1].startswith("1 picture ")
    assert (tmp_path / "out" / bad.name).exists()


# --- Going on where a run ended --------------------------------------------------


def test_a_rerun_skips_what_is_done_and_does_the_rest(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    faceanon("pixelate", source, out)
    first = pictures(out)
    (out / "cat.png").unlink()
    shutil.copy(EXAMPLES / "grace_hopper.jpg", source)
    done = faceanon("pixelate", source, out)
    assert done.returncode == 0
    assert "2 already done" in done.stderr
    # The noise is random: what is the same was not made again.
    assert {**pictures(out), "grace_hopper.jpg": b""} == {
        **first,
        "grace_hopper.jpg": b"",
    }


def test_nothing_is_replaced_unasked(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "astronaut.png").write_bytes(b"something dear")
    done = faceanon("blur", source, out)
    assert done.returncode == 1
    assert "astronaut.png exists already" in done.stderr
    assert (out / "astronaut.png").read_bytes() == b"something dear"
    assert len(pictures(out)) == 3

    # Other settings, and an input that has changed, are other pictures.
    other = faceanon("blur", source, out, "--strength", "0.5")
    assert other.returncode == 2
    assert "holds 2 pictures made with blur" in other.stderr
    shutil.copy(EXAMPLES / "grace_hopper.jpg", source / "album" / "curies.jpg")
    changed = faceanon("blur", source, out)
    assert (
        "curies.jpg exists already, and is not known to be of this input"
        in changed.stderr
    )

    done = faceanon("blur", source, out, "--overwrite")
    assert done.returncode == 0
    assert read(out / "astronaut.png").shape == (512, 512, 3)
    assert not (out / "astronaut.png").is_symlink()


def test_pictures_behind_links_are_done_once(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    (source / "link.png").symlink_to("cat.png")
    command = ("blackbar", source, tmp_path / "out", "--follow-symlinks")
    assert faceanon(*command).returncode == 0
    assert "4 already done" in faceanon(*command).stderr


def test_a_link_in_the_output_is_not_written_through(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious.png"
    precious.write_bytes(b"something dear")
    out = tmp_path / "out"
    out.mkdir()
    (out / "astronaut.png").symlink_to(precious)
    (out / "cat.png").symlink_to(tmp_path / "nowhere.png")
    assert faceanon("blur", source, out).returncode == 1
    assert faceanon("blur", source, out, "--overwrite").returncode == 0
    assert precious.read_bytes() == b"something dear"
    assert not (tmp_path / "nowhere.png").exists()


def test_nothing_is_written_outside_of_the_output(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".faceanon-0123456789abcdef.tmp").touch()
    out = tmp_path / "out"
    out.mkdir()
    (out / "album").symlink_to(elsewhere)
    done = faceanon("blur", source, out, "--overwrite")
    assert done.returncode == 1
    assert "leads out of OUTPUT" in done.stderr
    assert len(list(elsewhere.iterdir())) == 1
    assert {"astronaut.png", "cat.png"} <= set(pictures(out))


def test_two_runs_do_not_share_an_output(
    faulty: Run, start: Start, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ("faulty", many, out, "--fault", "slow")
    first = start(*command, "-j", 1)
    wait_until(lambda: pictures(out), "a picture")
    # It must not come to its end before the second one has started.
    os.killpg(first.pid, signal.SIGSTOP)
    second = faulty(*command)
    os.killpg(first.pid, signal.SIGCONT)
    assert second.returncode == 75
    assert "another run writes into" in second.stderr
    assert first.wait(GUARD) == 0
    assert len(pictures(out)) == 12


def test_a_dry_run_writes_nothing(faceanon: Run, source: Path, tmp_path: Path) -> None:
    before = tree(tmp_path)
    done = faceanon("blur", source, tmp_path / "out", "--dry-run")
    assert done.returncode == 0
    assert f"{source}/astronaut.png -> {tmp_path}/out/astronaut.png" in done.stdout
    assert len(done.stdout.splitlines()) == 3
    assert tree(tmp_path) == before


def test_what_failed_is_tried_again_and_nothing_else(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    good = (source / "astronaut.png").read_bytes()
    (source / "astronaut.png").write_bytes(good[:5000])
    report = tmp_path / "report.jsonl"
    out = tmp_path / "out"
    assert faceanon("blur", source, out, "--report", report).returncode == 1
    (source / "astronaut.png").write_bytes(good)
    shutil.copy(EXAMPLES / "grace_hopper.jpg", source)
    again = ("--retry-failed", report, "--report", report)
    done = faceanon("blur", source, out, *again)
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1].startswith("1 picture ")
    assert not (out / "grace_hopper.jpg").exists()
    done = faceanon("blur", source, out, *again)
    assert done.stderr.splitlines()[-1].startswith("0 pictures ")
    report.write_text("no report\n")
    done = faceanon("blur", source, out, *again)
    assert done.returncode == 2
    assert "line 1 is no line of one" in done.stderr


# --- Faults ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "options", "message"),
    [
        ("raise", ("-j", 1), r"unexpected ZeroDivisionError: a fault\nof two lines"),
        ("raise", ("-j", 2), r"unexpected ZeroDivisionError: a fault\nof two lines"),
        ("kill", ("-j", 1), "its worker process died (SIGKILL, perhaps for want of"),
        ("kill", ("-j", 2), "its worker process died (SIGKILL, perhaps for want of"),
        ("crash", ("-j", 2), "its worker process died (SIGABRT)"),
        ("hang", ("-j", 1, "--timeout", 20), "took longer than 20 seconds"),
        ("memory", ("-j", 1, "--max-memory", 2048), "not enough memory for it"),
        ("shape", ("-j", 1), "the method faulty made uint8 (219, 207, 3) of"),
    ],
)
def test_a_fault_costs_exactly_the_picture_it_befell(
    faulty: Run,
    many: Path,
    tmp_path: Path,
    fault: str,
    options: tuple[object, ...],
    message: str,
) -> None:
    report = tmp_path / "report.jsonl"
    out = tmp_path / "out"
    done = faulty(
        *("faulty", many, out, "--fault", fault, "--width", 207, "--report", report),
        *options,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = (x for x in done.stderr.splitlines() if "07.png" in x)
    assert message in line
    assert set(pictures(out)) == {f"{n:02}.png" for n in range(12)} - {"07.png"}
    assert not list(out.glob("*.tmp"))
    assert sorted(Path(x["input"]).name for x in lines(report)) == [
        f"{n:02}.png" for n in range(12)
    ]


def test_a_plug_in_called_like_a_command_fails_by_name(
    faceanon: Run, environment: dict[str, str], source: Path, tmp_path: Path
) -> None:
    package = tmp_path / "plugins" / "clash-1.0.dist-info"
    shutil.copytree(PLUGINS / "faulty-1.0.dist-info", package)
    points = "[faceanon.anonymizers]\ndetect = clash:Detect\n"
    (package / "entry_points.txt").write_text(points)
    add_to_path(environment, package.parent)
    for arguments in (("blur", source, tmp_path / "out"), ("detect", source), ("-h",)):
        done = faceanon(*arguments)
        assert done.returncode == 1
        assert "the method 'detect' of clash:Detect is called like" in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_list_of_commands_says_what_the_help_of_each_says() -> None:
    """It is a list of its own, so that `--help` need not import the commands."""
    context = click.Context(cli)
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=200).output
    listed = " ".join(shown.split())
    tools = set()
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        assert command.help is not None
        first_sentence, *_ = re.split(r"(?<=[.?])\s", " ".join(command.help.split()))
        assert f"{name} {first_sentence} " in listed
        tools |= {name} - set(anonymizers.names())
    assert tools == anonymizers.RESERVED


def test_verbose_twice_shows_where_an_unexpected_error_came_from(
    faulty: Run, many: Path, tmp_path: Path
) -> None:
    done = faulty("faulty", many / "00.png", tmp_path / "a.png", "--width", 200, "-vv")
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_stops_soon_and_leaves_nothing_half_done(
    faulty: Run,
    start: Start,
    many: Path,
    tmp_path: Path,
    environment: dict[str, str],
    jobs: int,
    number: signal.Signals,
) -> None:
    out = tmp_path / "out"
    command = ("faulty", many, out, "--fault", "slow", "--seconds", 2)
    run = start(*command, "-j", jobs)
    wait_until(lambda: pictures(out), "a picture")
    # A terminal sends it to every process of the group.
    os.killpg(run.pid, number)
    _, errors = run.communicate(timeout=GUARD)
    assert run.returncode == 130
    assert b"interrupted" in errors
    assert b"Traceback" not in errors
    left = tree(out)
    assert not [name for name in left if name.endswith(".tmp")]
    finished = pictures(out)
    assert 0 < len(finished) < 12
    for data in finished.values():
        PillowImage.open(io.BytesIO(data)).load()

    environment["FAULTY_HURRY"] = "1"
    again = faulty(*command)
    assert again.returncode == 0
    assert f"{len(finished)} already done" in again.stderr
    assert len(pictures(out)) == 12


def test_a_killed_run_leaves_no_orphans_and_a_rerun_cleans_up(
    faulty: Run, start: Start, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = ("faulty", many, out, "--fault", "slow")
    run = start(*command, "-j", 2)
    wait_until(lambda: pictures(out), "a picture")
    run.kill()
    run.wait()
    wait_until(lambda: not is_group_alive(run.pid), "the end of its workers")
    finished = pictures(out)
    done = faulty(*command)
    assert done.returncode == 0
    assert f"{len(finished)} already done" in done.stderr
    assert len(pictures(out)) == 12
    assert not list(out.glob("*.tmp"))


# --- What it must not do ---------------------------------------------------------


@pytest.mark.usefixtures("as_installed")
def test_it_never_opens_a_network_connection(
    faceanon: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    """OpenVINO reports its import to a web service, unless it is kept from it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "def watch(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo'):\n"
        "        os.write(2, f'NETWORK {arguments}\\n'.encode())\n"
        "        os._exit(99)\n"
        "sys.addaudithook(watch)\n"
    )
    environment["PYTHONPATH"] = str(tmp_path)
    environment["HOME"] = str(tmp_path / "home")
    done = faceanon("swap", EXAMPLES / "curies.jpg", tmp_path / "out.jpg")
    assert done.returncode == 0, done.stderr
    assert "NETWORK" not in done.stderr
    assert not (tmp_path / "home").exists()


def test_outputs_have_the_permissions_of_new_files(
    faceanon: Run, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    faceanon("blackbar", EXAMPLES / "astronaut.png", out, umask=0o027)
    assert out.stat().st_mode & 0o777 == 0o640


def test_outputs_have_the_permissions_that_their_folder_gives(
    faceanon: Run, tmp_path: Path
) -> None:
    def entry(tag: int, permissions: int, user: int = 2**32 - 1) -> bytes:
        return struct.pack("<HHI", tag, permissions, user)

    # For new files (acl(5)): all to the owner and to user 1000, reading to others.
    acl = struct.pack("<I", 2) + entry(1, 7) + entry(2, 7, 1000) + entry(4, 5)
    try:
        acl += entry(0x10, 7) + entry(0x20, 5)
        os.setxattr(tmp_path, "system.posix_acl_default", acl)
    except OSError as error:
        pytest.skip(f"this file system has no access control lists: {error}")
    report = tmp_path / "report"
    source = with_examples(tmp_path / "in", "cat.png")
    faceanon("blackbar", source, tmp_path / "out", "--report", report)
    for path in (*(tmp_path / "out").iterdir(), report):
        assert path.stat().st_mode & 0o777 == 0o664
        assert os.getxattr(path, "system.posix_acl_access")


def test_a_folder_that_cannot_be_written_stops_the_run(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = faceanon("blur", source, tmp_path / "file" / "out")
    assert done.returncode == 1
    assert "cannot write to" in done.stderr
    assert "Traceback" not in done.stderr
