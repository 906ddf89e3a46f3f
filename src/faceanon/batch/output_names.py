"""Which names of outputs are taken, so that two pictures never become one."""

import sqlite3

from faceanon.errors import StorageError
from faceanon.storage.names import digest, folded


class OutputNames:
    """The names of outputs that pictures of this run have taken."""

    def __init__(self) -> None:
        # A file without a name, which goes with the connection: a million outputs need
        # no memory.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(
            "CREATE TABLE reserved (output BLOB PRIMARY KEY) WITHOUT ROWID"
        )

    def close(self) -> None:
        """Forget them."""
        self._database.close()

    def reserve(self, target: object) -> bool:
        """Take a name for one picture; whether no other of this run has it.

        Names that some file systems take for the same, as they differ only in case or
        in how accents are written, are the same here, wherever OUTPUT lies.

        Raises:
            StorageError: there is no room to note it.
        """
        return self.add(folded(str(target)))

    def add(self, text: str) -> bool:
        """Add a text, exactly as it is; whether it was not there.

        Raises:
            StorageError: there is no room to note it.
        """
        try:
            taken = self._database.execute(
                "INSERT OR IGNORE INTO reserved VALUES (?)", (digest(text),)
            )
        except sqlite3.Error as error:
            raise StorageError(f"no room for temporary files: {error}") from error
        return taken.rowcount == 1
