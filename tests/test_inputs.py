"""What is typed: several inputs, lists of files, words that are no command."""

import io
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import COMMAND, Run
from support import EXAMPLES, lines, pictures


@pytest.fixture
def album(tmp_path: Path, plain: Path) -> Path:
    """Pictures in two folders, and one with a name that is there twice."""
    for name in ("a.png", "b.png", "day1/a.png", "day1/deep/c.png"):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(plain / "1.png", path)
    return tmp_path / "album"


def test_several_files_and_folders_go_into_the_last(
    faceanon: Run, album: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    report = tmp_path / "report.jsonl"
    done = faceanon(
        *("blackbar", "a.png", "b.png", "day1", out, "--report", report), cwd=album
    )
    assert done.returncode == 0, done.stderr
    made = {"a.png", "b.png", "day1/a.png", "day1/deep/c.png"}
    assert set(pictures(out)) == made
    assert {line["picture"] for line in lines(report)} == made
    again = faceanon("blackbar", "a.png", "b.png", "day1", out, cwd=album)
    assert "4 already done" in again.stderr


def test_of_two_inputs_with_one_name_the_second_fails_by_name(
    faceanon: Run, album: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = faceanon("blackbar", "a.png", "day1/a.png", "b.png", out, cwd=album)
    assert done.returncode == 1
    assert "day1/a.png: another picture becomes" in done.stderr
    assert set(pictures(out)) == {"a.png", "b.png"}


def test_the_last_of_several_is_a_folder(faceanon: Run, album: Path) -> None:
    before = pictures(album)
    done = faceanon("blackbar", *sorted(album.glob("*.png")), album / "day1" / "a.png")
    assert done.returncode == 2
    assert "is no folder; with several inputs" in done.stderr
    assert pictures(album) == before


def test_a_list_of_files_is_taken_as_it_is_piped(
    environment: dict[str, str], faceanon: Run, album: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text(f"b.png\n{album / 'day1/a.png'}\nmissing.png\n")
    done = faceanon("blackbar", "--files-from", listed, album, tmp_path / "out")
    assert done.returncode == 1
    assert "missing.png: cannot be read" in done.stderr
    assert set(pictures(tmp_path / "out")) == {"b.png", "day1/a.png"}
    line = f"find . -name '*.png' -print0 | {COMMAND} blackbar --files-from - -0 ../all"
    subprocess.run(["bash", "-c", line], cwd=album, env=environment, check=True)
    assert set(pictures(tmp_path / "all")) == set(pictures(album))
    listed.write_text("../elsewhere.png\n")
    done = faceanon("blackbar", "--files-from", listed, album, tmp_path / "out")
    assert done.returncode == 2
    assert "climbs out of" in done.stderr


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["album", "out"], "album is a folder; which method? For example: faceanon "),
        (["pixalate", "album", "out"], "did you mean 'pixelate'?"),
        (["xyz"], "'faceanon --help' lists them"),
        (["blackbar", "album"], "name OUTPUT, after INPUT"),
    ],
)
def test_what_was_meant_is_said_in_one_line(
    faceanon: Run, album: Path, typed: list[str], said: str
) -> None:
    done = faceanon(*typed, cwd=album.parent)
    assert done.returncode == 2
    (line,) = io.StringIO(done.stderr)
    assert said in line


def test_other_words_for_methods_and_help(faceanon: Run) -> None:
    for words in (["help", "pixelate"], ["mosaic", "--help"]):
        assert faceanon(*words).stdout.startswith("Usage: faceanon pixelate")
    assert faceanon("help").stdout == faceanon("--help").stdout


def test_a_hook_keeps_faces_out(faceanon: Run, album: Path) -> None:
    """The command of the hook, with the names of files as pre-commit gives them."""
    hooks = (EXAMPLES.parent / ".pre-commit-hooks.yaml").read_text()
    (entry,) = (line for line in hooks.splitlines() if line.startswith("  entry: "))
    _, *command = shlex.split(entry.removeprefix("  entry: "))
    assert faceanon(*command, "a.png", "day1/a.png", cwd=album).returncode == 0
    shutil.copy(EXAMPLES / "astronaut.png", album / "day1" / "face.png")
    done = faceanon(*command, "a.png", "day1/face.png", cwd=album)
    assert done.returncode == 1
    assert done.stderr == "day1/face.png: 1 face\n"


def test_a_variable_that_sets_nothing_is_told(
    faceanon: Run, environment: dict[str, str], plain: Path, tmp_path: Path
) -> None:
    environment.update(FACEANON_QUALTY="90", FACEANON_PIXELATE_CELLS="5")
    said = faceanon("blackbar", plain, tmp_path / "out").stderr
    assert "FACEANON_QUALTY sets nothing; did you mean FACEANON_QUALITY?" in said
    assert "CELLS" not in said
