"""WebDataset tar files and Parquet files: in, out, and all that can go wrong."""

import gzip
import io
import json
import os
import signal
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Run, Start
from dataset_files import (
    ASTRONAUT,
    BROKEN,
    CAT,
    CURIES,
    EYE,
    MTIME,
    read_tar,
    samples,
    write_small_tars,
    write_tar,
)
from faceanon.batch.planning.brace_expansion import BraceExpansion
from faceanon.errors import FaceanonError
from processes import GUARD, descendants, is_alive, wait_until, workers_of
from support import EXAMPLES, decoded, encoded, lines, read, with_examples, with_pillow

pa = pytest.importorskip("pyarrow", reason="needs the extra 'parquet'")
pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra 'parquet'")

HUGGING_FACE = {
    "info": {"features": {"image": {"_type": "Image"}, "label": {"_type": "Value"}}}
}
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_parquet(
    path: Path, images: list[object], type_: object = IMAGE, **options: object
) -> Path:
    """A file as the datasets package writes them."""
    schema = pa.schema([("image", type_), ("label", pa.int64())])
    schema = schema.with_metadata({"huggingface": json.dumps(HUGGING_FACE)})
    table = pa.table([pa.array(images, type_), pa.array(range(len(images)))], schema)
    pq.write_table(table, path, row_group_size=2, compression="zstd", **options)
    return path


def cells(path: Path) -> list[object]:
    column: list[object] = pq.read_table(path)["image"].to_pylist()
    return column


def no_temporaries(folder: Path) -> bool:
    return not list(folder.rglob("*.tmp"))


# --- tar -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["train.tar", "train.tar.gz", "train.tgz"])
def test_a_tar_keeps_all_but_the_faces(
    faceanon: Run, tmp_path: Path, name: str
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    before = samples()
    write_tar(source / name, before)
    out, report = tmp_path / "out", tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, out, "--report", report)
    assert done.returncode == 0, done.stderr
    assert "3 pictures in" in done.stderr
    assert "2 anonymized (3 faces), 1 without a face" in done.stderr
    after = read_tar(out / name)
    assert list(after) == list(before)
    changed = [name for name in before if after[name] != before[name]]
    assert [name for name in changed if not name.endswith((".png", ".jpg"))] == []
    assert decoded(after["000000.png"])[EYE].max() == 0
    with tarfile.open(out / name) as tar:
        for member in tar:
            assert (member.mtime, member.mode) == (MTIME, 0o640)
            assert (member.uname, member.gname) == ("bigdata", "bigdata")
    told = {line["picture"]: line for line in lines(report)}
    assert list(told) == [
        f"{name}/{member}" for member in before if member.endswith((".png", ".jpg"))
    ]
    assert told[f"{name}/000000.png"]["output"] == str(out / name)
    again = faceanon("blackbar", source, out)
    assert again.returncode == 0
    assert "1 already done" in again.stderr


def test_pictures_come_out_as_they_do_singly(faceanon: Run, tmp_path: Path) -> None:
    single = with_examples(tmp_path / "train.tar.d", "curies.jpg", "astronaut.png")
    names = [path.name for path in single.iterdir()]
    write_tar(tmp_path / "a.tar", {n: (single / n).read_bytes() for n in names})
    faceanon("blackbar", single, tmp_path / "singly")
    faceanon("blackbar", tmp_path / "a.tar", tmp_path / "b.tar")
    together = read_tar(tmp_path / "b.tar")
    assert {n: (tmp_path / "singly" / n).read_bytes() for n in names} == together


def test_what_nobody_named_a_picture_is_looked_at(
    faceanon: Run, tmp_path: Path
) -> None:
    before = {
        "1.png": CAT,
        "1.input": ASTRONAUT,
        "1.txt": b"BMW is a maker of cars, and RIFF no picture",
        "1.mp4": b"\0\0\0\x18ftypmp42" + bytes(100),
        "noname": CURIES,
    }
    source = write_tar(tmp_path / "a.tar", before)
    done = faceanon("blackbar", source, tmp_path / "b.tar")
    assert done.returncode == 1
    assert "a.tar/1.mp4: " in done.stderr
    after = read_tar(tmp_path / "b.tar")
    assert list(after) == ["1.png", "1.input", "1.txt", "noname"]
    assert decoded(after["1.input"])[EYE].max() == 0
    assert after["noname"] != CURIES
    assert after["1.txt"] == before["1.txt"]


