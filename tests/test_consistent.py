"""`emoji --consistent`: the same person wears the same emoji in all pictures."""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

import faceanon
from conftest import COMMAND, LEAST_WORK, Run
from faceanon import boxes
from faceanon.anonymizers import stickers
from faceanon.anonymizers.emoji import Emoji
from faceanon.batch.perform import do_picture
from faceanon.batch.work import Task
from faceanon.errors import OptionError
from faceanon.gui import preview_worker
from faceanon.gui.choices import Choices
from faceanon.model import Box, Cover, Face, Image
from faceanon.pipeline.job import Job, Status
from faceanon.pipeline.steps import CollectIdentities
from faceanon.requests.settings import make_settings
from faceanon.vision import detection, inference
from faceanon.vision.recognition.embedding import SIZE
from faceanon.vision.recognition.identities import (
    Identities,
    Observation,
    ObservedPicture,
)
from support import EXAMPLES, decoded, lines, pictures, read, write_png

# Where heads are in the examples.
HEADS = {
    "eileen": ("astronaut.png", slice(0, 300), slice(100, 350)),
    "grace": ("grace_hopper.jpg", slice(60, 360), slice(130, 400)),
    "marie": ("curies.jpg", slice(110, 330), slice(220, 410)),
    "ann": ("group.jpg", slice(650, 1300), slice(250, 900)),
    "cid": ("group.jpg", slice(360, 950), slice(1720, 2190)),
}
EMOJI = tuple(stickers.CHARACTERS)
FOR_PEOPLE, FOR_UNKNOWN = set(EMOJI[:-4]), set(EMOJI[-4:])


@cache
def head(person: str) -> Image:
    name, rows, columns = HEADS[person]
    pixels = read(EXAMPLES / name)[rows, columns]
    return cv2.resize(pixels, None, fx=200 / pixels.shape[1], fy=200 / pixels.shape[1])


