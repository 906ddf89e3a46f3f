"""Reading objects, and putting outputs into buckets, each with one atomic request.

An output in a bucket carries a mark, which tells from which input and with which
settings it was made. It is a digest: who reads it learns nothing of the input.
"""

import io
from typing import TYPE_CHECKING, Any, BinaryIO

from faceanon.storage.buckets.listing import listed_object
from faceanon.storage.buckets.stores import BucketError, explained, store
from faceanon.storage.places import BucketObject, Stamp
from faceanon.storage.suffixes import SUFFIXES, film_format

if TYPE_CHECKING:
    from obstore import GetOptions

# Some providers allow letters and digits only.
_MARK = "faceanon"

# Above this many bytes an output is sent in parts, which appear as one at the end.
_LARGE = 64 * 2**20

# What a stream of an object asks for at a time.
_BUFFER = 8 * 2**20


def described(place: BucketObject) -> BucketObject | None:
    """The object with its size, time and tag; None where there is none.

    Raises:
        BucketError: it cannot be known.
    """
    try:
        with explained(place):
            meta = store(place.bucket).head(place.key)
    except BucketError as error:
        if error.what == "missing":
            return None
        raise
    return listed_object(place.bucket, meta)


def _as_listed(source: BucketObject) -> "GetOptions":
    """The condition that an object is still the one that was listed."""
    return {"if_match": source.etag} if source.etag else {}


def stamp(source: BucketObject) -> Stamp:
    """What tells whether an object is still the one it was."""
    return Stamp(source.size, source.mtime_ns)


def mark(target: BucketObject) -> str | None:
    """The mark of an output; None where there is no such object.

    Raises:
        BucketError: it cannot be known.
    """
    try:
        with explained(target):
            answer = store(target.bucket).get(target.key, options={"head": True})
            return answer.attributes.get(_MARK, "")
    except BucketError as error:
        if error.what == "missing":
            return None
        raise


def put(target: BucketObject, body: BinaryIO, mark_: str, overwrite: bool) -> None:
    """Make an object; nobody ever sees a part of it.

    Args:
        target: the object.
        body: a file with what it is to hold.
        mark_: what it is marked with.
        overwrite: whether one that is there may be replaced. One of more than 64 MiB
            that appears while it is sent is replaced nevertheless.

    Raises:
        BucketError: it cannot be made; what it is "exists" when there is one.
    """
    size = body.seek(0, io.SEEK_END)
    body.seek(0)
    attributes = {_MARK: mark_, "Content-Type": _content_type(target.name)}
    if size > _LARGE and not overwrite and mark(target) is not None:
        raise BucketError(f"{target} exists already", "exists")
    with explained(target):
        store(target.bucket).put(
            target.key,
            body,
            attributes=attributes,
            # Providers do not make what is sent in parts on conditions.
            mode="overwrite" if overwrite or size > _LARGE else "create",
            use_multipart=size > _LARGE,
        )


# Those that are not called as the format is here.
_PICTURE_TYPES = {
    "pnm": "image/x-portable-anymap",
    "tga": "image/x-tga",
    "ico": "image/vnd.microsoft.icon",
}
_VIDEO_TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/matroska",
    "webm": "video/webm",
}


def _content_type(name: str) -> str:
    """For browsers, by the suffix."""
    suffix = "." + name.rpartition(".")[2].lower()
    for format_, suffixes in SUFFIXES.items():
        if suffix in suffixes:
            return _PICTURE_TYPES.get(format_, f"image/{format_}")
    return _VIDEO_TYPES.get(film_format(name) or "", "application/octet-stream")


def open_stream(source: BucketObject) -> io.BufferedReader:
    """An object as a stream in which can be sought; it is not read as a whole.

    Raises:
        BucketError: where it is read: it cannot be, or is not the one that was listed.
    """
    return io.BufferedReader(_Stream(source), _BUFFER)


class _Stream(io.RawIOBase):
    """An object of known size, read piece by piece."""

    def __init__(self, source: BucketObject) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        """Whether it can be read; yes."""
        return True

    def seekable(self) -> bool:
        """Whether it can be sought in; yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position; the new one."""
        base = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self._source.size,
        }[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer; how many bytes there were."""
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        """The rest, by one request."""
        return self._next(self._source.size)

    def _next(self, most: int) -> bytes:
        """The next bytes, so many of them if there are."""
        source, start = self._source, self._position
        end = min(start + most, source.size)
        if end <= start:
            return b""
        options: GetOptions = _as_listed(source)
        if (start, end) != (0, source.size):
            options["range"] = (start, end)
        with explained(source):
            answer = store(source.bucket).get(source.key, options=options)
            data = bytes(answer.bytes())
        self._position += len(data)
        return data
