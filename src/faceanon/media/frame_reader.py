"""Single frames of a clip by their numbers, for those who look at it."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Self

from faceanon.errors import PictureError
from faceanon.media.clip import Frame, Header
from faceanon.media.reading import open_clip
from faceanon.media.video.reading import VideoClip
from faceanon.storage.files import open_source

# Frames that are kept, so that going back by one is quick: so many at most, of so many
# pixels together.
_KEPT, _KEPT_PIXELS = 16, 2**26

# From so many frames on, it is quicker to go to a keyframe than to walk.
_FAR = 100


class FrameReader:
    """A file whose frames are asked for by number; a context manager.

    Going forward is quick. Films are sought in: elsewhere, going back begins anew.

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
        self._next = 0
        self._start = 0.0
        self._times: Sequence[Fraction] | None = None
        self._kept: OrderedDict[int, tuple[Frame, float]] = OrderedDict()
        pixels = self.header.width * self.header.height
        is_film = isinstance(self._clip, VideoClip)
        self._most = min(max(_KEPT_PIXELS // pixels, 1), _KEPT) if is_film else 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._frames = iter(())
        self._kept.clear()
        self._stack.close()

    @property
    def header(self) -> Header:
        """What is known of the clip."""
        return self._clip.header

    @property
    def count(self) -> int:
        """How many frames there are; of films whose packets do not tell it, about."""
        return len(self._known_times()) or self.header.count

    def read(self, number: int) -> tuple[Frame, float]:
        """A frame, and after how many seconds it is shown.

        Args:
            number: counted from 0.

        Raises:
            PictureError: it is damaged, or there is no such frame.
        """
        if number in self._kept:
            return self._kept[number]
        is_far = number < self._next or number - self._next > _FAR
        if not (is_far and self._seek(number)) and number < self._next:
            self._frames, self._next, self._start = iter(()), 0, 0.0
            self._kept.clear()
        if self._next == 0:
            self._frames = self._clip.frames()
        while self._next <= number:
            self._step()
        return self._kept[number]

    def _step(self) -> None:
        frame = next(self._frames, None)
        if frame is None:
            raise PictureError(f"it has no frame {self._next}")
        self._kept[self._next] = frame, self._start
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        self._next += 1
        self._start += frame.seconds

    def _seek(self, number: int) -> bool:
        """Go near a frame of a film, and before it; whether that could be done.

        Not if what is found there is not what the packets tell: they may count what is
        never shown.
        """
        clip, times = self._clip, self._known_times()
        if not (isinstance(clip, VideoClip) and number < len(times)):
            return False
        # The frames before will be asked for when somebody goes back by one.
        first = max(number - self._most + 1, 0)
        frames = clip.frames_from(times[first])
        try:
            found = [next(frames) for _ in range(first, number + 1)]
        except (PictureError, StopIteration):
            return False
        if [frame.time for frame in found] != list(times[first : number + 1]):
            return False
        self._kept.clear()
        for place, frame in enumerate(found, first):
            self._kept[place] = frame, float(times[place] - times[0])
        self._frames, self._next = frames, number + 1
        self._start = float(times[number] - times[0]) + found[-1].seconds
        return True

    def _known_times(self) -> Sequence[Fraction]:
        """When the frames of a film are shown, if its packets tell; else empty."""
        if self._times is None:
            clip = self._clip
            times = clip.frame_times() if isinstance(clip, VideoClip) else None
            self._times = times or ()
        return self._times