def test_formats_that_cannot_be_read_fail_whatever_they_are_called(
    faceanon: Run, tmp_path: Path
) -> None:
    """Copied, they would bring the faces along."""
    image = read(EXAMPLES / "astronaut.png")
    hidden_in = {".hdr": encoded(image, ".hdr")}
    hidden_in["j2k"] = with_pillow(image, "JPEG2000", no_jp2=True)
    members = {"a.png": ASTRONAUT, "b.txt": b"P3 by Anna and Bert", "c.txt": b"P6"}
    members |= {f"{n}.bin": data for n, data in enumerate(hidden_in.values())}
    source, out = write_tar(tmp_path / "a.tar", members), tmp_path / "b.tar"
    done = faceanon("blackbar", source, out)
    assert done.returncode == 1
    assert f"{len(hidden_in)} FAILED" in done.stderr
    assert list(read_tar(out)) == ["a.png", "b.txt", "c.txt"]


def test_another_format_changes_the_names_of_members(
    faceanon: Run, tmp_path: Path
) -> None:
    before = {"1.png": ASTRONAUT, "1.json": b"{}", "2.jpg": CURIES, "2.png": CAT}
    source = write_tar(tmp_path / "a.tar", before)
    done = faceanon("blur", source, tmp_path / "b.tar", "--format", "webp")
    assert done.returncode == 1
    assert "a.tar/2.png: another picture becomes 2.webp" in done.stderr
    after = read_tar(tmp_path / "b.tar")
    assert list(after) == ["1.webp", "1.json", "2.webp"]
    assert after["1.webp"].startswith(b"RIFF")


def test_pictures_without_a_face_can_be_left_out(faceanon: Run, tmp_path: Path) -> None:
    source = write_tar(tmp_path / "a.tar", samples())
    out = tmp_path / "b.tar"
    done = faceanon("blackbar", source, out, "--no-face", "skip")
    assert done.returncode == 0
    assert "(nothing written)" in done.stderr
    assert list(read_tar(out)) == [name for name in samples() if name != "000002.png"]


# --- Failures --------------------------------------------------------------------


