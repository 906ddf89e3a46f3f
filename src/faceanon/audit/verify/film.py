"""A film and its output, side by side: all frames are walked, some are looked at.

Looking for faces takes most of the time, so that only some frames are looked at: those
of an even grid, and those where a face may be open. That is beside a cut, and where
what was changed in one frame is as it was in the next, or the other way.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.errors import PictureError
from faceanon.media.clip import Frame
from faceanon.media.video.reading import VideoClip
from faceanon.model import Image
from faceanon.pipeline.progress import told
from faceanon.vision.tracking.camera import Camera

MOST_REGULAR = 50
"""So many frames of a film, evenly spread, are looked at."""

MOST_ASKED = 60
"""Of the frames in which tracks begin and end, so many are looked at."""

# Times that differ by no more than this, in seconds, are the same: Matroska has no
# finer ones.
_SAME_TIME = Fraction(1, 1000)

# Changes are looked for in frames made so small, by their longer side, in pixels. A
# compression changes their pixels by less than so many levels.
_SIDE, _CHANGED = 320, 24
# A cover has so many pixels in them, at least; it is gone if less than this share of it
# is left one frame on.
_LEAST, _GONE = 24, 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A frame of a film, and that of its output.

    Attributes:
        number: of the frame, counted from 0.
        before: in the film.
        after: in the output.
    """

    number: int
    before: Frame
    after: Frame


@dataclass
class SideBySide:
    """A walk over a film and its output; memory does not grow with their pictures.

    Args:
        before: the film, or the part of it that the output was made of.
        after: the output.
        asked: the numbers of frames to look at in any case, of which at most
            `MOST_ASKED` are taken.

    Attributes:
        frames: how many frames were walked.
        looked: the numbers of those to look at.
        starts: when the first frame is shown in both, in seconds; None before it.
    """

    before: VideoClip
    after: VideoClip
    asked: Collection[int] = ()
    frames: int = 0
    looked: list[int] = field(default_factory=list)
    starts: tuple[Fraction, Fraction] | None = None

    def moments(self) -> Iterator[Moment]:
        """The frames to look at, in their order.

        Raises:
            PictureError: one of both is damaged, or they differ in their size, in how
                many frames they have, or in the times at which these are shown.
        """
        header, header_now = self.before.header, self.after.header
        size = header.width, header.height
        if size != (header_now.width, header_now.height):
            raise PictureError(
                f"it was {size[0]} x {size[1]} pixels and is "
                f"{header_now.width} x {header_now.height}"
            )
        choice = _Choice(size, header_now.count, _some(self.asked))
        befores = _named(self.before.frames(), "the input")
        afters = _named(self.after.frames(), "the output")
        pairs = zip_longest(befores, afters)
        for before, after in told(pairs, "look", header_now.count):
            if before is None or after is None:
                yield from self._noted(choice.rest())
                self._fail_by_length("the input" if before is None else "the output")
            self._check_time(before, after)
            moment = Moment(self.frames, before, after)
            self.frames += 1
            yield from self._noted(choice.take(moment))
        yield from self._noted(choice.rest())

    def _noted(self, moments: Iterable[Moment]) -> Iterator[Moment]:
        for moment in moments:
            self.looked.append(moment.number)
            yield moment

    def _fail_by_length(self, shorter: str) -> None:
        other = "the output" if shorter == "the input" else "the input"
        hint = ""
        if shorter == "the output" and self.before.options.end is None:
            hint = "; of a part, say which: --report, or --from and --to"
        raise PictureError(
            f"{shorter} ends after {self.frames} frames, and {other} does not{hint}"
        )

    def _check_time(self, before: Frame, after: Frame) -> None:
        assert before.time is not None, "frames of films have times"
        assert after.time is not None, "frames of films have times"
        if self.starts is None:
            self.starts = before.time, after.time
        was, now = before.time - self.starts[0], after.time - self.starts[1]
        if abs(was - now) > _SAME_TIME:
            raise PictureError(
                f"its times differ: frame {self.frames} is shown {float(now):.3f} s "
                f"after the first, and was {float(was):.3f} s after it"
            )


def _named(frames: Iterator[Frame], whose: str) -> Iterator[Frame]:
    """The frames; what is wrong with them is said to be somebody's."""
    try:
        yield from frames
    except PictureError as error:
        raise PictureError(f"{whose}: {error}") from error


