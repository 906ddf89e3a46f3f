"""libjxl, the reference library of JPEG XL, as the wheels of imagecodecs bring it.

The functions of that package offer pixels only: no colour profile, no metadata, and not
what the header says. So what is loaded here is its module for JPEG XL, by way of which
the functions of libjxl itself are found; the package is not imported.
"""

import ctypes
import sys
from collections.abc import Iterator
from ctypes import POINTER, c_char_p, c_float, c_int, c_size_t, c_uint32, c_void_p
from ctypes.util import find_library
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from faceanon.errors import PictureError

# Values of types.h.
FLOAT, UINT8, UINT16 = 0, 2, 3

_OLDEST = 11_000  # 0.11.0, the first that is tested

# Where conda puts it, which has it for Windows, too.
_IN_PREFIX = {"win32": r"Library\bin\jxl.dll", "darwin": "lib/libjxl.dylib"}


# The code points of ITU-T H.273 that have a name in JPEG XL, with its number.
PRIMARIES = {1: 1, 9: 9, 12: 11}
TRANSFERS = {1: 1, 6: 1, 14: 1, 15: 1, 8: 8, 13: 13, 16: 16, 18: 18}


class PixelFormat(ctypes.Structure):
    """`JxlPixelFormat`: how pixels lie in memory."""

    _fields_ = (
        ("num_channels", c_uint32),
        ("data_type", c_int),
        ("endianness", c_int),
        ("align", c_size_t),
    )


class BasicInfo(ctypes.Structure):
    """`JxlBasicInfo`: the header of a picture."""

    _fields_ = (
        ("have_container", c_int),
        ("xsize", c_uint32),
        ("ysize", c_uint32),
        ("bits_per_sample", c_uint32),
        ("exponent_bits_per_sample", c_uint32),
        ("intensity_target", c_float),
        ("min_nits", c_float),
        ("relative_to_max_display", c_int),
        ("linear_below", c_float),
        ("uses_original_profile", c_int),
        ("have_preview", c_int),
        ("have_animation", c_int),
        ("orientation", c_int),
        ("num_color_channels", c_uint32),
        ("num_extra_channels", c_uint32),
        ("alpha_bits", c_uint32),
        ("alpha_exponent_bits", c_uint32),
        ("alpha_premultiplied", c_int),
        ("preview", c_uint32 * 2),
        ("animation", c_uint32 * 4),
        ("intrinsic_xsize", c_uint32),
        ("intrinsic_ysize", c_uint32),
        ("padding", ctypes.c_uint8 * 100),
    )


class ExtraChannelInfo(ctypes.Structure):
    """`JxlExtraChannelInfo`: a channel beside the colours."""

    _fields_ = (
        ("type", c_int),
        ("bits_per_sample", c_uint32),
        ("exponent_bits_per_sample", c_uint32),
        ("dim_shift", c_uint32),
        ("name_length", c_uint32),
        ("alpha_premultiplied", c_int),
        ("spot_color", c_float * 4),
        ("cfa_channel", c_uint32),
    )


class ColorEncoding(ctypes.Structure):
    """`JxlColorEncoding`: colours by their names instead of a profile."""

    _fields_ = (
        ("color_space", c_int),
        ("white_point", c_int),
        ("white_point_xy", ctypes.c_double * 2),
        ("primaries", c_int),
        ("primaries_xy", ctypes.c_double * 6),
        ("transfer_function", c_int),
        ("gamma", ctypes.c_double),
        ("rendering_intent", c_int),
    )