def test_what_failed_is_left_out_and_only_that_is_done_again(
    faceanon: Run, tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    members = {"0.png": CAT, "1.jpg": BROKEN, "1.json": b"{}", "2.png": ASTRONAUT}
    write_tar(source / "a.tar", members)
    report, command = tmp_path / "r.jsonl", ("blackbar", source, out)
    done = faceanon(*command, "--report", report)
    assert done.returncode == 1
    assert f"{source}/a.tar/1.jpg: " in done.stderr
    first = read_tar(out / "a.tar")
    assert list(first) == ["0.png", "1.json", "2.png"]
    # Each run tries again what failed, and takes the rest from its own output.
    again = faceanon(*command, "--retry-failed", report)
    assert again.returncode == 1
    assert "1 FAILED; 2 already done" in again.stderr
    assert read_tar(out / "a.tar") == first
    assert [line["status"] for line in lines(report)] == [
        "no_faces",
        "failed",
        "anonymized",
    ]
    # What is not its own is not replaced.
    write_tar(out / "a.tar", members)
    refused = faceanon(*command)
    assert refused.returncode == 1
    assert "exists already, and is not known to be of this input" in refused.stderr
    assert read_tar(out / "a.tar") == members
    assert faceanon(*command, "--overwrite").returncode == 1
    assert read_tar(out / "a.tar") == first
    assert no_temporaries(out)


def link(kind: bytes) -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo("2.png")
        member.type, member.linkname = kind, "0.png"
        tar.addfile(member)

    return add


def named(name: str) -> Callable[[tarfile.TarFile], None]:
    def add(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(CAT)
        tar.addfile(member, io.BytesIO(CAT))

    return add


@pytest.mark.parametrize(
    ("add", "reason"),
    [
        (link(tarfile.SYMTYPE), "no regular file"),
        (link(tarfile.LNKTYPE), "no regular file"),
        (link(tarfile.CHRTYPE), "no regular file"),
        (link(tarfile.FIFOTYPE), "no regular file"),
        (named("../2.png"), "leads out of its folder"),
        (named("a/../../2.png"), "leads out of its folder"),
        (named("/etc/2.png"), "leads out of its folder"),
        (named("0.png"), "holds 0.png twice"),
    ],
)
def test_tars_that_could_do_harm_are_refused(
    faceanon: Run,
    tmp_path: Path,
    add: Callable[[tarfile.TarFile], None],
    reason: str,
) -> None:
    source = tmp_path / "a.tar"
    with tarfile.open(source, "w") as tar:
        named("0.png")(tar)
        add(tar)
    done = faceanon("blackbar", source, tmp_path / "b.tar")
    assert done.returncode == 1
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 2  # with the summary
    assert os.listdir(tmp_path) == ["a.tar"]


def test_damaged_tars_are_refused(faceanon: Run, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    whole = write_tar(source / "whole.tar", {"0.png": CAT, "1.png": CAT}).read_bytes()
    second = 512 + (len(CAT) + 511) // 512 * 512
    end = second * 2
    packed = gzip.compress(whole)
    damaged = {
        "in a member.tar": whole[: second - 1000],
        "between members.tar": whole[:second],
        "in a header.tar": whole[: second + 100],
        "without its end.tar": whole[:end],
        "header.tar": whole[: second + 3] + b"x" + whole[second + 4 :],
        "goes on.tar": whole + whole,
        "packed.tar": packed[:-1000],
        "checksum.tgz": packed[:-6] + bytes(6),
        "text.tar": b"no tar" * 1000,
        "nothing.tar": b"",
        "empty.tar": bytes(10240),
    }
    for name, data in damaged.items():
        (source / name).write_bytes(data)
    out = tmp_path / "out"
    done = faceanon("blackbar", source, out, "-j", 2)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "unexpected" not in done.stderr.replace("unexpected end of data", "")
    said = {line.split(":")[0] for line in done.stderr.splitlines()[:-1]}
    assert said == {str(source / name) for name in damaged}
    assert [path.name for path in out.glob("*.t*")] == ["whole.tar"]


def test_dataset_files_without_pictures_and_renaming_are_refused(
    faceanon: Run, tmp_path: Path
) -> None:
    source = write_tar(tmp_path / "a.tar", {"0.json": b"{}"})
    out = tmp_path / "b.tar"
    done = faceanon("blackbar", source, out)
    assert done.returncode == 1
    assert "there is no picture in it" in done.stderr
    renamed = faceanon("blackbar", source, out, "--rename", "hash", "--seed", 1)
    assert renamed.returncode == 1
    assert "--rename is for single pictures" in renamed.stderr
    streamed = faceanon("blackbar", source, "-")
    assert streamed.returncode == 1
    assert "not written to standard output" in streamed.stderr
    other = faceanon("blackbar", source, tmp_path / "b.jpg")
    assert other.returncode == 1
    assert "its output is a .tar file, too" in other.stderr
    assert os.listdir(tmp_path) == ["a.tar"]


@pytest.mark.parametrize(
    ("fault", "jobs"), [("kill", 1), ("crash", 2), ("hang", 2), ("memory", 1)]
)
def test_only_the_culprit_fails(
    faulty: Run, tmp_path: Path, fault: str, jobs: int
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    write_small_tars(source, "ab", range(90, 100))
    done = faulty(
        *("faulty", source, out, "--fault", fault, "--width", 94, "-j", jobs),
        *("--timeout", 20, "--max-memory", 2048),
    )
    assert done.returncode == 1
    said = done.stderr.splitlines()[:-1]
    culprits = [line.partition(": ")[0] for line in sorted(said)]
    assert culprits == [f"{source}/a.tar/94.jpg", f"{source}/b.tar/94.jpg"]
    reason = {"hang": "took longer than 20 seconds", "memory": "not enough memory"}
    assert all(reason.get(fault, "its worker process died") in line for line in said)
    for name in ("a", "b"):
        after = read_tar(out / f"{name}.tar")
        assert list(after) == [f"{w}.jpg" for w in range(90, 100) if w != 94]
    assert no_temporaries(out)


def test_a_killed_run_leaves_nothing_behind_and_is_done_again(
    faulty: Run, start: Start, tmp_path: Path, environment: dict[str, str]
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    write_small_tars(source, "ab", range(90, 110))
    command = (*("faulty", source, out, "--fault", "slow", "--seconds", 1, "-j", 2),)
    run = start(*command)
    wait_until(lambda: len(list(out.glob("*.tmp"))) >= 2, "two unfinished outputs")
    wait_until(lambda: len(descendants(run.pid)) >= 3, "the processes at work")
    children = descendants(run.pid)
    run.kill()
    run.wait()
    assert not list(out.glob("*.tar"))
    wait_until(lambda: not any(map(is_alive, children)), "the end of all processes")
    environment["FAULTY_HURRY"] = "1"
    assert faulty(*command, "--overwrite").returncode == 0
    assert no_temporaries(out)
    assert len(read_tar(out / "a.tar")) == 20


def test_a_worker_that_is_killed_costs_no_picture(
    faulty: Run, start: Start, tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    write_small_tars(source, "ab", range(90, 100))
    run = start("faulty", source, out, "--fault", "slow", "-j", 2)
    wait_until(lambda: list(out.glob("*.tmp")), "an unfinished output")
    os.kill(workers_of(run.pid)[0], signal.SIGKILL)
    _, errors = run.communicate(timeout=GUARD)
    assert run.returncode == 0, errors
    assert b"20 pictures in" in errors
    assert {len(read_tar(out / f"{name}.tar")) for name in ("a", "b")} == {10}


# --- Parquet ---------------------------------------------------------------------


def test_a_parquet_file_keeps_all_but_the_faces(faceanon: Run, tmp_path: Path) -> None:
    images: list[object] = [
        {"bytes": ASTRONAUT, "path": "a.png"},
        {"bytes": CURIES, "path": None},
        None,
        {"bytes": CAT, "path": "cat.png"},
        {"bytes": ASTRONAUT, "path": "b.png"},
    ]
    source = write_parquet(tmp_path / "train.parquet", images)
    out, report = tmp_path / "out.parquet", tmp_path / "report.jsonl"
    done = faceanon("blackbar", source, out, "--report", report)
    assert done.returncode == 0, done.stderr
    before, after = pq.ParquetFile(source), pq.ParquetFile(out)
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    assert after.read(["label"]).equals(before.read(["label"]))
    groups = [before.metadata.row_group(n) for n in range(3)]
    groups_after = [after.metadata.row_group(n) for n in range(3)]
    assert [g.num_rows for g in groups_after] == [g.num_rows for g in groups]
    assert groups_after[0].column(0).compression == "ZSTD"
    first, second, third, fourth, fifth = cells(out)
    assert third is None
    assert isinstance(fourth, dict)
    assert fourth["path"] == "cat.png"
    assert (decoded(fourth["bytes"]) == decoded(CAT)).all()
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert isinstance(fifth, dict)
    assert (first["path"], second["path"]) == ("a.png", None)
    assert decoded(first["bytes"])[EYE].max() == 0
    assert first["bytes"] == fifth["bytes"]
    assert [line["picture"] for line in lines(report)] == [
        f"train.parquet/{row}/image" for row in (0, 1, 3, 4)
    ]


def test_rows_stay_whose_picture_failed_and_only_those_are_done_again(
    faceanon: Run, tmp_path: Path
) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    images: list[object] = [
        {"bytes": CAT, "path": "a.png"},
        {"bytes": BROKEN, "path": "b.jpg"},
        {"bytes": None, "path": "elsewhere/c.jpg"},
        {"bytes": ASTRONAUT, "path": "d.png"},
    ]
    write_parquet(source / "a.parquet", images)
    command = ("blackbar", source, out, "--format", "webp")
    done = faceanon(*command)
    assert done.returncode == 1
    assert "a.parquet/1/image: " in done.stderr
    assert "a.parquet/2/image: it is not in the dataset, but in a file" in done.stderr
    first = cells(out / "a.parquet")
    assert first[1:3] == [None, None]
    assert isinstance(first[0], dict)
    assert first[0]["path"] == "a.webp"
    assert first[0]["bytes"].startswith(b"RIFF")
    again = faceanon(*command)
    assert again.returncode == 1
    assert "2 FAILED; 2 already done" in again.stderr
    assert cells(out / "a.parquet") == first


def test_bytes_are_looked_at_whatever_their_column_says(
    faceanon: Run, tmp_path: Path
) -> None:
    source, out = tmp_path / "a.parquet", tmp_path / "b.parquet"
    table = pa.table(
        {
            "jpg": pa.array([ASTRONAUT, b"no picture", None], pa.large_binary()),
            "one more": pa.array([None, {"bytes": CURIES}, None]),
            "digest": pa.array([b"0" * 16] * 3, pa.binary(16)),
            "words": pa.array(["a", "b", "a"]).dictionary_encode(),
        }
    )
    pq.write_table(table, source)
    done = faceanon("blackbar", source, out)
    assert done.returncode == 0, done.stderr
    assert "2 anonymized" in done.stderr
    after = pq.read_table(out)
    assert after.schema.equals(table.schema)
    jpg, other = after["jpg"].to_pylist(), after["one more"].to_pylist()
    assert decoded(jpg[0])[EYE].max() == 0
    assert jpg[1:] == [b"no picture", None]
    assert other[1]["bytes"] != CURIES
    for name in ("digest", "words"):
        assert after[name].equals(table[name])


def test_parquet_that_cannot_be_done_is_refused(faceanon: Run, tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    image = {"bytes": ASTRONAUT, "path": None}
    whole = write_parquet(source / "a.parquet", [image]).read_bytes()
    (source / "a.parquet").unlink()
    (source / "cut.parquet").write_bytes(whole[:-100])
    (source / "text.parquet").write_bytes(b"no parquet" * 100)
    write_parquet(source / "list.parquet", [[image]], pa.list_(IMAGE))
    write_parquet(source / "path.parquet", ["a.png"], pa.string())
    write_parquet(source / "none.parquet", [None])
    done = faceanon("blackbar", source, out)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    said = {
        Path(line.split(": ")[0]).name: line for line in done.stderr.splitlines()[:-1]
    }
    assert "column image" in said["list.parquet"]
    assert "column image" in said["path.parquet"]
    assert "no picture in it" in said["none.parquet"]
    assert "damaged" in said["cut.parquet"]
    assert "damaged" in said["text.parquet"]
    assert not list(out.glob("*.parquet"))


# --- Which files -----------------------------------------------------------------


def test_braces_stand_for_many_files(faceanon: Run, tmp_path: Path) -> None:
    for name in ("train/00.tar", "train/01.tar", "test/00.tar", "other/00.tar"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        write_tar(tmp_path / "in" / name, {"0.png": CAT})
    source, out = tmp_path / "in" / "{train,test}" / "{00..01}.tar", tmp_path / "out"
    done = faceanon("blackbar", source, out)
    assert done.returncode == 1
    assert "3 without a face" in done.stderr
    assert f"{tmp_path}/in/test/01.tar: cannot be read: No such file" in done.stderr
    names = {str(path.relative_to(out)) for path in out.rglob("*.tar")}
    assert names == {"train/00.tar", "train/01.tar", "test/00.tar"}
    parts = tmp_path / "parts"
    for index in range(2):
        faceanon("blackbar", source, parts, "--shard", f"{index}/2")
    assert {str(path.relative_to(parts)) for path in parts.rglob("*.tar")} == names
    assert "INPUT itself" in faceanon("blackbar", source, tmp_path / "in").stderr


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("in/{8..10}.tar", ["8.tar", "9.tar", "10.tar"]),
        ("in/{08..10}.tar", ["08.tar", "09.tar", "10.tar"]),
        ("{2..1}/x{a,,b}.tar", ["2/xa.tar", "2/x.tar", "2/xb.tar", "1/xa.tar"]),
    ],
)
def test_braces_are_those_of_shells(text: str, names: list[str]) -> None:
    assert list(BraceExpansion(text).names())[: len(names)] == names


def test_braces_leave_other_names_alone() -> None:
    assert not BraceExpansion.are_in("in/{a}.tar")
    with pytest.raises(FaceanonError, match="bucket"):
        BraceExpansion("s3://bucket-{1..3}/a.tar")


def test_detect_correct_hide_works_in_dataset_files(
    faceanon: Run, tmp_path: Path
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    write_tar(source / "a.tar", {"0.png": ASTRONAUT, "1.png": CAT})
    write_parquet(source / "b.parquet", [{"bytes": CURIES, "path": None}])
    boxes = tmp_path / "boxes.jsonl"
    assert faceanon("detect", source, "-o", boxes).returncode == 0
    records = {line["picture"]: line for line in lines(boxes)}
    assert set(records) == {"a.tar/0.png", "a.tar/1.png", "b.parquet/0/image"}
    # Somebody drops her face and forgets the cat.
    for face in records["a.tar/0.png"]["faces"]:
        face["hide"] = False
    del records["a.tar/1.png"]
    boxes.write_text("".join(json.dumps(line) + "\n" for line in records.values()))
    out = tmp_path / "out"
    done = faceanon("blackbar", source, out, "--boxes", boxes)
    assert done.returncode == 1
    assert "a.tar/1.png: this picture is not in the box file" in done.stderr
    after = read_tar(out / "a.tar")
    assert list(after) == ["0.png"]
    assert (decoded(after["0.png"]) == decoded(ASTRONAUT)).all()
    (cell,) = cells(out / "b.parquet")
    assert isinstance(cell, dict)
    assert cell["bytes"] != CURIES
    seen = faceanon("preview", source / "a.tar", tmp_path / "seen.tar")
    assert seen.returncode == 0
    assert set(read_tar(tmp_path / "seen.tar")) == {"0.png", "1.png"}
