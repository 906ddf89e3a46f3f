"""The pictures of a box file, scaled for the page; nothing is written to disk."""

import stat
import threading
from collections import OrderedDict
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

import cv2

from faceanon.boxes import Record, check_is_same, content_digest
from faceanon.errors import PictureError
from faceanon.media.frame_reader import FrameReader
from faceanon.media.picture import eight_bit
from faceanon.model import Image
from faceanon.storage.files import open_source
from faceanon.storage.places import Stamp

Size: TypeAlias = Literal["view", "thumbnail"]

# The longest side in pixels, the quality of the JPEG, and how many are kept.
_SIZES: dict[Size, tuple[int, int, int]] = {
    "view": (2000, 88, 12),
    "thumbnail": (160, 80, 2000),
}


# Files that are kept open, so that the next frame of a clip is near.
_OPEN = 3


class Pictures:
    """Pictures below a folder, each frame as the JPEG that the page shows."""

    def __init__(self, folder: Path, max_pixels: int) -> None:
        """Make none yet.

        Args:
            folder: nothing outside of it is ever read.
            max_pixels: refuse larger pictures.
        """
        self._folder = folder.resolve()
        self._max_pixels = max_pixels
        # One thread at a time reads a file.
        self._reading = threading.Lock()
        self._readers: OrderedDict[tuple[Path, Stamp, Record], FrameReader]
        self._readers = OrderedDict()
        self._kept = {
            size: lru_cache(maxsize=kept)(self._made)
            for size, (_, _, kept) in _SIZES.items()
        }

    def close(self) -> None:
        """Close what is open."""
        with self._reading:
            while self._readers:
                self._readers.popitem()[1].close()

    def frames(self, record: Record) -> int:
        """How many frames the picture of a record has.

        Raises:
            PictureError: see `jpeg`.
        """
        with self._reading:
            return self._reader(*self._file(record.picture), _bare(record)).count

    def jpeg(self, record: Record, size: Size, frame: int = 0) -> bytes:
        """A frame of the picture of a record, upright, as a JPEG.

        Raises:
            PictureError: it is missing, unreadable, or not the one in which the faces
                of the record were found.
        """
        path, stamp = self._file(record.picture)
        return self._kept[size](path, stamp, _bare(record), size, frame)

    def _file(self, picture: str) -> tuple[Path, Stamp]:
        """The file of a picture: a regular file below the folder, links followed.

        Raises:
            PictureError: there is none, or not there.
        """
        name = PurePosixPath(picture)
        if name.is_absolute() or ".." in name.parts:
            raise PictureError("its name leads out of INPUT; it is not read")
        try:
            path = (self._folder / name).resolve(strict=True)
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise PictureError("it is missing from INPUT") from None
        except (OSError, ValueError, RuntimeError) as error:
            # ValueError: no file can have such a name. RuntimeError: links in a circle.
            raise PictureError(f"cannot be read: {error}") from error
        if not path.is_relative_to(self._folder):
            raise PictureError("it is a link that leads out of INPUT; it is not read")
        if not stat.S_ISREG(status.st_mode):
            raise PictureError("it is not a file")
        return path, Stamp(status.st_size, status.st_mtime_ns)

    def _made(
        self, path: Path, stamp: Stamp, record: Record, size: Size, frame: int
    ) -> bytes:
        with self._reading:
            read, _ = self._reader(path, stamp, record).read(frame)
            image = eight_bit(read.picture.color)
        return _small_jpeg(image, size)

    def _reader(self, path: Path, stamp: Stamp, record: Record) -> FrameReader:
        """The file, open, if it is the picture that the record is of."""
        key = path, stamp, record
        if key not in self._readers:
            if record.content:
                with open_source(path) as source:
                    check_is_same(record, content=content_digest(source.file))
            reader = FrameReader(path, self._max_pixels)
            try:
                size = reader.header.width, reader.header.height
                check_is_same(record, size=size)
            except PictureError:
                reader.close()
                raise
            self._readers[key] = reader
            while len(self._readers) > _OPEN:
                self._readers.popitem(last=False)[1].close()
        self._readers.move_to_end(key)
        return self._readers[key]


def _bare(record: Record) -> Record:
    """Without faces, so that what is kept stays valid while these are corrected."""
    return replace(record, hidden=(), shown=(), reviewed=False)


def _small_jpeg(image: Image, size: Size) -> bytes:
    side, quality, _ = _SIZES[size]
    scale = side / max(image.shape[:2])
    if scale < 1:
        width, height = (max(1, round(n * scale)) for n in image.shape[1::-1])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done, "OpenCV encodes every image of 8 bits as a JPEG"
    return data.tobytes()
