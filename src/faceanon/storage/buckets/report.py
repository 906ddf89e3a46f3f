"""A report in a bucket: written to a file of this machine, and added at the end.

Objects cannot be appended to. What is there is read, and put again with the new lines
behind, on the condition that nobody else has done so meanwhile.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from faceanon.errors import StorageError
from faceanon.storage.buckets.listing import listed_object
from faceanon.storage.buckets.objects import described, open_stream
from faceanon.storage.buckets.stores import BucketError, explained, store
from faceanon.storage.names import shown
from faceanon.storage.places import BucketObject

# So many other runs may add to the same report at the same moment.
_ATTEMPTS = 20


@contextmanager
def local_report(target: BucketObject) -> Iterator[Path]:
    """A file for lines that are added to an object in the end, however it comes.

    Raises:
        BucketError: at once: the bucket cannot be used.
        StorageError: at the end: the lines cannot be put there. The file stays.
    """
    described(target)
    with tempfile.NamedTemporaryFile(
        prefix="faceanon-report-", suffix=".jsonl", delete=False
    ) as file:
        path = Path(file.name)
    try:
        yield path
    finally:
        if path.stat().st_size:
            try:
                _add(target, path)
            except BucketError as error:
                raise StorageError(
                    f"the report is in {shown(path)}; it could not be put to "
                    f"{shown(target)}: {error}"
                ) from error
        path.unlink()


def _add(target: BucketObject, lines: Path) -> None:
    """Put lines behind what an object holds.

    Raises:
        BucketError: it cannot be done.
    """
    for attempt in range(_ATTEMPTS):
        with tempfile.TemporaryFile() as whole:
            mode = _copied(target, whole)
            with lines.open("rb") as file:
                shutil.copyfileobj(file, whole)
            whole.seek(0)
            try:
                with explained(target):
                    store(target.bucket).put(
                        target.key,
                        whole,
                        mode=mode,
                        # What is sent in parts is not put on conditions.
                        use_multipart=False,
                        attributes={"Content-Type": "application/jsonl"},
                    )
                return
            except BucketError as error:
                is_last = attempt == _ATTEMPTS - 1
                if error.what not in ("exists", "changed", "missing") or is_last:
                    raise


def _copied(target: BucketObject, whole: BinaryIO) -> Any:
    """Copy what an object holds; on what condition it may be put anew."""
    try:
        with explained(target):
            meta = store(target.bucket).head(target.key)
    except BucketError as error:
        if error.what == "missing":
            return "create"
        raise
    with closing(open_stream(listed_object(target.bucket, meta))) as stream:
        shutil.copyfileobj(stream, whole)
    # Some providers go by the tag, others by the version.
    return {key: meta[key] for key in ("e_tag", "version") if meta[key]}
