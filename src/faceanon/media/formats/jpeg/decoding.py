"""A JPEG to a picture whose pixels wait until they are asked for."""

from typing import Any

import numpy as np
from PIL import Image as PillowImage
from PIL import JpegImagePlugin

from faceanon.media.containers import as_file
from faceanon.media.containers.jpeg import with_usual_scan
from faceanon.media.formats.jpeg.file import JpegFile
from faceanon.media.formats.jpeg.strict import Colors, check_scans
from faceanon.media.orientation import upright
from faceanon.media.picture import Encoding
from faceanon.model import Image

_COLORS: dict[str, Colors] = {"L": "GRAY", "RGB": "BGR", "CMYK": "CMYK"}


def opened_jpeg(
    source: Any, data: bytes, orientation: int
) -> tuple[Image | JpegFile, Encoding, JpegFile]:
    """A JPEG as Pillow has opened it.

    Args:
        source: the file as Pillow has opened it.
        data: the whole file.
        orientation: the EXIF orientation in which it is stored, 1 to 8.

    Returns:
        Its pixels, where they are inks, else the file that they are in; how they are
        stored; and the file.
    """
    check_scans(data, source.width * source.height)
    data = with_usual_scan(data)
    jpeg = JpegFile(data, orientation, source.size, _COLORS[source.mode])
    encoding = _encoding(source)
    if not encoding.is_cmyk:
        return jpeg, encoding, jpeg
    # Pillow turns what Adobe stores inverted, but passes over damage.
    jpeg.check()
    with PillowImage.open(as_file(jpeg.data)) as inks:
        pixels = np.ascontiguousarray(upright(np.array(inks), orientation))
    return pixels, encoding, jpeg


def _encoding(source: JpegImagePlugin.JpegImageFile) -> Encoding:
    is_cmyk = source.mode == "CMYK"
    return Encoding(
        "jpeg",
        quantization={key: list(table) for key, table in source.quantization.items()},
        # 4:4:0 and 4:1:1 are -1, "unknown", to Pillow; whole chroma keeps all they had.
        subsampling=0 if is_cmyk else max(JpegImagePlugin.get_sampling(source), 0),
        is_cmyk=is_cmyk,
        is_grey=source.mode == "L",
    )
