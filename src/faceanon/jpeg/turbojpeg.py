"""libturbojpeg, the library of libjpeg-turbo: that of the system, or the one shipped.

`tjTransform` rewrites a JPEG from its DCT coefficients and lets a callback change them.
Versions 2 and 3 have it in the same form; version 3 also makes Huffman tables.
"""

import ctypes
import os
import platform
import sys
from collections.abc import Callable
from functools import cache
from importlib.resources import as_file
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from faceanon.jpeg.structure import CannotKeep
from faceanon.resources import data_dir

Edit: TypeAlias = Callable[[int, int, NDArray[np.int16]], None]
"""Change the coefficients of a row of blocks in place: the component's index, the row's
index, and the quantized coefficients, shape (blocks, 64), each block row after row."""

_VARIABLE = "FACEANON_TURBOJPEG"

# The loader knows where the first of each lies; the others are where the installers of
# libjpeg-turbo, Homebrew and conda put it.
_NAMES = {
    "win32": (
        "turbojpeg.dll",
        r"C:\libjpeg-turbo64\bin\turbojpeg.dll",
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
_TJXOPT_PROGRESSIVE, _TJXOPT_COPYNONE, _TJXOPT_OPTIMIZE = 32, 64, 256


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
    data: bytes, edit: Edit, *, is_progressive: bool, is_optimized: bool
) -> bytes:
    """Write a JPEG anew from its coefficients, some of which are changed.

    What is written holds no metadata of the original but its JFIF density.

    Args:
        data: the JPEG, undamaged.
        edit: called once for each row of blocks of each component.
        is_progressive: whether to write it in several passes.
        is_optimized: whether to make Huffman tables for it, where the library can.

    Raises:
        CannotKeep: there is no library, or it refuses the JPEG.
    """
    library = _library()
    if library is None:
        raise CannotKeep("libturbojpeg was not found")
    errors: list[BaseException] = []

    def change(
        address: int, region: _Region, plane: _Region, index: int, *_: object
    ) -> int:
        if region.y >= plane.h:  # padding, which is made anew
            return 0
        try:
            row = (ctypes.c_short * (region.w * 8)).from_address(address)
            edit(index, region.y // 8, np.frombuffer(row, np.int16).reshape(-1, 64))
        except BaseException as error:  # noqa: BLE001  none passes through C
            errors.append(error)
            return -1
        return 0

    options = _TJXOPT_COPYNONE
    options |= _TJXOPT_PROGRESSIVE if is_progressive else 0
    options |= _TJXOPT_OPTIMIZE if is_optimized else 0
    transform = _Transform(options=options, customFilter=_Filter(change))
    handle = library.tjInitTransform()
    buffer, size = ctypes.c_void_p(), ctypes.c_ulong()
    try:
        status = library.tjTransform(
            handle,
            data,
            len(data),
            1,
            ctypes.byref(buffer),
            ctypes.byref(size),
            ctypes.byref(transform),
            0,
        )
        if errors:
            raise errors[0]
        if status != 0:
            reason = library.tjGetErrorStr2(handle).decode(errors="replace")
            raise CannotKeep(f"libturbojpeg: {reason}")
        return ctypes.string_at(buffer, size.value)
    finally:
        library.tjFree(buffer)
        library.tjDestroy(handle)


def is_available() -> bool:
    """Whether the library was found."""
    return _library() is not None


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
        library.tjTransform.argtypes = (
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_ulong,
            ctypes.c_int,
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_int,
        )
        library.tjGetErrorStr2.argtypes = (ctypes.c_void_p,)
        library.tjGetErrorStr2.restype = ctypes.c_char_p
        library.tjFree.argtypes = (ctypes.c_void_p,)
        library.tjFree.restype = None
        library.tjDestroy.argtypes = (ctypes.c_void_p,)
    except (OSError, AttributeError):  # not there, or not that library
        return None
    return library
