"""Which encoder writes a film, and how it is told what quality is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from faceanon.errors import PictureError
from faceanon.media.video.frame import bits_of
from faceanon.media.video.library import library
from faceanon.media.video.options import PRESETS, Codec
from faceanon.storage.suffixes import FilmFormat

# What each container holds, that which is usual there first.
_HELD: Mapping[FilmFormat, tuple[Codec, ...]] = {
    "mp4": ("h264", "hevc", "av1", "vp9"),
    "mov": ("h264", "hevc"),
    "mkv": ("h264", "hevc", "vp9", "av1"),
    "webm": ("vp9", "av1"),
}

# Where the codec of an input is not written, or not with so many bits: these instead.
_NEXT: Mapping[Codec, tuple[Codec, ...]] = {
    "h264": ("hevc", "av1", "vp9"),
    "hevc": ("av1", "vp9", "h264"),
    "vp9": ("av1", "hevc", "h264"),
    "av1": ("hevc", "vp9", "h264"),
}

_USUAL_CRF: Mapping[Codec, int] = {"h264": 20, "hevc": 24, "vp9": 32, "av1": 32}
_MOST_CRF: Mapping[Codec, int] = {"h264": 51, "hevc": 51, "vp9": 63, "av1": 63}

# What SVT-AV1 and libvpx call the presets, from "ultrafast" on.
_AV1_PRESETS = (12, 11, 10, 9, 8, 7, 5, 4, 2)
_VP9_SPEEDS = (8, 8, 7, 6, 5, 4, 3, 2, 1)

_Options = dict[str, str]


def _x264(crf: int, preset: str) -> _Options:
    return {"crf": str(crf), "preset": preset}


def _x265(crf: int, preset: str) -> _Options:
    # Without the message in which it names itself and its settings.
    params = "info=0:log-level=none"
    return {"crf": str(crf), "preset": preset, "x265-params": params}


def _vp9(crf: int, preset: str) -> _Options:
    speed = _VP9_SPEEDS[PRESETS.index(preset)]
    deadline = "realtime" if speed > 4 else "good"
    return {
        "crf": str(crf),
        "b": "0",
        "deadline": deadline,
        "cpu-used": str(speed),
        "row-mt": "1",
    }


def _svtav1(crf: int, preset: str) -> _Options:
    return {"crf": str(crf), "preset": str(_AV1_PRESETS[PRESETS.index(preset)])}


def _nvenc(crf: int, preset: str) -> _Options:
    return {"rc": "vbr", "cq": str(crf)}


def _qsv(crf: int, preset: str) -> _Options:
    return {"global_quality": str(crf)}


def _amf(crf: int, preset: str) -> _Options:
    return {"rc": "cqp", "qp_i": str(crf), "qp_p": str(crf)}


def _videotoolbox(crf: int, preset: str) -> _Options:
    # Its scale runs from 1 to 100, and the other way.
    return {"q:v": str(max(1, round(100 - crf * 100 / 51)))}


def _openh264(crf: int, preset: str) -> _Options:
    return {"rc_mode": "quality", "qmin": str(crf), "qmax": str(crf)}


_ENCODERS: Mapping[Codec, Mapping[str, Callable[[int, str], _Options]]] = {
    "h264": {
        "libx264": _x264,
        "h264_videotoolbox": _videotoolbox,
        "h264_nvenc": _nvenc,
        "h264_qsv": _qsv,
        "h264_amf": _amf,
        "libopenh264": _openh264,
    },
    "hevc": {
        "libx265": _x265,
        "hevc_videotoolbox": _videotoolbox,
        "hevc_nvenc": _nvenc,
        "hevc_qsv": _qsv,
        "hevc_amf": _amf,
    },
    "vp9": {"libvpx-vp9": _vp9},
    "av1": {"libsvtav1": _svtav1, "av1_nvenc": _nvenc, "av1_qsv": _qsv},
}


@dataclass(frozen=True, slots=True)
class Encoder:
    """What writes the picture of a film.

    Attributes:
        codec: how it is compressed.
        name: of the encoder, in FFmpeg's words.
        pixel_format: what it takes.
        options: for it.
    """

    codec: Codec
    name: str
    pixel_format: str
    options: Mapping[str, str]


def choose_encoder(
    codec: str,
    frame: Any,
    container: FilmFormat,
    *,
    wanted: Codec | None,
    crf: int | None,
    preset: str,
) -> Encoder:
    """The encoder for a film.

    Args:
        codec: how the input is compressed, in FFmpeg's words.
        frame: one of its frames, as decoded.
        container: what it is to be put into.
        wanted: the codec that is asked for; None for that of the input.
        crf: the quality that is asked for; None for the usual.
        preset: one of `PRESETS`.

    Raises:
        PictureError: nothing here writes such a film.
    """
    held = _HELD[container]
    if wanted is not None:
        if wanted not in held:
            raise PictureError(
                f"{container} does not hold {wanted}; use --video-codec {held[0]} or "
                "--format mkv"
            )
        candidates: tuple[Codec, ...] = (wanted,)
    else:
        like = _like(codec)
        first = like if like in held else held[0]
        candidates = (first, *(other for other in _NEXT[first] if other in held))
    for candidate in candidates:
        for name, options_of in _ENCODERS[candidate].items():
            pixel_format = _held_by(name, frame)
            if pixel_format is not None:
                usual = _USUAL_CRF[candidate]
                quality = min(usual if crf is None else crf, _MOST_CRF[candidate])
                return Encoder(
                    candidate, name, pixel_format, options_of(quality, preset)
                )
    bits = bits_of(frame.format)
    raise PictureError(
        f"nothing is installed that writes {' or '.join(candidates)} with {bits} bits "
        f"and pixels like {frame.format.name} into {container}"
    )


def _like(codec: str) -> Codec | None:
    names: dict[str, Codec] = {
        "h264": "h264",
        "hevc": "hevc",
        "vp8": "vp9",
        "vp9": "vp9",
        "av1": "av1",
        "libdav1d": "av1",
    }
    return names.get(codec)


def _held_by(name: str, frame: Any) -> str | None:
    """The format of pixels in which an encoder holds all of a frame; None for none."""
    av = library()
    try:
        formats = av.Codec(name, "w").video_formats or ()
    except av.codec.codec.UnknownCodecError:
        return None
    planar = {one.name: one for one in formats if _is_planar(one)}
    own = frame.format.name
    is_odd_420 = (frame.width % 2 or frame.height % 2) and "libx26" in name
    if own in planar and not (is_odd_420 and "444" not in own):
        return str(own)
    # No fewer bits, and no fewer colours in a row or a column; as few more as can be.
    bits = bits_of(frame.format)
    across, down = _colors_of(frame.format)
    fitting = []
    for other in planar.values():
        other_across, other_down = _colors_of(other)
        if bits_of(other) < bits or other_across < across or other_down < down:
            continue
        if is_odd_420 and (other_across, other_down) != (64, 64):
            continue
        cost = bits_of(other), other_across * other_down, other.name.startswith("gray")
        fitting.append((cost, other.name))
    return min(fitting)[1] if fitting else None


def _is_planar(format_: Any) -> bool:
    """Whether each plane holds one component."""
    planes = [component.plane for component in format_.components]
    is_plain = len(set(planes)) == len(planes) and not format_.is_big_endian
    return is_plain and not any(one.is_alpha for one in format_.components)


def _colors_of(format_: Any) -> tuple[int, int]:
    """How many colours a format holds in 64 pixels of a row, and of a column.

    Grey has none of its own, but needs none more than others have.
    """
    if len(format_.components) == 1:
        return 0, 0
    return format_.chroma_width(64), format_.chroma_height(64)
