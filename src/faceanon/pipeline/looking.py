"""Looking for faces in the frames of a film: in all, or where something happens.

Every few frames are looked at. Those between two looks are only where a face begins,
ends or moves, or a shot ends.
"""

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from faceanon.anonymizers.painter import core_of
from faceanon.boxes import FrameTimes
from faceanon.media.clip import Frame
from faceanon.media.picture import Picture
from faceanon.model import Box, Face, Image
from faceanon.vision import detection
from faceanon.vision.detection import DetectorOptions
from faceanon.vision.detection.find import find_faces
from faceanon.vision.tracking.camera import SIDE, Camera, CameraMotion
from faceanon.vision.tracking.finds import Finds
from faceanon.vision.tracking.sampling import is_calm, stride

# Finds of this score continue a track; none begins with one.
_WEAK = 0.08

# In darker frames, of white at 255, faces are found so weakly that only a steady run of
# finds makes one: all of them are looked at.
_DARK = 40

# So many groups of frames wait for their looks, for each thread.
_GROUPS = 2

# How long the frames of an animation are shown that do not say, in milliseconds.
_USUAL = 100

# Names of what found a face, of which there are a few: no more are told apart.
_MOST_NAMES = 200

# So many chunks are joined: each array takes some hundred bytes by itself.
_MOST_CHUNKS = 1000

