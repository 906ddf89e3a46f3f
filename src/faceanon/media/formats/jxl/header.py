"""The header of a JPEG XL codestream (ISO/IEC 18181-1, annex D), as far as is needed.

libjxl's functions in Python tell nothing of a file but its pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from faceanon.errors import PictureError

_Choice: TypeAlias = tuple[int, int]
"""How many bits follow, and what is added to the number that they make."""

# Width by height, in the numbers that a codestream has for them.
_RATIOS = {
    1: (1, 1),
    2: (12, 10),
    3: (4, 3),
    4: (3, 2),
    5: (16, 9),
    6: (5, 4),
    7: (2, 1),
}

_SIDES = ((9, 1), (13, 1), (18, 1), (30, 1))
_ENUM = ((0, 0), (0, 1), (4, 2), (6, 18))
_INTEGER_BITS = ((0, 8), (0, 10), (0, 12), (6, 1))
_FLOAT_BITS = ((0, 32), (0, 16), (0, 24), (6, 1))
_EXTRA_CHANNELS = ((0, 0), (0, 1), (4, 2), (12, 1))
_NAME_LENGTH = ((0, 0), (4, 0), (5, 16), (10, 48))
_SHIFT = ((0, 0), (0, 3), (0, 4), (3, 1))

_ALPHA = 0
_RGB, _GREY = 0, 1
_D65, _SRGB_PRIMARIES = 1, 1
_SRGB_CURVE = 13
_CUSTOM = 2


@dataclass(frozen=True, slots=True)
class JxlHeader:
    """What the header tells.

    Attributes:
        size: width and height in pixels, as stored.
        orientation: in which it is stored, 1 to 8, as in EXIF.
        is_animated: whether there are several frames.
        is_float: whether the samples are in floating point.
        extra_channels: how many channels there are besides the colours.
        has_alpha: whether the only one of them is alpha.
        is_premultiplied: whether the colours are multiplied by alpha.
        is_xyb: whether the pixels are stored in colours made for loss.
        is_srgb: whether the colours are sRGB.
    """

    size: tuple[int, int]
    orientation: int = 1
    is_animated: bool = False
    is_float: bool = False
    extra_channels: int = 0
    has_alpha: bool = False
    is_premultiplied: bool = False
    is_xyb: bool = True
    is_srgb: bool = True


class _Bits:
    """The bits of a codestream, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def number(self, bits: int) -> int:
        """The number that the next bits make."""
        self._left -= bits
        if self._left < 0:
            raise PictureError("the file is damaged or truncated")
        number = self._bits & ((1 << bits) - 1)
        self._bits >>= bits
        return number

    def flag(self) -> bool:
        """Whether the next bit is set."""
        return self.number(1) == 1

    def chosen(self, choices: Sequence[_Choice]) -> int:
        """A number of one of four forms, which two bits choose."""
        bits, offset = choices[self.number(2)]
        return self.number(bits) + offset


def read_header(codestream: bytes) -> JxlHeader:
    """Read the header.

    Args:
        codestream: its first bytes, signature and all; a kilobyte is enough.

    Raises:
        PictureError: it is damaged, or of a rare kind.
    """
    bits = _Bits(codestream[2:])
    size = _size(bits)
    if bits.flag():
        return JxlHeader(size)
    orientation, is_animated = 1, False
    if bits.flag():
        orientation = bits.number(3) + 1
        if bits.flag():
            _size(bits)  # at which it should be shown
        if bits.flag():
            raise PictureError("it is a JPEG XL with a preview, which is not supported")
        is_animated = bits.flag()
    if is_animated:
        return JxlHeader(size, orientation, is_animated)
    is_float = _is_float(bits)
    bits.flag()  # whether 16 bits are enough to decode it
    count = bits.chosen(_EXTRA_CHANNELS)
    channels = [_extra_channel(bits) for _ in range(min(count, 16))]
    is_alpha = [kind == _ALPHA for kind, _ in channels]
    return JxlHeader(
        size,
        orientation,
        is_float=is_float,
        extra_channels=count,
        has_alpha=is_alpha == [True],
        is_premultiplied=any(is_associated for _, is_associated in channels),
        is_xyb=bits.flag(),
        is_srgb=_is_srgb(bits),
    )


def _size(bits: _Bits) -> tuple[int, int]:
    is_small = bits.flag()

    def side() -> int:
        return 8 * (bits.number(5) + 1) if is_small else bits.chosen(_SIDES)

    height, ratio = side(), bits.number(3)
    if ratio == 0:
        return side(), height
    across, down = _RATIOS[ratio]
    return height * across // down, height


def _is_float(bits: _Bits) -> bool:
    """What is told of the depth of samples."""
    is_float = bits.flag()
    bits.chosen(_FLOAT_BITS if is_float else _INTEGER_BITS)
    if is_float:
        bits.number(4)  # those of the exponent
    return is_float


def _extra_channel(bits: _Bits) -> tuple[int, bool]:
    """The kind of a channel besides the colours; whether these are multiplied by it."""
    if bits.flag():
        return _ALPHA, False
    kind = bits.chosen(_ENUM)
    _is_float(bits)
    bits.chosen(_SHIFT)
    bits.number(8 * bits.chosen(_NAME_LENGTH))
    if kind != _ALPHA:
        raise PictureError(
            "it is a JPEG XL with channels of ink, spot colours or depth, which are "
            "not supported; convert it to PNG first"
        )
    return kind, bits.flag()


def _is_srgb(bits: _Bits) -> bool:
    """Whether the colours are those for which no profile is needed."""
    if bits.flag():
        return True
    has_profile, space = bits.flag(), bits.chosen(_ENUM)
    if has_profile or space not in (_RGB, _GREY):
        return False
    white = bits.chosen(_ENUM)
    if white == _CUSTOM:
        return False
    if space == _RGB and bits.chosen(_ENUM) != _SRGB_PRIMARIES:
        return False
    if bits.flag():  # the curve is a power
        return False
    return white == _D65 and bits.chosen(_ENUM) == _SRGB_CURVE
