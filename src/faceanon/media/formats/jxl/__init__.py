"""JPEG XL (ISO/IEC 18181), by way of libjxl, which an extra brings."""

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"


def is_jxl(data: bytes) -> bool:
    """Whether a file is a JPEG XL: a bare codestream, or one in a container."""
    return data.startswith((_CODESTREAM, _CONTAINER))
