"""Films to frames: opening a container, and walking its picture."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from itertools import chain
from typing import Any, BinaryIO

from faceanon.errors import PictureError
from faceanon.media.clip import Frame, Header
from faceanon.media.metadata import Metadata
from faceanon.media.opening import check_size
from faceanon.media.picture import Encoding, Picture
from faceanon.media.video.containers import Container
from faceanon.media.video.frame import TRANSPARENT, FilmFrame, check_format
from faceanon.media.video.library import clock, explained, library
from faceanon.media.video.options import VideoOptions

# A film may end so much earlier than its container says, in seconds, or frames.
_MISSING_SECONDS, _MISSING_FRAMES = Fraction(1, 2), 2

_PLAIN_ROTATIONS = (0, 90, 180, 270)

# Codecs of which a packet is a frame in all containers.
_PACKET_A_FRAME = frozenset(
    ["h264", "hevc", "mpeg4", "vp9", "av1", "mjpeg", "prores", "ffv1"]
)

# So many seconds before a frame its keyframe is looked for, one after the other: that
# which a container names for a time may be one that is shown later.
_EARLIER = (0, 2, 20)


class PositionedFile:
    """A file with a position of its own, as others read it meanwhile.

    Args:
        file: can be sought in.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._position = 0

    def read(self, size: int) -> bytes:
        """Up to so many of the next bytes."""
        self._file.seek(self._position)
        data = self._file.read(size)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place, as files do."""
        if whence == io.SEEK_END:
            start = self._file.seek(0, io.SEEK_END)
        else:
            start = self._position if whence == io.SEEK_CUR else 0
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        """The place of the next byte."""
        return self._position


@dataclass
class VideoClip:
    """A film, open for reading; see `Clip`.

    Attributes:
        file: the film.
        container: what it is in.
        options: which part of it to read, and what to do with damage.
        max_pixels: refuse frames of more pixels than this.
        threads: how many it may be decoded with.
        header: what is known of it.
        codec: how the picture is compressed, in FFmpeg's words.
        rate: frames in a second, on average.
        time_base: the unit of the times, in seconds.
        aspect: how much wider than high a pixel is shown, upright.
        metadata: what may be kept.
        has_sound: whether there is any that is to be kept.
        notes: what the user should know, as far as it is known.
    """

    file: BinaryIO
    container: Container
    options: VideoOptions
    max_pixels: int
    threads: int = 1
    header: Header = field(init=False)
    codec: str = field(init=False)
    rate: Fraction = field(init=False)
    time_base: Fraction = field(init=False)
    aspect: Fraction = field(init=False)
    metadata: Metadata = field(init=False)
    has_sound: bool = field(init=False)
    notes: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Read the header, and the first frame."""
        with self.opened() as source:
            stream = self._stream(source)
            context = stream.codec_context
            check_size((context.width, context.height), self.max_pixels)
            self.metadata = Metadata(captured=_created(source))
            self._note_what_is_left_out(source, stream)
            self.codec = context.name
            is_kept = self.options.sound == "keep"
            self.has_sound = is_kept and bool(source.streams.audio)
            self.rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
            self.time_base = Fraction(stream.time_base)
            length = stream.frames or _length(source) * self.rate
            first = next(self._decoded(source, stream), None)
        if first is None:
            raise PictureError("it has no picture that can be shown")
        frame = FilmFrame(first, _rotation(first))
        check_format(first.format)
        aspect = Fraction(context.sample_aspect_ratio or 1)
        self.aspect = 1 / aspect if frame.rotation % 180 else aspect
        if first.interlaced_frame:
            self.notes.append("it is interlaced, and its lines are kept woven")
        height, width = frame.shape
        # A frame that becomes a picture is one without loss.
        self.header = Header("png", "film", width, height, max(2, round(length)))

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """The container, from its beginning.

        Raises:
            PictureError: it is damaged; also while it is open.
        """
        with (
            explained("it is damaged"),
            library().open(
                PositionedFile(self.file),
                format=self.container.demuxer,
                metadata_errors="replace",
            ) as source,
        ):
            yield source

    def _stream(self, source: Any) -> Any:
        """The one stream of pictures.

        Raises:
            PictureError: there is none, or there are several.
        """
        pictures = [stream for stream in source.streams.video if not _is_cover(stream)]
        if not pictures:
            raise PictureError("it has no picture, only sound or data")
        if len(pictures) > 1:
            numbers = ", ".join(str(stream.index) for stream in pictures)
            raise PictureError(
                f"it shows {len(pictures)} pictures at once (streams {numbers}), which "
                "is not supported; take one of them out first"
            )
        (stream,) = pictures
        if stream.codec_context is None:
            raise PictureError("its picture is in a format that is not known")
        if stream.metadata.get("alpha_mode") == "1":
            # A second stream of VP8 and VP9, which their decoders leave out.
            raise PictureError(TRANSPARENT)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = self.threads
        return stream

    def _note_what_is_left_out(self, source: Any, stream: Any) -> None:
        kinds = {
            "cover picture": sum(_is_cover(one) for one in source.streams.video),
            "subtitle track": len(source.streams.subtitles),
            "data track": len(source.streams.data),
            "attachment": len(source.streams.attachments),
            "chapter": len(source.chapters()),
        }
        if self.options.sound == "drop":
            kinds["sound track"] = len(source.streams.audio)
        said = [
            f"{count} {kind}{'s' if count > 1 else ''}"
            for kind, count in kinds.items()
            if count
        ]
        if said:
            self.notes.append(f"left out: {', '.join(said)}")
        if not self.container.has_end:
            self.notes.append(
                f"it is {self.container.name}, which does not say how long it is: a "
                "missing end is not noticed"
            )

    def _decoded(self, source: Any, stream: Any) -> Iterator[Any]:
        """The frames as they are decoded; of packets that are damaged, none."""
        for packet in source.demux(stream):
            yield from packet.decode()

    def frames(self) -> Iterator[Frame]:
        """See `Clip`."""
        with self.opened() as source:
            stream = self._stream(source)
            walk = _Walk(source, stream, self.options, self.rate)
            yield from self._shown(walk.frames())

    def frames_from(self, time: Fraction) -> Iterator[Frame]:
        """The frames from one of them on, as `frames` gives them, but sooner.

        What comes before is not decoded, but from the keyframe on that is needed.

        Args:
            time: when the first of them is shown.

        Raises:
            PictureError: it is damaged, or this frame cannot be reached in this way.
        """
        for earlier in _EARLIER:
            with self.opened() as source:
                stream = self._stream(source)
                place = time - earlier + origin_of(source)
                source.seek(int(place / self.time_base), stream=stream)
                walk = _Walk(source, stream, self.options, self.rate).frames()
                is_begun = False
                for first in walk:
                    decoded, at, _ = first
                    # What is shown before its keyframe may lack what it was made from.
                    is_begun |= bool(decoded.key_frame)
                    if is_begun and at == time:
                        yield from self._shown(chain([first], walk))
                        return
                    if at >= time:
                        break
        raise PictureError(f"nothing is shown at {clock(float(time))}")

    def _shown(self, walk: Iterable[tuple[Any, Fraction, bool]]) -> Iterator[Frame]:
        """The frames of a walk between `--from` and `--to`."""
        options = self.options
        encoding = Encoding("png")  # of a frame that becomes a picture
        pending: Frame | None = None
        for decoded, time, is_damaged in walk:
            if options.start is not None and time < options.start:
                continue
            if options.end is not None and time >= options.end:
                break
            check_size((decoded.width, decoded.height), self.max_pixels)
            frame = FilmFrame(decoded, _rotation(decoded))
            if frame.shape != (self.header.height, self.header.width):
                raise PictureError(
                    f"its size changes at {clock(float(time))}, which is not "
                    "supported; split it there"
                )
            check_format(decoded.format)
            picture = Picture(frame, encoding, None, self.metadata)
            if pending is not None:
                assert pending.time is not None, "it was set"
                yield _lasting(pending, time - pending.time)
            pending = Frame(picture, 0.0, None, time, is_damaged)
        if pending is None:
            raise PictureError("it shows nothing between --from and --to")
        yield _lasting(pending, 1 / self.rate)

    def frame_times(self) -> list[Fraction] | None:
        """When each frame is shown, without decoding any.

        It is told by the packets; see `Frame.time`. Not known of films whose packets do
        not tell it, as each must be one frame.
        """
        if self.codec not in _PACKET_A_FRAME:
            return None
        options, times = self.options, list[Fraction]()
        with self.opened() as source:
            stream, origin, is_begun = self._stream(source), origin_of(source), False
            for packet in source.demux(stream):
                is_begun |= bool(packet.is_keyframe and packet.size)
                if not is_begun or not packet.size or packet.is_discard:
                    continue
                if packet.pts is None:
                    return None
                times.append(packet.pts * Fraction(packet.time_base) - origin)
        return [
            time
            for time in sorted(times)
            if (options.start is None or time >= options.start)
            and (options.end is None or time < options.end)
        ]


