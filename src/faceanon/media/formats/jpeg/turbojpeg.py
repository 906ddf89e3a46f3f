"""libturbojpeg, the library of libjpeg-turbo: that of the system, or the one shipped.

`tjTransform` rewrites a JPEG from its DCT coefficients and lets a callback change them.
Versions 2 and 3 have it in the same form; version 3 also makes Huffman tables.
"""

import ctypes
import os
import platform
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import as_file
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from faceanon.media.formats.jpeg.structure import CannotTranscode, Structure
from faceanon.model import Box
from faceanon.resources import data_dir

CoefficientEdit: TypeAlias = Callable[[int, int, NDArray[np.int16]], None]
"""Change the coefficients of a row of blocks in place: the component's index, the row's
index, and the quantized coefficients, shape (blocks, 64), each block row after row."""

_VARIABLE = "FACEANON_TURBOJPEG"

# The loader knows where the first of each lies; the others are where the installers of
# libjpeg-turbo, Homebrew and conda put it. On Windows that of libjpeg-turbo uses
# C:\libjpeg-turbo64, which any user can make where it is not: it has to be named.
_NAMES = {
    "win32": (
        "turbojpeg.dll",
        rf"{sys.prefix}\Library\bin\turbojpeg.dll",
    ),
    "darwin": (
        "libturbojpeg.0.dylib",
        "/opt/homebrew/opt/jpeg-turbo/lib/libturbojpeg.0.dylib",
        "/usr/local/opt/jpeg-turbo/lib/libturbojpeg.0.dylib",
        "/opt/libjpeg-turbo/lib/libturbojpeg.0.dylib",
        f"{sys.prefix}/lib/libturbojpeg.0.dylib",
    ),
}
_OTHER_NAMES = (
    "libturbojpeg.so.0",
    "/opt/libjpeg-turbo/lib64/libturbojpeg.so.0",
    f"{sys.prefix}/lib/libturbojpeg.so.0",
)

# For a Linux that has none, which is most of those where only pip is at hand.
_SHIPPED, _SHIPPED_FOR = "libturbojpeg-linux-x86_64.so.0", ("linux", "x86_64")

# Names and values of turbojpeg.h.
_TJXOPT_CROP, _TJXOPT_PROGRESSIVE = 4, 32
_TJXOPT_COPYNONE, _TJXOPT_OPTIMIZE = 64, 256


class _Region(ctypes.Structure):
    _fields_ = (
        ("x", ctypes.c_int),
        ("y", ctypes.c_int),
        ("w", ctypes.c_int),
        ("h", ctypes.c_int),
    )


_Filter = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,  # the coefficients, short integers
    _Region,  # of these coefficients
    _Region,  # of the whole component
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_void_p,
)


