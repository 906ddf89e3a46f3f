"""What others may do to a run while it goes on, and what they hear of it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Control:
    """The strings of a run.

    Attributes:
        is_stopped: whether no further picture is to be begun.
        searched: called after each picture that was searched for people, before the
            run began.
    """

    is_stopped: bool = False
    searched: Callable[[], object] = lambda: None
