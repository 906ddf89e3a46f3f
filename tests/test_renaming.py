"""Names of outputs that tell nothing, found again by those who have the secret."""

import hashlib
import json
import pickle
import re
import shutil
from pathlib import Path

import pytest

from conftest import Run
from faceanon.errors import OptionError
from faceanon.requests.settings import make_settings
from faceanon.storage.keys import Key
from faceanon.storage.renaming import Hashing
from support import EXAMPLES, lines

PICTURES = ("anna_berlin/wedding of anna.JPG", "anna_berlin/second.jpg", "third.jpg")
SECRET = 918_273_645


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for name in PICTURES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(EXAMPLES / "grace_hopper.jpg", folder / name)
    return folder


def rename(
    faceanon: Run, source: Path, target: Path, *options: object, how: str = "hash"
) -> str:
    done = faceanon(
        *("blackbar", source, target, "-j", 1),
        *("--rename", how, *options),
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def mapping(path: Path) -> dict[str, str]:
    """What `--rename-map` wrote; no input and no output twice."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    pairs = {line["input"]: line["output"] for line in lines}
    assert len(lines) == len(pairs) == len(set(pairs.values()))
    return pairs


def outputs(folder: Path) -> list[str]:
    found = [p for p in folder.rglob("*") if p.suffix != ".db"]
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
    told = lines(report)
    assert {line["picture"] for line in told} == set(PICTURES)
    made = sorted(Path(line["output"]).name for line in told)
    assert made == outputs(tmp_path / "out")
    assert str(SECRET) not in report.read_text()


def test_one_picture_into_a_folder_and_other_formats(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    picture = pictures / "third.jpg"
    rename(faceanon, picture, tmp_path / "out", "--seed", 1, "--format", "png")
    assert outputs(tmp_path / "out") == [Hashing(Key.of(1))("third.jpg")[:-4] + ".png"]
    rename(faceanon, picture, tmp_path / "named.jpg", "--seed", 1)
    assert (tmp_path / "named.jpg").exists()


def test_the_secret_comes_from_a_file_or_the_environment(
    faceanon: Run, environment: dict[str, str], pictures: Path, tmp_path: Path
) -> None:
    """All ways give the same names; only that by the command line can be overseen."""
    seed_file = tmp_path / "seed.txt"
    seed_file.write_text(f"{SECRET}\n")
    run = ("blackbar", pictures, tmp_path / "out", "--rename", "hash")
    by_line = faceanon(*run, "--seed", SECRET, "--dry-run")
    by_file = faceanon(*run, "--seed-file", seed_file, "--dry-run")
    for name in PICTURES:
        assert Hashing(Key.of(SECRET))(name) in by_line.stdout
    assert by_file.stdout == by_line.stdout
    both = faceanon(*run, "--seed-file", seed_file, "--seed", 1)
    assert (both.returncode, "exclude each other" in both.stderr) == (2, True)
    warning = "lists the processes of this machine"
    assert warning in faceanon(*run, "--seed", SECRET).stderr
    environment["FACEANON_SEED"] = str(SECRET)
    again = faceanon(*run)
    assert "3 already done" in again.stderr
    assert warning not in again.stderr


@pytest.mark.parametrize("text", ["", "12x4", "-5", "1.5", "12 34", "9" * 5000, "sí"])
def test_a_seed_file_without_a_number_is_refused(tmp_path: Path, text: str) -> None:
    seed_file = tmp_path / "seed.txt"
    seed_file.write_text(text)
    with pytest.raises(OptionError, match="must hold one whole number") as refused:
        make_settings("blur", {"seed_file": str(seed_file)})
    assert not text or text not in str(refused.value)


def test_workers_are_not_told_the_seed() -> None:
    settings = make_settings("blackbar", {"rename": "hash", "seed": SECRET})
    copy = pickle.loads(pickle.dumps(settings))
    assert copy.renaming("a.jpg") == Hashing(Key.of(SECRET))("a.jpg")
    assert copy.fingerprint() == settings.fingerprint()
    assert (copy.seed, settings.seed) == (None, None)


def test_names_differ_with_the_secret_and_the_folder() -> None:
    names = {
        Hashing(Key.of(seed))(name)
        for seed in (1, 2)
        for name in ("a/x.jpg", "b/x.jpg")
    }
    assert len(names) == 4


def test_without_a_secret_it_is_refused(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    done = faceanon("blackbar", pictures, tmp_path / "out", "--rename", "hash")
    assert done.returncode == 2
    assert "--seed" in done.stderr
    assert not (tmp_path / "out").exists()


def test_numbers_tell_nothing_and_stay_the_same(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    """A picture keeps its number, whatever is added, fails, or is mended later."""
    target, map_file = tmp_path / "out", tmp_path / "map.jsonl"
    broken = pictures / "broken.jpg"
    broken.write_bytes(b"no picture")
    options = ("--rename", "sequence", "--rename-map", map_file)
    done = faceanon("blackbar", pictures, target, *options, "-j", 2)
    assert done.returncode == 1
    first = mapping(map_file)
    assert first.keys() == set(PICTURES)
    assert map_file.stat().st_mode & 0o077 == 0
    everybody = {f"00000{number}.jpg" for number in (1, 2, 3, 4)}
    assert len(everybody - set(first.values())) == 1

    shutil.copy(EXAMPLES / "curies.jpg", broken)
    shutil.copy(EXAMPLES / "curies.jpg", pictures / "new.png")
    done = faceanon("blackbar", pictures, target, *options)
    assert done.returncode == 0, done.stderr
    second = mapping(map_file)
    assert first.items() < second.items()
    assert {second["broken.jpg"]} == everybody - set(first.values())
    assert second["new.png"] == "000005.png"
    assert outputs(target) == sorted(second.values())


def test_numbers_come_with_other_formats_and_are_not_replaced(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    """Where the memory is lost, outputs are in the way, and stay."""
    target = tmp_path / "out"
    rename(faceanon, pictures, target, "--format", "png", how="sequence")
    assert outputs(target) == ["000001.png", "000002.png", "000003.png"]
    before = [(target / name).read_bytes() for name in outputs(target)]
    (target / ".faceanon.db").unlink()
    options = ("--rename", "sequence", "--format", "png", "-j", 1)
    done = faceanon("blur", pictures, target, *options)
    assert done.returncode == 1
    assert "000001.png exists already" in done.stderr
    assert before == [(target / name).read_bytes() for name in outputs(target)]


def test_shards_count_by_themselves_and_a_whole_run_goes_on(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    target, map_file = tmp_path / "out", tmp_path / "map.jsonl"
    options = ("--rename-map", map_file, "--seed", SECRET)
    for shard in ("0/2", "1/2"):
        rename(faceanon, pictures, target, *options, "--shard", shard, how="sequence")
    names = mapping(map_file)
    assert names.keys() == set(PICTURES)
    assert all(re.fullmatch(r"[01]of2-00000\d.jpg", name) for name in names.values())
    shutil.copy(EXAMPLES / "curies.jpg", pictures / "new.jpg")
    said = rename(faceanon, pictures, target, *options, how="sequence")
    assert "3 already done" in said
    assert mapping(map_file) == {**names, "new.jpg": "000001.jpg"}


def test_a_map_is_whole_after_a_run_that_was_killed(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    """Its last line may be torn, or the last of the outputs have none."""
    target, map_file = tmp_path / "out", tmp_path / "map.jsonl"
    options = ("--seed", SECRET, "--rename-map", map_file)
    rename(faceanon, pictures, target, *options)
    whole = mapping(map_file)
    for torn in (map_file.read_text()[:-9], map_file.read_text().split("\n")[0]):
        map_file.write_text(torn)
        rename(faceanon, pictures, target, *options)
        assert mapping(map_file) == whole


def test_a_map_is_not_written_where_it_would_travel_with_the_pictures(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    run = ("blackbar", pictures, target)
    numbered = (*run, "--rename", "sequence", "--rename-map")
    other = tmp_path / "notes.txt"
    other.write_text("something else\n")
    for refused, reason in (
        ((*numbered, target / "map.jsonl"), "lies in OUTPUT"),
        ((*run, "--rename-map", tmp_path / "map.jsonl"), "--rename"),
        ((*numbered, other), "is no file of --rename-map"),
    ):
        done = faceanon(*refused)
        assert done.returncode == 2
        assert reason in done.stderr
    assert other.read_text() == "something else\n"
    assert not (tmp_path / "map.jsonl").exists()


def test_numbers_need_a_folder_that_remembers_them(
    faceanon: Run, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    single = faceanon(
        "blackbar", pictures / "third.jpg", tmp_path / "out", "--rename", "sequence"
    )
    bucket = faceanon("blackbar", pictures, "s3://some/out/", "--rename", "sequence")
    for done in (single, bucket):
        assert done.returncode == 2
        assert "--rename sequence" in done.stderr
