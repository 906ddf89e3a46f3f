"""The sound of a film and that of its output, packet by packet."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceanon.media.video.library import clock
from faceanon.media.video.reading import VideoClip, origin_of

# Sounds that are cut into packets by each container as it likes are compared in blocks
# of so many bytes.
_UNCUT, _BLOCK = "pcm_", 4096

# A sound of which less than this share is in the input was written anew.
_ANEW = 0.5
# It begins and ends where the input's does, but for what an encoder adds, in seconds.
_SLACK = 0.25

# Times that differ by less, in seconds, are the same but for rounding.
_ROUNDING = 0.002


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One sound of a film.

    Attributes:
        codec: in FFmpeg's words.
        times: when each packet is heard, in seconds from the first frame: shape (P,),
            float64.
        digests: of each packet: shape (P,), uint64.
        lasts: how long the longest packet lasts, in seconds.
    """

    codec: str
    times: NDArray[np.float64]
    digests: NDArray[np.uint64]
    lasts: float

    @property
    def end(self) -> float:
        """When the last packet ends, in seconds."""
        return float(self.times.max(initial=0.0)) + self.lasts


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be said of a sound.

    Attributes:
        fails: whether it is not as it should be; else it is a note.
        what: what is to be said.
    """

    fails: bool
    what: str


@dataclass
class _Track:
    """Collects the packets of one sound: 16 bytes for each."""

    codec: str
    times: array = field(default_factory=lambda: array("d"))  # type: ignore[type-arg]
    digests: array = field(default_factory=lambda: array("Q"))  # type: ignore[type-arg]
    lasts: float = 0.0
    _waiting: bytes = b""

    def take(self, data: bytes, time: float, lasts: float) -> None:
        self.lasts = max(self.lasts, lasts)
        if not self.codec.startswith(_UNCUT):
            self._put(_bare(data, self.codec), time)
            return
        self._waiting += data
        while len(self._waiting) >= _BLOCK:
            self._put(self._waiting[:_BLOCK], time)
            self._waiting = self._waiting[_BLOCK:]

    def _put(self, data: bytes, time: float) -> None:
        self.times.append(time)
        digest = blake2b(data, digest_size=8).digest()
        self.digests.append(int.from_bytes(digest, "little"))

    def sound(self) -> Sound:
        return Sound(
            self.codec,
            np.array(self.times, np.float64),
            np.array(self.digests, np.uint64),
            self.lasts,
        )


def _bare(data: bytes, codec: str) -> bytes:
    """A packet without the header that transport streams put before each (ADTS)."""
    has_header = codec == "aac" and data[:1] == b"\xff" and data[1:2] >= b"\xf0"
    if not has_header:
        return data
    return data[7 if data[1] & 1 else 9 :]


def sounds_of(clip: VideoClip, start: Fraction) -> list[Sound]:
    """The sounds of a film.

    Args:
        clip: the film.
        start: when its first frame is shown, in seconds.

    Raises:
        PictureError: it is damaged.
    """
    with clip.opened() as source:
        streams = list(source.streams.audio)
        tracks = {stream.index: _Track(_codec(stream)) for stream in streams}
        zero = origin_of(source) + start
        for packet in source.demux(streams) if streams else ():
            if packet.dts is None or not packet.size:
                continue
            base = Fraction(packet.time_base)
            heard = packet.dts if packet.pts is None else packet.pts
            tracks[packet.stream.index].take(
                bytes(packet),
                float(heard * base - zero),
                float((packet.duration or 0) * base),
            )
    return [track.sound() for track in tracks.values()]


def _codec(stream: Any) -> str:
    context = stream.codec_context
    return context.name if context else ""


def compare_sounds(
    before: Sequence[Sound],
    after: Sequence[Sound],
    part: tuple[float, float],
    wanted: str | None,
) -> Iterator[Difference]:
    """Compare the sounds of an output with those of its input.

    Args:
        before: the sounds of the input.
        after: those of the output.
        part: from when to when the input's are to be there, in seconds from the first
            frame.
        wanted: "keep" or "drop", as the run was told; None if that is not known.
    """
    if wanted == "drop":
        if after:
            yield Difference(True, "it has sound, which was to be left out")
        return
    if len(after) > len(before):
        yield Difference(True, "it has a sound that is not the input's")
    lost = len(before) - len(after)
    if lost > 0 and (after or wanted == "keep"):
        yield Difference(True, f"{lost} of {len(before)} sound tracks are lost")
    elif lost > 0:
        yield Difference(False, "it has no sound; its input has")
    for number, (was, now) in enumerate(zip(before, after, strict=False), start=1):
        name = "its sound" if len(before) == 1 else f"its sound {number}"
        yield from _compare(was, now, part, name)


def _compare(
    was: Sound, now: Sound, part: tuple[float, float], name: str
) -> Iterator[Difference]:
    begin, end = part[0], min(part[1], was.end)
    is_shared = np.isin(now.digests, was.digests)
    if was.codec != now.codec or not len(now.times) or is_shared.mean() < _ANEW:
        yield from _by_length(now, begin, end, name)
        return
    numbers = _matched(was, now)
    is_equal = numbers >= 0
    is_there = np.zeros(len(was.digests), bool)
    is_there[numbers[is_equal]] = True
    slack = was.lasts + _ROUNDING
    is_wanted = (was.times >= begin + slack) & (was.times < end - slack)
    missing = was.times[is_wanted & ~is_there]
    wrong = now.times[~is_equal]
    if len(missing) or len(wrong):
        first = max(0.0, float(min(*missing[:1], *wrong[:1], np.inf)))
        yield Difference(
            True,
            f"{name} is not the input's from {clock(first)} on: {len(missing)} packets "
            f"are missing, {len(wrong)} are others",
        )
    late = now.times[is_equal] - was.times[numbers[is_equal]]
    worst = int(np.abs(late).argmax())
    if abs(late[worst]) > slack:
        word = "late" if late[worst] > 0 else "early"
        at = clock(max(0.0, float(now.times[is_equal][worst])))
        what = f"{name} is {abs(late[worst]):.2f} s {word} at {at}"
        yield Difference(True, what)


def _matched(was: Sound, now: Sound) -> NDArray[np.intp]:
    """For each packet of an output, the number of the same in the input, or -1.

    They come in the same order. Of several that are alike, as those of silence are, it
    is the one that is heard at the nearest time.
    """
    places: dict[int, list[int]] = {}
    for place, digest in enumerate(was.digests.tolist()):
        places.setdefault(digest, []).append(place)
    times = was.times.tolist()
    numbers = np.full(len(now.digests), -1, np.intp)
    last = -1
    heard = zip(now.digests.tolist(), now.times.tolist(), strict=True)
    for number, (digest, time) in enumerate(heard):
        alike = places.get(digest, [])
        after = bisect_right(alike, last)
        if after < len(alike):
            near = bisect_left(alike, time, after, key=times.__getitem__)
            last = min(
                alike[max(near - 1, after) : near + 1],
                key=lambda place: abs(times[place] - time),
            )
            numbers[number] = last
    return numbers


def _by_length(now: Sound, begin: float, end: float, name: str) -> Iterator[Difference]:
    """What can be said of a sound that was written anew."""
    first = float(now.times[0]) if len(now.times) else end
    slack = _SLACK + 2 * now.lasts
    if first > max(begin, 0.0) + slack or now.end < end - slack:
        what = f"{name} was written anew, and a part of it is lost"
        yield Difference(True, what)
    else:
        what = f"{name} was written anew: it was compared by its length only"
        yield Difference(False, what)
