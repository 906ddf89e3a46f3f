"""AV1: what stands beside its frames (AV1 Bitstream Specification, 5.3 to 5.8)."""

from collections.abc import Iterable

from faceanon.audit.scan.films.user_data import UserData
from faceanon.audit.scan.findings import Kind
from faceanon.audit.scan.part import Damaged, Part, Walk

_METADATA, _PADDING = 5, 15
_FRAMES = {1, 2, 3, 4, 6, 7, 8}
_NUMBERS, _T35, _TIME_CODE = {1, 2, 3}, 4, 5
_CONFIG_HEADER = 4
_LARGEST = 1 << 20


def user_data(samples: Iterable[Part], config: Part | None) -> Walk:
    """What the samples of a track hold beside frames."""
    found = UserData()
    if config is not None and len(config) > _CONFIG_HEADER:
        _sample(config.part(_CONFIG_HEADER), found)
    for sample in samples:
        _sample(sample, found)
    yield from found.walk()


def _sample(sample: Part, found: UserData) -> None:
    at = 0
    while at < len(sample) and found.spend():
        header = sample.data[at]
        kind, start = header >> 3 & 15, at + 1 + (header >> 2 & 1)
        if header >> 1 & 1:
            size, start = _leb128(sample, start)
        else:
            size = max(len(sample) - start, 0)
        size = min(size, max(len(sample) - start, 0))
        unit = sample.part(min(start, len(sample)), size, "unit")
        if kind == _METADATA and unit:
            _metadata(unit, found)
        elif kind == _PADDING:
            if not unit.part(0, max(len(unit) - 1, 0)).is_uniform():
                found.note(unit, Kind.GAP, "padding that holds something")
        elif kind not in _FRAMES and unit:
            found.note(unit, Kind.UNKNOWN, "a unit that is not known")
        at = start + size


def _metadata(unit: Part, found: UserData) -> None:
    kind, start = _leb128(unit, 0)
    if kind == _T35:
        found.registered(unit, unit.read(start, min(len(unit) - start, _LARGEST)))
    elif kind == _TIME_CODE:
        found.note(unit, Kind.DATE, "a time code")
    elif kind not in _NUMBERS:
        found.note(unit, Kind.UNKNOWN, "metadata that are not known")


def _leb128(part: Part, at: int) -> tuple[int, int]:
    """A number of up to 8 bytes of 7 bits, and where it ends."""
    value = 0
    for index in range(8):
        byte = part.number(at + index, 1)
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, at + index + 1
    raise Damaged("a number without end")
