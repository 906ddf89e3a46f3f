"""What the processes that do pictures have in common."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# Names and values of malloc.h; how many free bytes are kept, which is more than a
# picture of 24 megapixels takes; and the largest size that is taken from them, the most
# that glibc allows.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_MOST_KEPT, _LARGEST_KEPT = 2**27, 2**25

_OF_A_TERMINAL = [
    getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)
]


# Up to so many pixels, a picture has the time that is asked for.
_USUAL_PIXELS = 50_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may take.

    Attributes:
        seconds: time after which it is given up and its worker replaced; see `time_for`
            of large pictures.
        megabytes: memory of its worker; a picture that needs more fails.
    """

    seconds: float
    megabytes: int

    def time_for(self, pixels: int) -> float:
        """How many seconds so many pixels may take: more than others if they are many.

        `thorough` takes about 1 s for a megapixel.
        """
        return self.seconds * max(pixels / _USUAL_PIXELS, 1)


def configure_worker(megabytes: int) -> None:
    """Make this process a worker: one thread, silent, with limited memory.

    Args:
        megabytes: the limit; Linux only.
    """
    # Where `interrupts_for_others` does nothing.
    for number in _OF_A_TERMINAL:
        signal.signal(number, signal.SIG_IGN)
    # Codecs in C write what they stumble over to file 2. It is in the outcome; nobody
    # needs to read it twice.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    import cv2  # noqa: PLC0415  whoever starts workers needs none of it

    cv2.setNumThreads(1)
    keep_freed_memory()
    if sys.platform == "linux":
        import resource  # noqa: PLC0415  not on every system

        # Of the data segment: address space is reserved far beyond what is used.
        limit = megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def keep_freed_memory() -> None:
    """Let this process have what it frees for the next picture, up to a bound.

    glibc gives the memory of large arrays back and gets it anew for each picture, which
    takes up to a fifth of the time. Other allocators are left as they are.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _MOST_KEPT)
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)


@contextmanager
def interrupts_for_others() -> Iterator[None]:
    """Threads and processes that are started in here never get Ctrl-C, nor SIGHUP.

    These reach every process of a terminal; the parent alone decides. A worker that
    came to know of this only later would die of it with a traceback.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_A_TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def cause_of_death(exit_code: int | None) -> str:
    """What the exit code of a process tells about its end."""
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = ", perhaps for want of memory" if name == "SIGKILL" else ""
        return f"{name}{hint}"
    return f"exit code {exit_code}"


def death(exit_code: int | None) -> str:
    """Why a picture failed whose worker is dead."""
    return f"its worker process died ({cause_of_death(exit_code)})"


def lateness(seconds: float) -> str:
    """Why a picture failed that took too long."""
    return f"took longer than {seconds:g} seconds (--timeout)"
