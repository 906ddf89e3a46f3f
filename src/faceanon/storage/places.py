"""Where pictures lie: in a file, or in a bucket of a cloud provider."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from faceanon.errors import FaceanonError
from faceanon.storage.names import shown

_URL = re.compile(r"(?P<bucket>(?:s3|gs|az)://[^/]*)(?:/(?P<key>.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BucketObject:
    """An object in a bucket, or the prefix of many, as if it were a folder.

    Attributes:
        bucket: the bucket as a URL, such as `s3://photos`.
        key: the object's name in the bucket. That of a folder ends with a slash; it is
            empty for the whole bucket.
        size: in bytes, as listed; 0 where it was not.
        mtime_ns: time of the last change, as listed, in nanoseconds since 1970.
        etag: the provider's tag of what the object holds, as listed; empty where it
            was not.
    """

    bucket: str
    key: str
    size: int = 0
    mtime_ns: int = 0
    etag: str = ""

    def __str__(self) -> str:
        """The URL."""
        return f"{self.bucket}/{self.key}"

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]

    @property
    def is_folder(self) -> bool:
        """Whether it can only be meant as a folder."""
        return not self.key or self.key.endswith("/")

    @property
    def folder(self) -> "BucketObject":
        """The folder of this name, whether or not the slash at its end was written.

        >>> str(place("s3://photos/2024").folder)
        's3://photos/2024/'
        """
        return self if self.is_folder else BucketObject(self.bucket, f"{self.key}/")

    def below(self, name: str) -> "BucketObject":
        """The object of a name below this folder."""
        return BucketObject(self.bucket, self.folder.key + name)

    def holds(self, other: "BucketObject") -> bool:
        """Whether another place is this folder, or in it."""
        folder = self.folder
        return folder.bucket == other.bucket and other.key.startswith(folder.key)


Place: TypeAlias = Path | BucketObject


def below(folder: Place, name: str) -> Place:
    """The place of a name below a folder."""
    return folder / name if isinstance(folder, Path) else folder.below(name)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells whether a file is still the one it was.

    Attributes:
        size: in bytes.
        mtime_ns: time of the last change, in nanoseconds since 1970; 0 for an output
            in a bucket, whose provider sets it.
    """

    size: int
    mtime_ns: int


def place(text: str) -> Place:
    """The place that a path or a URL names.

    Keys are taken as they are, as by the providers' own tools: `%20` is no space.

    >>> place("gs://photos/a b.jpg")
    BucketObject(bucket='gs://photos', key='a b.jpg', size=0, mtime_ns=0, etag='')
    >>> place("file:///data/a%20b").as_posix()
    '/data/a b'

    Raises:
        FaceanonError: it is a URL of another kind, or without a bucket.
    """
    if match := _URL.fullmatch(text):
        if match["bucket"].endswith("//"):
            raise FaceanonError(
                f"{shown(text)} names no bucket; write {text[:5]}BUCKET/..."
            )
        named = BucketObject(match["bucket"], match["key"] or "")
        if named.key and (reason := oddity(named.key.removesuffix("/"))):
            raise FaceanonError(f"{shown(text)} cannot be used: its key {reason}")
        return named
    scheme, separator, _ = text.partition("://")
    if not separator or not scheme.isalnum() or len(scheme) == 1:
        return Path(text)
    if scheme != "file":
        raise FaceanonError(
            f"{scheme}:// is not supported; name a folder or file, or a URL that "
            "begins with s3://, gs://, az:// or file:///"
        )
    from urllib.request import url2pathname  # noqa: PLC0415  brings much else

    url = urlsplit(text)
    if url.netloc not in ("", "localhost"):
        raise FaceanonError(
            f"{shown(text)} is on another machine; write file:///{url.netloc}"
        )
    return Path(url2pathname(url.path))


def local_path(text: str) -> Path:
    """The file or folder that a path or a URL names.

    Raises:
        FaceanonError: it is in a bucket.
    """
    named = place(text)
    if isinstance(named, BucketObject):
        raise FaceanonError(f"{named} is in a bucket; here a local path is needed")
    return named


def oddity(key: str) -> str:
    r"""Why a key cannot be used, or nothing.

    Such keys mean something else, or nothing, as paths of files, and to the library
    that talks to the providers.

    >>> oddity("2024/a.jpg")
    ''
    >>> oddity("2024//a.jpg")
    "has an empty part ('//')"
    """
    parts = key.split("/")
    if "" in parts:
        return "has an empty part ('//')"
    if "." in parts or ".." in parts:
        return "has '.' or '..' as a part"
    if not key.isascii() and any("\ud800" <= char <= "\udfff" for char in key):
        return "is no Unicode text"
    if any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in key):
        return "has control characters"
    return ""
