"""Pixels to a JPEG XL that holds a profile, a block of EXIF, and nothing else."""

import ctypes
from collections.abc import Iterator

import cv2
import numpy as np

from faceanon.media.formats.jxl.library import (
    FLOAT,
    PRIMARIES,
    TRANSFERS,
    UINT8,
    UINT16,
    BasicInfo,
    ColorEncoding,
    ExtraChannelInfo,
    PixelFormat,
    libjxl,
)
from faceanon.model import Image

# Names and values of encode.h.
_SUCCESS, _NEED_MORE_OUTPUT = 0, 2
_EFFORT, _ALPHA = 0, 0

# Beyond these, files get a few hundredths smaller, at two to three times the time.
_LOSSLESS_EFFORT, _LOSSY_EFFORT = 3, 5
# libjxl 0.12.0 refuses negative numbers below this (its issue 4902).
_FLOATING_EFFORT = 4

_CODES = {"u1": UINT8, "u2": UINT16, "f4": FLOAT}
_PROFILE_COLOR_SPACE = slice(16, 20)
_BLOCK = 2**20


def write(
    pixels: Image,
    icc_profile: bytes | None,
    exif: bytes,
    quality: int | None,
    *,
    code_points: tuple[int, int] | None = None,
    is_premultiplied: bool = False,
) -> bytes:
    """The bytes of a file.

    Args:
        pixels: upright; shape (H, W) grey, (H, W, 3) BGR or (H, W, 4) BGRA; uint8,
            uint16 or float32.
        icc_profile: their colour profile; None for sRGB, or linear sRGB in floating
            point.
        exif: a block of EXIF; empty for none.
        quality: 1 to 99, taken for a distance as by libjxl's own tools; None to
            store the pixels exactly.
        code_points: primaries and transfer by ITU-T H.273, which then stand for the
            profile.
        is_premultiplied: whether the colours are multiplied by alpha.

    Raises:
        PictureError: there is no library to write it with.
        ValueError: libjxl refuses it, or has no name for the code points.
    """
    encoder = _Encoder()
    try:
        pixels = _in_order(pixels, icc_profile)
        encoder.describe(pixels, is_premultiplied, is_lossless=quality is None)
        if code_points is None and icc_profile is not None:
            encoder.set_profile(icc_profile)
        else:
            encoder.set_colors(pixels, code_points)
        if exif:
            encoder.add_exif(exif)
        encoder.add_frame(pixels, quality)
        return b"".join(encoder.output())
    finally:
        encoder.close()


def _in_order(pixels: Image, icc_profile: bytes | None) -> Image:
    """RGB, or grey where the profile is: shape (H, W, 1 to 4), without gaps."""
    is_grey = pixels.ndim == 2
    if icc_profile is not None:
        is_grey = icc_profile[_PROFILE_COLOR_SPACE] == b"GRAY"
    if pixels.ndim == 2:
        return np.dstack((pixels,) * (1 if is_grey else 3))
    color = pixels[:, :, :3]
    color = cv2.cvtColor(color, cv2.COLOR_BGR2GRAY if is_grey else cv2.COLOR_BGR2RGB)
    return np.dstack((color, pixels[:, :, 3:]))


