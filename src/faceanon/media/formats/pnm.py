"""PBM, PGM, PPM and PAM, raw and plain (netpbm.sourceforge.net/doc, pnm(5), pam(5))."""

import re
import warnings
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from faceanon.errors import PictureError
from faceanon.media.containers import Readable
from faceanon.media.formats.common import in_rgb
from faceanon.media.picture import Encoding, Picture
from faceanon.model import Image, white

# Comments included, a header is no longer than this.
_LONGEST_HEADER = 2**20

_MAGIC = re.compile(rb"P[1-6](?=[\s#])|P7\n")
_ANOTHER = re.compile(rb"\s*P[1-7]\s")
_SPACE = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*")
_COMMENT = re.compile(rb"#[^\r\n]*")
_NUMBER = re.compile(rb"\d{1,9}(?!\d)")
_PLAIN = {"P1": "P4", "P2": "P5", "P3": "P6"}
_BITMAPS = ("P1", "P4")

# What a PAM says that its samples are, and how many a pixel has.
_TUPLES = {
    "BLACKANDWHITE": 1,
    "GRAYSCALE": 1,
    "BLACKANDWHITE_ALPHA": 2,
    "GRAYSCALE_ALPHA": 2,
    "RGB": 3,
    "RGB_ALPHA": 4,
}

# So many numbers of five digits make a line of less than 70 characters.
_IN_A_LINE = 11

