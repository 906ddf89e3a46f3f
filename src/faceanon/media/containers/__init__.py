"""The parts that files are made of, one walk a kind; imports no other room."""

import io
from typing import BinaryIO, TypeAlias, overload


class FileView:
    """A file as if it were bytes, of which no more is read than is asked for.

    Args:
        file: can be sought in; others may read it between two accesses.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._size = file.seek(0, io.SEEK_END)

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> bytes: ...

    def __getitem__(self, place: int | slice) -> int | bytes:
        if isinstance(place, int):
            if not -self._size <= place < self._size:
                raise IndexError("it ends before that")
            self.file.seek(place % self._size)
            return self.file.read(1)[0]
        start, stop, step = place.indices(self._size)
        assert step == 1, "only whole parts are read"
        if stop <= start:
            return b""
        self.file.seek(start)
        return self.file.read(stop - start)


Readable: TypeAlias = bytes | FileView
"""A file, whole in memory or on its disk."""


def as_file(data: Readable) -> BinaryIO:
    """The same from its first byte on, for libraries that want files."""
    if isinstance(data, bytes):
        return io.BytesIO(data)
    data.file.seek(0)
    return data.file