# The functions of decode.h and encode.h that are used: result, arguments.
_FUNCTIONS: dict[str, tuple[type | None, ...]] = {
    "DecoderVersion": (c_uint32,),
    "DecoderCreate": (c_void_p, c_void_p),
    "DecoderDestroy": (None, c_void_p),
    "DecoderSubscribeEvents": (c_int, c_void_p, c_int),
    "DecoderSetKeepOrientation": (c_int, c_void_p, c_int),
    "DecoderSetDecompressBoxes": (c_int, c_void_p, c_int),
    "DecoderSetInput": (c_int, c_void_p, c_char_p, c_size_t),
    "DecoderCloseInput": (None, c_void_p),
    "DecoderProcessInput": (c_int, c_void_p),
    "DecoderGetBasicInfo": (c_int, c_void_p, POINTER(BasicInfo)),
    "DecoderGetColorAsEncodedProfile": (
        *(c_int, c_void_p, c_int, POINTER(ColorEncoding)),
    ),
    "DecoderGetICCProfileSize": (c_int, c_void_p, c_int, POINTER(c_size_t)),
    "DecoderGetColorAsICCProfile": (c_int, c_void_p, c_int, c_void_p, c_size_t),
    "DecoderSetPreferredColorProfile": (c_int, c_void_p, POINTER(ColorEncoding)),
    "DecoderSetImageOutBuffer": (
        *(c_int, c_void_p, POINTER(PixelFormat), c_void_p, c_size_t),
    ),
    "DecoderGetBoxType": (c_int, c_void_p, c_char_p, c_int),
    "DecoderSetBoxBuffer": (c_int, c_void_p, c_void_p, c_size_t),
    "DecoderReleaseBoxBuffer": (c_size_t, c_void_p),
    "EncoderCreate": (c_void_p, c_void_p),
    "EncoderDestroy": (None, c_void_p),
    "EncoderInitBasicInfo": (None, POINTER(BasicInfo)),
    "EncoderSetBasicInfo": (c_int, c_void_p, POINTER(BasicInfo)),
    "EncoderInitExtraChannelInfo": (None, c_int, POINTER(ExtraChannelInfo)),
    "EncoderSetExtraChannelInfo": (
        *(c_int, c_void_p, c_size_t, POINTER(ExtraChannelInfo)),
    ),
    "EncoderSetColorEncoding": (c_int, c_void_p, POINTER(ColorEncoding)),
    "EncoderSetICCProfile": (c_int, c_void_p, c_char_p, c_size_t),
    "EncoderUseBoxes": (c_int, c_void_p),
    "EncoderAddBox": (c_int, c_void_p, c_char_p, c_char_p, c_size_t, c_int),
    "EncoderCloseInput": (None, c_void_p),
    "EncoderFrameSettingsCreate": (c_void_p, c_void_p, c_void_p),
    "EncoderFrameSettingsSetOption": (c_int, c_void_p, c_int, ctypes.c_int64),
    "EncoderSetFrameLossless": (c_int, c_void_p, c_int),
    "EncoderSetFrameDistance": (c_int, c_void_p, c_float),
    "EncoderSetExtraChannelDistance": (c_int, c_void_p, c_size_t, c_float),
    "EncoderDistanceFromQuality": (c_float, c_float),
    "EncoderAddImageFrame": (
        *(c_int, c_void_p, POINTER(PixelFormat), c_void_p, c_size_t),
    ),
    "EncoderProcessOutput": (c_int, c_void_p, POINTER(c_void_p), POINTER(c_size_t)),
    "EncoderGetError": (c_int, c_void_p),
    "ColorEncodingSetToSRGB": (None, POINTER(ColorEncoding), c_int),
    "ColorEncodingSetToLinearSRGB": (None, POINTER(ColorEncoding), c_int),
}


def libjxl() -> ctypes.CDLL:
    """The library, with the types of its functions declared.

    Raises:
        PictureError: the extra is not installed.
    """
    if library := _found():
        return library
    # The wheels for Windows keep libjxl to themselves.
    install = "pip install 'faceanon[jxl]'"
    if sys.platform == "win32":
        install = "conda install libjxl"
    raise PictureError(f"to read and write JPEG XL, libjxl is needed: {install}")


@cache
def _found() -> ctypes.CDLL | None:
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
            for name, (result, *arguments) in _FUNCTIONS.items():
                function = getattr(library, f"Jxl{name}")
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError):
            continue
        if library.JxlDecoderVersion() >= _OLDEST:
            return library
    return None


def _candidates() -> Iterator[str]:
    package = find_spec("imagecodecs")
    for folder in (package and package.submodule_search_locations) or ():
        for module in Path(folder).glob("_jpegxl.*"):
            yield str(module)
    if found := find_library("jxl"):
        yield found
    yield str(Path(sys.prefix, _IN_PREFIX.get(sys.platform, "lib/libjxl.so")))
