"""The pictures of a box file, scaled for the page; nothing is written to disk."""

import stat
import threading
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

import cv2

from faceanon.boxes import Record, content_digest
from faceanon.errors import PictureError
from faceanon.media.picture import eight_bit
from faceanon.media.reading import decode
from faceanon.model import Image
from faceanon.pipeline.job import Job, Stamp
from faceanon.storage.files import read_source

Size: TypeAlias = Literal["view", "thumbnail"]

# The longest side in pixels, the quality of the JPEG, and how many are kept.
_SIZES: dict[Size, tuple[int, int, int]] = {
    "view": (2000, 88, 12),
    "thumbnail": (160, 80, 2000),
}


class Pictures:
    """Pictures below a folder, each as the JPEG that the page shows."""

    def __init__(self, folder: Path, max_pixels: int) -> None:
        """Make none yet.

        Args:
            folder: nothing outside of it is ever read.
            max_pixels: refuse larger pictures.
        """
        self._folder = folder.resolve()
        self._max_pixels = max_pixels
        # Decoding changes settings of Pillow that all threads share.
        self._decoding = threading.Lock()
        self._kept = {
            size: lru_cache(maxsize=kept)(self._made)
            for size, (_, _, kept) in _SIZES.items()
        }

    def jpeg(self, record: Record, size: Size) -> bytes:
        """The picture of a record, upright, as a JPEG.

        Raises:
            PictureError: it is missing, unreadable, or not the one in which the faces
                of the record were found.
        """
        path, stamp = self._file(record.picture)
        # Without faces, so that what is kept stays valid while these are corrected.
        bare = replace(record, hidden=(), shown=(), reviewed=False)
        return self._kept[size](path, stamp, bare, size)

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

    def _made(self, path: Path, stamp: Stamp, record: Record, size: Size) -> bytes:
        image = self._read(path, record)
        side, quality, _ = _SIZES[size]
        scale = side / max(image.shape[:2])
        if scale < 1:
            width, height = (max(1, round(n * scale)) for n in image.shape[1::-1])
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done, "OpenCV encodes every image of 8 bits as a JPEG"
        return data.tobytes()

    def _read(self, path: Path, record: Record) -> Image:
        """The upright pixels, if it is the picture that the record speaks of."""
        data, _ = read_source(Job(record.picture, path, None))
        if record.content and record.content != content_digest(data):
            raise PictureError(_CHANGED)
        with self._decoding:
            picture = decode(data, self._max_pixels)
        height, width = picture.pixels.shape[:2]
        if (record.width, record.height) != (width, height):
            raise PictureError(_CHANGED)
        return eight_bit(picture.color)


_CHANGED = (
    "it is not the picture that the box file speaks of: it has changed since; "
    "detect its faces again"
)
