"""Which formats can tell what the colours of a picture are where no profile does.

Code points are those of ITU-T H.273.
"""

from faceanon.errors import PictureError
from faceanon.media.metadata import Metadata

_TOLD_IN = ("png", "avif", "heif")
_IN_FULL_RANGE = ("avif", "heif")

# BT.2020, DCI-P3 and Display P3; PQ and HLG.
_WIDE = (9, 11, 12)
_HDR = (16, 18)


def check_colors_fit(
    metadata: Metadata, icc_profile: bytes | None, format_: str
) -> None:
    """Refuse to leave out code points without which a picture would look otherwise.

    Raises:
        PictureError: the format cannot hold them, and there is no profile.
    """
    code_points = dict(metadata.png_colors).get("cICP")
    if code_points is None:
        return
    primaries, transfer, _, is_full_range = code_points
    is_told = format_ in _TOLD_IN or icc_profile is not None
    if (primaries in _WIDE or transfer in _HDR) and not is_told:
        raise PictureError(
            f"its colours are HDR or wider than sRGB, which {format_} cannot hold "
            "without a profile; use --format png, avif or heif"
        )
    if format_ in _IN_FULL_RANGE and not is_full_range:
        raise PictureError(
            f"its samples are in narrow range, which is not supported in {format_}; "
            "use --format png"
        )
