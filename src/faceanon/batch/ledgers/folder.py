"""What a folder of outputs holds, and how outputs are put there.

A small SQLite file in OUTPUT remembers, for each finished picture, from which input and
with which settings it was made. It holds digests under a key that lies elsewhere, no
names, sizes or times: who is handed OUTPUT learns nothing of the inputs by it. Holding
it open keeps a second run out of the same folder.

A shard has a file of its own and shares the other with its like: any number of shards
can be at work, or one run over everything, which then takes in what shards have left.
"""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from hashlib import blake2b
from os.path import lexists
from pathlib import Path

from faceanon.batch.ledgers import ABSENT, Standing, State, made_by
from faceanon.batch.planning.shards import Shard
from faceanon.batch.wording import counted
from faceanon.errors import (
    FaceanonError,
    PictureError,
    StorageError,
    UnavailableError,
)
from faceanon.pipeline.counts import Counts
from faceanon.pipeline.job import Job, Outcome
from faceanon.storage.files import refusal, source_stamp
from faceanon.storage.names import STATE_FILE, shown
from faceanon.storage.places import Stamp
from faceanon.storage.state import keyed

# Raised when the tables change.
_VERSION = 1

_SCHEMA = f"""
PRAGMA user_version = {_VERSION};
CREATE TABLE IF NOT EXISTS salt (bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keys (known BLOB PRIMARY KEY) WITHOUT ROWID; -- digests
CREATE TABLE IF NOT EXISTS runs (   -- those alike are one
    run INTEGER PRIMARY KEY,        -- digest of the rest
    input BLOB NOT NULL,            -- digest of INPUT
    settings BLOB NOT NULL,         -- digest of the settings
    described TEXT NOT NULL,        -- method and options, for people
    made_with TEXT NOT NULL         -- faceanon, and a plug-in, with their versions
);
CREATE TABLE IF NOT EXISTS finished (
    picture BLOB PRIMARY KEY,   -- digest of the path below INPUT
    made BLOB NOT NULL,         -- digest of input, settings, boxes and output
    run INTEGER NOT NULL,
    counts TEXT NOT NULL        -- its outcome
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbered (
    picture BLOB PRIMARY KEY,
    shard TEXT NOT NULL,        -- which counted; empty for the run over everything
    number INTEGER NOT NULL     -- in the name of the output
) WITHOUT ROWID;
INSERT INTO salt SELECT randomblob(32) WHERE NOT EXISTS (SELECT 1 FROM salt);
"""
_TABLES = ("keys", "runs", "finished", "numbered")

_LOOK_UP = "SELECT made, run, counts FROM finished WHERE picture = ?"

# Seconds that shards which start at the same moment wait for each other.
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class RunId:
    """What a folder of outputs remembers of a run.

    Attributes:
        key: what only this user has; see `state_key`.
        input: INPUT, by which it is known again.
        settings: the fingerprint of the settings.
        described: the method and its options, as on the command line.
        made_with: faceanon, and a plug-in, with their versions.
    """

    key: bytes
    input: str
    settings: bytes
    described: str
    made_with: str


