"""Names of outputs that tell nothing, found again by those who have the secret."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest

from conftest import Run
from faceanon.renaming import Renaming
from support import EXAMPLES

PICTURES = ("anna_berlin/wedding of anna.JPG", "anna_berlin/second.jpg", "third.jpg")
SECRET = 918_273_645


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for name in PICTURES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXAMPLES / "grace_hopper.jpg", folder / name)
    return folder


def rename(faceanon: Run, source: Path, target: Path, *options: object) -> str:
    done = faceanon(
        *("blackbar", source, target, "--accuracy", "fast", "-j", 1),
        *("--rename", "hash", *options),
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def outputs(folder: Path) -> list[str]:
    found = [p for p in folder.rglob("*") if p.name != ".faceanon.db"]
    return sorted(str(p.relative_to(folder)) for p in found)


def test_nothing_in_the_output_tells_a_name_or_confirms_a_guess(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    rename(faceanon, pictures, target, "--seed", SECRET)
    names = outputs(target)
    assert len(names) == len(PICTURES)
    assert all(re.fullmatch(r"[0-9a-f]{32}\.jpg", name) for name in names)
    everything = b"".join(p.read_bytes() for p in target.iterdir())
    everything += "".join(names).encode()
    for name in PICTURES:
        assert name.encode() not in everything
        assert Path(name).stem.encode() not in everything
        for guess in (name.encode(), Path(name).name.encode()):
            for size in (16, 20, 32, 64):
                digest = hashlib.blake2b(guess, digest_size=size).digest()
                assert digest not in everything
                assert digest.hex().encode() not in everything


def test_a_run_that_is_repeated_goes_on_under_the_same_names(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    rename(faceanon, pictures, target, "--seed", SECRET)
    before = {p.name: p.stat().st_mtime_ns for p in target.glob("*.jpg")}
    shutil.copy(EXAMPLES / "group.jpg", pictures / "new.jpg")
    said = rename(faceanon, pictures, target, "--seed", SECRET)
    assert "3 already done" in said
    after = {p.name: p.stat().st_mtime_ns for p in target.glob("*.jpg")}
    assert len(after) == 4
    assert before.items() < after.items()


def test_the_report_and_only_it_tells_which_became_which(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    rename(faceanon, pictures, tmp_path / "out", "--seed", SECRET, "--report", report)
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert {line["picture"] for line in lines} == set(PICTURES)
    made = sorted(Path(line["output"]).name for line in lines)
    assert made == outputs(tmp_path / "out")
    assert str(SECRET) not in report.read_text()


def test_one_picture_into_a_folder_and_other_formats(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    picture = pictures / "third.jpg"
    rename(faceanon, picture, tmp_path / "out", "--seed", 1, "--format", "png")
    assert outputs(tmp_path / "out") == [Renaming(1)("third.jpg")[:-4] + ".png"]
    rename(faceanon, picture, tmp_path / "named.jpg", "--seed", 1)
    assert (tmp_path / "named.jpg").exists()


def test_a_dry_run_shows_the_names(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    options = ("--rename", "hash", "--seed", SECRET, "--dry-run")
    done = faceanon("blackbar", pictures, tmp_path / "out", *options)
    for name in PICTURES:
        assert Renaming(SECRET)(name) in done.stdout


def test_names_differ_with_the_secret_and_the_folder() -> None:
    names = {
        Renaming(secret)(name) for secret in (1, 2) for name in ("a/x.jpg", "b/x.jpg")
    }
    assert len(names) == 4


def test_without_a_secret_it_is_refused(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    done = faceanon("blackbar", pictures, tmp_path / "out", "--rename", "hash")
    assert done.returncode == 2
    assert "--seed" in done.stderr
    assert not (tmp_path / "out").exists()