class _Transform(ctypes.Structure):
    _fields_ = (
        ("r", _Region),
        ("op", ctypes.c_int),
        ("options", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("customFilter", _Filter),
    )


def transcode(
    data: bytes,
    areas: Sequence[Box],
    begin: Callable[[Sequence[bytes]], CoefficientEdit],
    *,
    is_progressive: bool,
    is_optimized: bool,
) -> bytes:
    """Write a JPEG anew from its coefficients, some of which are changed.

    What is written holds no metadata of the original but its JFIF density.

    Args:
        data: the JPEG, undamaged.
        areas: parts of the picture as it is stored, which begin at a unit (MCU).
        begin: called once with the areas, each a JPEG of the same coefficients. What it
            returns is called once for each row of blocks of each component.
        is_progressive: whether to write it in several passes.
        is_optimized: whether to make Huffman tables for it, where the library can.

    Raises:
        CannotTranscode: there is no library, or it refuses the JPEG.
    """
    library = _required()
    # The library decodes the picture once for all that is made of it.
    count = len(areas) + 1
    # Version 3 offers the old function, too, but then tells the sizes too late.
    is_third = hasattr(library, "tj3Transform")
    size_type = ctypes.c_size_t if is_third else ctypes.c_ulong
    buffers, sizes = (ctypes.c_void_p * count)(), (size_type * count)()
    edit: CoefficientEdit | None = None
    errors: list[BaseException] = []

    def written(number: int) -> bytes:
        address = buffers[number]
        return b"" if address is None else ctypes.string_at(address, sizes[number])

    def change(
        address: int, region: _Region, plane: _Region, index: int, *_: object
    ) -> int:
        nonlocal edit
        if region.y >= plane.h:  # padding, which is made anew
            return 0
        try:
            if edit is None:
                edit = begin([written(i) for i in range(count - 1)])
            row = (ctypes.c_short * (region.w * 8)).from_address(address)
            edit(index, region.y // 8, np.frombuffer(row, np.int16).reshape(-1, 64))
        except BaseException as error:  # noqa: BLE001  none passes through C
            errors.append(error)
            return -1
        return 0

    options = _TJXOPT_COPYNONE
    options |= _TJXOPT_PROGRESSIVE if is_progressive else 0
    options |= _TJXOPT_OPTIMIZE if is_optimized else 0
    transforms = (_Transform * count)(
        *(
            _Transform(
                r=_Region(area.left, area.top, area.width, area.height),
                options=_TJXOPT_COPYNONE | _TJXOPT_CROP,
            )
            for area in areas
        ),
        _Transform(options=options, customFilter=_Filter(change)),
    )
    handle = library.tjInitTransform()
    try:
        arguments = handle, data, len(data), count, buffers, sizes, transforms
        if is_third:
            status = library.tj3Transform(*arguments)
        else:
            status = library.tjTransform(*arguments, 0)
        if errors:
            raise errors[0]
        if status != 0:
            raise _refused(library, handle)
        return written(count - 1)
    finally:
        for buffer in buffers:
            library.tjFree(buffer)
        library.tjDestroy(handle)


def samples(
    data: bytes, width: int, height: int, structure: Structure
) -> list[NDArray[np.uint8]]:
    """Decode the components of a JPEG as they are stored, each with its own size.

    Args:
        data: the JPEG, undamaged.
        width: of it, in pixels.
        height: likewise.
        structure: that of the picture from which it was cut.

    Returns:
        Arrays of shape (H, W) for whole units (MCU); what lies beyond the picture is a
        copy of what is at its edge.

    Raises:
        CannotTranscode: there is no library, or it refuses the JPEG.
    """
    library = _required()
    rows = -(-height // structure.unit_height) * structure.unit_height
    columns = -(-width // structure.unit_width) * structure.unit_width
    planes = [
        np.empty((rows // part.down, columns // part.across), np.uint8)
        for part in structure.components
    ]
    count = len(planes)
    places = (ctypes.c_void_p * count)(*(plane.ctypes.data for plane in planes))
    strides = (ctypes.c_int * count)(*(plane.shape[1] for plane in planes))
    handle = library.tjInitDecompress()
    try:
        status = library.tjDecompressToYUVPlanes(
            handle, data, len(data), places, width, strides, height, 0
        )
        if status != 0:
            raise _refused(library, handle)
    finally:
        library.tjDestroy(handle)
    for plane, part in zip(planes, structure.components, strict=True):
        below, right = -(-height // part.down), -(-width // part.across)
        plane[below:] = plane[below - 1]
        plane[:, right:] = plane[:, right - 1 : right]
    return planes


def is_available() -> bool:
    """Whether the library was found."""
    return _library() is not None


def _required() -> ctypes.CDLL:
    library = _library()
    if library is None:
        raise CannotTranscode("libturbojpeg was not found")
    return library


def _refused(library: ctypes.CDLL, handle: int) -> CannotTranscode:
    reason = library.tjGetErrorStr2(handle).decode(errors="replace")
    return CannotTranscode(f"libturbojpeg: {reason}")


@cache
def _library() -> ctypes.CDLL | None:
    if _VARIABLE in os.environ:
        # Only that one, so that a wrong path is not covered up by another library.
        return _loaded(os.environ[_VARIABLE])
    for name in _NAMES.get(sys.platform, _OTHER_NAMES):
        library = _loaded(name)
        if library is not None:
            return library
    if (sys.platform, platform.machine()) != _SHIPPED_FOR:
        return None
    with as_file(data_dir() / "turbojpeg" / _SHIPPED) as path:
        return _loaded(str(path))


def _loaded(name: str) -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(name)
        library.tjInitTransform.restype = ctypes.c_void_p
        library.tjInitDecompress.restype = ctypes.c_void_p
        data = ctypes.c_void_p, ctypes.c_char_p
        library.tjTransform.argtypes = (
            *(*data, ctypes.c_ulong, ctypes.c_int),
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int),
        )
        if hasattr(library, "tj3Transform"):
            library.tj3Transform.argtypes = (
                *(*data, ctypes.c_size_t, ctypes.c_int),
                *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
            )
        library.tjDecompressToYUVPlanes.argtypes = (
            *(*data, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_int),
            *(ctypes.c_void_p, ctypes.c_int, ctypes.c_int),
        )
        library.tjGetErrorStr2.argtypes = (ctypes.c_void_p,)
        library.tjGetErrorStr2.restype = ctypes.c_char_p
        library.tjFree.argtypes = (ctypes.c_void_p,)
        library.tjFree.restype = None
        library.tjDestroy.argtypes = (ctypes.c_void_p,)
    except (OSError, AttributeError):  # not there, or not that library
        return None
    return library
