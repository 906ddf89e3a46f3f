"""Standard streams that are closed, full, or without a reader, for every command."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from conftest import COMMAND, Run
from support import EXAMPLES, json_lines, read, write_png

READER_GONE = 128 + signal.SIGPIPE


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Two small pictures with a face, in the folder in which commands are run."""
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(2):
        face = read(EXAMPLES / "astronaut.png")[20:200, 120 : 320 + number]
        write_png(folder / f"{number}.png", face)
    (tmp_path / "note.txt").write_text("a file that scan names\n")
    return folder


def shell(
    environment: dict[str, str], cwd: Path, command: str, redirection: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the installed command in a shell, with its streams as they are said to be."""
    # A reader that goes is gone before anything is written.
    line = f"{{ sleep 0.2; exec {COMMAND} {command}; }} {redirection}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        capture_output=True,
        env=environment,
        cwd=cwd,
        check=False,
    )


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2> >(true)", "<&- >&- 2>&-"])
def test_work_does_not_depend_on_being_able_to_talk(
    environment: dict[str, str], album: Path, redirection: str
) -> None:
    command = "blackbar album out -j 2 -v --exclude none --allow-empty"
    done = shell(environment, album.parent, command, redirection)
    assert done.returncode == 0
    outputs = (album.parent / "out").glob("*.png")
    assert sorted(path.name for path in outputs) == ["0.png", "1.png"]


FULL, CLOSED, GONE = "> /dev/full", ">&-", "| true"


@pytest.mark.parametrize(
    ("command", "redirection"),
    [
        *(("detect album", redirection) for redirection in (FULL, CLOSED, GONE)),
        *(("scan .", redirection) for redirection in (FULL, GONE)),
        ("blackbar album/0.png -", CLOSED),
        ("blackbar album/0.png /dev/stdout", FULL),
        ("preview album/0.png -", GONE),
        ("blackbar album out --report -", FULL),
        ("blackbar album out --seed 123 --rename hash --rename-map -", FULL),
        ("blackbar album out --dry-run", FULL),
        ("detect album --format coco -o /dev/stdout", FULL),
        ("verify album album", GONE),
        ("verify album album --page -", FULL),
        ("people album --save-people -", FULL),
        ("emoji --list", CLOSED),
        ("--help", FULL),
    ],
)
def test_data_that_nobody_takes(
    environment: dict[str, str], album: Path, command: str, redirection: str
) -> None:
    if command.startswith("verify"):
        # OUTPUT cannot be INPUT.
        (album.parent / "empty").mkdir()
        command = command.replace("album album", "album empty")
    done = shell(environment, album.parent, command, redirection)
    said = done.stderr.decode()
    assert "Traceback" not in said
    if redirection == GONE:
        assert done.returncode == READER_GONE, said
        assert not any(word in said for word in ("ipe", "pictures", "scanned"))
    else:
        words = {FULL: "full", CLOSED: "closed"}[redirection]
        assert done.returncode == 1, said
        assert said.count(f"standard output is {words}") == 1, said


def test_a_dash_is_a_stream_wherever_a_file_is_named(
    faceanon: Run, album: Path, tmp_path: Path
) -> None:
    def run(*arguments: object, piped: str | Path = "") -> str:
        file = piped if isinstance(piped, Path) else tmp_path / "piped"
        if not isinstance(piped, Path):
            file.write_text(piped)
        with file.open("rb") as stdin:
            done = faceanon(*arguments, cwd=tmp_path, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    boxes = run("detect", "album", "-o", "-")
    first = next(line for line in boxes.splitlines() if '"0.png"' in line)
    alone = json.loads(run("detect", "-", piped=album / "0.png"))
    assert alone["faces"] == json.loads(first)["faces"]
    out = "blackbar", "album", "out"
    report = run(*out, "--boxes", "-", "--report", "-", piped=boxes)
    assert report.count('"status": "anonymized"') == 2
    failed = report.replace('"anonymized"', '"failed"', 1)
    again = *out[:2], "again", "--report", "/dev/stdout", "--retry-failed", "-"
    assert len(json_lines(run(*again, piped=failed))) == 1
    page = run("verify", "album", "out", "--report", "-", "--page", "-", piped=report)
    assert page.startswith("<!doctype html>")
    people = run("people", "album", "--save-people", "-")
    assert json.loads(people)["persons"]
    mapped = run(
        *("blackbar", "album", "named", "--rename", "hash", "--seed", 123),
        *("--rename-map", "-", "--only", "-"),
        piped=people,
    )
    assert {json.loads(line)["input"] for line in mapped.splitlines()} == {
        "0.png",
        "1.png",
    }

    both = faceanon("blackbar", "-", "-", "--boxes", "-", cwd=tmp_path)
    assert both.returncode == 2
    assert "standard input cannot be both INPUT and --boxes" in both.stderr
    both = faceanon("blur", "album/0.png", "-", "--report", "-", cwd=tmp_path)
    assert both.returncode == 2
    assert "standard output cannot be both OUTPUT and --report" in both.stderr


def test_a_working_folder_that_is_gone(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    line = f"rmdir $PWD; exec {COMMAND} blackbar in out -j 2"
    done = subprocess.run(
        ["bash", "-c", line],
        capture_output=True,
        env=environment,
        cwd=tmp_path / "gone",
        check=False,
    )
    assert done.returncode == 1
    assert b"the working folder does not exist any more" in done.stderr
    assert done.stderr.count(b"\n") == 1