_DAMAGED = "the file is damaged: its header is none of a PBM, PGM, PPM or PAM"


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the pixels.

    Attributes:
        magic: "P1" to "P7".
        width: in pixels.
        height: likewise.
        channels: 1 for grey, 3 for colour, each with one more for transparency.
        maxval: the number that is white, 1 to 65535.
        start: where the pixels begin.
    """

    magic: str
    width: int
    height: int
    channels: int
    maxval: int
    start: int


def is_pnm(data: Readable) -> bool:
    """Whether a file is one of these."""
    return _MAGIC.match(data[:3]) is not None


def header_of(data: Readable) -> Header:
    """The header of a file for which `is_pnm` holds.

    Raises:
        PictureError: it is damaged, or of a kind that is not supported.
    """
    start = data[:_LONGEST_HEADER]
    magic = start[:2].decode()
    header = _pam_header(start) if magic == "P7" else _pnm_header(start, magic)
    if header.width * header.height == 0 or not 1 <= header.maxval <= 65_535:
        raise PictureError(_DAMAGED)
    return header


def _pnm_header(start: bytes, magic: str) -> Header:
    values, at = [], 2
    for _ in range(2 if magic in _BITMAPS else 3):
        space = _SPACE.match(start, at)
        number = space and _NUMBER.match(start, space.end())
        if not number:
            raise PictureError(_DAMAGED)
        values.append(int(number.group()))
        at = number.end()
    # A comment may stand before the one byte that ends the header.
    while start[at : at + 1] == b"#":
        comment = _COMMENT.match(start, at)
        assert comment is not None, "it begins as one"
        at = comment.end()
    if not start[at : at + 1].isspace():
        raise PictureError(_DAMAGED)
    width, height, maxval = (*values, 1)[:3]
    channels = 3 if magic in ("P3", "P6") else 1
    return Header(magic, width, height, channels, maxval, at + 1)


def _pam_header(start: bytes) -> Header:
    end = re.search(rb"\nENDHDR[ \t]*\n", start)
    if end is None:
        raise PictureError(_DAMAGED)
    said: dict[bytes, list[bytes]] = {}
    for line in start[2 : end.start()].split(b"\n"):
        name, _, value = line.strip().partition(b" ")
        if name and not name.startswith(b"#"):
            said.setdefault(name, []).append(value.strip())
    try:
        width, height, depth, maxval = (
            int(said[name][0]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")
        )
    except (KeyError, ValueError):
        raise PictureError(_DAMAGED) from None
    kind = b" ".join(said.get(b"TUPLTYPE", [])).decode("latin-1")
    if depth not in range(1, 5) or (kind and _TUPLES.get(kind) != depth):
        raise PictureError(
            "it is a PAM of a rare kind, which is not supported; convert it to PNG "
            "first"
        )
    return Header("P7", width, height, depth, maxval, end.end())


def decode(data: Readable, header: Header) -> tuple[Image, Encoding]:
    """The pixels, grey, BGR or BGRA, uint8 or uint16, and how they were stored.

    Raises:
        PictureError: it is damaged, or holds several pictures.
    """
    raster = data[header.start :]
    is_plain = header.magic in _PLAIN
    samples = _plain(raster, header) if is_plain else _raw(raster, header)
    if header.magic in _BITMAPS:
        samples = 1 - samples  # there 1 is black
    if int(samples.max()) > header.maxval:
        raise PictureError("the file is damaged: a sample is brighter than white")
    deep = header.maxval > 255
    full = 65_535 if deep else 255
    if header.maxval != full:
        wide = samples.astype(np.uint64) * full
        samples = (wide + header.maxval // 2) // header.maxval
    pixels: Image = samples.astype(np.uint16 if deep else np.uint8)
    encoding = Encoding("pnm", compression=header.magic, maxval=header.maxval)
    if header.channels == 1:
        return pixels[:, :, 0], encoding
    if header.channels == 2:
        grey, alpha = pixels[:, :, 0], pixels[:, :, 1]
        return np.dstack((grey, grey, grey, alpha)), encoding
    code = cv2.COLOR_RGB2BGR if header.channels == 3 else cv2.COLOR_RGBA2BGRA
    return cv2.cvtColor(pixels, code), encoding


def _raw(raster: bytes, header: Header) -> NDArray[Any]:
    """The samples, shape (height, width, channels)."""
    across = header.width * header.channels
    if header.magic == "P4":
        stored = -(-across // 8)
    else:
        stored = across * (2 if header.maxval > 255 else 1)
    size = stored * header.height
    if len(raster) < size:
        raise PictureError("the file is damaged: its end, or a part of it, is missing")
    if _ANOTHER.match(raster, size):
        raise PictureError(
            "it holds several pictures, one after the other, which is not supported; "
            "make a file of each"
        )
    if header.magic == "P4":
        rows = np.frombuffer(raster, np.uint8, size).reshape(header.height, stored)
        samples = np.unpackbits(rows, axis=1, count=across)
    else:
        dtype = ">u2" if header.maxval > 255 else "u1"
        samples = np.frombuffer(raster, dtype, header.height * across)
    return samples.reshape(header.height, header.width, header.channels)


def _plain(raster: bytes, header: Header) -> NDArray[Any]:
    """The same of numbers that are written out."""
    text = _COMMENT.sub(b" ", raster) if b"#" in raster else raster
    count = header.width * header.height * header.channels
    if header.magic == "P1":  # its digits need nothing between them
        digits = np.frombuffer(text, np.uint8)
        samples = digits[~np.isin(digits, list(b" \t\r\n\v\f"))] - ord("0")
        is_sound = bool((samples <= 1).all())
    elif text.strip(b"0123456789 \t\r\n\v\f") or not text.strip():
        samples, is_sound = np.empty(0, np.int64), False
    else:
        with warnings.catch_warnings(action="ignore"):
            samples = np.fromstring(text, np.int64, sep=" ")
        is_sound = bool((samples <= header.maxval).all())
    if len(samples) < count:
        raise PictureError("the file is damaged: its end, or a part of it, is missing")
    if len(samples) > count or not is_sound:
        raise PictureError("the file is damaged: its pixels cannot be read")
    return samples.reshape(header.height, header.width, header.channels)


def encode(picture: Picture, encoding: Encoding, quality: int | None) -> bytes:
    """The bytes of a file, without comments; a bitmap stays one, and raw or plain."""
    pixels = in_rgb(picture.pixels)
    full = white(pixels)
    magic, maxval = encoding.compression, encoding.maxval
    if maxval == 0:  # it came in another format
        magic = {2: "P5", 3: "P6"}[pixels.ndim]
        maxval = full
    if pixels.shape[2:] == (4,):
        magic = "P7"
    samples = pixels
    if maxval == 1 and pixels.ndim == 2:
        samples = _dithered(pixels)
    elif maxval != full:
        scaled = pixels.astype(np.uint64) * maxval
        samples = (scaled + full // 2) // full
    if magic in _BITMAPS:
        samples = 1 - samples
    height, width = pixels.shape[:2]
    if magic == "P7":
        head = _pam_head(pixels, maxval)
    else:
        limit = "" if magic in _BITMAPS else f"{maxval}\n"
        head = f"{magic}\n{width} {height}\n{limit}"
    if magic in _PLAIN:
        return head.encode() + _written_out(samples.reshape(-1))
    if magic == "P4":
        return head.encode() + np.packbits(samples.astype(np.uint8), axis=1).tobytes()
    return head.encode() + samples.astype(">u2" if maxval > 255 else "u1").tobytes()


def _dithered(pixels: Image) -> NDArray[Any]:
    """Grey as black, 0, and white, 1; what is black or white already stays so."""
    dithered = np.asarray(PillowImage.fromarray(pixels).convert("1"))
    is_known = (pixels == 0) | (pixels == white(pixels))
    return np.where(is_known, pixels > 0, dithered).astype(np.uint8)


def _pam_head(pixels: Image, maxval: int) -> str:
    height, width = pixels.shape[:2]
    depth = pixels.shape[2] if pixels.ndim == 3 else 1
    kind = {1: "GRAYSCALE", 3: "RGB", 4: "RGB_ALPHA"}[depth]
    if depth == 1 and maxval == 1:
        kind = "BLACKANDWHITE"
    return (
        f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {depth}\nMAXVAL {maxval}\n"
        f"TUPLTYPE {kind}\nENDHDR\n"
    )


def _written_out(samples: NDArray[Any]) -> bytes:
    """Numbers in lines that are not too long for every reader."""
    numbers = samples.tolist()
    rows = range(0, len(numbers), _IN_A_LINE)
    lines = (" ".join(map(str, numbers[i : i + _IN_A_LINE])) for i in rows)
    return ("\n".join(lines) + "\n").encode()