def _lasting(frame: Frame, seconds: Fraction) -> Frame:
    return Frame(frame.picture, float(seconds), None, frame.time, frame.is_damaged)


class _Walk:
    """One walk over the frames of a film, which notices what is wrong with it."""

    def __init__(
        self, source: Any, stream: Any, options: VideoOptions, rate: Fraction
    ) -> None:
        self._source = source
        self._stream = stream
        self._covers = options.damaged == "cover"
        self._stops_early = options.end is not None
        self._rate = rate
        self._start = origin_of(source)
        self._last = Fraction(-1)
        self._end = Fraction(0)
        self._next = Fraction(0)
        self._is_broken = False

    def frames(self) -> Iterator[tuple[Any, Fraction, bool]]:
        """Each frame, when it is shown, and whether it is damaged."""
        streams = [self._stream, *self._source.streams.audio]
        is_begun = False
        for packet in self._source.demux(streams):
            if packet.stream.type != "video":
                self._note_end(packet)
                continue
            if not is_begun and packet.size:
                # Frames that are predicted from what is not there are none.
                is_begun = packet.is_keyframe
                if not is_begun:
                    continue
            if packet.is_corrupt and not self._covers:
                raise self._damage()
            for decoded in self._decoded(packet):
                time = self._time(decoded)
                if decoded.is_corrupt or packet.is_corrupt:
                    self._is_broken = True
                elif decoded.key_frame:
                    # What is predicted from damage is damaged, until here.
                    self._is_broken = False
                if self._is_broken and not self._covers:
                    raise self._damage()
                yield decoded, time, self._is_broken
        self._check_end()

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            frames: list[Any] = packet.decode()
        except library().error.FFmpegError as error:
            if self._covers:
                self._is_broken = True
                return []
            raise self._damage() from error
        return frames

    def _time(self, decoded: Any) -> Fraction:
        """When a frame is shown, from the beginning of the film on."""
        if decoded.pts is None:
            time = self._next
        else:
            time = decoded.pts * Fraction(decoded.time_base) - self._start
        if time <= self._last:
            raise PictureError(
                f"its times jump back at {clock(float(self._last))}, as where two "
                "recordings were joined; split it there"
            )
        self._last = time
        lasts = decoded.duration
        self._next = time + (
            lasts * Fraction(decoded.time_base) if lasts else 1 / self._rate
        )
        self._end = max(self._end, self._next)
        return time

    def _note_end(self, packet: Any) -> None:
        if packet.pts is not None:
            end = (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base)
            self._end = max(self._end, end - self._start)

    def _check_end(self) -> None:
        length = _length(self._source)
        missing = length - self._end
        if missing > max(_MISSING_SECONDS, _MISSING_FRAMES / self._rate):
            raise PictureError(
                f"it ends at {clock(float(self._end))}, and should be "
                f"{clock(float(length))} long: its end is missing"
            )

    def _damage(self) -> PictureError:
        return PictureError(
            f"it is damaged at {clock(float(self._next))}; --damaged cover paints over "
            "such frames"
        )


