"""What a run says is what happened, of all of INPUT and all of OUTPUT."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from conftest import COMMAND, Run, Start
from processes import GUARD, wait_until
from support import EXAMPLES, lines, pictures, told_of_runs, with_examples

# --- What was not taken ------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A picture, and what is not taken for one."""
    folder = with_examples(tmp_path / "mixed", "cat.png")
    shutil.copy(EXAMPLES / "curies.jpg", folder / "no suffix")
    (folder / "paper.pdf").write_bytes(b"%PDF-1.7\n")
    (folder / "notes.txt").write_text("Dear Anna,")
    (folder / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom")
    (folder / ".hidden.jpg").touch()
    (folder / "link.jpg").symlink_to("cat.png")
    return folder


REASONS = {
    "no suffix": "a JPEG by its content",
    "paper.pdf": "a PDF by its content",
    "notes.txt": "no picture",
    "film.mp4": "a film (--no-video)",
    ".hidden.jpg": "hidden",
    "link.jpg": "a link",
}


def test_each_file_that_is_not_taken_is_named_with_the_reason(
    faceanon: Run, mixed: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    command = ("blackbar", mixed, tmp_path / "out", "--no-video")
    planned = faceanon(*command, "--dry-run").stdout
    done = faceanon(*command, "-v", "--report", report, "--strict")
    assert done.returncode == 1
    assert "6 files ignored (--strict)" in done.stderr
    ignored = {
        line["picture"]: line["error"]
        for line in lines(report)
        if line["status"] == "ignored"
    }
    assert ignored.keys() == REASONS.keys()
    for name, reason in REASONS.items():
        assert ignored[name].startswith(reason)
        for said in (planned, done.stderr):
            assert f"{mixed / name}: ignored: {reason}" in said
    assert pictures(tmp_path / "out").keys() == {"cat.png"}


def test_what_patterns_leave_out_is_no_fault(
    faceanon: Run, mixed: Path, tmp_path: Path
) -> None:
    done = faceanon("blackbar", mixed, tmp_path / "out", "--include=*.png", "--strict")
    assert done.returncode == 0, done.stderr
    assert "ignored: left out (6)" in done.stderr


@pytest.mark.parametrize(
    ("names", "why"), [([], "it is empty"), (["a.txt"], "everything in it was ignored")]
)
def test_a_run_without_a_picture_has_failed_unless_that_is_allowed(
    faceanon: Run, tmp_path: Path, names: list[str], why: str
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in names:
        (source / name).touch()
    done = faceanon("blackbar", source, tmp_path / "out", "--quiet")
    assert done.returncode == 1
    assert f"there was no picture in INPUT: {why}" in done.stderr
    allowed = faceanon("blackbar", source, tmp_path / "out", "--allow-empty")
    assert allowed.returncode == 0, allowed.stderr


# --- What is there already --------------------------------------------------------


def database(out: Path) -> sqlite3.Connection:
    return sqlite3.connect(out / ".faceanon.db")


def test_a_rerun_tells_of_all_outputs(
    faceanon: Run, source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = faceanon("pixelate", source, out).stderr
    said = first.partition(" s: ")[2].strip()
    assert "2 anonymized (3 faces)" in said
    (out / "cat.png").unlink()
    for done_before in (2, 3):
        again = faceanon("pixelate", source, out)
        assert again.stderr.strip().endswith(f"{said}; {done_before} already done")


def test_other_settings_are_refused_once_and_before_anything(
    faceanon: Run, plain: Path, tmp_path: Path
) -> None:
    out, sticker = tmp_path / "out", tmp_path / "sticker.png"
    shutil.copy(EXAMPLES.parent / "data" / "emoji" / "bear.png", sticker)
    assert faceanon("emoji", plain, out, "--emoji", sticker).returncode == 0
    shutil.copy(EXAMPLES.parent / "data" / "emoji" / "lion.png", sticker)
    (plain / "new.png").write_bytes((plain / "1.png").read_bytes())
    for command in (
        ("emoji", plain, out, "--emoji", sticker),
        ("pixelate", plain, out, "--cells", 5),
    ):
        done = faceanon(*command)
        assert done.returncode == 2
        assert done.stderr.count("--overwrite") == 1
        assert "holds 2 pictures made with emoji --emoji sticker.png" in done.stderr
    assert pictures(out).keys() == {"1.png", "2.png"}
    # Another folder of originals may go into the same one.
    other = with_examples(tmp_path / "other", "cat.png")
    assert faceanon("blackbar", other, out).returncode == 0


def test_input_and_output_that_are_swapped_are_seen(
    faceanon: Run, plain: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert faceanon("blackbar", plain, out).returncode == 0
    before = sorted(os.listdir(plain))
    done = faceanon("blackbar", out, plain)
    assert done.returncode == 2
    assert "did you swap INPUT and OUTPUT?" in done.stderr
    assert "--overwrite" not in done.stderr
    assert sorted(os.listdir(plain)) == before
    # Outputs may well be the input of another method.
    assert faceanon("pixelate", out, tmp_path / "further").returncode == 0


def test_a_single_output_that_is_there_is_not_called_anothers(
    faceanon: Run, plain: Path, tmp_path: Path
) -> None:
    command = ("blackbar", plain / "1.png", tmp_path / "out.png")
    assert faceanon(*command).returncode == 0
    assert "out.png exists already; --overwrite" in faceanon(*command).stderr


def test_output_tells_nothing_of_its_inputs(
    faceanon: Run, environment: dict[str, str], plain: Path, tmp_path: Path
) -> None:
    """Neither what they are called, nor size or time, nor which were done twice."""
    first, second = tmp_path / "first", tmp_path / "second"
    for out in (first, second):
        assert faceanon("blackbar", plain, out, "--metadata", "none").returncode == 0
    cells = {}
    for out in (first, second):
        with closing(database(out)) as state:
            rows = state.execute("SELECT * FROM finished JOIN runs USING (run)")
            cells[out] = {cell for row in rows for cell in row}
    for path in plain.iterdir():
        status = path.stat()
        known = {status.st_size, status.st_mtime_ns, path.name, str(plain)}
        assert not known & cells[first]
    digests = [{c for c in cells[out] if isinstance(c, bytes)} for out in cells]
    assert len(digests[0]) >= 6
    assert digests[0].isdisjoint(digests[1])
    # Somebody else does not know them again, and replaces nothing.
    before = pictures(first)
    command = ("blackbar", plain, first, "--metadata", "none")
    environment["FACEANON_STATE"] = str(tmp_path / "of somebody else")
    done = faceanon(*command)
    assert done.returncode == 1
    assert "--state names the folder with the key" in done.stderr
    assert "exists already" in done.stderr
    assert pictures(first) == before
    # A key can be shared.
    del environment["FACEANON_STATE"]
    shared = ("--state", os.environ["FACEANON_STATE"])
    assert "2 already done" in faceanon(*command, *shared).stderr


def test_a_report_does_not_lie_among_outputs_with_names_that_tell_nothing(
    faceanon: Run, plain: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ("--rename", "sequence", "--report", out / "report.jsonl")
    done = faceanon("blackbar", plain, out, *options)
    assert done.returncode == 2
    assert "lies in OUTPUT" in done.stderr


def test_outputs_of_another_version_are_known_and_made_anew_on_request(
    faceanon: Run, plain: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert faceanon("blackbar", plain, out).returncode == 0
    with closing(database(out)) as state, state:
        state.execute("UPDATE runs SET run = 1, made_with = 'faceanon 0.0.1'")
        state.execute("UPDATE finished SET run = 1")
    before = (out / "1.png").stat().st_mtime_ns
    done = faceanon("blackbar", plain, out)
    assert "2 pictures in OUTPUT were made with faceanon 0.0.1" in done.stderr
    assert "2 already done" in done.stderr
    assert (out / "1.png").stat().st_mtime_ns == before
    done = faceanon("blackbar", plain, out, "--redo-older")
    assert done.returncode == 0, done.stderr
    assert "already done" not in done.stderr
    assert (out / "1.png").stat().st_mtime_ns > before
    assert "0.0.1" not in faceanon("blackbar", plain, out).stderr


@pytest.mark.parametrize("what", ["OUTPUT", "its state"])
def test_a_run_stops_when_output_is_taken_away(
    start: Start, many: Path, tmp_path: Path, what: str
) -> None:
    out = tmp_path / "out"
    run = start("blackbar", many, out, "-j", 1)
    wait_until(lambda: out.is_dir() and pictures(out), "a picture")
    gone = out if what == "OUTPUT" else out / ".faceanon.db"
    gone.rename(tmp_path / "gone")
    said = run.communicate(timeout=GUARD)[1].decode()
    assert run.returncode == 1, said
    assert "was removed, renamed or replaced while the run went on" in said
    assert "the run has stopped" in said
    kept = tmp_path / "gone" if what == "OUTPUT" else out
    assert 0 < len(pictures(kept)) < 12
    assert what != "OUTPUT" or not (out.exists() and list(out.iterdir()))


def test_the_report_tells_of_the_settings_once(
    faceanon: Run, plain: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    for _ in range(2):
        faceanon("blackbar", plain, tmp_path / "out", "--report", report)
    runs = told_of_runs(report)
    assert [run["settings"]["method"] for run in runs] == ["blackbar", "blackbar"]
    first, *_, last = lines(report)
    assert "settings" not in first
    assert first["status"] == "no_faces"
    assert last["earlier"] == {"no_faces": 1}


# --- The end of a run ---------------------------------------------------------------


def test_the_summary_at_a_terminal_and_for_programs(
    environment: dict[str, str], mixed: Path, tmp_path: Path
) -> None:
    ours, terminal = os.openpty()
    command = [str(COMMAND), "blackbar", "mixed", "out", "--no-video"]
    subprocess.run(
        [*command, "--summary", "summary.json"],
        stderr=terminal,
        env=environment,
        cwd=tmp_path,
        check=True,
    )
    os.close(terminal)
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    for line in (
        "Done: 1 picture in ",
        "  1 without a face, copied: cat.png",
        "  1 other file ignored, a PDF by its content: paper.pdf",
    ):
        assert line in said
    told = json.loads((tmp_path / "summary.json").read_text())
    assert (told["pictures"], told["exit_status"]) == (1, 0)
    assert told["statuses"] == {"no_faces": 1}
    assert told["ignored"]["hidden"] == 1
    assert told["settings"]["method"] == "blackbar"
