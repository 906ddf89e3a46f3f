"""Frames to films: the picture is encoded anew, the sounds are copied, nothing else.

What is written is made from a list of what may be there: one stream of pictures, the
sounds, when it was filmed, and in which languages people speak. Nothing is copied that
is not on it, as chapters, tags and tracks of data tell names and places.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from itertools import chain
from typing import Any, BinaryIO

from faceanon.media.clip import Frame
from faceanon.media.video.encoders import Encoder, choose_encoder
from faceanon.media.video.frame import FilmFrame
from faceanon.media.video.library import explained, library
from faceanon.media.video.reading import PositionedFile, VideoClip
from faceanon.media.video.sound import Sounds
from faceanon.media.write_options import WriteOptions
from faceanon.storage.suffixes import FilmFormat

# Messages in the picture's stream in which encoders name themselves and their settings,
# by codec: what a filter takes out of it (H.264, 7.4.1, type 6).
_FILTERS = {"libx264": "filter_units=remove_types=6"}

# Encoders write times in this unit where that of the input is too fine for them.
_FINEST = Fraction(1, 1_000_000)


def write_video(
    clip: VideoClip,
    frames: Iterator[Frame],
    target: BinaryIO,
    container: FilmFormat,
    options: WriteOptions,
) -> None:
    """Write a film.

    Args:
        clip: the input, of which the sounds are copied.
        frames: its frames, with what is to be changed in them.
        target: an empty file that can be read, written and sought in.
        container: what to write.
        options: how to write it.

    Raises:
        PictureError: the container cannot hold it, or it is damaged.
    """
    first = next(frames)
    encoder = choose_encoder(
        clip.codec,
        _decoded(first),
        container,
        wanted=options.video.video_codec,
        crf=options.video.crf,
        preset=options.video.preset,
    )
    with (
        explained(f"it cannot be written as {container}"),
        _Film(
            clip, target, container, encoder=encoder, first=first, options=options
        ) as film,
    ):
        for frame in chain([first], frames):
            film.add(frame)
        film.finish()


def _decoded(frame: Frame) -> Any:
    return _film_frame(frame).decoded


def _film_frame(frame: Frame) -> FilmFrame:
    source = frame.picture.source
    assert isinstance(source, FilmFrame), "it came from a film"
    return source


class _Film:
    """A film that is being written; a context manager."""

    def __init__(
        self,
        clip: VideoClip,
        target: BinaryIO,
        container: FilmFormat,
        *,
        encoder: Encoder,
        first: Frame,
        options: WriteOptions,
    ) -> None:
        self._clip = clip
        self._encoder = encoder
        # Picture and sound are shifted alike, or not at all.
        is_cut = clip.options.start is not None and first.time is not None
        self._start = first.time if is_cut and first.time else Fraction(0)
        av = library()
        movie_flags = {"movflags": "+faststart"} if container in ("mp4", "mov") else {}
        self._output = av.open(
            _Target(target),
            "w",
            format="matroska" if container == "mkv" else container,
            options=movie_flags,
            # To move the index to the front, it reads what it has written.
            io_open=lambda *_: PositionedFile(target),
        )
        # Nothing that says by which program, and no random numbers.
        self._output.flags |= av.container.Flags.bitexact.value
        captured = clip.metadata.kept(options.metadata).captured
        if captured is not None:
            self._output.metadata["creation_time"] = _told(captured)
        self._stream = self._made_stream(_decoded(first), container)
        self._filter: Any = None
        self._sounds = Sounds(clip, self._output, container, self._start)

    def _made_stream(self, decoded: Any, container: FilmFormat) -> Any:
        clip, encoder = self._clip, self._encoder
        stream = self._output.add_stream(
            encoder.name, rate=clip.rate, options=dict(encoder.options)
        )
        context = stream.codec_context
        context.width, context.height = clip.header.width, clip.header.height
        context.pix_fmt = _upright_format(encoder.pixel_format, decoded)
        context.time_base = stream.time_base = max(clip.time_base, _FINEST)
        if clip.aspect != 1:
            context.sample_aspect_ratio = clip.aspect
        for name in ("color_range", "colorspace", "color_primaries", "color_trc"):
            setattr(context, name, getattr(decoded, name))
        context.thread_count = clip.threads
        if decoded.interlaced_frame and encoder.name == "libx264":
            context.flags |= int(library().codec.context.Flags.interlaced_dct)
        if container in ("mp4", "mov") and encoder.codec == "hevc":
            context.codec_tag = "hvc1"  # as Apple's players want it
        return stream

    def add(self, frame: Frame) -> None:
        """Write the next frame, and the sounds up to it."""
        planes = _film_frame(frame).planes(self._encoder.pixel_format)
        if frame.is_damaged:
            planes.cover()
        elif frame.edit is not None:
            planes.change(frame.edit)
        new, time = planes.frame, frame.time
        assert time is not None, "frames of films have times"
        base = self._stream.codec_context.time_base
        new.pts, new.time_base = round((time - self._start) / base), base
        for packet in self._stream.encode(new):
            self._put(packet)
        self._sounds.copy_until(time)

    def _put(self, packet: Any) -> None:
        for clean in self._filtered(packet):
            clean.stream = self._stream
            self._output.mux(clean)

    def _filtered(self, packet: Any) -> list[Any]:
        name = _FILTERS.get(self._encoder.name)
        if name is None:
            return [packet]
        if self._filter is None:
            self._filter = library().bitstream.BitStreamFilterContext(
                name, self._stream
            )
        clean: list[Any] = self._filter.filter(packet)
        return clean

    def finish(self) -> None:
        """Write what is left, and the index."""
        for packet in self._stream.encode():
            self._put(packet)
        self._sounds.finish(self._clip.options.end)
        self._output.close()

    def __enter__(self) -> "_Film":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._sounds.close()
        if kind is not None:
            # What is not finished cannot be closed without more errors.
            with suppress(Exception):
                self._output.close()


def _upright_format(name: str, decoded: Any) -> str:
    """The format of pixels of the frames that `FilmFrame.planes` gives."""
    return str(FilmFrame(decoded, int(decoded.rotation)).planes(name).frame.format.name)


def _told(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class _Target(PositionedFile):
    """A file that is written to, and read by others meanwhile; it stays open."""

    def write(self, data: Any) -> int:
        """Write at the place where it is."""
        self._file.seek(self._position)
        written = self._file.write(data)
        self._position += written
        return written
