"""Reading tar files from beginning to end, and refusing those that are not whole.

Python's own module takes a damaged header for the end of the file, and a file that was
cut off between two members for a whole one. Neither may pass here.
"""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PureWindowsPath
from typing import Any, BinaryIO, ClassVar, Self

from faceanon.errors import PictureError
from faceanon.storage.names import shown

_GZIP = b"\x1f\x8b"
_CHUNK = 2**20

# What goes on as the name or the attributes of a member is read at once, and all that
# stands before a member is kept until it comes; what is said of all members stays.
_MORE_HEADER = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE),
    *(tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)
_LARGEST_HEADERS = 2**20

# So many bytes each of them counts more than it has: only some are ever in a row.
_HEADER_COST = 2**14


class TarReader:
    """The members of a tar file, one after the other.

    Whoever reads what a member holds is to do it within `reading`.

    Args:
        file: the file, plain or compressed with gzip.

    Raises:
        PictureError: it is no tar file.
    """

    def __init__(self, file: BinaryIO) -> None:
        with reading():
            self.is_compressed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            stream = gzip.GzipFile(fileobj=file) if self.is_compressed else file
            self._tar = tarfile.open(fileobj=stream, mode="r|", tarinfo=_headers())  # noqa: SIM115  ends with its file

    @property
    def shared_headers(self) -> dict[str, str]:
        """What the file says of all of its members."""
        return dict(self._tar.pax_headers)

    def members(self) -> Iterator[tarfile.TarInfo]:
        """The members; of each, `opened` gives what it holds.

        Raises:
            PictureError: it is damaged, or holds what cannot be kept.
        """
        names: set[str] = set()
        while (member := self._next()) is not None:
            _check(member)
            if member.isreg():
                if member.name in names:
                    raise PictureError(f"it holds {shown(member.name)} twice")
                names.add(member.name)
            yield member
        with reading():
            self._check_rest()

    def _next(self) -> tarfile.TarInfo | None:
        with reading():
            member = self._tar.next()
        # It would remember all of them.
        self._tar.members.clear()  # type: ignore[attr-defined]  # not in its stubs
        return member

    def _check_rest(self) -> None:
        stream: Any = self._tar.fileobj
        while chunk := stream.read(_CHUNK):
            if chunk.strip(b"\0"):
                raise PictureError("it goes on after its end; pack its files anew")

    def opened(self, member: tarfile.TarInfo) -> io.BufferedReader:
        """What a regular member holds; to be read before the next is taken."""
        file = self._tar.extractfile(member)
        assert isinstance(file, io.BufferedReader), "neither a link nor a folder"
        return file


class _Room:
    """How many bytes headers may still take."""

    def __init__(self) -> None:
        self._shared = self._own = _LARGEST_HEADERS

    def take(self, header: tarfile.TarInfo) -> None:
        """Make room for a header.

        Raises:
            ReadError: there is none left.
        """
        size = header.size + _HEADER_COST
        self._own -= size
        if header.type == tarfile.XGLTYPE:
            self._shared -= size
        if min(self._own, self._shared) < 0:
            raise tarfile.ReadError("its headers are too large, or too many")

    def renew(self) -> None:
        """A member has come; headers of others may follow."""
        self._own = _LARGEST_HEADERS


class _Header(tarfile.TarInfo):
    """A header that is not taken for the end when it is damaged or missing."""

    room: ClassVar[_Room]

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """The header that a block holds.

        Raises:
            ReadError: it holds none, or one that goes on for too long.
            PictureError: it is of a file with holes, a list of any length.
            HeaderError: it is the empty block with which a tar file ends.
        """
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(str(error)) from error
        if header.type in _MORE_HEADER:
            cls.room.take(header)
        elif header.type == tarfile.GNUTYPE_SPARSE:
            raise _not_regular(header)
        else:
            cls.room.renew()
        return header

    def _proc_gnusparse_10(self, following: tarfile.TarInfo, *_: object) -> None:
        """What the base class calls to read the other kind of such a list.

        Raises:
            PictureError: always.
        """
        raise _not_regular(following)


def _headers() -> type[_Header]:
    """The headers of one file."""
    return type("_Header", (_Header,), {"room": _Room()})


@contextmanager
def reading() -> Iterator[None]:
    """Explain errors of reading a tar file.

    Raises:
        PictureError: for each of them.
    """
    try:
        yield
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise PictureError(f"it is damaged, or no tar file: {error}") from error


def _check(member: tarfile.TarInfo) -> None:
    """Refuse what would be written elsewhere, or has no content of its own."""
    path = PureWindowsPath(member.name)
    if path.anchor or ".." in path.parts:
        raise PictureError(
            f"it holds {shown(member.name)}, which leads out of its folder"
        )
    if not (member.isdir() or member.isreg()) or member.issparse():
        raise _not_regular(member)


def _not_regular(member: tarfile.TarInfo) -> PictureError:
    return PictureError(
        f"it holds {shown(member.name)}, which is no regular file but a link, a device "
        "or the like"
    )
