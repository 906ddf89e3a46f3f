"""A JPEG XL to the pixels that are stored in it."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np

from faceanon.errors import PictureError
from faceanon.media.formats.jxl.library import (
    FLOAT,
    PRIMARIES,
    UINT8,
    UINT16,
    BasicInfo,
    ColorEncoding,
    PixelFormat,
    libjxl,
)
from faceanon.model import Image

# Names and values of decode.h and color_encoding.h.
_SUCCESS, _ERROR, _NEED_MORE_INPUT = 0, 1, 2
_NEED_IMAGE_OUT_BUFFER, _BOX_NEED_MORE_OUTPUT = 5, 7
_BASIC_INFO, _COLOR_ENCODING, _FULL_IMAGE = 0x40, 0x100, 0x1000
_BOX = 0x4000
_EVENTS = _BASIC_INFO | _COLOR_ENCODING | _FULL_IMAGE | _BOX
_ORIGINAL, _DATA = 0, 1
_RGB, _D65, _SRGB_PRIMARIES, _P3_PRIMARIES, _LINEAR, _SRGB_CURVE = 0, 1, 1, 11, 8, 13
_HDR = (16, 18)  # PQ and HLG, by the same numbers as in H.273

# Cameras write some kilobytes of EXIF; what is compressed can unpack to anything.
_MAX_EXIF = 2**24
_BLOCK = 2**16


@dataclass(frozen=True, slots=True)
class Stored:
    """What a JPEG XL holds.

    Attributes:
        pixels: as they are stored, not turned; shape (H, W), (H, W, 3) BGR or
            (H, W, 4) BGRA; uint8, uint16 or, without alpha, float32.
        icc_profile: of the pixels; None for sRGB, or linear sRGB in floating point.
        code_points: the primaries and the transfer of HDR, beside its profile, by
            ITU-T H.273; else None.
        exif: a block of EXIF; empty if there is none.
        is_lossless: whether no loss is known of.
        is_premultiplied: whether colours are multiplied by alpha.
    """

    pixels: Image
    icc_profile: bytes | None
    code_points: tuple[int, int] | None
    exif: bytes
    is_lossless: bool
    is_premultiplied: bool


class Source:
    """A JPEG XL of which the header is read at once, and all else on demand.

    Attributes:
        size: width and height in pixels, as stored.
        orientation: in which it is stored, 1 to 8, as in EXIF.
    """

    def __init__(self, decoder: int, data: bytes) -> None:
        """Read the header.

        Args:
            decoder: one of libjxl, just created.
            data: the whole file.

        Raises:
            PictureError: it is damaged.
        """
        self._library, self._decoder = libjxl(), decoder
        self._data = data  # libjxl does not copy it
        self._is_jpeg = False
        self._code_points: tuple[int, int] | None = None
        self._exif = bytearray()
        self._room_for_box: ctypes.Array[ctypes.c_char] | None = None
        self._info = BasicInfo()
        self._library.JxlDecoderSubscribeEvents(decoder, _EVENTS)
        self._library.JxlDecoderSetKeepOrientation(decoder, True)
        self._library.JxlDecoderSetDecompressBoxes(decoder, True)
        self._library.JxlDecoderSetInput(decoder, data, len(data))
        self._library.JxlDecoderCloseInput(decoder)
        self._events = self._process()
        if _BASIC_INFO not in self._events:  # goes on to the event
            raise PictureError("the file is damaged: it holds no picture")
        self._library.JxlDecoderGetBasicInfo(decoder, self._info)
        self.size = self._info.xsize, self._info.ysize
        self.orientation: int = self._info.orientation

    def read(self) -> Stored:
        """Decode it.

        Raises:
            PictureError: it is damaged, or of a kind that is not supported.
        """
        self._check_kind()
        pixels, icc_profile = None, None
        for event in self._events:
            if event == _COLOR_ENCODING:
                icc_profile = self._colors()
            elif event == _NEED_IMAGE_OUT_BUFFER:
                pixels = self._room_for_pixels()
        if pixels is None:
            raise PictureError("the file is damaged: it holds no picture")
        # The box begins with how many bytes further on the block begins.
        start = 4 + int.from_bytes(self._exif[:4])
        return Stored(
            _in_order(pixels),
            icc_profile,
            self._code_points,
            bytes(self._exif[start:]),
            # Lossy pixels are in colours of libjxl, or those of a JPEG.
            bool(self._info.uses_original_profile) and not self._is_jpeg,
            bool(self._info.alpha_premultiplied),
        )

    def _process(self) -> Iterator[int]:
        """The events but those of boxes, which are dealt with here."""
        process = self._library.JxlDecoderProcessInput
        is_complete = False
        while (event := process(self._decoder)) != _SUCCESS:
            if event in (_ERROR, _NEED_MORE_INPUT):
                if is_complete:  # what follows is not for libjxl
                    break
                raise PictureError("the file is damaged or truncated")
            if event in (_BOX, _BOX_NEED_MORE_OUTPUT):
                self._take_box()
                self._offer_room(is_new=event == _BOX)
            else:
                is_complete |= event == _FULL_IMAGE
                yield event
        self._take_box()

    def _offer_room(self, is_new: bool) -> None:
        """Have the content of a box read, if it is the first of EXIF."""
        if is_new:
            kind = ctypes.create_string_buffer(4)
            self._library.JxlDecoderGetBoxType(self._decoder, kind, True)
            self._is_jpeg |= kind.raw == b"jbrd"
            if kind.raw != b"Exif" or self._exif:
                return
        if len(self._exif) > _MAX_EXIF:
            raise PictureError(f"its EXIF unpacks to more than {_MAX_EXIF} bytes")
        room = self._room_for_box = ctypes.create_string_buffer(_BLOCK)
        self._library.JxlDecoderSetBoxBuffer(self._decoder, room, _BLOCK)

    def _take_box(self) -> None:
        if self._room_for_box is not None:
            left = self._library.JxlDecoderReleaseBoxBuffer(self._decoder)
            self._exif += self._room_for_box.raw[: _BLOCK - left]
            self._room_for_box = None

    def _check_kind(self) -> None:
        info = self._info
        if info.have_animation:
            raise PictureError("it is an animated JPEG XL, which is not supported")
        if info.num_extra_channels > bool(info.alpha_bits):
            raise PictureError(
                "it has channels beside colours and transparency, such as black ink, "
                "spot colours or depth, which is not supported"
            )
        is_floating = info.exponent_bits_per_sample or info.alpha_exponent_bits
        if is_floating and info.alpha_bits:
            raise PictureError(
                "it is in floating point and transparent, which is not supported"
            )
        if not is_floating and self._bits > 16:
            raise PictureError(f"it has {self._bits} bits, which is not supported")

    @property
    def _bits(self) -> int:
        return max(int(self._info.bits_per_sample), int(self._info.alpha_bits))

    def _colors(self) -> bytes | None:
        """The profile of the pixels as they will be given."""
        colors = ColorEncoding()
        get = self._library.JxlDecoderGetColorAsEncodedProfile
        if get(self._decoder, _ORIGINAL, colors) != _SUCCESS:
            # It has a profile that no name stands for.
            if not self._info.uses_original_profile:
                self._convert()
        elif self._are_usual(colors):
            return None
        elif colors.transfer_function in _HDR and colors.white_point == _D65:
            for code_point, primaries in PRIMARIES.items():
                if colors.primaries == primaries:
                    self._code_points = code_point, colors.transfer_function
        return self._profile()

    def _are_usual(self, colors: ColorEncoding) -> bool:
        is_floating = self._info.exponent_bits_per_sample
        is_colored = colors.color_space == _RGB
        return (
            colors.white_point == _D65
            and (colors.primaries == _SRGB_PRIMARIES or not is_colored)
            and colors.transfer_function == (_LINEAR if is_floating else _SRGB_CURVE)
        )

    def _convert(self) -> None:
        """Have lossy pixels given in the colours of Display P3.

        They are stored in colours of libjxl, which it converts to any that have a name,
        and to those of a profile in some versions only.
        """
        colors, is_grey = ColorEncoding(), self._info.num_color_channels == 1
        self._library.JxlColorEncodingSetToSRGB(colors, is_grey)
        colors.primaries = _P3_PRIMARIES
        prefer = self._library.JxlDecoderSetPreferredColorProfile
        if prefer(self._decoder, colors) != _SUCCESS:
            raise PictureError("its colour profile is of a kind that is not supported")

    def _profile(self) -> bytes:
        size = ctypes.c_size_t()
        self._library.JxlDecoderGetICCProfileSize(self._decoder, _DATA, size)
        profile = ctypes.create_string_buffer(size.value)
        get = self._library.JxlDecoderGetColorAsICCProfile
        if get(self._decoder, _DATA, profile, size.value) != _SUCCESS:
            raise PictureError("the file is damaged: its colour profile is")
        return profile.raw

    def _room_for_pixels(self) -> Image:
        info = self._info
        dtype: type[np.uint8 | np.uint16 | np.float32]
        if info.exponent_bits_per_sample:
            dtype, code = np.float32, FLOAT
        elif self._bits > 8:
            dtype, code = np.uint16, UINT16
        else:
            dtype, code = np.uint8, UINT8
        channels = 4 if info.alpha_bits else info.num_color_channels
        pixels: Image = np.empty((info.ysize, info.xsize, channels), dtype)
        self._library.JxlDecoderSetImageOutBuffer(
            self._decoder,
            PixelFormat(channels, code),
            pixels.ctypes.data,
            pixels.nbytes,
        )
        return pixels


def _in_order(pixels: Image) -> Image:
    """RGB to BGR."""
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    has_alpha = pixels.shape[2] == 4
    return cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA if has_alpha else cv2.COLOR_RGB2BGR)


@contextmanager
def opened(data: bytes) -> Iterator[Source]:
    """Open a JPEG XL.

    Args:
        data: the whole file.

    Raises:
        PictureError: it is damaged, or there is no library to read it with.
    """
    library = libjxl()
    decoder = library.JxlDecoderCreate(None)
    if decoder is None:
        raise MemoryError
    try:
        yield Source(decoder, data)
    finally:
        library.JxlDecoderDestroy(decoder)
