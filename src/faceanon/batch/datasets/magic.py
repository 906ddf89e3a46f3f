"""Which bytes are to be looked into, whatever they are called.

A picture or a film that nobody named as one must not be copied with the faces in it.
Formats that faceanon does not read are told as well, so that they fail by name.
"""

import re

_SIGNS = re.compile(
    rb"\xff\xd8\xff"  # JPEG
    rb"|\x89PNG\r\n\x1a\n"
    rb"|GIF8[79]a"
    rb"|RIFF.{4}(WEBP|AVI )"
    rb"|II[*+]\0|MM\0[*+]"  # TIFF and most raw files
    rb"|.{4}ftyp"  # AVIF, HEIC, MP4, QuickTime
    rb"|\xff\x0a|\0\0\0\x0c(JXL |jP  )"  # JPEG XL, JPEG 2000
    rb"|\xff\x4f\xff\x51"  # JPEG 2000 without its boxes
    rb"|P[1-6]\s+(#|\d+\s+\d)|P7\n"  # Netpbm
    rb"|\x00\x00\x01\x00[\x01-\x40]\x00.{4}[\x00\x01]\x00[\x00-\x20]\x00"  # ICO
    rb"|\x76\x2f\x31\x01|#\?RADIANCE"  # OpenEXR, Radiance
    rb"|8BPS\0[\1\2]"  # Photoshop
    rb"|\x1a\x45\xdf\xa3"  # Matroska, WebM
    rb"|\0\0\1[\xb3\xba]"  # MPEG
    rb"|FLV\1|\x30\x26\xb2\x75"  # Flash, Windows Media
    rb"|OggS"
    rb"|%PDF-",
    re.DOTALL,
)
_BMP_HEADER = 26

HEAD = 32
"""So many bytes from the beginning are enough to tell."""


def may_show_faces(head: bytes, size: int) -> bool:
    """Whether something is a picture or a video by its first bytes.

    Args:
        head: the first `HEAD` bytes, or all where there are fewer.
        size: how many bytes there are.
    """
    if head.startswith(b"BM"):
        # Two letters could begin any text; those of a BMP are followed by its size.
        return size > _BMP_HEADER and int.from_bytes(head[2:6], "little") == size
    return _SIGNS.match(head) is not None