def shots(image: Image) -> Iterator[Image]:
    """What further photographs of somebody would show."""
    height, width = image.shape[:2]
    closer = image[height // 30 :, width // 25 : width - width // 30]
    yield image
    yield cv2.resize(image[:, ::-1], None, fx=0.7, fy=0.7)
    yield cv2.resize(closer, None, fx=1.2, fy=1.2)


@pytest.fixture(scope="module", autouse=True)
def _as_the_command_does() -> Iterator[None]:
    """Have runs out of this process find faces as those of the command do."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LEAST_WORK.items():
            patch.setenv(name, value)
        _forget_networks()
        yield
    _forget_networks()


def _forget_networks() -> None:
    """Have networks loaded anew, by the engine that the environment names now."""
    detection.make.cache_clear()
    inference.load.cache_clear()


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures of five people, each in several of its folders."""
    folder = tmp_path_factory.mktemp("album")
    for person in HEADS:
        for number, shot in enumerate(shots(head(person))):
            (folder / f"day{number}").mkdir(exist_ok=True)
            write_png(folder / f"day{number}" / f"{person}.png", shot)
    return folder


@pytest.fixture(scope="module")
def hidden(album: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The album with everybody hidden, the seed 3."""
    folder = tmp_path_factory.mktemp("hidden")
    outcomes = list(hide(album, folder, seed=3))
    assert [outcome.status for outcome in outcomes] == [Status.ANONYMIZED] * 15
    return folder


def hide(source: Path, target: Path, **options: object) -> Iterator[faceanon.Outcome]:
    options = {"jobs": 1, "accuracy": "fast", **options}
    return faceanon.run(source, target, "emoji", consistent=True, **options)


def found(image: Image) -> tuple[Face, ...]:
    return faceanon.detect(image, accuracy="fast")


def worn(before: Image, after: Image, face: Face | None = None, most: float = 2) -> str:
    """Which emoji is on a face: the one which looks most like what is there."""
    face = face or max(found(before), key=lambda face: face.score)
    where = Cover(1).box(face, before).slices

    def difference(name: str) -> float:
        wearing = replace(face, pseudonym=EMOJI.index(name))
        cover, rng = Emoji.default_cover, np.random.default_rng()
        pasted = Emoji(consistent=True).hide(before, [wearing], cover, rng)
        return float(cv2.absdiff(pasted[where], after[where]).mean())

    name = min(EMOJI, key=difference)
    assert difference(name) < most, "no emoji looks like this"
    return name


def who_wears_what(source: Path, target: Path) -> dict[str, str]:
    """The emoji of each person, who must have one only."""
    found: dict[str, set[str]] = {}
    for path in source.rglob("*.png"):
        after = read(target / path.relative_to(source))
        found.setdefault(path.stem, set()).add(worn(read(path), after))
    assert all(len(names) == 1 for names in found.values()), found
    return {person: names.pop() for person, names in found.items()}


def test_everybody_keeps_an_emoji_of_their_own(album: Path, hidden: Path) -> None:
    wearing = who_wears_what(album, hidden)
    assert len(set(wearing.values())) == len(HEADS)
    assert set(wearing.values()) <= FOR_PEOPLE


def test_neither_workers_nor_the_way_of_storage_change_who_wears_what(
    faceanon: Run, album: Path, hidden: Path, tmp_path: Path
) -> None:
    """By any number of workers, in shards, and in a dataset file: the same bytes."""
    command = ("emoji", album, tmp_path / "out", "--consistent", "--seed", 3)
    assert faceanon(*command, "--jobs", 2).returncode == 0
    assert pictures(tmp_path / "out") == pictures(hidden)
    shutil.rmtree(tmp_path / "out")
    for shard in ("0/2", "1/2"):
        list(hide(album, tmp_path / "out", seed=3, shard=shard))
    assert pictures(tmp_path / "out") == pictures(hidden)
    with tarfile.open(tmp_path / "album.tar", "w") as tar:
        for path in sorted(album.rglob("*.png")):
            tar.add(path, path.relative_to(album))
    in_tar = ("emoji", tmp_path / "album.tar", tmp_path / "out.tar")
    assert faceanon(*in_tar, "--consistent", "--seed", 3).returncode == 0
    with tarfile.open(tmp_path / "out.tar") as tar:
        tar.extractall(tmp_path / "members", filter="data")
    assert pictures(tmp_path / "members") == pictures(hidden)


def test_a_run_goes_on_without_a_seed_and_a_seed_gives_other_emoji(
    album: Path, hidden: Path, tmp_path: Path
) -> None:
    list(hide(album, tmp_path))
    before = pictures(tmp_path)
    for path in (tmp_path / "day1").glob("*.png"):
        path.unlink()
    outcomes = list(hide(album, tmp_path))
    assert sum(outcome.status is Status.SKIPPED for outcome in outcomes) == 10
    assert pictures(tmp_path) == before
    assert who_wears_what(album, tmp_path) != who_wears_what(album, hidden)


def test_with_a_seed_pictures_added_at_the_end_change_nobody(
    album: Path, hidden: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    shutil.copytree(album, source, ignore=shutil.ignore_patterns("day2"))
    list(hide(source, target, seed=3))
    shutil.copytree(album, source, dirs_exist_ok=True)
    outcomes = list(hide(source, target, seed=3))
    assert sum(outcome.status is Status.SKIPPED for outcome in outcomes) == 10
    assert pictures(target) == pictures(hidden)


def test_a_picture_more_or_less_changes_few_of_the_others(album: Path) -> None:
    """The one that sorts before all others; whose emoji it takes, if any, is chance."""
    settings = make_settings("emoji", {"consistent": True})
    observed = []
    for path in sorted((album / "day0").iterdir()):
        task = Task(Job(path.name, path, None))
        outcome = do_picture(task, CollectIdentities(settings), None).outcome
        assert outcome.record is not None
        observed.append(ObservedPicture(outcome.record.content, outcome.observations))
    kept = []
    for seed in range(20):
        few, more = (
            Identities.of(pictures, settings.pseudonyms, seed).pseudonyms
            for pictures in (observed[1:], observed)
        )
        assert len(more) == len(HEADS)
        kept += list(few == more[1:])
    assert np.mean(kept) > 0.6


def crowded(rng: np.random.Generator) -> list[ObservedPicture]:
    """300 people nobody of whom resembles another, in 60 pictures."""
    people = iter(rng.normal(size=(300, SIZE)).astype(np.float32))
    return [
        ObservedPicture(
            rng.bytes(16).hex(),
            tuple(Observation((column, 3), next(people)) for column in range(5)),
        )
        for _ in range(60)
    ]


@pytest.mark.parametrize("number", [0, 7, 59])
def test_of_more_people_than_emoji_few_change_with_a_picture(number: int) -> None:
    taken = crowded(np.random.default_rng(number))
    before = Identities.of(taken, 16, 1)
    after = Identities.of(taken[:number] + taken[number + 1 :], 16, 1)
    gone = slice(5 * number, 5 * number + 5)
    others = np.delete(before.pseudonyms, gone)
    assert len(after.pseudonyms) == len(others) == 295
    assert np.mean(after.pseudonyms == others) > 0.9


def test_of_more_people_than_emoji_those_of_one_picture_wear_different_ones() -> None:
    """Also beside somebody whom one of them has met before."""
    taken = crowded(np.random.default_rng(1))
    known = taken[30].observations[0]
    taken[50] = replace(taken[50], observations=(*taken[50].observations, known))
    pseudonyms = Identities.of(taken, 16, 1).pseudonyms
    assert set(pseudonyms[:16]) == set(range(16))
    for first in range(0, 300, 5):
        assert len(set(pseudonyms[first : first + 5])) == 5
    assert len({*pseudonyms[250:255], pseudonyms[150]}) == 6


def test_who_cannot_be_told_wears_what_nobody_wears(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    blurred = cv2.GaussianBlur(head("eileen"), (0, 0), 7)
    for number in range(6):
        write_png(source / f"blurred{number}.png", blurred)
    write_png(source / "clear.png", head("eileen"))
    list(hide(source, tmp_path / "out", seed=1))
    wearing = {
        path.stem: worn(read(path), read(tmp_path / "out" / path.name))
        for path in source.iterdir()
    }
    assert wearing.pop("clear") in FOR_PEOPLE
    assert set(wearing.values()) <= FOR_UNKNOWN
    assert len(set(wearing.values())) > 1


def test_friends_stay_and_the_others_keep_their_emoji(
    faceanon: Run, album: Path, tmp_path: Path
) -> None:
    """With `--except`, and with faces out of a box file."""
    (tmp_path / "friends" / "grace").mkdir(parents=True)
    write_png(tmp_path / "friends" / "grace" / "1.png", head("grace"))
    boxes = tmp_path / "boxes.jsonl"
    assert faceanon("detect", album, "-o", boxes).returncode == 0
    done = faceanon(
        *("emoji", album, tmp_path / "out", "--consistent", "--seed", 3),
        *("--except", tmp_path / "friends", "--boxes", boxes),
    )
    assert done.returncode == 0, done.stderr
    for path in album.rglob("grace.png"):
        after = read(tmp_path / "out" / path.relative_to(album))
        assert (read(path) == after).all()
    others = tmp_path / "others"
    shutil.copytree(album, others, ignore=shutil.ignore_patterns("grace.png"))
    wearing = who_wears_what(others, tmp_path / "out")
    assert len(set(wearing.values())) == len(HEADS) - 1


def together() -> Image:
    """Two people in one picture, one of them twice."""
    width, height = 300, 300
    heads = (head("eileen"), head("grace"), head("eileen")[:, ::-1])
    return np.hstack([cv2.resize(image, (width, height)) for image in heads])


def test_one_picture_is_consistent_within_itself() -> None:
    image = together()
    faces = sorted(found(image), key=lambda face: face.box.left)
    after = faceanon.anonymize(image, "emoji", consistent=True, faces=faces)
    first, other, again = (worn(image, after, face) for face in faces)
    assert first == again != other


def test_each_preview_of_the_window_is_consistent_within_itself(tmp_path: Path) -> None:
    image = together()
    write_png(tmp_path / "friends.png", image)
    choices = Choices("emoji", str(tmp_path), "", {"consistent": "yes"})
    (job,) = preview_worker.listing(choices.values()).jobs
    frame = preview_worker.FrameOf(job, 0)
    faces = preview_worker.search(frame, "emoji", choices.values()).outcome.faces
    height, width = image.shape[:2]
    part = preview_worker.Part(Box(0, 0, width, height), (width, height))
    view = preview_worker.view(frame, "emoji", choices.values(), faces, part)
    assert view.after is not None, view.problem
    after = decoded(view.after)
    in_order = sorted(faces, key=lambda face: face.box.left)
    first, other, again = (worn(image, after, face) for face in in_order)
    assert first == again != other
    assert {first, other} <= FOR_PEOPLE


def test_what_somebody_wears_is_no_matter_of_the_face() -> None:
    """Nobody can look for a person by the emoji that they would wear."""
    images = [cv2.convertScaleAbs(head("eileen"), beta=shade) for shade in range(6)]
    hidden = [
        faceanon.anonymize(image, "emoji", consistent=True, accuracy="fast")
        for image in images
    ]
    assert len(set(map(worn, images, hidden))) > 1


def test_frames_are_consistent_also_from_standard_input(tmp_path: Path) -> None:
    """A stream can be read only once, but its people are told all the same."""
    image = together()
    frames = [np.roll(image, 8 * number, axis=1) for number in range(4)]
    rgb = [PillowImage.fromarray(frame[:, :, ::-1]) for frame in frames]
    film = io.BytesIO()
    rgb[0].save(film, "PNG", save_all=True, append_images=rgb[1:], duration=100)
    done = subprocess.run(
        [COMMAND, "emoji", "-", "-", "--consistent", "--seed", "2"],
        input=film.getvalue(),
        capture_output=True,
        env=os.environ | LEAST_WORK,
        check=True,
    )
    source, places = tmp_path / "film.png", tmp_path / "boxes.jsonl"
    source.write_bytes(film.getvalue())
    find = [str(COMMAND), "detect", str(source), "-o", str(places)]
    subprocess.run(find, env=os.environ | LEAST_WORK, check=True, capture_output=True)
    tracks = boxes.read(places)["film.png"].hidden
    wearing = set()
    with PillowImage.open(io.BytesIO(done.stdout)) as after:
        for number, frame in enumerate(frames):
            after.seek(number)
            pixels = np.array(after.convert("RGB"))[:, :, ::-1]
            faces = boxes.faces_of(tracks, number)
            faces.sort(key=lambda face: face.box.left)
            # In a film stickers glide from one frame to the next.
            wearing.add(tuple(worn(frame, pixels, face, 20) for face in faces))
    assert len(wearing) == 1
    first, other, again = wearing.pop()
    assert first == again != other


def test_nothing_that_people_are_recognised_by_is_written(
    faceanon: Run, album: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    command = ("emoji", album / "day0", tmp_path / "out", "--consistent")
    done = faceanon(*command, "--seed", 3, "--report", report)
    assert "who knows somebody in one of them knows them in all" in done.stderr
    line, *_ = lines(report)
    told = {"box", "score", "points", "found_by", "hide", "done_by"}
    assert set(line["faces"][0]) == told


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"emoji": "panda"}, "leave out --emoji or --consistent"),
        ({"emoji": "panda,pig"}, "leave out --emoji or --consistent"),
        ({"detector": "haar"}, "--detector haar does not find"),
    ],
)
def test_what_cannot_work_is_refused(
    album: Path, tmp_path: Path, options: dict[str, str], reason: str
) -> None:
    with pytest.raises(OptionError, match=reason):
        list(hide(album, tmp_path / "out", **options))
    assert not pictures(tmp_path / "out")
