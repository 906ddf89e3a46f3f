"""WebDataset tar files, plain or compressed with gzip, read and written as streams.

Order, names, times, modes and owners of members stay, and so does every member that is
no picture.
"""

import copy
import gzip
import io
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO

from faceanon.batch.datasets.magic import HEAD, may_show_faces
from faceanon.batch.datasets.pictures import LARGEST, Picture, Pictures
from faceanon.batch.datasets.tar_reading import TarReader, reading
from faceanon.storage.names import shown
from faceanon.storage.suffixes import (
    AMBIGUOUS_SUFFIXES,
    FILM_SUFFIXES,
    PICTURE_SUFFIXES,
)

# Up to this size, what is no picture waits in memory for the pictures before it.
_SMALL = 2**20

_GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class _Piece:
    """A member that is to be written.

    Attributes:
        member: the member as it is to be called.
        picture: the picture that it holds; None for others.
        content: of others, what they hold.
        is_unread: whether that is read from the file itself.
    """

    member: tarfile.TarInfo
    picture: Picture | None = None
    content: IO[bytes] | None = None
    is_unread: bool = False

    @property
    def pictures(self) -> int:
        return int(self.picture is not None)


def rewrite(
    source: BinaryIO,
    target: BinaryIO | None,
    earlier: BinaryIO | None,
    pictures: Pictures,
) -> None:
    """Do the pictures of a tar file.

    Args:
        source: the file.
        target: where to write to; None to write nothing.
        earlier: what an earlier run has made of it, in which some pictures are missing;
            None where there is no such file.
        pictures: does them.

    Raises:
        PictureError: it is damaged, or holds what cannot be kept; the text says which.
    """
    reader = TarReader(source)
    done = _Done(TarReader(earlier)) if earlier else None
    with ExitStack() as stack:
        output: tarfile.TarFile | None = None
        for piece in pictures.in_order(_pieces(reader, done, pictures)):
            member, content = piece.member, piece.content
            if piece.picture is not None:
                data = pictures.end(piece.picture)
                if data is None:
                    continue
                member.size, content = len(data), io.BytesIO(data)
            if target is None:
                continue
            # What all members share is known when the first of them was read.
            output = output or _opened_like(reader, target, stack)
            with reading():
                output.addfile(member, content)
            # It would remember all of them.
            output.members.clear()  # type: ignore[attr-defined]  # not in its stubs


def _opened_like(
    reader: TarReader, target: BinaryIO, stack: ExitStack
) -> tarfile.TarFile:
    """The output, with what it has in common with the input."""
    stream: Any = target
    if reader.is_compressed:
        # A name and a time of its own would be news to nobody but those who compare.
        stream = gzip.GzipFile("", "wb", _GZIP_LEVEL, target, mtime=0)
        stack.enter_context(stream)
    headers = reader.shared_headers
    output = tarfile.open(  # noqa: SIM115  the stack closes it
        fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT, pax_headers=headers
    )
    return stack.enter_context(output)


def _pieces(
    reader: TarReader, done: "_Done | None", pictures: Pictures
) -> Iterator[_Piece]:
    """The members, the pictures among them begun."""
    names: set[str] = set()
    for member in reader.members():
        content = reader.opened(member) if member.isreg() else None
        if content is not None and _is_picture(member, content):
            output = _renamed(member, pictures.suffixed(member.name))
            earlier = done.take(output.name) if done else None
            if output.name in names:
                reason = f"another picture becomes {shown(output.name)}; rename one"
                picture = pictures.fail(member.name, reason)
            elif member.size > LARGEST:
                picture = pictures.refuse_size(member.name, member.size)
            else:
                picture = pictures.begin(member.name, _whole(content), earlier)
            names.add(output.name)
            yield _Piece(output, picture)
            continue
        if done:
            done.pass_over(member.name)
        if content is not None and member.size <= _SMALL:
            yield _Piece(member, content=io.BytesIO(_whole(content)))
        else:
            yield _Piece(member, content=content, is_unread=content is not None)


def _whole(content: IO[bytes]) -> bytes:
    with reading():
        return content.read()


def _is_picture(member: tarfile.TarInfo, content: io.BufferedReader) -> bool:
    """Whether a member is one by its name, or by what it holds."""
    suffix = PurePosixPath(member.name).suffix.lower()
    if suffix in PICTURE_SUFFIXES or suffix in FILM_SUFFIXES - AMBIGUOUS_SUFFIXES:
        return True
    with reading():
        return may_show_faces(content.peek(HEAD)[:HEAD], member.size)


def _renamed(member: tarfile.TarInfo, name: str) -> tarfile.TarInfo:
    """The member for the output of a picture, its size still to be set."""
    renamed = copy.copy(member)
    renamed.name = name
    # They would overrule the fields, and may hold more than those.
    renamed.pax_headers = {}
    return renamed


class _Done:
    """What an earlier run has made, in the order of the input."""

    def __init__(self, reader: TarReader) -> None:
        self._reader = reader
        self._members = reader.members()
        self._next = next(self._members, None)

    def take(self, name: str) -> bytes | None:
        """The picture of this name; None if it is not there."""
        if self._next is None or self._next.name != name:
            return None
        data = _whole(self._reader.opened(self._next))
        self.pass_over(name)
        return data

    def pass_over(self, name: str) -> None:
        """Leave this member behind, if it is there."""
        if self._next is not None and self._next.name == name:
            self._next = next(self._members, None)
