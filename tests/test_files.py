"""Planning: what is taken, left alone, or refused before it is too late."""

import os
from collections import Counter
from pathlib import Path

import pytest

from conftest import Run
from faceanon.batch.planning.folder import sweep
from faceanon.batch.planning.make_plan import EVERYTHING, make_plan
from faceanon.batch.planning.plan import InputFilter
from faceanon.errors import FaceanonError
from faceanon.storage.names import shown
from faceanon.storage.suffixes import Format
from support import ignored_by, jobs_of, with_examples


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def planned(
    source: Path,
    target: Path,
    input_filter: InputFilter = EVERYTHING,
    format_: Format | None = None,
) -> dict[str, str]:
    """Input to output, both below their folders."""
    plan = make_plan(source, target, format_=format_, input_filter=input_filter)
    pairs = {}
    for job in jobs_of(plan):
        assert isinstance(job.target, Path)
        pairs[job.name] = str(job.target.relative_to(target))
    assert len(pairs) == plan.source.count()
    return pairs


def test_the_tree_is_mirrored(tmp_path: Path) -> None:
    touch(tmp_path / "in", "a.jpg", "b/c.PNG", "b/d/e.webp")
    assert planned(tmp_path / "in", tmp_path / "out") == {
        "a.jpg": "a.jpg",
        "b/c.PNG": "b/c.PNG",
        "b/d/e.webp": "b/d/e.webp",
    }
    flat = planned(tmp_path / "in", tmp_path / "out", InputFilter(recursive=False))
    assert list(flat) == ["a.jpg"]


def test_a_format_changes_suffixes_that_are_not_its_own(tmp_path: Path) -> None:
    touch(tmp_path / "in", "a.jpg", "b.JPEG", "c.v2.png", "d.tiff")
    assert planned(tmp_path / "in", tmp_path / "out", format_="jpeg") == {
        "a.jpg": "a.jpg",
        "b.JPEG": "b.JPEG",
        "c.v2.png": "c.v2.jpg",
        "d.tiff": "d.jpg",
    }


def test_jobs_are_handed_out_while_the_folder_is_walked(tmp_path: Path) -> None:
    """Of a million pictures, the first must not wait for the last."""
    source = tmp_path / "in"
    touch(source, "a.jpg", "below/b.jpg")
    jobs = jobs_of(make_plan(source, tmp_path / "out"))
    assert next(jobs).name == "a.jpg"
    touch(source, "below/late.jpg")
    assert {job.name for job in jobs} == {"below/b.jpg", "below/late.jpg"}


def test_output_inside_of_input_is_not_read_again(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "out/a.jpg", "out/b/c.jpg")
    assert list(planned(tmp_path, tmp_path / "out")) == ["a.jpg"]


def test_originals_are_never_written_over(tmp_path: Path) -> None:
    touch(tmp_path, "in/deep/a.jpg")
    (tmp_path / "alias").symlink_to("in")
    with pytest.raises(FaceanonError, match="OUTPUT is INPUT itself"):
        make_plan(tmp_path / "in", tmp_path / "alias")
    with pytest.raises(FaceanonError, match="INPUT lies inside of OUTPUT"):
        make_plan(tmp_path / "in" / "deep", tmp_path / "in")
    picture = tmp_path / "in" / "deep" / "a.jpg"
    for same in (picture, picture.parent):
        with pytest.raises(FaceanonError, match="is the input itself"):
            make_plan(picture, same)


def test_only_regular_files_are_taken_and_the_rest_is_counted(tmp_path: Path) -> None:
    source = tmp_path / "in"
    touch(source, "a.jpg", "notes.txt", "Thumbs.db", "x.jpg/c.jpg")
    touch(source, "._a.jpg", ".DS_Store", ".git/b.jpg")
    (source / "link.jpg").symlink_to("a.jpg")
    (source / "dangling.jpg").symlink_to("nowhere")
    (source / "loop").symlink_to(source)
    os.mkfifo(source / "pipe.jpg")
    plan = make_plan(source, tmp_path / "out")
    assert plan.source.count() == 2
    assert sorted(job.name for job in jobs_of(plan)) == ["a.jpg", "x.jpg/c.jpg"]
    by_reason = Counter(reason.split(" (")[0] for reason in ignored_by(plan).values())
    assert by_reason == {
        "a link": 3,
        "no picture": 2,
        "hidden": 3,
        "a pipe, socket or device": 1,
    }


def test_pictures_that_cannot_be_read_are_taken_so_that_they_are_named(
    tmp_path: Path,
) -> None:
    touch(tmp_path / "in", "a.heic", "b.gif", "c.CR2")
    assert len(planned(tmp_path / "in", tmp_path / "out")) == 3