_Columns: TypeAlias = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What the frames of a film show.

    Attributes:
        finds: the faces, and what may be some.
        motion: how the camera moves.
        looked: whether each frame was looked at: shape (F,).
        times: when each is shown.
        names: what found them, by the numbers in `Finds.found_by`.
    """

    finds: Finds
    motion: CameraMotion
    looked: NDArray[np.bool_]
    times: FrameTimes
    names: tuple[str, ...]


def look_through(
    frames: Iterable[Frame],
    size: tuple[int, int],
    clock: "Clock",
    options: DetectorOptions,
    *,
    rate: float,
    threads: int,
) -> Looked:
    """Look for faces in the frames of a film, and at how it moves.

    Args:
        frames: of the film.
        size: width and height, upright.
        clock: takes down when they are shown.
        options: how faces are looked for. With the accuracy "thorough", all frames are
            looked at.
        rate: frames in a second, about.
        threads: how many look at the same time.
    """
    every = 1 if options.accuracy == "thorough" else stride(rate)
    with _Looker(options, every, threads) as looker:
        camera = Camera(size)
        for frame in frames:
            clock.take(frame)
            small = _small(frame.picture)
            step = camera.see(small)
            is_dark = sum(cv2.mean(small)[:3]) < 3 * _DARK
            looker.take(frame, step, looks=is_dark)
        return looker.finished(camera.motion(), clock.times())


def _small(picture: Picture) -> Image:
    """A picture as small as it can be had quickly, for the camera."""
    height, width = picture.shape
    source = picture.source
    if isinstance(source, np.ndarray):
        return picture.scaled_looks(1)[0][0]
    return source.reduced(max(1, max(height, width) // (2 * SIDE)))


@dataclass(slots=True, eq=False)
class _Look:
    """The finds of one frame."""

    sure: Sequence[Face]
    unsure: Sequence[Face]
    tones: NDArray[np.uint8]

    @property
    def all(self) -> list[Face]:
        return [*self.sure, *self.unsure]


@dataclass(slots=True, eq=False)
class _Group:
    """Frames between two looks.

    Attributes:
        before: the look before them.
        between: the frames, with their numbers.
        after: the look after them.
        moved: by how much the scene moves from the one look to the other.
        is_cut: whether a shot ends in between.
    """

    before: "Future[_Look] | None"
    between: list[tuple[int, Frame]]
    after: "Future[_Look]"
    moved: tuple[float, float]
    is_cut: bool


@dataclass
class _Looker:
    """Hands out looks to threads, and puts what they find into arrays."""

    options: DetectorOptions
    every: int
    threads: int
    _executor: Any = field(init=False)
    _looks: dict[int, "Future[_Look]"] = field(default_factory=dict, init=False)
    _groups: deque[_Group] = field(default_factory=deque, init=False)
    _waiting: list[tuple[int, Frame]] = field(default_factory=list, init=False)
    _last: "Future[_Look] | None" = field(default=None, init=False)
    _moved: tuple[float, float] = field(default=(0.0, 0.0), init=False)
    _is_cut: bool = field(default=False, init=False)
    _count: int = field(default=0, init=False)
    _rows: "_Rows" = field(init=False)

    def __post_init__(self) -> None:
        self._executor = (
            ThreadPoolExecutor(self.threads) if self.threads > 1 else _AtOnce()
        )
        self._rows = _Rows()

    def __enter__(self) -> "_Looker":
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def take(
        self, frame: Frame, step: tuple[float, float] | None, *, looks: bool
    ) -> None:
        """Look at the next frame, or leave it for later.

        Args:
            frame: the frame.
            step: how the scene has moved since the frame before; None where it is
                another one.
            looks: whether to look at it in any case.
        """
        number = self._count
        self._count += 1
        self._is_cut |= step is None
        right, down = step or (0.0, 0.0)
        self._moved = self._moved[0] + right, self._moved[1] + down
        is_near = step is not None and len(self._waiting) < self.every - 1
        if number and is_near and not looks:
            self._waiting.append((number, frame))
            return
        self._close_group(number, frame)
        while len(self._groups) > _GROUPS * self.threads:
            self._resolve(self._groups.popleft())
        self._collect()

    def _close_group(self, number: int, frame: Frame) -> None:
        after = self._submit(number, frame)
        if self._waiting:
            group = _Group(self._last, self._waiting, after, self._moved, self._is_cut)
            self._groups.append(group)
        self._waiting, self._moved, self._is_cut = [], (0.0, 0.0), False
        self._last = after

    def _resolve(self, group: _Group) -> None:
        """Look at the frames of a group, if something happens in them."""
        before = group.before.result() if group.before else None
        after = group.after.result()
        if (
            before is None
            or group.is_cut
            or not is_calm(before.all, after.all, group.moved)
        ):
            for number, frame in group.between:
                self._submit(number, frame)

    def _submit(self, number: int, frame: Frame) -> "Future[_Look]":
        if frame.is_damaged:
            future: Future[_Look] = Future()
            future.set_result(_Look((), (), np.empty((0, 3), np.uint8)))
        else:
            future = self._executor.submit(_look, frame.picture, self.options)
        self._looks[number] = future
        return future

    def _collect(self) -> None:
        """Put what was found into the arrays."""
        for number in [n for n, future in self._looks.items() if future.done()]:
            self._rows.add(number, self._looks.pop(number).result())
        while len(self._looks) > self._most:
            number = min(self._looks)
            self._rows.add(number, self._looks.pop(number).result())

    @property
    def _most(self) -> int:
        """So many looks are under way at most; each holds its frame."""
        return _GROUPS * self.threads * self.every

    def finished(self, motion: CameraMotion, times: FrameTimes) -> Looked:
        """All that was found."""
        if self._waiting:
            number, frame = self._waiting.pop()
            self._close_group(number, frame)
        while self._groups:
            self._resolve(self._groups.popleft())
        for number, look in self._looks.items():
            self._rows.add(number, look.result())
        self._looks.clear()
        looked = np.zeros(self._count, bool)
        looked[self._rows.looked] = True
        finds, names = self._rows.finds()
        return Looked(finds, motion, looked, times, names)


class Clock:
    """Takes down when the frames of a film are shown, one after the other.

    Args:
        base: the unit of their times, in seconds.
    """

    def __init__(self, base: Fraction) -> None:
        self._base = base
        self._next = Fraction(0)
        self._pts = array("q")

    def take(self, frame: Frame) -> None:
        """Take down the next frame."""
        time = self._next if frame.time is None else frame.time
        self._pts.append(round(time / self._base))
        lasts = round(1000 * frame.seconds) or _USUAL
        self._next = time + Fraction(lasts, 1000)

    def times(self) -> FrameTimes:
        """When the frames are shown that were taken down."""
        return FrameTimes.of_all(np.array(self._pts, np.int64), self._base)


class _AtOnce:
    """An executor without threads."""

    def submit(self, do: Callable[..., _Look], *arguments: Any) -> "Future[_Look]":
        future: Future[_Look] = Future()
        future.set_result(do(*arguments))
        return future

    def shutdown(self, *, cancel_futures: bool) -> None:
        """Nothing is under way."""


def _look(picture: Picture, options: DetectorOptions) -> _Look:
    (found,) = find_faces([picture], options, _WEAK)
    detector = detection.make(options.detector, options.accuracy)
    (image, *_), factor = picture.scaled_looks(detector.scale(*picture.shape))
    faces = (*found.sure, *found.unsure)
    tones = [_tone(image, face.box.placed(1 / factor)) for face in faces]
    return _Look(found.sure, found.unsure, np.array(tones, np.uint8).reshape(-1, 3))


def _tone(image: Image, box: Box) -> tuple[float, ...]:
    """The mean colour of the middle of a box, BGR."""
    core = core_of(box, image)
    if core.is_empty:
        return 0.0, 0.0, 0.0
    return tuple(round(part) for part in cv2.mean(image[core.slices])[:3])


class _Rows:
    """Finds, as they come, in chunks that become arrays."""

    def __init__(self) -> None:
        self.looked: list[int] = []
        self._names: dict[str, int] = {}
        self._chunks: list[_Columns] = []
        self._large: list[_Columns] = [
            (
                np.empty(0, np.int32),
                np.empty((0, 4), np.float32),
                np.empty(0, np.float32),
                np.empty((0, 5, 2), np.float32),
                np.empty(0, bool),
                np.empty(0, np.uint8),
                np.empty((0, 3), np.uint8),
            )
        ]

    def add(self, number: int, look: _Look) -> None:
        """Add the finds of a frame."""
        self.looked.append(number)
        faces = look.all
        if not faces:
            return
        count = len(faces)
        self._chunks.append(
            (
                np.full(count, number, np.int32),
                np.array([face.box.sides for face in faces], np.float32),
                np.array([face.score for face in faces], np.float32),
                np.array([_points(face) for face in faces], np.float32),
                np.arange(count) < len(look.sure),
                np.array([self._named(face.found_by) for face in faces], np.uint8),
                look.tones,
            )
        )
        if len(self._chunks) > _MOST_CHUNKS:
            self._large.append(_joined(self._chunks))
            self._chunks = []

    def _named(self, name: str) -> int:
        return self._names.setdefault(name, min(len(self._names), _MOST_NAMES))

    def finds(self) -> tuple[Finds, tuple[str, ...]]:
        """All of them by their frames, and the names of what found them."""
        columns = _joined([*self._large, *self._chunks])
        order = np.argsort(columns[0], kind="stable")
        return Finds(*(column[order] for column in columns)), tuple(self._names)


def _joined(parts: Sequence[_Columns]) -> _Columns:
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def _points(face: Face) -> Any:
    return face.points or [[np.nan, np.nan]] * 5
