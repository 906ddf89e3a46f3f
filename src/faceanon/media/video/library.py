"""PyAV, which brings the libraries of FFmpeg: an extra."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from faceanon.errors import PictureError

INSTALL = "to read and write those: pip install '.[video]' in the checkout"
"""How to get it."""


@cache
def library() -> Any:
    """The library; it is loaded when the first film is met, and says nothing itself.

    Raises:
        PictureError: the extra is not installed.
    """
    try:
        import av  # noqa: PLC0415  an extra
    except ImportError as error:
        raise PictureError(f"it is a video; {INSTALL}") from error
    av.logging.set_level(av.logging.PANIC)
    return av


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn what the libraries raise into a line for the user.

    Args:
        doing: what failed, such as "it is damaged".
    """
    try:
        yield
    except PictureError:
        raise
    except library().error.FFmpegError as error:
        # Of a file that is read or written, the error is the user's to know.
        raise PictureError(f"{doing}: {error.strerror}") from error
    except (ValueError, RuntimeError) as error:
        raise PictureError(f"{doing}: {error}") from error


def clock(seconds: float) -> str:
    """A time within a film, for people.

    >>> clock(3725.46), clock(12.3)
    ('1:02:05.5', '0:12.3')
    """
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{start}:{rest / 10:04.1f}"
