"""What a folder of outputs holds, and how outputs are put there.

A small SQLite file in OUTPUT remembers, for each finished picture, from which input and
with which settings it was made. It holds digests, not names. Holding it open keeps a
second run out of the same folder.

A shard has a file of its own and shares the other with its like: any number of shards
can be at work, or one run over everything, which then takes in what shards have left.
"""

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from hashlib import blake2b
from os.path import lexists
from pathlib import Path
from typing import Any

from faceanon.batch.ledgers import STATE_FILE, Standing, made_by
from faceanon.batch.planning.shards import Shard
from faceanon.errors import FaceanonError, PictureError, StorageError
from faceanon.pipeline.job import Job, Outcome
from faceanon.storage.files import refusal, source_stamp
from faceanon.storage.names import digest, shown
from faceanon.storage.places import Stamp
from faceanon.storage.renaming import Renaming

_SCHEMA = """
CREATE TABLE IF NOT EXISTS finished (
    picture BLOB PRIMARY KEY,   -- digest of the path below INPUT
    settings BLOB NOT NULL,     -- digest of the settings and boxes
    source_size INTEGER NOT NULL,
    source_mtime_ns INTEGER NOT NULL,
    target_size INTEGER,        -- NULL: finished, with nothing to write
    target_mtime_ns INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbered (
    picture BLOB PRIMARY KEY,
    shard TEXT NOT NULL,        -- which counted; empty for the run over everything
    number INTEGER NOT NULL     -- in the name of the output
) WITHOUT ROWID
"""
_TABLES = ("finished", "numbered")

_LOOK_UP = (
    "SELECT settings, source_size, source_mtime_ns, target_size, target_mtime_ns "
    "FROM finished WHERE picture = ?"
)

# Seconds that shards which start at the same moment wait for each other.
_PATIENCE = 30.0


class FolderLedger:
    """The memory of a folder of outputs; see `Ledger`. A context manager.

    Args:
        folder: the folder of outputs; made when it does not exist.
        settings: the fingerprint of the settings of this run.
        overwrite: whether what is there may be replaced.
        renaming: what makes the names of outputs. Where these tell nothing, the digests
            of names tell nothing either.
        shard: the part of a run that is split among machines; None for all of it.

    Raises:
        StorageError: the folder cannot be written to.
        FaceanonError: another run writes into the folder.
    """

    def __init__(
        self,
        folder: Path,
        settings: bytes,
        *,
        overwrite: bool = False,
        renaming: Renaming | None = None,
        shard: Shard | None = None,
    ) -> None:
        self._settings = settings
        self._single = SingleLedger(overwrite)
        self._overwrite = overwrite
        self._digest = renaming.digest if renaming else digest
        self._folder = folder
        self._label = shard.label if shard else ""
        self._shared: sqlite3.Connection | None = None
        self._last_number: int | None = None
        name = STATE_FILE if shard is None else f".faceanon-{shard.label}.db"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._shard_files = tuple(folder.glob(".faceanon-*of*.db"))
            for each in {name, STATE_FILE}:
                # SQLite would ask for narrower permissions than the folder may give.
                with suppress(FileExistsError):
                    (folder / each).touch(exist_ok=False)
            self._database = _connected(folder / name)
            if shard is not None:
                self._shared = _connected(folder / STATE_FILE, timeout=_PATIENCE)
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise StorageError(f"cannot write to {shown(folder)}: {reason}") from error
        try:
            # Held until the connection ends, also when the process is killed.
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            # A killed process loses nothing by this; only a power failure could.
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.executescript(f"BEGIN EXCLUSIVE; {_SCHEMA}; COMMIT")
            if self._shared is None:
                self._take_in_shards()
            else:
                _hold_shared(self._shared)
        except sqlite3.Error as error:
            self.close()
            raise self._explained(error) from error

    def _take_in_shards(self) -> None:
        """Make what shards have left part of this file."""
        for path in self._shard_files:
            self._database.execute("ATTACH ? AS shard", (str(path),))
            for table in _TABLES:
                self._database.execute(
                    f"INSERT OR REPLACE INTO {table} SELECT * FROM shard.{table}"
                )
            self._database.execute("DETACH shard")
            path.unlink()

    def close(self) -> None:
        """Let others use the folder."""
        self._database.close()
        if self._shared is not None:
            self._shared.close()

    def __enter__(self) -> "FolderLedger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def standing(self, job: Job) -> Standing:
        """See `Ledger`."""
        if self._overwrite or job.target is None:
            return self._single.standing(job)
        made = made_by(self._settings, job)
        if self._is_there(job, made):
            return Standing.FINISHED
        if job.is_dataset and self._is_there(job, _partly(made)):
            return Standing.PARTIAL
        return self._single.standing(job)

    def publish(self, outcome: Outcome) -> Outcome:
        """See `Ledger`."""
        job = outcome.job
        if job.resumes and isinstance(job.target, Path):
            made = _partly(made_by(self._settings, job))
            if self._is_there(job, made):
                # Should the run be killed just now, the next one does all of it anew.
                try:
                    job.target.unlink()
                except OSError as error:
                    raise PictureError(unwritable(job.target, error)) from error
        # Noted first: where an output is there and not noted, nobody knows whose it is.
        return self._single.publish(outcome, before=self._remember)

    def _is_there(self, job: Job, wanted: bytes) -> bool:
        for row in self._rows(job):
            if row[0] != wanted or job.source is None:
                continue
            if source_stamp(job.source) != Stamp(row[1], row[2]):
                continue
            target = None if row[3] is None else Stamp(row[3], row[4])
            if not isinstance(job.target, Path) or _stamp(job.target) == target:
                return True
        return False

    def _rows(self, job: Job) -> Iterator[tuple[Any, ...]]:
        """What is known of a picture, from here and, for a shard, from elsewhere."""
        picture = (self._digest(job.name),)
        yield from self._database.execute(_LOOK_UP, picture)
        if self._shared is None:
            return
        yield from self._shared.execute(_LOOK_UP, picture)
        # An output of nobody that is known yet: there was another number of shards.
        if isinstance(job.target, Path) and job.target.exists():
            for path in self._shard_files:
                with suppress(sqlite3.Error), closing(_connected(path)) as other:
                    yield from other.execute(_LOOK_UP, picture)

    def number(self, name: str) -> tuple[str, int]:
        """The number of a picture: the one that it had before, or the next.

        It is noted at once, and no other picture ever gets it.

        Args:
            name: the picture's path below INPUT.

        Returns:
            The label of the shard that counted, empty for a run over everything; and
            the number.

        Raises:
            StorageError: there is no room to note it.
        """
        picture = self._digest(name)
        look_up = "SELECT shard, number FROM numbered WHERE picture = ?"
        for database in filter(None, (self._database, self._shared)):
            known: tuple[str, int] | None
            known = database.execute(look_up, (picture,)).fetchone()
            if known is not None:
                return known
        if self._last_number is None:
            last = "SELECT max(number) FROM numbered WHERE shard = ?"
            found = self._database.execute(last, (self._label,)).fetchone()
            self._last_number = found[0] or 0
        self._last_number += 1
        try:
            self._database.execute(
                "INSERT INTO numbered VALUES (?, ?, ?)",
                (picture, self._label, self._last_number),
            )
        except sqlite3.Error as error:
            raise self._explained(error) from error
        return self._label, self._last_number

    def _remember(self, outcome: Outcome) -> None:
        """Note that a job is finished; to be called just before its output appears.

        Should the process be killed in between, the output is missing and the job is
        done again.

        Raises:
            StorageError: the disk is full, or the like.
        """
        if outcome.source_stamp is None:
            return
        target = outcome.target_stamp
        made = made_by(self._settings, outcome.job)
        try:
            self._database.execute(
                "INSERT OR REPLACE INTO finished VALUES (?, ?, ?, ?, ?, ?)",
                (
                    self._digest(outcome.job.name),
                    made if outcome.is_complete else _partly(made),
                    outcome.source_stamp.size,
                    outcome.source_stamp.mtime_ns,
                    target.size if target else None,
                    target.mtime_ns if target else None,
                ),
            )
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> FaceanonError:
        path = self._folder / STATE_FILE
        match error.sqlite_errorcode & 0xFF:  # the primary code
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return FaceanonError(
                    f"another run writes into {shown(self._folder)}; "
                    "wait for it, or name another folder"
                )
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                return FaceanonError(
                    f"{shown(path)} is damaged; remove it, and the run goes on "
                    "with --overwrite"
                )
            case _:
                return StorageError(f"cannot write to {shown(path)}: {error}")


