"""What may be kept of a picture's metadata: a closed list of typed values."""

import enum
from dataclasses import dataclass, replace
from datetime import datetime, time
from fractions import Fraction
from typing import Annotated, get_origin, get_type_hints

from faceanon.media.metadata.kinds import Code, Kind, Product, Ratio
from faceanon.media.orientation import is_across
from faceanon.media.write_options import Level


class Unit(enum.IntEnum):
    """Of a resolution; the numbers are those of TIFF 6.0, tag 296."""

    NONE, INCH, CENTIMETRE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Resolution:
    """Pixels per unit of length.

    Attributes:
        x: along a row.
        y: along a column.
        unit: of length; without one, only the ratio of x to y means something.
    """

    x: Fraction
    y: Fraction
    unit: Unit

    @classmethod
    def checked(
        cls, x: float | Fraction, y: float | Fraction, unit: int
    ) -> "Resolution | None":
        """A resolution with rounded values; None if it is none or says nothing."""
        fine = Ratio(1, 65_535)
        rounded = fine.read((Fraction(x),)), fine.read((Fraction(y),))
        if None in rounded or unit not in list(Unit):
            return None
        resolution = cls(*rounded, Unit(unit))  # type: ignore[arg-type]  # no None
        says_nothing = resolution.unit is Unit.NONE and resolution.x == resolution.y
        return None if says_nothing else resolution

    def per_inch(self) -> tuple[Fraction, Fraction]:
        """Both in pixels per inch; a unit is needed."""
        factor = Fraction(254, 100) if self.unit is Unit.CENTIMETRE else Fraction(1)
        return self.x * factor, self.y * factor

    def per_metre(self) -> tuple[int, int]:
        """Both in pixels per metre; a unit is needed."""
        x, y = (value / Fraction(254, 10_000) for value in self.per_inch())
        return round(x), round(y)


@dataclass(frozen=True, slots=True)
class Tag:
    """Where in the EXIF directories a value stands.

    Attributes:
        number: the tag.
        kind: what its values can be.
        in_main: whether it stands in the main directory, not in that of the exposure.
        level: the lowest level at which it is kept.
    """

    number: int
    kind: Kind
    in_main: bool = False
    level: Level = "safe"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What may be kept of a picture's metadata; None for what it does not tell.

    The numbers of codes are those of EXIF (CIPA DC-008). docs/metadata.md gives the
    reason for each.

    Attributes:
        resolution: of the upright picture.
        is_adobe_rgb: whether the colours are those of Adobe RGB although no profile
            says so, as cameras store it (Exif 2.3, annex on DCF option files).
        png_colors: the numbers of the chunks of a PNG that say what its colours are, by
            the chunks' names; those of an AVIF or HEIF in the same words.
        captured: when the picture was taken, by the clock of the camera.
        exposure_time: in seconds.
        focal_length: in millimetres.
        focal_length_35mm: that of a lens with the same view in 35 mm film.
        exposure_bias: in steps of exposure.
    """

    resolution: Resolution | None = None
    is_adobe_rgb: bool = False
    png_colors: tuple[tuple[str, tuple[int, ...]], ...] = ()
    captured: datetime | None = None
    exposure_time: Annotated[
        Fraction | None, Tag(0x829A, Ratio(1e-6, 86_400, 100_000))
    ] = None
    f_number: Annotated[Fraction | None, Tag(0x829D, Ratio(0.1, 200))] = None
    exposure_program: Annotated[int | None, Tag(0x8822, Code(range(10)))] = None
    iso: Annotated[int | None, Tag(0x8827, Code(range(1, 65_536)))] = None
    exposure_bias: Annotated[Fraction | None, Tag(0x9204, Ratio(-30, 30))] = None
    metering_mode: Annotated[int | None, Tag(0x9207, Code({*range(7), 255}))] = None
    light_source: Annotated[int | None, Tag(0x9208, Code({*range(25), 255}))] = None
    flash: Annotated[int | None, Tag(0x9209, Code(range(128)))] = None
    focal_length: Annotated[Fraction | None, Tag(0x920A, Ratio(0.1, 20_000))] = None
    exposure_mode: Annotated[int | None, Tag(0xA402, Code(range(3)))] = None
    white_balance: Annotated[int | None, Tag(0xA403, Code(range(2)))] = None
    digital_zoom: Annotated[Fraction | None, Tag(0xA404, Ratio(0, 1_000))] = None
    focal_length_35mm: Annotated[int | None, Tag(0xA405, Code(range(1, 20_001)))] = None
    scene_capture_type: Annotated[int | None, Tag(0xA406, Code(range(4)))] = None
    gain_control: Annotated[int | None, Tag(0xA407, Code(range(5)))] = None
    contrast: Annotated[int | None, Tag(0xA408, Code(range(3)))] = None
    saturation: Annotated[int | None, Tag(0xA409, Code(range(3)))] = None
    sharpness: Annotated[int | None, Tag(0xA40A, Code(range(3)))] = None
    make: Annotated[
        str | None, Tag(0x010F, Product(), in_main=True, level="all-but-identity")
    ] = None
    model: Annotated[
        str | None, Tag(0x0110, Product(), in_main=True, level="all-but-identity")
    ] = None
    lens_make: Annotated[
        str | None, Tag(0xA433, Product(), level="all-but-identity")
    ] = None
    lens_model: Annotated[
        str | None, Tag(0xA434, Product(), level="all-but-identity")
    ] = None

    def kept(self, level: Level) -> "Metadata":
        """What is kept at a level; what says how colours look always is."""
        if level == "none":
            return Metadata(is_adobe_rgb=self.is_adobe_rgb, png_colors=self.png_colors)
        if level == "all-but-identity":
            return self
        day = None
        if self.captured is not None:
            day = datetime.combine(self.captured.date(), time.min)
        dropped = {name: None for name, tag in TAGS.items() if tag.level != level}
        return replace(self, captured=day, **dropped)  # type: ignore[arg-type]

    def turned(self, orientation: int) -> "Metadata":
        """The same for the picture turned by an EXIF orientation, or back again."""
        if self.resolution is None or not is_across(orientation):
            return self
        x, y, unit = self.resolution.x, self.resolution.y, self.resolution.unit
        return replace(self, resolution=Resolution(y, x, unit))


NO_METADATA = Metadata()
"""Of a file that tells nothing."""

TAGS: dict[str, Tag] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Metadata, include_extras=True).items()
    if get_origin(hint) is Annotated
}
"""The fields of `Metadata` that are one EXIF tag each."""