class FolderLedger:
    """The memory of a folder of outputs; see `Ledger`. A context manager.

    Args:
        folder: the folder of outputs; made when it does not exist.
        run: what is to be remembered of the run.
        overwrite: whether what is there may be replaced.
        redo_older: whether outputs of other versions are made anew.
        is_partial: whether only some pictures of INPUT are taken, which may be made
            with other settings than the rest.
        shard: the part of a run that is split among machines; None for all of it.

    Raises:
        StorageError: the folder cannot be written to.
        FaceanonError: another run writes into the folder, or an earlier one did with
            other settings.
    """

    def __init__(
        self,
        folder: Path,
        run: RunId,
        *,
        overwrite: bool = False,
        redo_older: bool = False,
        is_partial: bool = False,
        shard: Shard | None = None,
    ) -> None:
        self._run = run
        self._single = SingleLedger(overwrite, remembers=True)
        self._overwrite = overwrite
        self._redo_older = redo_older
        self._folder = folder
        self._label = shard.label if shard else ""
        self._shared: sqlite3.Connection | None = None
        self._last_number: int | None = None
        self._path = folder / (
            STATE_FILE if shard is None else f".faceanon-{shard.label}.db"
        )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._shard_files = tuple(folder.glob(".faceanon-*of*.db"))
            for each in {self._path, folder / STATE_FILE}:
                # SQLite would ask for narrower permissions than the folder may give.
                with suppress(FileExistsError):
                    each.touch(exist_ok=False)
            self._database = _connected(self._path)
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
            self._make_tables(self._database, "EXCLUSIVE")
            if self._shared is None:
                self._take_in_shards()
            else:
                self._hold_shared(self._shared)
            self._start(is_partial or overwrite)
        except sqlite3.Error as error:
            self.close()
            raise self._explained(error) from error
        except BaseException:
            self.close()
            raise

    def _make_tables(self, database: sqlite3.Connection, how: str) -> None:
        """Make the tables where there are none yet.

        Raises:
            FaceanonError: there are tables of another version.
        """
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and version != _VERSION:
            path = self._folder / STATE_FILE
            raise FaceanonError(
                f"{shown(path)} was written by another version of faceanon; choose "
                "another OUTPUT, or remove that file and give --overwrite"
            )
        database.executescript(f"BEGIN {how}; {_SCHEMA}; COMMIT")

    def _hold_shared(self, database: sqlite3.Connection) -> None:
        """Keep out those who want a file for themselves, until the connection ends."""
        if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            self._make_tables(database, "IMMEDIATE")
        database.execute("BEGIN")
        database.execute("SELECT 1 FROM salt").fetchone()

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

    def _start(self, may_differ: bool) -> None:
        """Note the run; look what there is of others.

        Raises:
            FaceanonError: there are outputs of the same INPUT with other settings.
        """
        (salt,) = (
            (self._shared or self._database)
            .execute("SELECT bytes FROM salt")
            .fetchone()
        )
        # Of two folders nobody can see whether they have inputs in common.
        self._key = keyed(self._run.key, b"folder", salt)
        keys = {known for (known,) in self._database.execute("SELECT * FROM keys")}
        own = self._digest(b"key")
        self.is_of_others = bool(keys) and own not in keys
        """Whether all outputs so far were made with other keys."""
        self._database.execute("INSERT OR IGNORE INTO keys VALUES (?)", (own,))
        input_ = self._digest(b"input", os.fsencode(self._run.input))
        settings = self._digest(b"settings", self._run.settings)
        described = self._run.described, self._run.made_with
        whole = self._digest(b"run", input_, settings, *map(str.encode, described))
        self._id = int.from_bytes(whole[:8], "little", signed=True)
        most = (
            "SELECT {0}, count(*) FROM finished JOIN runs USING (run) "
            "WHERE input = ? AND {1} GROUP BY {0} ORDER BY 2 DESC LIMIT 1"
        )
        others = self._database.execute(
            most.format("described", "settings != ?"), (input_, settings)
        ).fetchone()
        if others and not may_differ:
            raise FaceanonError(
                f"{shown(self._folder)} holds {counted(others[1], 'picture')} made "
                f"with {others[0]}; choose another OUTPUT, or --overwrite"
            )
        self.older: tuple[str, int] | None = self._database.execute(
            most.format("made_with", "settings = ? AND made_with != ?"),
            (input_, settings, self._run.made_with),
        ).fetchone()
        """With what most of the older outputs were made, and how many."""
        self._database.execute(
            "INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?, ?)",
            (self._id, input_, settings, *described),
        )
        # By these the file is known again, should somebody replace it.
        status = self._path.stat()
        self._identity = status.st_dev, status.st_ino

    def _digest(self, purpose: bytes, *parts: bytes) -> bytes:
        return keyed(self._key, purpose, *parts)

    def _picture(self, name: str) -> tuple[bytes]:
        return (self._digest(b"picture", os.fsencode(name)),)

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
        made = made_by(self._run.settings, job)
        if (row := self._row(job, made)) is not None:
            is_older = self._redo_older and row.run != self._id
            state = State.OLDER if is_older else State.FINISHED
            return Standing(state, Counts.from_json(row.counts))
        if job.is_dataset and self._row(job, _partly(made)) is not None:
            return Standing(State.PARTIAL)
        return self._single.standing(job)

    def publish(self, outcome: Outcome) -> Outcome:
        """See `Ledger`.

        Raises:
            StorageError: OUTPUT is not the folder any more that it was.
        """
        self._check_there()
        job = outcome.job
        if (job.resumes or job.redoes) and isinstance(job.target, Path):
            made = made_by(self._run.settings, job)
            if self._row(job, _partly(made) if job.resumes else made) is not None:
                # Should the run be killed just now, the next one does all of it anew.
                try:
                    job.target.unlink(missing_ok=True)
                except OSError as error:
                    raise PictureError(unwritable(job.target, error)) from error
        # Noted first: where an output is there and not noted, nobody knows whose it is.
        return self._single.publish(outcome, before=self._remember)

    def _check_there(self) -> None:
        try:
            status = self._path.stat()
        except OSError:
            status = None
        if status is None or (status.st_dev, status.st_ino) != self._identity:
            raise StorageError(
                f"{shown(self._folder)}, or {self._path.name} in it, was removed, "
                "renamed or replaced while the run went on; what is done stays where "
                "it is now"
            )

    def _row(self, job: Job, made: bytes) -> "_Row | None":
        """What is known of an output that is there, and was made so; None if none."""
        source = source_stamp(job.source)
        if source is None:
            return None
        # None where an output is missing: it may be that there was to be none.
        target = _stamp(job.target) if isinstance(job.target, Path) else None
        wanted = self._made(made, source, target)
        rows = (_Row(*each) for each in self._rows(job))
        return next((row for row in rows if row.made == wanted), None)

    def _made(self, made: bytes, source: Stamp, target: Stamp | None) -> bytes:
        return self._digest(b"made", made, _bytes(source), _bytes(target))

    def _rows(self, job: Job) -> Iterator[tuple[bytes, int, str]]:
        """What is known of a picture, from here and, for a shard, from elsewhere."""
        picture = self._picture(job.name)
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
        picture = self._picture(name)
        look_up = "SELECT shard, number FROM numbered WHERE picture = ?"
        for database in filter(None, (self._database, self._shared)):
            known: tuple[str, int] | None
            known = database.execute(look_up, picture).fetchone()
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
                (*picture, self._label, self._last_number),
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
        made = made_by(self._run.settings, outcome.job)
        if not outcome.is_complete:
            made = _partly(made)
        made = self._made(made, outcome.source_stamp, outcome.target_stamp)
        try:
            self._database.execute(
                "INSERT OR REPLACE INTO finished VALUES (?, ?, ?, ?)",
                (
                    *self._picture(outcome.job.name),
                    made,
                    self._id,
                    Counts.of(outcome).to_json(),
                ),
            )
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> FaceanonError:
        path = self._folder / STATE_FILE
        match error.sqlite_errorcode & 0xFF:  # the primary code
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return UnavailableError(
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


@dataclass(frozen=True, slots=True)
class _Row:
    """What is noted of a finished picture; see `_SCHEMA`."""

    made: bytes
    run: int
    counts: str


def _partly(made: bytes) -> bytes:
    """What is noted for a job of which pictures have failed, instead of `made_by`."""
    return blake2b(made, person=b"begun", digest_size=16).digest()


def _bytes(stamp: Stamp | None) -> bytes:
    return b"" if stamp is None else b"%d %d" % (stamp.size, stamp.mtime_ns)


class SingleLedger:
    """Puts outputs in their places and remembers nothing; see `Ledger`.

    Args:
        overwrite: whether what is there may be replaced.
        remembers: whether somebody else does, and knows nothing of what is there.
    """

    def __init__(self, overwrite: bool, *, remembers: bool = False) -> None:
        self._overwrite = overwrite
        self._remembers = remembers

    def standing(self, job: Job) -> Standing:
        """See `Ledger`."""
        target = job.target
        if not isinstance(target, Path):
            return ABSENT
        try:
            mode = target.lstat().st_mode
            if stat.S_ISLNK(mode) and target.exists() and not target.is_file():
                mode = target.stat().st_mode
        except FileNotFoundError:
            return ABSENT
        except OSError as error:
            raise PictureError(unwritable(target, error)) from error
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise PictureError(
                f"{shown(target)} is a folder or device; name another output"
            )
        if not self._overwrite:
            raise PictureError(refusal(target, is_known=not self._remembers))
        return ABSENT

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
            raise PictureError(refusal(target, is_known=not self._remembers))
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


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns)
