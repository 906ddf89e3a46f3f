"""The same person gets the same emoji in all pictures of a folder."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import Run
from faceanon.anonymizers import stickers
from faceanon.anonymizers.emoji import Emoji
from faceanon.model import Box, Cover, Face, Image
from support import EXAMPLES, read, write_png

PEOPLE = ("astronaut.png", "grace_hopper.jpg")


def variants(image: Image) -> dict[str, Image]:
    """The same people in other pictures."""
    small = cv2.resize(image, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    return {
        "as it is": image,
        "mirrored": np.ascontiguousarray(image[:, ::-1]),
        "small and pale": cv2.convertScaleAbs(small, alpha=0.8, beta=30),
    }


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Two people, each in three pictures, and one who cannot be seen well."""
    folder = tmp_path / "in"
    for name in PEOPLE:
        for how, image in variants(read(EXAMPLES / name)).items():
            path = folder / how / f"{Path(name).stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_png(path, np.asarray(image, np.uint8))
    blurred = cv2.GaussianBlur(read(EXAMPLES / "astronaut.png"), (0, 0), 5)
    write_png(folder / "blurred.png", np.asarray(blurred, np.uint8))
    return folder


def run(faceanon: Run, source: Path, target: Path, *options: object) -> dict[str, str]:
    """The emoji of the only face of each picture, by the pictures' names."""
    report = target.with_suffix(".jsonl")
    report.unlink(missing_ok=True)
    done = faceanon(
        *("emoji", source, target, "--consistent", "--accuracy", "fast"),
        *("--report", report, *options),
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    return {
        line["picture"]: emoji_of(line, source, target)
        for line in lines
        if line["status"] == "anonymized"
    }


def emoji_of(line: dict[str, object], source: Path, target: Path) -> str:
    """Which emoji it was: that which gives the same picture when put there again."""
    name = str(line["picture"])
    (told,) = line["faces"]  # type: ignore[misc, attr-defined]  # of one face
    points = tuple((x, y) for x, y in told["points"])
    face = Face(Box(*told["box"]), told["score"], points)
    before, after = read(source / name), read(target / name).astype(int)
    place = Cover(Emoji.default_grow).box(face, before).slices

    def difference(emoji: str) -> float:
        rng = np.random.default_rng(0)
        made = Emoji(emoji).hide(before, [face], Cover(Emoji.default_grow), rng)
        return float(np.abs(made[place] - after[place]).mean())

    best = min(stickers.names(), key=difference)
    assert difference(best) < 2
    return best


def test_people_keep_their_emoji(faceanon: Run, album: Path, tmp_path: Path) -> None:
    """In all pictures, with any number of workers, and in a run that goes on."""
    target = tmp_path / "out"
    first = run(faceanon, album, target, "-j", 1)
    of_person = {
        name: {emoji for picture, emoji in first.items() if name in picture}
        for name in ("astronaut", "grace_hopper")
    }
    assert [len(emoji) for emoji in of_person.values()] == [1, 1]
    assert of_person["astronaut"] != of_person["grace_hopper"]

    clear = {name: emoji for name, emoji in first.items() if name != "blurred.png"}
    for name in ("mirrored/astronaut.png", "as it is/grace_hopper.png"):
        (target / name).unlink()
    (target / ".faceanon.db").unlink()
    again = run(faceanon, album, target, "-j", 2, "--overwrite")
    assert clear.items() <= again.items()


def test_a_seed_gives_everybody_another_emoji_and_always_the_same(
    faceanon: Run, album: Path, tmp_path: Path
) -> None:
    once, again, other = (
        run(faceanon, album, tmp_path / f"out{number}", "--seed", seed)
        for number, seed in enumerate((5, 5, 6))
    )
    assert once == again
    assert once["as it is/astronaut.png"] != other["as it is/astronaut.png"]


def test_a_part_of_a_run_cannot_know_everybody(
    faceanon: Run, album: Path, tmp_path: Path
) -> None:
    done = faceanon("emoji", album, tmp_path / "out", "--consistent", "--shard", "0/2")
    assert done.returncode == 2
    assert "--shard" in done.stderr


def test_one_picture_and_standard_input_go_as_well(
    faceanon: Run, album: Path, tmp_path: Path
) -> None:
    picture = album / "as it is" / "astronaut.png"
    for source in (picture, "-"):
        target = tmp_path / "one.png"
        with picture.open("rb") as stream:
            done = faceanon("emoji", source, target, "--consistent", stdin=stream)
        assert done.returncode == 0, done.stderr
        target.unlink()
