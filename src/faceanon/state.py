"""What a folder of outputs already holds, so that a run can go on where one ended.

A small SQLite file in OUTPUT remembers, for each finished picture, from which input and
with which settings it was made. It holds digests, not names. Holding it open keeps a
second run out of the same folder.
"""

import os
import sqlite3
import unicodedata
from hashlib import blake2b
from pathlib import Path

from faceanon import boxes
from faceanon.errors import FaceanonError, StorageError
from faceanon.jobs import Job, Outcome, Stamp
from faceanon.names import shown
from faceanon.renaming import Renaming

STATE_FILE = ".faceanon.db"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS finished (
    picture BLOB PRIMARY KEY,   -- digest of the path below INPUT
    settings BLOB NOT NULL,     -- digest of the settings and boxes
    source_size INTEGER NOT NULL,
    source_mtime_ns INTEGER NOT NULL,
    target_size INTEGER,        -- NULL: finished, with nothing to write
    target_mtime_ns INTEGER
) WITHOUT ROWID
"""

# Of this run only, and on disk: a million outputs need no memory.
_CLAIMS = "CREATE TEMP TABLE claimed (output BLOB PRIMARY KEY) WITHOUT ROWID"


class State:
    """The memory of a folder of outputs; a context manager.

    Args:
        folder: the folder of outputs; made when it does not exist.
        settings: the fingerprint of the settings of this run.
        renaming: what makes the names of outputs. Where these tell nothing, the digests
            of names tell nothing either.

    Raises:
        StorageError: the folder cannot be written to.
        FaceanonError: another run writes into the folder.
    """

    def __init__(
        self, folder: Path, settings: bytes, renaming: Renaming | None = None
    ) -> None:
        self._settings = settings
        self._digest = renaming.digest if renaming else _digest
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                folder / STATE_FILE, timeout=0, isolation_level=None
            )
        except (OSError, sqlite3.Error) as error:
            reason = getattr(error, "strerror", None) or error
            raise StorageError(f"cannot write to {shown(folder)}: {reason}") from error
        try:
            # Held until the connection ends, also when the process is killed.
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            # A killed process loses nothing by this; only a power failure could.
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute("BEGIN EXCLUSIVE")
            self._database.execute(_SCHEMA)
            self._database.execute("COMMIT")
            self._database.execute(_CLAIMS)
        except sqlite3.Error as error:
            self._database.close()
            raise self._explained(error) from error

    def __enter__(self) -> "State":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def claim(self, target: Path) -> bool:
        """Take an output for one picture; whether no other of this run has it.

        Names that some file systems take for the same, as they differ only in case or
        in how accents are written, are the same here, wherever OUTPUT lies.

        Raises:
            StorageError: there is no room to note it.
        """
        name = unicodedata.normalize("NFC", str(target)).casefold()
        try:
            taken = self._database.execute(
                "INSERT OR IGNORE INTO claimed VALUES (?)", (_digest(name),)
            )
        except sqlite3.Error as error:
            raise self._explained(error) from error
        return taken.rowcount == 1

    def is_finished(self, job: Job) -> bool:
        """Whether this job's output is there already, from this input and settings."""
        row = self._database.execute(
            "SELECT settings, source_size, source_mtime_ns, target_size, "
            "target_mtime_ns FROM finished WHERE picture = ?",
            (self._digest(job.name),),
        ).fetchone()
        if row is None or row[0] != self._made_by(job) or job.source is None:
            return False
        if _stamp(job.source) != Stamp(row[1], row[2]):
            return False
        target = None if row[3] is None else Stamp(row[3], row[4])
        return job.target is None or _stamp(job.target) == target

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
        try:
            self._database.execute(
                "INSERT OR REPLACE INTO finished VALUES (?, ?, ?, ?, ?, ?)",
                (
                    self._digest(outcome.job.name),
                    self._made_by(outcome.job),
                    outcome.source_stamp.size,
                    outcome.source_stamp.mtime_ns,
                    target.size if target else None,
                    target.mtime_ns if target else None,
                ),
            )
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _made_by(self, job: Job) -> bytes:
        """A digest of all that decides on a job's output, besides its input."""
        if job.record is None:
            return self._settings
        line = boxes.to_line(job.record).encode()
        return blake2b(self._settings + line, digest_size=16).digest()

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


def _digest(name: str) -> bytes:
    return blake2b(os.fsencode(name), digest_size=16).digest()


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return Stamp(status.st_size, status.st_mtime_ns)