def origin_of(source: Any) -> Fraction:
    """The time at which an open film begins, in seconds.

    Streams of broadcasts and cameras begin anywhere. Times before 0 are those of what a
    decoder needs to begin with.
    """
    return Fraction(max(source.start_time or 0, 0), library().time_base)


def _length(source: Any) -> Fraction:
    """How long a film says it is, in seconds; 0 where it does not."""
    return Fraction(source.duration or 0, library().time_base)


def _is_cover(stream: Any) -> bool:
    """Whether a stream is one picture beside the film."""
    disposition = library().stream.Disposition
    beside = disposition.attached_pic | disposition.timed_thumbnails
    return bool(stream.disposition & beside)


def _rotation(frame: Any) -> int:
    """By how much a frame is to be turned, in degrees, counter-clockwise.

    Raises:
        PictureError: it would not be upright by any quarter.
    """
    rotation = int(frame.rotation) % 360
    if rotation not in _PLAIN_ROTATIONS:
        raise PictureError(
            f"it is turned by {rotation} degrees, which is not supported; turn it by "
            "quarters"
        )
    return rotation


def _created(source: Any) -> datetime | None:
    """When it was filmed, in UTC."""
    try:
        created = datetime.fromisoformat(source.metadata.get("creation_time", ""))
    except ValueError:
        return None
    # Cameras without a clock say 1904 or 1970.
    return created.astimezone(UTC) if created.year > 1970 else None
