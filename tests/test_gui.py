"""What is behind the window, without a window: choices, corrections, runs, previews."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from conftest import COMMAND, Run
from faceanon import anonymizers, boxes
from faceanon.boxes import FaceTable, Record
from faceanon.errors import FaceanonError
from faceanon.gui import preview_worker
from faceanon.gui.background import Answer, Background
from faceanon.gui.choices import Choices, fields
from faceanon.gui.corrections import Corrections
from faceanon.gui.face_state import FaceState
from faceanon.gui.preview_model import VIEW, PreviewModel
from faceanon.gui.preview_worker import FrameOf, Part
from faceanon.gui.runner import Runner
from faceanon.gui.viewport import Viewport
from faceanon.model import Box, Face
from faceanon.pipeline.job import Job, Outcome, Status
from processes import are_idle, wait_until, workers_of
from support import ASTRONAUT_FACE, EXAMPLES, digest, read, with_examples, write_film


def finish(runner: Runner) -> None:
    def is_over() -> bool:
        runner.poll()
        return runner.state == "over"

    wait_until(is_over, "the end of the run")


# --- Choices ---------------------------------------------------------------------


@pytest.mark.parametrize("method", anonymizers.names())
def test_the_form_has_every_option_of_the_command(method: str, faceanon: Run) -> None:
    told = faceanon(method, "--help-all").stdout
    flags = {word.split("=")[0].strip(",/") for word in told.split()}
    of_the_shell = {
        *("--quiet", "--verbose", "--dry-run", "--list", "--help", "--help-all"),
        *("--files-from", "--null"),
    }
    of_the_window = {"--boxes", "--also-detect"}
    offered = {flag for flag in flags if flag.startswith("--") and flag != "--"}
    declared = {field.flag for field in fields(method)}
    assert declared <= offered
    listed = {
        line.split()[0].rstrip(",")
        for line in told.splitlines()
        if line.startswith("  --")
    }
    assert listed - of_the_shell - of_the_window <= declared


def test_the_command_that_is_shown_does_the_same(tmp_path: Path) -> None:
    source = with_examples(tmp_path / "it's here", "astronaut.png")
    choices = Choices("pixelate", str(source), str(tmp_path / "by window"))
    choices.options = {"cells": "4", "seed": "7", "jobs": "1", "exclude": "'a b' x*"}
    choices.options["allow_empty"] = "yes"
    runner = Runner()
    runner.start("pixelate", choices.values())
    finish(runner)
    assert runner.progress.end == "done"
    choices.target = str(tmp_path / "by command")
    command = shlex.split(choices.command())
    assert command[0] == "faceanon"
    subprocess.run([COMMAND, *command[1:]], check=True, capture_output=True)
    one, other = (
        read(tmp_path / folder / "astronaut.png")
        for folder in ("by window", "by command")
    )
    assert np.array_equal(one, other)
    assert not np.array_equal(one, read(EXAMPLES / "astronaut.png"))


def test_what_the_command_refuses_is_refused_in_its_words(faceanon: Run) -> None:
    for name, text in (("grow", "9"), ("cells", "many"), ("jobs", "0")):
        choices = Choices("pixelate", "a", "b", {name: text})
        with pytest.raises(FaceanonError) as refusal:
            choices.values()
        assert str(refusal.value) in faceanon(*choices.arguments()).stderr


def test_a_default_is_told_where_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FACEANON_NO_FACE", "fail")
    assert Choices("blur", "a", "b").values()["no_face"] == "write"
    assert "--no-face=write" in Choices("blur", "a", "b").command()


def test_a_path_that_looks_like_an_option_or_a_stream_is_a_path() -> None:
    values = Choices("blur", "-", "--seed").values()
    assert (values["source"], values["target"]) == ("./-", "./--seed")


# --- Corrections -----------------------------------------------------------------


@pytest.fixture
def seen() -> Outcome:
    content = digest(EXAMPLES / "astronaut.png")
    job = Job("astronaut.png", EXAMPLES / "astronaut.png", None)
    record = Record("astronaut.png", 512, 512, content, hidden=(ASTRONAUT_FACE,))
    return Outcome(job, Status.FOUND, record)


def test_corrections_are_kept_beside_the_output_and_found_again(
    seen: Outcome, tmp_path: Path
) -> None:
    corrections = Corrections()
    corrections.toggle(seen, ASTRONAUT_FACE)
    assert corrections.file is None
    corrections.belong_to(tmp_path / "saf")
    corrections.belong_to(tmp_path / "safe")
    corrections.save()
    # Nothing is left where the path was only on its way.
    assert [path.name for path in tmp_path.iterdir()] == ["safe.boxes.jsonl"]
    later = Corrections()
    assert later.belong_to(tmp_path / "safe")
    record = later.of("astronaut.png")
    assert record is not None
    assert (record.hidden, record.shown) == ((), (ASTRONAUT_FACE,))
    later.undo("astronaut.png")
    assert not list(tmp_path.iterdir())


def test_a_face_added_by_hand_is_gone_after_a_second_click(seen: Outcome) -> None:
    corrections = Corrections()
    record = corrections.add(seen, Box(10, 10, 60, 60), None)
    *_, added = record.hidden
    after = corrections.toggle(replace(seen, record=record), added)
    assert after.hidden == (ASTRONAUT_FACE,)
    assert after.shown == ()


# --- Runs ------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(6):
        shutil.copy(EXAMPLES / "curies.jpg", folder / f"{number}.jpg")
    return folder


def settled(runner: Runner, counted: Callable[[], int]) -> int:
    """How far a paused run has come; it must come no further."""
    wait_until(
        lambda: are_idle([os.getpid(), *workers_of(os.getpid())]),
        "the end of what is in hand",
    )
    runner.poll()
    paused_at = counted()
    time.sleep(1)
    assert not runner.poll()
    assert counted() == paused_at
    return paused_at


def pause_and_cancel(runner: Runner, counted: Callable[[], int]) -> None:
    """Pause a run over six pictures when the first is counted, and then cancel it."""
    wait_until(lambda: runner.poll() and counted() >= 1, "a picture")
    runner.pause()
    assert settled(runner, counted) < 6
    runner.cancel()
    finish(runner)
    assert runner.progress.end == "cancelled"


def test_a_pause_begins_nothing_new_and_a_cancel_leaves_nothing_behind(
    many: Path, tmp_path: Path
) -> None:
    choices = Choices("blackbar", str(many), str(tmp_path / "safe"), {"jobs": "1"})
    runner = Runner()
    runner.start("blackbar", choices.values())
    pause_and_cancel(runner, lambda: runner.progress.done)
    left = {path.name for path in (tmp_path / "safe").iterdir()}
    assert left <= {".faceanon.db", *(f"{number}.jpg" for number in range(6))}
    runner.start("blackbar", choices.values())
    finish(runner)
    assert runner.progress.done == runner.progress.total == 6
    assert runner.progress.summary.done_before >= 1


def test_the_look_at_all_pictures_before_a_run_can_be_paused_and_cancelled(
    many: Path, tmp_path: Path
) -> None:
    filled_in = {"jobs": "1", "consistent": "yes"}
    choices = Choices("emoji", str(many), str(tmp_path / "safe"), filled_in)
    runner = Runner()
    runner.start("emoji", choices.values())
    pause_and_cancel(runner, lambda: runner.progress.searched)
    assert {path.name for path in (tmp_path / "safe").iterdir()} == {".faceanon.db"}


def test_a_run_that_is_refused_says_why(many: Path) -> None:
    runner = Runner()
    runner.start("blur", Choices("blur", str(many), str(many)).values())
    finish(runner)
    assert runner.progress.end == "refused"
    assert "OUTPUT is INPUT itself" in runner.progress.message


def test_the_progress_of_a_film_is_told_frame_by_frame(tmp_path: Path) -> None:
    film = write_long(tmp_path / "film.gif", 60)
    options = {"jobs": "1", "accuracy": "thorough"}
    runner = Runner()
    target = str(tmp_path / "safe.gif")
    runner.start("blackbar", Choices("blackbar", str(film), target, options).values())
    shares: list[float] = []

    def is_over() -> bool:
        runner.poll()
        if runner.progress.films:
            assert set(runner.progress.films) == {"film.gif"}
            shares.append(runner.progress.share)
        return runner.state == "over"

    wait_until(is_over, "the end of the run")
    assert runner.progress.end == "done", runner.progress.message
    assert runner.progress.films == {}
    assert shares == sorted(shares)
    assert any(0 < share < 1 for share in shares)
    assert runner.progress.share == 1


def test_a_cancel_ends_a_film_in_the_middle(tmp_path: Path) -> None:
    film = write_long(tmp_path / "film.gif", 300)
    safe = tmp_path / "safe"
    (tmp_path / "in").mkdir()
    film.rename(tmp_path / "in" / "film.gif")
    choices = Choices("blackbar", str(tmp_path / "in"), str(safe), {"jobs": "1"})
    runner = Runner()
    runner.start("blackbar", choices.values())
    wait_until(lambda: runner.poll() and bool(runner.progress.films), "a frame")
    runner.cancel()
    finish(runner)
    assert runner.progress.end == "cancelled", runner.progress.message
    assert runner.progress.done == 0
    assert {path.name for path in safe.iterdir()} <= {".faceanon.db"}


# --- The preview -----------------------------------------------------------------


@pytest.fixture
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


def answers_of(background: Background) -> Collection[Answer]:
    """The answers to all that was asked."""
    answers: list[Answer] = []

    def take() -> bool:
        answer = background.poll()
        if answer is not None:
            answers.append(answer)
        return not background.is_busy

    wait_until(take, "the answers")
    return answers


def test_only_the_latest_question_is_answered(background: Background) -> None:
    background.ask("sum", sum, [1, 2])
    background.poll()
    background.ask("sum", sum, [3, 4])
    background.ask("other", len, "abc")
    results = [answer.result for answer in answers_of(background)]
    assert sorted(results) == [3, 7]
    assert len(results) == 2


def test_a_question_that_kills_the_worker_costs_its_own_answer_only(
    background: Background,
) -> None:
    background.ask("fatal", os._exit, 3)
    background.ask("next", len, "abc")
    answers = {answer.topic: answer for answer in answers_of(background)}
    assert answers["fatal"].problem
    assert answers["next"].result == 3


def test_the_preview_hides_what_the_run_hides() -> None:
    values = Choices("blackbar", str(EXAMPLES), "out").values()
    job = Job("astronaut.png", EXAMPLES / "astronaut.png", None)
    seen = preview_worker.search(FrameOf(job, 0), "blackbar", values).outcome
    assert seen.faces[0].box.overlap(ASTRONAUT_FACE.box) > 0.7
    part = Part(seen.faces[0].box, (40, 50))
    view = preview_worker.view(FrameOf(job, 0), "blackbar", values, seen.faces, part)
    header = b"P6 40 50 255\n"
    assert view.after == header + bytes(40 * 50 * 3)
    assert view.before != view.after


def test_people_to_show_are_shown_by_the_preview_and_by_the_run(
    tmp_path: Path,
) -> None:
    with_examples(tmp_path / "friends" / "eileen", "astronaut.png")
    names = ("astronaut.png", "grace_hopper.jpg")
    source = with_examples(tmp_path / "source", *names)
    choices = Choices("blackbar", str(source), str(tmp_path / "safe"))
    choices.options["except_"] = str(tmp_path / "friends")
    job = Job("astronaut.png", source / "astronaut.png", None)
    seen = preview_worker.search(FrameOf(job, 0), "blackbar", choices.values()).outcome
    assert seen.faces == ()
    assert [FaceState(face, "kept").label for face in seen.shown] == ["eileen"]
    runner = Runner()
    runner.start("blackbar", choices.values())
    finish(runner)
    assert runner.progress.end == "done", runner.progress.message
    for name, is_changed in (("astronaut.png", False), ("grace_hopper.jpg", True)):
        before, after = read(source / name), read(tmp_path / "safe" / name)
        assert ((before != after).mean() > 0.01) == is_changed


def test_looking_through_a_folder() -> None:
    model = PreviewModel(("blackbar", "blur"), (60, 40))

    def take() -> bool:
        model.poll()
        return not model.is_busy

    try:
        choices = Choices("blackbar", str(EXAMPLES), "out")
        values = {name: choices.values(name) for name in ("blackbar", "blur")}
        model.choose("blackbar", values)
        wait_until(take, "the preview")
        assert [job.name for job in model.jobs][:2] == ["astronaut.png", "cat.png"]
        model.add(Box(0, 0, 20, 20))
        model.open(1)
        wait_until(take, "the preview")
        assert "added" not in [state.label for state in model.face_states()]
        model.open(0)
        wait_until(take, "the preview")
        assert [state.label for state in model.face_states()][-1] == "added"
        kinds = [state.kind for state in model.face_states()]
        assert kinds.count("hidden") == 2
    finally:
        model.close()


def test_looking_through_the_frames_of_a_film(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.gif")
    model = PreviewModel(("blackbar",), (60, 40))

    def found() -> list[Face]:
        """The faces of the frame but those that it has from the other."""
        faces = [s.face for s in model.face_states() if s.kind == "hidden"]
        return [face for face in faces if face.found_by != "neighbour"]

    views: list[preview_worker.View] = []

    def take() -> bool:
        answer = model.poll()
        if answer is not None and answer.topic == VIEW:
            assert isinstance(answer.result, preview_worker.View)
            views.append(answer.result)
        return not model.is_busy

    try:
        values = Choices("blackbar", str(film), str(tmp_path / "out.gif")).values()
        model.choose("blackbar", {"blackbar": values})
        model.show(Part(Box(0, 0, 256, 256), (64, 64)))
        wait_until(take, "the preview")
        model.show(Part(Box(0, 0, 256, 256), (64, 64)))
        wait_until(take, "the preview")
        assert (model.frames, model.frame) == (2, 0)
        (first,) = found()
        model.show_frame(1)
        model.show(Part(Box(0, 0, 256, 256), (64, 64)))
        wait_until(take, "the preview")
        (second,) = found()
        assert (first.frame, second.frame) == (0, 1)
        assert second.box.left > first.box.right - 40
        model.add(Box(10, 200, 40, 240))
        assert {state.face.frame for state in model.face_states()} == {1}
        model.show_frame(7)
        assert model.frame == 1
        model.belong_to(tmp_path / "out.gif")
        model.corrections.save()
        assert model.corrections.file is not None
        hidden = boxes.read(model.corrections.file)["film.gif"].hidden
        (added,) = (face for face in hidden if face.found_by == "hand")
        assert (added.frame, added.box) == (1, Box(10, 200, 40, 240))
        assert {face.frame for face in hidden} == {0, 1}
    finally:
        model.close()
    assert len(views) >= 2
    assert views[0].before != views[-1].before
    assert all(view.before != view.after for view in views)


def test_of_a_long_film_the_faces_of_the_frame_that_is_shown(
    tmp_path: Path,
) -> None:
    """The frames of a film come as they are asked for; nobody waits for all of them."""
    film = write_long(tmp_path / "film.gif", 300)
    values = Choices("blackbar", str(film), str(tmp_path / "out.gif")).values()
    model = PreviewModel(("blackbar",), (60, 40))

    def take() -> bool:
        model.poll()
        return not model.is_busy

    def hidden() -> list[Face]:
        return [state.face for state in model.face_states() if state.kind == "hidden"]

    try:
        model.choose("blackbar", {"blackbar": values})
        wait_until(take, "the preview")
        assert (model.frames, model.is_long) == (300, True)
        (first,) = hidden()
        model.add(Box(5, 100, 20, 120))
        model.show_frame(299)
        wait_until(take, "the preview")
        (last,) = hidden()
        assert (first.frame, last.frame) == (0, 299)
        assert last.box.left > first.box.right - 20
        model.toggle(last)
        assert [state.kind for state in model.face_states()] == ["kept"]
        model.show_frame(0)
        wait_until(take, "the preview")
        assert [face.found_by == "hand" for face in hidden()] == [False, True]
        model.belong_to(tmp_path / "out.gif")
        model.corrections.save()
        assert model.corrections.file is not None
        record = boxes.read(model.corrections.file)["film.gif"]
        assert record.content == digest(film)
        assert {face.frame for face in record.hidden} == {0}
        assert [face.frame for face in record.shown] == [299]
    finally:
        model.close()


def write_long(path: Path, count: int) -> Path:
    """An animation with a face on the left, which is on the right in the last frame."""
    with PillowImage.open(EXAMPLES / "astronaut.png") as picture:
        small = picture.convert("L").resize((128, 128))
    mirrored = small.transpose(PillowImage.Transpose.FLIP_LEFT_RIGHT)
    # Frames that are the same would be written as one.
    frames = [small.copy() for _ in range(count - 1)]
    for number, frame in enumerate(frames):
        frame.putpixel((number % 128, 127 - number // 128), number % 256)
    frames[0].save(
        *(path,), save_all=True, append_images=[*frames[1:], mirrored], duration=40
    )
    return path


def test_a_face_that_was_followed_is_kept_in_all_its_frames(seen: Outcome) -> None:
    assert seen.record is not None
    followed = [
        Face(Box(10 + frame, 10, 40, 50), 0.875, frame=frame, track=3)
        for frame in range(3)
    ]
    other = Face(Box(100, 10, 140, 50), 0.875, frame=1, track=4)
    table = FaceTable.of([*followed[:2], other, *followed[2:]])
    film = replace(seen, record=replace(seen.record, hidden=table))
    corrections = Corrections()
    record = corrections.toggle(film, followed[1])
    assert list(record.hidden) == [other]
    assert list(record.shown) == followed
    again = corrections.toggle(replace(film, record=record), followed[2])
    assert sorted(again.hidden, key=lambda face: (face.track, face.frame)) == [
        *(*followed, other)
    ]
    assert not again.shown


# --- Viewport --------------------------------------------------------------------


def test_what_is_under_the_pointer_stays_there_when_zooming() -> None:
    viewport = Viewport((2000, 1000), (800, 600)).fitted()
    before = viewport.in_picture(300, 250)
    zoomed = viewport.zoomed(8, 300, 250)
    assert zoomed.in_picture(300, 250) == pytest.approx(before)
    assert zoomed.zoomed(0.001, 0, 0).scale == viewport.scale
    part = zoomed.part()
    assert part.box == part.box.clipped(1000, 2000)
    assert part.size[0] >= 800


def test_python_without_tk_is_told_what_to_install() -> None:
    program = (
        "import sys; sys.modules['tkinter'] = None; "
        "from faceanon.gui import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "this Python has no Tk" in done.stderr
    assert "Traceback" not in done.stderr
