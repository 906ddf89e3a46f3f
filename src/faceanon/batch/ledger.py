"""What a folder of outputs already holds, so that a run can go on where one ended.

A small SQLite file in OUTPUT remembers, for each finished picture, from which input and
with which settings it was made. It holds digests, not names. Holding it open keeps a
second run out of the same folder.

A shard has a file of its own and shares the other with its like: any number of shards
can be at work, or one run over everything, which then takes in what shards have left.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from faceanon import boxes
from faceanon.batch.planning.shards import Shard
from faceanon.errors import FaceanonError, StorageError
from faceanon.pipeline.job import Job, Outcome, Stamp
from faceanon.storage.files import source_stamp
from faceanon.storage.names import digest, shown
from faceanon.storage.renaming import Renaming

STATE_FILE = ".faceanon.db"

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


class State:
    """The memory of a folder of outputs; a context manager.

    Args:
        folder: the folder of outputs; made when it does not exist.
        settings: the fingerprint of the settings of this run.
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
        renaming: Renaming | None = None,
        shard: Shard | None = None,
    ) -> None:
        self._settings = settings
        self._digest = renaming.digest if renaming else digest
        self._folder = folder
        self._label = shard.label if shard else ""
        self._shared: sqlite3.Connection | None = None
        self._last_number: int | None = None
        name = STATE_FILE if shard is None else f".faceanon-{shard.label}.db"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._shard_files = tuple(folder.glob(".faceanon-*of*.db"))
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

    def __enter__(self) -> "State":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def is_finished(self, job: Job) -> bool:
        """Whether this job's output is there already, from this input and settings."""
        return self._is_there(job, made_by(self._settings, job))

    def is_begun(self, job: Job) -> bool:
        """Whether this job's output is there already, but pictures of it have failed.

        So it is with a dataset file, in which the next run does what is missing.
        """
        wanted = begun(made_by(self._settings, job))
        return job.is_dataset and self._is_there(job, wanted)

    def _is_there(self, job: Job, wanted: bytes) -> bool:
        for row in self._rows(job):
            if row[0] != wanted or job.source is None:
                continue
            if source_stamp(job) != Stamp(row[1], row[2]):
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

    def remember(self, outcome: Outcome) -> None:
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
                    made if outcome.is_complete else begun(made),
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


def made_by(settings: bytes, job: Job) -> bytes:
    """A digest of all that decides on a job's output, besides its input.

    Args:
        settings: the fingerprint of the settings.
        job: the job, with its record or records.
    """
    digest = settings
    for record in job.all_records:
        line = boxes.to_line(record).encode()
        digest = blake2b(digest + line, digest_size=16).digest()
    return digest


def begun(made: bytes) -> bytes:
    """What is noted for a job of which pictures have failed, instead of `made_by`."""
    return blake2b(made, person=b"begun", digest_size=16).digest()


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