def test_names_that_are_not_text_are_taken(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "in")
    os.mkdir(folder)
    for name in (b"a\xff.jpg", b"b\n.jpg", b"-c.jpg", "d\u202e.jpg".encode()):
        open(folder + b"/" + name, "wb").close()
    names = planned(tmp_path / "in", tmp_path / "out")
    assert sorted(map(shown, names)) == [
        "-c.jpg",
        r"a\xff.jpg",
        r"b\n.jpg",
        r"d\u202e.jpg",
    ]


def test_what_a_killed_run_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    touch(tmp_path, ".faceanon-0123456789abcdef.tmp", ".faceanon.db", "a.jpg", "b.tmp")
    sweep(tmp_path, None)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".faceanon.db",
        "a.jpg",
        "b.tmp",
    ]
    sweep(tmp_path / "missing", None)


def test_links_are_followed_on_request_but_not_out_and_not_in_circles(
    tmp_path: Path,
) -> None:
    source = tmp_path / "in"
    touch(tmp_path, "in/a.jpg", "in/album/b.jpg", "secret/c.jpg")
    (source / "linked.jpg").symlink_to("a.jpg")
    (source / "linked album").symlink_to("album")
    (source / "album" / "loop").symlink_to("..")
    (source / "self.jpg").symlink_to("self.jpg")
    (source / "out.jpg").symlink_to(tmp_path / "secret" / "c.jpg")
    (source / "outside").symlink_to(tmp_path / "secret")
    input_filter = InputFilter(follow_symlinks=True)
    names = set(planned(source, tmp_path / "out", input_filter))
    # The album is there once, by one of its two names.
    albums = [name for name in names if name.endswith("b.jpg")]
    assert len(albums) == 1
    assert names - set(albums) == {"a.jpg", "linked.jpg"}


def test_patterns_choose_pictures_and_folders(tmp_path: Path) -> None:
    source = tmp_path / "in"
    touch(source, "a.jpg", "b.png", "day1/c.jpg", "day1/raw/d.jpg", "day2/e.jpg")

    def chosen(
        *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()
    ) -> set[str]:
        input_filter = InputFilter(include=include, exclude=exclude)
        return set(planned(source, tmp_path / "out", input_filter))

    assert chosen(include=("*.png",)) == {"b.png"}
    assert chosen(include=("day1/*", "b.*")) == {
        "b.png",
        "day1/c.jpg",
        "day1/raw/d.jpg",
    }
    assert chosen(exclude=("raw", "day2")) == {"a.jpg", "b.png", "day1/c.jpg"}
    assert chosen(include=("*.jpg",), exclude=("day?",)) == {"a.jpg"}
    # As suffixes are: in any case.
    assert chosen(include=("*.PNG", "DAY2/*")) == {"b.png", "day2/e.jpg"}
    # A slash at the end is that of a folder, and one at the beginning that of INPUT.
    assert chosen(exclude=("day1/", "b.png/")) == {"a.jpg", "b.png", "day2/e.jpg"}
    assert chosen(include=("raw",)) == chosen(include=("raw/",)) == {"day1/raw/d.jpg"}
    assert chosen(include=("day1/raw/", "/day2")) == {"day1/raw/d.jpg", "day2/e.jpg"}
    assert chosen(include=("/raw", "/c.jpg")) == set()


def test_patterns_that_meet_nothing_are_told(faceanon: Run, tmp_path: Path) -> None:
    with_examples(tmp_path / "in", "cat.png")
    command = (
        *("blur", tmp_path / "in", tmp_path / "out"),
        *("--include", "CAT*", "--exclude", "privat/", "--exclude", "*.gif"),
    )
    done = faceanon(*command)
    assert done.returncode == 1
    assert "nothing in INPUT matches 'privat/'" in done.stderr
    assert "nothing in INPUT matches '*.gif'" in done.stderr
    assert "CAT" not in done.stderr
    assert faceanon(*command, "--allow-empty").returncode == 0


def test_outputs_of_an_earlier_run_are_no_input(faceanon: Run, tmp_path: Path) -> None:
    with_examples(tmp_path, "cat.png")
    assert faceanon("blur", ".", "safe", cwd=tmp_path).returncode == 0
    done = faceanon("pixelate", ".", "safer", cwd=tmp_path)
    assert done.returncode == 0
    assert [path.name for path in (tmp_path / "safer").rglob("*.png")] == ["cat.png"]
    assert "ignored: OUTPUT of an earlier run" in done.stderr
    # An audit sees it likewise, and who names it means it.
    assert faceanon("verify", ".", "safer", cwd=tmp_path).returncode == 0
    assert faceanon("blur", "safe", "safest", cwd=tmp_path).returncode == 0
    assert (tmp_path / "safest" / "cat.png").exists()