def _some(asked: Collection[int]) -> frozenset[int]:
    """Some of the numbers, evenly, if there are too many."""
    numbers = sorted(set(asked))
    if len(numbers) <= MOST_ASKED:
        return frozenset(numbers)
    places = np.linspace(0, len(numbers) - 1, MOST_ASKED).round().astype(int)
    return frozenset(numbers[place] for place in places.tolist())


class _Choice:
    """Chooses the frames to look at while they go by.

    Between two frames of the grid, one cut and the largest cover that comes or goes are
    taken: their frames are kept until then.
    """

    def __init__(
        self, size: tuple[int, int], count: int, asked: Collection[int]
    ) -> None:
        self._factor = max(1, max(size) // _SIDE)
        self._step = ceil(count / MOST_REGULAR)
        self._next = self._regular = 0
        self._asked = asked
        self._camera = Camera(size)
        self._is_other_scene = True
        self._last: Moment | None = None
        self._last_mask: NDArray[np.uint8] | None = None
        self._last_taken = -1
        self._cut: list[Moment] = []
        self._change: list[Moment] = []
        self._largest = 0
        self._is_cut_taken = self._is_change_taken = False

    def take(self, moment: Moment) -> Iterator[Moment]:
        """Take the next frame; yields those that are to be looked at now."""
        self._watch(moment)
        self._last = moment
        is_regular = moment.number >= self._next
        if is_regular or moment.number in self._asked:
            yield from self._kept()
            if moment.number > self._last_taken:
                yield self._taken(moment)
        if is_regular:
            self._is_cut_taken = self._is_change_taken = False
            self._regular += 1
            if self._regular % MOST_REGULAR == 0:
                self._step *= 2  # there are more frames than the file says
            self._next = moment.number + self._step

    def rest(self) -> Iterator[Moment]:
        """What is to be looked at when there are no more, among it the last frame."""
        yield from self._kept()
        if self._last is not None and self._last.number > self._last_taken:
            yield self._taken(self._last)

    def _taken(self, moment: Moment) -> Moment:
        self._last_taken = moment.number
        return moment

    def _kept(self) -> Iterator[Moment]:
        self._is_cut_taken |= bool(self._cut)
        self._is_change_taken |= bool(self._change)
        kept = {moment.number: moment for moment in (*self._cut, *self._change)}
        self._cut, self._change, self._largest = [], [], 0
        for number, moment in sorted(kept.items()):
            if number > self._last_taken:
                yield self._taken(moment)

    def _watch(self, moment: Moment) -> None:
        """Keep the frame, or the one before, if something happens between them."""
        before = _reduced(moment.before, self._factor)
        is_other = self._camera.see(before) is None
        mask = _changed(before, _reduced(moment.after, self._factor))
        last, last_mask = self._last, self._last_mask
        begins_shot = is_other and not self._is_other_scene
        self._is_other_scene, self._last_mask = is_other, mask
        if last is None or last_mask is None:
            return
        if begins_shot:
            if not (self._is_cut_taken or self._cut):
                self._cut = [last, moment]
            return
        if self._is_change_taken:
            return
        for size, where in (
            (_largest_gone(last_mask, mask), moment),
            (_largest_gone(mask, last_mask), last),
        ):
            if size > self._largest:
                self._largest, self._change = size, [where]


def _reduced(frame: Frame, factor: int) -> Image:
    source = frame.picture.source
    assert not isinstance(source, np.ndarray), (
        "frames of films are converted when asked"
    )
    return source.reduced(factor)


def _changed(before: Image, after: Image) -> NDArray[np.uint8]:
    """Where an output differs from its input: shape (H, W), 0 or 1."""
    difference = cv2.absdiff(before, after).max(axis=2)
    mask = (difference > _CHANGED).astype(np.uint8)
    # What a filter leaves by chance of a cover does not take it apart.
    return np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)


def _largest_gone(mask: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """How many pixels the largest cover has that is not in another mask; 0 for none."""
    if int(np.count_nonzero(mask > other)) < _LEAST:
        return 0
    count, labels = cv2.connectedComponents(mask)
    sizes = np.bincount(labels.ravel(), minlength=count)
    left = np.bincount(labels[other > 0], minlength=count)
    is_gone = (left < _GONE * sizes) & (sizes >= _LEAST)
    is_gone[0] = False  # what is no cover
    return int(sizes[is_gone].max(initial=0))
