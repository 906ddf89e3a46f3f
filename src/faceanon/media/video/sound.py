"""The sounds of a film: copied bit for bit, or written anew where they must be."""

import re
from fractions import Fraction
from typing import Any, Protocol

from faceanon.media.video.library import library
from faceanon.media.video.reading import VideoClip, origin_of
from faceanon.storage.suffixes import FilmFormat

_LANGUAGE = re.compile("[a-z]{3}")

# What sounds become that a container does not hold: without loss where they had none.
_LOSSLESS, _LOSSY = "alac", {"webm": "libopus"}
_USUAL_LOSSY = "aac"

# In bits a second, and in samples a second.
_BIT_RATE, _OPUS_RATE = 192_000, 48_000


class _Track(Protocol):
    """One of the sounds."""

    def take(self, packet: Any, shift: int) -> None:
        """Write a packet, its times moved by so much in its own unit."""

    def finish(self) -> None:
        """Write what is left."""


class Sounds:
    """The sounds of a film, which go where its picture goes.

    Args:
        clip: the film; its sounds are read by themselves.
        output: the container that is written.
        container: which it is.
        start: by how much all times are moved to the beginning, in seconds.
    """

    def __init__(
        self, clip: VideoClip, output: Any, container: FilmFormat, start: Fraction
    ) -> None:
        self._start = start
        self._opened = clip.opened()
        self._source = self._opened.__enter__()
        self._tracks: dict[int, _Track] = {}
        self._before: dict[int, Any] = {}
        streams = []
        if clip.options.sound == "keep":
            for sound in self._source.streams.audio:
                self._tracks[sound.index] = _track(clip, sound, output, container)
                streams.append(sound)
        self._origin = origin_of(self._source) + start
        self._packets = self._source.demux(streams) if streams else iter(())
        self._held: Any = None

    def copy_until(self, time: Fraction | None) -> None:
        """Write what is heard up to a time, in seconds of the input; None for all."""
        while True:
            packet = self._held or next(self._packets, None)
            self._held = None
            if packet is None:
                return
            if packet.dts is None:
                continue
            heard = packet.dts * Fraction(packet.time_base) - self._origin
            if time is not None and heard + self._start >= time:
                self._held = packet
                return
            self._take(packet)

    def _take(self, packet: Any) -> None:
        index = packet.stream.index
        base = Fraction(packet.time_base)
        begins = packet.dts if packet.pts is None else packet.pts
        ends = (begins + (packet.duration or 0)) * base - self._origin
        # What is cut away is not there; but a decoder needs the packet before the
        # first, to begin with (its priming).
        if packet.is_discard or ends <= 0:
            self._before[index] = packet
            return
        for one in filter(None, (self._before.pop(index, None), packet)):
            self._tracks[index].take(one, round(self._origin / base))

    def finish(self, end: Fraction | None) -> None:
        """Write what is left, up to a time in seconds of the input; None for all."""
        self.copy_until(end)
        for track in self._tracks.values():
            track.finish()

    def close(self) -> None:
        """Close the input."""
        self._opened.__exit__(None, None, None)


def _track(clip: VideoClip, sound: Any, output: Any, container: FilmFormat) -> _Track:
    codec = sound.codec_context.name if sound.codec_context else ""
    track: _Copied | _Anew
    if _is_held(codec, output, container):
        track = _Copied(sound, output)
    else:
        is_lossless = codec.startswith("pcm_") and container in ("mp4", "mov")
        name = _LOSSLESS if is_lossless else _LOSSY.get(container, _USUAL_LOSSY)
        clip.notes.append(
            f"its sound is {codec}, which {container} does not hold: written as "
            f"{name.removeprefix('lib')}"
        )
        track = _Anew(sound, output, name)
    if _LANGUAGE.fullmatch(sound.language or ""):
        track.stream.metadata["language"] = sound.language
    return track


def _is_held(codec: str, output: Any, container: FilmFormat) -> bool:
    """Whether a container takes a sound as it is."""
    if codec.startswith("pcm_"):
        # MP4 would need to be told which channel is which, which files do not say.
        return container in ("mov", "mkv")
    return codec in output.supported_codecs


class _Copied:
    """A sound that is copied."""

    def __init__(self, sound: Any, output: Any) -> None:
        self._output = output
        self.stream = output.add_stream_from_template(sound)

    def take(self, packet: Any, shift: int) -> None:
        """See `_Track`."""
        if packet.pts is not None:
            packet.pts -= shift
        packet.dts -= shift
        packet.stream = self.stream
        self._output.mux(packet)

    def finish(self) -> None:
        """See `_Track`."""


class _Anew:
    """A sound that is encoded anew."""

    def __init__(self, sound: Any, output: Any, name: str) -> None:
        self._output = output
        context = sound.codec_context
        # Opus knows few rates, and resamples to the highest of them anyway.
        rate = _OPUS_RATE if name == "libopus" else context.rate
        self.stream = output.add_stream(name, rate=rate)
        encoder = self.stream.codec_context
        encoder.layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        if name != _LOSSLESS:
            encoder.bit_rate = _BIT_RATE
        encoder.open()
        self._resampler = library().AudioResampler(
            encoder.format, encoder.layout, encoder.rate, encoder.frame_size or None
        )

    def take(self, packet: Any, shift: int) -> None:
        """See `_Track`."""
        for frame in packet.decode():
            if frame.pts is not None:
                frame.pts -= shift
            self._encode(frame)

    def _encode(self, frame: Any) -> None:
        for part in self._resampler.resample(frame):
            for packet in self.stream.encode(part):
                self._output.mux(packet)

    def finish(self) -> None:
        """See `_Track`."""
        self._encode(None)
        for packet in self.stream.encode():
            self._output.mux(packet)
