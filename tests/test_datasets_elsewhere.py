"""Dataset files in buckets, and on a Ray cluster."""

from pathlib import Path

import pytest

from conftest import Run
from dataset_files import (
    BROKEN,
    CAT,
    read_tar,
    samples,
    unpacked,
    write_small_tars,
    write_tar,
)
from s3 import Bucket
from support import EXAMPLES, lines

pa = pytest.importorskip("pyarrow", reason="needs the extra 'parquet'")
pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra 'parquet'")


@pytest.fixture
def shards(bucket: Bucket, tmp_path: Path) -> str:
    """Two tar files in a bucket; in the second a picture is broken."""
    good = write_tar(tmp_path / "good.tar", samples())
    bad = write_tar(
        tmp_path / "bad.tar", {"0.png": CAT, "1.jpg": BROKEN, "1.cls": b"1"}
    )
    bucket.put("in/00.tar", good.read_bytes())
    bucket.put("in/01.tar", bad.read_bytes())
    return f"{bucket.url}/in/{{00..02}}.tar"


def test_dataset_files_go_from_bucket_to_bucket(
    faceanon: Run,
    bucket: Bucket,
    shards: str,
    tmp_path: Path,
) -> None:
    command = ("blackbar", shards, f"{bucket.url}/out/", "-j", 2)
    done = faceanon(*command)
    assert done.returncode == 1
    assert "in/01.tar/1.jpg: " in done.stderr
    assert "in/02.tar: " in done.stderr
    assert "does not exist" in done.stderr
    first = {name: unpacked(data) for name, data in bucket.below("out/").items()}
    assert set(first) == {"00.tar", "01.tar"}
    assert list(first["00.tar"]) == list(samples())
    assert list(first["01.tar"]) == ["0.png", "1.cls"]
    faceanon("blackbar", tmp_path / "good.tar", tmp_path / "here.tar")
    assert first["00.tar"] == read_tar(tmp_path / "here.tar")
    # What failed is tried again, in the output that is there, and nothing else.
    report = tmp_path / "report.jsonl"
    again = faceanon(*command, "--report", report)
    assert again.returncode == 1
    assert sorted(line["status"] for line in lines(report)) == [
        *("failed", "failed", "skipped", "skipped"),
    ]
    later = {name: unpacked(data) for name, data in bucket.below("out/").items()}
    assert later == first
    # An output that somebody else made stays.
    bucket.put("out/01.tar", b"not ours")
    refused = faceanon(*command)
    assert "exists already, and is not known to be of this input" in refused.stderr
    assert bucket.get("out/01.tar") == b"not ours"


def test_parquet_is_read_from_a_bucket(
    faceanon: Run,
    bucket: Bucket,
    tmp_path: Path,
) -> None:
    pictures = [(EXAMPLES / name).read_bytes() for name in ("astronaut.png", "cat.png")]
    table = pa.table({"image": pa.array([{"bytes": data} for data in pictures])})
    pq.write_table(table, tmp_path / "a.parquet")
    bucket.put("in/a.parquet", (tmp_path / "a.parquet").read_bytes())
    out = tmp_path / "out"
    done = faceanon("blackbar", f"{bucket.url}/in/", out)
    assert done.returncode == 0, done.stderr
    assert "1 anonymized" in done.stderr
    assert pq.read_table(out / "a.parquet").schema.equals(table.schema)


def test_a_picture_that_kills_costs_itself_on_a_cluster(
    faulty: Run, tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="needs the extra 'ray'")
    source, out = tmp_path / "in", tmp_path / "out"
    write_small_tars(source, "abc", range(90, 96))
    done = faulty(
        *("faulty", source, out, "--fault", "kill", "--width", 94),
        *("--engine", "ray", "-j", 2, "--report", tmp_path / "r.jsonl"),
    )
    assert done.returncode == 1
    said = {line.partition(": ")[0] for line in done.stderr.splitlines()[:-1]}
    assert said == {f"{source}/{name}.tar/94.jpg" for name in "abc"}
    assert len(lines(tmp_path / "r.jsonl")) == 18
    for name in "abc":
        assert len(read_tar(out / f"{name}.tar")) == 5