class _Encoder:
    """An encoder of libjxl; its methods raise ValueError where that refuses."""

    def __init__(self) -> None:
        self._library = libjxl()
        self._encoder = self._library.JxlEncoderCreate(None)
        if self._encoder is None:
            raise MemoryError

    def close(self) -> None:
        self._library.JxlEncoderDestroy(self._encoder)

    def _check(self, status: int) -> None:
        if status != _SUCCESS:
            code = self._library.JxlEncoderGetError(self._encoder)
            raise ValueError(f"libjxl refuses it with error {code:#x}")

    def describe(
        self, pixels: Image, is_premultiplied: bool, *, is_lossless: bool
    ) -> None:
        info = BasicInfo()
        self._library.JxlEncoderInitBasicInfo(info)
        info.ysize, info.xsize, channels = pixels.shape
        info.bits_per_sample = 8 * pixels.itemsize
        info.exponent_bits_per_sample = 8 if pixels.dtype.kind == "f" else 0
        info.num_color_channels = 1 if channels < 3 else 3
        has_alpha = channels in (2, 4)
        if has_alpha:
            info.num_extra_channels = 1
            info.alpha_bits = info.bits_per_sample
        info.uses_original_profile = is_lossless
        self._check(self._library.JxlEncoderSetBasicInfo(self._encoder, info))
        if has_alpha:
            alpha = ExtraChannelInfo()
            self._library.JxlEncoderInitExtraChannelInfo(_ALPHA, alpha)
            alpha.bits_per_sample = info.alpha_bits
            alpha.alpha_premultiplied = is_premultiplied
            describe = self._library.JxlEncoderSetExtraChannelInfo
            self._check(describe(self._encoder, 0, alpha))

    def set_profile(self, icc_profile: bytes) -> None:
        set_profile = self._library.JxlEncoderSetICCProfile
        self._check(set_profile(self._encoder, icc_profile, len(icc_profile)))

    def set_colors(self, pixels: Image, code_points: tuple[int, int] | None) -> None:
        name = "LinearSRGB" if pixels.dtype.kind == "f" else "SRGB"
        colors, is_grey = ColorEncoding(), pixels.shape[2] < 3
        getattr(self._library, f"JxlColorEncodingSetTo{name}")(colors, is_grey)
        if code_points is not None:
            primaries, transfer = code_points
            if primaries not in PRIMARIES or transfer not in TRANSFERS:
                raise ValueError(f"there is no name for its colours, {code_points}")
            colors.primaries = PRIMARIES[primaries]
            colors.transfer_function = TRANSFERS[transfer]
        self._check(self._library.JxlEncoderSetColorEncoding(self._encoder, colors))

    def add_exif(self, exif: bytes) -> None:
        box = bytes(4) + exif  # how many bytes further on the block begins
        self._check(self._library.JxlEncoderUseBoxes(self._encoder))
        add = self._library.JxlEncoderAddBox
        self._check(add(self._encoder, b"Exif", box, len(box), False))

    def add_frame(self, pixels: Image, quality: int | None) -> None:
        library = self._library
        settings = library.JxlEncoderFrameSettingsCreate(self._encoder, None)
        if quality is None:
            is_floating = pixels.dtype.kind == "f"
            effort = _FLOATING_EFFORT if is_floating else _LOSSLESS_EFFORT
            self._check(library.JxlEncoderSetFrameLossless(settings, True))
        else:
            effort = _LOSSY_EFFORT
            distance = library.JxlEncoderDistanceFromQuality(quality)
            self._check(library.JxlEncoderSetFrameDistance(settings, distance))
            if pixels.shape[2] in (2, 4):
                exactly = library.JxlEncoderSetExtraChannelDistance
                self._check(exactly(settings, 0, 0))
        choose = library.JxlEncoderFrameSettingsSetOption
        self._check(choose(settings, _EFFORT, effort))
        layout = PixelFormat(pixels.shape[2], _CODES[pixels.dtype.str[1:]])
        add = library.JxlEncoderAddImageFrame
        self._check(add(settings, layout, pixels.ctypes.data, pixels.nbytes))
        library.JxlEncoderCloseInput(self._encoder)

    def output(self) -> Iterator[bytes]:
        room = ctypes.create_string_buffer(_BLOCK)
        status = _NEED_MORE_OUTPUT
        while status == _NEED_MORE_OUTPUT:
            place = ctypes.c_void_p(ctypes.addressof(room))
            left = ctypes.c_size_t(_BLOCK)
            process = self._library.JxlEncoderProcessOutput
            status = process(self._encoder, place, left)
            yield room.raw[: _BLOCK - left.value]
        self._check(status)