def _partly(made: bytes) -> bytes:
    """What is noted for a job of which pictures have failed, instead of `made_by`."""
    return blake2b(made, person=b"begun", digest_size=16).digest()


class SingleLedger:
    """Puts outputs in their places and remembers nothing; see `Ledger`.

    Args:
        overwrite: whether what is there may be replaced.
    """

    def __init__(self, overwrite: bool) -> None:
        self._overwrite = overwrite

    def standing(self, job: Job) -> Standing:
        """See `Ledger`."""
        target = job.target
        if not isinstance(target, Path):
            return Standing.ABSENT
        try:
            mode = target.lstat().st_mode
            if stat.S_ISLNK(mode) and target.exists() and not target.is_file():
                mode = target.stat().st_mode
        except FileNotFoundError:
            return Standing.ABSENT
        except OSError as error:
            raise PictureError(unwritable(target, error)) from error
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise PictureError(
                f"{shown(target)} is a folder or device; name another output"
            )
        if not self._overwrite:
            raise PictureError(refusal(target))
        return Standing.ABSENT

    def publish(
        self, outcome: Outcome, before: Callable[[Outcome], None] = lambda _: None
    ) -> Outcome:
        """See `Ledger`.

        Args:
            outcome: of a job that has not failed.
            before: called just before the output appears.

        Raises:
            StorageError: nothing more can be written there.
            PictureError: this output cannot be written.
        """
        target, temporary = outcome.job.target, outcome.job.temporary
        if outcome.target_stamp is None or temporary is None:
            before(outcome)
            return outcome
        assert isinstance(target, Path), "buckets have a ledger of their own"
        if not self._overwrite and lexists(target):
            # Somebody made it since it was planned.
            raise PictureError(refusal(target))
        before(outcome)
        try:
            temporary.replace(target)
        except OSError as error:
            raise PictureError(unwritable(target, error)) from error
        return outcome


def unwritable(path: Path, error: OSError | RuntimeError) -> str:
    """Why an output cannot be written."""
    return f"cannot write to {shown(path)}: {getattr(error, 'strerror', error)}"


def _connected(path: Path, timeout: float = 0) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=timeout, isolation_level=None)


def _hold_shared(database: sqlite3.Connection) -> None:
    """Keep out those who want a file for themselves, until the connection ends."""
    tables = f"SELECT 1 FROM sqlite_master WHERE name = '{_TABLES[-1]}'"
    if database.execute(tables).fetchone() is None:
        database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA}; COMMIT")
    database.execute("BEGIN")
    database.execute(tables).fetchone()


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns)
