"""Single frames of a clip by their numbers, for those who look at it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from faceanon.errors import PictureError
from faceanon.media.clip import Frame, Header
from faceanon.media.reading import open_clip
from faceanon.storage.files import open_source


class FrameReader:
    """A file whose frames are asked for by number; a context manager.

    Going forward is quick; going back begins anew. No more than one frame is kept.

    Args:
        path: the file.
        max_pixels: refuse frames of more pixels than this.

    Raises:
        PictureError: it cannot be read.
    """

    def __init__(self, path: Path, max_pixels: int) -> None:
        self._stack = ExitStack()
        with ExitStack() as stack:
            source = stack.enter_context(open_source(path))
            self._clip = stack.enter_context(open_clip(source.file, max_pixels))
            self._stack = stack.pop_all()
        self._frames: Iterator[Frame] = iter(())
        self._last: tuple[int, Frame, float] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    @property
    def header(self) -> Header:
        """What is known of the clip."""
        return self._clip.header

    def read(self, number: int) -> tuple[Frame, float]:
        """A frame, and after how many seconds it is shown.

        Args:
            number: counted from 0.

        Raises:
            PictureError: it is damaged, or there is no such frame.
        """
        if self._last is None or number < self._last[0]:
            self._frames, self._last = self._clip.frames(), None
        while self._last is None or self._last[0] < number:
            frame = next(self._frames, None)
            if frame is None:
                raise PictureError(f"it has no frame {number}")
            if self._last is None:
                self._last = 0, frame, 0.0
            else:
                before, shown, start = self._last
                self._last = before + 1, frame, start + shown.seconds
        _, frame, start = self._last
        return frame, start
