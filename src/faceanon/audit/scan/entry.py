"""The entries of TIFF directories (TIFF 6.0, section 2)."""

from dataclasses import dataclass

from faceanon.audit.scan.part import Order, Part

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
SIZES |= {13: 4, 16: 8, 17: 8, 18: 8}
"""The bytes that a value of each type takes up."""

ASCII, UNDEFINED = 2, 7
_UNSIGNED = {1, 3, 4, 13, 16, 18}

# What stands before the text of a UserComment (EXIF 2.32, table 9).
_CHARACTER_SETS = (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0", bytes(8))


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a directory: the value of a tag.

    Attributes:
        tag: its number.
        type: of the values, TIFF 6.0 section 2.
        value: their bytes.
        order: the byte order of numbers.
    """

    tag: int
    type: int
    value: Part
    order: Order

    def numbers(self, limit: int) -> list[int]:
        """The first values, if they are unsigned whole numbers; else none."""
        if self.type not in _UNSIGNED:
            return []
        size = SIZES[self.type]
        end = min(len(self.value) // size, limit) * size
        data = self.value.data
        return [
            int.from_bytes(data[at : at + size], self.order)
            for at in range(0, end, size)
        ]

    def text(self) -> str:
        """The value as a text: ASCII, UTF-8 or UTF-16, without naming which."""
        data = bytes(self.value.data[:400])
        if data[:8] in _CHARACTER_SETS:
            data = data[8:]
        encoding = "utf-8"
        if any(data) and not any(data[1::2]):
            encoding = "utf-16-le"
        elif any(data) and not any(data[::2]):
            encoding = "utf-16-be"
        return data.decode(encoding, "replace").strip("\0 ")
